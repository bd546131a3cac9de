//! A batch of records 10, 12, 14 and so on, of which the stream has kept some.

use std::ops::RangeBounds;

use proptest::prelude::*;
use wattstream_testkit::at;

use super::*;

const SHARD: ShardId = ShardId(3);

/// A report on so many records, the first of which has the number 10.
fn batch(records: u64) -> DiscardedBatch {
    DiscardedBatch {
        stream_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/readings".to_owned(),
        shard: SHARD,
        first: number(0),
        last: number(records - 1),
        records: Some(records),
        first_arrival: Some(arrival(0)),
        last_arrival: Some(arrival(records - 1)),
        condition: "RetryAttemptsExhausted".to_owned(),
        invocations: Some(4),
        function_error: None,
        at: None,
        event: None,
    }
}

fn number(index: u64) -> SequenceNumber {
    (10 + 2 * index).into()
}

fn arrival(index: u64) -> Timestamp {
    at(i64::try_from(index).unwrap())
}

fn record(index: u64) -> StreamRecord {
    StreamRecord {
        sequence: number(index),
        partition_key: "home-01".into(),
        arrival: arrival(index),
        data: "x".into(),
        fault: None,
    }
}

fn found(indexes: impl IntoIterator<Item = u64>) -> Found {
    let mut found = Found::default();
    for index in indexes {
        found.note(&[record(index)]);
    }
    found
}

#[test]
fn of_a_batch_that_is_all_there_nothing_is_lost() {
    assert_eq!(lost_ranges(&batch(5), &found(0..5)), []);
    assert_eq!(lost_ranges(&batch(1), &found([0])), []);
}

#[test]
fn of_a_batch_that_is_gone_everything_is_lost_as_the_report_has_it() {
    let [lost] = lost_ranges(&batch(5), &Found::default())[..] else { panic!("one range") };
    let expected = LostRange {
        shard: SHARD,
        from: Bound::Included(number(0)),
        to: Bound::Included(number(4)),
        records: Some(5),
        from_arrival: Some(arrival(0)),
        to_arrival: Some(arrival(4)),
    };
    assert_eq!(lost, expected);
    let told =
        "5 records of shardId-000000000003, from 10 (arrived 2025-06-20T00:00:00.000Z) to 18 (arrived ";
    assert!(lost.to_string().starts_with(told), "{lost}");
}

#[test]
fn of_a_batch_that_was_trimmed_what_stood_before_the_oldest_is_lost() {
    let [lost] = lost_ranges(&batch(5), &found(2..5))[..] else { panic!("one range") };
    assert_eq!((lost.from, lost.to), (Bound::Included(number(0)), Bound::Excluded(number(2))));
    assert_eq!(
        (lost.records, lost.from_arrival, lost.to_arrival),
        (Some(2), Some(arrival(0)), Some(arrival(2)))
    );
    assert!(
        lost.to_string().contains("2 records of ") && lost.to_string().contains(" to before 14 "),
        "{lost}"
    );
}

#[test]
fn a_stream_that_ends_before_the_batch_does_has_lost_its_end() {
    let [lost] = lost_ranges(&batch(5), &found(0..2))[..] else { panic!("one range") };
    assert_eq!((lost.from, lost.to), (Bound::Excluded(number(1)), Bound::Included(number(4))));
    assert_eq!(lost.records, Some(3));
    let both = lost_ranges(&batch(5), &found(1..3));
    assert_eq!(both.iter().map(|range| range.records).collect::<Vec<_>>(), [None, None]);
}

#[test]
fn what_is_missing_in_the_middle_is_counted() {
    let [lost] = lost_ranges(&batch(5), &found([0, 4]))[..] else { panic!("one range") };
    assert_eq!((lost.from, lost.to), (Bound::Excluded(number(0)), Bound::Excluded(number(4))));
    assert_eq!(lost.records, Some(3));
}

#[test]
fn a_report_without_a_count_tells_the_range_alone() {
    let bare = DiscardedBatch { records: None, first_arrival: None, last_arrival: None, ..batch(5) };
    let [lost] = lost_ranges(&bare, &found(3..5))[..] else { panic!("one range") };
    assert_eq!((lost.records, lost.from_arrival), (None, None));
    let told = "records of shardId-000000000003, from 10 to before 16 (arrived 2025-06-20T00:";
    assert!(lost.to_string().starts_with(told), "{lost}");
}

proptest! {
    #[test]
    fn every_record_was_found_or_is_told_of_and_none_is_both(records in 1..40_u64, start in 0..40_u64, end in 0..40_u64) {
        let kept = start.min(records)..end.min(records);
        let batch = batch(records);
        let found = found(kept.clone());
        let lost = lost_ranges(&batch, &found);
        for index in 0..records {
            let is_lost = lost.iter().any(|range| (range.from, range.to).contains(&number(index)));
            prop_assert_eq!(is_lost, !kept.contains(&index), "record {} of {:?}", index, &lost);
        }
        if let [one] = &lost[..] {
            prop_assert_eq!(one.records, Some(records - found.records));
        }
    }
}
