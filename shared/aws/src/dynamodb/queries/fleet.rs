//! What the API asks over all sites: the methods of [`FleetQueries`](wattstream_engine::ports::FleetQueries).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use aws_sdk_dynamodb::types::AttributeValue;
use wattstream_domain::{Alert, OpenSilence, Phase, Resolution, Row, SiteId, SiteState, Timestamp};
use wattstream_engine::Result;
use wattstream_engine::ports::{
    AlertPlace, AlertQuery, AnomalyQuery, FleetQuery, FleetSeries, Page, ReadingPlace, SiteQuery, Sites,
    Tables,
};

use super::fleet_question;
use crate::deadline;
use crate::dynamodb::reads::{Order, Question, text};
use crate::dynamodb::schema::{
    ALERT_AT, ANOMALIES_INDEX, ANOMALY_AT, ANOMALY_FLEET, ANOMALY_PLACE, FLEET_ANOMALIES_INDEX, FLEET_INDEX,
    FLEETS, HOUR, PHASE, SILENCE_AFTER, SITE_ID,
};
use crate::dynamodb::{DynamoDb, decode, encode};

/// The most hours of all sites that are added up for one answer: 20 sites over a year, or 270 over a month. They are some 70 MB of
/// items and 17,000 read units, and take a function of one core several seconds.
const SITE_HOURS_MAX: u64 = 200_000;

/// The sites whose hours are in memory at one time.
const SITES_AT_ONCE_MAX: usize = 64;

/// Text that stands after every site's id.
const AFTER_EVERY_SITE: &str = "~";

impl DynamoDb {
    /// One page of the states of the sites, ascending by id, each exact to its last row. The list of their ids is an index,
    /// which follows the table within a moment.
    pub async fn site_page(&self, query: SiteQuery) -> Result<Page<SiteState, SiteId>> {
        deadline::keep("reading a page of sites", self.read_site_page(query)).await
    }

    /// The open silences of the sites from one to another, both included, ascending by site.
    pub async fn silences_of(&self, sites: RangeInclusive<SiteId>) -> Result<Vec<OpenSilence>> {
        // No site's id has a character before `#`, which ends the id in a silence's place; `$` is the one after it.
        let places = [format!("{}#", sites.start()), format!("{}$", sites.end())];
        let question = Question {
            table: &self.tables.silences,
            index: None,
            partition: (PHASE, text(&Phase::Opened.name())),
            range: (!sites.is_empty()).then(|| (SILENCE_AFTER, places.each_ref().map(text))),
            order: Order::Ascending,
            items_max: if sites.is_empty() { 0 } else { usize::MAX },
        };
        self.ask_one(question, decode::silence, "reading silences").await
    }

    /// All sites together, added up from their hours: a transaction that kept these sums would cost each of a batch's hours a
    /// write of one hot item.
    pub async fn fleet_series(&self, query: FleetQuery) -> Result<FleetSeries> {
        deadline::keep("adding up the hours of all sites", self.add_up(query)).await
    }

    async fn add_up(&self, query: FleetQuery) -> Result<FleetSeries> {
        // The sites before their hours: an hour that closes in between is in both, and never in neither.
        let Sites { states, is_exact } = self.sites().await?;
        let site_hours = states.iter().map(|state| hours_within(state, &query)).sum();
        if site_hours > SITE_HOURS_MAX {
            return Ok(FleetSeries::TooLong { site_hours, site_hours_max: SITE_HOURS_MAX });
        }
        let mut buckets = BTreeMap::new();
        for states in states.chunks(SITES_AT_ONCE_MAX) {
            let questions: Vec<_> = states.iter().map(|state| self.hours_of(state, &query)).collect();
            let hours = self.ask_all(&questions, decode::hour, "reading hours").await?;
            for (state, hours) in states.iter().zip(hours) {
                let mut hours: BTreeMap<_, _> = hours.iter().map(|row| (row.hour, row.totals)).collect();
                hours.extend(state.open_hour);
                query.add_site(&mut buckets, hours);
            }
        }
        let as_of =
            if is_exact { None } else { states.iter().filter_map(|state| state.totals.last_seen).min() };
        Ok(FleetSeries::Sums { buckets, as_of })
    }

    fn hours_of(&self, state: &SiteState, query: &FleetQuery) -> Question<'_> {
        let is_empty = hours_within(state, query) == 0;
        Question {
            table: &self.tables.hours,
            index: None,
            partition: (SITE_ID, text(&state.site_id)),
            range: (!is_empty).then(|| (HOUR, [text(&query.start), text(&last_instant(query))])),
            order: Order::Ascending,
            items_max: if is_empty { 0 } else { usize::MAX },
        }
    }

    /// One page of the readings with findings, the newest first, from an index, which follows the table within a moment.
    pub async fn anomaly_page(&self, query: AnomalyQuery) -> Result<Page<Row, ReadingPlace>> {
        if query.start >= query.end {
            return Ok(Page::empty());
        }
        let questions = match query.site_id {
            Some(site_id) => vec![self.anomalies_of(site_id, &query)],
            None => (0..FLEETS).map(|fleet| self.anomalies_in(fleet, &query)).collect(),
        };
        let mut rows = self.ask_all(&questions, decode::reading, "reading anomalies").await?.concat();
        rows.sort_by_key(|row| Reverse(ReadingPlace::of(row)));
        Ok(Page::of(rows, query.limit, ReadingPlace::of))
    }

    fn anomalies_of(&self, site_id: SiteId, query: &AnomalyQuery) -> Question<'_> {
        let last = query.from.map_or_else(|| query.end.saturating_add_ms(-1), |from| from.timestamp);
        Question {
            table: &self.tables.readings,
            index: Some(ANOMALIES_INDEX),
            partition: (SITE_ID, text(&site_id)),
            range: Some((ANOMALY_AT, [text(&query.start), text(&last)])),
            order: Order::Descending,
            items_max: query.limit.saturating_add(1),
        }
    }

    fn anomalies_in(&self, fleet: u8, query: &AnomalyQuery) -> Question<'_> {
        // An instant alone stands before all places of it.
        let last = query.from.map_or_else(|| query.end.to_string(), |from| encode::anomaly_place(&from));
        Question {
            table: &self.tables.readings,
            index: Some(FLEET_ANOMALIES_INDEX),
            partition: (ANOMALY_FLEET, AttributeValue::N(fleet.to_string())),
            range: Some((ANOMALY_PLACE, [text(&query.start), text(&last)])),
            order: Order::Descending,
            items_max: query.limit.saturating_add(1),
        }
    }

    /// One page of the alerts of all sites, the newest first.
    pub async fn alert_page(&self, query: AlertQuery) -> Result<Page<Alert, AlertPlace>> {
        if query.start >= query.end {
            return Ok(Page::empty());
        }
        let last = query.from.as_ref().map_or_else(|| query.end.to_string(), encode::alert_place);
        let of_fleet = |fleet| Question {
            range: Some((ALERT_AT, [text(&query.start), text(&last)])),
            ..fleet_question(&self.tables.alerts, fleet, Order::Descending, query.limit.saturating_add(1))
        };
        let questions: Vec<_> = (0..FLEETS).map(of_fleet).collect();
        let mut alerts = self.ask_all(&questions, decode::alert, "reading alerts").await?.concat();
        alerts.sort_by_cached_key(|alert| Reverse(AlertPlace::of(alert)));
        Ok(Page::of(alerts, query.limit, AlertPlace::of))
    }

    async fn read_site_page(&self, query: SiteQuery) -> Result<Page<SiteState, SiteId>> {
        let sites = self.listed_from(&query).await?;
        let Page { entries: sites, next_start } = Page::of(sites, query.limit, |site_id| *site_id);
        let snapshots = self.snapshots(&sites).await?;
        let states = snapshots.into_iter().flatten().map(|snapshot| snapshot.state).collect();
        Ok(Page { entries: self.with_tails(states).await?, next_start })
    }

    /// The ids that a question asks for, ascending: those of its page and the one after it, and perhaps more.
    pub(super) async fn listed_from(&self, query: &SiteQuery) -> Result<Vec<SiteId>> {
        // Which ids have a text in them only the ids can tell, and no fleet knows how many of a page are its own.
        let items_max = if query.contains.is_empty() { query.limit.saturating_add(1) } else { usize::MAX };
        let range = query.start.map(|start| (SITE_ID, [text(&start), text(&AFTER_EVERY_SITE)]));
        let of_fleet = |fleet| Question {
            index: Some(FLEET_INDEX),
            range: range.clone(),
            ..fleet_question(&self.tables.sites, fleet, Order::Ascending, items_max)
        };
        let questions: Vec<_> = (0..FLEETS).map(of_fleet).collect();
        let mut sites = self.ask_all(&questions, decode::site_id, "listing the sites").await?.concat();
        sites.retain(|&site_id| query.asks_for(site_id));
        sites.sort_unstable();
        Ok(sites)
    }
}

/// The hours between a site's first reading and its newest that are asked for.
fn hours_within(state: &SiteState, query: &FleetQuery) -> u64 {
    let (Some(first), Some(last)) = (state.totals.first_seen, state.totals.last_seen) else { return 0 };
    let (first, last) = (first.max(query.start), last.min(last_instant(query)));
    if first > last { 0 } else { Resolution::Hour.count(first, last) as u64 }
}

fn last_instant(query: &FleetQuery) -> Timestamp {
    query.end.saturating_add_ms(-1)
}
