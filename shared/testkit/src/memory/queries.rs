//! [`Queries`] over maps. States are exact: the rows after a snapshot are folded in.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use wattstream_domain::{Alert, Hour, HourRow, HourTotals, OpenSilence, Position, Row, SiteId, SiteState};
use wattstream_engine::ports::{
    AlertPlace, AlertQuery, AnomalyQuery, FleetQueries, FleetQuery, FleetSeries, HourQuery, LiveQueries,
    Page, Queries, ReadingPlace, RowQuery, SiteQuery, Sites,
};
use wattstream_engine::{DeadLetter, LiveFeed, Result};

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
        Ok(Page::of(rows.cloned(), query.limit, |row| row.timestamp))
    }

    async fn hour_page(&self, query: HourQuery) -> Result<Page<HourRow>> {
        let contents = self.lock();
        let hours = contents
            .hours
            .values()
            .filter(|row| row.site_id == query.site_id)
            .filter(|row| (query.start..query.end).contains(&row.hour.start()));
        Ok(Page::of(hours.copied(), query.limit, |row| Hour::start(row.hour)))
    }

    async fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        let mut alerts: Vec<_> = self.lock().alerts.values().cloned().collect();
        alerts.sort_by_key(|alert| Reverse((alert.at, alert.id())));
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

impl FleetQueries for MemoryStore {
    async fn site_page(&self, query: SiteQuery) -> Result<Page<SiteState, SiteId>> {
        let asked = self.lock().states().into_iter().filter(|state| query.asks_for(state.site_id));
        Ok(Page::of(asked, query.limit, |state| state.site_id))
    }

    async fn silences_of(&self, sites: RangeInclusive<SiteId>) -> Result<Vec<OpenSilence>> {
        let contents = self.lock();
        Ok(contents.silences.values().filter(|open| sites.contains(&open.site_id)).copied().collect())
    }

    async fn fleet_series(&self, query: FleetQuery) -> Result<FleetSeries> {
        let contents = self.lock();
        let mut buckets = BTreeMap::new();
        for state in contents.states() {
            let closed = contents.hours.values().filter(|row| row.site_id == state.site_id);
            let mut hours: BTreeMap<Hour, HourTotals> = closed.map(|row| (row.hour, row.totals)).collect();
            hours.extend(state.open_hour);
            query.add_site(&mut buckets, hours);
        }
        Ok(FleetSeries::Sums { buckets, as_of: None })
    }

    async fn anomaly_page(&self, query: AnomalyQuery) -> Result<Page<Row, ReadingPlace>> {
        let contents = self.lock();
        let mut rows: Vec<Row> = contents
            .rows
            .values()
            .filter(|row| row.version.is_anomalous() && query.site_id.is_none_or(|id| id == row.site_id))
            .filter(|row| query.start <= row.timestamp && row.timestamp < query.end)
            .filter(|row| query.from.is_none_or(|from| ReadingPlace::of(row) <= from))
            .cloned()
            .collect();
        rows.sort_by_key(|row| Reverse(ReadingPlace::of(row)));
        Ok(Page::of(rows, query.limit, ReadingPlace::of))
    }

    async fn alert_page(&self, query: AlertQuery) -> Result<Page<Alert, AlertPlace>> {
        let contents = self.lock();
        let mut alerts: Vec<Alert> = contents
            .alerts
            .values()
            .filter(|alert| query.start <= alert.at && alert.at < query.end)
            .filter(|alert| query.from.as_ref().is_none_or(|from| AlertPlace::of(alert) <= *from))
            .cloned()
            .collect();
        alerts.sort_by_key(|alert| Reverse(AlertPlace::of(alert)));
        Ok(Page::of(alerts, query.limit, AlertPlace::of))
    }
}

impl LiveQueries for MemoryStore {
    async fn newest_rows(&self, site_id: Option<SiteId>, limit: usize) -> Result<Vec<Row>> {
        let contents = self.lock();
        let asked = contents.rows.values().filter(|row| site_id.is_none_or(|site_id| site_id == row.site_id));
        let mut rows: Vec<Row> = asked.cloned().collect();
        rows.sort_by_key(|row| Reverse(ReadingPlace::of(row)));
        rows.truncate(limit);
        Ok(rows)
    }

    fn live_feed(&self) -> Option<&LiveFeed> {
        None
    }
}
