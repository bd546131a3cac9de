//! From the fields of records to an event: numbers and times are read, payloads and keys gathered.
//!
//! What must always hold: the buffers hold the keys and the payloads of the records and nothing else, whatever was wrong
//! with one of them.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use bytestring::ByteString;
use wattstream_domain::{SequenceNumber, ShardId, Timestamp};

use super::fields::{Fields, Value};
use super::{EventError, KinesisEvent};
use crate::reject::{Quote, Reason, Reject};
use crate::time::parse_unix_seconds;

/// A record whose key and payload are places in the buffers of its event.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) sequence: SequenceNumber,
    pub(super) key: Range<usize>,
    pub(super) arrival: Option<Timestamp>,
    pub(super) payload: Range<usize>,
    pub(super) fault: Option<Box<Reject>>,
}

/// An event that is being read.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    shard: Option<Shard>,
    entries: Vec<Entry>,
    keys: String,
    payloads: Vec<u8>,
}

/// The shard of an event, and how its first record spells it.
#[derive(Debug)]
struct Shard {
    id: ShardId,
    text: String,
}

/// Why a field cannot be read. The messages go on after the name of the field.
#[derive(Debug, thiserror::Error)]
enum FieldError {
    #[error("is missing, or stands twice")]
    Missing,
    #[error("is not a string of Unicode characters")]
    NotAString,
    #[error("is not a number of seconds between 1970 and 2099")]
    NotATime,
    #[error("is not Base64 ({0})")]
    NotBase64(base64::DecodeError),
}

impl Assembly {
    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds the next record. If all are as long as this one, `count` records are still to come, this one included.
    pub(super) fn push(&mut self, fields: &Fields, count: usize) -> Result<(), EventError> {
        let event_id = characters(fields.event_id).unwrap_or_default();
        let (shard, number) = event_id.split_once(':').unwrap_or_default();
        self.check_shard(shard)?;
        let sequence = self.sequence(fields, number)?;
        let entry = self.read(fields, sequence);
        if self.entries.is_empty() {
            self.reserve(&entry, count);
        }
        self.entries.push(entry);
        Ok(())
    }

    /// All records were added.
    pub(super) fn finish(mut self) -> Result<KinesisEvent, EventError> {
        let Shard { id: shard, .. } = self.shard.ok_or(EventError::NoShard)?;
        let mut nearest = self.entries.iter().find_map(|entry| entry.arrival);
        for entry in &mut self.entries {
            nearest = entry.arrival.or(nearest);
            entry.arrival = nearest;
        }
        let (keys, payloads) = (ByteString::from(self.keys), Bytes::from(self.payloads));
        Ok(KinesisEvent { shard, entries: self.entries, keys, payloads })
    }

    /// A shard that cannot be read leaves its record to the shard of the others.
    fn check_shard(&mut self, text: &str) -> Result<(), EventError> {
        if self.shard.as_ref().is_some_and(|shard| shard.text == text) {
            return Ok(());
        }
        match (&self.shard, text.parse::<ShardId>()) {
            (Some(shard), Ok(other)) if shard.id != other => {
                Err(EventError::TwoShards { index: self.len(), shard: shard.id, other })
            }
            (None, Ok(id)) => {
                self.shard = Some(Shard { id, text: text.to_owned() });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The number of a record: its own field, or else what its event id says.
    fn sequence(&self, fields: &Fields, in_event_id: &str) -> Result<SequenceNumber, EventError> {
        let index = self.len();
        let in_field = characters(fields.sequence).ok().and_then(|number| number.parse().ok());
        let sequence: SequenceNumber =
            in_field.or_else(|| in_event_id.parse().ok()).ok_or(EventError::NoNumber { index })?;
        match self.entries.last() {
            Some(&Entry { sequence: before, .. }) if before >= sequence => {
                Err(EventError::OutOfOrder { index, sequence, before })
            }
            _ => Ok(sequence),
        }
    }

    /// Makes room for records like the first.
    fn reserve(&mut self, first: &Entry, count: usize) {
        self.entries.reserve(count);
        self.keys.reserve(count * first.key.len());
        self.payloads.reserve(count * first.payload.len());
    }

    /// Reads what belongs to the record alone. The first field that cannot be read becomes its fault.
    fn read(&mut self, fields: &Fields, sequence: SequenceNumber) -> Entry {
        let key = characters(fields.key);
        let arrival = read_arrival(fields.arrival);
        let payload = self.append_payload(fields.data);
        let errors = [
            ("data", fields.data, payload.as_ref().err()),
            ("partitionKey", fields.key, key.as_ref().err()),
            ("approximateArrivalTimestamp", fields.arrival, arrival.as_ref().err()),
        ];
        let fault = errors.into_iter().find_map(|(field, value, error)| {
            error.map(|error| Box::new(reject(self.len(), field, value, error)))
        });
        let key = self.append_key(&key.unwrap_or_default());
        let payload = payload.unwrap_or_else(|_| self.append_text(fields.text));
        Entry { sequence, key, arrival: arrival.ok(), payload, fault }
    }

    fn append_key(&mut self, key: &str) -> Range<usize> {
        let start = self.keys.len();
        self.keys.push_str(key);
        start..self.keys.len()
    }

    /// Decodes a payload to the end of all payloads, which are as before if that fails.
    fn append_payload(&mut self, value: Option<Value>) -> Result<Range<usize>, FieldError> {
        let characters = characters(value)?;
        let start = self.payloads.len();
        match BASE64_STANDARD.decode_vec(characters.as_bytes(), &mut self.payloads) {
            Ok(()) => Ok(start..self.payloads.len()),
            Err(error) => {
                self.payloads.truncate(start);
                Err(FieldError::NotBase64(error))
            }
        }
    }

    fn append_text(&mut self, text: &str) -> Range<usize> {
        let start = self.payloads.len();
        self.payloads.extend_from_slice(text.as_bytes());
        start..self.payloads.len()
    }
}

fn characters(value: Option<Value<'_>>) -> Result<Cow<'_, str>, FieldError> {
    value.ok_or(FieldError::Missing)?.characters().ok_or(FieldError::NotAString)
}

fn read_arrival(value: Option<Value>) -> Result<Timestamp, FieldError> {
    match value.ok_or(FieldError::Missing)? {
        Value::Json(json) => parse_unix_seconds(json).ok_or(FieldError::NotATime),
        Value::Plain(_) => Err(FieldError::NotATime),
    }
}

/// What is wrong with a record.
fn reject(index: usize, field: &str, value: Option<Value>, error: &FieldError) -> Reject {
    let quote = value.map_or_else(String::new, |value| format!(", {},", Quote(value.text())));
    let complaint = "see what changes events between the stream and the function";
    let detail = format_args!("{field} of record {index} of the event{quote} {error}: {complaint}");
    Reject::new(Reason::EnvelopeInvalid, detail)
}
