//! What the contract does not reach: batches that fail, and how many rows wait.

use futures::FutureExt;
use wattstream_domain::Guard;
use wattstream_engine::Told;
use wattstream_engine::ports::{InstanceId, ShardMark, Tables};

use super::*;
use crate::fixture::{Fixture, at, position, row, site};

async fn finish(store: &Store) {
    let place = position(1_000);
    let mark =
        ShardMark { shard: place.shard, sequence: place.sequence, instance: InstanceId("one".to_owned()) };
    store.put_shard_mark(&mark).await.unwrap();
}

fn writes(rows: usize) -> Vec<RowWrite> {
    let write = |ms| RowWrite { row: row(site("a"), at(ms), 1), guard: Guard::Any };
    (0..).take(rows).map(write).collect()
}

#[tokio::test]
async fn a_shard_is_told_of_without_the_others() {
    let fixture = Fixture::with_shards(2);
    let store = fixture.store();
    let mut follower = store.live().feed.follow(None, None).unwrap();
    let mut writes = writes(2);
    writes[1].row.version.position.shard = ShardId(1);
    assert!(store.put_rows(&writes).await.is_empty());
    finish(store).await;
    assert_eq!(follower.next().await.unwrap().told, Told::Reading(Box::new(writes[0].row.clone())));
    assert!(follower.next().now_or_never().is_none(), "the batch of the other shard is not finished");
}

#[tokio::test]
async fn too_many_rows_that_wait_are_told_as_missed() {
    let fixture = Fixture::with_shards(1);
    let store = fixture.store();
    let mut follower = store.live().feed.follow(None, None).unwrap();
    for _ in 0..3 {
        store.live().stage(&writes(UNTOLD_ROWS_MAX / 2), &Failures::new());
    }
    let waiting: usize = store.live().untold().rows.values().map(Vec::len).sum();
    assert!(waiting <= UNTOLD_ROWS_MAX, "{waiting}");
    finish(store).await;
    assert!(matches!(follower.next().await.unwrap().told, Told::Missed(_)));
    assert!(follower.next().now_or_never().is_none());
}
