//! The contract of [`FleetQueries`].

use std::collections::BTreeMap;

use wattstream_domain::{Alert, OpenSilence, Resolution, Silence, SiteId, Timestamp};
use wattstream_engine::ports::{
    AlertPlace, AlertQuery, Alerts, AnomalyQuery, FleetQueries, FleetQuery, FleetSeries, HourQuery, Page,
    ReadingPlace, Silences, SiteQuery, Tables,
};

use super::queries::store_site;
use crate::builders::{Site, at};

/// Runs the contract of [`FleetQueries`], over what [`Tables`], [`Silences`] and [`Alerts`] have written.
pub async fn fleet_queries<S: Tables + Silences + Alerts + FleetQueries>(make: impl AsyncFn() -> S) {
    sites_are_paged_in_the_order_of_their_ids(&make().await).await;
    sites_are_found_by_a_part_of_their_ids(&make().await).await;
    silences_are_found_by_their_sites(&make().await).await;
    the_fleet_is_the_sum_of_its_sites(&make().await).await;
    an_hour_counts_once_while_it_closes(&make().await).await;
    anomalies_of_all_sites_come_newest_first(&make().await).await;
    an_anomaly_that_was_cured_is_none_of_the_fleet(&make().await).await;
    alerts_are_paged_newest_first(&make().await).await;
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

/// Follows the pages of a question to their end.
async fn anomalies_by_page(store: &impl FleetQueries, query: AnomalyQuery) -> Vec<ReadingPlace> {
    let (mut places, mut next) = (Vec::new(), Some(query));
    while let Some(query) = next {
        let page = store.anomaly_page(query).await.expect("anomalies are read");
        assert!(page.entries.len() <= query.limit, "a page has at most as many readings as were asked for");
        assert!(page.entries.iter().all(|row| row.version.is_anomalous()), "they have findings");
        places.extend(page.entries.iter().map(ReadingPlace::of));
        next = page.next_start.map(|from| AnomalyQuery { from: Some(from), ..query });
    }
    places
}

async fn anomalies_of_all_sites_come_newest_first<S: Tables + FleetQueries>(store: &S) {
    // Each has an anomaly at the same instants, and good readings between.
    let names = ["home-01", "home-011", "home-0", "pv.farm:1"];
    for (name, late) in names.into_iter().zip([0, 45, 60, 75]) {
        let site = Site::new(name).sends(0, -1, 1).sends(15, 5, 1).sends(30, -2, 1).sends(late + 90, -3, 1);
        store_site(store, &site, 0).await;
    }
    let whole =
        AnomalyQuery { site_id: None, start: Timestamp::MIN, end: Timestamp::MAX, from: None, limit: 100 };
    let all = anomalies_by_page(store, whole).await;
    assert_eq!(all.len(), 12);
    assert!(all.is_sorted_by(|newer, older| newer > older), "{all:?}");
    let home = Site::new("home-01").id;
    let ranges = [
        (at(0), at(30)),
        (at(0), at(31)),
        (at(1), at(30)),
        (at(30), at(200)),
        (at(30), at(30)),
        (at(90), at(0)),
    ];
    for (start, end) in ranges.into_iter().chain([(whole.start, whole.end)]) {
        for site_id in [None, Some(home)] {
            let is_asked = |place: &&ReadingPlace| {
                start <= place.timestamp
                    && place.timestamp < end
                    && site_id.is_none_or(|id| id == place.site_id)
            };
            let expected: Vec<_> = all.iter().filter(is_asked).copied().collect();
            for limit in [1, 2, 3, 100] {
                let query = AnomalyQuery { site_id, start, end, limit, ..whole };
                let found = anomalies_by_page(store, query).await;
                assert_eq!(found, expected, "{start} to {end} of {site_id:?} by {limit}");
            }
        }
    }
}

async fn an_anomaly_that_was_cured_is_none_of_the_fleet<S: Tables + FleetQueries>(store: &S) {
    let site = Site::new("home-01").sends(0, -5, 0).sends(15, 6, 0).sends(30, -7, 0);
    store_site(store, &site, 0).await;
    let query =
        AnomalyQuery { site_id: None, start: Timestamp::MIN, end: Timestamp::MAX, from: None, limit: 9 };
    let minutes = async || -> Vec<Timestamp> {
        anomalies_by_page(store, query).await.iter().map(|place| place.timestamp).collect()
    };
    assert_eq!(minutes().await, [at(30), at(0)]);
    let cured = site.sends(0, 5, 0);
    store_site(store, &cured, 1).await;
    assert_eq!(minutes().await, [at(30)]);
    store_site(store, &cured.sends(0, -6, 0).sends(15, -1, 0), 2).await;
    assert_eq!(minutes().await, [at(30), at(15), at(0)]);
}

async fn alerts_are_paged_newest_first<S: Alerts + FleetQueries>(store: &S) {
    let silence = Silence { last_seen: at(0), interval_ms: 900_000, silent_at: at(90) };
    let sites = ["a", "b", "a-b", "home-01", "home-02"].map(|name| Site::new(name).id);
    let opened = sites.map(|site_id| silence.opened(site_id));
    let closed = sites.map(|site_id| silence.closed(site_id, at(120)));
    let alerts: Vec<Alert> = opened.into_iter().chain(closed).collect();
    assert!(store.publish(&alerts).await.iter().all(Result::is_ok), "alerts are stored");
    let mut places: Vec<_> = alerts.iter().map(AlertPlace::of).collect();
    places.sort_by(|one, other| other.cmp(one));
    let ranges = [
        (Timestamp::MIN, Timestamp::MAX),
        (at(90), at(120)),
        (at(91), at(121)),
        (at(90), at(90)),
        (at(120), at(90)),
    ];
    for (start, end) in ranges {
        let expected: Vec<_> =
            places.iter().filter(|place| start <= place.at && place.at < end).cloned().collect();
        for limit in [1, 3, 5, 10] {
            let mut found = Vec::new();
            let mut next = Some(None);
            while let Some(from) = next {
                let page =
                    store.alert_page(AlertQuery { start, end, from, limit }).await.expect("alerts are read");
                assert!(page.entries.len() <= limit, "a page has at most as many alerts as were asked for");
                found.extend(page.entries.iter().map(AlertPlace::of));
                next = page.next_start.map(Some);
            }
            assert_eq!(found, expected, "{start} to {end} by {limit}");
        }
    }
}
