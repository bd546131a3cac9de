//! The contract of [`Queries`].

use wattstream_domain::{Guard, Hour, HourRow, HourSums, Row, RowWrite, SiteId, SiteState, Timestamp};
use wattstream_engine::ports::{Commit, HourQuery, Page, Queries, RowQuery, Sites, Tables};

use crate::builders::{Site, at};

/// Runs the contract of [`Queries`], over what [`Tables`] has written. Dead letters and alerts have contracts of their
/// own.
pub async fn queries<S: Tables + Queries>(make: impl AsyncFn() -> S) {
    an_empty_store_answers_with_nothing(&make().await).await;
    states_come_in_the_order_of_their_sites(&make().await).await;
    rows_are_paged_over_half_open_ranges(&make().await).await;
    anomalies_are_paged_without_the_others(&make().await).await;
    an_anomaly_that_a_revision_cured_is_none(&make().await).await;
    hours_are_paged_over_half_open_ranges(&make().await).await;
}

/// Eight hours of a reading every quarter, every fifth of them an anomaly, beside a neighbour with a like name.
fn busy_site() -> Site {
    (0..32).fold(Site::new("home-01"), |site, index| {
        site.sends(15 * index, if index % 5 == 0 { -index - 1 } else { index }, 1)
    })
}

/// Stores what a site has.
pub(super) async fn store_site(store: &impl Tables, site: &Site, version: u64) {
    let rows = site.rows.values().map(|row| RowWrite { row: row.clone(), guard: Guard::Any });
    assert!(store.put_rows(&rows.collect::<Vec<_>>()).await.is_empty());
    assert!(store.put_hours(&site.hours.values().copied().collect::<Vec<_>>()).await.is_empty());
    let commit = Commit { state: &site.state, expected_version: version };
    assert!(store.commit(&[commit]).await.is_empty());
}

async fn an_empty_store_answers_with_nothing(store: &impl Queries) {
    let site_id = Site::new("home-01").id;
    assert_eq!(store.sites().await.expect("an answer"), Sites::exact(Vec::new()));
    assert_eq!(store.site(site_id).await.expect("an answer"), None);
    let nothing = Page { entries: Vec::<Row>::new(), next_start: None };
    for anomalous_only in [false, true] {
        let query = RowQuery { anomalous_only, ..all_rows(site_id) };
        assert_eq!(store.row_page(query).await.expect("an answer"), nothing);
    }
    let nothing = Page { entries: Vec::<HourRow>::new(), next_start: None };
    assert_eq!(store.hour_page(all_hours(site_id)).await.expect("an answer"), nothing);
}

async fn states_come_in_the_order_of_their_sites<S: Tables + Queries>(store: &S) {
    let sites = ["b", "ab", "a", "B", "a.b"].map(|name| Site::new(name).sends(0, 1, 0));
    for site in &sites {
        store_site(store, site, 0).await;
    }
    let newer = sites[0].clone().sends(15, 4, 1);
    store_site(store, &newer, 1).await;
    let mut expected: Vec<SiteState> = sites.iter().map(|site| site.state.clone()).collect();
    expected[0] = newer.state.clone();
    expected.sort_by_key(|state| state.site_id);
    assert_eq!(store.sites().await.expect("states are read"), Sites::exact(expected));
    assert_eq!(store.site(newer.id).await.expect("a state is read"), Some(newer.state));
    assert_eq!(store.site(Site::new("c").id).await.expect("an answer"), None);
}

const fn all_rows(site_id: SiteId) -> RowQuery {
    RowQuery { site_id, start: Timestamp::MIN, end: Timestamp::MAX, anomalous_only: false, limit: usize::MAX }
}

const fn all_hours(site_id: SiteId) -> HourQuery {
    HourQuery { site_id, start: Timestamp::MIN, end: Timestamp::MAX, limit: usize::MAX }
}

/// Follows the pages of a query to their end.
async fn rows_by_page(store: &impl Queries, query: RowQuery) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut start = Some(query.start);
    while let Some(from) = start {
        let page = store.row_page(RowQuery { start: from, ..query }).await.expect("rows are read");
        assert!(page.entries.len() <= query.limit, "a page has at most as many rows as were asked for");
        assert!(page.next_start.is_none_or(|next| next > from || query.limit == 0), "pages move on");
        start = page.next_start;
        rows.extend(page.entries);
    }
    rows
}

async fn rows_are_paged_over_half_open_ranges<S: Tables + Queries>(store: &S) {
    let site = busy_site();
    store_site(store, &site, 0).await;
    store_site(store, &Site::new("home-011").sends(0, 1, 1), 0).await;
    let ranges = [
        (Timestamp::MIN, Timestamp::MAX),
        (at(0), at(15)),
        (at(15), at(45)),
        (at(14), at(46)),
        (at(15), at(15)),
        (at(45), at(15)),
        (at(465), Timestamp::MAX),
        (at(466), Timestamp::MAX),
    ];
    for (start, end) in ranges {
        let within = |row: &&Row| start <= row.timestamp && row.timestamp < end;
        let expected: Vec<Row> = site.rows.values().filter(within).cloned().collect();
        for limit in [1, 2, 3, 32, 33, usize::MAX] {
            let query = RowQuery { start, end, limit, ..all_rows(site.id) };
            assert_eq!(rows_by_page(store, query).await, expected, "{start} to {end} by {limit}");
        }
    }
    let full = RowQuery { limit: 32, ..all_rows(site.id) };
    let page = store.row_page(full).await.expect("rows are read");
    assert_eq!(page.next_start, None, "a page that holds the last row is the last page");
}

async fn anomalies_are_paged_without_the_others<S: Tables + Queries>(store: &S) {
    let site = busy_site();
    store_site(store, &site, 0).await;
    let (start, end) = (at(75), at(450));
    let within = |row: &&Row| row.version.is_anomalous() && start <= row.timestamp && row.timestamp < end;
    let expected: Vec<Row> = site.rows.values().filter(within).cloned().collect();
    assert_eq!(expected.len(), 5, "both ends of the range are anomalies");
    for limit in [1, 2, 5, usize::MAX] {
        let query = RowQuery { start, end, anomalous_only: true, limit, ..all_rows(site.id) };
        assert_eq!(rows_by_page(store, query).await, expected, "by {limit}");
    }
}

async fn an_anomaly_that_a_revision_cured_is_none<S: Tables + Queries>(store: &S) {
    let site = Site::new("home-01").sends(0, -5, 0).sends(15, 6, 0).sends(30, -7, 0);
    store_site(store, &site, 0).await;
    let cured = site.sends(0, 5, 0);
    store_site(store, &cured, 1).await;
    let query = RowQuery { anomalous_only: true, ..all_rows(cured.id) };
    assert_eq!(rows_by_page(store, query).await, [cured.rows[&at(30)].clone()]);
    let relapsed = cured.sends(0, -6, 0).sends(15, -1, 0);
    store_site(store, &relapsed, 2).await;
    assert_eq!(rows_by_page(store, query).await, relapsed.rows.values().cloned().collect::<Vec<_>>());
}

async fn hours_are_paged_over_half_open_ranges<S: Tables + Queries>(store: &S) {
    let site = busy_site();
    store_site(store, &site, 0).await;
    store_site(store, &Site::new("home-0").sends(0, 1, 1).sends(60, 1, 1), 0).await;
    assert_eq!(site.hours.len(), 7, "the eighth hour is open");
    let ranges = [
        (Timestamp::MIN, Timestamp::MAX),
        (at(60), at(180)),
        (at(60), at(181)),
        (at(60), at(60)),
        (at(420), at(600)),
    ];
    for (start, end) in ranges {
        let within = |row: &&HourRow| start <= Hour::start(row.hour) && Hour::start(row.hour) < end;
        let expected: Vec<HourRow> = site.hours.values().filter(within).copied().collect();
        for limit in [1, 3, 7, usize::MAX] {
            let mut found = Vec::new();
            let mut next = Some(start);
            while let Some(start) = next {
                let query = HourQuery { start, end, limit, ..all_hours(site.id) };
                let sums = store.hour_sums_page(query).await.expect("sums are read");
                let page = store.hour_page(query).await.expect("hours are read");
                let of_rows: Vec<HourSums> = page.entries.iter().map(HourSums::from).collect();
                assert_eq!(
                    (sums.entries, sums.next_start),
                    (of_rows, page.next_start),
                    "sums are those of the rows"
                );
                assert!(page.entries.len() <= limit, "a page has at most as many hours as were asked for");
                next = page.next_start;
                found.extend(page.entries);
            }
            assert_eq!(found, expected, "{start} to {end} by {limit}");
        }
    }
}
