//! [`Producer`] and [`Stream`] over [`Shards`](crate::Shards).

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use wattstream_domain::{SequenceNumber, ShardId};
use wattstream_engine::ports::{NewRecord, Producer, Shard, ShardRead, Stream};
use wattstream_engine::{Error, Kind, Result};

use super::MemoryStore;

/// The polling interval of [`Stream::wait`].
const WAIT_MAX: Duration = Duration::from_secs(1);

impl Producer for MemoryStore {
    async fn append(&self, records: Vec<NewRecord>) -> Result<()> {
        for record in records {
            let shard = self.lock().stream.append(record);
            self.appended(shard).notify_one();
        }
        Ok(())
    }
}

impl Stream for MemoryStore {
    async fn shards(&self) -> Result<Vec<Shard>> {
        Ok(self.lock().stream.list())
    }

    async fn read(&self, shard: ShardId, after: Option<SequenceNumber>, limit: usize) -> Result<ShardRead> {
        let found = self.lock().stream.read(shard, after, limit);
        found.ok_or_else(|| Error::bare(Kind::Broken, "reading a shard that does not exist"))
    }

    /// There is one waiter a shard. An append that comes between its read and its wait is not missed: the notification
    /// keeps.
    async fn wait(&self, shard: ShardId) {
        let appended = self.appended(shard);
        // Whether it was notified or the interval has passed makes no difference to the caller.
        let _ = tokio::time::timeout(WAIT_MAX, appended.notified()).await;
    }
}

impl MemoryStore {
    fn appended(&self, shard: ShardId) -> Arc<Notify> {
        let mut appended = self.appended.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(appended.entry(shard).or_default())
    }
}
