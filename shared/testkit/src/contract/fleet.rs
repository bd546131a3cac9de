//! The contract of [`FleetQueries`].

use wattstream_domain::{OpenSilence, Silence, SiteId};
use wattstream_engine::ports::{FleetQueries, Page, Silences, SiteQuery, Tables};

use super::queries::store_site;
use crate::builders::{Site, at};

/// Runs the contract of [`FleetQueries`], over what [`Tables`] and [`Silences`] have written.
pub async fn fleet_queries<S: Tables + Silences + FleetQueries>(make: impl AsyncFn() -> S) {
    sites_are_paged_in_the_order_of_their_ids(&make().await).await;
    sites_are_found_by_a_part_of_their_ids(&make().await).await;
    silences_are_found_by_their_sites(&make().await).await;
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
