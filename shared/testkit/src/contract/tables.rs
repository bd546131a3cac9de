//! The contract of [`Tables`].

use std::ops::RangeInclusive;

use wattstream_domain::{
    Guard, HourRow, Position, Row, RowWrite, SequenceNumber, ShardId, SiteId, Timestamp,
};
use wattstream_engine::Kind;
use wattstream_engine::ports::{
    Commit, Failures, HourQuery, InstanceId, Queries, RowRange, ShardMark, Snapshot, Tables,
};

use crate::builders::{Site, at, position};

/// Runs the contract of [`Tables`]. Hours are read back through [`Queries`].
pub async fn tables<S: Tables + Queries>(make: impl AsyncFn() -> S) {
    an_empty_store_has_nothing(&make().await).await;
    rows_come_back_by_range(&make().await).await;
    rows_of_sites_with_like_names_stay_apart(&make().await).await;
    a_guard_holds_or_is_a_conflict(&make().await).await;
    a_conflict_stops_its_own_site_only(&make().await).await;
    writing_rows_again_changes_nothing(&make().await).await;
    states_are_committed_over_the_version_that_was_read(&make().await).await;
    hours_are_written_over_what_is_stored(&make().await).await;
    shard_marks_are_kept_by_shard(&make().await).await;
}

const SEQUENCE_OF_KINESIS: &str = "49590338271490256608559692538361571095921575989136588898";

fn three_rows() -> Site {
    Site::new("home-01").sends(0, 5, 2).sends(15, 7, 1).sends(60, -4, 0)
}

fn writes(rows: impl IntoIterator<Item = Row>, guard: Guard) -> Vec<RowWrite> {
    rows.into_iter().map(|row| RowWrite { row, guard }).collect()
}

fn range(site_id: SiteId, timestamps: RangeInclusive<Timestamp>) -> RowRange {
    RowRange { site_id, timestamps }
}

fn everything(site_id: SiteId) -> RowRange {
    range(site_id, Timestamp::MIN..=Timestamp::MAX)
}

async fn rows_of(store: &impl Tables, site_id: SiteId) -> Vec<Row> {
    let mut found = store.rows(&[everything(site_id)]).await.expect("rows are read");
    found.pop().expect("one range has one answer")
}

#[track_caller]
fn assert_written(failures: &Failures) {
    assert!(failures.is_empty(), "these were to be written: {failures:?}");
}

#[track_caller]
fn assert_conflicts(failures: &Failures, sites: &[SiteId]) {
    let found: Vec<_> = failures.iter().map(|(site_id, error)| (*site_id, error.kind())).collect();
    let expected: Vec<_> = sites.iter().map(|site_id| (*site_id, Kind::Conflict)).collect();
    assert_eq!(found, expected, "these sites conflict, and no other");
}

async fn an_empty_store_has_nothing(store: &impl Tables) {
    let site_id = Site::new("home-01").id;
    assert_eq!(store.snapshots(&[site_id]).await.expect("an answer"), [None]);
    assert_eq!(store.snapshots(&[]).await.expect("an answer"), []);
    assert_eq!(store.rows(&[]).await.expect("an answer"), Vec::<Vec<Row>>::new());
    assert_eq!(rows_of(store, site_id).await, []);
    assert_eq!(store.shard_mark(ShardId(0)).await.expect("an answer"), None);
    assert_written(&store.put_rows(&[]).await);
    assert_written(&store.put_hours(&[]).await);
    assert_written(&store.commit(&[]).await);
}

async fn rows_come_back_by_range(store: &impl Tables) {
    let site = three_rows();
    let rows: Vec<Row> = site.rows.values().cloned().collect();
    let reversed = rows.iter().rev().cloned();
    assert_written(&store.put_rows(&writes(reversed, Guard::Any)).await);
    let ranges = [
        range(site.id, at(15)..=at(60)),
        range(Site::new("home-02").id, at(0)..=at(60)),
        everything(site.id),
        range(site.id, at(1)..=at(14)),
        range(site.id, at(0)..=at(0)),
    ];
    let expected = [&rows[1..], &[], &rows[..], &[], &rows[..1]];
    assert_eq!(
        store.rows(&ranges).await.expect("rows are read"),
        expected,
        "both ends of a range are in it; answers stand in the order of the ranges, rows ascend"
    );
}

async fn rows_of_sites_with_like_names_stay_apart(store: &impl Tables) {
    let longest = "x".repeat(64);
    let names = ["a", "ab", "a-", "a.b", "a:b", "A", "b", &longest];
    let sites = names.map(|name| Site::new(name).sends(0, 1, 0).sends(15, 2, 0));
    for site in &sites {
        assert_written(&store.put_rows(&writes(site.rows.values().cloned(), Guard::Any)).await);
    }
    for site in &sites {
        let rows: Vec<_> = site.rows.values().cloned().collect();
        assert_eq!(rows_of(store, site.id).await, rows, "{}", site.id);
    }
}

/// What is stored, what the writer has read, and whether its write goes through.
async fn a_guard_holds_or_is_a_conflict(store: &impl Tables) {
    let site = three_rows();
    let row_at = |sequence: u64, generated| {
        let mut row = site.rows[&at(0)].clone();
        row.version.position = position(0, sequence);
        row.version.measure.generated = crate::energy(generated);
        row
    };
    let cases = [
        ("no row was read and there is none", Guard::Unchanged(None), 1, true),
        ("no row was read but there is one", Guard::Unchanged(None), 2, false),
        ("the row that was read is there", Guard::Unchanged(Some(position(0, 1))), 9, true),
        ("another row is there, an earlier one was read", Guard::Unchanged(Some(position(0, 1))), 10, false),
        ("another row is there, a later one was read", Guard::Unchanged(Some(position(0, 10))), 11, false),
        ("a row of another shard was read", Guard::Unchanged(Some(position(1, 9))), 12, false),
        ("anything may be there", Guard::Any, 3, true),
        ("the row is there already", Guard::Unchanged(Some(position(0, 3))), 3, true),
    ];
    let mut stored: Option<Row> = None;
    for (case, guard, sequence, is_written) in cases {
        let row = row_at(sequence, sequence.cast_signed());
        let failures = store.put_rows(&writes([row.clone()], guard)).await;
        if is_written {
            assert!(failures.is_empty(), "{case}: {failures:?}");
            stored = Some(row);
        } else {
            assert_conflicts(&failures, &[site.id]);
        }
        assert_eq!(rows_of(store, site.id).await, Vec::from_iter(stored.clone()), "{case}");
    }
    let missing = RowWrite { row: site.rows[&at(15)].clone(), guard: Guard::Unchanged(Some(position(0, 2))) };
    assert_conflicts(&store.put_rows(&[missing]).await, &[site.id]);
    a_guard_tells_long_positions_apart(store).await;
}

/// Positions that agree in their lowest 64 bits, or as far as a float goes, are different all the same.
async fn a_guard_tells_long_positions_apart(store: &impl Tables) {
    let site = Site::new("plant:7").sends(0, 1, 0);
    let long: SequenceNumber = SEQUENCE_OF_KINESIS.parse().expect("a sequence number");
    let mut row = site.rows[&at(0)].clone();
    row.version.position = Position { shard: ShardId(3), sequence: long, sub_sequence: 1 };
    assert_written(&store.put_rows(&writes([row.clone()], Guard::Any)).await);
    let next: SequenceNumber =
        SEQUENCE_OF_KINESIS.replace("4959", "4958").parse().expect("a sequence number");
    for other in [
        Position { sub_sequence: 0, ..row.version.position },
        Position { sequence: next, ..row.version.position },
        Position { shard: ShardId(4), ..row.version.position },
    ] {
        let failures = store.put_rows(&writes([row.clone()], Guard::Unchanged(Some(other)))).await;
        assert_conflicts(&failures, &[site.id]);
    }
    let same = Guard::Unchanged(Some(row.version.position));
    assert_written(&store.put_rows(&writes([row.clone()], same)).await);
    assert_eq!(rows_of(store, site.id).await, [row]);
}

async fn a_conflict_stops_its_own_site_only(store: &impl Tables) {
    let (first, second) = (three_rows(), Site::new("home-02").sends(0, 1, 1));
    let first_rows: Vec<Row> = first.rows.values().cloned().collect();
    assert_written(&store.put_rows(&writes(first_rows[..1].to_vec(), Guard::Any)).await);
    let mut batch = writes(first_rows[..1].to_vec(), Guard::Unchanged(None));
    batch.extend(writes(second.rows.values().cloned(), Guard::Unchanged(None)));
    assert_conflicts(&store.put_rows(&batch).await, &[first.id]);
    assert_eq!(rows_of(store, second.id).await, second.rows.values().cloned().collect::<Vec<_>>());

    assert_written(&store.commit(&[Commit { state: &first.state, expected_version: 0 }]).await);
    let commits = [
        Commit { state: &first.state, expected_version: 0 },
        Commit { state: &second.state, expected_version: 0 },
    ];
    assert_conflicts(&store.commit(&commits).await, &[first.id]);
    let stored = store.snapshots(&[first.id, second.id]).await.expect("snapshots are read");
    assert_eq!(stored.iter().flatten().map(|snapshot| snapshot.version).collect::<Vec<_>>(), [1, 1]);
}

async fn writing_rows_again_changes_nothing(store: &impl Tables) {
    let site = three_rows().sends(0, 6, 2);
    let rows: Vec<Row> = site.rows.values().cloned().collect();
    assert!(rows.iter().any(|row| row.before.is_some()), "a revision is among them");
    for _ in 0..3 {
        assert_written(&store.put_rows(&writes(rows.clone(), Guard::Any)).await);
    }
    assert_eq!(rows_of(store, site.id).await, rows);
}

async fn states_are_committed_over_the_version_that_was_read(store: &impl Tables) {
    let site = three_rows();
    let other = Site::new("home-02");
    let newer = site.clone().sends(75, 1, 1);
    assert!(!site.state.outbox.alerts.is_empty(), "waiting alerts are part of a state");
    let cases = [
        ("none is stored, version 1 was read", &site.state, 1, 0),
        ("none is stored and none was read", &site.state, 0, 1),
        ("version 1 is stored, none was read", &newer.state, 0, 1),
        ("version 1 is stored, version 2 was read", &newer.state, 2, 1),
        ("version 1 is stored and was read", &newer.state, 1, 2),
        ("version 2 is stored, version 1 was read", &site.state, 1, 2),
        ("version 2 is stored and was read", &newer.state, 2, 3),
    ];
    let mut stored: Option<Snapshot> = None;
    for (case, state, expected_version, version) in cases {
        let before = stored.as_ref().map_or(0, |snapshot| snapshot.version);
        let failures = store.commit(&[Commit { state, expected_version }]).await;
        if version > before {
            assert!(failures.is_empty(), "{case}: {failures:?}");
            stored = Some(Snapshot { state: state.clone(), version });
        } else {
            assert_conflicts(&failures, &[site.id]);
        }
        let found = store.snapshots(&[other.id, site.id]).await.expect("snapshots are read");
        assert_eq!(found, [None, stored.clone()], "{case}; answers stand in the order of the sites");
    }
}

async fn hours_are_written_over_what_is_stored<S: Tables + Queries>(store: &S) {
    let site = three_rows();
    let hour: HourRow = *site.hours.values().next().expect("the first hour is closed");
    let revised = site.clone().sends(0, 900, 2).hours[&hour.hour];
    assert_ne!(hour, revised);
    for row in [hour, revised, revised, hour] {
        assert_written(&store.put_hours(&[row]).await);
        let query = HourQuery { site_id: site.id, start: Timestamp::MIN, end: Timestamp::MAX, limit: 10 };
        assert_eq!(store.hour_page(query).await.expect("hours are read").entries, [row]);
    }
}

async fn shard_marks_are_kept_by_shard(store: &impl Tables) {
    let mark = |shard, sequence: &str, instance: &str| ShardMark {
        shard: ShardId(shard),
        sequence: sequence.parse().expect("a sequence number"),
        instance: InstanceId(instance.to_owned()),
    };
    let marks =
        [mark(0, "9", "a"), mark(1, SEQUENCE_OF_KINESIS, "an instance with a long name"), mark(2, "0", "")];
    for mark in &marks {
        store.put_shard_mark(mark).await.expect("a mark is written");
    }
    let newer = mark(0, "10", "b");
    for _ in 0..2 {
        store.put_shard_mark(&newer).await.expect("a mark is written over another, and again");
    }
    let expected = [newer, marks[1].clone(), marks[2].clone()];
    for (shard, mark) in (0..).map(ShardId).zip(expected) {
        assert_eq!(store.shard_mark(shard).await.expect("a mark is read"), Some(mark));
    }
    assert_eq!(store.shard_mark(ShardId(3)).await.expect("an answer"), None);
}
