//! What the engine does with a mistake of its own: a fold that panics costs its site's share of the batch, which waits in
//! the dead letters, and nobody else anything.
//!
//! The panic is planted, so this runs with `--cfg wattstream_mutants` alone: see `mutants.rs`.
#![cfg(wattstream_mutants)]

use wattstream_domain::mutant::{Mutant, plant};
use wattstream_domain::{Reading, Timestamp};
use wattstream_engine::ports::{Consumer, InstanceId, NewRecord, Producer, Queries, RowQuery, Stream};
use wattstream_engine::{Batch, BatchReply, Cause, Processor, ProcessorSettings, SnapshotPolicy};
use wattstream_testkit::{Contents, MemoryStore, Numbers, payload, reading};

fn processor(store: &MemoryStore) -> Processor<MemoryStore, MemoryStore, MemoryStore> {
    let instance = InstanceId("one".to_owned());
    let settings =
        ProcessorSettings { instance, snapshot_policy: SnapshotPolicy::WhenNeeded, is_cache_on: true };
    Processor::new(store.clone(), store.clone(), store.clone(), settings)
}

/// Appends readings to a stream of one shard and processes them as one batch.
async fn process(
    store: &MemoryStore,
    processor: &impl Consumer,
    readings: &[Reading],
) -> wattstream_engine::Result<BatchReply> {
    let shard = store.shards().await?[0].id;
    let before = store.read(shard, None, usize::MAX).await?.records;
    let record =
        |reading: &Reading| NewRecord { partition_key: reading.site_id.to_string(), data: payload(reading) };
    store.append(readings.iter().map(record).collect()).await?;
    let after = before.last().map(|record| record.sequence);
    let records = store.read(shard, after, usize::MAX).await?.records;
    processor.consume(&Batch { shard, records }).await
}

async fn rows_of(store: &MemoryStore, site: &str) -> usize {
    let query = RowQuery {
        site_id: site.parse().unwrap(),
        start: Timestamp::MIN,
        end: Timestamp::MAX,
        anomalous_only: false,
        limit: usize::MAX,
    };
    store.row_page(query).await.unwrap().entries.len()
}

#[tokio::test]
async fn a_site_that_the_engine_panics_at_is_set_aside_and_its_neighbours_are_stored() {
    plant(Some(Mutant::PanicAtRevision));
    let store = MemoryStore::new(Contents::new(1, Numbers::default()));
    let processor = processor(&store);
    let healthy = process(&store, &processor, &[reading("bad", 0, 1, 0), reading("good", 0, 1, 0)]).await;
    assert_eq!(healthy.unwrap(), BatchReply::default());

    let batch = [
        reading("good", 15, 2, 0),
        reading("bad", 15, 2, 0),
        reading("bad", 0, 9, 0),
        reading("good", 30, 3, 0),
    ];
    assert_eq!(process(&store, &processor, &batch).await.unwrap(), BatchReply::default());
    assert_eq!((rows_of(&store, "good").await, rows_of(&store, "bad").await), (3, 1));
    let letters = store.dead_letter_page(None, 10).await.unwrap();
    let payloads: Vec<_> = letters.iter().map(|letter| letter.payload.clone()).collect();
    assert_eq!(payloads, [payload(&batch[1]), payload(&batch[2])]);
    for letter in &letters {
        assert_eq!(letter.cause, Cause::EngineFailed);
        assert!(letter.detail.contains("this panic was planted"), "{}", letter.detail);
    }

    // Once it is mended, what was set aside goes through, and nothing was half done.
    plant(None);
    process(&store, &processor, &batch[1..3]).await.unwrap();
    assert_eq!(rows_of(&store, "bad").await, 2);
    let state = store.site("bad".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((state.totals.records, state.totals.revisions, state.duplicates), (2, 1, 0));
}
