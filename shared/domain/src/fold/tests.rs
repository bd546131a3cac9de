//! The rules of the fold, each as given / when / then over a site that reports every 15 minutes.

use super::*;
use crate::{
    Energy, EnergySum, Guard, Measure, OUTBOX_ALERTS_MAX, Phase, Position, Rule, ShardId, SiteId, Timestamp,
};
use proptest::prelude::*;

const MINUTE_MS: i64 = 60_000;
/// 2025-06-20T00:00:00Z, the start of an hour.
const START_MS: i64 = 1_750_377_600_000;

fn site_id() -> SiteId {
    "home-01".parse().unwrap()
}

fn energy(milliwatt_hours: i64) -> Energy {
    Energy::from_milliwatt_hours(milliwatt_hours).unwrap()
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix_ms(START_MS + minute * MINUTE_MS).unwrap()
}

fn position(sequence: u64) -> Position {
    Position { shard: ShardId(0), sequence: sequence.into(), sub_sequence: 0 }
}

/// A record at a sequence number: `minute` after the start, generated and consumed milliwatt-hours.
fn record(sequence: u64, minute: i64, generated: i64, consumed: i64) -> Record {
    let measure = Measure { generated: energy(generated), consumed: energy(consumed) };
    Record {
        position: position(sequence),
        reading: Reading { site_id: site_id(), timestamp: at(minute), measure },
    }
}

/// A site with the tables that its batches have left.
struct Site {
    state: SiteState,
    rows: BTreeMap<Timestamp, Row>,
    hours: BTreeMap<Hour, HourRow>,
}

impl Site {
    fn new() -> Self {
        Self { state: SiteState::new(site_id()), rows: BTreeMap::new(), hours: BTreeMap::new() }
    }

    fn given(records: &[Record]) -> Self {
        let mut site = Self::new();
        for record in records {
            site.when(std::slice::from_ref(record));
        }
        site
    }

    /// Folds one batch over the stored state and rows, and stores what it leaves.
    fn when(&mut self, records: &[Record]) -> (Vec<Outcome>, bool) {
        let frontier = Frontier::before(records[0].position, &self.state.positions);
        let mut rows = SiteRows::new(site_id());
        for hour in hours_to_load(&self.state, records) {
            rows.load(self.rows.range(hour.start()..=hour.last()).map(|(_, row)| row.clone()), &frontier);
        }
        let mut fold = SiteFold::new(self.state.clone(), rows);
        let outcomes = records.iter().map(|record| fold.fold(record).0).collect();
        let folded = fold.finish();
        self.state = folded.state;
        self.rows.extend(folded.rows.into_writes().map(|write| (write.row.timestamp, write.row)));
        self.hours.extend(folded.hours);
        (outcomes, folded.is_snapshot_due)
    }

    fn net(&self) -> i128 {
        self.state.totals.net().milliwatt_hours()
    }

    /// The hours that closed, and the open one.
    fn all_hours(&self) -> BTreeMap<Hour, HourTotals> {
        let closed = self.hours.values().map(|row| (row.hour, row.totals));
        closed.chain(self.state.open_hour).collect()
    }
}

#[test]
fn a_newer_reading_is_in_order_and_needs_no_snapshot() {
    let mut site = Site::given(&[record(1, 0, 5, 2)]);
    assert_eq!(site.when(&[record(2, 15, 7, 1)]), (vec![Outcome::InOrder], false));
    assert_eq!((site.state.totals.records, site.net()), (2, 9));
}

#[test]
fn the_first_reading_of_the_next_hour_closes_the_hour_and_forces_a_snapshot() {
    let mut site = Site::given(&[record(1, 0, 5, 2), record(2, 45, 7, 1)]);
    assert_eq!(site.when(&[record(3, 60, 1, 1)]), (vec![Outcome::InOrder], true));
    let closed = site.hours[&at(0).hour()];
    assert_eq!(closed.totals.records, 2);
    assert_eq!(closed.totals.generated.sum, EnergySum::from_milliwatt_hours(12));
    assert_eq!((closed.totals.generated.min, closed.totals.generated.max), (energy(5), energy(7)));
    assert_eq!(closed.position, position(3));
}

#[test]
fn an_older_reading_that_is_new_is_late_and_changes_its_closed_hour() {
    let mut site = Site::given(&[record(1, 0, 5, 2), record(2, 60, 7, 1)]);
    assert_eq!(site.when(&[record(3, 30, 9, 0)]), (vec![Outcome::Late], true));
    assert_eq!((site.state.totals.records, site.state.totals.late), (2 + 1, 1));
    assert_eq!(site.state.totals.last_seen, Some(at(60)));
    assert_eq!(site.hours[&at(0).hour()].totals.generated.max, energy(9));
}

#[test]
fn a_late_reading_of_the_open_hour_is_counted_there() {
    let mut site = Site::given(&[record(1, 0, 5, 0), record(2, 45, 7, 0)]);
    site.when(&[record(3, 15, 1, 0)]);
    let (_, open) = site.state.open_hour.unwrap();
    assert_eq!((open.records, open.generated.min), (3, energy(1)));
    assert!(site.hours.is_empty());
}

#[test]
fn the_same_reading_again_is_a_duplicate_and_changes_no_total() {
    let mut site = Site::given(&[record(1, 0, 5, 2), record(2, 15, 7, 1)]);
    let totals = site.state.totals.clone();
    assert_eq!(site.when(&[record(3, 0, 5, 2)]).0, [Outcome::Duplicate]);
    assert_eq!(site.when(&[record(4, 15, 7, 1)]).0, [Outcome::Duplicate]);
    assert_eq!((site.state.totals.clone(), site.state.duplicates), (totals, 2));
}

#[test]
fn other_values_are_a_revision_and_the_later_record_wins() {
    let mut site = Site::given(&[record(1, 0, 5, 2), record(2, 15, 7, 1), record(3, 60, 1, 1)]);
    assert_eq!(site.when(&[record(4, 0, 4, 2)]), (vec![Outcome::Revision], true));
    assert_eq!((site.state.totals.records, site.state.totals.revisions, site.net()), (3, 1, 8));
    let row = &site.rows[&at(0)];
    assert_eq!((row.version.revision, row.version.measure.generated), (1, energy(4)));
    assert_eq!(row.before.as_ref().unwrap().measure.generated, energy(5));
    assert_eq!(site.hours[&at(0).hour()].totals.generated.max, energy(7));
}

#[test]
fn a_revision_that_lowers_the_highest_value_lowers_the_hours_maximum() {
    let mut site = Site::given(&[record(1, 0, 5, 0), record(2, 15, 900, 0), record(3, 60, 1, 0)]);
    site.when(&[record(4, 15, 3, 0)]);
    let totals = site.hours[&at(0).hour()].totals;
    assert_eq!((totals.generated.min, totals.generated.max), (energy(3), energy(5)));
}

#[test]
fn a_revision_within_one_batch_leaves_one_row_with_what_was_committed_before() {
    let mut site = Site::given(&[record(1, 0, 5, 0), record(2, 15, 6, 0)]);
    site.when(&[record(3, 0, 8, 0), record(4, 0, 9, 0)]);
    let row = &site.rows[&at(0)];
    assert_eq!((row.version.measure.generated, row.version.revision), (energy(9), 2));
    assert_eq!(row.before.as_ref().unwrap().measure.generated, energy(5));
}

#[test]
fn a_record_that_the_state_holds_is_skipped_without_a_trace() {
    let mut site = Site::given(&[record(1, 0, 5, 0), record(2, 15, 6, 0)]);
    let before = site.state.clone();
    assert_eq!(
        site.when(&[record(1, 0, 5, 0), record(2, 15, 6, 0)]),
        (vec![Outcome::AlreadyFolded; 2], false)
    );
    assert_eq!(site.state, before);
}

#[test]
fn a_row_of_a_delivery_that_was_cut_off_counts_as_what_it_replaced() {
    let mut site = Site::given(&[record(1, 0, 5, 0), record(2, 15, 6, 0)]);
    let (state, rows) = (site.state.clone(), site.rows.clone());
    site.when(&[record(3, 0, 8, 0)]);
    // The row was written, the state was not: the delivery broke off in between.
    site.state = state;
    assert_ne!(site.rows, rows);
    assert_eq!(site.when(&[record(3, 0, 8, 0)]).0, [Outcome::Revision]);
    assert_eq!((site.state.totals.revisions, site.net()), (1, 14));
}

#[test]
fn a_row_that_a_parent_shard_wrote_is_committed() {
    let mut site = Site::given(&[record(9, 0, 5, 0)]);
    let child = |sequence, minute, generated| {
        let mut record = record(sequence, minute, generated, 0);
        record.position.shard = ShardId(1);
        record
    };
    let outcomes = site.when(&[child(1, 0, 5), child(2, 0, 6)]).0;
    assert_eq!(outcomes, [Outcome::Duplicate, Outcome::Revision]);
}

#[test]
fn an_out_of_order_row_may_only_overwrite_what_the_fold_has_read() {
    let site = Site::given(&[record(1, 0, 5, 0), record(2, 30, 6, 0)]);
    let mut rows = SiteRows::new(site_id());
    rows.load(site.rows.values().cloned(), &Frontier::before(position(3), &site.state.positions));
    let mut fold = SiteFold::new(site.state, rows);
    for record in [record(3, 0, 8, 0), record(4, 15, 1, 0), record(5, 45, 2, 0)] {
        fold.fold(&record);
    }
    let guards: BTreeMap<_, _> =
        fold.finish().rows.into_writes().map(|write| (write.row.timestamp, write.guard)).collect();
    assert_eq!(guards[&at(0)], Guard::Unchanged(Some(position(1))));
    assert_eq!(guards[&at(15)], Guard::Unchanged(None));
    assert_eq!(guards[&at(45)], Guard::Any);
}

#[test]
fn a_snapshot_and_the_rows_after_it_make_the_state() {
    let records: Vec<Record> = (0..4).map(|i| record(1 + i, 15 * i.cast_signed(), 5, 2)).collect();
    let whole = Site::given(&records);
    let mut state = Site::given(&records[..1]).state;
    fold_tail(
        &mut state,
        whole.rows.values().cloned(),
        &Frontier::before(position(5), &whole.state.positions),
    );
    assert_eq!(state, whole.state);
}

#[test]
fn the_tail_leaves_out_rows_of_the_batch_at_hand() {
    let whole = Site::given(&[record(1, 0, 5, 0), record(2, 15, 6, 0), record(3, 30, 7, 0)]);
    let mut state = SiteState::new(site_id());
    let frontier = Frontier::before(position(2), &state.positions);
    fold_tail(&mut state, whole.rows.values().cloned(), &frontier);
    assert_eq!(state.totals.records, 1);
}

#[test]
fn a_run_of_anomalies_raises_one_alert_when_it_opens_and_one_when_it_closes() {
    let values = [5, -1, -2, 5, -3, 5, 5, 5, 5];
    let records: Vec<Record> =
        (0..).zip(values).map(|(i, value)| record(1 + i, 15 * i.cast_signed(), value, 0)).collect();
    let site = Site::given(&records);
    let alerts: Vec<_> = site.state.outbox.alerts.iter().map(|alert| (alert.phase, alert.at)).collect();
    assert_eq!(alerts, [(Phase::Opened, at(15)), (Phase::Closed, at(15 * 7))]);
    let closed = &site.state.outbox.alerts[1];
    let Subject::Episode(episode) = &closed.subject else { panic!("{closed:?}") };
    assert_eq!((episode.readings, episode.last_at), (3, at(60)));
    assert_eq!(closed.id().as_str(), "home-01/1/negative_energy/closed");
    assert_eq!(site.state.totals.anomalies_by_rule[Rule::NegativeEnergy.index()], 3);
}

#[test]
fn a_revision_that_cures_an_anomaly_takes_it_out_of_the_counts() {
    let mut site = Site::given(&[record(1, 0, -5, 0), record(2, 15, 6, 0)]);
    assert_eq!(site.state.totals.anomalies, 1);
    site.when(&[record(3, 0, 5, 0)]);
    assert_eq!(site.state.totals.anomalies, 0);
    assert!(!site.rows[&at(0)].version.is_anomalous());
}

#[test]
fn an_outbox_that_nobody_empties_stays_bounded_and_counts_what_it_dropped() {
    let mut site = Site::new();
    let mut sequence = 0;
    while site.state.outbox.dropped == 0 {
        let minute = 15 * i64::try_from(sequence).unwrap();
        sequence += 1;
        let value = if sequence % 4 == 1 { -1 } else { 1 };
        site.when(&[record(sequence, minute, value, 0)]);
        assert!(sequence < 10_000, "the outbox never filled");
    }
    assert_eq!(site.state.outbox.alerts.len(), OUTBOX_ALERTS_MAX);
}

proptest! {
    #[test]
    fn hours_and_totals_are_the_sums_of_the_rows(
        log in proptest::collection::vec((0..40_i64, -3..9_i64, 0..3_i64), 1..60),
        cut in 1..9_usize,
    ) {
        let records: Vec<Record> =
            (1..).zip(&log).map(|(sequence, &(step, generated, consumed))| record(sequence, step * 15, generated, consumed)).collect();
        let mut site = Site::new();
        for batch in records.chunks(cut) {
            site.when(batch);
        }
        let mut hours: BTreeMap<Hour, HourTotals> = BTreeMap::new();
        for row in site.rows.values() {
            let totals = HourTotals::of(&row.version.measure, row.version.is_anomalous());
            hours.entry(row.timestamp.hour()).and_modify(|sum| *sum = sum.merge(&totals)).or_insert(totals);
        }
        prop_assert_eq!(site.all_hours(), hours);
        let net: i128 = site.rows.values().map(|row| row.version.measure.net().milliwatt_hours()).sum();
        prop_assert_eq!(site.net(), net);
        prop_assert_eq!(site.state.totals.records, site.rows.len() as u64);
        prop_assert_eq!(site.state.totals.first_seen, site.rows.keys().next().copied());
        prop_assert_eq!(site.state.totals.last_seen, site.rows.keys().last().copied());
    }

    #[test]
    fn cutting_a_log_into_other_batches_changes_nothing(
        log in proptest::collection::vec((0..40_i64, -3..9_i64), 1..60), cut in 1..60_usize,
    ) {
        let records: Vec<Record> =
            (1..).zip(&log).map(|(sequence, &(step, generated))| record(sequence, step * 15, generated, 0)).collect();
        let one_by_one = Site::given(&records);
        let mut cut_site = Site::new();
        for batch in records.chunks(cut) {
            cut_site.when(batch);
        }
        prop_assert_eq!(&cut_site.state, &one_by_one.state);
        prop_assert_eq!(&cut_site.hours, &one_by_one.hours);
        let versions = |site: &Site| site.rows.values().map(|row| row.version.clone()).collect::<Vec<_>>();
        prop_assert_eq!(versions(&cut_site), versions(&one_by_one));
    }
}
