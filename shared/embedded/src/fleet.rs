//! All sites together by hour, day and month: a projection of the hours, kept beside them.
//!
//! What must always hold: it is the sum of the stored hours, exactly. An hour and what it changes here are written in one atomic
//! batch, by the difference between what was stored and what is stored from then on; nobody else writes hours, because
//! that happens under one lock. A store that was written before there was this projection gets it when it is opened.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use fjall::{Database, OwnedWriteBatch, Readable, Snapshot};
use wattstream_domain::{
    EnergySum, Hour, HourRow, HourTotals, Resolution, SiteId, SiteState, Sums, Timestamp,
};
use wattstream_engine::Result;
use wattstream_engine::ports::{FleetBucket, FleetQuery, FleetSeries};
use wattstream_wire::stored::decode_hour;

use crate::error::{Damage, damaged, storage};
use crate::keys;
use crate::keyspaces::Keyspaces;
use crate::store::Store;

const READING: &str = "reading the sums of all sites";
const READING_HOURS: &str = "reading hours";

/// The sites whose newest hour is remembered, in some 10 MB. Beyond them it is looked up again.
const SITES_REMEMBERED_MAX: usize = 100_000;

/// Buckets that are written at once when the projection is built.
const BUILD_BATCH_BUCKETS: usize = 10_000;

/// The newest stored hour of each site, as far as it is known. An hour after it is the site's first, and nothing has to be looked
/// up for it: most hours are.
#[derive(Debug, Default)]
pub(crate) struct NewestHours(HashMap<SiteId, Hour>);

impl NewestHours {
    /// Takes over what a call has written.
    pub(crate) fn remember(&mut self, written: HashMap<SiteId, Hour>) {
        if self.0.len() + written.len() > SITES_REMEMBERED_MAX {
            self.0.clear();
        }
        self.0.extend(written);
    }
}

/// What the hours of one call change.
pub(crate) struct FleetChanges<'a> {
    keyspaces: &'a Keyspaces,
    remembered: &'a NewestHours,
    /// The newest hour of each site, the staged ones included.
    newest: HashMap<SiteId, Hour>,
    staged: BTreeMap<(SiteId, Hour), HourTotals>,
    buckets: BTreeMap<(Resolution, Timestamp), FleetBucket>,
}

impl<'a> FleetChanges<'a> {
    pub(crate) fn new(keyspaces: &'a Keyspaces, remembered: &'a NewestHours) -> Self {
        Self {
            keyspaces,
            remembered,
            newest: HashMap::new(),
            staged: BTreeMap::new(),
            buckets: BTreeMap::new(),
        }
    }

    /// Puts an hour in the place of what is stored of it. An error changes nothing.
    pub(crate) fn put(&mut self, row: &HourRow) -> Result<()> {
        let newest = self.newest_hour(row.site_id)?;
        let is_first = newest.is_none_or(|newest| row.hour > newest);
        let stored = if is_first { None } else { self.hour(row.site_id, row.hour)? };
        let touched = match newest {
            Some(newest) if is_first => {
                Resolution::ALL.map(|resolution| is_same(resolution, newest, row.hour))
            }
            Some(_) if stored.is_none() => self.touched(row)?,
            Some(_) => [true; 3],
            None => [false; 3],
        };
        let keys = Resolution::ALL.map(|resolution| (resolution, resolution.start_of(row.hour.start())));
        for key in keys {
            self.load(key)?;
        }
        for (key, is_touched) in keys.into_iter().zip(touched) {
            let bucket = self.buckets.entry(key).or_default();
            bucket.sites += u64::from(!is_touched);
            bucket.sums.add(&row.totals);
            if let Some(stored) = &stored {
                bucket.sums.remove(stored);
            }
        }
        self.staged.insert((row.site_id, row.hour), row.totals);
        self.newest.insert(row.site_id, newest.map_or(row.hour, |newest| newest.max(row.hour)));
        Ok(())
    }

    /// Adds the changed buckets to a batch, and returns the newest hours for when it is written.
    pub(crate) fn stage(self, batch: &mut OwnedWriteBatch) -> HashMap<SiteId, Hour> {
        for ((resolution, start), bucket) in &self.buckets {
            batch.insert(&self.keyspaces.fleet, keys::bucket(*resolution, *start), encode(bucket));
        }
        self.newest
    }

    fn newest_hour(&self, site_id: SiteId) -> Result<Option<Hour>> {
        let known = self.newest.get(&site_id).or_else(|| self.remembered.0.get(&site_id));
        if let Some(hour) = known {
            return Ok(Some(*hour));
        }
        let all = keys::instants(site_id, &(Timestamp::MIN..=Timestamp::MAX));
        let Some(last) = self.keyspaces.hours.range(all).next_back() else { return Ok(None) };
        let key = last.key().map_err(storage(READING_HOURS))?;
        hour_of(&key).map(Some)
    }

    fn hour(&self, site_id: SiteId, hour: Hour) -> Result<Option<HourTotals>> {
        if let Some(staged) = self.staged.get(&(site_id, hour)) {
            return Ok(Some(*staged));
        }
        let value = self.keyspaces.hours.get(keys::instant(site_id, hour.start()));
        let value = value.map_err(storage(READING_HOURS))?;
        value.map(|value| totals_of(site_id, hour, &value)).transpose()
    }

    /// Whether the site has any hour in the hour, the day and the month of one that is not there yet.
    fn touched(&self, row: &HourRow) -> Result<[bool; 3]> {
        let is_day = self.has_hour_in(row, Resolution::Day)?;
        Ok([false, is_day, is_day || self.has_hour_in(row, Resolution::Month)?])
    }

    fn has_hour_in(&self, row: &HourRow, resolution: Resolution) -> Result<bool> {
        let instants = bucket_of(resolution, row.hour);
        let staged = (row.site_id, instants.start().hour())..=(row.site_id, instants.end().hour());
        if self.staged.range(staged).next().is_some() {
            return Ok(true);
        }
        let stored = self.keyspaces.hours.range(keys::instants(row.site_id, &instants)).next();
        stored.map(fjall::Guard::key).transpose().map_err(storage(READING_HOURS)).map(|key| key.is_some())
    }

    fn load(&mut self, key: (Resolution, Timestamp)) -> Result<()> {
        if self.buckets.contains_key(&key) {
            return Ok(());
        }
        let (stored_key, doing) = (keys::bucket(key.0, key.1), READING);
        if let Some(value) = self.keyspaces.fleet.get(stored_key).map_err(storage(doing))? {
            self.buckets.insert(key, decode(&stored_key, &value)?);
        }
        Ok(())
    }
}

/// The instants of the bucket that an hour lies in.
fn bucket_of(resolution: Resolution, hour: Hour) -> RangeInclusive<Timestamp> {
    let start = resolution.start_of(hour.start());
    start..=resolution.after(start).map_or(Timestamp::MAX, |after| after.saturating_add_ms(-1))
}

fn is_same(resolution: Resolution, one: Hour, other: Hour) -> bool {
    resolution.start_of(one.start()) == resolution.start_of(other.start())
}

fn hour_of(key: &[u8]) -> Result<Hour> {
    let damage = || Damage::Key { keyspace: "hours", key: key.to_vec() };
    keys::parse_instant(key).map(Timestamp::hour).ok_or_else(|| damaged(READING_HOURS)(damage()))
}

fn totals_of(site_id: SiteId, hour: Hour, value: &[u8]) -> Result<HourTotals> {
    let row = decode_hour(site_id, hour, value).map_err(|error| damaged(READING_HOURS)(error.into()))?;
    Ok(row.totals)
}

impl Store {
    /// All sites together: what is kept, with the open hours of the states.
    pub(crate) fn read_fleet(&self, query: &FleetQuery) -> Result<FleetSeries> {
        let now = self.snapshot();
        let mut buckets = BTreeMap::new();
        if query.start < query.end {
            let [first, end] = [query.start, query.end].map(|start| keys::bucket(query.resolution, start));
            for entry in now.range(&self.keyspaces().fleet, first..end) {
                let (key, value) = entry.into_inner().map_err(storage(READING))?;
                let damage = || Damage::Key { keyspace: "fleet", key: key.to_vec() };
                let start = keys::parse_instant(&key).ok_or_else(|| damaged(READING)(damage()))?;
                buckets.insert(start, decode(&key, &value)?);
            }
        }
        for state in self.sites_at(&now) {
            self.add_open_hour(&now, query, &state?, &mut buckets)?;
        }
        Ok(FleetSeries::Sums { buckets, as_of: None })
    }

    /// Adds the open hour of a site. While a batch is being written the hour may be stored already; then the state's is taken, as
    /// it is for the site alone.
    fn add_open_hour(
        &self,
        now: &Snapshot,
        query: &FleetQuery,
        state: &SiteState,
        buckets: &mut BTreeMap<Timestamp, FleetBucket>,
    ) -> Result<()> {
        let Some((hour, totals)) = &state.open_hour else { return Ok(()) };
        let Some(start) = query.bucket_of(*hour) else { return Ok(()) };
        let (site_id, hours) = (state.site_id, &self.keyspaces().hours);
        let bucket = buckets.entry(start).or_default();
        let stored = keys::instants(site_id, &bucket_of(query.resolution, *hour));
        let Some(newest) = now.range(hours, stored).next_back() else {
            bucket.sites += 1;
            bucket.sums.add(totals);
            return Ok(());
        };
        let newest = hour_of(&newest.key().map_err(storage(READING_HOURS))?)?;
        bucket.sums.add(totals);
        if newest >= *hour
            && let Some(value) =
                now.get(hours, keys::instant(site_id, hour.start())).map_err(storage(READING_HOURS))?
        {
            bucket.sums.remove(&totals_of(site_id, *hour, &value)?);
        }
        Ok(())
    }
}

/// Builds the projection from the hours that are stored. Every bucket is written over, and none is there that has no hour.
pub(crate) fn build(db: &Database, keyspaces: &Keyspaces) -> Result<()> {
    let mut buckets: BTreeMap<(Resolution, Timestamp), FleetBucket> = BTreeMap::new();
    let mut before: Option<(SiteId, Hour)> = None;
    for entry in keyspaces.hours.iter() {
        let (key, value) = entry.into_inner().map_err(storage(READING_HOURS))?;
        let damage = || Damage::Key { keyspace: "hours", key: key.to_vec() };
        let place = keys::parse_instant_of_site(&key).ok_or_else(|| damaged(READING_HOURS)(damage()))?;
        let (site_id, hour) = (place.0, place.1.hour());
        let totals = totals_of(site_id, hour, &value)?;
        for resolution in Resolution::ALL {
            let is_touched =
                before.is_some_and(|(site, before)| site == site_id && is_same(resolution, before, hour));
            let bucket = buckets.entry((resolution, resolution.start_of(hour.start()))).or_default();
            bucket.sites += u64::from(!is_touched);
            bucket.sums.add(&totals);
        }
        before = Some((site_id, hour));
    }
    let buckets: Vec<_> = buckets.into_iter().collect();
    for buckets in buckets.chunks(BUILD_BATCH_BUCKETS) {
        let mut batch = db.batch();
        for ((resolution, start), bucket) in buckets {
            batch.insert(&keyspaces.fleet, keys::bucket(*resolution, *start), encode(bucket));
        }
        batch.commit().map_err(storage("building the sums of all sites"))?;
    }
    Ok(())
}

/// A bucket as a value: sites, readings, anomalies; generated and consumed milliwatt-hours.
fn encode(bucket: &FleetBucket) -> Vec<u8> {
    let FleetBucket { sites, sums: Sums { records, anomalies, generated, consumed } } = bucket;
    let counts = [sites, records, anomalies].map(|count| count.to_be_bytes());
    let energies = [generated, consumed].map(|sum| sum.milliwatt_hours().to_be_bytes());
    [counts.as_flattened(), energies.as_flattened()].concat()
}

fn decode(key: &[u8], value: &[u8]) -> Result<FleetBucket> {
    let damage = || damaged(READING)(Damage::Value { keyspace: "fleet", key: key.to_vec() });
    parse(value).ok_or_else(damage)
}

fn parse(value: &[u8]) -> Option<FleetBucket> {
    let (sites, rest) = value.split_first_chunk()?;
    let (records, rest) = rest.split_first_chunk()?;
    let (anomalies, rest) = rest.split_first_chunk()?;
    let (generated, rest) = rest.split_first_chunk()?;
    let energy = |bytes| EnergySum::from_milliwatt_hours(i128::from_be_bytes(bytes));
    let sums = Sums {
        records: u64::from_be_bytes(*records),
        anomalies: u64::from_be_bytes(*anomalies),
        generated: energy(*generated),
        consumed: energy(rest.try_into().ok()?),
    };
    Some(FleetBucket { sites: u64::from_be_bytes(*sites), sums })
}

#[cfg(test)]
mod tests;
