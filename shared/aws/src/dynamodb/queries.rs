//! What is asked of the projections: the methods of [`Queries`](wattstream_engine::ports::Queries) but the dead letters,
//! which are not in DynamoDB; [`AwsQueries`](crate::AwsQueries) has both.

mod fleet;
mod live;

use aws_sdk_dynamodb::types::AttributeValue;
use wattstream_domain::{Frontier, Hour, HourRow, Row, SiteId, SiteState, Timestamp, fold_tail};
use wattstream_engine::Result;
use wattstream_engine::ports::{HourQuery, Page, RowQuery, RowRange, SITES_EXACT_MAX, Sites, Tables};

use super::reads::{Order, Question, text};
use super::schema::{ANOMALIES_INDEX, ANOMALY_AT, FLEET, FLEET_INDEX, FLEETS, HOUR, SITE_ID, TIMESTAMP};
use super::{DynamoDb, decode};
use crate::deadline;

impl DynamoDb {
    /// The states of every site, ascending by id: exact to the last row for at most [`SITES_EXACT_MAX`] of them, as their
    /// snapshots have them for more.
    pub async fn sites(&self) -> Result<Sites> {
        deadline::keep("reading the states of all sites", self.read_sites()).await
    }

    /// The state of one site, exact to the last row.
    pub async fn site(&self, site_id: SiteId) -> Result<Option<SiteState>> {
        deadline::keep("reading the state of a site", self.read_site(site_id)).await
    }

    /// One page of a site's rows, ascending. Those with findings come from an index, which follows the table within a
    /// moment.
    pub async fn row_page(&self, query: RowQuery) -> Result<Page<Row>> {
        let (index, sort) =
            if query.anomalous_only { (Some(ANOMALIES_INDEX), ANOMALY_AT) } else { (None, TIMESTAMP) };
        let Some(last) = last_before(query.start, query.end) else { return Ok(Page::empty()) };
        let question = Question {
            table: &self.tables.readings,
            index,
            partition: (SITE_ID, text(&query.site_id)),
            range: Some((sort, [text(&query.start), text(&last)])),
            order: Order::Ascending,
            items_max: query.limit.saturating_add(1),
        };
        let rows = self.ask_one(question, decode::reading, "reading readings").await?;
        Ok(Page::of(rows, query.limit, |row| row.timestamp))
    }

    /// One page of a site's closed hours, ascending.
    pub async fn hour_page(&self, query: HourQuery) -> Result<Page<HourRow>> {
        let Some(last) = last_before(query.start, query.end) else { return Ok(Page::empty()) };
        let question = Question {
            table: &self.tables.hours,
            index: None,
            partition: (SITE_ID, text(&query.site_id)),
            range: Some((HOUR, [text(&query.start), text(&last)])),
            order: Order::Ascending,
            items_max: query.limit.saturating_add(1),
        };
        let hours = self.ask_one(question, decode::hour, "reading hours").await?;
        Ok(Page::of(hours, query.limit, |row| Hour::start(row.hour)))
    }

    async fn read_sites(&self) -> Result<Sites> {
        let sites = self.listed_sites().await?;
        let snapshots = self.snapshots(&sites).await?;
        let states = snapshots.into_iter().flatten().map(|snapshot| snapshot.state).collect();
        if sites.len() > SITES_EXACT_MAX {
            return Ok(Sites { states, is_exact: false });
        }
        self.with_tails(states).await.map(Sites::exact)
    }

    async fn read_site(&self, site_id: SiteId) -> Result<Option<SiteState>> {
        let snapshot = self.snapshots(&[site_id]).await?.pop().flatten();
        let state = snapshot.map_or_else(|| SiteState::new(site_id), |snapshot| snapshot.state);
        let state = self.with_tails(vec![state]).await?.pop();
        Ok(state.filter(|state| state.totals.records > 0))
    }

    /// The ids of the sites that have a snapshot, ascending.
    async fn listed_sites(&self) -> Result<Vec<SiteId>> {
        let of_fleet = |fleet| Question {
            index: Some(FLEET_INDEX),
            ..fleet_question(&self.tables.sites, fleet, Order::Ascending, usize::MAX)
        };
        let questions: Vec<_> = (0..FLEETS).map(of_fleet).collect();
        let mut sites = self.ask_all(&questions, decode::site_id, "listing the sites").await?.concat();
        sites.sort_unstable();
        Ok(sites)
    }

    /// The states, with the rows folded in that are newer than they.
    async fn with_tails(&self, mut states: Vec<SiteState>) -> Result<Vec<SiteState>> {
        let tails = self.rows(&states.iter().map(tail_of).collect::<Vec<_>>()).await?;
        for (state, tail) in states.iter_mut().zip(tails) {
            fold_tail(state, tail, &Frontier::none());
        }
        Ok(states)
    }
}

/// A question for all of a fleet.
pub(super) fn fleet_question(table: &str, fleet: u8, order: Order, items_max: usize) -> Question<'_> {
    let partition = (FLEET, AttributeValue::N(fleet.to_string()));
    Question { table, index: None, partition, range: None, order, items_max }
}

/// The rows after the newest that a state has folded.
fn tail_of(state: &SiteState) -> RowRange {
    let first = state.totals.last_seen.map_or(Timestamp::MIN, |newest| newest.saturating_add_ms(1));
    RowRange { site_id: state.site_id, timestamps: first..=Timestamp::MAX }
}

/// The last instant of `start <= t < end`, if there is one.
fn last_before(start: Timestamp, end: Timestamp) -> Option<Timestamp> {
    (start < end).then(|| end.saturating_add_ms(-1))
}
