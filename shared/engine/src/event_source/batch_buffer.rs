//! Records that were read and wait for their batch.
//!
//! What must always hold: records leave in the order in which they came, each once; no batch is empty; the buffer holds
//! at most one batch of records by count, whatever their size.

use wattstream_domain::{SequenceNumber, ShardId};

use super::settings::EventSourceSettings;
use crate::{Batch, StreamRecord};

/// What Lambda adds to a record in the payload of an invocation, in bytes: the length of the example record in AWS's
/// guide ("Using AWS Lambda with Amazon Kinesis") without its key and its data, and some room for longer names.
const RECORD_ENVELOPE_BYTES: usize = 554;

/// Records of one shard that were read and not yet delivered.
#[derive(Debug)]
pub(crate) struct BatchBuffer {
    records: Vec<StreamRecord>,
    /// What all of them take up in a payload.
    payload_bytes: usize,
    /// The last record that was read.
    position: Option<SequenceNumber>,
    batch_records_max: usize,
    batch_bytes_max: usize,
}

impl BatchBuffer {
    /// An empty buffer for the records after `position`.
    pub(crate) fn new(position: Option<SequenceNumber>, settings: &EventSourceSettings) -> Self {
        let EventSourceSettings { batch_records_max, batch_bytes_max, .. } = *settings;
        Self { records: Vec::new(), payload_bytes: 0, position, batch_records_max, batch_bytes_max }
    }

    /// The record after which to read on; `None` for the oldest on.
    pub(crate) fn position(&self) -> Option<SequenceNumber> {
        self.position
    }

    /// How many records may be added.
    pub(crate) fn room(&self) -> usize {
        self.batch_records_max.saturating_sub(self.records.len())
    }

    /// Whether it holds a full batch, by count or by bytes.
    pub(crate) fn is_full(&self) -> bool {
        self.room() == 0 || self.payload_bytes >= self.batch_bytes_max
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Adds the records that were read next.
    pub(crate) fn extend(&mut self, records: Vec<StreamRecord>) {
        self.position = records.last().map(|record| record.sequence).or(self.position);
        self.payload_bytes += records.iter().map(payload_bytes).sum::<usize>();
        self.records.extend(records);
    }

    /// Takes the next batch out: as many records as its limits allow, and at least one; `None` when there is none.
    pub(crate) fn take(&mut self, shard: ShardId) -> Option<Batch> {
        if self.records.is_empty() {
            return None;
        }
        let rest = self.records.split_off(self.batch_records());
        self.payload_bytes = rest.iter().map(payload_bytes).sum();
        let records = std::mem::replace(&mut self.records, rest);
        Some(Batch { shard, records })
    }

    /// How many records the next batch has.
    fn batch_records(&self) -> usize {
        let mut bytes = 0;
        let fitting = self.records.iter().take(self.batch_records_max).take_while(|record| {
            bytes += payload_bytes(record);
            bytes <= self.batch_bytes_max
        });
        fitting.count().max(1)
    }
}

/// What a record takes up in the payload of an invocation: its data as Base64 and what stands around it.
fn payload_bytes(record: &StreamRecord) -> usize {
    RECORD_ENVELOPE_BYTES + record.partition_key.len() + record.data.len().div_ceil(3) * 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_source::tests::{record, settings};
    use proptest::prelude::*;

    /// What a record of the tests takes up without data: its key has one letter.
    const EMPTY_RECORD_BYTES: usize = RECORD_ENVELOPE_BYTES + 1;

    fn buffer(batch_records_max: usize, batch_bytes_max: usize) -> BatchBuffer {
        BatchBuffer::new(None, &EventSourceSettings { batch_records_max, batch_bytes_max, ..settings() })
    }

    fn sized(sequence: u64, data_bytes: usize) -> StreamRecord {
        StreamRecord { data: vec![0; data_bytes].into(), ..record(sequence) }
    }

    fn take(buffer: &mut BatchBuffer) -> Vec<u64> {
        let batch = buffer.take(ShardId(0)).map_or_else(Vec::new, |batch| batch.records);
        batch.iter().filter_map(|record| record.sequence.to_u64()).collect()
    }

    #[test]
    fn a_batch_ends_at_its_most_records_and_at_its_most_bytes() {
        // Three bytes of data are four of Base64.
        let (one, two) = (EMPTY_RECORD_BYTES + 4, 2 * EMPTY_RECORD_BYTES + 8);
        let cases: &[(usize, usize, &[usize])] = &[
            (10, 10_000, &[4]),
            (3, 10_000, &[3, 1]),
            (10, two, &[2, 2]),
            (10, two - 1, &[1, 1, 1, 1]),
            (10, two + one - 1, &[2, 2]),
            (10, one - 1, &[1, 1, 1, 1]),
            (10, 1, &[1, 1, 1, 1]),
        ];
        for (records_max, bytes_max, expected) in cases {
            let mut buffer = buffer(*records_max, *bytes_max);
            buffer.extend((1..=4).map(|sequence| sized(sequence, 3)).collect());
            let sizes: Vec<usize> =
                std::iter::from_fn(|| buffer.take(ShardId(0))).map(|batch| batch.records.len()).collect();
            assert_eq!(sizes, *expected, "at most {records_max} records and {bytes_max} bytes");
        }
    }

    #[test]
    fn a_record_beyond_the_most_bytes_is_delivered_alone() {
        let mut buffer = buffer(10, 2 * EMPTY_RECORD_BYTES);
        buffer.extend(vec![record(1), sized(2, 100_000), record(3)]);
        assert!(buffer.is_full());
        assert_eq!(take(&mut buffer), [1]);
        assert_eq!(take(&mut buffer), [2]);
        assert!(!buffer.is_full());
        assert_eq!(take(&mut buffer), [3]);
        assert_eq!(take(&mut buffer), [0_u64; 0]);
    }

    #[test]
    fn six_megabytes_hold_about_7600_records_of_200_bytes() {
        let mut buffer = buffer(10_000, crate::event_source::settings::BATCH_BYTES_MAX);
        buffer.extend((0..10_000).map(|sequence| sized(sequence, 200)).collect());
        let taken = take(&mut buffer).len();
        assert!((7_500..7_700).contains(&taken), "{taken}");
    }

    #[test]
    fn an_empty_read_does_not_move_the_position() {
        let mut buffer = BatchBuffer::new(Some(7.into()), &settings());
        buffer.extend(Vec::new());
        assert_eq!(buffer.position(), Some(7.into()));
        buffer.extend(vec![record(8), record(9)]);
        assert_eq!(buffer.position(), Some(9.into()));
    }

    proptest! {
        #[test]
        fn records_leave_once_and_in_order_within_the_limits(
            data_bytes in prop::collection::vec(0_usize..2_000, 1..60),
            records_max in 1_usize..20,
            bytes_max in 1_usize..10_000,
        ) {
            let mut buffer = buffer(records_max, bytes_max);
            let mut waiting: Vec<_> = (1..).zip(&data_bytes).map(|(sequence, &bytes)| sized(sequence, bytes)).collect();
            let mut left = Vec::new();
            loop {
                let rest = waiting.split_off(buffer.room().min(waiting.len()));
                buffer.extend(std::mem::replace(&mut waiting, rest));
                prop_assert!(buffer.records.len() <= records_max);
                let Some(batch) = buffer.take(ShardId(0)) else { break };
                let bytes: usize = batch.records.iter().map(payload_bytes).sum();
                prop_assert!((1..=records_max).contains(&batch.records.len()));
                prop_assert!(bytes <= bytes_max || batch.records.len() == 1);
                left.extend(batch.records.iter().filter_map(|record| record.sequence.to_u64()));
            }
            prop_assert_eq!(left, (1..=data_bytes.len() as u64).collect::<Vec<_>>());
        }
    }
}
