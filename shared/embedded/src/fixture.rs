//! A store in a temporary folder, under a clock that the test sets, and values to put into it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;
use wattstream_domain::{
    Alert, Channel, Energy, Episode, Finding, Measure, Phase, Position, Row, Rule, Score, ShardId, SiteId,
    Subject, Timestamp, Version,
};
use wattstream_engine::StreamRecord;
use wattstream_engine::ports::{NewRecord, Producer, Stream};

use crate::{Clock, Store, StoreSettings};

/// 2025-06-20T00:00:00Z, where the clock of a fixture stands at first.
pub(crate) const START_MS: i64 = 1_750_377_600_000;

pub(crate) struct Fixture {
    dir: TempDir,
    now_ms: Arc<AtomicI64>,
    store: Option<Store>,
}

impl Fixture {
    /// A new store.
    pub(crate) fn with_shards(shards: u32) -> Self {
        let mut fixture = Self {
            dir: tempfile::tempdir().unwrap(),
            now_ms: Arc::new(AtomicI64::new(START_MS)),
            store: None,
        };
        fixture.store = Some(Store::open(fixture.dir(), fixture.settings(Some(shards))).unwrap());
        fixture
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    pub(crate) fn settings(&self, shards: Option<u32>) -> StoreSettings {
        let now_ms = Arc::clone(&self.now_ms);
        let clock: Clock = Arc::new(move || at(now_ms.load(Ordering::SeqCst)));
        StoreSettings { shards, clock }
    }

    /// Sets the clock to this many milliseconds after [`START_MS`].
    pub(crate) fn set_time(&self, after_start_ms: i64) {
        self.now_ms.store(START_MS + after_start_ms, Ordering::SeqCst);
    }

    /// Gives the store up, with the folder as a process leaves it that ends here.
    pub(crate) fn close(&mut self) {
        self.store = None;
    }

    pub(crate) fn reopen(&mut self) {
        self.close();
        self.store = Some(Store::open(self.dir(), self.settings(None)).unwrap());
    }

    /// Appends a record, alone.
    pub(crate) async fn append(&self, partition_key: &str, data: impl AsRef<[u8]>) {
        self.store().append(vec![record(partition_key, data)]).await.unwrap();
    }

    /// The whole log of a shard.
    pub(crate) async fn log(&self, shard: u64) -> Vec<StreamRecord> {
        self.store().read(ShardId(shard), None, usize::MAX).await.unwrap().records
    }
}

pub(crate) fn at(unix_ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(unix_ms).unwrap()
}

pub(crate) fn site(text: &str) -> SiteId {
    text.parse().unwrap()
}

pub(crate) fn record(partition_key: &str, data: impl AsRef<[u8]>) -> NewRecord {
    NewRecord { partition_key: partition_key.to_owned(), data: data.as_ref().to_vec().into() }
}

pub(crate) fn position(sequence: u64) -> Position {
    Position { shard: ShardId(0), sequence: sequence.into(), sub_sequence: 0 }
}

/// A row without findings, written by the record at `sequence`.
pub(crate) fn row(site_id: SiteId, timestamp: Timestamp, sequence: u64) -> Row {
    let energy = Energy::from_milliwatt_hours(sequence.cast_signed()).unwrap();
    let measure = Measure { generated: energy, consumed: energy };
    let version = Version { measure, findings: Vec::new(), position: position(sequence), revision: 0 };
    Row { site_id, timestamp, version, before: None }
}

/// The same with a finding.
pub(crate) fn anomalous(mut row: Row) -> Row {
    let finding = Finding {
        rule: Rule::HighLimit,
        channel: Some(Channel::Generated),
        score: Score::THRESHOLD,
        expected: None,
    };
    row.version.findings = vec![finding];
    row
}

pub(crate) fn alert(site_id: SiteId, timestamp: Timestamp, number: u64) -> Alert {
    let episode = Episode {
        rule: Rule::HighLimit,
        number,
        opened_at: timestamp,
        last_at: timestamp,
        readings: 1,
        score: Score::THRESHOLD,
        quiet_readings: 0,
    };
    Alert { site_id, phase: Phase::Opened, at: timestamp, subject: Subject::Episode(episode) }
}
