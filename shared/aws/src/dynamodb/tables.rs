//! [`Tables`].

use futures::future::join;
use wattstream_domain::{Guard, HourRow, Row, RowWrite, ShardId, SiteId};
use wattstream_engine::ports::{Commit, Failures, RowRange, ShardMark, Snapshot, Tables};
use wattstream_engine::{Error, Kind, Result};

use super::reads::{Order, Question, text};
use super::schema::{SITE_ID, TIMESTAMP};
use super::{DynamoDb, decode};

impl Tables for DynamoDb {
    async fn snapshots(&self, sites: &[SiteId]) -> Result<Vec<Option<Snapshot>>> {
        let items = self.site_items(sites).await?;
        let snapshot = |item| decode::site(item).map_err(|error| error.while_doing("reading states"));
        items.iter().map(|item| item.as_ref().map(snapshot).transpose()).collect()
    }

    async fn rows(&self, ranges: &[RowRange]) -> Result<Vec<Vec<Row>>> {
        // DynamoDB refuses a range that ends before it begins; there is nothing in it.
        let is_asked = |range: &&RowRange| !range.timestamps.is_empty();
        let questions: Vec<_> = ranges.iter().filter(is_asked).map(|range| self.rows_within(range)).collect();
        let mut answers = self.ask_all(&questions, decode::reading, "reading readings").await?.into_iter();
        let answer = |range: &RowRange| if is_asked(&range) { answers.next() } else { None };
        Ok(ranges.iter().map(answer).map(Option::unwrap_or_default).collect())
    }

    async fn put_rows(&self, rows: &[RowWrite]) -> Failures {
        let (free, guarded): (Vec<_>, Vec<_>) = rows.iter().partition(|write| write.guard == Guard::Any);
        let free: Vec<&Row> = free.into_iter().map(|write| &write.row).collect();
        let (of_free, of_guarded) =
            join(self.write_in_batches(&self.tables.readings, &free), self.put_guarded(&guarded)).await;
        let sites = free.iter().map(|row| row.site_id).chain(guarded.iter().map(|write| write.row.site_id));
        failures(sites, of_free.into_iter().chain(of_guarded))
    }

    async fn put_hours(&self, hours: &[HourRow]) -> Failures {
        let outcomes = self.write_in_batches(&self.tables.hours, hours).await;
        failures(hours.iter().map(|row| row.site_id), outcomes)
    }

    async fn commit(&self, commits: &[Commit<'_>]) -> Failures {
        let outcomes = self.put_commits(commits).await;
        failures(commits.iter().map(|commit| commit.state.site_id), outcomes)
    }

    async fn shard_mark(&self, shard: ShardId) -> Result<Option<ShardMark>> {
        let item = self.shard_item(shard).await?;
        let mark =
            |item| decode::shard(item).map_err(|error| error.while_doing("reading the mark of a shard"));
        item.as_ref().map(mark).transpose()
    }

    async fn put_shard_mark(&self, mark: &ShardMark) -> Result<()> {
        self.put_mark(mark).await
    }
}

impl DynamoDb {
    fn rows_within(&self, range: &RowRange) -> Question<'_> {
        Question {
            table: &self.tables.readings,
            index: None,
            partition: (SITE_ID, text(&range.site_id)),
            range: Some((TIMESTAMP, [text(range.timestamps.start()), text(range.timestamps.end())])),
            order: Order::Ascending,
            items_max: usize::MAX,
        }
    }
}

/// The sites whose writes failed. Of several errors of one site a passing one tells least: a conflict makes the engine load
/// again, and what is broken needs a person.
fn failures(
    sites: impl IntoIterator<Item = SiteId>,
    outcomes: impl IntoIterator<Item = Result<()>>,
) -> Failures {
    let mut failures = Failures::new();
    for (site_id, outcome) in sites.into_iter().zip(outcomes) {
        let Err(error) = outcome else { continue };
        let is_telling = |known: &Error| known.kind() != Kind::Retry;
        if !failures.get(&site_id).is_some_and(is_telling) {
            failures.insert(site_id, error);
        }
    }
    failures
}
