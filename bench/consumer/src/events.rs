//! Events of a fleet that reports every five minutes: a record a reading, as gateways send them that do not aggregate.

use std::fmt::Write;

use base64::prelude::{BASE64_STANDARD, Engine};
use chrono::DateTime;

/// The sites of the shard.
const SITES: usize = 100;
const STEP_S: usize = 300;
/// 2025-06-20T00:00:00Z.
const START_S: usize = 1_750_377_600;
/// A sequence number of Kinesis but for its last digits.
const SEQUENCE: &str = "4959033827149025660855969253836157109592157598";

/// One event after the other, each where the last one ended.
pub(crate) struct Events {
    records: usize,
    next: usize,
}

impl Events {
    pub(crate) fn of(records: usize) -> Self {
        Self { records, next: 0 }
    }

    pub(crate) fn next_event(&mut self) -> String {
        let mut event = String::from(r#"{"Records":["#);
        for number in self.next..self.next + self.records {
            let separator = if number == self.next { "" } else { "," };
            let site = number % SITES;
            let data = BASE64_STANDARD.encode(reading(number));
            write!(
                event,
                r#"{separator}{{"kinesis":{{"kinesisSchemaVersion":"1.0","partitionKey":"site-{site:04}-pv-farm","sequenceNumber":"{SEQUENCE}{number:010}","data":"{data}","approximateArrivalTimestamp":1750377650.987}},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"shardId-000000000006:{SEQUENCE}{number:010}","eventName":"aws:kinesis:record","invokeIdentityArn":"arn:aws:iam::123456789012:role/lambda-role","awsRegion":"us-east-2","eventSourceARN":"arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream"}}"#
            )
            .expect("a string takes everything");
        }
        event.push_str("]}");
        self.next += self.records;
        event
    }
}

/// The n-th reading of the fleet. Values go up and down a little, so that no rule has anything to say; one in a thousand is
/// negative, of which every consumer knows that it is an anomaly.
fn reading(number: usize) -> String {
    let (site, slot) = (number % SITES, number / SITES);
    let seconds = i64::try_from(START_S + slot * STEP_S).expect("in range");
    let timestamp = DateTime::from_timestamp(seconds, 0).expect("in range").format("%Y-%m-%dT%H:%M:%SZ");
    let sign = if number % 1_000 == 999 { "-" } else { "" };
    let (whole, places) = (12 + (slot + site) % 5, 101 + (7 * slot + site) % 800);
    format!(
        r#"{{"site_id":"site-{site:04}-pv-farm","timestamp":"{timestamp}","energy_generated_kwh":{sign}{whole}.{places},"energy_consumed_kwh":8.{}}}"#,
        1 + slot % 9
    )
}
