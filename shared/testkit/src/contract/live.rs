//! The contract of [`LiveQueries`].

use std::cmp::Reverse;

use futures::FutureExt;
use wattstream_domain::{Guard, Row, RowWrite, SiteId};
use wattstream_engine::ports::{InstanceId, LiveQueries, ReadingPlace, ShardMark, Tables};
use wattstream_engine::{LiveFollower, Told};

use super::queries::store_site;
use crate::builders::{Site, position};

/// Runs the contract of [`LiveQueries::newest_rows`], over what [`Tables`] has written.
pub async fn live_queries<S: Tables + LiveQueries>(make: impl AsyncFn() -> S) {
    the_newest_of_a_site_come_first(&make().await).await;
    the_newest_of_all_sites_come_first(&make().await).await;
}

/// Runs the contract of [`LiveQueries::live_feed`], for a store that has one.
pub async fn live_feed<S: Tables + LiveQueries>(make: impl AsyncFn() -> S) {
    a_reading_is_told_when_its_batch_is_finished(&make().await).await;
    a_row_that_was_refused_is_not_told(&make().await).await;
}

/// Every row of these sites, the newest first.
fn newest_first(sites: &[&Site]) -> Vec<Row> {
    let mut rows: Vec<Row> = sites.iter().flat_map(|site| site.rows.values().cloned()).collect();
    rows.sort_by_key(|row| Reverse(ReadingPlace::of(row)));
    rows
}

async fn newest(store: &impl LiveQueries, site_id: Option<SiteId>, limit: usize) -> Vec<Row> {
    store.newest_rows(site_id, limit).await.expect("rows are read")
}

async fn the_newest_of_a_site_come_first<S: Tables + LiveQueries>(store: &S) {
    let site = (0..30).fold(Site::new("home-01"), |site, index| {
        site.sends(15 * index, if index % 5 == 0 { -1 } else { index }, 1)
    });
    assert_eq!(newest(store, Some(site.id), 10).await, []);
    store_site(store, &site, 0).await;
    store_site(store, &Site::new("home-010").sends(900, 1, 1), 0).await;
    let expected = newest_first(&[&site]);
    for limit in [0, 1, 7, 30, 100] {
        assert_eq!(newest(store, Some(site.id), limit).await, expected[..limit.min(30)], "{limit}");
    }
    assert_eq!(newest(store, Some(Site::new("home-02").id), 10).await, []);
}

async fn the_newest_of_all_sites_come_first<S: Tables + LiveQueries>(store: &S) {
    assert_eq!(newest(store, None, 10).await, []);
    let often = (0..20).fold(Site::new("often"), |site, index| site.sends(5 * index, index, 1));
    let rarely = Site::new("rarely").sends(0, 1, 0).sends(60, -2, 0).sends(95, 3, 0);
    let long_ago = Site::new("long-ago").sends(-9_000, -1, 0).sends(-8_940, 1, 0);
    let sites = [&often, &rarely, &long_ago];
    for site in sites {
        store_site(store, site, 0).await;
    }
    let every = newest_first(&sites);
    assert_eq!(newest(store, None, 100).await, every, "all of them, when there are no more");
    for limit in [1, 2, 3] {
        assert_eq!(newest(store, None, limit).await, every[..limit], "{limit}");
    }
}

/// Writes the rows of a site.
async fn write(store: &impl Tables, site: &Site) {
    let rows = site.rows.values().map(|row| RowWrite { row: row.clone(), guard: Guard::Any });
    assert!(store.put_rows(&rows.collect::<Vec<_>>()).await.is_empty());
}

/// Finishes a batch of shard 0, where the rows of [`Site`] come from.
async fn finish(store: &impl Tables) {
    let place = position(0, 1_000);
    let mark =
        ShardMark { shard: place.shard, sequence: place.sequence, instance: InstanceId("one".to_owned()) };
    store.put_shard_mark(&mark).await.expect("a mark is left");
}

/// The readings that a follower can be told now.
fn told(follower: &mut LiveFollower) -> Vec<Row> {
    let mut rows = Vec::new();
    while let Some(event) = follower.next().now_or_never().flatten() {
        let Told::Reading(row) = event.told else { panic!("nothing was missed: {event:?}") };
        rows.push(*row);
    }
    rows
}

async fn a_reading_is_told_when_its_batch_is_finished<S: Tables + LiveQueries>(store: &S) {
    let follow = |site_id| store.live_feed().expect("a feed").follow(site_id, None).expect("there is room");
    let (first, second) =
        (Site::new("home-01").sends(0, 5, 2).sends(15, -7, 1), Site::new("home-02").sends(0, 1, 1));
    let (mut all, mut one) = (follow(None), follow(Some(second.id)));
    write(store, &first).await;
    write(store, &second).await;
    assert_eq!((told(&mut all), told(&mut one)), (vec![], vec![]), "the batch may yet be cut off");
    finish(store).await;
    let written: Vec<Row> = first.rows.values().chain(second.rows.values()).cloned().collect();
    assert_eq!(told(&mut all), written, "all of it, in its order");
    assert_eq!(told(&mut one), written[2..]);
    finish(store).await;
    assert_eq!(told(&mut all), [], "once");
    let revised = first.sends(0, 6, 2);
    write(store, &revised).await;
    finish(store).await;
    assert!(told(&mut all).contains(&revised.rows[&crate::builders::at(0)]), "a revision is told");
}

async fn a_row_that_was_refused_is_not_told<S: Tables + LiveQueries>(store: &S) {
    let mut follower = store.live_feed().expect("a feed").follow(None, None).expect("there is room");
    let (refused, taken) = (Site::new("home-01").sends(0, 5, 2), Site::new("home-02").sends(0, 5, 2));
    let guards = [Guard::Unchanged(Some(position(0, 77))), Guard::Any];
    let rows = [&refused, &taken].map(|site| site.rows.values().next().expect("a row").clone());
    let writes: Vec<_> =
        rows.iter().cloned().zip(guards).map(|(row, guard)| RowWrite { row, guard }).collect();
    let failures = store.put_rows(&writes).await;
    assert_eq!(failures.keys().copied().collect::<Vec<_>>(), [refused.id]);
    finish(store).await;
    assert_eq!(told(&mut follower), rows[1..]);
}
