//! The one thread that writes to the log.
//!
//! It takes every append that waits, writes them together, syncs once, and answers them all: the more producers wait,
//! the less a sync costs each. What must always hold: what was answered survives a power cut.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fjall::{Database, Keyspace, PersistMode};
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, oneshot};
use wattstream_domain::mutant::{self, Mutant};
use wattstream_domain::{ShardId, Timestamp};
use wattstream_engine::Result;
use wattstream_engine::ports::NewRecord;
use wattstream_telemetry::event::LogAppended;

use crate::error::shared;
use crate::hash_ranges::HashRanges;
use crate::keys;
use crate::store::Clock;

use super::{bytes_of, record};

/// The bytes after which no further append joins a group: a sync of more costs in proportion.
const GROUP_BYTES_MAX: usize = 8 * 1_024 * 1_024;

/// Records to append, and who waits for it.
pub(super) struct Append {
    pub(super) records: Vec<NewRecord>,
    pub(super) answer: oneshot::Sender<Result<()>>,
    /// The room that its records take in the queue.
    pub(super) room: OwnedSemaphorePermit,
}

/// A record as the journal takes it: key and value.
pub(super) type Entry = ([u8; 16], Vec<u8>);

/// What the log is written to.
pub(super) trait Journal {
    /// Writes entries, all or none of them, where readers find them. When it returns without an error, they are as durable as
    /// `durability` says.
    fn write(&mut self, entries: Vec<Entry>, durability: PersistMode) -> fjall::Result<()>;
}

/// The journal of the storage engine.
pub(super) struct StoreJournal {
    pub(super) db: Database,
    pub(super) log: Keyspace,
}

impl Journal for StoreJournal {
    fn write(&mut self, entries: Vec<Entry>, durability: PersistMode) -> fjall::Result<()> {
        let mut batch = self.db.batch().durability(Some(durability));
        for (key, value) in entries {
            batch.insert(&self.log, key, value);
        }
        batch.commit()
    }
}

/// The state of the writing thread.
pub(super) struct Committer<J> {
    pub(super) journal: J,
    pub(super) ranges: HashRanges,
    /// The last sequence number given in each shard.
    pub(super) last_sequences: BTreeMap<ShardId, u64>,
    pub(super) last_arrival: Timestamp,
    pub(super) clock: Clock,
    pub(super) appended: Arc<BTreeMap<ShardId, Notify>>,
}

impl<J: Journal> Committer<J> {
    /// Writes until nobody can append any more.
    pub(super) fn run(mut self, mut appends: mpsc::UnboundedReceiver<Append>) {
        while let Some(first) = appends.blocking_recv() {
            self.settle(gather(first, &mut appends));
        }
    }

    /// Writes a group and answers it.
    fn settle(&mut self, group: Vec<Append>) {
        let result = self.commit(&group).map_err(Arc::new);
        for Append { records, answer, room } in group {
            // Memory and room are free before the caller hears of it, so that its next append finds them.
            drop(records);
            drop(room);
            let result = result.as_ref().copied().map_err(|error| shared("appending to the log", error));
            // A caller that has gone away asked for no answer.
            let _ = answer.send(result);
        }
    }

    fn commit(&mut self, group: &[Append]) -> fjall::Result<()> {
        let arrival = self.last_arrival.max((self.clock)());
        let mut last_sequences = self.last_sequences.clone();
        let mut written = LogAppended { records: 0, bytes: 0, sync: Duration::ZERO };
        let mut entries = Vec::with_capacity(group.iter().map(|append| append.records.len()).sum());
        for new in group.iter().flat_map(|append| &append.records) {
            let shard = self.ranges.shard_of(&new.partition_key);
            let sequence = last_sequences.entry(shard).or_default();
            *sequence += 1;
            entries.push((keys::record(shard, *sequence), record::encode(arrival, new)));
            written.records += 1;
            written.bytes += new.data.len() as u64;
        }
        let start = Instant::now();
        self.journal.write(entries, durability())?;
        LogAppended { sync: start.elapsed(), ..written }.emit();
        self.publish(last_sequences, arrival);
        Ok(())
    }

    /// Wakes the readers of the shards that have grown.
    fn publish(&mut self, last_sequences: BTreeMap<ShardId, u64>, arrival: Timestamp) {
        for (shard, appended) in &*self.appended {
            if last_sequences.get(shard) != self.last_sequences.get(shard) {
                appended.notify_one();
            }
        }
        self.last_sequences = last_sequences;
        self.last_arrival = arrival;
    }
}

/// How durable a group is when it is answered.
fn durability() -> PersistMode {
    if mutant::is_planted(Mutant::AcknowledgeBeforeSync) { PersistMode::Buffer } else { PersistMode::SyncAll }
}

/// The appends that wait at this moment, up to the limit of a group.
pub(super) fn gather(first: Append, appends: &mut mpsc::UnboundedReceiver<Append>) -> Vec<Append> {
    let bytes = |append: &Append| append.records.iter().map(bytes_of).sum::<usize>();
    let mut group_bytes = bytes(&first);
    let mut group = vec![first];
    while group_bytes < GROUP_BYTES_MAX
        && let Ok(next) = appends.try_recv()
    {
        group_bytes += bytes(&next);
        group.push(next);
    }
    group
}

#[cfg(test)]
mod tests;
