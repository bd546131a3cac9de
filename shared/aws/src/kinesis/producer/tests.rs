//! Appends keep their order and lose nothing, whatever Kinesis refuses, answers badly or does not answer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use wattstream_wire::deaggregate;

use super::*;
use crate::fake_aws::{Answer, FakeAws, Request};

/// What a request meets; without one it is taken.
#[derive(Clone, Debug)]
enum Fault {
    /// These entries are throttled.
    Throttled(Vec<bool>),
    /// These entries are refused for good.
    Denied(&'static str),
    /// The whole request is refused.
    Refused(u16, &'static str),
    /// The request is applied, and its answer is lost.
    AnswerLost,
    /// These entries come back without a number.
    Unnumbered(Vec<bool>),
    /// The answer has an entry too few.
    Short,
}

/// A stream of one shard.
#[derive(Debug, Default)]
struct Log {
    records: Vec<(String, Bytes)>,
    faults: VecDeque<Fault>,
    requests: usize,
}

impl Log {
    fn answer(&mut self, request: &Request) -> Answer {
        assert_eq!(request.operation, "PutRecords");
        self.requests += 1;
        let entries = entries_of(request);
        match self.faults.pop_front() {
            None => self.take(entries, |_, _| None),
            Some(Fault::Throttled(which)) => {
                let code = "ProvisionedThroughputExceededException";
                self.take(entries, |index, _| is_chosen(&which, index).then(|| failure(code)))
            }
            Some(Fault::Denied(key)) => {
                self.take(entries, |_, entry| (entry == key).then(|| failure("AccessDeniedException")))
            }
            Some(Fault::Refused(status, code)) => Answer::Error(status, code),
            Some(Fault::AnswerLost) => {
                self.take(entries, |_, _| None);
                Answer::HangUp
            }
            Some(Fault::Unnumbered(which)) => {
                let unnumbered = json!({"SequenceNumber": "", "ShardId": ""});
                self.take(entries, |index, _| is_chosen(&which, index).then(|| unnumbered.clone()))
            }
            Some(Fault::Short) => {
                let Answer::Json(mut answer) = self.take(entries, |_, _| None) else { return Answer::HangUp };
                answer["Records"].as_array_mut().unwrap().pop();
                Answer::Json(answer)
            }
        }
    }

    fn take(
        &mut self,
        entries: Vec<(String, Bytes)>,
        refusal: impl Fn(usize, &str) -> Option<Value>,
    ) -> Answer {
        let mut answers = Vec::new();
        let mut failed = 0;
        for (index, (key, data)) in entries.into_iter().enumerate() {
            if let Some(refusal) = refusal(index, &key) {
                failed += 1;
                answers.push(refusal);
                continue;
            }
            self.records.push((key, data));
            let sequence = self.records.len().to_string();
            answers.push(json!({"SequenceNumber": sequence, "ShardId": "shardId-000000000000"}));
        }
        Answer::Json(json!({"FailedRecordCount": failed, "Records": answers}))
    }

    /// The payloads of each key, in order.
    fn payloads(&self) -> BTreeMap<String, Vec<Bytes>> {
        let mut payloads: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (key, data) in &self.records {
            payloads.entry(key.clone()).or_default().extend_from_slice(deaggregate(data).unwrap().as_slice());
        }
        payloads
    }
}

fn is_chosen(which: &[bool], index: usize) -> bool {
    which[index % which.len()]
}

fn failure(code: &str) -> Value {
    json!({"ErrorCode": code, "ErrorMessage": "as the test wants it"})
}

/// The keys and payloads of a request, which no key may be in twice.
fn entries_of(request: &Request) -> Vec<(String, Bytes)> {
    let request = request.json();
    let entries: Vec<_> = request["Records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let data = BASE64_STANDARD.decode(entry["Data"].as_str().unwrap()).unwrap();
            (entry["PartitionKey"].as_str().unwrap().to_owned(), Bytes::from(data))
        })
        .collect();
    assert!(entries.len() <= PUT_RECORDS.entries);
    let mut keys: Vec<_> = entries.iter().map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), entries.len(), "a key is in flight once");
    entries
}

async fn stream_with(faults: impl IntoIterator<Item = Fault>) -> (FakeAws, Arc<Mutex<Log>>) {
    let log = Arc::new(Mutex::new(Log { faults: faults.into_iter().collect(), ..Log::default() }));
    let shared = Arc::clone(&log);
    let server = FakeAws::start(move |request| shared.lock().unwrap().answer(&request)).await;
    (server, log)
}

async fn producer(server: &FakeAws, packing: Packing) -> KinesisProducer {
    let settings = ProducerSettings { packing, ..ProducerSettings::default() };
    KinesisProducer::new(&server.clients().await, "readings", settings)
}

fn records<'a>(keys: impl IntoIterator<Item = &'a str>) -> Vec<NewRecord> {
    let number = |(index, key): (usize, &str)| NewRecord {
        partition_key: key.to_owned(),
        data: index.to_string().into(),
    };
    keys.into_iter().enumerate().map(number).collect()
}

fn sent(records: &[NewRecord]) -> BTreeMap<String, Vec<Bytes>> {
    let mut sent: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for record in records {
        sent.entry(record.partition_key.clone()).or_default().push(record.data.clone());
    }
    sent
}

#[tokio::test]
async fn records_of_a_key_go_out_one_after_the_other_and_keys_together() {
    let (server, log) = stream_with([]).await;
    let records = records(["a", "b", "a", "c", "a"]);
    producer(&server, Packing::Plain).await.append(records.clone()).await.unwrap();
    let log = log.lock().unwrap();
    assert_eq!(log.payloads(), sent(&records));
    assert_eq!(log.requests, 3, "as many rounds as the longest queue");
}

#[tokio::test]
async fn an_aggregate_needs_one_round() {
    let (server, log) = stream_with([]).await;
    let records = records(["a", "b", "a", "c", "a"]);
    producer(&server, Packing::Aggregated).await.append(records.clone()).await.unwrap();
    let log = log.lock().unwrap();
    assert_eq!(log.payloads(), sent(&records));
    assert_eq!((log.requests, log.records.len()), (1, 3));
}

#[tokio::test]
async fn nothing_is_asked_for_an_append_of_nothing() {
    let (server, log) = stream_with([]).await;
    producer(&server, Packing::default()).await.append(Vec::new()).await.unwrap();
    assert_eq!(log.lock().unwrap().requests, 0);
}

#[tokio::test]
async fn a_key_that_fails_for_good_stops_there_and_the_others_go_on() {
    let (server, log) = stream_with([Fault::Denied("b")]).await;
    let records = records(["a", "b", "a", "b", "c"]);
    let error = producer(&server, Packing::Plain).await.append(records.clone()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Broken);
    assert!(
        error.to_string().contains("1 partition keys failed") && error.to_string().contains("AccessDenied")
    );
    let mut expected = sent(&records);
    expected.remove("b");
    assert_eq!(log.lock().unwrap().payloads(), expected);
}

#[tokio::test]
async fn a_stream_that_goes_on_throttling_is_an_error_by_the_deadline() {
    let (server, log) = stream_with(vec![Fault::Throttled(vec![true]); 10_000]).await;
    let producer = producer(&server, Packing::Plain).await;
    let soon = Instant::now() + Duration::from_millis(300);
    let error = deadline::within(soon, producer.append(records(["a", "b", "a"]))).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Retry);
    assert!(error.to_string().contains("2 partition keys failed"), "{error}");
    assert_eq!(log.lock().unwrap().records, []);
}

#[tokio::test]
async fn a_record_that_no_stream_takes_is_rejected_before_anything_is_sent() {
    let (server, log) = stream_with([]).await;
    let producer = producer(&server, Packing::default()).await;
    let record =
        |key: &str, bytes| NewRecord { partition_key: key.to_owned(), data: vec![b'x'; bytes].into() };
    let table = [
        (record("", 1), "a partition key has 1 to 256 characters, this one has 0"),
        (record(&"ä".repeat(257), 1), "this one has 257"),
        (
            record("key", RECORD_BYTES_MAX_DEFAULT - 2),
            "at most 1048576 bytes with their partition key, this one has 1048577",
        ),
    ];
    for (bad, message) in table {
        let error = producer.append(vec![record("good", 1), bad]).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Reject);
        assert!(error.to_string().contains(message), "{error}");
    }
    assert_eq!(log.lock().unwrap().requests, 0);

    let largest = vec![record("key", RECORD_BYTES_MAX_DEFAULT - 3), record(&"ä".repeat(256), 1)];
    producer.append(largest).await.unwrap();
    assert_eq!(log.lock().unwrap().records.len(), 2);
}

fn fault() -> impl Strategy<Value = Fault> {
    let which = || prop::collection::vec(any::<bool>(), 1..5);
    prop_oneof![
        which().prop_map(Fault::Throttled),
        which().prop_map(Fault::Unnumbered),
        Just(Fault::AnswerLost),
        Just(Fault::Short),
        Just(Fault::Refused(400, "ProvisionedThroughputExceededException")),
        Just(Fault::Refused(500, "InternalFailure")),
    ]
}

/// A record may be there several times, though never behind a later one of its key: every answer that was lost came before
/// its round was over.
#[test]
fn under_any_faults_an_append_keeps_every_record_and_the_order_of_each_key() {
    let case = (
        prop::collection::vec("[a-e]", 1..30),
        prop::collection::vec(fault(), 0..5),
        prop_oneof![Just(Packing::Plain), Just(Packing::Aggregated)],
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // Each fault costs a wait of tens of milliseconds.
    let mut runner = TestRunner::new(Config { cases: 40, ..Config::default() });
    let outcome = runner.run(&case, |(keys, faults, packing)| {
        runtime.block_on(async {
            let (server, log) = stream_with(faults).await;
            let records = records(keys.iter().map(String::as_str));
            producer(&server, packing).await.append(records.clone()).await.unwrap();
            let mut found = log.lock().unwrap().records.clone();
            // A repetition of a record follows it directly among those of its key.
            found.sort_by(|(a, _), (b, _)| a.cmp(b));
            found.dedup();
            let log = Log { records: found, ..Log::default() };
            prop_assert_eq!(log.payloads(), sent(&records));
            Ok(())
        })
    });
    outcome.unwrap();
}
