//! Every crash of a small batch: each call to a port, and each pair of calls, fails in every way.
//!
//! Goal: no order of writes, however it is cut off, leaves a trace in the result. Method: a log with every kind of record
//! is delivered in one batch after another, of which one meets the faults; chance has no part in it. The tables at the end
//! must be those of one delivery in order, whatever the policy, with the cache on and off.

use wattstream_engine::SnapshotPolicy;
use wattstream_testkit::Fault;
use wattstream_testkit::Numbers;
use wattstream_testkit::deliveries::{
    Course, Delivery, Setting, Trouble, compare, deliver, deliver_in_order,
};
use wattstream_testkit::logs::{Act, Content, Log, LogWriter, Upload, Value};
use wattstream_testkit::oracle::Oracle;

/// Every way in which a call can end badly: unapplied, applied, half applied; with an error, a conflict, or no answer.
const FAULTS: [Fault; 8] = [
    Fault::BEFORE,
    Fault::AFTER,
    Fault::CONFLICT,
    Fault::OWN_CONFLICT,
    Fault::CRASH_BEFORE,
    Fault::CRASH_AFTER,
    Fault::Crash { applied: 0x5555_5555 },
    Fault::Error { applied: 0xaaaa_aaaa, answered: 0xaaaa_aaaa, kind: wattstream_engine::Kind::Retry },
];

/// More calls than a batch makes, repetitions after conflicts included.
const CALLS_MAX: usize = 16;

fn run(readings: u8, value: Value) -> Content {
    Content::Run { steps: 1, readings, value }
}

/// Two hours of two sites: in order, anomalous, late, repeated, revised, unreadable, over the end of an hour.
fn log_with_every_case() -> Log {
    let numbers = Numbers { base: "7".parse().expect("a number"), step: 1 };
    let mut writer = LogWriter::new(1, numbers, 30);
    let contents = [
        (0, run(2, Value::Ordinary(1))),
        (1, run(1, Value::Ordinary(2))),
        (0, run(1, Value::Negative(3))),
        (0, Content::Older { intervals: 1, is_between: true, value: Value::Ordinary(4) }),
        (1, Content::Reject(2)),
        (0, Content::Repeated(0)),
        (0, Content::Revised(1, Value::Ordinary(9))),
        (1, run(3, Value::Ordinary(5))),
        (0, run(1, Value::Ordinary(6))),
    ];
    for (site, content) in contents {
        writer.perform(Act::Upload(Upload { site, content }));
    }
    writer.finish()
}

fn settings() -> impl Iterator<Item = Setting> {
    let policies = [SnapshotPolicy::EveryBatch, SnapshotPolicy::WhenNeeded];
    policies
        .into_iter()
        .flat_map(|snapshot_policy| [true, false].map(|is_cache_on| Setting { snapshot_policy, is_cache_on }))
}

fn delivery(records: u8, faults: Vec<(usize, Fault)>) -> Delivery {
    Delivery {
        shard: 0,
        records,
        rewound_records: 0,
        instance: 0,
        is_restarted: false,
        is_repeated: false,
        trouble: Trouble::Script(faults),
    }
}

/// Delivers the log so that the second batch meets the faults, and compares.
fn check(log: &Log, setting: Setting, faults: &[(usize, Fault)]) {
    let expected = deliver_in_order(log).expect("a delivery in order succeeds");
    let oracle = Oracle::of(log);
    for (first, second) in [(0, 12), (3, 9), (5, 4)] {
        let mut deliveries = vec![delivery(second, faults.to_vec())];
        if first > 0 {
            deliveries.insert(0, delivery(first, Vec::new()));
        }
        let course = Course { instances: vec![setting], deliveries };
        let outcome = deliver(log, &oracle, &course).and_then(|actual| compare(&expected, &actual));
        outcome.unwrap_or_else(|violation| {
            panic!("{setting:?}, batches of {first} and {second}, faults {faults:?}: {}", violation.0)
        });
    }
}

#[test]
fn a_fault_at_any_single_call_leaves_no_trace() {
    let log = log_with_every_case();
    for setting in settings() {
        for call in 0..CALLS_MAX {
            for fault in FAULTS {
                check(&log, setting, &[(call, fault)]);
            }
        }
    }
}

#[test]
fn faults_at_any_two_calls_leave_no_trace() {
    let log = log_with_every_case();
    for setting in settings() {
        for first in 0..CALLS_MAX {
            for second in first + 1..CALLS_MAX {
                for fault in FAULTS {
                    check(&log, setting, &[(first, Fault::CONFLICT), (second, fault)]);
                    check(&log, setting, &[(first, Fault::AFTER), (second, fault)]);
                }
            }
        }
    }
}
