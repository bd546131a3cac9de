//! Whole batches through the processor: what they cost in requests.

use std::sync::Mutex;

use serde_json::{Value, json};
use wattstream_domain::ShardId;
use wattstream_engine::ports::{Consumer, InstanceId};
use wattstream_engine::{Batch, Processor, ProcessorSettings, SnapshotPolicy, StreamRecord};
use wattstream_testkit::{MemoryStore, at, payload, reading};

use crate::server::{Answer, Request, Server};
use crate::store::tables_at;

pub(crate) fn settings(snapshot_policy: SnapshotPolicy) -> ProcessorSettings {
    ProcessorSettings { instance: InstanceId("instance-1".to_owned()), snapshot_policy, is_cache_on: true }
}

/// A batch of these readings: site, minute, milliwatt-hours generated and consumed.
pub(crate) fn batch(
    first_sequence: u64,
    readings: impl IntoIterator<Item = (String, i64, i64, i64)>,
) -> Batch {
    let records = (first_sequence..).zip(readings).map(|(sequence, (site, minute, generated, consumed))| {
        let reading = reading(&site, minute, generated, consumed);
        StreamRecord {
            sequence: sequence.into(),
            arrival: at(minute),
            data: payload(&reading),
            partition_key: site.into(),
            fault: None,
        }
    });
    Batch { shard: ShardId(0), records: records.collect() }
}

pub(crate) fn site(number: i64) -> String {
    format!("site-{number:03}")
}

/// One reading of each of `sites` sites.
fn round(first_sequence: u64, sites: i64, minute: i64) -> Batch {
    batch(first_sequence, (0..sites).map(|number| (site(number), minute, 5 + minute, 2)))
}

/// Tables that take everything, hold nothing, and remember the mark of a shard.
async fn tables_with_a_mark() -> Server {
    let mark = Mutex::new(Value::Null);
    Server::start(move |request: &Request, _| {
        let mut mark = mark.lock().expect("a script does not panic");
        let is_mark = request.body["TableName"] == "test-shards";
        Answer::ok(match request.operation.as_str() {
            "PutItem" if is_mark => {
                *mark = request.body["Item"].clone();
                json!({})
            }
            "GetItem" if is_mark && !mark.is_null() => json!({"Item": *mark}),
            "Query" => json!({"Items": []}),
            "BatchGetItem" => json!({"Responses": {}}),
            _ => json!({"UnprocessedItems": {}}),
        })
    })
    .await
}

#[tokio::test]
async fn a_steady_batch_costs_a_request_for_25_rows_one_read_and_one_write() {
    let server = tables_with_a_mark().await;
    let memory = MemoryStore::default();
    let processor = Processor::new(
        tables_at(&server.url).await,
        memory.clone(),
        memory,
        settings(SnapshotPolicy::WhenNeeded),
    );
    let counts =
        || ["BatchWriteItem", "PutItem", "GetItem", "BatchGetItem", "Query"].map(|name| server.count(name));
    let mut before = [0; 5];
    let mut spent = || {
        let now = counts();
        let spent: [usize; 5] = std::array::from_fn(|index| now[index] - before[index]);
        before = now;
        spent
    };
    let sites = 110;
    for (minute, expected) in [
        // The first batch of a process loads each site, and the first of a site stores its state.
        (0, [5, 110 + 1, 1, 2, 110]),
        (15, [5, 1, 1, 0, 0]),
        (30, [5, 1, 1, 0, 0]),
        // The hour closes: its row and the state of every site.
        (60, [5 + 5, 110 + 1, 1, 0, 0]),
        (75, [5, 1, 1, 0, 0]),
    ] {
        let first_sequence = u64::try_from(minute * sites).expect("a sequence number") + 1;
        let reply = processor.consume(&round(first_sequence, sites, minute)).await.expect("a reply");
        assert_eq!(reply.failures, []);
        assert_eq!(spent(), expected, "puts in batches, puts, gets, gets in batches and queries at {minute}");
    }
}
