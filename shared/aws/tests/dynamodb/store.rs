//! The ports on DynamoDB alone, as the contract wants them: in one type.

use wattstream_aws::{Clients, DynamoDb, LocalEndpoints, TableNames};
use wattstream_domain::{Alert, HourRow, Position, Row, RowWrite, ShardId, SiteId, SiteState};
use wattstream_engine::ports::{
    Alerts, Commit, Failures, HourQuery, Page, Queries, RowQuery, RowRange, ShardMark, Snapshot, Tables,
};
use wattstream_engine::{DeadLetter, Error, Kind, Result};

/// The tables of one test.
pub(crate) struct Store(pub(crate) DynamoDb);

impl Store {
    /// Empty tables at a local DynamoDB.
    pub(crate) async fn create(url: &str) -> Self {
        let clients = Clients::of_local_aws(&LocalEndpoints::all_at(url)).await;
        let names = TableNames::with_prefix(&format!("test-{:032x}-", rand::random::<u128>()));
        let tables = DynamoDb::new(&clients, names);
        tables.create_tables().await.expect("tables are created");
        Self(tables)
    }
}

/// The tables `test-readings` and so on at a server that has them.
pub(crate) async fn tables_at(url: &str) -> DynamoDb {
    let clients = Clients::of_local_aws(&LocalEndpoints::all_at(url)).await;
    DynamoDb::new(&clients, TableNames::with_prefix("test-"))
}

impl Tables for Store {
    async fn snapshots(&self, sites: &[SiteId]) -> Result<Vec<Option<Snapshot>>> {
        self.0.snapshots(sites).await
    }

    async fn rows(&self, ranges: &[RowRange]) -> Result<Vec<Vec<Row>>> {
        self.0.rows(ranges).await
    }

    async fn put_rows(&self, rows: &[RowWrite]) -> Failures {
        self.0.put_rows(rows).await
    }

    async fn put_hours(&self, hours: &[HourRow]) -> Failures {
        self.0.put_hours(hours).await
    }

    async fn commit(&self, commits: &[Commit<'_>]) -> Failures {
        self.0.commit(commits).await
    }

    async fn shard_mark(&self, shard: ShardId) -> Result<Option<ShardMark>> {
        self.0.shard_mark(shard).await
    }

    async fn put_shard_mark(&self, mark: &ShardMark) -> Result<()> {
        self.0.put_shard_mark(mark).await
    }
}

impl Queries for Store {
    async fn sites(&self) -> Result<Vec<SiteState>> {
        self.0.sites().await
    }

    async fn site(&self, site_id: SiteId) -> Result<Option<SiteState>> {
        self.0.site(site_id).await
    }

    async fn row_page(&self, query: RowQuery) -> Result<Page<Row>> {
        self.0.row_page(query).await
    }

    async fn hour_page(&self, query: HourQuery) -> Result<Page<HourRow>> {
        self.0.hour_page(query).await
    }

    async fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        self.0.newest_alerts(limit).await
    }

    async fn dead_letter_page(&self, _: Option<Position>, _: usize) -> Result<Vec<DeadLetter>> {
        Err(Error::bare(Kind::Broken, "reading dead letters, which are not in DynamoDB"))
    }
}

impl Alerts for Store {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<()>> {
        self.0.publish(alerts).await
    }
}
