//! The ports: what the engine needs from the world. One machine and AWS each implement them once; the testkit's contract
//! suite runs against every implementation.
//!
//! Every write is idempotent, and every call may fail after it was applied. A port never retries beyond its own
//! deadline and never splits one entry.

mod fleet;
mod live;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::ops::RangeInclusive;

use bytes::Bytes;
use wattstream_domain::{
    Alert, HourRow, HourSums, OpenSilence, Position, Row, RowWrite, SequenceNumber, ShardId, SiteId,
    SiteState, Timestamp,
};

use crate::{Batch, BatchReply, DeadLetter, Error, Result, StreamRecord};

pub use fleet::{
    AlertPlace, AlertQuery, AnomalyQuery, FleetBucket, FleetQueries, FleetQuery, FleetSeries, ReadingPlace,
    SiteQuery,
};
pub use live::LiveQueries;

/// The projections: readings, hours, sites and shards.
pub trait Tables: Send + Sync {
    /// The stored snapshots of `sites`, in their order, read consistently. `sites` holds no id twice.
    fn snapshots(&self, sites: &[SiteId]) -> impl Future<Output = Result<Vec<Option<Snapshot>>>> + Send;

    /// The stored rows of each range, in the order of the ranges and ascending within, read consistently.
    fn rows(&self, ranges: &[RowRange]) -> impl Future<Output = Result<Vec<Vec<Row>>>> + Send;

    /// Writes rows, one a key. A write whose guard does not hold is a [`Kind::Conflict`](crate::Kind::Conflict) of its
    /// site and changes nothing.
    fn put_rows(&self, rows: &[RowWrite]) -> impl Future<Output = Failures> + Send;

    /// Writes hours, one a key, over what is stored.
    fn put_hours(&self, hours: &[HourRow]) -> impl Future<Output = Failures> + Send;

    /// Stores each state as version `expected_version + 1`, if what is stored has the expected version. Otherwise it is
    /// a [`Kind::Conflict`](crate::Kind::Conflict) of its site and changes nothing.
    fn commit(&self, commits: &[Commit<'_>]) -> impl Future<Output = Failures> + Send;

    /// The mark that the last finished batch of a shard left.
    fn shard_mark(&self, shard: ShardId) -> impl Future<Output = Result<Option<ShardMark>>> + Send;

    /// Leaves the mark of a finished batch. When this returns, everything written before it is durable.
    fn put_shard_mark(&self, mark: &ShardMark) -> impl Future<Output = Result<()>> + Send;
}

/// The sites whose writes failed, and why; empty when all went well.
pub type Failures = BTreeMap<SiteId, Error>;

/// A stored state and how many times it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The state.
    pub state: SiteState,
    /// 1 for the first.
    pub version: u64,
}

/// A state to store.
#[derive(Clone, Copy, Debug)]
pub struct Commit<'a> {
    /// The state.
    pub state: &'a SiteState,
    /// The version that must be stored; 0 when none.
    pub expected_version: u64,
}

/// Rows of one site from an instant to another, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowRange {
    /// The site.
    pub site_id: SiteId,
    /// The instants.
    pub timestamps: RangeInclusive<Timestamp>,
}

/// What a finished batch leaves at its shard, so that the same instance may go on with the states that it remembers.
/// Another instance puts its own name there before it writes anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardMark {
    /// The shard.
    pub shard: ShardId,
    /// The last record of the batch.
    pub sequence: SequenceNumber,
    /// The instance that finished it, or that took over since.
    pub instance: InstanceId,
}

/// The name of one running instance of the consumer; a new one at every start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InstanceId(pub String);

/// Where payloads go that cannot be read.
pub trait DeadLetters: Send + Sync {
    /// Keeps the letters, each once by its position. An error means that at least one was not kept.
    fn put(&self, letters: &[DeadLetter]) -> impl Future<Output = Result<()>> + Send;
}

/// Where alerts are published.
pub trait Alerts: Send + Sync {
    /// Publishes the alerts and answers for each, in their order. A second publication of one id changes nothing, or is
    /// recognised by that id at the receiver.
    fn publish(&self, alerts: &[Alert]) -> impl Future<Output = Vec<Result<()>>> + Send;
}

/// The silences that have begun and whose end has not been told. Each has a place of its own, named by its site and the
/// newest reading before it: one partition holds them all.
pub trait Silences: Send + Sync {
    /// The open silences, in any order, read consistently.
    fn open_silences(&self) -> impl Future<Output = Result<Vec<OpenSilence>>> + Send;

    /// Keeps silences, each over what its place holds. When this returns without an error, all of them are durable; with
    /// one, any of them may be.
    fn put_silences(&self, silences: &[OpenSilence]) -> impl Future<Output = Result<()>> + Send;

    /// Empties the places of these silences; one that is empty is no error. With an error, any of them may be.
    fn remove_silences(&self, silences: &[OpenSilence]) -> impl Future<Output = Result<()>> + Send;
}

/// The writing end of the stream.
pub trait Producer: Send + Sync {
    /// Appends the records, those of one partition key in their order. When this returns without an error, all of them
    /// are durable; with one, any of them may be.
    fn append(&self, records: Vec<NewRecord>) -> impl Future<Output = Result<()>> + Send;
}

/// A record for the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecord {
    /// Its hash chooses the shard; the site id for a reading.
    pub partition_key: String,
    /// The payload.
    pub data: Bytes,
}

/// The reading end of the stream.
pub trait Stream: Send + Sync {
    /// The shards that can be read, closed ones included until they expire.
    fn shards(&self) -> impl Future<Output = Result<Vec<Shard>>> + Send;

    /// At most `limit` records of a shard after `after`, or from its oldest on.
    fn read(
        &self,
        shard: ShardId,
        after: Option<SequenceNumber>,
        limit: usize,
    ) -> impl Future<Output = Result<ShardRead>> + Send;

    /// Returns when there may be something to read in a shard; at the latest after the implementation's polling interval.
    fn wait(&self, shard: ShardId) -> impl Future<Output = ()> + Send;
}

/// A shard and the closed shards that it continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Its number.
    pub id: ShardId,
    /// The shards it was split or merged from. They are read to their end before it. One that is no longer listed has
    /// expired.
    pub parents: Vec<ShardId>,
}

/// What a read of a shard found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardRead {
    /// The records, in order.
    pub records: Vec<StreamRecord>,
    /// Whether the shard is closed and these were its last records.
    pub is_end: bool,
}

/// How far the event source has come.
pub trait Checkpoints: Send + Sync {
    /// The checkpoint of a shard.
    fn checkpoint(&self, shard: ShardId) -> impl Future<Output = Result<Option<Checkpoint>>> + Send;

    /// Moves the checkpoint of a shard.
    fn put_checkpoint(
        &self,
        shard: ShardId,
        checkpoint: Checkpoint,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// How far a shard has been consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    /// Up to this record.
    At(SequenceNumber),
    /// To its end: its children may be read.
    End,
}

/// What the event source delivers batches to.
pub trait Consumer: Send + Sync {
    /// Processes a batch. An error, like a panic, means that none of it was processed.
    fn consume(&self, batch: &Batch) -> impl Future<Output = Result<BatchReply>> + Send;
}

/// Where the event source reports records that it has given up.
pub trait OnFailure: Send + Sync {
    /// Reports them. The event source does not move on before this has succeeded.
    fn report(&self, given_up: &GivenUp) -> impl Future<Output = Result<()>> + Send;
}

/// Records that were delivered in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// The records, payloads included.
    pub batch: Batch,
    /// Why.
    pub condition: GivenUpCondition,
    /// How many times the consumer was called with them, counted from the last reply that cut them off from others:
    /// Lambda's `approximateInvokeCount`.
    pub invocations: u32,
}

/// Why the event source gives records up. The names are Lambda's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GivenUpCondition {
    /// The retries ran out.
    RetryAttemptsExhausted,
    /// The records became too old.
    RecordAgeExceeded,
}

/// The most sites whose states are brought up to the last row when all are asked for, where that takes a question for each:
/// 500 of them take a few hundred milliseconds. Of more, a store that keeps snapshots may answer with those alone.
pub const SITES_EXACT_MAX: usize = 500;

/// The reading side of the projections: what the API and the audit ask.
pub trait Queries: Send + Sync + 'static {
    /// The states of every site, ascending by id: exact to the last row for at most [`SITES_EXACT_MAX`] of them.
    fn sites(&self) -> impl Future<Output = Result<Sites>> + Send;

    /// The state of one site.
    fn site(&self, site_id: SiteId) -> impl Future<Output = Result<Option<SiteState>>> + Send;

    /// One page of a site's rows, ascending.
    fn row_page(&self, query: RowQuery) -> impl Future<Output = Result<Page<Row>>> + Send;

    /// One page of a site's closed hours, ascending.
    fn hour_page(&self, query: HourQuery) -> impl Future<Output = Result<Page<HourRow>>> + Send;

    /// The sums of the hours of [`hour_page`](Self::hour_page). A curve needs no more of an hour, and may need a year of them: a store
    /// that can read them for less than whole rows does.
    fn hour_sums_page(&self, query: HourQuery) -> impl Future<Output = Result<Page<HourSums>>> + Send {
        async move {
            let Page { entries, next_start } = self.hour_page(query).await?;
            Ok(Page { entries: entries.iter().map(HourSums::from).collect(), next_start })
        }
    }

    /// How often states were committed, counted once they are visible: while it stays the same, so do the states. `None` where nobody
    /// counts.
    fn states_version(&self) -> Option<u64> {
        None
    }

    /// The newest alerts of all sites, the newest first, at most `limit`.
    fn newest_alerts(&self, limit: usize) -> impl Future<Output = Result<Vec<Alert>>> + Send;

    /// One page of dead letters in the order of their keys, after the letter at `after`.
    fn dead_letter_page(
        &self,
        after: Option<Position>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<DeadLetter>>> + Send;
}

/// The states of every site, ascending by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sites {
    /// The states.
    pub states: Vec<SiteState>,
    /// Whether each is exact to its last row. Otherwise it may lack the rows after the newest reading that it has.
    pub is_exact: bool,
}

impl Sites {
    /// States that are exact to the last row.
    pub const fn exact(states: Vec<SiteState>) -> Self {
        Self { states, is_exact: true }
    }
}

/// The dead letters in the hands of a person, who reads one and decides what becomes of it.
pub trait DeadLetterAdmin: Send + Sync + 'static {
    /// The letter at a position.
    fn dead_letter(&self, position: Position) -> impl Future<Output = Result<Option<DeadLetter>>> + Send;

    /// Removes the letters at these positions; one that is not there is no error. When this returns without an error,
    /// none of them comes back.
    fn remove_dead_letters(&self, positions: &[Position]) -> impl Future<Output = Result<()>> + Send;
}

/// A question for rows: those with `start <= timestamp < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowQuery {
    /// The site.
    pub site_id: SiteId,
    /// The first instant asked for.
    pub start: Timestamp,
    /// The first instant not asked for.
    pub end: Timestamp,
    /// Whether only rows with findings are asked for.
    pub anomalous_only: bool,
    /// The most rows to return.
    pub limit: usize,
}

/// A question for closed hours: those that begin at or after `start` and before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourQuery {
    /// The site.
    pub site_id: SiteId,
    /// The first instant asked for.
    pub start: Timestamp,
    /// The first instant not asked for.
    pub end: Timestamp,
    /// The most hours to return.
    pub limit: usize,
}

/// Part of an answer, whose entries have places of type `P`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, P = Timestamp> {
    /// The entries.
    pub entries: Vec<T>,
    /// Where the next page starts; `None` when this was the last.
    pub next_start: Option<P>,
}

impl<T, P> Page<T, P> {
    /// No entry, and no page after it.
    pub const fn empty() -> Self {
        Self { entries: Vec::new(), next_start: None }
    }

    /// The first `limit` of `entries`, and the place of the next one.
    pub fn of(entries: impl IntoIterator<Item = T>, limit: usize, place: impl Fn(&T) -> P) -> Self {
        let Ok(page) = Self::try_of(entries.into_iter().map(Ok::<_, Infallible>), limit, place);
        page
    }

    /// As [`Page::of`], up to the first error among the entries that it looks at.
    pub fn try_of<E>(
        entries: impl IntoIterator<Item = std::result::Result<T, E>>,
        limit: usize,
        place: impl Fn(&T) -> P,
    ) -> std::result::Result<Self, E> {
        let mut page = Self::empty();
        for entry in entries {
            let entry = entry?;
            if page.entries.len() == limit {
                page.next_start = Some(place(&entry));
                break;
            }
            page.entries.push(entry);
        }
        Ok(page)
    }
}
