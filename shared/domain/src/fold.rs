//! The fold: how one record changes what is known of its site.
//!
//! [`decide`] holds every rule and changes nothing; [`evolve`] applies what was decided and holds no rule about what a
//! record means. [`SiteFold`] runs the two over the records of one site in one batch and gathers what is to be written.
//!
//! What must always hold: the state, the rows and the hours after a log are the same however its deliveries were cut
//! and repeated; the hours of a site add up to its totals.

use std::collections::{BTreeMap, BTreeSet};

use crate::mutant::{self, Mutant};
use crate::{
    Alert, Finding, Frontier, Hour, HourRow, HourTotals, Judgement, Reading, Record, Row, Score, SiteRows,
    SiteState, Subject, Timestamp, Version,
};

/// What a record means to its site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The state holds this record. Nothing happens.
    AlreadyFolded,
    /// The site's newest reading.
    InOrder {
        /// The reading's only version.
        version: Version,
    },
    /// A reading that is there for the first time, but not the newest. Detection does not learn from it.
    Late {
        /// The reading's only version.
        version: Version,
        /// Its hour, with it.
        hour_totals: HourTotals,
    },
    /// A reading that is there already, with the same values.
    Duplicate,
    /// Other values for a reading that is there. The later record in the log wins.
    Revision {
        /// What holds from here on.
        version: Version,
        /// What held before.
        previous: Version,
        /// Its hour, revised.
        hour_totals: HourTotals,
    },
}

/// Decides what `record` means, given the state before it and the rows of its hour.
pub fn decide(state: &SiteState, rows: &SiteRows, record: &Record) -> Event {
    judge_and_decide(state, rows, record).0
}

/// As [`decide`], with the score of the judgement; a record that is not judged has none.
fn judge_and_decide(state: &SiteState, rows: &SiteRows, record: &Record) -> (Event, Score) {
    let Record { position, reading } = record;
    if state.positions.cover(position) {
        return (Event::AlreadyFolded, Score::ZERO);
    }
    if is_in_order(state.totals.last_seen, reading.timestamp) {
        let Judgement { findings, score } =
            state.detector.judge(&reading.measure, elapsed_ms(state, reading.timestamp));
        let version = Version { measure: reading.measure, findings, position: *position, revision: 0 };
        return (Event::InOrder { version }, score);
    }
    let current = rows.current(reading.timestamp);
    if current.is_some_and(|current| current.measure == reading.measure) {
        return (Event::Duplicate, Score::ZERO);
    }
    let Judgement { findings, score } = state.detector.judge(&reading.measure, None);
    let revision = current.map_or(0, |current| current.revision + 1);
    let version = Version { measure: reading.measure, findings, position: *position, revision };
    let hour_totals = rows.hour_totals_with(reading.timestamp.hour(), reading.timestamp, &version);
    let event = match current.cloned() {
        None => Event::Late { version, hour_totals },
        Some(previous) => Event::Revision { version, previous, hour_totals },
    };
    (event, score)
}

/// What an event changes outside the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// The hour that it closed, or the closed hour that it changed.
    pub hour: Option<HourRow>,
    /// Whether it put an alert into the outbox.
    pub has_alerts: bool,
}

/// Applies an event to the state of its site.
pub fn evolve(state: &mut SiteState, record: &Record, event: &Event) -> Effects {
    if *event == Event::AlreadyFolded {
        return Effects::default();
    }
    state.positions.advance(record.position);
    let Reading { timestamp, measure, .. } = &record.reading;
    match event {
        Event::AlreadyFolded => Effects::default(),
        Event::Duplicate => {
            state.duplicates += 1;
            state.totals.records += u64::from(mutant::is_planted(Mutant::CountOnDuplicate));
            Effects::default()
        }
        Event::InOrder { version } => {
            let elapsed_ms = elapsed_ms(state, *timestamp);
            state.totals.add_reading(*timestamp, measure, &version.findings);
            state.detector.learn(measure, elapsed_ms, &version.findings);
            let has_alerts = raise_alerts(state, *timestamp, &version.findings, true);
            Effects { hour: add_to_open_hour(state, record, version), has_alerts }
        }
        Event::Late { version, hour_totals } => {
            state.totals.add_reading(*timestamp, measure, &version.findings);
            state.totals.late += 1;
            if mutant::is_planted(Mutant::LateIsLearned) {
                state.detector.learn(measure, Some(1), &version.findings);
            }
            let has_alerts = raise_alerts(state, *timestamp, &version.findings, false);
            Effects { hour: replace_hour(state, record, *hour_totals), has_alerts }
        }
        Event::Revision { version, previous, hour_totals } => {
            assert!(!mutant::is_planted(Mutant::PanicAtRevision), "this panic was planted");
            state.totals.revise_reading(previous, measure, &version.findings);
            let has_alerts = raise_alerts(state, *timestamp, &version.findings, false);
            Effects { hour: replace_hour(state, record, *hour_totals), has_alerts }
        }
    }
}

fn is_in_order(newest: Option<Timestamp>, timestamp: Timestamp) -> bool {
    newest.is_none_or(|newest| timestamp > newest)
}

fn elapsed_ms(state: &SiteState, timestamp: Timestamp) -> Option<i64> {
    state.totals.last_seen.map(|newest| timestamp.ms_since(newest))
}

/// Puts the ends of episodes that this reading makes into the outbox; tells whether there were any.
fn raise_alerts(state: &mut SiteState, at: Timestamp, findings: &[Finding], in_order: bool) -> bool {
    let changes = state.episodes.observe(at, findings, in_order);
    let has_alerts = !changes.is_empty();
    for (phase, episode) in changes {
        let subject = Subject::Episode(episode);
        state.outbox.push(Alert { site_id: state.site_id, phase, at, subject });
    }
    has_alerts
}

/// Adds an in-order reading to the open hour, or opens the next and returns the one that it closes.
fn add_to_open_hour(state: &mut SiteState, record: &Record, version: &Version) -> Option<HourRow> {
    let hour = record.reading.timestamp.hour();
    let totals = HourTotals::of(&version.measure, version.is_anomalous());
    match state.open_hour.replace((hour, totals)) {
        Some((open, so_far)) if open == hour => {
            state.open_hour = Some((hour, so_far.merge(&totals)));
            None
        }
        Some((closed, totals)) => Some(hour_row(record, closed, totals)),
        None => None,
    }
}

/// Puts the new totals of an hour into the state when it is the open one; returns them as a row otherwise.
fn replace_hour(state: &mut SiteState, record: &Record, totals: HourTotals) -> Option<HourRow> {
    let hour = record.reading.timestamp.hour();
    match &mut state.open_hour {
        Some((open, open_totals)) if *open == hour || mutant::is_planted(Mutant::LateIntoOpenHour) => {
            *open_totals = totals;
            None
        }
        _ => Some(hour_row(record, hour, totals)),
    }
}

fn hour_row(record: &Record, hour: Hour, totals: HourTotals) -> HourRow {
    HourRow { site_id: record.reading.site_id, hour, totals, position: record.position }
}

/// Brings a snapshot up to date with the rows that were committed after it. These are in-order readings without
/// findings or alerts, and close no hour: anything else forces a snapshot.
pub fn fold_tail(state: &mut SiteState, stored: impl IntoIterator<Item = Row>, frontier: &Frontier) {
    let no_rows = SiteRows::new(state.site_id);
    let mut tail: Vec<Row> = stored.into_iter().collect();
    tail.sort_by_key(|row| row.timestamp);
    for row in tail {
        let timestamp = row.timestamp;
        let Some(version) = frontier.committed(row) else { continue };
        let reading = Reading { site_id: state.site_id, timestamp, measure: version.measure };
        let record = Record { position: version.position, reading };
        if is_in_order(state.totals.last_seen, timestamp) {
            let event = decide(state, &no_rows, &record);
            evolve(state, &record, &event);
        }
    }
}

/// The hours whose stored rows [`decide`] needs: those of the records that are not in order.
pub fn hours_to_load<'a>(state: &SiteState, records: impl IntoIterator<Item = &'a Record>) -> BTreeSet<Hour> {
    let mut newest = state.totals.last_seen;
    let mut hours = BTreeSet::new();
    for record in records {
        let timestamp = record.reading.timestamp;
        if state.positions.cover(&record.position) {
            continue;
        }
        if is_in_order(newest, timestamp) {
            newest = Some(timestamp);
        } else {
            hours.insert(timestamp.hour());
        }
    }
    hours
}

/// The records of one site in one batch, being folded.
#[derive(Debug)]
pub struct SiteFold {
    state: SiteState,
    rows: SiteRows,
    hours: BTreeMap<Hour, HourRow>,
    is_snapshot_due: bool,
}

/// What one site's share of a batch leaves behind.
#[derive(Debug)]
pub struct Folded {
    /// The state after the batch.
    pub state: SiteState,
    /// The rows to write, one a key.
    pub rows: SiteRows,
    /// The hours to write: those that closed, and closed ones that changed.
    pub hours: BTreeMap<Hour, HourRow>,
    /// Whether the state must be stored now: something happened that the rows alone would not bring back.
    pub is_snapshot_due: bool,
}

/// What became of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Held already.
    AlreadyFolded,
    /// The newest reading.
    InOrder,
    /// An older reading, there for the first time.
    Late,
    /// The same reading again.
    Duplicate,
    /// Other values for a reading.
    Revision,
}

impl SiteFold {
    /// Starts from the state and the stored rows that [`hours_to_load`] names.
    pub fn new(state: SiteState, rows: SiteRows) -> Self {
        Self { state, rows, hours: BTreeMap::new(), is_snapshot_due: false }
    }

    /// Folds the next record. Returns what became of it, and the strongest score that detection gave it.
    pub fn fold(&mut self, record: &Record) -> (Outcome, Score) {
        let (event, score) = judge_and_decide(&self.state, &self.rows, record);
        let Effects { hour, has_alerts } = evolve(&mut self.state, record, &event);
        self.is_snapshot_due |= has_alerts || hour.is_some() || event.forces_snapshot();
        self.hours.extend(hour.map(|row| (row.hour, row)));
        let outcome = event.outcome();
        let timestamp = record.reading.timestamp;
        match event {
            Event::AlreadyFolded | Event::Duplicate => {}
            Event::InOrder { version } => self.rows.append(timestamp, version),
            Event::Late { version, .. } | Event::Revision { version, .. } => {
                self.rows.put(timestamp, version);
            }
        }
        (outcome, score)
    }

    /// What detection found in the reading at `timestamp`, as far as this fold has written it.
    pub fn findings(&self, timestamp: Timestamp) -> &[Finding] {
        self.rows.current(timestamp).map_or(&[], |version| &version.findings)
    }

    /// What the records leave behind.
    pub fn finish(self) -> Folded {
        let Self { state, rows, hours, is_snapshot_due } = self;
        Folded { state, rows, hours, is_snapshot_due }
    }
}

impl Event {
    /// Whether the state after it cannot be brought back from the rows. An in-order reading without findings can.
    fn forces_snapshot(&self) -> bool {
        match self {
            Self::AlreadyFolded => false,
            Self::InOrder { version } => version.is_anomalous(),
            Self::Late { .. } => !mutant::is_planted(Mutant::LateWithoutSnapshot),
            Self::Duplicate => !mutant::is_planted(Mutant::DuplicateWithoutSnapshot),
            Self::Revision { .. } => true,
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::AlreadyFolded => Outcome::AlreadyFolded,
            Self::InOrder { .. } => Outcome::InOrder,
            Self::Late { .. } => Outcome::Late,
            Self::Duplicate => Outcome::Duplicate,
            Self::Revision { .. } => Outcome::Revision,
        }
    }
}

#[cfg(test)]
mod tests;
