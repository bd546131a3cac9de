//! How the event source fares, for those who ask while it runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wattstream_domain::{ShardId, Timestamp};

use crate::ports::Checkpoint;

/// A handle on the state of a running event source: cheap to clone and to ask, and valid after the end.
#[derive(Clone, Debug, Default)]
pub struct EventSourceStatus(Arc<Mutex<StatusSnapshot>>);

/// The state of an event source at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusSnapshot {
    /// Set while the shards cannot be found.
    pub discovery: Option<Retrying>,
    /// The shards that are listed or being read.
    pub shards: BTreeMap<ShardId, ShardStatus>,
}

/// The state of one shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardStatus {
    /// How far it has been consumed; `None` when nothing of it was.
    pub checkpoint: Option<Checkpoint>,
    /// How far the consumer is behind: the age of the last record of the last batch when the batch was finished, as in
    /// Lambda's `IteratorAge`; while a batch is retried, the age of its first record when it failed; 0 once everything
    /// that was found has been consumed; `None` before all that.
    pub lag_ms: Option<u64>,
    /// Set while something is tried again.
    pub retrying: Option<Retrying>,
}

/// Something that failed and is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retrying {
    /// What failed.
    pub operation: Operation,
    /// When it first failed.
    pub since: Timestamp,
    /// How often it has failed in a row.
    pub attempt: u32,
}

/// What the event source does through its ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Finding the shards and their checkpoints.
    Discover,
    /// Reading records.
    Read,
    /// Having a batch consumed.
    Consume,
    /// Reporting records that were given up.
    ReportFailure,
    /// Moving a checkpoint.
    Checkpoint,
}

impl Operation {
    /// The name that logs use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discover => "discover",
            Self::Read => "read",
            Self::Consume => "consume",
            Self::ReportFailure => "report_failure",
            Self::Checkpoint => "checkpoint",
        }
    }
}

impl EventSourceStatus {
    /// The state at this moment.
    pub fn snapshot(&self) -> StatusSnapshot {
        self.lock().clone()
    }

    /// Changes the state of a shard.
    pub(crate) fn update(&self, shard: ShardId, change: impl FnOnce(&mut ShardStatus)) {
        change(self.lock().shards.entry(shard).or_default());
    }

    /// Notes that something failed in a shard. Returns how often it has failed in a row.
    pub(crate) fn fail(&self, shard: ShardId, operation: Operation, at: Timestamp) -> u32 {
        Retrying::again(&mut self.lock().shards.entry(shard).or_default().retrying, operation, at)
    }

    /// Notes that nothing is tried again in a shard.
    pub(crate) fn recover(&self, shard: ShardId) {
        self.update(shard, |status| status.retrying = None);
    }

    /// Notes that the shards could not be found. Returns how often in a row.
    pub(crate) fn fail_discovery(&self, at: Timestamp) -> u32 {
        Retrying::again(&mut self.lock().discovery, Operation::Discover, at)
    }

    /// Notes that the shards were found.
    pub(crate) fn recover_discovery(&self) {
        self.lock().discovery = None;
    }

    /// Forgets the shards that `is_known` does not hold for.
    pub(crate) fn retain(&self, is_known: impl Fn(ShardId) -> bool) {
        self.lock().shards.retain(|&shard, _| is_known(shard));
    }

    fn lock(&self) -> MutexGuard<'_, StatusSnapshot> {
        // Every change is whole before the lock is let go, so a panic elsewhere does not spoil the state.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Retrying {
    /// Takes one more failure in and returns how many there are in a row.
    fn again(retrying: &mut Option<Self>, operation: Operation, at: Timestamp) -> u32 {
        let earlier = retrying.filter(|earlier| earlier.operation == operation);
        let first = Self { operation, since: at, attempt: 0 };
        let Self { attempt, since, .. } = earlier.unwrap_or(first);
        let attempt = attempt.saturating_add(1);
        *retrying = Some(Self { operation, since, attempt });
        attempt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARD: ShardId = ShardId(0);

    #[test]
    fn a_row_of_failures_is_counted_and_dated_from_its_first() {
        let status = EventSourceStatus::default();
        let at = |ms| Timestamp::from_unix_ms(ms).unwrap();
        let retrying = || status.snapshot().shards[&SHARD].retrying;
        let cases =
            [(Operation::Read, 10, 10, 1), (Operation::Read, 20, 10, 2), (Operation::Consume, 30, 30, 1)];
        for (operation, at_ms, since_ms, attempt) in cases {
            assert_eq!(status.fail(SHARD, operation, at(at_ms)), attempt);
            assert_eq!(retrying(), Some(Retrying { operation, since: at(since_ms), attempt }));
        }
        status.recover(SHARD);
        assert_eq!(retrying(), None);
        assert_eq!(status.fail(SHARD, Operation::Consume, at(40)), 1);
    }

    #[test]
    fn shards_that_are_gone_are_forgotten() {
        let status = EventSourceStatus::default();
        for shard in [ShardId(0), ShardId(1)] {
            status.update(shard, |status| status.lag_ms = Some(5));
        }
        status.retain(|shard| shard == ShardId(1));
        assert_eq!(status.snapshot().shards.into_keys().collect::<Vec<_>>(), [ShardId(1)]);
    }
}
