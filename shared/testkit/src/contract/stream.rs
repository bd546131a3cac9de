//! The contract of [`Producer`] and [`Stream`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use wattstream_domain::{SequenceNumber, ShardId};
use wattstream_engine::StreamRecord;
use wattstream_engine::ports::{NewRecord, Producer, ShardRead, Stream};

/// Appends that somebody waits for, one after the other, and the time for all of them: much for a store that notices its
/// own appends, too little for one that looks once a second.
const WAKE_ROUNDS: u32 = 40;
const WAKE_ROUNDS_MAX: Duration = Duration::from_secs(20);

/// Runs the contract of [`Producer`] and [`Stream`].
pub async fn stream<S: Producer + Stream>(make: impl AsyncFn() -> S) {
    a_new_stream_is_empty_and_open(&make().await).await;
    records_of_a_key_keep_their_order_and_their_bytes(&make().await).await;
    numbers_rise_and_arrivals_do_not_fall(&make().await).await;
    a_read_goes_on_after_a_number(&make().await).await;
    an_append_ends_a_wait(&make().await).await;
}

fn new_record(key: &str, data: impl Into<Bytes>) -> NewRecord {
    NewRecord { partition_key: key.to_owned(), data: data.into() }
}

async fn read(
    store: &impl Stream,
    shard: ShardId,
    after: Option<SequenceNumber>,
    limit: usize,
) -> Vec<StreamRecord> {
    let ShardRead { records, is_end } = store.read(shard, after, limit).await.expect("a shard is read");
    assert!(!is_end, "an open shard has no end");
    records
}

async fn shard_ids(store: &impl Stream) -> Vec<ShardId> {
    store.shards().await.expect("shards are listed").into_iter().map(|shard| shard.id).collect()
}

async fn all_records(store: &impl Stream) -> BTreeMap<ShardId, Vec<StreamRecord>> {
    let mut records = BTreeMap::new();
    for shard in shard_ids(store).await {
        records.insert(shard, read(store, shard, None, usize::MAX).await);
    }
    records
}

async fn a_new_stream_is_empty_and_open<S: Producer + Stream>(store: &S) {
    let shards = shard_ids(store).await;
    assert!(!shards.is_empty(), "a stream has a shard");
    assert_eq!(shards.iter().collect::<BTreeSet<_>>().len(), shards.len(), "no shard is listed twice");
    assert!(all_records(store).await.values().all(Vec::is_empty));
    store.append(Vec::new()).await.expect("nothing can be appended");
    assert!(all_records(store).await.values().all(Vec::is_empty));
}

/// Twelve keys, interleaved, some in one call and some in another.
async fn append_interleaved(store: &impl Producer) -> BTreeMap<String, Vec<Bytes>> {
    let mut sent: BTreeMap<String, Vec<Bytes>> = BTreeMap::new();
    for round in 0..6_u8 {
        let mut records = Vec::new();
        for key in 0..12_u8 {
            let key = format!("site-{key}");
            let data = Bytes::from([&[0xff, 0x00, round], key.as_bytes()].concat());
            sent.entry(key.clone()).or_default().push(data.clone());
            records.push(new_record(&key, data));
        }
        store.append(records).await.expect("records are appended");
    }
    sent
}

async fn records_of_a_key_keep_their_order_and_their_bytes<S: Producer + Stream>(store: &S) {
    let mut sent = append_interleaved(store).await;
    let edges = [("", 1_usize), ("ä", 0), ("large", 1_024 * 1_024)];
    for (suffix, bytes) in edges {
        let key = format!("edge{suffix}");
        let data = Bytes::from(vec![0xfe; bytes]);
        store.append(vec![new_record(&key, data.clone())]).await.expect("a record is appended");
        sent.insert(key, vec![data]);
    }
    let mut found: BTreeMap<String, Vec<Bytes>> = BTreeMap::new();
    let mut shards_of_key: BTreeMap<String, BTreeSet<ShardId>> = BTreeMap::new();
    for (shard, records) in all_records(store).await {
        for record in records {
            let key = String::from(record.partition_key);
            shards_of_key.entry(key.clone()).or_default().insert(shard);
            found.entry(key).or_default().push(record.data);
        }
    }
    assert!(found == sent, "the records of a key keep their order and their bytes");
    assert!(shards_of_key.values().all(|shards| shards.len() == 1), "a key lives in one shard");
}

async fn numbers_rise_and_arrivals_do_not_fall<S: Producer + Stream>(store: &S) {
    append_interleaved(store).await;
    for (shard, records) in all_records(store).await {
        for pair in records.windows(2) {
            assert!(pair[0].sequence < pair[1].sequence, "the numbers of {shard} rise");
            assert!(pair[0].arrival <= pair[1].arrival, "the arrivals of {shard} do not fall");
        }
    }
}

async fn a_read_goes_on_after_a_number<S: Producer + Stream>(store: &S) {
    append_interleaved(store).await;
    for (shard, all) in all_records(store).await {
        for limit in [1, 2, 5, all.len().max(1), all.len() + 1] {
            let mut found = Vec::new();
            let mut after = None;
            loop {
                let records = read(store, shard, after, limit).await;
                assert!(records.len() <= limit, "a read has at most as many records as were asked for");
                let Some(last) = records.last() else { break };
                after = Some(last.sequence);
                found.extend(records);
            }
            assert_eq!(found, all, "{shard} read by {limit}");
        }
    }
}

/// Finds the shard of a key by appending to it.
async fn shard_of<S: Producer + Stream>(store: &S, key: &str) -> ShardId {
    store.append(vec![new_record(key, "first")]).await.expect("a record is appended");
    let records = all_records(store).await;
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
