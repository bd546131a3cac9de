//! Rows under their guards, snapshots under their versions, the index of anomalies beside the rows.

use super::*;
use crate::fixture::{Fixture, START_MS, anomalous, at, position, row, site};
use futures::FutureExt;
use wattstream_domain::{HourTotals, Timestamp};
use wattstream_engine::ports::InstanceId;

fn any(row: Row) -> RowWrite {
    RowWrite { row, guard: Guard::Any }
}

fn unchanged(row: Row, sequence: Option<u64>) -> RowWrite {
    RowWrite { row, guard: Guard::Unchanged(sequence.map(position)) }
}

fn kinds(failures: &Failures) -> Vec<(&str, Kind)> {
    failures.iter().map(|(site_id, error)| (site_id.as_str(), error.kind())).collect()
}

async fn rows_between(store: &Store, site_id: SiteId, start_ms: i64, end_ms: i64) -> Vec<Row> {
    let timestamps = at(start_ms)..=at(end_ms);
    store.rows(&[RowRange { site_id, timestamps }]).await.unwrap().remove(0)
}

/// The instants in the index, in milliseconds.
fn indexed(store: &Store, site_id: SiteId) -> Vec<i64> {
    let all = keys::instants(site_id, &(Timestamp::MIN..=Timestamp::MAX));
    let keys = store.keyspaces().anomalies.range(all).map(|entry| entry.key().unwrap());
    keys.map(|key| keys::parse_instant(&key).unwrap().unix_ms()).collect()
}

/// The instants in the index by time, in milliseconds.
fn indexed_by_time(store: &Store) -> Vec<i64> {
    let keys = store.keyspaces().anomalies_by_time.iter().map(|entry| entry.key().unwrap());
    keys.map(|key| keys::parse_place(&key).unwrap().timestamp.unix_ms()).collect()
}

#[tokio::test]
async fn rows_are_read_by_site_and_range_both_ends_included() {
    let fixture = Fixture::with_shards(1);
    let store = fixture.store();
    let (a, ab) = (site("a"), site("ab"));
    let written: Vec<_> = [0, 10, 20, 30].map(|ms| row(a, at(ms), 1 + ms.cast_unsigned())).to_vec();
    let writes: Vec<_> = written.iter().rev().cloned().chain([row(ab, at(10), 9)]).map(any).collect();
    assert!(store.put_rows(&writes).await.is_empty());

    assert_eq!(rows_between(store, a, 10, 20).await, written[1..3]);
    assert_eq!(rows_between(store, a, 0, Timestamp::MAX.unix_ms()).await, written);
    assert_eq!(rows_between(store, a, 21, 29).await, []);
    let ranges = [ab, site("b"), a].map(|site_id| RowRange { site_id, timestamps: at(10)..=at(10) });
    let found: Vec<usize> = store.rows(&ranges).await.unwrap().iter().map(Vec::len).collect();
    assert_eq!(found, [1, 0, 1], "in the order of the ranges");
}

#[tokio::test]
async fn a_guard_lets_pass_exactly_what_it_names() {
    let table = [
        (None, None, true),
        (None, Some(1), false),
        (Some(1), Some(1), true),
        (Some(1), None, false),
        (Some(2), Some(1), false),
        (Some(1), Some(2), false),
    ];
    for (stored, expected, passes) in table {
        let fixture = Fixture::with_shards(1);
        let (store, a) = (fixture.store(), site("a"));
        let before: Vec<_> = stored.map(|sequence| row(a, at(0), sequence)).into_iter().collect();
        assert!(store.put_rows(&before.iter().cloned().map(any).collect::<Vec<_>>()).await.is_empty());

        let write = row(a, at(0), 7);
        let failures = store.put_rows(&[unchanged(write.clone(), expected)]).await;

        let conflict: &[_] = if passes { &[] } else { &[("a", Kind::Conflict)] };
        assert_eq!(kinds(&failures), conflict, "{stored:?} {expected:?}");
        let after = if passes { vec![write] } else { before };
        assert_eq!(rows_between(store, a, 0, 0).await, after, "{stored:?} {expected:?}");
    }
}

#[tokio::test]
async fn a_conflict_of_one_site_does_not_stop_another() {
    let fixture = Fixture::with_shards(1);
    let (store, a, b) = (fixture.store(), site("a"), site("b"));
    let failures =
        store.put_rows(&[unchanged(row(a, at(0), 1), Some(9)), unchanged(row(b, at(0), 2), None)]).await;
    assert_eq!(kinds(&failures), [("a", Kind::Conflict)]);
    assert_eq!(rows_between(store, a, 0, 0).await, []);
    assert_eq!(rows_between(store, b, 0, 0).await.len(), 1);
}

#[tokio::test]
async fn the_index_of_anomalies_follows_every_write() {
    let fixture = Fixture::with_shards(1);
    let (store, a) = (fixture.store(), site("a"));
    let good = |sequence| row(a, at(START_MS), sequence);
    let steps = [
        (any(good(1)), false),
        (unchanged(anomalous(good(2)), Some(1)), true),
        (unchanged(anomalous(good(3)), Some(2)), true),
        (unchanged(good(4), Some(3)), false),
        (any(anomalous(good(5))), true),
        // A refused write changes nothing, the index included.
        (unchanged(good(6), Some(1)), true),
        (any(good(7)), false),
    ];
    for (index, (write, is_indexed)) in steps.into_iter().enumerate() {
        store.put_rows(&[write]).await;
        let expected: &[i64] = if is_indexed { &[START_MS] } else { &[] };
        assert_eq!(indexed(store, a), expected, "step {index}");
        assert_eq!(indexed_by_time(store), expected, "step {index}");
    }
}

#[tokio::test]
async fn a_store_of_a_format_before_gets_the_index_by_time_when_it_is_opened() {
    for format in 1..crate::FORMAT {
        let mut fixture = Fixture::with_shards(1);
        let rows = [0, 10, 20].map(|ms| anomalous(row(site("a"), at(ms), 1)));
        assert!(fixture.store().put_rows(&rows.map(any)).await.is_empty());
        let keyspaces = fixture.store().keyspaces();
        keyspaces.anomalies_by_time.clear().unwrap();
        keyspaces.meta.insert("format", format.to_be_bytes()).unwrap();
        fixture.reopen();
        assert_eq!(indexed_by_time(fixture.store()), [0, 10, 20], "{format}");
    }
}

#[tokio::test]
async fn a_state_is_stored_over_the_version_that_was_read_only() {
    let fixture = Fixture::with_shards(1);
    let (store, a, b) = (fixture.store(), site("a"), site("b"));
    let state = |site_id, duplicates| SiteState { duplicates, ..SiteState::new(site_id) };
    let (a1, a2, b1) = (state(a, 1), state(a, 2), state(b, 1));
    let steps = [
        (vec![(&a1, 1)], vec!["a"]),
        (vec![(&a1, 0), (&b1, 3)], vec!["b"]),
        (vec![(&a2, 0)], vec!["a"]),
        (vec![(&a2, 1), (&b1, 0)], vec![]),
        (vec![(&a1, 1)], vec!["a"]),
    ];
    for (index, (commits, conflicts)) in steps.into_iter().enumerate() {
        let commits: Vec<_> =
            commits.into_iter().map(|(state, expected_version)| Commit { state, expected_version }).collect();
        let expected: Vec<_> = conflicts.into_iter().map(|site_id| (site_id, Kind::Conflict)).collect();
        assert_eq!(kinds(&store.commit(&commits).await), expected, "step {index}");
    }
    let found = store.snapshots(&[b, site("c"), a]).await.unwrap();
    let snapshot = |state, version| Some(SiteSnapshot { state, version });
    assert_eq!(found, [snapshot(b1, 1), None, snapshot(a2, 2)]);
}

#[test]
fn of_many_writers_of_one_version_one_wins() {
    let fixture = Fixture::with_shards(1);
    let wins = |expected_version| {
        let attempt = &|writer| {
            let state = SiteState { duplicates: writer, ..SiteState::new(site("a")) };
            let commit = Commit { state: &state, expected_version };
            let done = fixture.store().commit(&[commit]).now_or_never();
            done.expect("committing does not wait").is_empty()
        };
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8).map(|writer| scope.spawn(move || attempt(writer))).collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).filter(|&has_won| has_won).count()
        })
    };
    for version in 0..50 {
        assert_eq!(wins(version), 1, "version {version}");
    }
}

#[tokio::test]
async fn an_hour_is_written_over_what_was_stored() {
    let fixture = Fixture::with_shards(1);
    let store = fixture.store();
    let reading = row(site("a"), at(START_MS), 5);
    let totals = HourTotals::of(&reading.version.measure, false);
    let hour =
        |totals| HourRow { site_id: site("a"), hour: at(START_MS).hour(), totals, position: position(5) };
    for totals in [totals, totals.merge(&totals)] {
        assert!(store.put_hours(&[hour(totals)]).await.is_empty());
        let key = keys::instant(site("a"), at(START_MS));
        let value = store.keyspaces().hours.get(key).unwrap().unwrap();
        let found = wattstream_wire::stored::decode_hour(site("a"), at(START_MS).hour(), &value).unwrap();
        assert_eq!(found, hour(totals));
    }
}

#[tokio::test]
async fn a_shard_mark_is_kept() {
    let mut fixture = Fixture::with_shards(2);
    let sequence: wattstream_domain::SequenceNumber = "9".repeat(129).parse().unwrap();
    let mark =
        |instance: &str| ShardMark { shard: ShardId(1), sequence, instance: InstanceId(instance.into()) };
    assert_eq!(fixture.store().shard_mark(ShardId(1)).await.unwrap(), None);
    for instance in ["", "host-7/ä"] {
        fixture.store().put_shard_mark(&mark(instance)).await.unwrap();
        fixture.reopen();
        assert_eq!(fixture.store().shard_mark(ShardId(1)).await.unwrap(), Some(mark(instance)));
        assert_eq!(fixture.store().shard_mark(ShardId(0)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn damage_is_named_and_never_taken_for_data() {
    let fixture = Fixture::with_shards(1);
    let (store, a) = (fixture.store(), site("a"));
    store.keyspaces().sites.insert("a", "short").unwrap();
    store.keyspaces().readings.insert(keys::instant(a, at(0)), "\u{ff}").unwrap();
    let broken = [
        store.snapshots(&[a]).await.unwrap_err(),
        store.rows(&[RowRange { site_id: a, timestamps: at(0)..=at(0) }]).await.unwrap_err(),
        store.put_rows(&[unchanged(row(a, at(0), 1), None)]).await.remove(&a).unwrap(),
        store.commit(&[Commit { state: &SiteState::new(a), expected_version: 0 }]).await.remove(&a).unwrap(),
    ];
    for error in broken {
        assert_eq!(error.kind(), Kind::Broken, "{error}");
        assert!(error.to_string().contains("damaged"), "{error}");
    }
}
