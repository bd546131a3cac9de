//! [`Tables`]: readings, hours, sites and shard marks.
//!
//! What must always hold:
//!
//! - Each call is one atomic batch: all of its writes that were not refused, or none.
//! - A condition and the write under it cannot be separated: they happen under one lock.
//! - An hour and the sums of all sites change together.
//! - The keyspaces of anomalies, by site and by time, hold the keys of exactly the rows that have findings.

use std::collections::BTreeMap;
use std::sync::Arc;

use fjall::{OwnedWriteBatch, Readable, Snapshot};
use wattstream_domain::{Guard, HourRow, Position, Row, RowWrite, ShardId, SiteId, SiteState};
use wattstream_engine::ports::{
    Commit, Failures, ReadingPlace, RowRange, ShardMark, Snapshot as SiteSnapshot, Tables,
};
use wattstream_engine::{Error, Kind, Result};
use wattstream_wire::stored::{decode_row, decode_state, encode_hour, encode_row, encode_state};

use crate::error::{Damage, damaged, shared, storage};
use crate::fleet::FleetChanges;
use crate::keys;
use crate::keyspaces::Keyspaces;
use crate::store::Store;

impl Tables for Store {
    async fn snapshots(&self, sites: &[SiteId]) -> Result<Vec<Option<SiteSnapshot>>> {
        let now = self.snapshot();
        sites.iter().map(|&site_id| self.site_at(&now, site_id)).collect()
    }

    async fn rows(&self, ranges: &[RowRange]) -> Result<Vec<Vec<Row>>> {
        let now = self.snapshot();
        ranges.iter().map(|range| self.rows_at(&now, range).collect()).collect()
    }

    async fn put_rows(&self, rows: &[RowWrite]) -> Failures {
        let is_conditional = rows.iter().any(|write| write.guard != Guard::Any);
        let _exclusive = is_conditional.then(|| self.lock_conditional_writes());
        let mut writes = Writes::new(self);
        for write in rows {
            writes.attempt(write.row.site_id, |batch| self.stage_row(batch, write));
        }
        let (is_written, failures) = writes.commit_and_tell("writing readings");
        if is_written {
            self.live().stage(rows, &failures);
        }
        failures
    }

    async fn put_hours(&self, hours: &[HourRow]) -> Failures {
        let mut newest_hours = self.lock_hours();
        let mut writes = Writes::new(self);
        let mut changes = FleetChanges::new(self.keyspaces(), &newest_hours);
        for row in hours {
            writes.attempt(row.site_id, |batch| {
                changes.put(row)?;
                let mut value = Vec::new();
                encode_hour(row, &mut value);
                batch.insert(&self.keyspaces().hours, keys::instant(row.site_id, row.hour.start()), value);
                Ok(())
            });
        }
        let written = changes.stage(&mut writes.batch);
        let (is_written, failures) = writes.commit_and_tell("writing hours");
        if is_written {
            newest_hours.remember(written);
        }
        failures
    }

    async fn commit(&self, commits: &[Commit<'_>]) -> Failures {
        // Encoding takes longer than checking, and needs no lock.
        let values: Vec<_> = commits.iter().map(encode_commit).collect();
        let _exclusive = self.lock_conditional_writes();
        let mut writes = Writes::new(self);
        for (commit, value) in commits.iter().zip(values) {
            writes.attempt(commit.state.site_id, |batch| self.stage_commit(batch, commit, value));
        }
        let failures = writes.commit("committing states");
        self.count_state_commit();
        failures
    }

    async fn shard_mark(&self, shard: ShardId) -> Result<Option<ShardMark>> {
        self.keyspaces().shard_mark(shard)
    }

    async fn put_shard_mark(&self, mark: &ShardMark) -> Result<()> {
        let mut batch = self.batch_synced();
        self.keyspaces().stage_shard_mark(&mut batch, mark);
        batch.commit().map_err(storage("leaving a shard mark"))?;
        self.live().tell(mark.shard);
        Ok(())
    }
}

/// The writes of one call, and the sites that take no part in them.
struct Writes {
    batch: OwnedWriteBatch,
    staged: Vec<SiteId>,
    failures: Failures,
}

impl Writes {
    fn new(store: &Store) -> Self {
        Self { batch: store.batch(), staged: Vec::new(), failures: BTreeMap::new() }
    }

    /// Adds what `stage` writes for a site, or its failure.
    fn attempt(&mut self, site_id: SiteId, stage: impl FnOnce(&mut OwnedWriteBatch) -> Result<()>) {
        match stage(&mut self.batch) {
            Ok(()) => self.staged.push(site_id),
            Err(error) => drop(self.failures.insert(site_id, error)),
        }
    }

    /// Writes everything at once. When that fails, every site has failed.
    fn commit(self, doing: &'static str) -> Failures {
        self.commit_and_tell(doing).1
    }

    /// As [`commit`](Self::commit), and whether it was written.
    fn commit_and_tell(mut self, doing: &'static str) -> (bool, Failures) {
        let written = self.batch.commit().map_err(Arc::new);
        if let Err(error) = &written {
            self.failures.extend(self.staged.into_iter().map(|site_id| (site_id, shared(doing, error))));
        }
        (written.is_ok(), self.failures)
    }
}

const READING_SITES: &str = "reading states";
const READING_ROWS: &str = "reading readings";

impl Store {
    /// The state of a site at the moment of `now`.
    pub(crate) fn site_at(&self, now: &Snapshot, site_id: SiteId) -> Result<Option<SiteSnapshot>> {
        let value = now.get(&self.keyspaces().sites, keys::site(site_id)).map_err(storage(READING_SITES))?;
        value.map(|value| parse_site(site_id, &value)).transpose()
    }

    /// The rows of a range at the moment of `now`, ascending.
    pub(crate) fn rows_at(
        &self,
        now: &Snapshot,
        range: &RowRange,
    ) -> impl DoubleEndedIterator<Item = Result<Row>> + use<> {
        let site_id = range.site_id;
        now.range(&self.keyspaces().readings, keys::instants(site_id, &range.timestamps)).map(move |entry| {
            let (key, value) = entry.into_inner().map_err(storage(READING_ROWS))?;
            parse_row(site_id, &key, &value)
        })
    }

    fn stage_row(&self, batch: &mut OwnedWriteBatch, write: &RowWrite) -> Result<()> {
        let RowWrite { row, guard } = write;
        let key = keys::instant(row.site_id, row.timestamp);
        if let Guard::Unchanged(expected) = guard
            && self.stored_position(row.site_id, &key)? != *expected
        {
            return Err(Error::bare(Kind::Conflict, "writing a reading over another than was read"));
        }
        self.stage_anomaly(batch, &key, row)?;
        let mut value = Vec::new();
        encode_row(row, &mut value);
        batch.insert(&self.keyspaces().readings, key, value);
        Ok(())
    }

    /// Keeps the indexes right whatever the row replaces. Even an unguarded row may replace another one: a delivery that
    /// was cut off can have written a later version.
    fn stage_anomaly(&self, batch: &mut OwnedWriteBatch, key: &[u8], row: &Row) -> Result<()> {
        let Keyspaces { anomalies, anomalies_by_time, .. } = self.keyspaces();
        let place = keys::place(&ReadingPlace::of(row));
        if row.version.is_anomalous() {
            batch.insert(anomalies, key, []);
            batch.insert(anomalies_by_time, place, []);
        } else if anomalies.contains_key(key).map_err(storage("reading the index of anomalies"))? {
            batch.remove(anomalies, key);
            batch.remove(anomalies_by_time, place);
        }
        Ok(())
    }

    fn stored_position(&self, site_id: SiteId, key: &[u8]) -> Result<Option<Position>> {
        let value = self.keyspaces().readings.get(key).map_err(storage(READING_ROWS))?;
        value.map(|value| parse_row(site_id, key, &value).map(|row| row.version.position)).transpose()
    }

    fn stage_commit(&self, batch: &mut OwnedWriteBatch, commit: &Commit<'_>, value: Vec<u8>) -> Result<()> {
        let sites = &self.keyspaces().sites;
        let key = keys::site(commit.state.site_id);
        let stored = match sites.get(&key).map_err(storage(READING_SITES))? {
            Some(value) => split_version(&key, &value)?.0,
            None => 0,
        };
        if stored != commit.expected_version {
            return Err(Error::bare(Kind::Conflict, "committing a state over another version than was read"));
        }
        batch.insert(sites, key, value);
        Ok(())
    }
}

/// A state as a value: version, state.
fn encode_commit(commit: &Commit<'_>) -> Vec<u8> {
    let mut value = (commit.expected_version + 1).to_be_bytes().to_vec();
    encode_state(commit.state, &mut value);
    value
}

/// The row with this key and value.
pub(crate) fn parse_row(site_id: SiteId, key: &[u8], value: &[u8]) -> Result<Row> {
    let damage = || Damage::Key { keyspace: "readings", key: key.to_vec() };
    let timestamp = keys::parse_instant(key).ok_or_else(|| damaged(READING_ROWS)(damage()))?;
    decode_row(site_id, timestamp, value).map_err(|error| damaged(READING_ROWS)(error.into()))
}

/// The state with this value, and its version.
pub(crate) fn parse_site(site_id: SiteId, value: &[u8]) -> Result<SiteSnapshot> {
    let (version, state) = split_version(site_id.as_str().as_bytes(), value)?;
    let state: SiteState =
        decode_state(site_id, state).map_err(|error| damaged(READING_SITES)(error.into()))?;
    Ok(SiteSnapshot { state, version })
}

fn split_version<'a>(key: &[u8], value: &'a [u8]) -> Result<(u64, &'a [u8])> {
    let damage = || Damage::Value { keyspace: "sites", key: key.to_vec() };
    let (version, state) = value.split_first_chunk().ok_or_else(|| damaged(READING_SITES)(damage()))?;
    Ok((u64::from_be_bytes(*version), state))
}

#[cfg(test)]
mod tests;
