//! From payloads to stream records: one queue of records for each partition key.
//!
//! What must always hold:
//! - Payloads of a key keep their order, over all of its records.
//! - An aggregate holds payloads of one partition key, and its record has that key. So Kinesis puts it where it puts every
//!   other record of that key, whatever its shards are by then. The decision is in `docs/decisions/0009-aggregation.md`.
//! - A payload that is an aggregate itself stays a record of its own: inside another one nobody would take it apart.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use wattstream_engine::ports::NewRecord;
use wattstream_wire::{AGGREGATE_BYTES_DEFAULT, AGGREGATE_MAGIC, Aggregator};

/// How payloads become stream records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packing {
    /// Payloads of one append and one partition key share records, in the format of the Kinesis Producer Library. A payload
    /// that is alone stays as it is.
    #[default]
    Aggregated,
    /// Each payload is a record.
    Plain,
}

/// The records of one partition key, in order; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyQueue {
    pub(crate) partition_key: String,
    pub(crate) records: VecDeque<Bytes>,
}

impl Packing {
    /// The queues of an append, in the order in which their keys appear. A record has at most `record_bytes_max` bytes with
    /// its key when each of `records` has.
    pub(crate) fn pack(self, records: Vec<NewRecord>, record_bytes_max: usize) -> Vec<KeyQueue> {
        let mut queues = by_key(records);
        if self == Self::Aggregated {
            for KeyQueue { partition_key, records } in &mut queues {
                let bytes_max =
                    AGGREGATE_BYTES_DEFAULT.min(record_bytes_max.saturating_sub(partition_key.len()));
                *records = aggregate(partition_key, std::mem::take(records), bytes_max);
            }
        }
        queues
    }
}

fn by_key(records: Vec<NewRecord>) -> Vec<KeyQueue> {
    let mut queues: Vec<KeyQueue> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for NewRecord { partition_key, data } in records {
        if let Some(&place) = places.get(&partition_key) {
            queues[place].records.push_back(data);
        } else {
            places.insert(partition_key.clone(), queues.len());
            queues.push(KeyQueue { partition_key, records: VecDeque::from([data]) });
        }
    }
    queues
}

fn aggregate(partition_key: &str, payloads: VecDeque<Bytes>, bytes_max: usize) -> VecDeque<Bytes> {
    let mut records = VecDeque::new();
    let mut payloads = payloads.into_iter().peekable();
    while let Some(first) = payloads.next() {
        let mut aggregator = Aggregator::new(bytes_max);
        let mut add = |payload: &Bytes| {
            !payload.starts_with(&AGGREGATE_MAGIC) && aggregator.push(partition_key, payload).is_ok()
        };
        let has_company = payloads.peek().is_some() && add(&first) && payloads.next_if(&mut add).is_some();
        if has_company {
            while payloads.next_if(&mut add).is_some() {}
            records.push_back(aggregator.finish());
        } else {
            records.push_back(first);
        }
    }
    records
}

#[cfg(test)]
mod tests;
