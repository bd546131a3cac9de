//! The ports in memory: what is appended is folded at once, and what is no reading becomes a dead letter.

use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use wattstream_domain::{
    Alert, Frontier, HourRow, OpenSilence, Position, Record, Row, ShardId, SiteFold, SiteId, SiteRows,
    SiteState, Timestamp,
};
use wattstream_engine::ports::{
    AlertPlace, AlertQuery, AnomalyQuery, DeadLetterAdmin, FleetQueries, FleetQuery, FleetSeries, HourQuery,
    LiveQueries, NewRecord, Page, Producer, Queries, ReadingPlace, RowQuery, SiteQuery, Sites, Snapshot,
};
use wattstream_engine::{Cause, DeadLetter, Error, Kind, LiveFeed, Result};
use wattstream_testkit::MemoryStore;
use wattstream_wire::decode_reading;

/// Whether the ports work.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    None,
    Fails(Kind),
    Panics,
    Hangs,
}

pub(crate) struct Memory {
    content: Mutex<Content>,
    /// Where readings are told; none where another process would write the tables.
    feed: Option<LiveFeed>,
    fault: Mutex<Fault>,
    now_ms: AtomicI64,
}

struct Content {
    log: Vec<NewRecord>,
    store: MemoryStore,
    is_exact: bool,
    feed: LiveFeed,
}

impl Memory {
    pub(crate) fn new(now: Timestamp) -> Self {
        let (store, feed) = (MemoryStore::default(), LiveFeed::new());
        Self {
            content: Mutex::new(Content { log: Vec::new(), store, is_exact: true, feed: feed.clone() }),
            feed: Some(feed),
            fault: Mutex::new(Fault::None),
            now_ms: AtomicI64::new(now.unix_ms()),
        }
    }

    /// The same without a feed.
    #[cfg(feature = "lambda")]
    pub(crate) fn without_feed(mut self) -> Self {
        self.feed = None;
        self
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.now_ms.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn pass_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn set_fault(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    /// Adds an alert that no reading raises.
    pub(crate) fn publish(&self, alert: Alert) {
        self.store().with(|contents| contents.alerts.insert(alert.id(), alert));
    }

    /// Adds a silence that no clock has found.
    pub(crate) fn fall_silent(&self, open: OpenSilence) {
        let place = (open.site_id, open.silence.last_seen);
        self.store().with(|contents| contents.silences.insert(place, open));
    }

    fn store(&self) -> MemoryStore {
        self.content.lock().unwrap().store.clone()
    }

    /// Answers from snapshots, from here on.
    pub(crate) fn answer_from_snapshots(&self) {
        self.content.lock().unwrap().is_exact = false;
    }

    /// The records of the log: key and payload.
    pub(crate) fn log(&self) -> Vec<(String, Bytes)> {
        let content = self.content.lock().unwrap();
        content.log.iter().map(|record| (record.partition_key.clone(), record.data.clone())).collect()
    }

    async fn pass_or_fail(&self) -> Result<()> {
        let fault = *self.fault.lock().unwrap();
        match fault {
            Fault::None => Ok(()),
            Fault::Fails(kind) => Err(Error::new(kind, "asking table secret-arn", "a secret of the inside")),
            Fault::Panics => panic!("a planted panic with a secret of the inside"),
            Fault::Hangs => std::future::pending().await,
        }
    }
}

impl Content {
    fn append(&mut self, record: NewRecord, arrival: Timestamp) {
        let sequence = self.log.len() as u64 + 1;
        let position = Position { shard: ShardId(0), sequence: sequence.into(), sub_sequence: 0 };
        self.log.push(record.clone());
        match decode_reading(&record.data) {
            Ok(reading) => self.fold(&Record { position, reading }),
            Err(reject) => {
                let letter = DeadLetter {
                    position,
                    arrival,
                    cause: Cause::Rejected(reject.reason),
                    detail: reject.detail,
                    payload: record.data,
                };
                let key = (position.shard, position.sequence, position.sub_sequence);
                self.store.with(|contents| contents.dead_letters.insert(key, letter));
            }
        }
    }

    fn fold(&self, record: &Record) {
        let site_id = record.reading.site_id;
        self.store.with(|contents| {
            let state = contents.state(site_id).unwrap_or_else(|| SiteState::new(site_id));
            let mut rows = SiteRows::new(site_id);
            let hour = record.reading.timestamp.hour();
            let stored = contents.rows.range((site_id, hour.start())..=(site_id, hour.last()));
            rows.load(stored.map(|(_, row)| row.clone()), &Frontier::none());
            let mut fold = SiteFold::new(state, rows);
            fold.fold(record);
            let mut folded = fold.finish();
            let alerts = folded.state.outbox.alerts.drain(..);
            contents.alerts.extend(alerts.map(|alert| (alert.id(), alert)));
            contents.hours.extend(folded.hours.into_iter().map(|(hour, row)| ((site_id, hour), row)));
            contents.sites.insert(site_id, Snapshot { state: folded.state, version: 1 });
            for write in folded.rows.into_writes() {
                self.feed.publish(vec![write.row.clone()]);
                contents.rows.insert((site_id, write.row.timestamp), write.row);
            }
        });
    }
}

impl Producer for Memory {
    async fn append(&self, records: Vec<NewRecord>) -> Result<()> {
        self.pass_or_fail().await?;
        let mut content = self.content.lock().unwrap();
        for record in records {
            content.append(record, self.now());
        }
        Ok(())
    }
}

impl Queries for Memory {
    async fn sites(&self) -> Result<Sites> {
        self.pass_or_fail().await?;
        let is_exact = self.content.lock().unwrap().is_exact;
        Ok(Sites { is_exact, ..self.store().sites().await? })
    }

    async fn site(&self, site_id: SiteId) -> Result<Option<SiteState>> {
        self.pass_or_fail().await?;
        self.store().site(site_id).await
    }

    async fn row_page(&self, query: RowQuery) -> Result<Page<Row>> {
        self.pass_or_fail().await?;
        self.store().row_page(query).await
    }

    async fn hour_page(&self, query: HourQuery) -> Result<Page<HourRow>> {
        self.pass_or_fail().await?;
        self.store().hour_page(query).await
    }

    /// A store of snapshots does not know.
    fn states_version(&self) -> Option<u64> {
        let content = self.content.lock().unwrap();
        content.is_exact.then_some(content.log.len() as u64)
    }

    async fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        self.pass_or_fail().await?;
        self.store().newest_alerts(limit).await
    }

    async fn dead_letter_page(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>> {
        self.pass_or_fail().await?;
        self.store().dead_letter_page(after, limit).await
    }
}

impl FleetQueries for Memory {
    async fn site_page(&self, query: SiteQuery) -> Result<Page<SiteState, SiteId>> {
        self.pass_or_fail().await?;
        self.store().site_page(query).await
    }

    async fn silences_of(&self, sites: RangeInclusive<SiteId>) -> Result<Vec<OpenSilence>> {
        self.pass_or_fail().await?;
        self.store().silences_of(sites).await
    }

    async fn fleet_series(&self, query: FleetQuery) -> Result<FleetSeries> {
        self.pass_or_fail().await?;
        if self.content.lock().unwrap().is_exact {
            return self.store().fleet_series(query).await;
        }
        // A store that keeps snapshots adds hours up, and not any number of them.
        Ok(FleetSeries::TooLong { site_hours: 200_001, site_hours_max: 200_000 })
    }

    async fn anomaly_page(&self, query: AnomalyQuery) -> Result<Page<Row, ReadingPlace>> {
        self.pass_or_fail().await?;
        self.store().anomaly_page(query).await
    }

    async fn alert_page(&self, query: AlertQuery) -> Result<Page<Alert, AlertPlace>> {
        self.pass_or_fail().await?;
        self.store().alert_page(query).await
    }
}

impl LiveQueries for Memory {
    async fn newest_rows(&self, site_id: Option<SiteId>, limit: usize) -> Result<Vec<Row>> {
        self.pass_or_fail().await?;
        self.store().newest_rows(site_id, limit).await
    }

    fn live_feed(&self) -> Option<&LiveFeed> {
        self.feed.as_ref()
    }
}

impl DeadLetterAdmin for Memory {
    async fn dead_letter(&self, position: Position) -> Result<Option<DeadLetter>> {
        self.pass_or_fail().await?;
        let key = (position.shard, position.sequence, position.sub_sequence);
        Ok(self.store().with(|contents| contents.dead_letters.get(&key).cloned()))
    }

    async fn remove_dead_letters(&self, positions: &[Position]) -> Result<()> {
        self.pass_or_fail().await?;
        self.store().with(|contents| {
            contents.dead_letters.retain(|_, letter| !positions.contains(&letter.position));
        });
        Ok(())
    }
}
