//! A letter is kept when SQS has shown an id for each of its messages.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use wattstream_engine::Cause;
use wattstream_testkit::{at, position};
use wattstream_wire::Reason;

use super::*;
use crate::fake_aws::{Answer, FakeAws, Request};

fn letter(sequence: u64, payload_bytes: usize) -> DeadLetter {
    DeadLetter {
        position: position(2, sequence),
        arrival: at(1),
        cause: Cause::Rejected(Reason::NotJson),
        detail: "not JSON".to_owned(),
        payload: vec![b'x'; payload_bytes].into(),
    }
}

/// What becomes of the entries of a request, by their places.
type Script = Vec<fn(usize) -> Value>;

fn taken(index: usize) -> Value {
    json!({"Id": index.to_string(), "MessageId": format!("message-{index}"), "MD5OfMessageBody": "0"})
}

fn throttled(index: usize) -> Value {
    json!({"Id": index.to_string(), "Code": "RequestThrottled", "SenderFault": true})
}

fn refused_for_good(index: usize) -> Value {
    json!({"Id": index.to_string(), "Code": "InvalidMessageContents", "SenderFault": true})
}

fn nameless(index: usize) -> Value {
    json!({"Id": index.to_string(), "MessageId": "", "MD5OfMessageBody": "0"})
}

async fn queue(script: Script) -> (FakeAws, SqsDeadLetters, Arc<Mutex<Vec<Value>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let mut script = script.into_iter();
    let server = FakeAws::start(move |request: Request| {
        assert_eq!(request.operation, "SendMessageBatch");
        let request = request.json();
        let count = request["Entries"].as_array().unwrap().len();
        log.lock().unwrap().push(request);
        let fate = script.next().unwrap_or(taken);
        let (failed, successful): (Vec<_>, Vec<_>) =
            (0..count).map(fate).partition(|entry| entry.get("Code").is_some());
        Answer::Json(json!({"Successful": successful, "Failed": failed}))
    })
    .await;
    let letters = SqsDeadLetters::new(&server.clients().await, "http://localhost/queue");
    (server, letters, asked)
}

fn counts(asked: &Mutex<Vec<Value>>) -> Vec<usize> {
    asked.lock().unwrap().iter().map(|request| request["Entries"].as_array().unwrap().len()).collect()
}

#[tokio::test]
async fn messages_that_come_back_are_sent_again() {
    let script: Script =
        vec![|index| if index == 1 { throttled(index) } else { taken(index) }, nameless, taken];
    let (_server, letters, asked) = queue(script).await;
    letters.put(&[letter(1, 5), letter(2, 5), letter(3, 5)]).await.unwrap();
    assert_eq!(counts(&asked), [3, 1, 1]);
    let asked = asked.lock().unwrap();
    assert!(asked[2]["Entries"][0]["MessageBody"].as_str().unwrap().contains("shardId-000000000002:2:0"));
}

#[tokio::test]
async fn a_letter_that_was_not_kept_is_an_error() {
    let script: Script = vec![|index| if index == 1 { refused_for_good(index) } else { taken(index) }];
    let (_server, letters, asked) = queue(script).await;
    let error = letters.put(&[letter(1, 5), letter(2, 5)]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Broken);
    assert!(error.to_string().contains("InvalidMessageContents"), "{error}");
    assert_eq!(counts(&asked), [2]);
}

#[tokio::test]
async fn a_request_has_no_more_than_sqs_takes() {
    let (_server, letters, asked) = queue(Vec::new()).await;
    let many: Vec<_> = (1..=25).map(|sequence| letter(sequence, 5)).collect();
    letters.put(&many).await.unwrap();
    let mut found = counts(&asked);
    found.sort_unstable();
    assert_eq!(found, [5, 10, 10]);

    asked.lock().unwrap().clear();
    letters.put(&[letter(1, 3_000_000), letter(2, 400_000), letter(3, 200_000)]).await.unwrap();
    for request in asked.lock().unwrap().iter() {
        let bytes = |entry: &Value| {
            let attributes = entry["MessageAttributes"].as_object().unwrap();
            let text = |value: &Value| value.as_str().unwrap().len();
            let of_attribute = |(name, value): (&String, &Value)| {
                name.len() + text(&value["DataType"]) + text(&value["StringValue"])
            };
            text(&entry["MessageBody"]) + attributes.iter().map(of_attribute).sum::<usize>()
        };
        let entries = request["Entries"].as_array().unwrap();
        assert!(entries.iter().map(bytes).sum::<usize>() <= 1_048_576);
    }
    letters.put(&[]).await.unwrap();
}

#[tokio::test]
async fn a_message_can_be_filtered_by_its_reason_and_its_shard() {
    let (_server, letters, asked) = queue(Vec::new()).await;
    letters.put(&[letter(1, 5)]).await.unwrap();
    let attributes = asked.lock().unwrap()[0]["Entries"][0]["MessageAttributes"].clone();
    let string = |value: &str| json!({"DataType": "String", "StringValue": value});
    assert_eq!(attributes, json!({"reason": string("not_json"), "shard": string("shardId-000000000002")}));
}
