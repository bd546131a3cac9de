//! Tables and what is asked of them, as the contract wants them: in one type.

use std::ops::RangeInclusive;

use wattstream_aws::{AwsQueries, Clients, DynamoDb, LocalEndpoints, SqsDeadLetters, TableNames};
use wattstream_domain::{Alert, HourRow, OpenSilence, Position, Row, RowWrite, ShardId, SiteId, SiteState};
use wattstream_engine::ports::{
    AlertPlace, AlertQuery, Alerts, AnomalyQuery, Commit, Failures, FleetQueries, FleetQuery, FleetSeries,
    HourQuery, LiveQueries, Page, Queries, ReadingPlace, RowQuery, RowRange, ShardMark, Silences, SiteQuery,
    Sites, Snapshot, Tables,
};
use wattstream_engine::{DeadLetter, LiveFeed, Result};

/// The tables of one test.
pub(crate) struct Store {
    pub(crate) tables: DynamoDb,
    queries: AwsQueries,
}

impl Store {
    /// Empty tables at a local DynamoDB. Nobody asks for dead letters, and there is no queue of them.
    pub(crate) async fn create(url: &str) -> Self {
        let clients = Clients::of_local_aws(&LocalEndpoints::all_at(url)).await;
        let names = TableNames::with_prefix(&format!("test-{:032x}-", rand::random::<u128>()));
        let tables = DynamoDb::new(&clients, names);
        tables.create_tables().await.expect("tables are created");
        let queries = AwsQueries::new(tables.clone(), SqsDeadLetters::new(&clients, url));
        Self { tables, queries }
    }
}

/// The tables `test-readings` and so on at a server that has them.
pub(crate) async fn tables_at(url: &str) -> DynamoDb {
    let clients = Clients::of_local_aws(&LocalEndpoints::all_at(url)).await;
    DynamoDb::new(&clients, TableNames::with_prefix("test-"))
}

impl Tables for Store {
    async fn snapshots(&self, sites: &[SiteId]) -> Result<Vec<Option<Snapshot>>> {
        self.tables.snapshots(sites).await
    }

    async fn rows(&self, ranges: &[RowRange]) -> Result<Vec<Vec<Row>>> {
        self.tables.rows(ranges).await
    }

    async fn put_rows(&self, rows: &[RowWrite]) -> Failures {
        self.tables.put_rows(rows).await
    }

    async fn put_hours(&self, hours: &[HourRow]) -> Failures {
        self.tables.put_hours(hours).await
    }

    async fn commit(&self, commits: &[Commit<'_>]) -> Failures {
        self.tables.commit(commits).await
    }

    async fn shard_mark(&self, shard: ShardId) -> Result<Option<ShardMark>> {
        self.tables.shard_mark(shard).await
    }

    async fn put_shard_mark(&self, mark: &ShardMark) -> Result<()> {
        self.tables.put_shard_mark(mark).await
    }
}

impl Queries for Store {
    async fn sites(&self) -> Result<Sites> {
        self.queries.sites().await
    }

    async fn site(&self, site_id: SiteId) -> Result<Option<SiteState>> {
        self.queries.site(site_id).await
    }

    async fn row_page(&self, query: RowQuery) -> Result<Page<Row>> {
        self.queries.row_page(query).await
    }

    async fn hour_page(&self, query: HourQuery) -> Result<Page<HourRow>> {
        self.queries.hour_page(query).await
    }

    async fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        self.queries.newest_alerts(limit).await
    }

    async fn dead_letter_page(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>> {
        self.queries.dead_letter_page(after, limit).await
    }
}

impl FleetQueries for Store {
    async fn site_page(&self, query: SiteQuery) -> Result<Page<SiteState, SiteId>> {
        self.queries.site_page(query).await
    }

    async fn silences_of(&self, sites: RangeInclusive<SiteId>) -> Result<Vec<OpenSilence>> {
        self.queries.silences_of(sites).await
    }

    async fn fleet_series(&self, query: FleetQuery) -> Result<FleetSeries> {
        self.queries.fleet_series(query).await
    }

    async fn anomaly_page(&self, query: AnomalyQuery) -> Result<Page<Row, ReadingPlace>> {
        self.queries.anomaly_page(query).await
    }

    async fn alert_page(&self, query: AlertQuery) -> Result<Page<Alert, AlertPlace>> {
        self.queries.alert_page(query).await
    }
}

impl LiveQueries for Store {
    async fn newest_rows(&self, site_id: Option<SiteId>, limit: usize) -> Result<Vec<Row>> {
        self.queries.newest_rows(site_id, limit).await
    }

    fn live_feed(&self) -> Option<&LiveFeed> {
        self.queries.live_feed()
    }
}

impl Alerts for Store {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<()>> {
        self.tables.publish(alerts).await
    }
}

impl Silences for Store {
    async fn open_silences(&self) -> Result<Vec<OpenSilence>> {
        self.tables.open_silences().await
    }

    async fn put_silences(&self, silences: &[OpenSilence]) -> Result<()> {
        self.tables.put_silences(silences).await
    }

    async fn remove_silences(&self, silences: &[OpenSilence]) -> Result<()> {
        self.tables.remove_silences(silences).await
    }
}
