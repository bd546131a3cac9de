//! [`FleetQueries`]: what the API asks over all sites.

use std::ops::RangeInclusive;

use fjall::Readable;
use wattstream_domain::{Alert, OpenSilence, Row, SiteId, SiteState};
use wattstream_engine::Result;
use wattstream_engine::ports::{
    AlertPlace, AlertQuery, AnomalyQuery, FleetQueries, FleetQuery, FleetSeries, Page, ReadingPlace,
    SiteQuery,
};

use super::READING_STATES;
use crate::error::storage;
use crate::keys;
use crate::store::Store;
use crate::tables::parse_site;

impl FleetQueries for Store {
    async fn site_page(&self, query: SiteQuery) -> Result<Page<SiteState, SiteId>> {
        self.blocking(move |store| store.read_sites(&query)).await
    }

    async fn silences_of(&self, sites: RangeInclusive<SiteId>) -> Result<Vec<OpenSilence>> {
        self.blocking(move |store| store.read_silences_of(&sites)).await
    }

    async fn fleet_series(&self, query: FleetQuery) -> Result<FleetSeries> {
        self.blocking(move |store| store.read_fleet(&query)).await
    }

    async fn anomaly_page(&self, query: AnomalyQuery) -> Result<Page<Row, ReadingPlace>> {
        self.blocking(move |store| store.read_anomalies(&query)).await
    }

    async fn alert_page(&self, query: AlertQuery) -> Result<Page<Alert, AlertPlace>> {
        self.blocking(move |store| store.read_alerts(&query)).await
    }
}

impl Store {
    fn read_sites(&self, query: &SiteQuery) -> Result<Page<SiteState, SiteId>> {
        let first = query.start.map_or_else(Vec::new, keys::site);
        let entries = self.snapshot().range(&self.keyspaces().sites, first..);
        // A state is read only when its key is asked for.
        let states = entries.filter_map(|entry| {
            let (key, value) = match entry.into_inner().map_err(storage(READING_STATES)) {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            let site_id = super::site_of(&key);
            let is_asked = site_id.as_ref().map_or(true, |&site_id| query.asks_for(site_id));
            is_asked.then(|| Ok(parse_site(site_id?, &value)?.state))
        });
        Page::try_of(states, query.limit, |state: &SiteState| state.site_id)
    }
}
