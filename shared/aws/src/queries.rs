//! [`AwsQueries`]: everything that the API asks, in one type. The projections are in DynamoDB and the dead letters in SQS.

use std::ops::RangeInclusive;

use wattstream_domain::{Alert, HourRow, OpenSilence, Position, Row, SiteId, SiteState};
use wattstream_engine::ports::{
    AlertPlace, AlertQuery, AnomalyQuery, DeadLetterAdmin, FleetQueries, FleetQuery, FleetSeries, HourQuery,
    LiveQueries, Page, Queries, ReadingPlace, RowQuery, SiteQuery, Sites,
};
use wattstream_engine::{DeadLetter, LiveFeed, Result};

use crate::{DynamoDb, SqsDeadLetters};

/// The reading side of the tables and of the queue of dead letters.
#[derive(Debug)]
pub struct AwsQueries {
    tables: DynamoDb,
    dead_letters: SqsDeadLetters,
}

impl AwsQueries {
    /// Asks these tables and this queue.
    pub fn new(tables: DynamoDb, dead_letters: SqsDeadLetters) -> Self {
        Self { tables, dead_letters }
    }
}

impl Queries for AwsQueries {
    async fn sites(&self) -> Result<Sites> {
        self.tables.sites().await
    }

    async fn site(&self, site_id: SiteId) -> Result<Option<SiteState>> {
        self.tables.site(site_id).await
    }

    async fn row_page(&self, query: RowQuery) -> Result<Page<Row>> {
        self.tables.row_page(query).await
    }

    async fn hour_page(&self, query: HourQuery) -> Result<Page<HourRow>> {
        self.tables.hour_page(query).await
    }

    async fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        self.tables.newest_alerts(limit).await
    }

    async fn dead_letter_page(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>> {
        self.dead_letters.page(after, limit).await
    }
}

impl FleetQueries for AwsQueries {
    async fn site_page(&self, query: SiteQuery) -> Result<Page<SiteState, SiteId>> {
        self.tables.site_page(query).await
    }

    async fn silences_of(&self, sites: RangeInclusive<SiteId>) -> Result<Vec<OpenSilence>> {
        self.tables.silences_of(sites).await
    }

    async fn fleet_series(&self, query: FleetQuery) -> Result<FleetSeries> {
        self.tables.fleet_series(query).await
    }

    async fn anomaly_page(&self, query: AnomalyQuery) -> Result<Page<Row, ReadingPlace>> {
        self.tables.anomaly_page(query).await
    }

    async fn alert_page(&self, query: AlertQuery) -> Result<Page<Alert, AlertPlace>> {
        self.tables.alert_page(query).await
    }
}

impl LiveQueries for AwsQueries {
    async fn newest_rows(&self, site_id: Option<SiteId>, limit: usize) -> Result<Vec<Row>> {
        self.tables.newest_rows(site_id, limit).await
    }

    /// The tables are written by another function.
    fn live_feed(&self) -> Option<&LiveFeed> {
        None
    }
}

impl DeadLetterAdmin for AwsQueries {
    async fn dead_letter(&self, position: Position) -> Result<Option<DeadLetter>> {
        self.dead_letters.dead_letter(position).await
    }

    async fn remove_dead_letters(&self, positions: &[Position]) -> Result<()> {
        self.dead_letters.remove_dead_letters(positions).await
    }
}
