//! The ports in memory: what is appended is folded at once, and what is no reading becomes a dead letter.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use wattstream_domain::{
    Alert, Frontier, HourRow, Position, Record, Row, ShardId, SiteFold, SiteId, SiteRows, SiteState,
    Timestamp,
};
use wattstream_engine::ports::{
    DeadLetterAdmin, HourQuery, NewRecord, Page, Producer, Queries, RowQuery, Sites,
};
use wattstream_engine::{Cause, DeadLetter, Error, Kind, Result};
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
    fault: Mutex<Fault>,
    now_ms: AtomicI64,
}

#[derive(Default)]
struct Content {
    log: Vec<NewRecord>,
    sites: BTreeMap<SiteId, SiteState>,
    rows: BTreeMap<(SiteId, Timestamp), Row>,
    dead_letters: Vec<DeadLetter>,
    alerts: Vec<Alert>,
    is_exact: bool,
}

impl Memory {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            content: Mutex::new(Content { is_exact: true, ..Content::default() }),
            fault: Mutex::new(Fault::None),
            now_ms: AtomicI64::new(now.unix_ms()),
        }
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
        self.content.lock().unwrap().alerts.push(alert);
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
            Err(reject) => self.dead_letters.push(DeadLetter {
                position,
                arrival,
                cause: Cause::Rejected(reject.reason),
                detail: reject.detail,
                payload: record.data,
            }),
        }
    }

    fn fold(&mut self, record: &Record) {
        let site_id = record.reading.site_id;
        let state = self.sites.remove(&site_id).unwrap_or_else(|| SiteState::new(site_id));
        let mut rows = SiteRows::new(site_id);
        let stored = self.rows.range((site_id, Timestamp::MIN)..=(site_id, Timestamp::MAX));
        rows.load(stored.map(|(_, row)| row.clone()), &Frontier::none());
        let mut fold = SiteFold::new(state, rows);
        fold.fold(record);
        let mut folded = fold.finish();
        self.alerts.extend(folded.state.outbox.alerts.drain(..));
        self.sites.insert(site_id, folded.state);
        for write in folded.rows.into_writes() {
            self.rows.insert((site_id, write.row.timestamp), write.row);
        }
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
        let content = self.content.lock().unwrap();
        Ok(Sites { states: content.sites.values().cloned().collect(), is_exact: content.is_exact })
    }

    async fn site(&self, site_id: SiteId) -> Result<Option<SiteState>> {
        self.pass_or_fail().await?;
        Ok(self.content.lock().unwrap().sites.get(&site_id).cloned())
    }

    async fn row_page(&self, query: RowQuery) -> Result<Page<Row>> {
        self.pass_or_fail().await?;
        let content = self.content.lock().unwrap();
        let rows = content.rows.range((query.site_id, query.start)..(query.site_id, query.end));
        let mut asked =
            rows.map(|(_, row)| row).filter(|row| !query.anomalous_only || row.version.is_anomalous());
        let entries = asked.by_ref().take(query.limit).cloned().collect();
        Ok(Page { entries, next_start: asked.next().map(|row| row.timestamp) })
    }

    async fn hour_page(&self, _: HourQuery) -> Result<Page<HourRow>> {
        unreachable!("the API asks for no hours")
    }

    async fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        self.pass_or_fail().await?;
        Ok(self.content.lock().unwrap().alerts.iter().rev().take(limit).cloned().collect())
    }

    async fn dead_letter_page(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>> {
        self.pass_or_fail().await?;
        let content = self.content.lock().unwrap();
        let is_after = |letter: &&DeadLetter| after.is_none_or(|after| after.is_before(&letter.position));
        Ok(content.dead_letters.iter().filter(is_after).take(limit).cloned().collect())
    }
}

impl DeadLetterAdmin for Memory {
    async fn dead_letter(&self, position: Position) -> Result<Option<DeadLetter>> {
        self.pass_or_fail().await?;
        let content = self.content.lock().unwrap();
        Ok(content.dead_letters.iter().find(|letter| letter.position == position).cloned())
    }

    async fn remove_dead_letters(&self, positions: &[Position]) -> Result<()> {
        self.pass_or_fail().await?;
        let mut content = self.content.lock().unwrap();
        content.dead_letters.retain(|letter| !positions.contains(&letter.position));
        Ok(())
    }
}
