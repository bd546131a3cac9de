//! The event of a Kinesis event source mapping, which Lambda hands to a function.
//!
//! ```text
//!   {"Records":[{"kinesis":{"partitionKey":..,"sequenceNumber":..,"data":Base64,"approximateArrivalTimestamp":..},
//!                "eventID":"shardId-000000000006:4959..", ..}, ..]}
//! ```
//!
//! What must always hold:
//!
//! - **A record's fault is its own.** A record with a field that is missing or unreadable is still a record: it has its
//!   number, so that it can be set aside at its position, a [`Reject`] that says why, and what there was of it as its
//!   data. Its neighbours are what they would be without it.
//! - **An event fails whole only when nothing can be said of its records**: it is no event, a record has no number, the
//!   records are of two shards or out of order. Guessing there would acknowledge what nobody has processed, or report
//!   what nobody can deliver again. Lambda sends no such event.
//! - An event costs a fixed number of allocations and some growth, however many records it has: all payloads are decoded
//!   into one buffer and all keys copied into another, of which the records are slices. The event itself is free to go.
//! - The order of fields, unknown fields, escapes and blanks make no difference.

mod assembly;
mod fields;
mod template;

use bytes::Bytes;
use bytestring::ByteString;
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;
use wattstream_domain::{SequenceNumber, ShardId, Timestamp};

use crate::reject::Reject;

use assembly::{Assembly, Entry};
use fields::Fields;
use template::Template;

/// The records of one shard that a function is called with: at least one, in the order of their numbers.
#[derive(Clone, Debug)]
pub struct KinesisEvent {
    shard: ShardId,
    entries: Vec<Entry>,
    /// The partition keys of all records, one after the other.
    keys: ByteString,
    /// The payloads of all records, one after the other.
    payloads: Bytes,
}

/// A record of an event. Key and data share the memory of all records of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// Its number in its shard.
    pub sequence: SequenceNumber,
    /// The key whose hash chose the shard; empty when the record does not say.
    pub partition_key: ByteString,
    /// When the stream took it; when the record does not say, when it took the record before it, or else the one after.
    pub arrival: Timestamp,
    /// The payload. Of a record whose payload cannot be read, the JSON of the record as it came.
    pub data: Bytes,
    /// What is wrong with the record; `None` when nothing is.
    pub fault: Option<Box<Reject>>,
}

/// Why an event is of no use at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// It is not UTF-8.
    #[error("the event is not UTF-8 at byte {0}: invoke the function with JSON")]
    NotUtf8(usize),
    /// It is not one JSON value.
    #[error("the event is not JSON: {0}")]
    NotJson(String),
    /// It is JSON, but has no records.
    #[error(
        "the event has no list `Records`, or an empty one: invoke the function through an event source mapping of a \
         Kinesis stream"
    )]
    NoRecords,
    /// A record has no number: it could neither be set aside nor delivered again.
    #[error(
        "record {index} of the event has neither a sequenceNumber nor an eventID with one: invoke the function \
         through an event source mapping of a Kinesis stream"
    )]
    NoNumber {
        /// The place of the record, from 0.
        index: usize,
    },
    /// No record says which shard it is of.
    #[error("no record of the event has an eventID that names its shard, such as shardId-000000000006:4959")]
    NoShard,
    /// Two records are of different shards.
    #[error(
        "record {index} of the event is of {other}, those before it of {shard}: an event has records of one shard"
    )]
    TwoShards {
        /// The place of the record, from 0.
        index: usize,
        /// The shard of those before it.
        shard: ShardId,
        /// Its own.
        other: ShardId,
    },
    /// A record does not come after the one before it.
    #[error("record {index} of the event has number {sequence}, not above {before} of the record before it")]
    OutOfOrder {
        /// The place of the record, from 0.
        index: usize,
        /// Its number.
        sequence: SequenceNumber,
        /// The number of the record before it.
        before: SequenceNumber,
    },
}

/// Reads an event. Any bytes have an outcome. The number of a record stands in it twice, and its shard in every record of
/// the event: one of them is enough.
pub fn parse(event: &[u8]) -> Result<KinesisEvent, EventError> {
    let text = std::str::from_utf8(event).map_err(|error| EventError::NotUtf8(error.valid_up_to()))?;
    // What stands between these is read once. If it does not turn out to be a list of records, the whole is examined, to
    // find them elsewhere or to say what is wrong.
    let plain = text.strip_prefix(r#"{"Records":["#).and_then(|rest| rest.strip_suffix("]}"));
    if let Some(Ok(event)) = plain.map(read_records) {
        return Ok(event);
    }
    read_records(find_records(text)?)
}

impl KinesisEvent {
    /// The shard of all records.
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// How many records there are.
    #[allow(clippy::len_without_is_empty, reason = "an event is never empty")]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The records, in the order of their numbers.
    pub fn into_records(self) -> impl ExactSizeIterator<Item = EventRecord> {
        let Self { entries, keys, payloads, .. } = self;
        entries.into_iter().map(move |entry| EventRecord {
            sequence: entry.sequence,
            partition_key: keys.slice_ref(&keys[entry.key]),
            arrival: entry.arrival.unwrap_or(Timestamp::MIN),
            data: payloads.slice(entry.payload),
            fault: entry.fault,
        })
    }
}

/// The part of an event that counts.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "Records")]
    records: Option<&'a RawValue>,
}

/// What stands between the brackets of the list of records.
fn find_records(text: &str) -> Result<&str, EventError> {
    let envelope = serde_json::from_str::<Envelope>(text).map_err(|error| match error.classify() {
        Category::Data => EventError::NoRecords,
        Category::Io | Category::Syntax | Category::Eof => EventError::NotJson(error.to_string()),
    })?;
    let records = envelope.records.map_or("", RawValue::get);
    records.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or(EventError::NoRecords)
}

/// Reads records that stand one after the other with commas between them.
fn read_records(text: &str) -> Result<KinesisEvent, EventError> {
    let mut assembly = Assembly::default();
    let mut template: Option<Template> = None;
    let mut rest = skip_blanks(text);
    if rest.is_empty() {
        return Err(EventError::NoRecords);
    }
    loop {
        let index = assembly.len();
        let fields = match template.as_ref().and_then(|template| template.read(rest)) {
            Some(fields) => fields,
            None => {
                let fields = Fields::read(rest, index)?;
                template = Template::of(&fields);
                fields
            }
        };
        assembly.push(&fields, rest.len().div_ceil(fields.text.len()))?;
        rest = skip_blanks(&rest[fields.text.len()..]);
        if rest.is_empty() {
            return assembly.finish();
        }
        rest = rest.strip_prefix(',').map(skip_blanks).ok_or_else(|| {
            EventError::NotJson(format!("a comma is missing after record {index} of the event"))
        })?;
    }
}

/// What follows the blanks of JSON (RFC 8259, section 2), which are fewer than those of ASCII.
fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

#[cfg(test)]
mod tests;
