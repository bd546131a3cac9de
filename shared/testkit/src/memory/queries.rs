//! [`Queries`] over maps. States are exact: the rows after a snapshot are folded in.

use wattstream_domain::{Alert, Hour, HourRow, Position, Row, SiteId, SiteState, Timestamp};
use wattstream_engine::ports::{HourQuery, Page, Queries, RowQuery, Sites};
use wattstream_engine::{DeadLetter, Result};

use super::{MemoryStore, letter_key};

impl Queries for MemoryStore {
    async fn sites(&self) -> Result<Sites> {
        Ok(Sites::exact(self.lock().states()))
    }

    async fn site(&self, site_id: SiteId) -> Result<Option<SiteState>> {
        Ok(self.lock().state(site_id))
    }

    async fn row_page(&self, query: RowQuery) -> Result<Page<Row>> {
        let contents = self.lock();
        let rows = contents
            .rows_of(query.site_id)
            .filter(|row| (query.start..query.end).contains(&row.timestamp))
            .filter(|row| !query.anomalous_only || row.version.is_anomalous());
        Ok(page(rows.cloned(), query.limit, |row| row.timestamp))
    }

    async fn hour_page(&self, query: HourQuery) -> Result<Page<HourRow>> {
        let contents = self.lock();
        let hours = contents
            .hours
            .values()
            .filter(|row| row.site_id == query.site_id)
            .filter(|row| (query.start..query.end).contains(&row.hour.start()));
        Ok(page(hours.copied(), query.limit, |row| Hour::start(row.hour)))
    }

    async fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        let mut alerts: Vec<_> = self.lock().alerts.values().cloned().collect();
        alerts.sort_by_key(|alert| std::cmp::Reverse((alert.at, alert.id())));
        alerts.truncate(limit);
        Ok(alerts)
    }

    async fn dead_letter_page(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>> {
        let contents = self.lock();
        let after = after.as_ref().map(letter_key);
        let letters = contents.dead_letters.iter().filter(|(key, _)| Some(**key) > after);
        Ok(letters.take(limit).map(|(_, letter)| letter.clone()).collect())
    }
}

/// The first `limit` entries, and where the next one is.
fn page<T>(entries: impl Iterator<Item = T>, limit: usize, timestamp: fn(&T) -> Timestamp) -> Page<T> {
    let mut entries: Vec<T> = entries.take(limit.saturating_add(1)).collect();
    let next_start = entries.get(limit).map(timestamp);
    entries.truncate(limit);
    Page { entries, next_start }
}
