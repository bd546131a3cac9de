//! Followers that keep up, come back, fall behind, and are told.

use futures::FutureExt;
use wattstream_testkit::Site;

use super::*;

/// One reading of each of these sites.
fn rows(sites: &[&str]) -> Vec<Row> {
    let row_of = |name: &&str| Site::new(name).sends(0, 1, 1).rows.values().next().expect("a row").clone();
    sites.iter().map(row_of).collect()
}

/// So many readings of one site.
fn many(readings: usize) -> Vec<Row> {
    vec![rows(&["home-01"]).remove(0); readings]
}

fn follow(feed: &LiveFeed, after: Option<&str>) -> LiveFollower {
    feed.follow(None, after).expect("there is room")
}

/// The next event, when there is one now.
fn now(follower: &mut LiveFollower) -> Option<LiveEvent> {
    follower.next().now_or_never().flatten()
}

/// The sites of the readings that are told now; a miss in between is `-`.
fn told(follower: &mut LiveFollower) -> Vec<String> {
    std::iter::from_fn(|| now(follower))
        .map(|event| match event.told {
            Told::Reading(row) => row.site_id.to_string(),
            Told::Missed(_) => "-".to_owned(),
        })
        .collect()
}

#[test]
fn a_follower_is_told_from_now_on_and_each_thing_once() {
    let feed = LiveFeed::new();
    feed.publish(rows(&["before"]));
    let mut follower = follow(&feed, None);
    assert_eq!(told(&mut follower), [""; 0]);
    feed.publish(rows(&["a", "b"]));
    feed.publish(rows(&["c"]));
    assert_eq!(told(&mut follower), ["a", "b", "c"]);
    assert_eq!(told(&mut follower), [""; 0]);
}

#[test]
fn who_comes_back_goes_on_where_they_were_at_every_event() {
    let feed = LiveFeed::new();
    let mut first = follow(&feed, None);
    let mut places = vec![first.place()];
    feed.publish(rows(&["a", "b", "c"]));
    places.extend(std::iter::from_fn(|| now(&mut first)).map(|event| event.id));
    for (place, expected) in places.iter().zip([&["a", "b", "c"][..], &["b", "c"], &["c"], &[]]) {
        assert_eq!(told(&mut follow(&feed, Some(&place.to_string()))), expected, "{place}");
    }
}

#[test]
fn of_one_site_nothing_else_is_told_and_its_places_are_those_of_all() {
    let feed = LiveFeed::new();
    let mut all = follow(&feed, None);
    let site = Site::new("b").id;
    let mut one = feed.follow(Some(site), None).unwrap();
    feed.publish(rows(&["a", "b", "c", "b"]));
    let ids: Vec<_> = std::iter::from_fn(|| now(&mut all)).map(|event| event.id).collect();
    let of_site: Vec<_> = std::iter::from_fn(|| now(&mut one)).map(|event| event.id).collect();
    assert_eq!(of_site, [ids[1], ids[3]]);
}

#[test]
fn an_id_that_is_none_of_this_feed_is_told_as_something_missed() {
    let (feed, other) = (LiveFeed::new(), LiveFeed::new());
    feed.publish(many(3));
    other.publish(many(3));
    let beyond = LiveEventId { next: 40, ..follow(&feed, None).place() };
    for id in [follow(&other, None).place().to_string(), beyond.to_string(), String::new(), "1-".to_owned()] {
        let mut follower = follow(&feed, Some(&id));
        assert_eq!(now(&mut follower).unwrap().told, Told::Missed(Missed::NotHeld), "{id}");
        assert_eq!(told(&mut follower), [""; 0], "it goes on from now");
        feed.publish(rows(&["a"]));
        assert_eq!(told(&mut follower), ["a"]);
    }
}

#[test]
fn the_newest_events_are_held_and_no_more() {
    let feed = LiveFeed::new();
    let start = follow(&feed, None).place();
    feed.publish(many(1));
    let second = follow(&feed, None).place();
    feed.publish(many(LIVE_EVENTS_HELD_MAX - 1));
    assert_eq!(told(&mut follow(&feed, Some(&start.to_string()))).len(), LIVE_EVENTS_HELD_MAX);
    feed.publish(rows(&["last"]));
    let mut late = follow(&feed, Some(&start.to_string()));
    assert_eq!(told(&mut late), ["-"], "one was let go");
    let told = told(&mut follow(&feed, Some(&second.to_string())));
    assert_eq!((told.len(), told.last().unwrap().as_str()), (LIVE_EVENTS_HELD_MAX, "last"));
    feed.publish(many(3 * LIVE_EVENTS_HELD_MAX));
    assert_eq!(feed.ring().rows.len(), LIVE_EVENTS_HELD_MAX);
}

#[test]
fn who_is_overtaken_is_told_and_goes_on_from_now() {
    let feed = LiveFeed::new();
    let mut slow = follow(&feed, None);
    feed.publish(many(1));
    assert!(matches!(now(&mut slow).unwrap().told, Told::Reading(_)));
    feed.publish(many(LIVE_EVENTS_HELD_MAX + 1));
    let missed = now(&mut slow).unwrap();
    assert_eq!(missed.told, Told::Missed(Missed::TooSlow));
    feed.publish(rows(&["a"]));
    assert_eq!(told(&mut slow), ["a"]);
    assert_eq!(told(&mut follow(&feed, Some(&missed.id.to_string()))), ["a"], "the miss is a place as well");
}

#[test]
fn what_is_not_told_one_by_one_is_told_as_missed() {
    let feed = LiveFeed::new();
    let mut follower = follow(&feed, None);
    feed.publish(rows(&["a"]));
    assert_eq!(told(&mut follower), ["a"]);
    feed.publish_gap();
    feed.publish(rows(&["b"]));
    assert_eq!(told(&mut follower), ["-"]);
    feed.publish(rows(&["c"]));
    assert_eq!(told(&mut follower), ["c"]);
}

#[tokio::test]
async fn a_follower_that_waits_is_woken() {
    let feed = LiveFeed::new();
    let mut follower = follow(&feed, None);
    let waiting = tokio::spawn(async move { follower.next().await });
    tokio::task::yield_now().await;
    feed.publish(many(1));
    assert!(matches!(waiting.await.unwrap().unwrap().told, Told::Reading(_)));
}

#[tokio::test]
async fn a_feed_that_ends_ends_for_everybody() {
    let feed = LiveFeed::new();
    let (mut idle, mut busy) = (follow(&feed, None), follow(&feed, None));
    let waiting = tokio::spawn(async move { idle.next().await });
    tokio::task::yield_now().await;
    feed.close();
    assert_eq!(waiting.await.unwrap(), None);
    feed.publish(many(1));
    assert_eq!(busy.next().await, None);
    assert_eq!(follow(&feed, None).next().await, None);
}

#[test]
fn there_is_room_for_so_many_followers_and_again_when_one_leaves() {
    let feed = LiveFeed::new();
    let mut followers: Vec<_> = (0..LIVE_FOLLOWERS_MAX).map(|_| follow(&feed, None)).collect();
    assert_eq!(feed.follow(None, None).unwrap_err().kind(), Kind::Retry);
    followers.pop();
    assert!(feed.follow(None, None).is_ok());
}
