//! Questions over all sites, which the API asks and nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::ops::RangeInclusive;

use wattstream_domain::{
    Alert, Hour, HourTotals, OpenSilence, Resolution, Row, SiteId, SiteState, Sums, Timestamp,
};

use super::{Page, Queries};
use crate::Result;

/// The reading side of the projections, over all sites. What must always hold: an answer is bounded by what is asked for, and
/// nothing scans.
pub trait FleetQueries: Queries {
    /// One page of the states of the sites, ascending by id, each exact to its last row.
    fn site_page(&self, query: SiteQuery) -> impl Future<Output = Result<Page<SiteState, SiteId>>> + Send;

    /// The open silences of the sites from one to another, both included, ascending by site.
    fn silences_of(
        &self,
        sites: RangeInclusive<SiteId>,
    ) -> impl Future<Output = Result<Vec<OpenSilence>>> + Send;

    /// All sites together: the sums of their hours, closed and open, by bucket. It is for the store to say whether it keeps
    /// these sums or adds them up now, and of how much that is too much.
    fn fleet_series(&self, query: FleetQuery) -> impl Future<Output = Result<FleetSeries>> + Send;

    /// One page of the readings that have findings, the newest first.
    fn anomaly_page(
        &self,
        query: AnomalyQuery,
    ) -> impl Future<Output = Result<Page<Row, ReadingPlace>>> + Send;

    /// One page of the alerts of all sites, the newest first.
    fn alert_page(&self, query: AlertQuery) -> impl Future<Output = Result<Page<Alert, AlertPlace>>> + Send;
}

/// A question for sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteQuery {
    /// The first id that may be in the answer; `None` begins with the first of all.
    pub start: Option<SiteId>,
    /// What the ids have in them, whatever the case of its letters; the empty text asks for every site.
    pub contains: String,
    /// The most sites to return, up to [`SITES_EXACT_MAX`](super::SITES_EXACT_MAX).
    pub limit: usize,
}

impl SiteQuery {
    /// Whether a site belongs to the answer or to a page after it.
    pub fn asks_for(&self, site_id: SiteId) -> bool {
        let (id, wanted) = (site_id.as_str().as_bytes(), self.contains.as_bytes());
        self.start.is_none_or(|start| site_id >= start)
            && (wanted.is_empty() || id.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted)))
    }
}

/// A question for readings with findings: those with `start <= timestamp < end`, from a place on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnomalyQuery {
    /// The site; `None` asks for all.
    pub site_id: Option<SiteId>,
    /// The first instant asked for.
    pub start: Timestamp,
    /// The first instant not asked for.
    pub end: Timestamp,
    /// The newest place that may be in the answer; `None` begins with the newest of all.
    pub from: Option<ReadingPlace>,
    /// The most readings to return.
    pub limit: usize,
}

/// Where a reading stands among those of all sites: by time, and of one instant by site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadingPlace {
    /// The start of its interval.
    pub timestamp: Timestamp,
    /// Its site.
    pub site_id: SiteId,
}

impl ReadingPlace {
    /// The place of a row.
    pub const fn of(row: &Row) -> Self {
        Self { timestamp: row.timestamp, site_id: row.site_id }
    }
}

/// A question for alerts: those with `start <= at < end`, from a place on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertQuery {
    /// The first instant asked for.
    pub start: Timestamp,
    /// The first instant not asked for.
    pub end: Timestamp,
    /// The newest place that may be in the answer; `None` begins with the newest of all.
    pub from: Option<AlertPlace>,
    /// The most alerts to return.
    pub limit: usize,
}

/// Where an alert stands among all: by time, and of one instant by id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlertPlace {
    /// The instant that it tells of.
    pub at: Timestamp,
    /// The text of its id.
    pub id: String,
}

impl AlertPlace {
    /// The place of an alert.
    pub fn of(alert: &Alert) -> Self {
        Self { at: alert.at, id: alert.id().to_string() }
    }
}

/// A question for all sites together: the buckets that begin at or after `start` and before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetQuery {
    /// How long a bucket is.
    pub resolution: Resolution,
    /// The first instant asked for, where a bucket begins.
    pub start: Timestamp,
    /// The first instant not asked for, where a bucket begins, or the last instant of all.
    pub end: Timestamp,
}

/// All sites together over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FleetSeries {
    /// Their sums.
    Sums {
        /// The buckets that any site has a reading in.
        buckets: BTreeMap<Timestamp, FleetBucket>,
        /// `None` when they are exact to the last row. Otherwise every reading up to this instant is in them.
        as_of: Option<Timestamp>,
    },
    /// The store would have to add up more hours than it does for one answer.
    TooLong {
        /// The hours of all sites in the range.
        site_hours: u64,
        /// The most that are added up.
        site_hours_max: u64,
    },
}

/// All sites together in one bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FleetBucket {
    /// How many sites have a reading in it.
    pub sites: u64,
    /// Their readings.
    pub sums: Sums,
}

impl FleetQuery {
    /// The bucket that an hour belongs to, when it is asked for.
    pub fn bucket_of(&self, hour: Hour) -> Option<Timestamp> {
        let bucket = self.resolution.start_of(hour.start());
        (self.start <= bucket && bucket < self.end).then_some(bucket)
    }

    /// Adds the hours of one site, all of them at once, to the buckets that are asked for.
    pub fn add_site(
        &self,
        buckets: &mut BTreeMap<Timestamp, FleetBucket>,
        hours: impl IntoIterator<Item = (Hour, HourTotals)>,
    ) {
        let mut touched = BTreeSet::new();
        for (hour, totals) in hours {
            let Some(start) = self.bucket_of(hour) else { continue };
            let bucket = buckets.entry(start).or_default();
            bucket.sites += u64::from(touched.insert(start));
            bucket.sums.add(&totals);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_found_by_any_part_of_its_id_in_any_case() {
        let asks = |contains: &str, start: &str, id: &str| {
            let start = SiteId::new(start).ok();
            SiteQuery { start, contains: contains.to_owned(), limit: 1 }.asks_for(id.parse().unwrap())
        };
        for part in ["", "h", "home-01", "OME", "-0", "1"] {
            assert!(asks(part, "", "home-01"), "{part}");
        }
        for other in ["home-02", "home-011", "ö", "x"] {
            assert!(!asks(other, "", "home-01"), "{other}");
        }
        assert!(asks("", "home-01", "home-01") && !asks("", "home-02", "home-01"));
    }
}
