//! Appends are durable when they are answered, in order within a key, and spread as Kinesis spreads them.

use super::*;
use crate::fixture::{Fixture, START_MS, at, record};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::join_all;
use std::pin::pin;
use wattstream_engine::ports::{Checkpoint, Checkpoints};

fn sequences(records: &[StreamRecord]) -> Vec<u64> {
    records.iter().map(|record| record.sequence.to_u64().unwrap()).collect()
}

#[tokio::test]
async fn records_go_to_the_shard_of_their_key_and_keep_their_order() {
    let fixture = Fixture::with_shards(4);
    let ranges = HashRanges::even(4);
    let keys: Vec<String> = (0..40).map(|n| format!("site-{}", n % 10)).collect();
    let records = keys.iter().enumerate().map(|(n, key)| record(key, n.to_string())).collect();
    fixture.store().append(records).await.unwrap();

    let mut found = 0;
    for shard in fixture.store().shards().await.unwrap() {
        assert_eq!(shard.parents, []);
        let log = fixture.log(shard.id.0).await;
        assert_eq!(sequences(&log), (1..=log.len() as u64).collect::<Vec<_>>());
        assert!(log.iter().all(|record| ranges.shard_of(&record.partition_key) == shard.id));
        let numbers: Vec<u64> =
            log.iter().map(|record| str::from_utf8(&record.data).unwrap().parse().unwrap()).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        found += log.len();
    }
    assert_eq!(found, 40);
}

#[tokio::test]
async fn an_acknowledged_append_is_there_after_the_process_has_gone() {
    let mut fixture = Fixture::with_shards(2);
    let store = fixture.store();
    let appends = (0..50).map(|n| store.append(vec![record(&format!("key-{n}"), n.to_string()); 3]));
    assert!(join_all(appends).await.into_iter().all(|answer| answer.is_ok()));

    // The folder as it is at this moment, journal included, without anything that a clean end would still write.
    let copy = tempfile::tempdir().unwrap();
    copy_dir(fixture.dir(), copy.path());
    fixture.close();

    let store = Store::open(copy.path(), fixture.settings(None)).unwrap();
    let count = |shard| store.last_sequence(ShardId(shard)).unwrap();
    assert_eq!(count(0) + count(1), 150);
}

fn copy_dir(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

#[tokio::test]
async fn sequence_numbers_go_on_where_they_were() {
    let mut fixture = Fixture::with_shards(1);
    fixture.append("a", "1").await;
    fixture.append("a", "2").await;
    fixture.reopen();
    fixture.append("a", "3").await;
    assert_eq!(sequences(&fixture.log(0).await), [1, 2, 3]);
}

#[tokio::test]
async fn arrivals_never_go_back() {
    let mut fixture = Fixture::with_shards(1);
    for after_start_ms in [0, 500, -3_600_000, 200, 600] {
        fixture.set_time(after_start_ms);
        fixture.append("a", "x").await;
    }
    fixture.set_time(0);
    fixture.reopen();
    fixture.append("a", "x").await;
    let arrivals: Vec<_> =
        fixture.log(0).await.iter().map(|record| record.arrival.unix_ms() - START_MS).collect();
    assert_eq!(arrivals, [0, 500, 500, 500, 600, 600]);
}

#[tokio::test]
async fn a_record_that_no_stream_takes_is_rejected_with_its_whole_append() {
    let fixture = Fixture::with_shards(1);
    let large = vec![b'x'; RECORD_BYTES_MAX];
    let table = [
        (record("", "x"), "a partition key has 1 to 256 characters, this one has 0"),
        (record(&"ä".repeat(257), "x"), "this one has 257"),
        (
            record("k", &large),
            "a record has at most 10485760 bytes with its partition key, this one has 10485761",
        ),
    ];
    for (bad, message) in table {
        let error = fixture.store().append(vec![record("good", "x"), bad]).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Reject);
        assert!(error.to_string().contains(message), "{error}");
    }
    assert_eq!(fixture.log(0).await, []);

    fixture.store().append(Vec::new()).await.unwrap();
    fixture.append(&"ä".repeat(256), "x").await;
    fixture.append("k", &large[1..]).await;
    assert_eq!(sequences(&fixture.log(0).await), [1, 2]);
}

#[tokio::test]
async fn appends_beyond_the_queue_wait_for_their_turn() {
    let fixture = Fixture::with_shards(1);
    let data = vec![b'x'; 9 * 1_024 * 1_024];
    let appends = (0..5).map(|_| fixture.store().append(vec![record("k", &data)]));
    assert!(join_all(appends).await.into_iter().all(|answer| answer.is_ok()));
    assert_eq!(fixture.store().last_sequence(ShardId(0)).unwrap(), 5);
    assert_eq!(fixture.log(0).await.len(), 1, "one read has a bound, and yet gets on");
    let room = fixture.store().log().room.available_permits();
    assert_eq!(room, APPEND_QUEUE_BYTES_MAX / 1_024, "room is given back");
}

#[tokio::test]
async fn a_read_starts_after_a_record_and_stops_at_its_limit() {
    let fixture = Fixture::with_shards(1);
    for n in 1..=5 {
        fixture.append("a", n.to_string()).await;
    }
    let table: [(Option<u64>, usize, &[u64]); 6] = [
        (None, 2, &[1, 2]),
        (None, 9, &[1, 2, 3, 4, 5]),
        (Some(0), 1, &[1]),
        (Some(3), 9, &[4, 5]),
        (Some(5), 9, &[]),
        (Some(u64::MAX), 9, &[]),
    ];
    for (after, limit, expected) in table {
        let read = fixture.store().read(ShardId(0), after.map(Into::into), limit).await.unwrap();
        assert_eq!(sequences(&read.records), expected, "{after:?} {limit}");
        assert!(!read.is_end);
    }
    let foreign = "49590338271490256608559692538361571095921575989136588898".parse().unwrap();
    assert_eq!(fixture.store().read(ShardId(0), Some(foreign), 1).await.unwrap_err().kind(), Kind::Broken);
}

#[tokio::test]
async fn an_append_wakes_the_waiter_of_its_shard_at_once() {
    let fixture = Fixture::with_shards(2);
    let store = fixture.store();
    let key_of = |shard| {
        (0..100)
            .map(|n| n.to_string())
            .find(|key| store.log().ranges.shard_of(key) == ShardId(shard))
            .unwrap()
    };
    let (own, other) = (key_of(0), key_of(1));

    let mut waiting = pin!(store.wait(ShardId(0)));
    assert_eq!(waiting.as_mut().now_or_never(), None);
    fixture.append(&other, "x").await;
    assert_eq!(waiting.as_mut().now_or_never(), None, "another shard has grown");
    fixture.append(&own, "x").await;
    assert_eq!(waiting.now_or_never(), Some(()));

    assert_eq!(store.wait(ShardId(0)).now_or_never(), None, "it was told once");
    fixture.append(&own, "x").await;
    assert_eq!(store.wait(ShardId(0)).now_or_never(), Some(()), "an append before the wait is not missed");
}

#[tokio::test]
async fn a_wait_ends_by_itself() {
    let fixture = Fixture::with_shards(1);
    let start = std::time::Instant::now();
    tokio::join!(fixture.store().wait(ShardId(0)), fixture.store().wait(ShardId(77)));
    assert!(start.elapsed() >= WAIT_MAX);
}

#[cfg(unix)]
#[tokio::test]
async fn a_disk_that_fills_up_stops_the_intake_and_nothing_else() {
    let fixture = Fixture::with_shards(1);
    fixture.append("a", "before").await;
    let settings = |bytes| LogSettings {
        ranges: HashRanges::even(1),
        clock: fixture.settings(None).clock,
        reserve: DiskReserve { dir: fixture.dir().to_owned(), bytes },
    };
    let log = |bytes| Log::open(fixture.store().db(), fixture.store().keyspaces(), settings(bytes)).unwrap();

    let error = log(u64::MAX).append(vec![record("a", "x")]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Retry);
    let message = error.to_string();
    assert!(
        message.contains(&fixture.dir().display().to_string()) && message.contains("make room"),
        "{message}"
    );
    fixture.store().put_checkpoint(ShardId(0), Checkpoint::At(1.into())).await.unwrap();
    assert_eq!(sequences(&fixture.log(0).await), [1]);

    log(0).append(vec![record("a", "after")]).await.unwrap();
    assert_eq!(sequences(&fixture.log(0).await), [1, 2]);
}

#[tokio::test]
async fn checkpoints_are_kept_by_shard() {
    let mut fixture = Fixture::with_shards(2);
    let (first, second) = (ShardId(0), ShardId(1));
    assert_eq!(fixture.store().checkpoint(first).await.unwrap(), None);
    for checkpoint in [Checkpoint::At(0.into()), Checkpoint::At(300.into()), Checkpoint::End] {
        fixture.store().put_checkpoint(first, checkpoint).await.unwrap();
        fixture.reopen();
        assert_eq!(fixture.store().checkpoint(first).await.unwrap(), Some(checkpoint));
        assert_eq!(fixture.store().checkpoint(second).await.unwrap(), None);
    }
}

#[test]
fn a_group_takes_what_waits_up_to_its_limit() {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(10));
    let append = |bytes: usize| Append {
        records: vec![record("k", vec![0; bytes])],
        answer: oneshot::channel().0,
        room: Arc::clone(&room).try_acquire_owned().unwrap(),
    };
    for bytes in [1, 2, 9 * 1_024 * 1_024, 3] {
        sender.send(append(bytes)).ok().unwrap();
    }
    let group = committer::gather(append(0), &mut receiver);
    assert_eq!(group.len(), 4, "the large one fills the group");
    assert_eq!(committer::gather(receiver.try_recv().unwrap(), &mut receiver).len(), 1);
}

#[test]
fn key_and_payload_of_a_record_share_the_memory_of_its_value() {
    let value = Bytes::from(record::encode(at(START_MS), &record("key", "data")));
    let decoded = record::decode(7, value.clone()).unwrap();
    for part in [decoded.partition_key.as_bytes(), &decoded.data] {
        assert!(value.as_ptr_range().contains(&part.as_ptr()));
    }
}

#[test]
fn values_that_are_no_record_are_recognised() {
    let value = record::encode(at(START_MS), &record("key", "data"));
    let whole = record::decode(7, value.clone().into()).unwrap();
    assert_eq!(
        (&whole.partition_key[..], &whole.data[..], whole.arrival),
        ("key", &b"data"[..], at(START_MS))
    );
    for length in 0..13 {
        assert_eq!(record::decode(7, value[..length].to_vec().into()), None, "{length}");
    }
    let mut late = value;
    late[0] = 0x7f;
    assert_eq!(record::decode(7, late.into()), None);
}
