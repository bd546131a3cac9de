//! [`Queries`]: what the API and the audit ask, on tokio's blocking threads. An answer is a view of one moment.

mod fleet;

use fjall::{Readable, Snapshot};
use wattstream_domain::{Alert, Hour, HourRow, HourSums, Position, Row, SiteId, SiteState, Timestamp};
use wattstream_engine::ports::{HourQuery, Page, Queries, RowQuery, RowRange, Sites};
use wattstream_engine::{DeadLetter, Error, Kind, Result};
use wattstream_wire::stored::{StoredError, decode_hour, decode_hour_sums};

use crate::error::{Damage, damaged, storage};
use crate::keys;
use crate::store::Store;
use crate::tables::{parse_row, parse_site};

impl Queries for Store {
    async fn sites(&self) -> Result<Sites> {
        self.blocking(|store| store.iter_sites().collect::<Result<_>>().map(Sites::exact)).await
    }

    async fn site(&self, site_id: SiteId) -> Result<Option<SiteState>> {
        let read = move |store: &Store| store.site_at(&store.snapshot(), site_id);
        Ok(self.blocking(read).await?.map(|snapshot| snapshot.state))
    }

    async fn row_page(&self, query: RowQuery) -> Result<Page<Row>> {
        self.blocking(move |store| store.read_rows(&query)).await
    }

    async fn hour_page(&self, query: HourQuery) -> Result<Page<HourRow>> {
        self.blocking(move |store| store.read_hours(&query)).await
    }

    async fn hour_sums_page(&self, query: HourQuery) -> Result<Page<HourSums>> {
        self.blocking(move |store| store.read_hour_sums(&query)).await
    }

    fn states_version(&self) -> Option<u64> {
        Some(self.state_commits())
    }

    async fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        self.blocking(move |store| store.read_newest_alerts(limit)).await
    }

    async fn dead_letter_page(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>> {
        self.blocking(move |store| store.read_dead_letters(after, limit)).await
    }
}

impl Store {
    /// Runs `work` where it may block.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.unwrap_or_else(|error| Err(Error::new(Kind::Broken, "working on a blocking thread", error)))
    }

    /// Folds the states of every site, ascending by id; one at a time is in memory.
    pub async fn fold_sites<T: Send + 'static>(
        &self,
        start: T,
        mut add: impl FnMut(T, &SiteState) -> T + Send + 'static,
    ) -> Result<T> {
        let read =
            move |store: &Store| store.iter_sites().try_fold(start, |folded, state| Ok(add(folded, &state?)));
        self.blocking(read).await
    }

    fn iter_sites(&self) -> impl Iterator<Item = Result<SiteState>> {
        self.sites_at(&self.snapshot())
    }

    /// The states at the moment of `now`, ascending by site.
    pub(crate) fn sites_at(&self, now: &Snapshot) -> impl Iterator<Item = Result<SiteState>> + use<> {
        let parse = |entry: fjall::Guard| {
            let (key, value) = entry.into_inner().map_err(storage(READING_STATES))?;
            Ok(parse_site(site_of(&key)?, &value)?.state)
        };
        now.iter(&self.keyspaces().sites).map(parse)
    }

    fn read_rows(&self, query: &RowQuery) -> Result<Page<Row>> {
        let Some(last) = last_before(query.start, query.end) else { return Ok(Page::empty()) };
        let now = self.snapshot();
        let range = RowRange { site_id: query.site_id, timestamps: query.start..=last };
        if !query.anomalous_only {
            return Page::try_of(self.rows_at(&now, &range), query.limit, |row| row.timestamp);
        }
        let keyspaces = self.keyspaces();
        let keys = now.range(&keyspaces.anomalies, keys::instants(query.site_id, &range.timestamps));
        let rows = keys.map(|entry| {
            let doing = "reading anomalies";
            let key = entry.key().map_err(storage(doing))?;
            let row = now.get(&keyspaces.readings, &key).map_err(storage(doing))?;
            let damage = || Damage::Key { keyspace: "anomalies", key: key.to_vec() };
            parse_row(query.site_id, &key, &row.ok_or_else(|| damaged(doing)(damage()))?)
        });
        Page::try_of(rows, query.limit, |row| row.timestamp)
    }

    fn read_hours(&self, query: &HourQuery) -> Result<Page<HourRow>> {
        let hours = self.hours_in(query, |hour, value| decode_hour(query.site_id, hour, value));
        Page::try_of(hours, query.limit, |row| row.hour.start())
    }

    fn read_hour_sums(&self, query: &HourQuery) -> Result<Page<HourSums>> {
        let hours = self.hours_in(query, |hour, value| Ok(HourSums { hour, sums: decode_hour_sums(value)? }));
        Page::try_of(hours, query.limit, |of| of.hour.start())
    }

    /// The hours of a range, ascending, each as `decode` reads it.
    fn hours_in<T>(
        &self,
        query: &HourQuery,
        decode: impl Fn(Hour, &[u8]) -> std::result::Result<T, StoredError>,
    ) -> impl Iterator<Item = Result<T>> {
        let doing = "reading hours";
        let range = last_before(query.start, query.end)
            .map(|last| keys::instants(query.site_id, &(query.start..=last)));
        let entries = range.map(|range| self.snapshot().range(&self.keyspaces().hours, range));
        entries.into_iter().flatten().map(move |entry| {
            let (key, value) = entry.into_inner().map_err(storage(doing))?;
            let damage = || Damage::Key { keyspace: "hours", key: key.to_vec() };
            let hour =
                keys::parse_instant(&key).map(Timestamp::hour).ok_or_else(|| damaged(doing)(damage()))?;
            decode(hour, &value).map_err(|error| damaged(doing)(error.into()))
        })
    }
}

const READING_STATES: &str = "reading states";

/// The site that a state's key names.
fn site_of(key: &[u8]) -> Result<SiteId> {
    let damage = || Damage::Key { keyspace: "sites", key: key.to_vec() };
    keys::parse_site(key).ok_or_else(|| damaged(READING_STATES)(damage()))
}

/// The last instant of `start <= t < end`, if there is one.
fn last_before(start: Timestamp, end: Timestamp) -> Option<Timestamp> {
    (start < end).then(|| end.saturating_add_ms(-1))
}

#[cfg(test)]
mod tests;
