//! The pipeline on one machine: log, event source, processor, tables, archive and retention over one store.
//!
//! What must always hold: the pipeline runs on threads of its own, because its ports block; a server beside it keeps
//! answering. Stopping finishes the batch in flight and writes the archive; whatever the log holds beyond that is
//! consumed at the next start.

mod silence;

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wattstream_domain::Timestamp;
use wattstream_embedded::{Archive, ArchiveSettings, Archiver, Clock, Store, StoreSettings};
use wattstream_engine::ports::{Checkpoint, Checkpoints, InstanceId, NewRecord, Producer, Stream};
use wattstream_engine::{
    BATCH_BYTES_MAX, BATCH_RECORDS_MAX, Drained, EventSource, EventSourcePorts, EventSourceSettings,
    EventSourceStatus, Processor, ProcessorSettings, SilencePorts, SilenceWatch, SnapshotPolicy,
};

use crate::commands::LocalAlerts;

/// The partition key of lines that name no site: they share a shard, and so their order.
pub(crate) const UNREADABLE_KEY: &str = "unreadable";

/// Threads of the pipeline. Each has a batch in hand or waits for the disk; more than the cores gain nothing.
const THREADS: usize = 2;
/// How long records stay in the log once they are consumed and archived: as long as Kinesis keeps them by default.
const LOG_RETENTION_MS: i64 = 24 * 3_600_000;
/// How often the archive and the retention look for work.
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(5);
/// How often the end of the log is looked for while the pipeline drains.
const DRAIN_POLL: Duration = Duration::from_millis(5);

/// The wall clock, which is the only one here. A clock before 1970 or after 2099 reads as the nearest of those.
pub(crate) fn system_clock() -> Clock {
    Arc::new(|| {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::MIN.saturating_add_ms(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
    })
}

/// The settings that every command opens a store with.
pub(crate) fn store_settings(shards: Option<u32>) -> StoreSettings {
    StoreSettings { shards, clock: system_clock() }
}

type LocalProcessor = Processor<Store, Store, LocalAlerts>;

/// As Lambda would be set for this stream, without a window: a record that waits for company is seen later, and a batch
/// costs no request. Retries do not end: a record that is given up after its row was written would leave that row
/// outside of the totals. A shard that cannot go on shows in its lag, and the log keeps its records.
const EVENT_SOURCE_SETTINGS: EventSourceSettings = EventSourceSettings {
    batch_records_max: BATCH_RECORDS_MAX,
    batch_window: Duration::ZERO,
    batch_bytes_max: BATCH_BYTES_MAX,
    retry_attempts_max: None,
    bisect_on_error: true,
    record_age_max: None,
    invocation_timeout: Duration::from_secs(60),
    shutdown_wait_max: Duration::from_secs(10),
    jitter_seed: 0,
};

/// A running pipeline.
pub struct Pipeline {
    store: Store,
    archiver: Archiver,
    status: EventSourceStatus,
    cancelled: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    runtime: Runtime,
}

/// Who is told of what.
#[derive(Clone, Debug, Default)]
pub struct AlertSettings {
    /// Where every alert is posted as JSON.
    pub webhook: Option<String>,
    /// The intervals of its own after which a site counts as silent; nobody looks for silent sites without it.
    pub silent_after: Option<NonZeroU32>,
}

/// Tells how far the pipeline is behind, from any thread.
#[derive(Clone, Debug)]
pub struct LagProbe(EventSourceStatus);

impl LagProbe {
    /// The lag of the slowest shard, in milliseconds.
    pub fn lag_ms(&self) -> u64 {
        self.0.snapshot().shards.values().filter_map(|shard| shard.lag_ms).max().unwrap_or(0)
    }
}

impl Pipeline {
    /// Opens or creates the store in `data_dir` and starts to consume its log.
    pub fn open(data_dir: &Path, shards: Option<u32>) -> anyhow::Result<Self> {
        Self::open_with(data_dir, shards, AlertSettings::default())
    }

    /// As [`Pipeline::open`], for a pipeline that runs until it is stopped.
    pub fn open_with(data_dir: &Path, shards: Option<u32>, settings: AlertSettings) -> anyhow::Result<Self> {
        let store = Store::open(data_dir, store_settings(shards))?;
        let archive = Archive::local(store.archive_dir())?;
        let archiver = Archiver::new(store.clone(), archive, ArchiveSettings::default());
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("wattstream-pipeline")
            .enable_all()
            .build()
            .context("starting the threads of the pipeline")?;
        let alerts = LocalAlerts::new(store.clone(), settings.webhook);
        let processor_settings = ProcessorSettings {
            instance: instance_id(),
            snapshot_policy: SnapshotPolicy::EveryBatch,
            is_cache_on: true,
        };
        let processor = Processor::new(store.clone(), store.clone(), alerts.clone(), processor_settings);
        let ports = EventSourcePorts {
            stream: store.clone(),
            checkpoints: store.clone(),
            consumer: processor,
            on_failure: store.clone(),
            clock: system_clock(),
        };
        let source = EventSource::new(ports, EVENT_SOURCE_SETTINGS)?;
        let (status, cancelled) = (source.status(), CancellationToken::new());
        let consuming = runtime.spawn(consume(source, cancelled.clone()));
        let keeping = runtime.spawn(keep_house(store.clone(), archiver.clone(), cancelled.clone()));
        let mut tasks = vec![consuming, keeping];
        if let Some(silent_after) = settings.silent_after {
            let ports = SilencePorts { queries: store.clone(), silences: store.clone(), alerts };
            let watch = SilenceWatch::new(ports, silent_after);
            tasks.push(runtime.spawn(silence::look(watch, LagProbe(status.clone()), cancelled.clone())));
        }
        Ok(Self { store, archiver, status, cancelled, tasks, runtime })
    }

    /// The store under the pipeline.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How far it is behind.
    pub fn lag_probe(&self) -> LagProbe {
        LagProbe(self.status.clone())
    }

    /// Appends records; returns when they are durable.
    pub fn append(&self, records: Vec<NewRecord>) -> anyhow::Result<()> {
        Ok(self.block_on(self.store.append(records))?)
    }

    /// Runs something on the pipeline's threads.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Waits until the tables hold everything that the log holds.
    pub fn drain_tables(&self) -> anyhow::Result<()> {
        self.block_on(async {
            for shard in self.store.shards().await? {
                while !is_drained(&self.store, shard.id).await? {
                    tokio::time::sleep(DRAIN_POLL).await;
                }
            }
            Ok(())
        })
    }

    /// Waits until the tables and the archive hold everything that the log holds.
    pub fn drain(&self) -> anyhow::Result<()> {
        self.drain_tables()?;
        self.block_on(self.archiver.flush())?;
        Ok(())
    }

    /// Waits until everything is in the tables and in the archive, and stops.
    pub fn finish(self) -> anyhow::Result<()> {
        self.drain()?;
        self.stop()
    }

    /// Finishes the batches in flight, writes the archive and stops.
    pub fn stop(self) -> anyhow::Result<()> {
        self.cancelled.cancel();
        self.runtime.block_on(async {
            for task in self.tasks {
                task.await.context("stopping the pipeline")?;
            }
            self.archiver.flush().await.context("writing the archive")?;
            Ok(())
        })
    }
}

async fn consume(source: EventSource<Store, Store, LocalProcessor, Store>, cancelled: CancellationToken) {
    if source.run(cancelled.cancelled()).await == Drained::CutOff {
        tracing::warn!("A batch was cut off by the stop; it is consumed again at the next start.");
    }
}

async fn is_drained(store: &Store, shard: wattstream_domain::ShardId) -> anyhow::Result<bool> {
    let after = match store.checkpoint(shard).await? {
        Some(Checkpoint::At(sequence)) => Some(sequence),
        Some(Checkpoint::End) => return Ok(true),
        None => None,
    };
    Ok(store.read(shard, after, 1).await?.records.is_empty())
}

/// Writes the archive when it is due and trims the log, until cancelled.
async fn keep_house(store: Store, archiver: Archiver, cancelled: CancellationToken) {
    let clock = system_clock();
    loop {
        tokio::select! {
            () = tokio::time::sleep(HOUSEKEEPING_EVERY) => {}
            () = cancelled.cancelled() => return,
        }
        if let Err(error) = archiver.archive_due(clock()).await {
            tracing::warn!(%error, "The archive could not be written; the log keeps its records.");
        }
        if let Err(error) = store.trim_log(clock().saturating_add_ms(-LOG_RETENTION_MS)).await {
            tracing::warn!(%error, "The log could not be trimmed.");
        }
    }
}

/// A name that no other start of the process has.
fn instance_id() -> InstanceId {
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    InstanceId(format!("{}-{}", std::process::id(), started.as_nanos()))
}
