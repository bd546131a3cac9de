//! What of a batch that Lambda gave up is lost, given what its stream still has.
//!
//! Retention takes the oldest records first, so what is there is one run of records, and what is lost stands before it. What is
//! missing anywhere else is told of all the same.
//!
//! What must always hold: a record of the batch is in that run or in a range that is told of, and never in both.

use std::fmt;
use std::ops::Bound;

use wattstream_domain::{SequenceNumber, ShardId, Timestamp};
use wattstream_engine::StreamRecord;
use wattstream_wire::on_failure::DiscardedBatch;

/// The records of a batch that its stream still has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// How many.
    pub records: u64,
    /// The oldest, and when it arrived.
    pub oldest: Option<(SequenceNumber, Timestamp)>,
    /// The newest, and when it arrived.
    pub newest: Option<(SequenceNumber, Timestamp)>,
}

impl Found {
    /// Counts more records, which stand behind those that were counted before.
    pub(super) fn note(&mut self, records: &[StreamRecord]) {
        let place = |record: &StreamRecord| (record.sequence, record.arrival);
        self.records += records.len() as u64;
        self.oldest = self.oldest.or_else(|| records.first().map(place));
        self.newest = records.last().map(place).or(self.newest);
    }
}

/// Records of a batch that its stream no longer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostRange {
    /// Their shard.
    pub shard: ShardId,
    /// The first of them, or the record before it, which is still there.
    pub from: Bound<SequenceNumber>,
    /// The last of them, or the record behind it, which is still there.
    pub to: Bound<SequenceNumber>,
    /// How many they are, when that can be told.
    pub records: Option<u64>,
    /// When the record that `from` names arrived.
    pub from_arrival: Option<Timestamp>,
    /// When the record that `to` names arrived.
    pub to_arrival: Option<Timestamp>,
}

impl fmt::Display for LostRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.records {
            Some(records) => write!(f, "{records} records of {}, ", self.shard)?,
            None => write!(f, "records of {}, ", self.shard)?,
        }
        match self.from {
            Bound::Included(first) => write!(f, "from {first}")?,
            Bound::Excluded(before) => write!(f, "after {before}")?,
            Bound::Unbounded => {}
        }
        if let Some(arrival) = self.from_arrival {
            write!(f, " (arrived {arrival})")?;
        }
        match self.to {
            Bound::Included(last) => write!(f, " to {last}")?,
            Bound::Excluded(behind) => write!(f, " to before {behind}")?,
            Bound::Unbounded => {}
        }
        if let Some(arrival) = self.to_arrival {
            write!(f, " (arrived {arrival})")?;
        }
        Ok(())
    }
}

/// What of the batch is lost, in the order of its shard; nothing when all of it was found.
pub fn lost_ranges(batch: &DiscardedBatch, found: &Found) -> Vec<LostRange> {
    let whole = LostRange {
        shard: batch.shard,
        from: Bound::Included(batch.first),
        to: Bound::Included(batch.last),
        records: batch.records,
        from_arrival: batch.first_arrival,
        to_arrival: batch.last_arrival,
    };
    let (Some((oldest, oldest_arrival)), Some((newest, newest_arrival))) = (found.oldest, found.newest)
    else {
        return vec![whole];
    };
    let missing =
        batch.records.and_then(|records| records.checked_sub(found.records)).filter(|&records| records > 0);
    let before = LostRange {
        to: Bound::Excluded(oldest),
        to_arrival: Some(oldest_arrival),
        records: missing,
        ..whole
    };
    let behind = LostRange {
        from: Bound::Excluded(newest),
        from_arrival: Some(newest_arrival),
        records: missing,
        ..whole
    };
    match (oldest > batch.first, newest < batch.last) {
        (true, false) => vec![before],
        (false, true) => vec![behind],
        // How many of those that are missing stand on which side, nobody can tell.
        (true, true) => [before, behind].map(|range| LostRange { records: None, ..range }).to_vec(),
        (false, false) if missing.is_some() && batch.first < batch.last => {
            let (from, to) = (Bound::Excluded(batch.first), Bound::Excluded(batch.last));
            vec![LostRange { from, to, records: missing, ..whole }]
        }
        (false, false) => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
