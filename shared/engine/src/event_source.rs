//! The in-process event source: Lambda's event source mapping for a Kinesis stream, over the ports.
//!
//! ```text
//!                    ┌─ shard 0: read ─► batch ─► consumer ─► checkpoint ─┐
//!   Stream::shards ─►├─ shard 1: ...         │                            ├─► shard at its end: its children
//!                    └─ ...                  └─► OnFailure ─► checkpoint ─┘
//! ```
//!
//! What must always hold:
//! - Delivery is at least once. A checkpoint passes a record only when the consumer has acknowledged it or [`OnFailure`]
//!   has taken it; a lost checkpoint means a second delivery and nothing else.
//! - A shard has one batch in flight; shards run side by side; a child shard begins after its parents.
//! - A failure of the consumer, a panic included, costs its batch another delivery and leaves other shards alone.
//! - [`delivery`] alone decides what a reply means, [`lineage`] alone which shard may be read. Both are pure.
//! - Time for windows and waits is monotonic; the wall clock is used for ages alone, and comes from the caller.

mod backoff;
mod batch_buffer;
mod delivery;
mod lineage;
mod settings;
mod shard_consumer;
mod status;

pub use backoff::{RETRY_DELAY_FIRST, RETRY_DELAY_MAX};
pub use settings::{
    BATCH_BYTES_MAX, BATCH_RECORDS_MAX, BATCH_WINDOW_MAX, EventSourceSettings, EventSourceSettingsError,
    INVOCATION_TIMEOUT_MAX, RECORD_AGE_MAX, RECORD_AGE_MIN, RETRY_ATTEMPTS_MAX,
};
pub use status::{EventSourceStatus, Operation, Retrying, ShardStatus, StatusSnapshot};

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use wattstream_domain::{SequenceNumber, ShardId, Timestamp};

use crate::Result;
use crate::ports::{Checkpoints, Consumer, OnFailure, Stream};

use backoff::{jitter, retry_delay};
use lineage::Lineage;
use shard_consumer::{Assignment, Ended, ShardConsumer, tell_failure};

/// How often the event source looks for new shards. The children of a shard are found at once when it ends.
pub const SHARD_DISCOVERY_INTERVAL: Duration = Duration::from_secs(10);

/// The present, as the wall clock has it.
pub type WallClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The world of an event source.
pub struct EventSourcePorts<S, P, C, F> {
    /// What is read.
    pub stream: S,
    /// How far.
    pub checkpoints: P,
    /// Who consumes it.
    pub consumer: C,
    /// Where records go that the consumer cannot process in time.
    pub on_failure: F,
    /// The wall clock, for the ages of records.
    pub clock: WallClock,
}

/// The event source of one stream.
pub struct EventSource<S, P, C, F> {
    ports: Arc<EventSourcePorts<S, P, C, F>>,
    settings: EventSourceSettings,
    status: EventSourceStatus,
    lineage: Lineage,
    /// The shards that are being read.
    readers: JoinSet<(ShardId, Ended)>,
    /// What ends the reading of each of them.
    stops: BTreeMap<ShardId, CancellationToken>,
    stop: CancellationToken,
}

/// How an event source came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Drained {
    /// Every batch in flight was finished.
    Completely,
    /// A batch was cut off after [`EventSourceSettings::shutdown_wait_max`]; it will be delivered again.
    CutOff,
}

impl<S, P, C, F> EventSource<S, P, C, F>
where
    S: Stream + 'static,
    P: Checkpoints + 'static,
    C: Consumer + 'static,
    F: OnFailure + 'static,
{
    /// An event source over these ports, or the setting that is out of its range.
    pub fn new(
        ports: EventSourcePorts<S, P, C, F>,
        settings: EventSourceSettings,
    ) -> std::result::Result<Self, EventSourceSettingsError> {
        settings.check()?;
        Ok(Self {
            ports: Arc::new(ports),
            settings,
            status: EventSourceStatus::default(),
            lineage: Lineage::default(),
            readers: JoinSet::new(),
            stops: BTreeMap::new(),
            stop: CancellationToken::new(),
        })
    }

    /// A handle on how it fares.
    pub fn status(&self) -> EventSourceStatus {
        self.status.clone()
    }

    /// Delivers the stream until `shutdown` completes; then finishes the batches in flight and returns. Everything else
    /// is tried again for as long as it takes. Runs on a tokio runtime with its timer on.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> Drained {
        let mut shutdown = pin!(shutdown);
        loop {
            let interval = tokio::select! {
                biased;
                () = &mut shutdown => break,
                interval = self.discover() => interval,
            };
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(Ok((shard, ended))) = self.readers.join_next() => self.note_end(shard, ended),
                () = sleep(interval) => {}
            }
        }
        self.drain().await
    }

    /// Starts every shard that may be read. Returns how long to wait before looking again.
    async fn discover(&mut self) -> Duration {
        let Err(error) = self.start_ready_shards().await else {
            self.status.recover_discovery();
            return SHARD_DISCOVERY_INTERVAL;
        };
        let attempt = self.status.fail_discovery((self.ports.clock)());
        tell_failure("all", Operation::Discover, attempt, &error);
        retry_delay(attempt, jitter(self.settings.jitter_seed, None, attempt))
    }

    async fn start_ready_shards(&mut self) -> Result<()> {
        let listed = self.ports.stream.shards().await?;
        for expired in self.lineage.retain(&listed) {
            self.stops.get(&expired).inspect(|stop| stop.cancel());
        }
        for shard in self.lineage.unknown(&listed) {
            let checkpoint = self.ports.checkpoints.checkpoint(shard).await?;
            self.lineage.learn(shard, checkpoint);
            self.status.update(shard, |status| status.checkpoint = checkpoint);
        }
        self.status.retain(|shard| self.lineage.knows(shard));
        for (shard, after) in self.lineage.start_ready(&listed) {
            self.start(shard, after);
        }
        Ok(())
    }

    fn start(&mut self, shard: ShardId, after: Option<SequenceNumber>) {
        let stop_reading = self.stop.child_token();
        self.stops.insert(shard, stop_reading.clone());
        let (stop, status) = (self.stop.clone(), self.status.clone());
        let assignment = Assignment { shard, after, stop, stop_reading, status };
        let consumer = ShardConsumer::new(Arc::clone(&self.ports), self.settings, assignment);
        self.readers.spawn(async move { (shard, consumer.run().await) });
    }

    fn note_end(&mut self, shard: ShardId, ended: Ended) {
        self.stops.remove(&shard);
        match ended {
            Ended::Closed => self.lineage.end(shard),
            Ended::Expired | Ended::Stopped | Ended::Panicked => self.lineage.forget(shard),
        }
    }

    /// Lets the batches in flight finish, for a bounded time. What is cut off then is dropped at its next await.
    async fn drain(mut self) -> Drained {
        self.stop.cancel();
        let finish = async { while self.readers.join_next().await.is_some() {} };
        match timeout(self.settings.shutdown_wait_max, finish).await {
            Ok(()) => Drained::Completely,
            Err(_) => Drained::CutOff,
        }
    }
}

#[cfg(test)]
mod tests;
