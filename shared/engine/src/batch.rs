//! What the event source hands to its consumer, and what it gets back.

use bytes::Bytes;
use bytestring::ByteString;
use wattstream_domain::{SequenceNumber, ShardId, Timestamp};
use wattstream_wire::Reject;
use wattstream_wire::kinesis_event::{EventRecord, KinesisEvent};

/// A record of the stream: bytes that nobody has looked at yet. Key and payload share the memory of what they came in, so
/// that a record costs no allocation of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRecord {
    /// Its number in its shard.
    pub sequence: SequenceNumber,
    /// The key whose hash chose the shard.
    pub partition_key: ByteString,
    /// When the stream took it.
    pub arrival: Timestamp,
    /// The payload: a reading as JSON, an aggregate of such, or anything else that somebody sent.
    pub data: Bytes,
    /// Why the record is set aside unread, when it did not come as the stream sends one; its data is then what came of it.
    pub fault: Option<Box<Reject>>,
}

/// Consecutive records of one shard, in order; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The shard.
    pub shard: ShardId,
    /// Its records.
    pub records: Vec<StreamRecord>,
}

/// The answer to a batch: the sequence numbers of records that were not processed, in any order; none when all were.
///
/// The event source delivers again from the lowest of them on, as Lambda does with `batchItemFailures`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchReply {
    /// Sequence numbers of the batch.
    pub failures: Vec<SequenceNumber>,
}

impl From<KinesisEvent> for Batch {
    fn from(event: KinesisEvent) -> Self {
        Self { shard: event.shard(), records: event.into_records().map(StreamRecord::from).collect() }
    }
}

impl From<EventRecord> for StreamRecord {
    fn from(record: EventRecord) -> Self {
        let EventRecord { sequence, partition_key, arrival, data, fault } = record;
        Self { sequence, partition_key, arrival, data, fault }
    }
}
