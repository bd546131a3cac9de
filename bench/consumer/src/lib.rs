//! The parts of the comparison: one event, three consumers, and their items compared.

mod events;
mod naive;
mod ours;
mod python;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, ensure};
use bytes::Bytes;
use serde_json::Value;

use events::Events;

/// What each consumer takes for a record, in nanoseconds of one core: of ours and the naive one by the clock, the best of many
/// rounds on one thread that waits for nothing; of the one in Python by its processor time.
#[derive(Debug)]
pub struct Comparison {
    /// The engine with a warm cache, as a busy function has it.
    pub ours_ns: f64,
    /// `aws_lambda_events`, `serde_json`, items as hash maps.
    pub naive_ns: f64,
    /// Powertools, pydantic, items as dicts.
    pub python_ns: f64,
}

/// The table that the items are for.
const TABLE: &str = "readings";

/// Rounds that fill caches and do not count.
const WARM_UP_ROUNDS: usize = 3;

/// Measures all consumers on events of so many records; an error when they do not make the same of the last one. `python` is an
/// interpreter that has Powertools and pydantic.
pub fn compare(records: usize, rounds: usize, python: Command) -> anyhow::Result<Comparison> {
    let mut events = Events::of(records);
    let mut consumer = ours::Ours::new()?;
    let (mut ours_ns, mut naive_ns) = (f64::INFINITY, f64::INFINITY);
    let mut last = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..WARM_UP_ROUNDS + rounds {
        // Ours recognises an event that it has seen, so each round has one of its own.
        let event = events.next_event();
        let (ours, spent) = timed(records, || consumer.consume(&event));
        let (naive, spent_naive) = timed(records, || naive::requests(TABLE, event.as_bytes()));
        if round >= WARM_UP_ROUNDS {
            (ours_ns, naive_ns) = (ours_ns.min(spent), naive_ns.min(spent_naive));
        }
        last = (ours?, naive?, event.into_bytes());
    }
    let (ours, naive, event) = last;
    let python = python::measure(python, &event, rounds)?;
    let expected = items(&ours)?;
    ensure!(expected.len() == records, "{} items of {records} records", expected.len());
    ensure!(items(&naive)? == expected, "the naive consumer makes other items");
    let of_python: Vec<Bytes> = python.requests.into_iter().map(Bytes::from).collect();
    ensure!(items(&of_python)? == expected, "the consumer in Python makes other items");
    Ok(Comparison { ours_ns, naive_ns, python_ns: python.cpu_ns_per_record })
}

/// The result, and the nanoseconds that each record took.
fn timed<T>(records: usize, work: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let result = work();
    #[expect(clippy::cast_precision_loss, reason = "a figure to print")]
    let ns = begun.elapsed().as_nanos() as f64 / records as f64;
    (result, ns)
}

/// What all of them write of a reading; ours writes its position as well.
const COMPARED: [&str; 6] =
    ["site_id", "timestamp", "energy_generated_kwh", "energy_consumed_kwh", "net_energy_kwh", "anomaly"];

/// The items of requests by their keys, reduced to what all consumers write.
fn items(requests: &[Bytes]) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut items = BTreeMap::new();
    for request in requests {
        let request: Value = serde_json::from_slice(request)?;
        let writes = request["RequestItems"][TABLE].as_array().context("a request of the table")?;
        for write in writes {
            let item = &write["PutRequest"]["Item"];
            let compared = COMPARED.map(|name| (name.to_owned(), item[name].clone()));
            let key = format!("{} {}", item["site_id"]["S"], item["timestamp"]["S"]);
            items.insert(key, Value::Object(compared.into_iter().collect()));
        }
    }
    Ok(items)
}
