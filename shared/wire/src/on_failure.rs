//! What Lambda leaves of a batch that it gave up: the document that an event source mapping sends to its on-failure
//! destination.
//!
//! A queue or a topic gets pointers only, the shard and the numbers of the first and the last record: the payloads are
//! gone when the retention of the stream is over. A bucket gets the event as well. What must always hold: what is needed
//! to find the records again is there and readable, or the document is refused; all else may be absent.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use wattstream_domain::{SequenceNumber, ShardId, Timestamp};

use crate::time::parse_timestamp;

/// A batch that Lambda gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscardedBatch {
    /// The stream.
    pub stream_arn: String,
    /// The shard.
    pub shard: ShardId,
    /// The first record that was given up.
    pub first: SequenceNumber,
    /// The last.
    pub last: SequenceNumber,
    /// How many records they are.
    pub records: Option<u64>,
    /// When the stream took the first.
    pub first_arrival: Option<Timestamp>,
    /// When the stream took the last.
    pub last_arrival: Option<Timestamp>,
    /// Why, in Lambda's words: `RetryAttemptsExhausted`, `RecordAgeExceeded`.
    pub condition: String,
    /// About how many times the function was called with them.
    pub invocations: Option<u64>,
    /// The kind of the function's last error, such as `Unhandled`; none when it reported failures of single records, or
    /// was not called at all.
    pub function_error: Option<String>,
    /// When Lambda gave them up.
    pub at: Option<Timestamp>,
    /// The event of the last call, to be read by [`kinesis_event::parse`](crate::kinesis_event::parse).
    pub event: Option<String>,
}

/// A document is not what an on-failure destination gets for a Kinesis stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the document does not tell of a batch of a Kinesis stream that Lambda gave up, {0}: take the body of an SQS message, \
     the `Message` of an SNS notification or the whole S3 object"
)]
pub struct DiscardedBatchError(String);

/// Reads the document.
pub fn parse(document: &[u8]) -> Result<DiscardedBatch, DiscardedBatchError> {
    let error = |error: serde_json::Error| DiscardedBatchError(error.to_string());
    let Document { request, response, timestamp, batch, payload } =
        serde_json::from_slice(document).map_err(error)?;
    Ok(DiscardedBatch {
        stream_arn: batch.stream_arn,
        shard: batch.shard_id,
        first: batch.start_sequence_number,
        last: batch.end_sequence_number,
        records: batch.batch_size,
        first_arrival: instant(batch.approximate_arrival_of_first_record),
        last_arrival: instant(batch.approximate_arrival_of_last_record),
        condition: request.condition,
        invocations: request.approximate_invoke_count,
        function_error: response.and_then(|response| response.function_error),
        at: instant(timestamp),
        event: payload.map(event).transpose().map_err(error)?,
    })
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(rename = "requestContext")]
    request: RequestContext,
    #[serde(rename = "responseContext")]
    response: Option<ResponseContext>,
    timestamp: Option<String>,
    #[serde(rename = "KinesisBatchInfo")]
    batch: BatchInfo,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    condition: String,
    approximate_invoke_count: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext {
    function_error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchInfo {
    stream_arn: String,
    #[serde(deserialize_with = "parsed")]
    shard_id: ShardId,
    #[serde(deserialize_with = "parsed")]
    start_sequence_number: SequenceNumber,
    #[serde(deserialize_with = "parsed")]
    end_sequence_number: SequenceNumber,
    batch_size: Option<u64>,
    approximate_arrival_of_first_record: Option<String>,
    approximate_arrival_of_last_record: Option<String>,
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<T, D::Error> {
    Cow::<str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

fn instant(text: Option<String>) -> Option<Timestamp> {
    parse_timestamp(&text?).ok()
}

/// The text of the event, which stands in the document as an object, or as a string that holds one.
fn event(payload: &RawValue) -> Result<String, serde_json::Error> {
    match payload.get() {
        text if text.starts_with('"') => serde_json::from_str(text),
        object => Ok(object.to_owned()),
    }
}

#[cfg(test)]
mod tests;
