//! What could not be read: in the queue, and through the API.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use wattstream_aws::AccessKey;

use crate::api::Api;
use crate::aws::Aws;
use crate::cdk::{Stack, string};
use crate::sums::Sums;

/// Makes sure that exactly the payloads that are no readings were set aside, byte for byte.
pub(crate) fn check(aws: &Aws, api: &Api, caller: &AccessKey, stack: &Stack, sums: &Sums) {
    let mut expected = sums.rejects.clone();
    expected.sort();
    assert!(!expected.is_empty(), "what is no reading was sent");
    assert_same("GET /dead-letters", through_api(api, caller), &expected);
    let queue_url = stack.output("DeadLettersQueueUrl");
    assert_same("the queue of dead letters", in_queue(aws, queue_url), &expected);
    let on_failure = in_queue(aws, stack.output("OnFailureQueueUrl"));
    assert_same("the queue of failed batches", on_failure, &[]);
}

fn assert_same(place: &str, mut payloads: Vec<Bytes>, expected: &[Bytes]) {
    payloads.sort();
    assert!(
        payloads == expected,
        "{place} has {} payloads, and {} were no readings:\n{payloads:?}\n{expected:?}",
        payloads.len(),
        expected.len()
    );
}

fn through_api(api: &Api, caller: &AccessKey) -> Vec<Bytes> {
    let mut payloads = Vec::new();
    let mut path = "/dead-letters?limit=10".to_owned();
    loop {
        let page = api.json(caller, &path);
        payloads.extend(page["dead_letters"].as_array().expect("letters").iter().map(payload));
        match page["next"].as_str() {
            Some(next) => path = format!("/dead-letters?limit=10&cursor={next}"),
            None => return payloads,
        }
    }
}

fn in_queue(aws: &Aws, queue_url: &str) -> Vec<Bytes> {
    let mut payloads = Vec::new();
    let question = json!({ "QueueUrl": queue_url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 600 });
    loop {
        let answer = aws.call("sqs", "receive_message", &question);
        let Some(messages) = answer["Messages"].as_array().filter(|messages| !messages.is_empty()) else {
            return payloads;
        };
        let body =
            |message: &Value| serde_json::from_str(&string(&message["Body"])).expect("a letter is JSON");
        payloads.extend(messages.iter().map(|message| payload(&body(message))));
    }
}

fn payload(letter: &Value) -> Bytes {
    BASE64_STANDARD.decode(string(&letter["payload_base64"])).expect("base64").into()
}
