//! Everything worth telling, one struct each. What must always hold: `emit` is called once for a batch, a request or an
//! append, never once for a record; it writes the log line and the metrics together. WARN means that wattstream
//! recovered by itself, ERROR that a person is needed; the rest is DEBUG, because the metrics show it.

use std::{fmt::Display, time::Duration};

use metrics::SharedString;
use tracing::{debug, error, info, warn};

use crate::metric::Metric;

/// How a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchOutcome {
    /// Every record was committed or set aside.
    Processed,
    /// Some records were reported as failed and will be delivered again.
    PartlyFailed,
    /// Nothing of it counts; all of it will be delivered again.
    Failed,
}

impl BatchOutcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Processed => "processed",
            Self::PartlyFailed => "partly_failed",
            Self::Failed => "failed",
        }
    }
}

/// How many records of a batch met which fate; together they are the records that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Newer than all that the site had sent.
    pub in_order: u64,
    /// Older than the site's newest, and not stored yet.
    pub late: u64,
    /// Sent before with the same values.
    pub duplicate: u64,
    /// Sent before with other values; these won.
    pub revision: u64,
    /// Delivered again by the event source.
    pub already_folded: u64,
    /// Set aside: no reading could be made of them.
    pub rejected: u64,
}

impl RecordCounts {
    /// All records that were read.
    pub const fn total(&self) -> u64 {
        self.in_order + self.late + self.duplicate + self.revision + self.already_folded + self.rejected
    }

    const fn by_outcome(&self) -> [(&'static str, u64); 6] {
        [
            ("in_order", self.in_order),
            ("late", self.late),
            ("duplicate", self.duplicate),
            ("revision", self.revision),
            ("already_folded", self.already_folded),
            ("rejected", self.rejected),
        ]
    }
}

/// Why a record is in the dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetterCause {
    /// No reading could be made of it.
    Rejected,
    /// The event source delivered it as often as it may.
    RetriesExhausted,
    /// It grew too old while its batch failed.
    TooOld,
    /// The engine panicked at its site.
    EngineFailed,
}

impl DeadLetterCause {
    const fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::RetriesExhausted => "retries_exhausted",
            Self::TooOld => "too_old",
            Self::EngineFailed => "engine_failed",
        }
    }
}

/// Which end of an episode, or of a silence, an alert tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertPhase {
    /// It has begun.
    Opened,
    /// It is over.
    Closed,
}

impl AlertPhase {
    const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Closed => "closed",
        }
    }
}

/// A process has begun its work.
#[derive(Clone, Copy, Debug)]
pub struct ProcessStarted {
    /// Its version, as in `Cargo.toml`.
    pub version: &'static str,
}

impl ProcessStarted {
    /// Tells it: INFO.
    pub fn emit(&self) {
        info!(version = self.version, "The process started.");
        Metric::BuildInfo.set([self.version.into()], 1.0);
    }
}

/// A batch of one shard has run to its end, whatever the end.
#[derive(Clone, Copy, Debug)]
pub struct BatchProcessed<'a> {
    /// The shard's id.
    pub shard: &'a str,
    /// How it ended.
    pub outcome: BatchOutcome,
    /// Its records by fate; of a failed batch, those whose fate is certain.
    pub records: RecordCounts,
    /// How long it took.
    pub duration: Duration,
}

impl BatchProcessed<'_> {
    /// Tells it: DEBUG; WARN when something of it will be delivered again.
    pub fn emit(&self) {
        let (outcome, duration_ms) = (self.outcome.name(), milliseconds(self.duration));
        let (shard, batch_records) = (self.shard, self.records.total());
        match self.outcome {
            BatchOutcome::Processed => {
                debug!(shard, outcome, batch_records, duration_ms, "A batch was processed.");
            }
            BatchOutcome::PartlyFailed | BatchOutcome::Failed => {
                warn!(
                    shard,
                    outcome, batch_records, duration_ms, "A batch failed and will be delivered again."
                );
            }
        }
        for (outcome, count) in self.records.by_outcome() {
            Metric::RecordsRead.add([outcome.into()], count);
        }
        Metric::Batches.add([outcome.into()], 1);
        Metric::BatchDuration.observe([], self.duration.as_secs_f64());
        Metric::BatchRecords.observe([], approximate(batch_records));
    }
}

/// Some records of a batch were no readings, all for one reason.
#[derive(Clone, Copy, Debug)]
pub struct RecordsRejected<'a> {
    /// The shard's id.
    pub shard: &'a str,
    /// The reason's code.
    pub reason: &'static str,
    /// How many.
    pub records: u64,
}

impl RecordsRejected<'_> {
    /// Tells it: WARN, as data that somebody sent will not be counted; its bytes are kept.
    pub fn emit(&self) {
        let Self { shard, reason, records } = *self;
        warn!(shard, reason, records, "Records were rejected and set aside.");
        Metric::RecordsRejected.add([reason.into()], records);
    }
}

/// The states that a batch began with were found.
#[derive(Clone, Copy, Debug)]
pub struct SiteStatesFound {
    /// Taken from the warm cache.
    pub cached: u64,
    /// Loaded from the store.
    pub loaded: u64,
}

impl SiteStatesFound {
    /// Tells it, as a metric alone: [`BatchProcessed`] has the batch's log line.
    pub fn emit(&self) {
        Metric::SiteStates.add(["cache".into()], self.cached);
        Metric::SiteStates.add(["store".into()], self.loaded);
    }
}

/// A conditional write lost to another writer; its sites are loaded and folded again.
#[derive(Clone, Copy, Debug)]
pub struct CommitConflicted<'a> {
    /// The shard's id.
    pub shard: &'a str,
    /// How often this batch has been folded, this time included.
    pub attempt: u32,
}

impl CommitConflicted<'_> {
    /// Tells it: WARN.
    pub fn emit(&self) {
        let Self { shard, attempt } = *self;
        warn!(shard, attempt, "A commit lost to another writer and is folded again.");
        Metric::CommitConflicts.add([owned(shard)], 1);
    }
}

/// How far a shard's consumer is behind.
#[derive(Clone, Copy, Debug)]
pub struct ShardLagMeasured<'a> {
    /// The shard's id.
    pub shard: &'a str,
    /// Age of the oldest record that waits; 0 when none does.
    pub lag_ms: u64,
}

impl ShardLagMeasured<'_> {
    /// Tells it, as a metric alone.
    pub fn emit(&self) {
        Metric::ShardLag.set([owned(self.shard)], approximate(self.lag_ms));
    }
}

/// The event source has taken records from a shard.
#[derive(Clone, Copy, Debug)]
pub struct ShardRecordsTaken<'a> {
    /// The shard's id.
    pub shard: &'a str,
    /// How many.
    pub records: u64,
}

impl ShardRecordsTaken<'_> {
    /// Tells it, as a metric alone.
    pub fn emit(&self) {
        Metric::ShardRecords.add([owned(self.shard)], self.records);
    }
}

/// The event source will deliver a batch again.
#[derive(Clone, Copy)]
pub struct BatchRetried<'a> {
    /// The shard's id.
    pub shard: &'a str,
    /// How often it has been delivered so far.
    pub attempt: u32,
    /// How long the event source waits before it delivers again.
    pub delay: Duration,
    /// What went wrong.
    pub error: &'a dyn Display,
}

impl BatchRetried<'_> {
    /// Tells it: WARN.
    pub fn emit(&self) {
        let Self { shard, attempt, delay, error } = *self;
        warn!(shard, attempt, delay_ms = milliseconds(delay), %error, "A batch will be delivered again.");
        Metric::EventSourceRetries.add([owned(shard)], 1);
    }
}

/// The event source has halved a batch that keeps failing.
#[derive(Clone, Copy, Debug)]
pub struct BatchBisected<'a> {
    /// The shard's id.
    pub shard: &'a str,
    /// The records of the batch, both halves together.
    pub records: u64,
}

impl BatchBisected<'_> {
    /// Tells it: WARN.
    pub fn emit(&self) {
        let Self { shard, records } = *self;
        warn!(shard, records, "A failing batch was halved to close in on the record at fault.");
        Metric::EventSourceBisections.add([owned(shard)], 1);
    }
}

/// Records were put into the dead letters.
#[derive(Clone, Copy, Debug)]
pub struct DeadLettersStored<'a> {
    /// The shard's id.
    pub shard: &'a str,
    /// Why.
    pub cause: DeadLetterCause,
    /// How many.
    pub letters: u64,
}

impl DeadLettersStored<'_> {
    /// Tells it: DEBUG for rejects, which [`RecordsRejected`] explains; ERROR for good records that could not be
    /// processed, because a person has to redrive them.
    pub fn emit(&self) {
        let (shard, cause, letters) = (self.shard, self.cause.name(), self.letters);
        match self.cause {
            DeadLetterCause::Rejected => debug!(shard, cause, letters, "Dead letters were stored."),
            DeadLetterCause::RetriesExhausted | DeadLetterCause::TooOld | DeadLetterCause::EngineFailed => {
                error!(
                    shard,
                    cause, letters, "Records could not be processed; redrive them from the dead letters."
                );
            }
        }
        Metric::DeadLetters.add([cause.into()], letters);
    }
}

/// The topic took alerts of one rule, or of silences, and of one phase.
#[derive(Clone, Copy, Debug)]
pub struct AlertsPublished {
    /// The rule's name; `silence` when there is no rule because there are no readings.
    pub rule: &'static str,
    /// Which end of it.
    pub phase: AlertPhase,
    /// How many.
    pub alerts: u64,
}

impl AlertsPublished {
    /// Tells it: INFO.
    pub fn emit(&self) {
        let (rule, phase, alerts) = (self.rule, self.phase.name(), self.alerts);
        info!(rule, phase, alerts, "Alerts were published.");
        Metric::AlertsPublished.add([rule.into(), phase.into()], alerts);
    }
}

/// The topic did not take alerts; they wait, and are sent again.
#[derive(Clone, Copy)]
pub struct AlertPublishFailed<'a> {
    /// How many wait.
    pub alerts: u64,
    /// What went wrong.
    pub error: &'a dyn Display,
}

impl AlertPublishFailed<'_> {
    /// Tells it: WARN.
    pub fn emit(&self) {
        let Self { alerts, error } = *self;
        warn!(alerts, %error, "Alerts were not published; they wait and are sent again.");
        Metric::AlertPublishFailures.add([], alerts);
    }
}

/// The clock was held against every site.
#[derive(Clone, Copy, Debug)]
pub struct SilencesChecked {
    /// The sites that are silent.
    pub silent: u64,
    /// How long it took.
    pub duration: Duration,
}

impl SilencesChecked {
    /// Tells it: DEBUG.
    pub fn emit(&self) {
        let Self { silent, duration } = *self;
        debug!(silent, duration_ms = milliseconds(duration), "Silent sites were looked for.");
        Metric::SilentSites.set([], approximate(silent));
    }
}

/// Records were appended to the log and synced.
#[derive(Clone, Copy, Debug)]
pub struct LogAppended {
    /// How many.
    pub records: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// How long the sync took.
    pub sync: Duration,
}

impl LogAppended {
    /// Tells it: DEBUG.
    pub fn emit(&self) {
        let Self { records, bytes, sync } = *self;
        debug!(records, bytes, sync_ms = milliseconds(sync), "Records were appended to the log.");
        Metric::LogAppendedRecords.add([], records);
        Metric::LogAppendedBytes.add([], bytes);
        Metric::LogSync.observe([], sync.as_secs_f64());
    }
}

/// An object was written to the archive.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveObjectWritten<'a> {
    /// Its key.
    pub key: &'a str,
    /// The raw records in it.
    pub records: u64,
    /// Its size, compressed.
    pub bytes: u64,
}

impl ArchiveObjectWritten<'_> {
    /// Tells it: DEBUG.
    pub fn emit(&self) {
        let Self { key, records, bytes } = *self;
        debug!(key, records, bytes, "An archive object was written.");
        Metric::ArchiveObjects.add([], 1);
        Metric::ArchiveBytes.add([], bytes);
        Metric::ArchiveRecords.add([], records);
    }
}

/// A request was answered.
#[derive(Clone, Copy, Debug)]
pub struct HttpRequestServed<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The template of the route that matched, such as `/records/{site_id}`; none when none did.
    pub route: Option<&'a str>,
    /// The answer's status code.
    pub status: u16,
    /// How long it took.
    pub duration: Duration,
}

impl HttpRequestServed<'_> {
    /// Tells it: DEBUG; WARN when the fault is the server's (5xx).
    pub fn emit(&self) {
        let (method, route) = (known_method(self.method), self.route.unwrap_or("unmatched"));
        let (status, duration_ms) = (self.status, milliseconds(self.duration));
        if status >= 500 {
            warn!(method, route, status, duration_ms, "A request failed.");
        } else {
            debug!(method, route, status, duration_ms, "A request was answered.");
        }
        Metric::HttpRequests.add([method.into(), owned(route), status.to_string().into()], 1);
        Metric::HttpRequestDuration.observe([method.into(), owned(route)], self.duration.as_secs_f64());
    }
}

/// The simulator put readings into the log.
#[derive(Clone, Copy, Debug)]
pub struct SimulatorEmitted {
    /// How many.
    pub readings: u64,
}

impl SimulatorEmitted {
    /// Tells it: DEBUG.
    pub fn emit(&self) {
        debug!(readings = self.readings, "The simulator emitted readings.");
        Metric::SimulatorReadings.add([], self.readings);
    }
}

/// The methods of RFC 9110 and PATCH; a client may invent others, and must not invent label values with them.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("other")
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn owned(label_value: &str) -> SharedString {
    label_value.to_owned().into()
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus values are f64; counts stay exact up to 2^53")]
fn approximate(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
