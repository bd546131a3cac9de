//! The consumer that one writes first: the event and each reading through serde_json into owned structs, items as hash maps,
//! requests through serde_json again. It keeps no state, as the one in Python.

use std::collections::HashMap;

use anyhow::Context;
use aws_lambda_events::event::kinesis::KinesisEvent;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

/// BatchWriteItem takes 25 items.
const WRITES_PER_REQUEST: usize = 25;

#[derive(Deserialize)]
struct Reading {
    site_id: String,
    timestamp: String,
    energy_generated_kwh: f64,
    energy_consumed_kwh: f64,
}

/// The bodies of the requests that write what an event holds.
pub(crate) fn requests(table: &str, event: &[u8]) -> anyhow::Result<Vec<Bytes>> {
    let event: KinesisEvent = serde_json::from_slice(event)?;
    let mut items: HashMap<(String, String), HashMap<String, Value>> = HashMap::new();
    for record in &event.records {
        let reading: Reading = serde_json::from_slice(&record.kinesis.data.0)?;
        let timestamp: DateTime<Utc> =
            DateTime::parse_from_rfc3339(&reading.timestamp).context("a timestamp")?.into();
        let timestamp = timestamp.to_rfc3339_opts(SecondsFormat::Millis, true);
        // One put a key in a request: the last one wins.
        let item = item(&reading, &timestamp);
        items.insert((reading.site_id, timestamp), item);
    }
    let writes: Vec<Value> =
        items.into_values().map(|item| json!({ "PutRequest": { "Item": item } })).collect();
    let body = |writes: &[Value]| serde_json::to_vec(&json!({ "RequestItems": { table: writes } }));
    writes.chunks(WRITES_PER_REQUEST).map(|writes| Ok(body(writes)?.into())).collect()
}

fn item(reading: &Reading, timestamp: &str) -> HashMap<String, Value> {
    let Reading { energy_generated_kwh: generated, energy_consumed_kwh: consumed, .. } = *reading;
    HashMap::from([
        ("site_id".to_owned(), json!({ "S": reading.site_id })),
        ("timestamp".to_owned(), json!({ "S": timestamp })),
        ("energy_generated_kwh".to_owned(), number(generated)),
        ("energy_consumed_kwh".to_owned(), number(consumed)),
        ("net_energy_kwh".to_owned(), number(generated - consumed)),
        ("anomaly".to_owned(), json!({ "BOOL": generated < 0.0 || consumed < 0.0 })),
    ])
}

/// Doubles do not add up: six places are what the meter meant.
fn number(value: f64) -> Value {
    let text = format!("{value:.6}");
    json!({ "N": text.trim_end_matches('0').trim_end_matches('.') })
}
