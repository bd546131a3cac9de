//! The real consumer, over ports that keep the requests instead of sending them.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::runtime::{Builder, Runtime};
use wattstream_aws::{commit_request, hour_requests, row_requests};
use wattstream_domain::{Alert, HourRow, Row, RowWrite, ShardId, SiteId};
use wattstream_engine::ports::{
    Alerts, Commit, DeadLetters, Failures, InstanceId, RowRange, ShardMark, Snapshot, Tables,
};
use wattstream_engine::{DeadLetter, Processor, ProcessorSettings, Result, SnapshotPolicy};
use wattstream_stream_consumer::StreamConsumer;

use crate::TABLE;

/// The bodies of the requests that a batch needs, in the form that the adapter for DynamoDB sends.
#[derive(Clone, Debug, Default)]
struct Requests(Arc<Mutex<Built>>);

#[derive(Debug, Default)]
struct Built {
    readings: Vec<Bytes>,
    others: Vec<Bytes>,
    mark: Option<ShardMark>,
}

/// A warm consumer.
pub(crate) struct Ours {
    consumer: StreamConsumer<Processor<Requests, Requests, Requests>>,
    requests: Requests,
    runtime: Runtime,
}

impl Ours {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let requests = Requests::default();
        let settings = ProcessorSettings {
            instance: InstanceId("bench".to_owned()),
            snapshot_policy: SnapshotPolicy::WhenNeeded,
            is_cache_on: true,
        };
        let processor = Processor::new(requests.clone(), requests.clone(), requests.clone(), settings);
        let runtime = Builder::new_current_thread().build()?;
        Ok(Self { consumer: StreamConsumer::new(processor), requests, runtime })
    }

    /// The bodies of the requests that write the readings of an event.
    pub(crate) fn consume(&mut self, event: &str) -> anyhow::Result<Vec<Bytes>> {
        let event: Box<RawValue> = serde_json::from_str(event)?;
        self.runtime.block_on(self.consumer.handle(event))?;
        let mut built = self.requests.lock();
        built.others.clear();
        Ok(std::mem::take(&mut built.readings))
    }
}

impl Requests {
    fn lock(&self) -> std::sync::MutexGuard<'_, Built> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables for Requests {
    async fn snapshots(&self, sites: &[SiteId]) -> Result<Vec<Option<Snapshot>>> {
        Ok(sites.iter().map(|_| None).collect())
    }

    async fn rows(&self, ranges: &[RowRange]) -> Result<Vec<Vec<Row>>> {
        Ok(ranges.iter().map(|_| Vec::new()).collect())
    }

    async fn put_rows(&self, rows: &[RowWrite]) -> Failures {
        let rows: Vec<&Row> = rows.iter().map(|write| &write.row).collect();
        self.lock().readings.extend(row_requests(TABLE, &rows));
        Failures::new()
    }

    async fn put_hours(&self, hours: &[HourRow]) -> Failures {
        self.lock().others.extend(hour_requests("hours", hours));
        Failures::new()
    }

    async fn commit(&self, commits: &[Commit<'_>]) -> Failures {
        self.lock().others.extend(commits.iter().map(|commit| commit_request("sites", commit)));
        Failures::new()
    }

    async fn shard_mark(&self, _: ShardId) -> Result<Option<ShardMark>> {
        Ok(self.lock().mark.clone())
    }

    async fn put_shard_mark(&self, mark: &ShardMark) -> Result<()> {
        self.lock().mark = Some(mark.clone());
        Ok(())
    }
}

impl DeadLetters for Requests {
    async fn put(&self, letters: &[DeadLetter]) -> Result<()> {
        assert!(letters.is_empty(), "the events hold nothing that cannot be read: {letters:?}");
        Ok(())
    }
}

impl Alerts for Requests {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<()>> {
        alerts.iter().map(|_| Ok(())).collect()
    }
}
