//! The proxy between real sockets: a service of the test's own behind it, and clients that look at bytes.

mod client;
mod upstream;

use std::io::ErrorKind;
use std::time::Duration;

use serde_json::{Value, json};
use wattstream_testkit::faulty_aws::{
    Fault, FaultKind, FaultyAws, Mark, Operation, Service, Upstreams, Weights,
};

use client::{Answer, Call, Ending};
use upstream::Upstream;

fn start() -> (Upstream, FaultyAws) {
    let upstream = Upstream::start();
    let aws = FaultyAws::start(Upstreams::all_at(&upstream.url)).expect("a port is free");
    (upstream, aws)
}

fn publish_batch(ids: &[&str]) -> Call {
    let entries = (1..).zip(ids).map(|(number, id)| {
        format!("&PublishBatchRequestEntries.member.{number}.Id={id}&PublishBatchRequestEntries.member.{number}.Message=m")
    });
    Call::form(&format!("Action=PublishBatch&Version=2010-03-31{}", entries.collect::<String>()))
}

fn put_records(keys: &[&str]) -> Call {
    let records: Vec<Value> = keys.iter().map(|key| json!({ "PartitionKey": key, "Data": "" })).collect();
    Call::json("Kinesis_20131202.PutRecords", &json!({ "StreamName": "s", "Records": records }))
}

fn batch_write(keys: &[&str]) -> Call {
    let puts: Vec<Value> =
        keys.iter().map(|key| json!({ "PutRequest": { "Item": { "k": { "S": key } } } })).collect();
    Call::json("DynamoDB_20120810.BatchWriteItem", &json!({ "RequestItems": { "t": puts } }))
}

fn put_item() -> Call {
    let body = json!({ "TableName": "t", "Item": { "k": { "S": "a" } } });
    Call::json("DynamoDB_20120810.PutItem", &body)
}

/// Whatever the plan says of the first request for an item.
fn with_first_put(fault: Fault) -> (Upstream, FaultyAws) {
    let (upstream, aws) = start();
    aws.follow_script([(Operation::PUT_ITEM, 0, fault)]);
    (upstream, aws)
}

fn answered(ending: Ending) -> Answer {
    match ending {
        Ending::Answered(answer) => answer,
        other => panic!("an answer was expected, not {other:?}"),
    }
}

#[test]
fn a_request_without_a_fault_passes_as_it_is_and_so_does_its_answer() {
    let (upstream, aws) = start();
    let call = Call { path: "/a/b%20c?d=e%2Ff", ..put_item() };
    let answer = answered(call.make(&aws));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-amz-crc32"), Some("42"));
    assert_eq!(answer.body, b"{}");
    let asked = upstream.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].target, "DynamoDB_20120810.PutItem");
    assert_eq!(asked[0].path, "/a/b%20c?d=e%2Ff");
    assert_eq!(asked[0].authorization, "signed");
    assert_eq!(format!("http://{}", asked[0].host), upstream.url);
    assert_eq!(asked[0].body, call.body);
}

#[test]
fn a_refused_request_does_not_reach_the_service() {
    let refusals = [(Fault::Throttled, 400), (Fault::Unavailable, 503), (Fault::ErrorBefore, 500)];
    for (fault, status) in refusals {
        let (upstream, aws) = with_first_put(fault);
        assert_eq!(answered(put_item().make(&aws)).status, status);
        assert_eq!(upstream.asked().len(), 0);
        assert_eq!(answered(put_item().make(&aws)).status, 200);
        let requests = aws.requests_since(Mark::START).0;
        assert_eq!((requests[0].fault, requests[0].forwarded), (Some(fault.kind()), 0));
        assert_eq!((requests[1].fault, requests[1].forwarded), (None, 1));
    }
}

#[test]
fn an_error_after_the_write_is_told_as_an_error() {
    let (upstream, aws) = with_first_put(Fault::ErrorAfter);
    assert_eq!(answered(put_item().make(&aws)).status, 500);
    assert_eq!(upstream.asked().len(), 1);
}

#[test]
fn a_reset_before_the_write_is_a_reset_and_nothing_was_written() {
    let (upstream, aws) = with_first_put(Fault::ResetBefore);
    assert_eq!(put_item().make(&aws), Ending::Broken { kind: ErrorKind::ConnectionReset, received: vec![] });
    assert_eq!(upstream.asked().len(), 0);
}

#[test]
fn a_reset_after_the_write_is_a_reset_and_all_was_written() {
    let (upstream, aws) = with_first_put(Fault::ResetAfter);
    assert_eq!(put_item().make(&aws), Ending::Broken { kind: ErrorKind::ConnectionReset, received: vec![] });
    assert_eq!(upstream.asked().len(), 1);
    let requests = aws.requests_since(Mark::START).0;
    assert_eq!((requests[0].status, requests[0].forwarded), (None, 1));
}

#[test]
fn silence_after_the_write_lasts_as_long_as_the_client_waits() {
    let (upstream, aws) = with_first_put(Fault::SilenceAfter);
    let call = Call { patience: Duration::from_millis(200), ..put_item() };
    assert_eq!(call.make(&aws), Ending::Silent);
    assert_eq!(upstream.asked().len(), 1);
    assert_eq!(answered(put_item().make(&aws)).status, 200);
}

#[test]
fn a_cut_answer_has_its_head_and_half_of_its_body() {
    let (upstream, aws) = start();
    aws.follow_script([(Operation::QUERY, 0, Fault::CutBody)]);
    let query = Call::json("DynamoDB_20120810.Query", &json!({ "TableName": "t" }));
    let Ending::Broken { kind: ErrorKind::ConnectionReset, received } = query.make(&aws) else {
        panic!("the connection was not reset")
    };
    let whole = answered(query.make(&aws));
    let received = String::from_utf8(received).unwrap();
    assert!(received.to_lowercase().contains(&format!("content-length: {}", whole.body.len())), "{received}");
    let half = String::from_utf8(whole.body[..whole.body.len() / 2].to_vec()).unwrap();
    assert!(received.ends_with(&format!("\r\n\r\n{half}")), "{received}");
    assert_eq!(upstream.asked().len(), 2);
}

#[test]
fn a_slow_answer_is_whole_in_the_end() {
    let (_upstream, aws) = start();
    let query = Call::json("DynamoDB_20120810.Query", &json!({ "TableName": "t" }));
    let whole = answered(query.make(&aws)).body;
    aws.follow_script([(Operation::QUERY, 0, Fault::SlowBody { over: Duration::from_millis(64) })]);
    assert_eq!(answered(query.make(&aws)).body, whole);
    assert_eq!(aws.requests_since(Mark::START).0[1].fault, Some(FaultKind::SlowBody));
}

#[test]
fn a_partial_write_reaches_the_service_in_part_and_the_rest_is_given_back() {
    let (upstream, aws) = start();
    aws.follow_script([(Operation::BATCH_WRITE_ITEM, 0, Fault::Partial { taken: 0b101 })]);
    let answer = answered(batch_write(&["a", "b", "c", "d"]).make(&aws));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-amz-crc32"), None, "it was of the body that was replaced");
    let put = |key: &str| json!({ "PutRequest": { "Item": { "k": { "S": key } } } });
    assert_eq!(answer.json(), json!({ "UnprocessedItems": { "t": [put("b"), put("d")] } }));
    let asked: Value = serde_json::from_slice(&upstream.asked()[0].body).unwrap();
    assert_eq!(asked, json!({ "RequestItems": { "t": [put("a"), put("c")] } }));
    let request = &aws.requests_since(Mark::START).0[0];
    assert_eq!((request.entries, request.forwarded, request.fault), (4, 2, Some(FaultKind::Partial)));
}

#[test]
fn records_fail_in_their_places_and_messages_by_their_ids() {
    let (upstream, aws) = start();
    aws.follow_script([
        (Operation::PUT_RECORDS, 0, Fault::Partial { taken: 0b110 }),
        (Operation::PUBLISH_BATCH, 0, Fault::Partial { taken: 0b01 }),
    ]);
    let answer = answered(put_records(&["a", "b", "c"]).make(&aws)).json();
    assert_eq!(answer["FailedRecordCount"], 1);
    assert_eq!(answer["Records"][0]["ErrorCode"], "ProvisionedThroughputExceededException");
    assert_eq!(
        [&answer["Records"][1]["SequenceNumber"], &answer["Records"][2]["SequenceNumber"]],
        ["b", "c"]
    );
    let answer = String::from_utf8(answered(publish_batch(&["x", "y"]).make(&aws)).body).unwrap();
    assert!(answer.contains("<Failed><member><Id>y</Id><Code>InternalError</Code>"), "{answer}");
    assert!(answer.contains("<Successful><member><Id>x</Id>"), "{answer}");
    assert!(!String::from_utf8(upstream.asked()[1].body.clone()).unwrap().contains("=y"));
}

#[test]
fn a_batch_of_which_nothing_is_taken_is_told_as_each_service_does() {
    let (upstream, aws) = start();
    let none = Fault::Partial { taken: 0 };
    aws.follow_script([(Operation::BATCH_WRITE_ITEM, 0, none), (Operation::PUT_RECORDS, 0, none)]);
    let answer = answered(batch_write(&["a", "b"]).make(&aws));
    assert_eq!(answer.status, 400);
    let answer = answered(put_records(&["a", "b"]).make(&aws));
    assert_eq!((answer.status, &answer.json()["FailedRecordCount"]), (200, &json!(2)));
    assert_eq!(upstream.asked().len(), 0);
    let faults: Vec<_> = aws.requests_since(Mark::START).0.iter().map(|request| request.fault).collect();
    assert_eq!(faults, [Some(FaultKind::Throttled), Some(FaultKind::EveryEntry)]);
}

#[test]
fn what_the_service_refuses_as_a_whole_stays_refused_as_a_whole() {
    let (upstream, aws) = start();
    upstream.refuse_everything();
    aws.follow_script([(Operation::BATCH_WRITE_ITEM, 0, Fault::Partial { taken: 0b01 })]);
    let answer = answered(batch_write(&["a", "b"]).make(&aws));
    assert_eq!((answer.status, answer.body.as_slice()), (400, b"refused".as_slice()));
    assert_eq!(aws.requests_since(Mark::START).0[0].fault, None);
}

#[test]
fn a_short_page_asks_the_service_for_less() {
    let (upstream, aws) = start();
    aws.follow_script([(Operation::GET_RECORDS, 0, Fault::ShortPage { limit: 3 })]);
    let body = json!({ "ShardIterator": "i", "Limit": 100 });
    assert_eq!(answered(Call::json("Kinesis_20131202.GetRecords", &body).make(&aws)).status, 200);
    let asked: Value = serde_json::from_slice(&upstream.asked()[0].body).unwrap();
    assert_eq!(asked, json!({ "ShardIterator": "i", "Limit": 3 }));
}

#[test]
fn an_outage_is_of_a_service_or_an_operation_and_ends() {
    let (upstream, aws) = start();
    aws.take_down(Service::Sns, Fault::Unavailable);
    aws.take_down(Operation::PUT_ITEM, Fault::ResetBefore);
    assert_eq!(answered(publish_batch(&["x"]).make(&aws)).status, 503);
    assert!(matches!(put_item().make(&aws), Ending::Broken { .. }));
    assert_eq!(answered(put_records(&["a"]).make(&aws)).status, 200);
    aws.take_down(Operation::PUBLISH_BATCH, Fault::Throttled);
    assert_eq!(
        answered(publish_batch(&["x"]).make(&aws)).status,
        400,
        "the operation's own outage comes first"
    );
    aws.bring_up(Operation::PUBLISH_BATCH);
    aws.bring_up(Service::Sns);
    assert_eq!(answered(publish_batch(&["x"]).make(&aws)).status, 200);
    aws.clear();
    assert!(matches!(put_item().make(&aws), Ending::Broken { .. }), "an outage is no part of the plan");
    assert_eq!(upstream.asked().len(), 2);
}

#[test]
fn a_fault_that_cannot_happen_to_its_operation_does_not() {
    for fault in [Fault::Partial { taken: 1 }, Fault::ShortPage { limit: 1 }, Fault::ExpiredIterator] {
        let (_upstream, aws) = with_first_put(fault);
        assert_eq!(answered(put_item().make(&aws)).status, 200);
        assert_eq!(aws.requests_since(Mark::START).0[0].fault, None);
    }
}

#[test]
fn requests_are_listed_from_a_mark_on_in_their_order() {
    let (_upstream, aws) = start();
    put_item().make(&aws);
    let mark = aws.mark();
    batch_write(&["a", "b", "c"]).make(&aws);
    put_records(&["a"]).make(&aws);
    let requests = aws.requests_since(mark);
    let listed: Vec<_> =
        requests.0.iter().map(|request| (request.operation.to_string(), request.entries)).collect();
    assert_eq!(listed, [("DynamoDb.BatchWriteItem".to_owned(), 3), ("Kinesis.PutRecords".to_owned(), 1)]);
    assert_eq!(requests.count(&Operation::BATCH_WRITE_ITEM), 1);
    assert_eq!(requests.bytes(), batch_write(&["a", "b", "c"]).body.len() + put_records(&["a"]).body.len());
    assert_eq!(aws.requests_since(aws.mark()).0.len(), 0);
}

#[test]
fn each_service_may_be_somewhere_else() {
    let (main, kinesis) = (Upstream::start(), Upstream::start());
    let upstreams = Upstreams::all_at(&main.url).with(Service::Kinesis, &kinesis.url);
    let aws = FaultyAws::start(upstreams).expect("a port is free");
    put_records(&["a"]).make(&aws);
    put_item().make(&aws);
    assert_eq!((main.asked().len(), kinesis.asked().len()), (1, 1));
    assert_eq!(kinesis.asked()[0].target, "Kinesis_20131202.PutRecords");
}

#[test]
fn a_service_that_is_not_there_is_told_in_words() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let aws = FaultyAws::start(Upstreams::all_at(&format!("http://{nobody}"))).expect("a port is free");
    let answer = answered(put_item().make(&aws));
    assert_eq!(answer.status, 502);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("did not answer DynamoDb.PutItem"), "{text}");
    assert_eq!(aws.requests_since(Mark::START).0[0].forwarded, 0);
}

#[test]
fn a_client_that_goes_away_does_not_take_its_request_along() {
    let (upstream, aws) = start();
    let gate = upstream.hold_answers();
    let client = put_item().send(&aws);
    upstream.wait_until_asked();
    drop(client);
    drop(gate);
    while aws.requests_since(Mark::START).0[0].status.is_none() {
        std::thread::yield_now();
    }
    assert_eq!(aws.requests_since(Mark::START).0[0].forwarded, 1);
}

#[test]
fn one_seed_gives_one_course_and_every_kind_of_fault_in_it() {
    // Nothing is in flight together here, so that the clients of both courses ask the same.
    let weights = Weights::each(60).with(FaultKind::SilenceAfter, 0).with(FaultKind::SlowBody, 15);
    let course = |seed| {
        let (upstream, aws) = start();
        aws.follow_chance(seed, weights.clone());
        let calls =
            [put_records(&["a", "b", "c"]), batch_write(&["a", "b", "c"]), publish_batch(&["x", "y"])];
        for _ in 0..150 {
            for call in &calls {
                let _ = call.make(&aws);
            }
        }
        let requests = aws.requests_since(Mark::START);
        let faults: Vec<_> = requests.0.iter().map(|request| (request.fault, request.forwarded)).collect();
        (faults, upstream.asked().len(), requests.coverage())
    };
    let (faults, asked, coverage) = course(11);
    assert_eq!((&faults, asked), (&course(11).0, course(11).1));
    assert_ne!(faults, course(12).0);
    let operations = [Operation::PUT_RECORDS, Operation::BATCH_WRITE_ITEM, Operation::PUBLISH_BATCH];
    let missing = operations.clone().map(|operation| (FaultKind::SilenceAfter, operation));
    assert_eq!(coverage.missing(&operations), missing, "\n{coverage}");
    assert_eq!(coverage.kinds_missing(), [FaultKind::SilenceAfter]);
}
