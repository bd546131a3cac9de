//! The rules of delivery: a table of replies, then what must hold for any replies.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use wattstream_domain::ShardId;

use super::*;
use crate::event_source::tests::{arrival, batch, record, settings};

use Reply::{Error, Failures};

/// A reply of the consumer.
#[derive(Clone, Debug)]
enum Reply {
    /// These sequence numbers failed.
    Failures(&'static [u64]),
    /// An error, a panic or a timeout.
    Error,
}

impl Reply {
    fn typed(&self) -> Option<BatchReply> {
        match self {
            Self::Failures(failures) => {
                Some(BatchReply { failures: failures.iter().map(|&sequence| sequence.into()).collect() })
            }
            Self::Error => None,
        }
    }
}

/// What is seen of a delivery from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// The consumer was called with these records, and so much of them was acknowledged.
    Invoked(Vec<u64>, Option<u64>),
    /// These records were given up after so many invocations.
    GivenUp(Vec<u64>, GivenUpCondition, u32),
}

fn numbers(batch: &Batch) -> Vec<u64> {
    batch.records.iter().filter_map(|record| record.sequence.to_u64()).collect()
}

fn invoked(records: impl IntoIterator<Item = u64>, acknowledged: Option<u64>) -> Seen {
    Seen::Invoked(records.into_iter().collect(), acknowledged)
}

fn exhausted(records: impl IntoIterator<Item = u64>, invocations: u32) -> Seen {
    Seen::GivenUp(records.into_iter().collect(), GivenUpCondition::RetryAttemptsExhausted, invocations)
}

/// Delivers all of it at one time, with these replies and then with success.
fn deliver_at(now: Timestamp, mut delivery: Delivery, replies: &[Reply]) -> Vec<Seen> {
    let mut replies = replies.iter();
    let mut seen = Vec::new();
    while let Some(step) = delivery.next(now) {
        seen.push(match step {
            Step::Invoke(slice) => {
                let records = numbers(&slice.batch);
                let reply = replies.next().unwrap_or(&Failures(&[])).typed();
                let settlement = delivery.settle(slice, reply.as_ref());
                Seen::Invoked(records, settlement.acknowledged.and_then(SequenceNumber::to_u64))
            }
            Step::GiveUp(given_up) => {
                Seen::GivenUp(numbers(&given_up.batch), given_up.condition, given_up.invocations)
            }
        });
    }
    seen
}

/// Delivers the records 1 to 4.
fn deliver(settings: EventSourceSettings, replies: &[Reply]) -> Vec<Seen> {
    deliver_at(arrival(0), Delivery::new(batch(1..=4), settings), replies)
}

/// What it is about, the replies, and what is then seen.
type Case<'a> = (&'a str, &'a [Reply], &'a [Seen]);

fn check(settings: EventSourceSettings, cases: &[Case<'_>]) {
    for (name, replies, expected) in cases {
        assert_eq!(deliver(settings, replies), *expected, "{name}");
    }
}

#[test]
fn every_reply_has_the_outcome_that_lambda_gives_it() {
    let again = [invoked(1..=4, None), invoked(1..=4, Some(4))];
    check(
        settings(),
        &[
            ("no failures: all is acknowledged", &[Failures(&[])], &[invoked(1..=4, Some(4))]),
            (
                "a number of the batch: again from it on",
                &[Failures(&[3])],
                &[invoked(1..=4, Some(2)), invoked(3..=4, Some(4))],
            ),
            (
                "several numbers in any order: again from the lowest on",
                &[Failures(&[4, 2, 3, 2])],
                &[invoked(1..=4, Some(1)), invoked(2..=4, Some(4))],
            ),
            ("the first number: all again", &[Failures(&[1])], &again),
            ("a number outside the batch: all again", &[Failures(&[123])], &again),
            ("a number outside the batch among good ones: all again", &[Failures(&[3, 123])], &again),
            ("an error: all again", &[Error], &again),
            (
                "a number that was acknowledged before: all of the slice again",
                &[Failures(&[3]), Failures(&[1])],
                &[invoked(1..=4, Some(2)), invoked(3..=4, None), invoked(3..=4, Some(4))],
            ),
        ],
    );
}

#[test]
fn bisection_halves_what_failed_whole_and_cuts_what_failed_in_part() {
    check(
        EventSourceSettings { bisect_on_error: true, ..settings() },
        &[
            (
                "an error: halves, the left one first",
                &[Error, Error],
                &[
                    invoked(1..=4, None),
                    invoked(1..=2, None),
                    invoked([1], Some(1)),
                    invoked([2], Some(2)),
                    invoked(3..=4, Some(4)),
                ],
            ),
            (
                "a number outside the batch: halves",
                &[Failures(&[123])],
                &[invoked(1..=4, None), invoked(1..=2, Some(2)), invoked(3..=4, Some(4))],
            ),
            (
                "a number of the batch: cut there, and only the rest again",
                &[Failures(&[2])],
                &[invoked(1..=4, Some(1)), invoked(2..=4, Some(4))],
            ),
        ],
    );
}

#[test]
fn what_fails_beyond_its_retries_is_given_up_from_the_failed_record_to_the_end() {
    let all_given_up = [invoked(1..=4, None), invoked(1..=4, None), exhausted(1..=4, 2)];
    check(
        EventSourceSettings { retry_attempts_max: Some(1), ..settings() },
        &[
            ("errors", &[Error, Error], &all_given_up),
            (
                "partial replies, and the good records with the bad",
                &[Failures(&[1]), Failures(&[1])],
                &all_given_up,
            ),
            (
                "progress gives all retries back, as recorded on Lambda",
                &[Failures(&[3]), Failures(&[3]), Failures(&[3])],
                &[invoked(1..=4, Some(2)), invoked(3..=4, None), invoked(3..=4, None), exhausted(3..=4, 2)],
            ),
        ],
    );
    check(
        EventSourceSettings { retry_attempts_max: Some(0), ..settings() },
        &[("no retries", &[Error], &[invoked(1..=4, None), exhausted(1..=4, 1)])],
    );
}

#[test]
fn bisection_does_not_use_retries_up() {
    check(
        EventSourceSettings { bisect_on_error: true, retry_attempts_max: Some(1), ..settings() },
        &[
            (
                "halves close in on the record at fault, which then has its own retries",
                &[Error, Failures(&[]), Error, Error, Error],
                &[
                    invoked(1..=4, None),
                    invoked(1..=2, Some(2)),
                    invoked(3..=4, None),
                    invoked([3], None),
                    invoked([3], None),
                    exhausted([3], 2),
                    invoked([4], Some(4)),
                ],
            ),
            (
                "a partial reply that cuts nothing off is a retry",
                &[Failures(&[1]), Failures(&[1])],
                &[invoked(1..=4, None), invoked(1..=4, None), exhausted(1..=4, 2)],
            ),
        ],
    );
}

#[test]
fn without_a_limit_a_batch_is_delivered_until_it_succeeds() {
    let seen = deliver(settings(), &vec![Error; 20_000]);
    assert_eq!(seen.len(), 20_001);
    assert_eq!(seen.last(), Some(&invoked(1..=4, Some(4))));
}

/// Five records that arrived a minute apart, the fourth of them dated back before the first.
fn aged_batch() -> Batch {
    let mut batch = batch(1..=5);
    for (record, minute) in batch.records.iter_mut().zip([0, 1, 2, 0, 4]) {
        record.arrival = arrival(minute * 60_000);
    }
    batch
}

#[test]
fn records_beyond_the_age_are_given_up_and_not_delivered() {
    let settings = EventSourceSettings { record_age_max: Some(Duration::from_secs(60)), ..settings() };
    let too_old = |records: &[u64], invocations| {
        Seen::GivenUp(records.to_vec(), GivenUpCondition::RecordAgeExceeded, invocations)
    };
    let cases: &[(&str, i64, &[Seen])] = &[
        ("none is too old at the limit", 60_000, &[invoked(1..=5, Some(5))]),
        (
            "one millisecond later the oldest are, wherever they stand",
            60_001,
            &[too_old(&[1], 0), invoked(2..=3, Some(3)), too_old(&[4], 0), invoked([5], Some(5))],
        ),
        ("all are", 300_001, &[too_old(&[1, 2, 3, 4, 5], 0)]),
        ("none is when the clock was set back", -600_000, &[invoked(1..=5, Some(5))]),
    ];
    for (name, now_ms, expected) in cases {
        let seen = deliver_at(arrival(*now_ms), Delivery::new(aged_batch(), settings), &[]);
        assert_eq!(seen, *expected, "{name}");
    }
}

#[test]
fn records_that_grow_too_old_between_retries_are_given_up_with_their_invocations() {
    let settings = EventSourceSettings { record_age_max: Some(Duration::from_secs(60)), ..settings() };
    let mut delivery = Delivery::new(batch(1..=2), settings);
    let Some(Step::Invoke(slice)) = delivery.next(arrival(60_000)) else { panic!("not yet too old") };
    delivery.settle(slice, None);
    let expected =
        GivenUp { batch: batch(1..=2), condition: GivenUpCondition::RecordAgeExceeded, invocations: 1 };
    assert_eq!(delivery.next(arrival(60_001)), Some(Step::GiveUp(expected)));
    assert_eq!(delivery.next(arrival(60_001)), None);
}

/// A reply to any slice.
#[derive(Clone, Debug)]
enum AnyReply {
    Success,
    Error,
    Foreign,
    Partial(Vec<Index>),
}

fn any_reply() -> impl Strategy<Value = AnyReply> {
    prop_oneof![
        2 => Just(AnyReply::Success),
        2 => Just(AnyReply::Error),
        1 => Just(AnyReply::Foreign),
        3 => prop::collection::vec(any::<Index>(), 1..4).prop_map(AnyReply::Partial),
    ]
}

impl AnyReply {
    fn to(&self, batch: &Batch) -> Option<BatchReply> {
        let failures = match self {
            Self::Error => return None,
            Self::Success => Vec::new(),
            Self::Foreign => vec![0.into()],
            Self::Partial(places) => places.iter().map(|place| place.get(&batch.records).sequence).collect(),
        };
        Some(BatchReply { failures })
    }
}

fn any_settings() -> impl Strategy<Value = EventSourceSettings> {
    let age = prop::option::of((60_u64..120).prop_map(Duration::from_secs));
    (prop::option::of(0_u32..4), any::<bool>(), age).prop_map(
        |(retry_attempts_max, bisect_on_error, record_age_max)| EventSourceSettings {
            retry_attempts_max,
            bisect_on_error,
            record_age_max,
            ..settings()
        },
    )
}

/// One reply, and how long it takes.
type TimedReply = (AnyReply, i64);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_record_leaves_once_in_order_and_never_behind_the_checkpoint(
        records in 1_u64..40,
        settings in any_settings(),
        replies in prop::collection::vec((any_reply(), 0_i64..30_000), 0..200),
    ) {
        let replies: Vec<TimedReply> = replies;
        let mut replies = replies.iter();
        let mut delivery = Delivery::new(batch(1..=records), settings);
        let mut now_ms = 0;
        // The records 1 to `left` have left, acknowledged or given up.
        let mut left = 0;
        let mut calls_by_slice = BTreeMap::new();
        while let Some(step) = delivery.next(arrival(now_ms)) {
            let (given, goes_up_to) = match step {
                Step::GiveUp(given_up) => {
                    let given = numbers(&given_up.batch);
                    prop_assert!(given_up.condition != GivenUpCondition::RetryAttemptsExhausted
                        || Some(given_up.invocations) == settings.retry_attempts_max.map(|max| max + 1));
                    let last = *given.last().unwrap();
                    (given, Some(last))
                }
                Step::Invoke(slice) => {
                    let given = numbers(&slice.batch);
                    let is_fresh = |record: &StreamRecord| !delivery.is_expired(record, arrival(now_ms));
                    prop_assert!(slice.batch.records.iter().all(is_fresh));
                    let (reply, duration_ms) = replies.next().unwrap_or(&(AnyReply::Success, 0));
                    let reply = reply.to(&slice.batch);
                    now_ms += duration_ms;
                    let acknowledged = delivery.settle(slice, reply.as_ref()).acknowledged;
                    *calls_by_slice.entry(given.clone()).or_insert(0) += 1;
                    (given, acknowledged.and_then(SequenceNumber::to_u64))
                }
            };
            // What is delivered or given up begins where everything before has left, and has no gap.
            prop_assert_eq!(given[0], left + 1);
            prop_assert!(given.windows(2).all(|pair| pair[1] == pair[0] + 1));
            if let Some(last) = goes_up_to {
                prop_assert!(given.contains(&last));
                left = last;
            }
        }
        prop_assert_eq!(left, records);
        if let Some(max) = settings.retry_attempts_max {
            prop_assert!(calls_by_slice.values().all(|&calls| calls <= max + 1), "{:?}", calls_by_slice);
        }
    }

    /// Halving finds the bad records of any batch, and gives nothing else up.
    #[test]
    fn bisection_gives_up_exactly_the_records_at_fault(
        bad in prop::collection::btree_set(1_u64..=64, 0..6),
        retry_attempts_max in 0_u32..3,
    ) {
        let settings =
            EventSourceSettings { bisect_on_error: true, retry_attempts_max: Some(retry_attempts_max), ..settings() };
        let mut delivery = Delivery::new(batch(1..=64), settings);
        let (mut given_up, mut calls) = (Vec::new(), 0);
        while let Some(step) = delivery.next(arrival(0)) {
            match step {
                Step::Invoke(slice) => {
                    calls += 1;
                    let is_bad = numbers(&slice.batch).iter().any(|sequence| bad.contains(sequence));
                    delivery.settle(slice, (!is_bad).then(BatchReply::default).as_ref());
                }
                Step::GiveUp(records) => given_up.extend(numbers(&records.batch)),
            }
        }
        prop_assert_eq!(given_up, bad.iter().copied().collect::<Vec<_>>());
        // Each bad record costs at most two calls a level of halving, and its retries.
        let bad = u32::try_from(bad.len()).unwrap();
        prop_assert!(calls <= 1 + bad * (2 * 6 + retry_attempts_max));
    }
}

#[test]
fn a_slice_is_never_empty() {
    let mut slice = Slice::new(Batch { shard: ShardId(0), records: vec![record(1)] });
    assert_eq!(slice.split_off(1), None);
    assert_eq!(slice.last(), Some(1.into()));
}
