//! The contract of [`Producer`] and [`Stream`].
//!
//! What a stream may do, though the stores of this workspace do not: answer with fewer records than there are, or with none
//! (Kinesis does both); pack payloads of one key and one append into an aggregate (the producer of Kinesis does); hold what one
//! append sent twice, when the answer to a request was late and the producer sent it again (it may be, on a busy machine). So
//! readers here go on until they have every payload that was sent, take aggregates apart, and look at each payload where it
//! stands first. No two payloads that are sent here are alike.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use wattstream_domain::{SequenceNumber, ShardId};
use wattstream_engine::StreamRecord;
use wattstream_engine::ports::{NewRecord, Producer, ShardRead, Stream};
use wattstream_wire::deaggregate;

/// Appends that somebody waits for, one after the other, and the time for all of them: much for a store that notices its
/// own appends, too little for one that looks once a second.
const WAKE_ROUNDS: u32 = 40;
const WAKE_ROUNDS_MAX: Duration = Duration::from_secs(20);

/// The largest record that a Kinesis stream takes by default, its partition key included.
const RECORD_BYTES_MAX: usize = 1_024 * 1_024;

/// How long the records that were sent may take to show. It is a limit for hangs, not a measurement.
const READ_MAX: Duration = Duration::from_mins(2);

/// Runs the contract of [`Producer`] and [`Stream`].
pub async fn stream<S: Producer + Stream>(make: impl AsyncFn() -> S) {
    a_new_stream_is_empty_and_open(&make().await).await;
    records_of_a_key_keep_their_order_and_their_bytes(&make().await).await;
    numbers_rise(&make().await).await;
    a_read_goes_on_after_a_number(&make().await).await;
    a_wait_ends_though_nothing_comes(&make().await).await;
}

/// Runs the contract of a [`Stream`] that notices the appends of its own process. One that polls does not, and need not.
pub async fn stream_wakes<S: Producer + Stream>(make: impl AsyncFn() -> S) {
    an_append_ends_a_wait(&make().await).await;
}

fn new_record(key: &str, data: impl Into<Bytes>) -> NewRecord {
    NewRecord { partition_key: key.to_owned(), data: data.into() }
}

/// At most `limit` records of an open shard; there may be more.
async fn read(
    store: &impl Stream,
    shard: ShardId,
    after: Option<SequenceNumber>,
    limit: usize,
) -> Vec<StreamRecord> {
    let ShardRead { records, is_end } = store.read(shard, after, limit).await.expect("a shard is read");
    assert!(!is_end, "an open shard has no end");
    assert!(records.len() <= limit, "a read has at most as many records as were asked for");
    records
}

async fn shard_ids(store: &impl Stream) -> Vec<ShardId> {
    store.shards().await.expect("shards are listed").into_iter().map(|shard| shard.id).collect()
}

/// The payloads of a record: itself, or those of an aggregate.
fn payloads(record: &StreamRecord) -> Vec<Bytes> {
    deaggregate(&record.data).expect("a producer writes sound aggregates").as_slice().to_vec()
}

/// The records of every shard, which hold so many different payloads, no more and no fewer.
async fn all_records(store: &impl Stream, sent: usize) -> BTreeMap<ShardId, Vec<StreamRecord>> {
    let reading = async {
        let mut records: BTreeMap<ShardId, Vec<StreamRecord>> =
            shard_ids(store).await.into_iter().map(|shard| (shard, Vec::new())).collect();
        loop {
            for (shard, records) in &mut records {
                let after = records.last().map(|record| record.sequence);
                records.extend(read(store, *shard, after, usize::MAX).await);
            }
            let found: BTreeSet<Bytes> = records.values().flatten().flat_map(payloads).collect();
            assert!(found.len() <= sent, "{} payloads were read and {sent} were sent", found.len());
            if found.len() == sent {
                return records;
            }
            for shard in records.keys() {
                store.wait(*shard).await;
            }
        }
    };
    tokio::time::timeout(READ_MAX, reading).await.expect("every record that was sent can be read")
}

async fn a_new_stream_is_empty_and_open<S: Producer + Stream>(store: &S) {
    let shards = shard_ids(store).await;
    assert!(!shards.is_empty(), "a stream has a shard");
    assert_eq!(shards.iter().collect::<BTreeSet<_>>().len(), shards.len(), "no shard is listed twice");
    all_records(store, 0).await;
    store.append(Vec::new()).await.expect("nothing can be appended");
    all_records(store, 0).await;
}

/// Twelve keys, interleaved, some in one call and some in another, and some several times in one call.
async fn append_interleaved(store: &impl Producer) -> BTreeMap<String, Vec<Bytes>> {
    let mut sent: BTreeMap<String, Vec<Bytes>> = BTreeMap::new();
    for round in 0..6_u8 {
        let mut records = Vec::new();
        for copy in 0..=round % 3 {
            for key in 0..12_u8 {
                let key = format!("site-{key}");
                let data = Bytes::from([&[0xff, 0x00, round, copy], key.as_bytes()].concat());
                sent.entry(key.clone()).or_default().push(data.clone());
                records.push(new_record(&key, data));
            }
        }
        store.append(records).await.expect("records are appended");
    }
    sent
}

fn count(sent: &BTreeMap<String, Vec<Bytes>>) -> usize {
    sent.values().map(Vec::len).sum()
}

async fn records_of_a_key_keep_their_order_and_their_bytes<S: Producer + Stream>(store: &S) {
    let mut sent = append_interleaved(store).await;
    let edges = [("", 1_usize), ("ä", 0), ("large", RECORD_BYTES_MAX - "edgelarge".len())];
    for (suffix, bytes) in edges {
        let key = format!("edge{suffix}");
        let data = Bytes::from(vec![0xfe; bytes]);
        store.append(vec![new_record(&key, data.clone())]).await.expect("a record is appended");
        sent.insert(key, vec![data]);
    }
    let mut found: BTreeMap<String, Vec<Bytes>> = BTreeMap::new();
    let mut shards_of_key: BTreeMap<String, BTreeSet<ShardId>> = BTreeMap::new();
    for (shard, records) in all_records(store, count(&sent)).await {
        for record in records {
            let key = record.partition_key.to_string();
            shards_of_key.entry(key.clone()).or_default().insert(shard);
            let of_key = found.entry(key).or_default();
            for payload in payloads(&record) {
                if !of_key.contains(&payload) {
                    of_key.push(payload);
                }
            }
        }
    }
    assert!(found == sent, "the records of a key keep their order and their bytes");
    assert!(shards_of_key.values().all(|shards| shards.len() == 1), "a key lives in one shard");
}

/// The times of arrival need not rise: Kinesis does not promise it.
async fn numbers_rise<S: Producer + Stream>(store: &S) {
    let sent = append_interleaved(store).await;
    for (shard, records) in all_records(store, count(&sent)).await {
        let rise = records.windows(2).all(|pair| pair[0].sequence < pair[1].sequence);
        assert!(rise, "the numbers of {shard} rise");
    }
}

async fn a_read_goes_on_after_a_number<S: Producer + Stream>(store: &S) {
    let sent = append_interleaved(store).await;
    for (shard, all) in all_records(store, count(&sent)).await {
        for limit in [1, 2, 5, all.len().max(1), all.len() + 1] {
            let reading = async {
                let mut found: Vec<StreamRecord> = Vec::new();
                while found.len() < all.len() {
                    let after = found.last().map(|record| record.sequence);
                    found.extend(read(store, shard, after, limit).await);
                }
                found
            };
            let found = tokio::time::timeout(READ_MAX, reading).await.expect("the reads come to the end");
            assert_eq!(found, all, "{shard} read by {limit}");
        }
    }
}

async fn a_wait_ends_though_nothing_comes<S: Stream>(store: &S) {
    let shards = shard_ids(store).await;
    let waits = async {
        for _ in 0..3 {
            store.wait(shards[0]).await;
        }
    };
    tokio::time::timeout(READ_MAX, waits).await.expect("a wait ends");
}

/// Finds the shard of a key by appending to it.
async fn shard_of<S: Producer + Stream>(store: &S, key: &str) -> ShardId {
    store.append(vec![new_record(key, "first")]).await.expect("a record is appended");
    let records = all_records(store, 1).await;
    let mut of_key =
        records.iter().filter(|(_, records)| records.iter().any(|found| found.partition_key == key));
    *of_key.next().expect("the record is in a shard").0
}

/// Whether it comes while somebody waits or just before.
async fn an_append_ends_a_wait<S: Producer + Stream>(store: &S) {
    let shard = shard_of(store, "home-01").await;
    store.wait(shard).await;
    let rounds = async {
        for round in 0..WAKE_ROUNDS {
            let append = store.append(vec![new_record("home-01", round.to_be_bytes().to_vec())]);
            let appended = if round % 2 == 0 {
                tokio::join!(store.wait(shard), append).1
            } else {
                let appended = append.await;
                store.wait(shard).await;
                appended
            };
            appended.expect("a record is appended");
        }
    };
    tokio::time::timeout(WAKE_ROUNDS_MAX, rounds)
        .await
        .expect("appends end the waits, not the polling interval");
    assert_eq!(read(store, shard, None, usize::MAX).await.len(), 1 + WAKE_ROUNDS as usize);
}
