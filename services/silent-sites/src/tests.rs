//! A check finds who is silent, once, and nobody of whom the consumer has yet to read.

use std::num::NonZeroU32;

use wattstream_engine::SilencePorts;
use wattstream_engine::ports::{InstanceId, NewRecord, ShardMark, Snapshot};
use wattstream_testkit::{MemoryStore, Site, at, payload, reading};

use super::*;

/// A site that has reported every quarter of an hour, the last time at minute 135.
fn reporting_site() -> Site {
    (0..10).fold(Site::new("home-01"), |site, step| site.sends(15 * step, 5, 1))
}

/// When it has been silent for long.
const LATER: i64 = 600;

fn keep(store: &MemoryStore, site: &Site) {
    let snapshot = Snapshot { state: site.state.clone(), version: 1 };
    store.with(|contents| contents.sites.insert(site.id, snapshot));
}

/// A record that came in a minute, and the mark of a consumer that has processed it.
fn append(store: &MemoryStore, site: &str, minute: i64) -> ShardMark {
    let record = NewRecord { partition_key: site.to_owned(), data: payload(&reading(site, minute, 5, 1)) };
    let shard = store.with(|contents| {
        contents.stream.now = at(minute);
        contents.stream.append(record)
    });
    let contents = store.contents();
    let log = contents.stream.get(shard).expect("the shard");
    let sequence = log.records.last().expect("the record").sequence;
    ShardMark { shard, sequence, instance: InstanceId("consumer".to_owned()) }
}

async fn check_at(store: &MemoryStore, minute: i64) -> Checked {
    let ports = SilencePorts { queries: store.clone(), silences: store.clone(), alerts: store.clone() };
    let watch = SilenceWatch::new(ports, NonZeroU32::new(6).expect("six is not zero"));
    let consumption = Consumption::new(store.clone(), store.clone());
    let event = format!(r#"{{"scheduled_time":"{}"}}"#, at(minute));
    check(&event, &consumption, &watch).await.expect("a check")
}

fn told(store: &MemoryStore) -> usize {
    store.contents().alerts.len()
}

#[tokio::test]
async fn a_silence_and_its_end_are_told_once_however_often_the_check_is_made() {
    let store = MemoryStore::default();
    keep(&store, &reporting_site());
    let opened = check_at(&store, LATER).await;
    assert_eq!(opened, Checked { open: 1, opened: 1, closed: 0, waiting: 0, lag_ms: 0 });
    for minute in [LATER, LATER - 5, LATER + 5, LATER] {
        assert_eq!(check_at(&store, minute).await, Checked { opened: 0, ..opened }, "{minute}");
    }
    keep(&store, &reporting_site().sends(LATER, 5, 1));
    let closed = check_at(&store, LATER + 10).await;
    assert_eq!(closed, Checked { open: 0, opened: 0, closed: 1, ..opened });
    assert_eq!(check_at(&store, LATER).await, Checked { closed: 0, ..closed });
    assert_eq!(told(&store), 2);
}

#[tokio::test]
async fn a_consumer_that_stands_still_makes_nobody_silent() {
    let store = MemoryStore::default();
    keep(&store, &reporting_site());
    let mark = append(&store, "home-01", 150);
    let checked = check_at(&store, LATER).await;
    let lag_ms = (LATER - 150) * 60_000;
    assert_eq!(checked, Checked { open: 0, opened: 0, closed: 0, waiting: 0, lag_ms });
    // What was at the shard is read, and was of no use.
    store.with(|contents| contents.shard_marks.insert(mark.shard, mark));
    let checked = check_at(&store, LATER).await;
    assert_eq!((checked.opened, checked.lag_ms), (1, 0));
}

#[tokio::test]
async fn the_slowest_shard_says_how_far_the_stream_was_read() {
    let store = MemoryStore::default();
    let consumption = Consumption::new(store.clone(), store.clone());
    assert_eq!(consumption.until(at(LATER)).await.expect("an instant"), at(LATER));
    let marks = [("home-01", 10), ("home-02", 20), ("home-03", 30), ("home-04", 40)]
        .map(|(site, minute)| append(&store, site, minute));
    let shards: std::collections::BTreeSet<_> = marks.iter().map(|mark| mark.shard).collect();
    assert_eq!(shards.len(), 2, "both shards have records");
    for (read, unread_minute) in [(0, 10), (1, 20), (2, 30), (3, 40)] {
        let until = consumption.until(at(LATER)).await.expect("an instant");
        assert_eq!(until, at(unread_minute), "{read} records are read");
        let mark = marks[read].clone();
        store.with(|contents| contents.shard_marks.insert(mark.shard, mark));
    }
    assert_eq!(consumption.until(at(LATER)).await.expect("an instant"), at(LATER));
    // A clock that is behind the stream's does not look into the future.
    append(&store, "home-01", LATER + 60);
    assert_eq!(consumption.until(at(LATER)).await.expect("an instant"), at(LATER));
}

#[test]
fn a_site_is_given_time_for_two_intervals_at_least() {
    assert_eq!("3".parse::<SilentAfter>().map(SilentAfter::intervals), Ok(NonZeroU32::new(3).expect("3")));
    for text in ["0", "2", "-1", "many", ""] {
        let error = text.parse::<SilentAfter>().unwrap_err().to_string();
        assert!(error.contains("from 3 on"), "{error}");
    }
}
