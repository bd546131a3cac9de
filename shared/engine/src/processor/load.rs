//! What a batch needs to know of its sites before it can be folded.

use std::ops::RangeInclusive;

use wattstream_domain::{Frontier, Row, SiteRows, SiteState, Timestamp, fold_tail, hours_to_load};
use wattstream_telemetry::event::SiteStatesFound;

use super::decode::SiteRecords;
use crate::Result;
use crate::cache::{CachedSite, ShardCache};
use crate::ports::{RowRange, Tables};

/// A site that is ready to be folded.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Its state before the batch.
    pub(super) site: CachedSite,
    /// The stored rows of the hours in which its records are not in order.
    pub(super) rows: SiteRows,
}

/// Loads every site, in the order given. Takes out of the cache what is there.
pub(super) async fn load(
    tables: &impl Tables,
    sites: &[SiteRecords],
    cache: Option<&mut ShardCache>,
) -> Result<Vec<Loaded>> {
    let states = load_states(tables, sites, cache).await?;
    load_rows(tables, sites, states).await
}

async fn load_states(
    tables: &impl Tables,
    sites: &[SiteRecords],
    mut cache: Option<&mut ShardCache>,
) -> Result<Vec<CachedSite>> {
    let mut states: Vec<Option<CachedSite>> =
        sites.iter().map(|site| cache.as_mut().and_then(|cache| cache.sites.remove(&site.site_id))).collect();
    let missing: Vec<&SiteRecords> =
        sites.iter().zip(&states).filter(|(_, state)| state.is_none()).map(|(site, _)| site).collect();
    let loaded = missing.len();
    SiteStatesFound { cached: (sites.len() - loaded) as u64, loaded: loaded as u64 }.emit();
    let mut stored = load_stored(tables, &missing).await?.into_iter();
    for state in states.iter_mut().filter(|state| state.is_none()) {
        *state = stored.next();
    }
    Ok(states.into_iter().flatten().collect())
}

/// The stored snapshots, brought up to date with the rows that were committed after them.
async fn load_stored(tables: &impl Tables, sites: &[&SiteRecords]) -> Result<Vec<CachedSite>> {
    if sites.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = sites.iter().map(|site| site.site_id).collect();
    let snapshots = tables.snapshots(&ids).await?;
    let mut loaded: Vec<CachedSite> = sites
        .iter()
        .zip(snapshots)
        .map(|(site, snapshot)| match snapshot {
            Some(snapshot) => stored_site(snapshot.state, snapshot.version),
            None => stored_site(SiteState::new(site.site_id), 0),
        })
        .collect();
    let ranges: Vec<RowRange> = loaded
        .iter()
        .map(|site| RowRange { site_id: site.state.site_id, timestamps: after(site.state.totals.last_seen) })
        .collect();
    let tails = tables.rows(&ranges).await?;
    for ((site, records), tail) in loaded.iter_mut().zip(sites).zip(tails) {
        let frontier = Frontier::before(records.first(), &site.state.positions);
        fold_tail(&mut site.state, tail, &frontier);
    }
    Ok(loaded)
}

fn stored_site(state: SiteState, version: u64) -> CachedSite {
    let holds_published_alerts = !state.outbox.alerts.is_empty();
    CachedSite { state: Box::new(state), version, holds_published_alerts }
}

fn after(newest: Option<Timestamp>) -> RangeInclusive<Timestamp> {
    newest.map_or(Timestamp::MIN, |newest| newest.saturating_add_ms(1))..=Timestamp::MAX
}

async fn load_rows(
    tables: &impl Tables,
    sites: &[SiteRecords],
    states: Vec<CachedSite>,
) -> Result<Vec<Loaded>> {
    let mut ranges = Vec::new();
    let mut owners = Vec::new();
    for (index, (site, cached)) in sites.iter().zip(&states).enumerate() {
        for hour in hours_to_load(&cached.state, &site.records) {
            ranges.push(RowRange { site_id: site.site_id, timestamps: hour.start()..=hour.last() });
            owners.push(index);
        }
    }
    let stored: Vec<Vec<Row>> = if ranges.is_empty() { Vec::new() } else { tables.rows(&ranges).await? };
    let mut loaded: Vec<Loaded> =
        states.into_iter().map(|site| Loaded { rows: SiteRows::new(site.state.site_id), site }).collect();
    for (index, rows) in owners.into_iter().zip(stored) {
        let Loaded { site, rows: known } = &mut loaded[index];
        known.load(rows, &Frontier::before(sites[index].first(), &site.state.positions));
    }
    Ok(loaded)
}
