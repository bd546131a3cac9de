//! [`Tables`] over maps.

use wattstream_domain::{Guard, HourRow, Row, RowWrite, ShardId, SiteId};
use wattstream_engine::ports::{Commit, Failures, RowRange, ShardMark, Snapshot, Tables};
use wattstream_engine::{Error, Kind, Result};

use super::{Contents, MemoryStore};

impl Tables for MemoryStore {
    async fn snapshots(&self, sites: &[SiteId]) -> Result<Vec<Option<Snapshot>>> {
        let contents = self.lock();
        Ok(sites.iter().map(|site_id| contents.sites.get(site_id).cloned()).collect())
    }

    async fn rows(&self, ranges: &[RowRange]) -> Result<Vec<Vec<Row>>> {
        let contents = self.lock();
        Ok(ranges.iter().map(|range| contents.rows_in(range)).collect())
    }

    async fn put_rows(&self, rows: &[RowWrite]) -> Failures {
        let mut contents = self.lock();
        let mut failures = Failures::new();
        for write in rows {
            if let Err(error) = contents.put_row(write) {
                failures.insert(write.row.site_id, error);
            }
        }
        failures
    }

    async fn put_hours(&self, hours: &[HourRow]) -> Failures {
        let keyed = hours.iter().map(|row| ((row.site_id, row.hour), *row));
        self.lock().hours.extend(keyed);
        Failures::new()
    }

    async fn commit(&self, commits: &[Commit<'_>]) -> Failures {
        let mut contents = self.lock();
        let mut failures = Failures::new();
        for commit in commits {
            if let Err(error) = contents.commit(commit) {
                failures.insert(commit.state.site_id, error);
            }
        }
        failures
    }

    async fn shard_mark(&self, shard: ShardId) -> Result<Option<ShardMark>> {
        Ok(self.lock().shard_marks.get(&shard).cloned())
    }

    async fn put_shard_mark(&self, mark: &ShardMark) -> Result<()> {
        self.lock().shard_marks.insert(mark.shard, mark.clone());
        Ok(())
    }
}

impl Contents {
    fn rows_in(&self, range: &RowRange) -> Vec<Row> {
        let (start, end) = range.timestamps.clone().into_inner();
        if start > end {
            return Vec::new();
        }
        let keys = (range.site_id, start)..=(range.site_id, end);
        self.rows.range(keys).map(|(_, row)| row.clone()).collect()
    }

    fn put_row(&mut self, write: &RowWrite) -> Result<()> {
        let key = (write.row.site_id, write.row.timestamp);
        let stored = self.rows.get(&key).map(|row| row.version.position);
        match write.guard {
            Guard::Unchanged(read) if read != stored => Err(Error::bare(Kind::Conflict, "writing a reading")),
            Guard::Any | Guard::Unchanged(_) => {
                self.rows.insert(key, write.row.clone());
                Ok(())
            }
        }
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        let Commit { state, expected_version } = *commit;
        let stored = self.sites.get(&state.site_id).map_or(0, |snapshot| snapshot.version);
        if stored != expected_version {
            return Err(Error::bare(Kind::Conflict, "committing a state"));
        }
        let snapshot = Snapshot { state: state.clone(), version: expected_version + 1 };
        self.sites.insert(state.site_id, snapshot);
        Ok(())
    }
}
