//! One batch with every kind of record in it, and every way in which one or two of its calls can go wrong.
//!
//! Goal: no crash point is left to chance. Method: count the calls of an undisturbed delivery, then deliver again for each
//! call and each fault, cut the rest in several ways, and compare with one delivery in order. A call over many entries can
//! fail for any subset of them; here it is none, all, every second and the others. `properties.rs` tries any.

use std::ops::Range;

use bytes::Bytes;
use wattstream_domain::Reading;
use wattstream_engine::ports::NewRecord;
use wattstream_engine::{Kind, SnapshotPolicy};
use wattstream_testkit::deliveries::{Delivery, Pipeline, Setting, Trouble, compare, deliver_in_order};
use wattstream_testkit::logs::Log;
use wattstream_testkit::oracle::{Oracle, Violation};
use wattstream_testkit::{Contents, Fault, Numbers, Shards, at, payload, reading};
use wattstream_wire::Aggregator;

/// Every second entry of a call, and the others.
const ODD: u32 = 0x5555_5555;
const EVEN: u32 = !ODD;

/// Ways in which a call fails that leave nothing, everything or a part of it behind.
const FAULTS: [Fault; 11] = [
    Fault::BEFORE,
    Fault::AFTER,
    Fault::CRASH_BEFORE,
    Fault::CRASH_AFTER,
    Fault::CONFLICT,
    Fault::OWN_CONFLICT,
    Fault::Error { applied: ODD, answered: u32::MAX, kind: Kind::Retry },
    Fault::Error { applied: EVEN, answered: u32::MAX, kind: Kind::Retry },
    Fault::Error { applied: u32::MAX, answered: ODD, kind: Kind::Retry },
    Fault::Crash { applied: ODD },
    Fault::Crash { applied: EVEN },
];

const PARTIAL_CONFLICT: Fault = Fault::Error { applied: ODD, answered: u32::MAX, kind: Kind::Conflict };

/// The records before the batch.
const HISTORY_RECORDS: u8 = 4;

/// The records of the batch.
const BATCH_RECORDS: u8 = 10;

/// The calls of a delivery that finds its states in memory and in which nothing goes wrong: dead letters, shard mark, rows
/// of late readings; then rows, hours, states, alerts, shard mark.
const CALLS_MIN: usize = 8;

/// The calls of a delivery to an instance that takes over: it also writes its own mark, reads snapshots and tails, and stores
/// the states that published alerts have left.
const CALLS_AFTER_A_FAULT: usize = CALLS_MIN + 4;

/// The calls of a delivery that meets a conflict and is folded twice by an instance that takes over.
const CALLS_MAX: usize = 20;

const SETTINGS: [Setting; 4] = [
    Setting { snapshot_policy: SnapshotPolicy::EveryBatch, is_cache_on: false },
    Setting { snapshot_policy: SnapshotPolicy::EveryBatch, is_cache_on: true },
    Setting { snapshot_policy: SnapshotPolicy::WhenNeeded, is_cache_on: false },
    Setting { snapshot_policy: SnapshotPolicy::WhenNeeded, is_cache_on: true },
];

/// What two sites have sent before, and that with the batch.
struct Logs {
    history: Log,
    whole: Log,
    oracle: Oracle,
    expected: Contents,
}

impl Logs {
    fn new() -> Self {
        // 7, 8, 9, 10, 11: the batch begins where the numbers have just gained a digit.
        let numbers = Numbers { base: 6.into(), step: 1 };
        let mut shards = Shards::even(1, numbers, at(0));
        for data in history() {
            shards.append(new_record(data));
        }
        let history = Log { shards: shards.iter().cloned().collect() };
        for data in batch() {
            shards.append(new_record(data));
        }
        let whole = Log { shards: shards.iter().cloned().collect() };
        let expected = deliver_in_order(&whole).expect("an undisturbed delivery gets through");
        Self { history, oracle: Oracle::of(&whole), whole, expected }
    }

    /// A pipeline that has delivered the history to instance 0, which remembers both sites if it may.
    fn pipeline(&self, setting: Setting, instances: usize) -> Pipeline<'_> {
        let mut pipeline = Pipeline::new(&self.history, vec![setting; instances]);
        pipeline.deliver_with_trouble(&delivery(HISTORY_RECORDS, 0, &[]), None).expect("nothing goes wrong");
        pipeline.extend(&self.whole);
        pipeline
    }

    /// Delivers with these faults, then the rest without, and compares.
    fn check(
        &self,
        mut pipeline: Pipeline<'_>,
        deliveries: &[Delivery],
        cut: usize,
    ) -> Result<(), Violation> {
        for delivery in deliveries {
            pipeline.deliver_with_trouble(delivery, Some(&self.oracle))?;
        }
        pipeline.deliver_rest(cut)?;
        let actual = pipeline.store.contents();
        self.oracle.check(&actual)?;
        compare(&self.expected, &actual)
    }

    /// How many calls it takes one of so many instances to deliver the batch when nothing goes wrong.
    fn calls(&self, setting: Setting, instances: usize, instance: u8) -> usize {
        let mut pipeline = self.pipeline(setting, instances);
        pipeline
            .deliver_with_trouble(&delivery(BATCH_RECORDS, instance, &[]), None)
            .expect("nothing goes wrong");
        let calls = pipeline.faults.calls();
        assert!((CALLS_MIN..=CALLS_MAX).contains(&calls), "{calls} calls with {setting:?}");
        calls
    }
}

fn new_record(data: Bytes) -> NewRecord {
    NewRecord { partition_key: "home-01".to_owned(), data }
}

fn home(minute: i64, generated: i64) -> Reading {
    reading("home-01", minute, generated, 1)
}

fn plant(minute: i64, generated: i64) -> Reading {
    reading("plant:7", minute, generated, 1)
}

fn history() -> Vec<Bytes> {
    [home(0, 5), home(15, 7), home(60, 6), plant(0, 80)].iter().map(payload).collect()
}

fn batch() -> Vec<Bytes> {
    let mut aggregate = Aggregator::default();
    let readings = [plant(15, -4), home(90, 9), home(105, 8)];
    for data in readings.iter().map(payload).chain([Bytes::from_static(b"{}")]) {
        aggregate.push("home-01", &data).expect("four payloads fit an aggregate");
    }
    vec![
        payload(&home(75, 4)),                     // in order
        payload(&home(30, 3)),                     // late, in a closed hour
        aggregate.finish(),                        // an anomaly that raises an alert; in order; a reject
        payload(&home(0, 2)),                      // a revision in a closed hour
        payload(&home(15, 7)),                     // a duplicate
        payload(&home(75, -8)),                    // a revision of a reading of this batch, and an alert
        Bytes::from_static(b"\xff not a reading"), // a reject
        payload(&home(120, 1)),                    // closes an hour
        payload(&plant(60, 70)),                   // closes an hour of the other site
        payload(&home(70, 11)),                    // late, in the hour that this batch has closed
    ]
}

fn delivery(records: u8, instance: u8, faults: &[(usize, Fault)]) -> Delivery {
    Delivery {
        shard: 0,
        records,
        rewound_records: 0,
        instance,
        is_restarted: false,
        is_repeated: false,
        trouble: Trouble::Script(faults.to_vec()),
    }
}

/// Each of these calls with each of the faults.
fn points(calls: Range<usize>, faults: &[Fault]) -> impl Iterator<Item = (usize, Fault)> {
    calls.flat_map(|call| faults.iter().map(move |fault| (call, *fault)))
}

#[test]
fn a_fault_at_any_call_changes_nothing_in_the_result() {
    let logs = Logs::new();
    let records = [history().len(), batch().len()];
    assert_eq!(records, [HISTORY_RECORDS, BATCH_RECORDS].map(usize::from));
    for setting in SETTINGS {
        for (instance, cut) in [(0, 1), (0, 3), (0, 10), (1, 1), (1, 3), (1, 10)] {
            for point in points(0..logs.calls(setting, 2, instance), &FAULTS) {
                let pipeline = logs.pipeline(setting, 2);
                let outcome = logs.check(pipeline, &[delivery(BATCH_RECORDS, instance, &[point])], cut);
                assert_eq!(outcome, Ok(()), "{point:?} at {instance} with {setting:?}, the rest by {cut}");
            }
        }
    }
}

#[test]
fn a_second_fault_in_the_same_delivery_changes_nothing_in_the_result() {
    let logs = Logs::new();
    // After a crash the delivery makes no further call.
    let errors: Vec<Fault> = FAULTS
        .into_iter()
        .filter(|fault| matches!(fault, Fault::Error { .. }))
        .chain([PARTIAL_CONFLICT])
        .collect();
    // The batch stores its states under any policy.
    for setting in
        SETTINGS.into_iter().filter(|setting| setting.snapshot_policy == SnapshotPolicy::WhenNeeded)
    {
        for first in points(0..logs.calls(setting, 2, 0), &errors) {
            for second in points(first.0 + 1..CALLS_MAX, &FAULTS) {
                let outcome =
                    logs.check(logs.pipeline(setting, 2), &[delivery(BATCH_RECORDS, 0, &[first, second])], 3);
                assert_eq!(outcome, Ok(()), "{first:?}, then {second:?} with {setting:?}");
            }
        }
    }
}

#[test]
fn faults_in_two_deliveries_in_a_row_change_nothing_in_the_result() {
    let logs = Logs::new();
    let setting = Setting { snapshot_policy: SnapshotPolicy::WhenNeeded, is_cache_on: true };
    assert_eq!(logs.calls(setting, 2, 1), CALLS_AFTER_A_FAULT);
    // Instance 0 remembers the history. It comes first, or second and finds that instance 1 was there in between. Who
    // comes second gets a part of the batch, or all of it once more.
    for (first_instance, second_instance, second_records) in [(0, 1, 4), (0, 0, BATCH_RECORDS), (1, 0, 4)] {
        let first_calls = logs.calls(setting, 2, first_instance);
        for first in points(0..first_calls, &FAULTS) {
            for second in points(0..CALLS_AFTER_A_FAULT, &FAULTS) {
                let deliveries = [
                    delivery(BATCH_RECORDS, first_instance, &[first]),
                    delivery(second_records, second_instance, &[second]),
                ];
                let outcome = logs.check(logs.pipeline(setting, 2), &deliveries, 3);
                assert_eq!(
                    outcome,
                    Ok(()),
                    "{first:?} at {first_instance}, then {second:?} in {second_records} records at {second_instance}"
                );
            }
        }
    }
}
