//! [`Consumption`]: how far the consumer has read the stream.
//!
//! Lambda keeps that to itself; but the consumer leaves the number of its last record at each shard. The first record after it is
//! the oldest that nobody has processed: everything that arrived before it is in the tables.
//!
//! What must always hold: an answer is never later than the arrival of a record that is there to be read and was not processed.
//! (A `GetRecords` may come back empty where the next record is hours of nothing away; a consumer that lags behind such a gap is
//! taken to be at the end. The alarm on the age of its iterator is what tells of that.)

use futures::{StreamExt, TryStreamExt, stream};
use wattstream_domain::{ShardId, Timestamp};
use wattstream_engine::Result;
use wattstream_engine::ports::{Stream, Tables};

/// The shards that are looked at together, each with one read of a table and two of the stream.
pub const SHARDS_AT_ONCE_MAX: usize = 16;

/// A stream, and the marks that its consumer leaves.
#[derive(Clone, Debug)]
pub struct Consumption<S, T> {
    stream: S,
    tables: T,
}

impl<S: Stream, T: Tables> Consumption<S, T> {
    /// The consumption of `stream`, whose marks are in `tables`.
    pub fn new(stream: S, tables: T) -> Self {
        Self { stream, tables }
    }

    /// The instant up to which everything that arrived has been processed, in every shard; at most `now`.
    pub async fn until(&self, now: Timestamp) -> Result<Timestamp> {
        let shards = self.stream.shards().await?;
        stream::iter(shards)
            .map(|shard| self.until_in(shard.id, now))
            .buffer_unordered(SHARDS_AT_ONCE_MAX)
            .try_fold(now, async |earliest, until| Ok(earliest.min(until)))
            .await
    }

    async fn until_in(&self, shard: ShardId, now: Timestamp) -> Result<Timestamp> {
        let mark = self.tables.shard_mark(shard).await?;
        let unread = self.stream.read(shard, mark.map(|mark| mark.sequence), 1).await?;
        Ok(unread.records.first().map_or(now, |oldest| oldest.arrival.min(now)))
    }
}
