//! The event source mapping's side of an invocation: a batch as an event, and what a reply means.
//!
//! What must always hold: a reply means what the table of the AWS Lambda guide says ("Configuring partial batch response with
//! Kinesis Data Streams and Lambda"), with the cases that recordings of the service have added to it. This file shares no code with
//! what the product writes and reads.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use wattstream_engine::ports::Consumer;
use wattstream_engine::{Batch, BatchReply, Error, Kind, Result, StreamRecord};

use super::function::Function;

const STREAM_ARN: &str = "arn:aws:kinesis:us-east-1:123456789012:stream/wattstream";

/// A function as the consumer of an event source.
#[derive(Clone, Debug)]
pub struct LambdaConsumer(pub Arc<Function>);

impl Consumer for LambdaConsumer {
    async fn consume(&self, batch: &Batch) -> Result<BatchReply> {
        let failed = |error| Error::new(Kind::Retry, "invoking the function", error);
        let response = self.0.invoke(kinesis_event(batch)).await.map_err(failed)?;
        batch_reply(&response).map_err(|error| Error::new(Kind::Retry, "reading the function's reply", error))
    }
}

/// The event that a function gets for a batch.
pub fn kinesis_event(batch: &Batch) -> Vec<u8> {
    let records: Vec<_> = batch.records.iter().map(|record| event_record(batch, record)).collect();
    json!({ "Records": records }).to_string().into_bytes()
}

fn event_record(batch: &Batch, record: &StreamRecord) -> Value {
    let arrival_ms = record.arrival.unix_ms();
    // Decimal seconds, by digits: a double has its own idea of some thousandths.
    let arrival = format!("{}.{:03}", arrival_ms / 1_000, arrival_ms % 1_000);
    json!({
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record.partition_key.to_string(),
            "sequenceNumber": record.sequence.to_string(),
            "data": BASE64_STANDARD.encode(&record.data),
            "approximateArrivalTimestamp": serde_json::from_str::<Value>(&arrival).expect("a decimal is JSON"),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": format!("{}:{}", batch.shard, record.sequence),
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/wattstream",
        "awsRegion": "us-east-1",
        "eventSourceARN": STREAM_ARN,
    })
}

/// A reply that names no record of the batch where it should: Lambda takes the whole batch for failed.
#[derive(Debug, thiserror::Error)]
#[error("the reply names what is no record: {0}")]
pub struct VoidReply(String);

/// What a function's response means. A number that is not in the batch is left to the event source, which knows the batch.
pub fn batch_reply(response: &[u8]) -> std::result::Result<BatchReply, VoidReply> {
    if response.is_empty() {
        return Ok(BatchReply::default());
    }
    let void = || VoidReply(String::from_utf8_lossy(response).into_owned());
    let failures = match serde_json::from_slice(response).map_err(|_| void())? {
        Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::Array(items) if items.is_empty() => Vec::new(),
        Value::Object(mut reply) => match reply.remove("batchItemFailures") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(void()),
        },
        _ => return Err(void()),
    };
    let sequence = |item: &Value| item.get("itemIdentifier")?.as_str()?.parse().ok();
    let failures = failures.iter().map(|item| sequence(item).ok_or_else(void));
    Ok(BatchReply { failures: failures.collect::<std::result::Result<_, _>>()? })
}
