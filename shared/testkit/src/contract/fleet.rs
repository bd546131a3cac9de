//! The contract of [`FleetQueries`].

use std::collections::BTreeMap;

use wattstream_domain::{OpenSilence, Resolution, Silence, SiteId, Timestamp};
use wattstream_engine::ports::{
    FleetQueries, FleetQuery, FleetSeries, HourQuery, Page, Silences, SiteQuery, Tables,
};

use super::queries::store_site;
use crate::builders::{Site, at};

/// Runs the contract of [`FleetQueries`], over what [`Tables`] and [`Silences`] have written.
pub async fn fleet_queries<S: Tables + Silences + FleetQueries>(make: impl AsyncFn() -> S) {
    sites_are_paged_in_the_order_of_their_ids(&make().await).await;
    sites_are_found_by_a_part_of_their_ids(&make().await).await;
    silences_are_found_by_their_sites(&make().await).await;
    the_fleet_is_the_sum_of_its_sites(&make().await).await;
    an_hour_counts_once_while_it_closes(&make().await).await;
}

/// Sites whose names are hard to sort and to tell apart.
const SITES: [&str; 7] = ["b", "ab", "a", "B", "a.b", "a-b", "Ab:1"];

async fn store_sites(store: &impl Tables) {
    for name in SITES {
        store_site(store, &Site::new(name).sends(0, 1, 0), 0).await;
    }
}

/// The ids on the pages of a question.
async fn ids_by_page(store: &impl FleetQueries, contains: &str, limit: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let (mut start, mut is_last) = (None, false);
    while !is_last {
        let query = SiteQuery { start, contains: contains.to_owned(), limit };
        let page = store.site_page(query).await.expect("sites are read");
        assert!(page.entries.len() <= limit, "a page has at most as many sites as were asked for");
        assert!(page.next_start.is_none() || page.entries.len() == limit, "only the last page is short");
        ids.extend(page.entries.iter().map(|state| state.site_id.to_string()));
        (start, is_last) = (page.next_start, page.next_start.is_none());
    }
    ids
}

async fn sites_are_paged_in_the_order_of_their_ids<S: Tables + FleetQueries>(store: &S) {
    assert_eq!(ids_by_page(store, "", 3).await, [""; 0]);
    store_sites(store).await;
    let newer = Site::new("a").sends(0, 1, 0).sends(15, 2, 1);
    store_site(store, &newer, 1).await;
    for limit in [1, 2, 6, 7, 8, 500] {
        assert_eq!(
            ids_by_page(store, "", limit).await,
            ["Ab:1", "B", "a", "a-b", "a.b", "ab", "b"],
            "{limit}"
        );
    }
    let query = SiteQuery { start: Some(newer.id), contains: String::new(), limit: 1 };
    let page = store.site_page(query).await.expect("sites are read");
    let next_start = Some(Site::new("a-b").id);
    assert_eq!(page, Page { entries: vec![newer.state], next_start }, "its newest state, and the next site");
}

async fn sites_are_found_by_a_part_of_their_ids<S: Tables + FleetQueries>(store: &S) {
    store_sites(store).await;
    let table: [(&str, &[&str]); 6] = [
        ("b", &["Ab:1", "B", "a-b", "a.b", "ab", "b"]),
        ("AB", &["Ab:1", "ab"]),
        (".", &["a.b"]),
        (":1", &["Ab:1"]),
        ("c", &[]),
        ("ab:12", &[]),
    ];
    for (contains, expected) in table {
        for limit in [1, 2, 500] {
            assert_eq!(ids_by_page(store, contains, limit).await, expected, "{contains} by {limit}");
        }
    }
}

async fn silences_are_found_by_their_sites<S: Silences + FleetQueries>(store: &S) {
    let site = |name: &str| -> SiteId { Site::new(name).id };
    let open = |name: &str, minute| {
        let silence = Silence { last_seen: at(minute), interval_ms: 900_000, silent_at: at(minute + 90) };
        OpenSilence { site_id: site(name), silence, is_announced: true }
    };
    let silences = [open("a", 0), open("a", 300), open("a-b", 15), open("ab", 0), open("b", 45)];
    store.put_silences(&silences).await.expect("silences are kept");
    let table = [
        ("a", "a", 0..2),
        ("a", "a.b", 0..3),
        ("a-b", "b", 2..5),
        ("B", "Z", 0..0),
        ("c", "d", 0..0),
        ("b", "a", 0..0),
    ];
    for (first, last, expected) in table {
        let found = store.silences_of(site(first)..=site(last)).await.expect("silences are read");
        assert_eq!(found, silences[expected], "{first} to {last}");
    }
}

/// Asks for the fleet in every resolution, whole and in part, and adds the sites up.
async fn assert_fleet_is_the_sum_of_its_sites(store: &impl FleetQueries) {
    let parts = [
        (Timestamp::MIN, Timestamp::MAX),
        (at(0), at(2 * DAY)),
        (at(11 * DAY), Timestamp::MAX),
        (at(0), at(0)),
    ];
    for resolution in Resolution::ALL {
        for (start, end) in parts {
            let end = if end == Timestamp::MAX { end } else { resolution.start_of(end) };
            let query = FleetQuery { resolution, start: resolution.start_of(start), end };
            let mut expected = BTreeMap::new();
            for state in store.sites().await.expect("states are read").states {
                let (site_id, start, end, limit) =
                    (state.site_id, Timestamp::MIN, Timestamp::MAX, usize::MAX);
                let closed =
                    store.hour_page(HourQuery { site_id, start, end, limit }).await.expect("hours are read");
                let mut hours: BTreeMap<_, _> =
                    closed.entries.iter().map(|row| (row.hour, row.totals)).collect();
                hours.extend(state.open_hour);
                query.add_site(&mut expected, hours);
            }
            let found = store.fleet_series(query).await.expect("the fleet is read");
            let expected = FleetSeries::Sums { buckets: expected, as_of: None };
            assert_eq!(found, expected, "{resolution} from {start} to {end}");
        }
    }
}

/// Minutes.
const DAY: i64 = 24 * 60;

async fn the_fleet_is_the_sum_of_its_sites<S: Tables + FleetQueries>(store: &S) {
    assert_fleet_is_the_sum_of_its_sites(store).await;
    let far = Site::new("home-01").sends(0, 5, 2).sends(60, 6, 1).sends(DAY, -7, 1).sends(11 * DAY, 1, 1);
    let near = Site::new("home-02").sends(15, 3, 0).sends(75, 4, 4);
    for (version, site) in [(0, &far), (0, &near)] {
        store_site(store, site, version).await;
        assert_fleet_is_the_sum_of_its_sites(store).await;
    }
    // Late into a closed hour, into a new hour of a day, of a month, and of another month; then a revision of each.
    let changes = [(20, 9), (180, 8), (3 * DAY, -2), (5 * DAY, 7), (-DAY, 6), (-40 * DAY, 5)];
    let mut site = far;
    for (version, (minute, generated)) in
        (1..).zip(changes.into_iter().chain(changes.map(|(minute, _)| (minute, 1))))
    {
        site = site.sends(minute, generated, 1);
        store_site(store, &site, version).await;
        assert_fleet_is_the_sum_of_its_sites(store).await;
    }
}

async fn an_hour_counts_once_while_it_closes<S: Tables + FleetQueries>(store: &S) {
    let site = Site::new("home-01").sends(0, 5, 2).sends(15, 6, 1);
    store_site(store, &site, 0).await;
    let closed = site.clone().sends(60, 7, 1).sends(120, 8, 1);
    assert!(store.put_hours(&closed.hours.values().copied().collect::<Vec<_>>()).await.is_empty());
    assert_fleet_is_the_sum_of_its_sites(store).await;
    store_site(store, &closed, 1).await;
    assert_fleet_is_the_sum_of_its_sites(store).await;
}
