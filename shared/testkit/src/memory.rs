//! Every port over plain maps.
//!
//! What must always hold: a call is applied whole and at once; the contract suite holds for this store as for any other.
//! [`Contents`] is everything that a store holds, as a value: to look at, to clone, to compare.

mod queries;
mod stream;
mod tables;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use wattstream_domain::{
    Alert, AlertId, Frontier, Hour, HourRow, OpenSilence, Position, Row, SequenceNumber, ShardId, SiteId,
    SiteState, Timestamp, fold_tail,
};
use wattstream_engine::ports::{
    Alerts, Checkpoint, Checkpoints, DeadLetters, GivenUp, OnFailure, ShardMark, Silences, Snapshot,
};
use wattstream_engine::{Cause, DeadLetter, Result};

use crate::builders::at;
use crate::shards::{Numbers, Shards};

/// The order of dead letters: shard, number, place inside the record.
pub type LetterKey = (ShardId, SequenceNumber, u64);

/// What a store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The log.
    pub stream: Shards,
    /// The readings.
    pub rows: BTreeMap<(SiteId, Timestamp), Row>,
    /// The closed hours.
    pub hours: BTreeMap<(SiteId, Hour), HourRow>,
    /// The snapshots.
    pub sites: BTreeMap<SiteId, Snapshot>,
    /// What the last finished batch of each shard left.
    pub shard_marks: BTreeMap<ShardId, ShardMark>,
    /// How far the event source has come.
    pub checkpoints: BTreeMap<ShardId, Checkpoint>,
    /// What could not be processed.
    pub dead_letters: BTreeMap<LetterKey, DeadLetter>,
    /// What was published, as it was published first.
    pub alerts: BTreeMap<AlertId, Alert>,
    /// The silences that have begun, by site and newest reading before them.
    pub silences: BTreeMap<(SiteId, Timestamp), OpenSilence>,
    /// What the event source gave up, in the order of the reports.
    pub given_up: Vec<GivenUp>,
}

impl Contents {
    /// Nothing, and a stream of so many shards.
    pub fn new(shards: u64, numbers: Numbers) -> Self {
        Self {
            stream: Shards::even(shards, numbers, at(0)),
            rows: BTreeMap::new(),
            hours: BTreeMap::new(),
            sites: BTreeMap::new(),
            shard_marks: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            dead_letters: BTreeMap::new(),
            alerts: BTreeMap::new(),
            silences: BTreeMap::new(),
            given_up: Vec::new(),
        }
    }

    /// The state of a site: its snapshot and the rows after it.
    pub fn state(&self, site_id: SiteId) -> Option<SiteState> {
        let snapshot = self.sites.get(&site_id).map(|snapshot| snapshot.state.clone());
        let newest = snapshot.as_ref().and_then(|state| state.totals.last_seen);
        let mut tail = self.rows_of(site_id).filter(|row| Some(row.timestamp) > newest).cloned().peekable();
        let mut state = match snapshot {
            None if tail.peek().is_none() => return None,
            snapshot => snapshot.unwrap_or_else(|| SiteState::new(site_id)),
        };
        fold_tail(&mut state, tail, &Frontier::none());
        Some(state)
    }

    /// The states of all sites, ascending by id.
    pub fn states(&self) -> Vec<SiteState> {
        let mut ids: Vec<_> = self.sites.keys().chain(self.rows.keys().map(|(site_id, _)| site_id)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().filter_map(|&site_id| self.state(site_id)).collect()
    }

    /// The rows of a site, ascending.
    pub fn rows_of(&self, site_id: SiteId) -> impl Iterator<Item = &Row> {
        let all = (site_id, Timestamp::MIN)..=(site_id, Timestamp::MAX);
        self.rows.range(all).map(|(_, row)| row)
    }
}

impl Default for Contents {
    /// Nothing, and a stream of two shards.
    fn default() -> Self {
        Self::new(2, Numbers::default())
    }
}

/// A store in memory. A clone is another handle of the same store.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    contents: Arc<Mutex<Contents>>,
    appended: Arc<Mutex<BTreeMap<ShardId, Arc<Notify>>>>,
}

impl MemoryStore {
    /// A store that holds `contents`.
    pub fn new(contents: Contents) -> Self {
        Self { contents: Arc::new(Mutex::new(contents)), appended: Arc::default() }
    }

    /// Everything that it holds now.
    pub fn contents(&self) -> Contents {
        self.lock().clone()
    }

    /// Looks at what it holds, or changes it behind the back of the ports.
    pub fn with<T>(&self, work: impl FnOnce(&mut Contents) -> T) -> T {
        work(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn letter_key(position: &Position) -> LetterKey {
    (position.shard, position.sequence, position.sub_sequence)
}

impl DeadLetters for MemoryStore {
    async fn put(&self, letters: &[DeadLetter]) -> Result<()> {
        let keyed = letters.iter().map(|letter| (letter_key(&letter.position), letter.clone()));
        self.lock().dead_letters.extend(keyed);
        Ok(())
    }
}

impl Alerts for MemoryStore {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<()>> {
        let mut contents = self.lock();
        for alert in alerts {
            contents.alerts.entry(alert.id()).or_insert_with(|| alert.clone());
        }
        alerts.iter().map(|_| Ok(())).collect()
    }
}

impl Silences for MemoryStore {
    async fn open_silences(&self) -> Result<Vec<OpenSilence>> {
        Ok(self.lock().silences.values().copied().collect())
    }

    async fn put_silences(&self, silences: &[OpenSilence]) -> Result<()> {
        let keyed = silences.iter().map(|open| ((open.site_id, open.silence.last_seen), *open));
        self.lock().silences.extend(keyed);
        Ok(())
    }

    async fn remove_silences(&self, silences: &[OpenSilence]) -> Result<()> {
        let mut contents = self.lock();
        for open in silences {
            contents.silences.remove(&(open.site_id, open.silence.last_seen));
        }
        Ok(())
    }
}

impl Checkpoints for MemoryStore {
    async fn checkpoint(&self, shard: ShardId) -> Result<Option<Checkpoint>> {
        Ok(self.lock().checkpoints.get(&shard).copied())
    }

    async fn put_checkpoint(&self, shard: ShardId, checkpoint: Checkpoint) -> Result<()> {
        self.lock().checkpoints.insert(shard, checkpoint);
        Ok(())
    }
}

impl OnFailure for MemoryStore {
    /// Keeps the report, and a dead letter for each of its records.
    async fn report(&self, given_up: &GivenUp) -> Result<()> {
        let mut contents = self.lock();
        for record in &given_up.batch.records {
            let position =
                Position { shard: given_up.batch.shard, sequence: record.sequence, sub_sequence: 0 };
            let letter = DeadLetter {
                position,
                arrival: record.arrival,
                cause: Cause::GivenUp(given_up.condition),
                detail: format!("delivered {} times", given_up.invocations),
                payload: record.data.clone(),
            };
            contents.dead_letters.insert(letter_key(&position), letter);
        }
        contents.given_up.push(given_up.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
