//! A scheduled call sends one interval, the same however often it is made.

use super::*;
use std::collections::BTreeSet;
use wattstream_engine::StreamRecord;
use wattstream_engine::ports::Stream;
use wattstream_testkit::MemoryStore;
use wattstream_wire::parse_timestamp;

const SETTINGS: FleetSettings =
    FleetSettings { seed: 1, sites: 20, interval_ms: 300_000, faults_per_site_week: 20 };

fn tick(minute: u32) -> String {
    format!(r#"{{"scheduled_time":"2026-06-20T{:02}:{:02}:27Z"}}"#, 8 + minute / 60, minute % 60)
}

async fn sent_by(ticks: &[u32]) -> Vec<bytes::Bytes> {
    let store = MemoryStore::default();
    let fleet = ScheduledFleet::new(SETTINGS, store.clone()).unwrap();
    for &minute in ticks {
        fleet.send(&tick(minute)).await.unwrap();
    }
    let mut records: Vec<StreamRecord> = Vec::new();
    for shard in store.shards().await.unwrap() {
        records.extend(store.read(shard.id, None, usize::MAX).await.unwrap().records);
    }
    records.into_iter().map(|record| record.data).collect()
}

#[tokio::test]
async fn a_call_that_is_made_again_sends_the_same_readings() {
    let (once, twice) = (sent_by(&[5]).await, sent_by(&[5, 5]).await);
    assert!(once.len() >= 15, "{} readings of 20 sites", once.len());
    assert_eq!(twice.len(), 2 * once.len());
    assert_eq!(BTreeSet::from_iter(twice), BTreeSet::from_iter(once));
}

#[tokio::test]
async fn the_calls_of_a_day_send_what_leaves_the_fleet_in_a_day() {
    let ticks: Vec<u32> = (1..=12 * 12).map(|tick| tick * 5).collect();
    let mut sent = sent_by(&ticks).await;
    let end = parse_timestamp("2026-06-20T20:00:27Z").unwrap();
    let fleet = Fleet::new(SETTINGS).unwrap();
    let mut due: Vec<_> = fleet
        .due(end.saturating_add_ms(-12 * 3_600_000), end)
        .map(|emission| emission.to_record().data)
        .collect();
    sent.sort_unstable();
    due.sort_unstable();
    assert_eq!(sent, due);
}

#[tokio::test]
async fn an_input_without_a_time_is_refused_with_what_it_must_be() {
    let fleet = ScheduledFleet::new(SETTINGS, MemoryStore::default()).unwrap();
    let error = fleet.send("{}").await.unwrap_err().to_string();
    assert!(error.contains("<aws.scheduler.scheduled-time>"), "{error}");
}
