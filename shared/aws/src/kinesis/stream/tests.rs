//! A reader goes on where its caller is, asks no more than it must, and believes no answer that lacks something.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::fake_aws::{Answer, FakeAws, Request};

/// Fast enough for a test; the pace itself is tested beside it.
const POLLING: Polling = Polling { spacing: Duration::from_millis(1), interval: Duration::from_millis(1) };

const SHARD: ShardId = ShardId(0);

/// What was asked, in order.
type Asked = Arc<Mutex<Vec<(String, Value)>>>;

/// A stream that gives these answers in turn.
async fn stream_of(answers: impl IntoIterator<Item = Answer>) -> (FakeAws, KinesisStream, Asked) {
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    let mut answers: Vec<_> = answers.into_iter().collect();
    answers.reverse();
    let server = FakeAws::start(move |request: Request| {
        log.lock().unwrap().push((request.operation.clone(), request.json()));
        answers.pop().unwrap_or(Answer::Error(400, "NotInTheScript"))
    })
    .await;
    let stream = KinesisStream::new(&server.clients().await, "readings", POLLING);
    (server, stream, asked)
}

fn iterator(name: &str) -> Answer {
    Answer::Json(json!({"ShardIterator": name}))
}

fn record(sequence: &str) -> Value {
    json!({"SequenceNumber": sequence, "PartitionKey": "home-01", "Data": "eA==", "ApproximateArrivalTimestamp": 1.5})
}

fn page(records: &[Value], next: &str) -> Answer {
    Answer::Json(json!({"Records": records, "NextShardIterator": next, "MillisBehindLatest": 0}))
}

fn last_page(records: &[Value]) -> Answer {
    let children = json!([{"ShardId": "shardId-000000000001", "ParentShards": ["shardId-000000000000"]}]);
    Answer::Json(json!({"Records": records, "MillisBehindLatest": 0, "ChildShards": children}))
}

fn operations(asked: &Asked) -> Vec<String> {
    asked.lock().unwrap().iter().map(|(operation, _)| operation.clone()).collect()
}

#[tokio::test]
async fn a_read_that_goes_on_needs_no_new_iterator() {
    let answers =
        [iterator("first"), page(&[record("7")], "second"), page(&[], "third"), page(&[record("9")], "x")];
    let (_server, stream, asked) = stream_of(answers).await;
    let read = stream.read(SHARD, None, 100).await.unwrap();
    let expected = StreamRecord {
        sequence: 7.into(),
        partition_key: "home-01".into(),
        fault: None,
        arrival: Timestamp::from_unix_ms(1_500).unwrap(),
        data: "x".into(),
    };
    assert_eq!(read, ShardRead { records: vec![expected], is_end: false });
    for found in [0, 1] {
        assert_eq!(stream.read(SHARD, Some(7.into()), 100).await.unwrap().records.len(), found);
    }
    assert_eq!(operations(&asked), ["GetShardIterator", "GetRecords", "GetRecords", "GetRecords"]);
    let asked = asked.lock().unwrap();
    assert_eq!(asked[0].1["ShardIteratorType"], "TRIM_HORIZON");
    assert_eq!(asked[2].1["ShardIterator"], "second");
    assert_eq!(asked[3].1["ShardIterator"], "third");
}

#[tokio::test]
async fn a_read_from_elsewhere_asks_for_its_place() {
    let sequence = "49590338271490256608559692538361571095921575989136588898";
    let answers = [iterator("first"), page(&[record("7")], "second"), iterator("other"), page(&[], "x")];
    let (_server, stream, asked) = stream_of(answers).await;
    stream.read(SHARD, None, 100).await.unwrap();
    stream.read(SHARD, Some(sequence.parse().unwrap()), usize::MAX).await.unwrap();
    let asked = asked.lock().unwrap();
    assert_eq!(asked[2].1["ShardIteratorType"], "AFTER_SEQUENCE_NUMBER");
    assert_eq!(asked[2].1["StartingSequenceNumber"], sequence);
    assert_eq!(asked[2].1["ShardId"], "shardId-000000000000");
    assert_eq!(asked[3].1["ShardIterator"], "other");
    assert_eq!(asked[3].1["Limit"], RECORDS_MAX);
}

#[tokio::test]
async fn an_iterator_that_has_expired_is_replaced() {
    let answers = [
        iterator("first"),
        page(&[record("7")], "second"),
        Answer::Error(400, "ExpiredIteratorException"),
        iterator("new"),
        page(&[record("8")], "x"),
    ];
    let (_server, stream, asked) = stream_of(answers).await;
    stream.read(SHARD, None, 100).await.unwrap();
    assert_eq!(stream.read(SHARD, Some(7.into()), 100).await.unwrap().records.len(), 1);
    let asked = asked.lock().unwrap();
    assert_eq!(asked[3].1["StartingSequenceNumber"], "7");
    assert_eq!(asked[4].1["ShardIterator"], "new");
}

#[tokio::test]
async fn a_shard_ends_when_its_children_are_named() {
    let (_server, stream, _) = stream_of([iterator("first"), last_page(&[record("7")])]).await;
    let read = stream.read(SHARD, None, 100).await.unwrap();
    assert!(read.is_end && read.records.len() == 1);
}

#[tokio::test]
async fn an_answer_that_lacks_something_is_asked_for_again() {
    let with = |field: &str, value: Value| {
        let mut record = record("7");
        record[field] = value;
        page(&[record], "x")
    };
    let bad = [
        Answer::Json(json!({})),
        Answer::Json(json!({"Records": [record("7")]})),
        page(&[record("7")], ""),
        with("SequenceNumber", json!("")),
        with("SequenceNumber", json!("0x7")),
        with("ApproximateArrivalTimestamp", Value::Null),
        with("ApproximateArrivalTimestamp", json!(-1)),
    ];
    for answer in bad {
        let described = format!("{answer:?}");
        let script = [iterator("first"), page(&[], "second"), answer, page(&[record("7")], "x")];
        let (_server, stream, asked) = stream_of(script).await;
        stream.read(SHARD, None, 100).await.unwrap();
        let error = stream.read(SHARD, None, 100).await.expect_err(&described);
        assert_eq!(error.kind(), Kind::Retry, "{error}");
        assert_eq!(stream.read(SHARD, None, 100).await.unwrap().records.len(), 1);
        assert_eq!(asked.lock().unwrap()[3].1["ShardIterator"], "second", "the place is kept");
    }
    let (_server, stream, _) = stream_of([Answer::Json(json!({}))]).await;
    let error = stream.read(SHARD, None, 100).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Retry);
    assert!(error.to_string().contains("no iterator"), "{error}");
}

/// The pace counts calls: a call that the SDK repeats by itself would be out of turn.
#[tokio::test]
async fn a_shard_that_is_throttled_is_asked_once_a_turn() {
    let throttled = Answer::Error(400, "ProvisionedThroughputExceededException");
    let (_server, stream, asked) = stream_of([iterator("first"), throttled]).await;
    let error = stream.read(SHARD, None, 100).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Retry);
    assert_eq!(operations(&asked), ["GetShardIterator", "GetRecords"]);
}

#[tokio::test]
async fn a_stream_that_does_not_exist_is_no_reason_to_try_again() {
    let missing = || Answer::Error(400, "ResourceNotFoundException");
    let (_server, stream, _) = stream_of([missing(), missing()]).await;
    assert_eq!(stream.shards().await.unwrap_err().kind(), Kind::Broken);
    assert_eq!(stream.read(SHARD, None, 1).await.unwrap_err().kind(), Kind::Broken);
}

#[tokio::test]
async fn shards_are_listed_page_by_page_with_their_parents() {
    let listed = |id: u64, parents: [Option<u64>; 2]| {
        let name = |id: u64| ShardId(id).to_string();
        let range = json!({"StartingHashKey": "0", "EndingHashKey": "1"});
        let numbers = json!({"StartingSequenceNumber": "1"});
        let mut shard = json!({"ShardId": name(id), "HashKeyRange": range, "SequenceNumberRange": numbers});
        for (field, parent) in ["ParentShardId", "AdjacentParentShardId"].into_iter().zip(parents) {
            shard[field] = parent.map(name).into();
        }
        shard
    };
    let answers = [
        Answer::Json(
            json!({"Shards": [listed(0, [None, None]), listed(1, [None, None])], "NextToken": "more"}),
        ),
        Answer::Json(json!({"Shards": [listed(2, [Some(0), Some(1)]), listed(3, [Some(2), None])]})),
    ];
    let (_server, stream, asked) = stream_of(answers).await;
    let shard = |id, parents: &[u64]| Shard {
        id: ShardId(id),
        parents: parents.iter().copied().map(ShardId).collect(),
    };
    let expected = [shard(0, &[]), shard(1, &[]), shard(2, &[0, 1]), shard(3, &[2])];
    assert_eq!(stream.shards().await.unwrap(), expected);
    assert_eq!(asked.lock().unwrap()[1].1, json!({"NextToken": "more"}));
}
