//! The newest readings: those that the tables hold, and the feed of those that come in.
//!
//! What must always hold: a reading is told once its batch is finished and durable, with its row as it was written; nobody who listens
//! holds a writer up. A batch that was cut off is told when it is finished at last.

use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fjall::Snapshot;
use wattstream_domain::{Row, RowWrite, ShardId, SiteId, Timestamp};
use wattstream_engine::ports::{Failures, LiveQueries, ReadingPlace, RowRange};
use wattstream_engine::{LiveFeed, Result};

use crate::store::Store;

/// Rows that were written in batches that are not finished. It takes many shards that catch up at one time, or a store that fails, to
/// have more; these are not told one by one.
const UNTOLD_ROWS_MAX: usize = 40_000;

/// The feed, and what is to be told on it.
#[derive(Default)]
pub(crate) struct Live {
    feed: LiveFeed,
    untold: Mutex<Untold>,
}

#[derive(Default)]
struct Untold {
    rows: BTreeMap<ShardId, Vec<Row>>,
    is_incomplete: bool,
}

impl Live {
    /// Remembers rows that were written, until their batches are finished.
    pub(crate) fn stage(&self, writes: &[RowWrite], failures: &Failures) {
        let written =
            writes.iter().map(|write| &write.row).filter(|row| !failures.contains_key(&row.site_id));
        let written: Vec<Row> = written.cloned().collect();
        let mut untold = self.untold();
        for row in written {
            untold.rows.entry(row.version.position.shard).or_default().push(row);
        }
        if untold.rows.values().map(Vec::len).sum::<usize>() > UNTOLD_ROWS_MAX {
            *untold = Untold { rows: BTreeMap::new(), is_incomplete: true };
        }
    }

    /// Tells what the finished batches of a shard have written.
    pub(crate) fn tell(&self, shard: ShardId) {
        let mut untold = self.untold();
        let is_incomplete = std::mem::take(&mut untold.is_incomplete);
        let rows = untold.rows.remove(&shard).unwrap_or_default();
        drop(untold);
        if is_incomplete {
            self.feed.publish_gap();
        }
        self.feed.publish(rows);
    }

    fn untold(&self) -> MutexGuard<'_, Untold> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LiveQueries for Store {
    async fn newest_rows(&self, site_id: Option<SiteId>, limit: usize) -> Result<Vec<Row>> {
        self.blocking(move |store| match site_id {
            Some(site_id) => store.newest_of(&store.snapshot(), site_id).take(limit).collect(),
            None => store.newest_of_all(limit),
        })
        .await
    }

    fn live_feed(&self) -> Option<&LiveFeed> {
        Some(&self.live().feed)
    }
}

impl Store {
    /// The rows of a site, the newest first.
    fn newest_of(&self, now: &Snapshot, site_id: SiteId) -> impl Iterator<Item = Result<Row>> + use<> {
        self.rows_at(now, &RowRange { site_id, timestamps: Timestamp::MIN..=Timestamp::MAX }).rev()
    }

    /// The newest rows of all sites. The newest `limit` of them belong to the `limit` sites that were seen last, and of each site no
    /// more are read than belong to them.
    fn newest_of_all(&self, limit: usize) -> Result<Vec<Row>> {
        let now = self.snapshot();
        let mut sites = Vec::new();
        for state in self.sites_at(&now) {
            let state = state?;
            sites.extend(
                state.totals.last_seen.map(|timestamp| ReadingPlace { timestamp, site_id: state.site_id }),
            );
        }
        sites.sort_unstable_by(|left, right| right.cmp(left));
        sites.truncate(limit);
        let mut streams = BTreeMap::new();
        let mut heads = BinaryHeap::new();
        for site_id in sites.into_iter().map(|place| place.site_id) {
            let mut rows = self.newest_of(&now, site_id);
            if let Some(row) = rows.next() {
                heads.push(Head(row?));
                streams.insert(site_id, rows);
            }
        }
        let mut newest = Vec::with_capacity(limit.min(heads.len()));
        while newest.len() < limit
            && let Some(Head(row)) = heads.pop()
        {
            if let Some(next) = streams.get_mut(&row.site_id).and_then(Iterator::next) {
                heads.push(Head(next?));
            }
            newest.push(row);
        }
        Ok(newest)
    }
}

/// The newest row of a site that was not taken yet.
struct Head(Row);

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        ReadingPlace::of(&self.0).cmp(&ReadingPlace::of(&other.0))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

#[cfg(test)]
mod tests;
