//! Pages neither skip nor repeat a row, and filters see what holds now.

use super::*;
use crate::fixture::{Fixture, START_MS, alert, anomalous, at, position, row, site};
use wattstream_domain::{Guard, HOUR_MS, HourTotals, RowWrite};
use wattstream_engine::ports::{Alerts, Commit, Tables};

fn minutes(n: i64) -> Timestamp {
    at(START_MS + n * 60_000)
}

/// Rows of site `a` at minutes 0 to 9, every third anomalous, and one row of its neighbour.
async fn ten_rows(fixture: &Fixture) -> Vec<Row> {
    let row_at = |n: i64| {
        let row = row(site("a"), minutes(n), 1 + n.cast_unsigned());
        if n % 3 == 0 { anomalous(row) } else { row }
    };
    let rows: Vec<_> = (0..10).map(row_at).collect();
    let neighbour = anomalous(row(site("ab"), minutes(5), 50));
    let writes: Vec<_> =
        rows.iter().cloned().chain([neighbour]).map(|row| RowWrite { row, guard: Guard::Any }).collect();
    assert!(fixture.store().put_rows(&writes).await.is_empty());
    rows
}

fn query(start: i64, end: i64, limit: usize) -> RowQuery {
    RowQuery { site_id: site("a"), start: minutes(start), end: minutes(end), anomalous_only: false, limit }
}

#[tokio::test]
async fn a_page_of_rows_begins_at_its_start_and_ends_before_its_end() {
    let fixture = Fixture::with_shards(1);
    let rows = ten_rows(&fixture).await;
    let table = [
        (0, 10, 100, 0..10, None),
        (2, 5, 100, 2..5, None),
        (2, 5, 3, 2..5, None),
        (2, 6, 3, 2..5, Some(5)),
        (5, 5, 100, 0..0, None),
        (5, 2, 100, 0..0, None),
        (0, 10, 0, 0..0, Some(0)),
        (10, 99, 100, 0..0, None),
    ];
    for (start, end, limit, expected, next) in table {
        let page = fixture.store().row_page(query(start, end, limit)).await.unwrap();
        assert_eq!(page.entries, rows[expected], "{start}..{end} {limit}");
        assert_eq!(page.next_start, next.map(minutes), "{start}..{end} {limit}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_overlap() {
    let fixture = Fixture::with_shards(1);
    let rows = ten_rows(&fixture).await;
    for anomalous_only in [false, true] {
        let mut found = Vec::new();
        let mut next = Some(query(0, 10, 3));
        while let Some(query) = next {
            let query = RowQuery { anomalous_only, ..query };
            let page = fixture.store().row_page(query).await.unwrap();
            found.extend(page.entries);
            next = page.next_start.map(|start| RowQuery { start, ..query });
        }
        let expected = rows.iter().filter(|row| row.version.is_anomalous() || !anomalous_only);
        assert!(found.iter().eq(expected), "{anomalous_only}");
    }
}

#[tokio::test]
async fn hours_are_found_by_where_they_begin() {
    let fixture = Fixture::with_shards(1);
    let reading = row(site("a"), at(START_MS), 5);
    let totals = HourTotals::of(&reading.version.measure, false);
    let hour_at = |n: i64| at(START_MS + n * HOUR_MS).hour();
    let hours: Vec<_> = (0..5)
        .map(|n| HourRow { site_id: site("a"), hour: hour_at(n), totals, position: position(1) })
        .collect();
    assert!(fixture.store().put_hours(&hours).await.is_empty());

    let table =
        [(0, 5, 9, 0..5, None), (1, 3, 9, 1..3, None), (0, 5, 2, 0..2, Some(2)), (5, 9, 9, 0..0, None)];
    for (start, end, limit, expected, next) in table {
        let (start, end) = (hour_at(start).start(), hour_at(end).start());
        let page =
            fixture.store().hour_page(HourQuery { site_id: site("a"), start, end, limit }).await.unwrap();
        assert_eq!(page.entries, hours[expected], "{start} {end} {limit}");
        assert_eq!(page.next_start, next.map(|n| hour_at(n).start()), "{start} {end} {limit}");
    }
}

#[tokio::test]
async fn sites_and_alerts_are_found() {
    let fixture = Fixture::with_shards(1);
    let store = fixture.store();
    let states = ["b", "a", "a.b", "Z"].map(|site_id| SiteState::new(site(site_id)));
    for state in &states {
        let version = store.states_version();
        assert!(store.commit(&[Commit { state, expected_version: 0 }]).await.is_empty());
        assert_ne!(store.states_version(), version, "what was made of the states before is old");
    }
    let version = store.states_version();
    let found: Vec<_> =
        store.sites().await.unwrap().states.iter().map(|state| state.site_id.to_string()).collect();
    assert_eq!(found, ["Z", "a", "a.b", "b"]);
    assert_eq!(store.site(site("b")).await.unwrap().as_ref(), Some(&states[0]));
    assert_eq!(store.site(site("none")).await.unwrap(), None);
    assert!(version.is_some());
    assert_eq!(store.states_version(), version, "reading changes nothing");

    let alert = alert(site("a"), at(START_MS), 1);
    store.publish(std::slice::from_ref(&alert)).await;
    assert_eq!(store.newest_alerts(1).await.unwrap(), [alert]);
    assert_eq!(store.dead_letter_page(None, 1).await.unwrap(), []);
}
