//! What a log means, worked out the slow and obvious way: one record after the other, everything in memory, sums from the
//! rows at the end. It shares the judgement of one reading ([`Detector`]) with the engine, and nothing else.
//!
//! What must always hold: this file knows nothing of batches, positions held, snapshots or deliveries.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};

use bytes::Bytes;
use wattstream_domain::{
    Detector, Energy, Finding, Hour, HourTotals, Measure, Phase, Position, Reading, Rule, SequenceNumber,
    ShardId, SiteId, Spread, Timestamp,
};
use wattstream_wire::{deaggregate, decode_reading};

use crate::logs::Log;
use crate::memory::{Contents, LetterKey};

/// How the tables differ from what they should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

impl Violation {
    /// Nothing when `expected` is `actual`, otherwise both.
    pub fn check<T: PartialEq + Debug>(what: impl Display, expected: &T, actual: &T) -> Result<(), Self> {
        if expected == actual {
            return Ok(());
        }
        Err(Self(format!("{what}\n expected {expected:?}\n but found {actual:?}")))
    }

    /// Nothing when the maps are equal, otherwise the first entry that is in one of them only, or not the same in both.
    pub fn check_entries<K: Ord + Debug, V: PartialEq + Debug>(
        what: impl Display,
        expected: &BTreeMap<K, V>,
        actual: &BTreeMap<K, V>,
    ) -> Result<(), Self> {
        let keys = expected.keys().chain(actual.keys());
        let different = keys.filter(|key| expected.get(key) != actual.get(key)).min();
        let Some(key) = different else { return Ok(()) };
        Self::check(format_args!("{what}: {key:?}"), &expected.get(key), &actual.get(key))
    }
}

/// What a log means.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    sites: BTreeMap<SiteId, SiteOracle>,
    letters: BTreeMap<LetterKey, Bytes>,
    /// What became of every stream record, by shard and number.
    traces: BTreeMap<(ShardId, SequenceNumber), Vec<Trace>>,
}

/// Where a payload has to be found once its record is acknowledged.
#[derive(Clone, Copy, Debug)]
enum Trace {
    /// In the row of its reading, as this record or a later one left it.
    Row { site_id: SiteId, timestamp: Timestamp, written_by: Position },
    /// Among the dead letters.
    Letter(LetterKey),
}

#[derive(Clone, Debug, Default)]
struct SiteOracle {
    rows: BTreeMap<Timestamp, Row>,
    detector: Detector,
    late: u64,
    duplicates: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    measure: Measure,
    findings: Vec<Finding>,
    revision: u32,
    position: Position,
}

impl Oracle {
    /// Reads a log from its first record to its last.
    pub fn of(log: &Log) -> Self {
        let mut oracle = Self::default();
        for shard in &log.shards {
            for record in &shard.records {
                let position =
                    |sub_sequence| Position { shard: shard.id, sequence: record.sequence, sub_sequence };
                let traces = match deaggregate(&record.data) {
                    Err(_) => vec![oracle.set_aside(position(0), &record.data)],
                    Ok(payloads) => payloads
                        .iter()
                        .map(|(sub_sequence, payload)| oracle.read(position(sub_sequence), payload))
                        .collect(),
                };
                oracle.traces.insert((shard.id, record.sequence), traces);
            }
        }
        oracle
    }

    fn read(&mut self, position: Position, payload: &Bytes) -> Trace {
        let Ok(reading) = decode_reading(payload) else { return self.set_aside(position, payload) };
        let written_by = self.sites.entry(reading.site_id).or_default().read(position, &reading);
        Trace::Row { site_id: reading.site_id, timestamp: reading.timestamp, written_by }
    }

    fn set_aside(&mut self, position: Position, payload: &Bytes) -> Trace {
        let key = (position.shard, position.sequence, position.sub_sequence);
        self.letters.insert(key, payload.clone());
        Trace::Letter(key)
    }

    /// Whether a record that is acknowledged is in the tables or among the dead letters. Its site has a snapshot then, by
    /// which readers find it.
    pub fn check_settled(
        &self,
        shard: ShardId,
        sequence: SequenceNumber,
        contents: &Contents,
    ) -> Result<(), Violation> {
        for trace in &self.traces[&(shard, sequence)] {
            let is_settled = match trace {
                Trace::Letter(key) => {
                    contents.dead_letters.get(key).map(|letter| &letter.payload) == self.letters.get(key)
                }
                Trace::Row { site_id, timestamp, written_by } => {
                    contents
                        .rows
                        .get(&(*site_id, *timestamp))
                        .is_some_and(|row| is_at_least(&row.version.position, written_by))
                        && contents.sites.contains_key(site_id)
                }
            };
            if !is_settled {
                return Err(Violation(format!(
                    "{shard} {sequence} was acknowledged, but {trace:?} is not there"
                )));
            }
        }
        Ok(())
    }

    /// Whether the tables after the whole log say what it means.
    pub fn check(&self, contents: &Contents) -> Result<(), Violation> {
        let letters: BTreeMap<_, _> =
            contents.dead_letters.iter().map(|(key, letter)| (*key, letter.payload.clone())).collect();
        Violation::check_entries("dead letters", &self.letters, &letters)?;
        let sites: Vec<_> = contents.states().iter().map(|state| state.site_id).collect();
        Violation::check("sites", &self.sites.keys().copied().collect(), &sites)?;
        self.sites.iter().try_for_each(|(site_id, site)| site.check(*site_id, contents))
    }
}

/// Within a shard, whether `stored` stands at `written_by` or after it. A child's row is later than its parent's.
fn is_at_least(stored: &Position, written_by: &Position) -> bool {
    let within = |position: &Position| (position.sequence, position.sub_sequence);
    stored.shard != written_by.shard || within(stored) >= within(written_by)
}

impl SiteOracle {
    /// Takes in one reading. Returns the record that its row is from afterwards.
    fn read(&mut self, position: Position, reading: &Reading) -> Position {
        let Reading { timestamp, measure, .. } = *reading;
        let newest = self.rows.last_key_value().map(|(newest, _)| *newest);
        let revision = match self.rows.get(&timestamp) {
            Some(row) if row.measure == measure => {
                self.duplicates += 1;
                return row.position;
            }
            Some(row) => row.revision + 1,
            None => 0,
        };
        let is_in_order = newest.is_none_or(|newest| newest < timestamp);
        let elapsed_ms = newest.filter(|_| is_in_order).map(|newest| timestamp.ms_since(newest));
        let findings = self.detector.judge(&measure, elapsed_ms).findings;
        if is_in_order {
            self.detector.learn(&measure, elapsed_ms, &findings);
        } else if revision == 0 {
            self.late += 1;
        }
        self.rows.insert(timestamp, Row { measure, findings, revision, position });
        position
    }

    fn check(&self, site_id: SiteId, contents: &Contents) -> Result<(), Violation> {
        let rows = contents.rows_of(site_id).map(|row| {
            let version = row.version.clone();
            let row_of = Row {
                measure: version.measure,
                findings: version.findings,
                revision: version.revision,
                position: version.position,
            };
            (row.timestamp, row_of)
        });
        Violation::check_entries(format_args!("rows of {site_id}"), &self.rows, &rows.collect())?;
        self.check_hours(site_id, contents)?;
        self.check_state(site_id, contents)
    }

    /// The closed hours and the open one are the sums of the rows.
    fn check_hours(&self, site_id: SiteId, contents: &Contents) -> Result<(), Violation> {
        let mut expected: BTreeMap<Hour, HourSums> = BTreeMap::new();
        for (timestamp, row) in &self.rows {
            expected.entry(timestamp.hour()).or_default().add(row);
        }
        let closed = contents.hours.values().filter(|row| row.site_id == site_id);
        let open = contents.state(site_id).and_then(|state| state.open_hour);
        let hours = closed.map(|row| (row.hour, row.totals)).chain(open);
        let actual = hours.map(|(hour, totals)| (hour, HourSums::from(totals))).collect();
        Violation::check_entries(format_args!("hours of {site_id}"), &expected, &actual)?;
        let newest = self.rows.last_key_value().map(|(newest, _)| newest.hour());
        Violation::check(format_args!("open hour of {site_id}"), &newest, &open.map(|(hour, _)| hour))
    }

    fn check_state(&self, site_id: SiteId, contents: &Contents) -> Result<(), Violation> {
        let Some(state) = contents.state(site_id) else {
            return Err(Violation(format!("{site_id} has no state")));
        };
        let totals = &state.totals;
        let sum = |of: fn(&Measure) -> Energy| -> i128 {
            self.rows.values().map(|row| i128::from(of(&row.measure).milliwatt_hours())).sum()
        };
        let flagged = |rule: Rule| -> u64 {
            self.rows.values().filter(|row| row.findings.iter().any(|found| found.rule == rule)).count()
                as u64
        };
        let of_site = |what: &str| format!("{what} of {site_id}");
        Violation::check(of_site("records"), &(self.rows.len() as u64), &totals.records)?;
        Violation::check(
            of_site("energy"),
            &(sum(|measure| measure.generated), sum(|measure| measure.consumed)),
            &(totals.generated.milliwatt_hours(), totals.consumed.milliwatt_hours()),
        )?;
        let anomalies = self.rows.values().filter(|row| !row.findings.is_empty()).count() as u64;
        Violation::check(of_site("anomalies"), &anomalies, &totals.anomalies)?;
        Violation::check(of_site("anomalies by rule"), &Rule::ALL.map(flagged), &totals.anomalies_by_rule)?;
        Violation::check(
            of_site("late readings and duplicates"),
            &(self.late, self.duplicates),
            &(totals.late, state.duplicates),
        )?;
        let revisions: u64 = self.rows.values().map(|row| u64::from(row.revision)).sum();
        Violation::check(of_site("revisions"), &revisions, &totals.revisions)?;
        let seen = (self.rows.keys().next().copied(), self.rows.keys().last().copied());
        Violation::check(of_site("first and last"), &seen, &(totals.first_seen, totals.last_seen))?;
        Violation::check(of_site("detector"), &self.detector, &state.detector)?;
        check_alerts(site_id, contents)
    }
}

/// The alerts of a site, published and waiting, tell of every episode: once that it opened, and once that it closed
/// unless it is open.
fn check_alerts(site_id: SiteId, contents: &Contents) -> Result<(), Violation> {
    let Some(state) = contents.state(site_id) else { return Ok(()) };
    let published = contents.alerts.values().filter(|alert| alert.site_id == site_id);
    let alerts: BTreeMap<_, _> =
        published.chain(&state.outbox.alerts).map(|alert| (alert.id(), alert)).collect();
    let count = |phase| alerts.values().filter(|alert| alert.phase == phase).count() as u64;
    let opened = state.episodes.opened;
    Violation::check(
        format_args!("alerts of {site_id}: opened, closed"),
        &(opened, opened - state.episodes.open.len() as u64),
        &(count(Phase::Opened), count(Phase::Closed)),
    )
}

/// The sums of an hour, in plain integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct HourSums {
    records: u64,
    anomalies: u64,
    generated: (i128, i64, i64),
    consumed: (i128, i64, i64),
}

impl Default for HourSums {
    fn default() -> Self {
        let nothing = (0, i64::MAX, i64::MIN);
        Self { records: 0, anomalies: 0, generated: nothing, consumed: nothing }
    }
}

impl HourSums {
    fn add(&mut self, row: &Row) {
        self.records += 1;
        self.anomalies += u64::from(!row.findings.is_empty());
        for (sums, energy) in
            [(&mut self.generated, row.measure.generated), (&mut self.consumed, row.measure.consumed)]
        {
            let energy = energy.milliwatt_hours();
            *sums = (sums.0 + i128::from(energy), sums.1.min(energy), sums.2.max(energy));
        }
    }
}

impl From<HourTotals> for HourSums {
    fn from(totals: HourTotals) -> Self {
        let spread = |spread: Spread| {
            (spread.sum.milliwatt_hours(), spread.min.milliwatt_hours(), spread.max.milliwatt_hours())
        };
        Self {
            records: totals.records,
            anomalies: totals.anomalies,
            generated: spread(totals.generated),
            consumed: spread(totals.consumed),
        }
    }
}
