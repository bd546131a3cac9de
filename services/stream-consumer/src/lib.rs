//! The stream consumer as a Lambda function.
//!
//! ```text
//!   Kinesis event ──► batch ──► engine ──► batchItemFailures
//! ```
//!
//! What must always hold: a record that cannot be read never fails its batch; only what may succeed at the next delivery is
//! reported as failed; an event that is no Kinesis event is an error of the invocation, because nothing in it can be named.

use aws_lambda_events::event::streams::KinesisEventResponse;
use serde_json::value::RawValue;
use wattstream_engine::ports::{Consumer, InstanceId};
use wattstream_engine::{Batch, BatchReply};
use wattstream_wire::kinesis_event::{self, EventError};

/// Why an invocation fails as a whole: all of its records are delivered again.
#[derive(Debug, thiserror::Error)]
pub enum InvocationError {
    /// The event is not what an event source mapping of a Kinesis stream sends.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Nothing of the batch was processed.
    #[error(transparent)]
    Batch(#[from] wattstream_engine::Error),
}

/// The consumer behind its function.
#[derive(Debug)]
pub struct StreamConsumer<C> {
    consumer: C,
}

impl<C: Consumer> StreamConsumer<C> {
    /// A function that hands its batches to `consumer`.
    pub fn new(consumer: C) -> Self {
        Self { consumer }
    }

    /// Processes the records of an event, and names those that are to be delivered again.
    pub async fn handle(&self, event: Box<RawValue>) -> Result<KinesisEventResponse, InvocationError> {
        let batch: Batch = kinesis_event::parse(event.get().as_bytes())?.into();
        // Keys and payloads have memory of their own; the text of the event is not needed while they are worked on.
        drop(event);
        let reply = self.consumer.consume(&batch).await?;
        Ok(response_of(&reply))
    }
}

/// The reply in Lambda's words. It always has the list: an object without one would be taken for success.
fn response_of(reply: &BatchReply) -> KinesisEventResponse {
    let mut response = KinesisEventResponse::default();
    response.set_failures(reply.failures.iter().map(ToString::to_string));
    response
}

/// A name that no other instance of the function has.
pub fn new_instance_id() -> InstanceId {
    InstanceId(format!("{:032x}", rand::random::<u128>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_names_failures_by_their_numbers_and_success_is_an_empty_list() {
        let json = |numbers: &[&str]| {
            let failures = numbers.iter().map(|number| number.parse().expect("a number")).collect();
            serde_json::to_string(&response_of(&BatchReply { failures })).expect("a reply is JSON")
        };
        assert_eq!(json(&[]), r#"{"batchItemFailures":[]}"#);
        let number = "49590338271490256608559692538361571095921575989136588898";
        let expected =
            format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"{number}"}},{{"itemIdentifier":"0"}}]}}"#);
        assert_eq!(json(&[number, "0"]), expected);
    }
}
