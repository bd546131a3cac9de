//! Aggregates of the Kinesis Producer Library.
//!
//! A producer may pack many records into one stream record: a magic number, a protobuf message, and the MD5 of that
//! message (`awslabs/amazon-kinesis-producer`, `aggregation-format.md`). [`deaggregate`] takes them apart without copying
//! a payload; [`Aggregator`] packs them.
//!
//! What always holds:
//!
//! - A record without the magic number is one payload at sub-sequence 0, whatever it is.
//! - The payloads of an aggregate keep their order; the place among them is the sub-sequence number, as in the Kinesis
//!   Client Library.
//! - A record with the magic number that is not a sound aggregate is rejected whole, with the cause. The Kinesis Client
//!   Library hands such a record on as it is. Here that would only blur the cause, because the magic number is not
//!   UTF-8 and no reading can begin with it; and it would lose nothing less, because the dead letter holds every byte.
//! - An aggregate inside an aggregate is left as it is: its payload is then rejected by
//!   [`decode_reading`](crate::decode_reading), and its neighbours are kept.

use std::collections::HashMap;

use bytes::{BufMut, Bytes, BytesMut};
use md5::{Digest, Md5};
use prost::Message;

use crate::reject::{Reason, Reject};

/// How an aggregate begins.
pub const AGGREGATE_MAGIC: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];

/// The longest aggregate that is taken apart: 1 MiB, the limit of a Kinesis record unless an operator raises it. The
/// smallest entry has two bytes and costs 32 while it is examined, so this also bounds the memory (32 MiB with the growth
/// of the list) and the count of payloads.
pub const AGGREGATE_BYTES_MAX: usize = 1_024 * 1_024;

/// The size to which the Kinesis Producer Library fills an aggregate by default (`AggregationMaxSize`).
pub const AGGREGATE_BYTES_DEFAULT: usize = 51_200;

const DIGEST_BYTES: usize = 16;

/// Bytes of an aggregate around its message.
const ENVELOPE_BYTES: usize = AGGREGATE_MAGIC.len() + DIGEST_BYTES;

/// What one stream record carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payloads {
    /// The record itself.
    Plain(Bytes),
    /// The payloads of an aggregate, in order.
    Aggregate(Vec<Bytes>),
}

impl Payloads {
    /// The payloads in order; the index is the sub-sequence number.
    pub fn as_slice(&self) -> &[Bytes] {
        match self {
            Self::Plain(payload) => std::slice::from_ref(payload),
            Self::Aggregate(payloads) => payloads,
        }
    }

    /// The payloads with their sub-sequence numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Bytes)> {
        (0..).zip(self.as_slice())
    }
}

/// Takes a stream record apart. The payloads share the memory of `record`.
pub fn deaggregate(record: &Bytes) -> Result<Payloads, Reject> {
    if !record.starts_with(&AGGREGATE_MAGIC) {
        return Ok(Payloads::Plain(record.clone()));
    }
    if record.len() > AGGREGATE_BYTES_MAX {
        let detail = format_args!(
            "the KPL aggregate has {} bytes, more than {AGGREGATE_BYTES_MAX}: lower AggregationMaxSize",
            record.len()
        );
        return Err(Reject::new(Reason::TooLarge, detail));
    }
    unpack(record).map(Payloads::Aggregate).map_err(|error| Reject::new(Reason::AggregateInvalid, error))
}

fn unpack(record: &Bytes) -> Result<Vec<Bytes>, AggregateError> {
    let message_end = record.len() - DIGEST_BYTES.min(record.len());
    if message_end < AGGREGATE_MAGIC.len() {
        return Err(AggregateError::TooShort(record.len()));
    }
    let message = record.slice(AGGREGATE_MAGIC.len()..message_end);
    if Md5::digest(&message)[..] != record[message_end..] {
        return Err(AggregateError::Digest);
    }
    let aggregate = AggregatedRecord::decode(message).map_err(AggregateError::Message)?;
    let tables = TableLengths {
        keys: aggregate.partition_key_table.len(),
        hash_keys: aggregate.explicit_hash_key_table.len(),
    };
    (0..).zip(aggregate.records).map(|(index, entry)| tables.payload(index, entry)).collect()
}

/// Why a record with the magic number is not an aggregate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum AggregateError {
    #[error(
        "the KPL aggregate has {0} bytes, fewer than the {ENVELOPE_BYTES} of an empty one: it was cut off"
    )]
    TooShort(usize),
    #[error("the KPL aggregate does not match its MD5: it was damaged or cut off")]
    Digest,
    #[error("the KPL aggregate is not an AggregatedRecord message, {0}: check the producer")]
    Message(prost::DecodeError),
    #[error("sub-record {index} of the KPL aggregate is not a Record message, {error}: check the producer")]
    Entry { index: u64, error: prost::DecodeError },
    #[error("sub-record {index} of the KPL aggregate has no {field}: check the producer")]
    Missing { index: u64, field: &'static str },
    #[error(
        "sub-record {index} of the KPL aggregate names entry {entry} of a {table} of {length}: check the producer"
    )]
    Index { index: u64, table: &'static str, entry: u64, length: usize },
}

/// The lengths of an aggregate's tables. The keys themselves are not used: a reading names its own site.
struct TableLengths {
    keys: usize,
    hash_keys: usize,
}

impl TableLengths {
    fn payload(&self, index: u64, entry: Bytes) -> Result<Bytes, AggregateError> {
        let entry = AggregatedEntry::decode(entry).map_err(|error| AggregateError::Entry { index, error })?;
        let missing = |field| AggregateError::Missing { index, field };
        let key = entry.partition_key_index.ok_or_else(|| missing("partition_key_index"))?;
        check_index(index, "partition_key_table", key, self.keys)?;
        if let Some(hash_key) = entry.explicit_hash_key_index {
            check_index(index, "explicit_hash_key_table", hash_key, self.hash_keys)?;
        }
        entry.data.ok_or_else(|| missing("data"))
    }
}

fn check_index(index: u64, table: &'static str, entry: u64, length: usize) -> Result<(), AggregateError> {
    if usize::try_from(entry).is_ok_and(|entry| entry < length) {
        Ok(())
    } else {
        Err(AggregateError::Index { index, table, entry, length })
    }
}

/// The message of an aggregate. Its entries stay undecoded bytes, which have the same form on the wire: that halves the
/// memory an aggregate can demand, and lets a bad entry be named.
#[derive(Clone, PartialEq, Message)]
struct AggregatedRecord {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    partition_key_table: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    explicit_hash_key_table: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    records: Vec<Bytes>,
}

/// One entry of an aggregate. The format requires fields 1 and 3; they are optional here so that their absence is seen.
/// Its tags (field 4) are unused by the producer and skipped.
#[derive(Clone, PartialEq, Message)]
struct AggregatedEntry {
    #[prost(uint64, optional, tag = "1")]
    partition_key_index: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    explicit_hash_key_index: Option<u64>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    data: Option<Bytes>,
}

/// The payload does not fit: send what is packed, then start another aggregate. A payload that does not fit an empty
/// aggregate goes into a record of its own, unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the aggregate has no room for {payload_bytes} more bytes")]
pub struct AggregateFull {
    /// The length of the payload that was not taken.
    pub payload_bytes: usize,
}

/// Packs payloads into one stream record of a bounded size.
///
/// All payloads of an aggregate land on the shard of the record's own partition key, so a caller packs only what belongs
/// to one shard.
#[derive(Debug)]
pub struct Aggregator {
    bytes_max: usize,
    /// The index of each key in the partition key table.
    key_indices: HashMap<Box<str>, u64>,
    /// The partition key table, encoded. Encoded fields of one message may be joined in any order.
    keys: BytesMut,
    /// The entries, encoded.
    records: BytesMut,
}

impl Aggregator {
    /// An empty aggregate that will have at most `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, key_indices: HashMap::new(), keys: BytesMut::new(), records: BytesMut::new() }
    }

    /// Adds a payload, or leaves everything as it is when that does not fit.
    pub fn push(&mut self, partition_key: &str, payload: &[u8]) -> Result<(), AggregateFull> {
        let known_index = self.key_indices.get(partition_key).copied();
        let new_keys = match known_index {
            Some(_) => vec![],
            None => vec![Bytes::copy_from_slice(partition_key.as_bytes())],
        };
        let index = known_index.unwrap_or(self.key_indices.len() as u64);
        let entry = AggregatedEntry {
            partition_key_index: Some(index),
            explicit_hash_key_index: None,
            data: Some(Bytes::copy_from_slice(payload)),
        };
        let keys = AggregatedRecord { partition_key_table: new_keys, ..AggregatedRecord::default() };
        let records =
            AggregatedRecord { records: vec![entry.encode_to_vec().into()], ..AggregatedRecord::default() };
        if self.bytes() + keys.encoded_len() + records.encoded_len() > self.bytes_max {
            return Err(AggregateFull { payload_bytes: payload.len() });
        }
        if known_index.is_none() {
            self.key_indices.insert(partition_key.into(), index);
        }
        self.keys.put_slice(&keys.encode_to_vec());
        self.records.put_slice(&records.encode_to_vec());
        Ok(())
    }

    /// Whether nothing was added yet.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The length of the record that [`Aggregator::finish`] would give.
    pub fn bytes(&self) -> usize {
        ENVELOPE_BYTES + self.keys.len() + self.records.len()
    }

    /// The stream record.
    pub fn finish(self) -> Bytes {
        let mut record = BytesMut::with_capacity(self.bytes());
        record.put_slice(&AGGREGATE_MAGIC);
        record.put_slice(&self.keys);
        record.put_slice(&self.records);
        let digest = Md5::digest(&record[AGGREGATE_MAGIC.len()..]);
        record.put_slice(&digest);
        record.freeze()
    }
}

impl Default for Aggregator {
    /// An empty aggregate of at most [`AGGREGATE_BYTES_DEFAULT`].
    fn default() -> Self {
        Self::new(AGGREGATE_BYTES_DEFAULT)
    }
}

#[cfg(test)]
mod tests;
