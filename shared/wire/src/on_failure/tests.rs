//! The golden documents are the example of the AWS Lambda guide ("Retain discarded batch records for a Kinesis Data
//! Streams event source in Lambda"), the same without the context that is absent when nothing was called, and one with
//! the event of `golden/kinesis_event.json`, as a bucket gets it.

use super::*;
use crate::kinesis_event;
use proptest::prelude::*;
use serde_json::{Value, json};

const RETRIES: &str = include_str!("../../golden/on_failure_retries.json");
const AGE: &str = include_str!("../../golden/on_failure_age.json");
const PAYLOAD: &str = include_str!("../../golden/on_failure_payload.json");

fn golden(document: &str) -> Value {
    serde_json::from_str(document).unwrap()
}

#[allow(clippy::unnecessary_wraps, reason = "a batch may not say when it arrived")]
fn at(unix_ms: i64) -> Option<Timestamp> {
    Some(Timestamp::from_unix_ms(unix_ms).unwrap())
}

#[test]
fn the_golden_document_is_read() {
    let expected = DiscardedBatch {
        stream_arn: "arn:aws:kinesis:us-east-2:123456789012:stream/mystream".to_owned(),
        shard: ShardId(1),
        first: "49601189658422359378836298521827638475320189012309704722".parse().unwrap(),
        last: "49601189658422359378836298522902373528957594348623495186".parse().unwrap(),
        records: Some(500),
        first_arrival: at(1_573_691_884_835),
        last_arrival: at(1_573_691_885_580),
        condition: "RetryAttemptsExhausted".to_owned(),
        invocations: Some(4),
        function_error: Some("Unhandled".to_owned()),
        at: at(1_573_691_886_021),
        event: None,
    };
    assert_eq!(parse(RETRIES.as_bytes()), Ok(expected));
}

#[test]
fn records_that_grew_too_old_come_without_a_response() {
    let batch = parse(AGE.as_bytes()).unwrap();
    assert_eq!((&batch.condition[..], batch.function_error), ("RecordAgeExceeded", None));
    assert_eq!((batch.first, batch.records), (batch.last, Some(1)));
}

#[test]
fn the_event_is_an_object_or_a_string_that_holds_one() {
    let mut as_string = golden(PAYLOAD);
    as_string["payload"] = json!(as_string["payload"].to_string());
    for document in [PAYLOAD.to_owned(), as_string.to_string()] {
        let batch = parse(document.as_bytes()).unwrap();
        assert_eq!(batch.function_error, None, "single records were reported");
        let event = kinesis_event::parse(batch.event.unwrap().as_bytes()).unwrap();
        assert_eq!(event.shard(), batch.shard);
        let [record] = &event.into_records().collect::<Vec<_>>()[..] else { panic!("one record came") };
        assert_eq!((record.sequence, &record.data[..]), (batch.first, &b"Hello, this is a test."[..]));
    }
}

#[test]
fn what_is_not_needed_to_find_the_records_may_be_absent_or_unreadable() {
    let mut bare = golden(RETRIES);
    bare.as_object_mut().unwrap().retain(|key, _| ["requestContext", "KinesisBatchInfo"].contains(&&key[..]));
    bare["requestContext"] = json!({ "condition": "SomethingNew" });
    let info = bare["KinesisBatchInfo"].as_object_mut().unwrap();
    info.retain(|key, _| {
        ["shardId", "startSequenceNumber", "endSequenceNumber", "streamArn"].contains(&&key[..])
    });
    info.insert("approximateArrivalOfFirstRecord".to_owned(), json!("yesterday"));
    let batch = parse(bare.to_string().as_bytes()).unwrap();
    assert_eq!(
        (batch.condition, batch.records, batch.first_arrival),
        ("SomethingNew".to_owned(), None, None)
    );
}

#[test]
fn other_documents_are_refused_with_what_they_lack() {
    let without = |key: &str| {
        let mut document = golden(RETRIES);
        document["KinesisBatchInfo"].as_object_mut().unwrap().remove(key);
        document.to_string()
    };
    let cases = [
        (String::new(), "EOF while parsing"),
        (r#"{"Type":"Notification","Message":"{}"}"#.to_owned(), "missing field `requestContext`"),
        (RETRIES.replace("KinesisBatchInfo", "DDBStreamBatchInfo"), "missing field `KinesisBatchInfo`"),
        (without("streamArn"), "missing field `streamArn`"),
        (without("shardId"), "missing field `shardId`"),
        (RETRIES.replace("shardId-", "shard-"), "a shard id is shardId- and digits"),
        (RETRIES.replace(":\"4960", ":\"0960"), "a sequence number is 0, or 1 to 129 digits"),
    ];
    for (document, complaint) in cases {
        let error = parse(document.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(complaint) && error.contains("take the body of an SQS message"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_bytes_have_an_outcome(bytes in any::<Vec<u8>>(), cut in any::<prop::sample::Index>()) {
        let _ = parse(&bytes);
        prop_assert!(parse(&PAYLOAD.as_bytes()[..cut.index(PAYLOAD.len() - 1)]).is_err());
    }
}
