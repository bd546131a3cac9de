//! What an event source makes of every way in which a function can answer or fail: the rows of Lambda's own table, each with
//! a real process behind the Runtime API.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use wattstream_domain::ShardId;
use wattstream_engine::ports::{Checkpoint, Checkpoints, GivenUp, GivenUpCondition, NewRecord, Producer};
use wattstream_engine::{BATCH_BYTES_MAX, Drained, EventSource, EventSourcePorts, EventSourceSettings};
use wattstream_testkit::lambda::{Function, FunctionError, FunctionSettings, LambdaConsumer};
use wattstream_testkit::{Contents, MemoryStore, Numbers, at};

/// A limit for hangs, not a measurement.
const PATIENCE: Duration = Duration::from_secs(60);

/// The records of a batch are numbered 1, 2, 3.
const RECORDS: u64 = 3;

/// Lambda's own limits and no retries but those that a test asks for.
const SETTINGS: EventSourceSettings = EventSourceSettings {
    batch_records_max: 100,
    batch_window: Duration::ZERO,
    batch_bytes_max: BATCH_BYTES_MAX,
    retry_attempts_max: None,
    bisect_on_error: false,
    record_age_max: None,
    invocation_timeout: PATIENCE,
    shutdown_wait_max: PATIENCE,
    jitter_seed: 1,
};

/// A function that does so many acts and then succeeds, and the folder in which it counts.
fn function(acts: &Value, timeout: Duration) -> (Function, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let counter = folder.path().join("invocations").display().to_string();
    let variables = [("ACTS", acts.to_string()), ("COUNTER", counter)];
    let settings = FunctionSettings {
        binary: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lambda/function.py"),
        variables: variables.map(|(name, value)| (name.to_owned(), value)).into(),
        timeout,
    };
    (Function::new(settings), folder)
}

/// The numbers of the records of each invocation, a line each.
fn invocations(folder: &TempDir) -> Vec<String> {
    let counted = fs::read_to_string(folder.path().join("invocations")).unwrap_or_default();
    counted.lines().map(str::to_owned).collect()
}

/// What became of a batch of three records.
#[derive(Debug, PartialEq, Eq)]
struct Course {
    invocations: Vec<String>,
    given_up: Vec<GivenUp>,
}

/// Delivers a batch of three records to a function until the checkpoint is past them.
async fn deliver(acts: &Value, timeout: Duration, settings: EventSourceSettings) -> Course {
    let (function, folder) = function(acts, timeout);
    let store = MemoryStore::new(Contents::new(1, Numbers::default()));
    let record =
        |number: u64| NewRecord { partition_key: "home-01".to_owned(), data: number.to_string().into() };
    store.append((1..=RECORDS).map(record).collect()).await.expect("records are appended");
    let ports = EventSourcePorts {
        stream: store.clone(),
        checkpoints: store.clone(),
        consumer: LambdaConsumer(Arc::new(function)),
        on_failure: store.clone(),
        clock: Arc::new(|| at(0)),
    };
    let source = EventSource::new(ports, settings).expect("good settings");
    let (stop, stopped) = oneshot::channel::<()>();
    let source = tokio::spawn(source.run(async { drop(stopped.await) }));
    let done = async {
        while store.checkpoint(ShardId(0)).await.expect("a checkpoint")
            != Some(Checkpoint::At(RECORDS.into()))
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, done).await.expect("every record leaves");
    drop(stop);
    assert_eq!(source.await.expect("no panic"), Drained::Completely);
    Course { invocations: invocations(&folder), given_up: store.contents().given_up }
}

/// An act whose response is this text.
fn reply(text: &str) -> Value {
    json!({ "reply": text })
}

#[tokio::test]
async fn what_lambda_takes_for_a_success_is_not_delivered_again() {
    let replies =
        ["", "\"\"", "[]", "null", "{}", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#];
    for text in replies {
        let course = deliver(&json!([reply(text)]), PATIENCE, SETTINGS).await;
        assert_eq!(course, Course { invocations: vec!["1 2 3".to_owned()], given_up: vec![] }, "{text:?}");
    }
}

#[tokio::test]
async fn a_partial_reply_is_followed_by_the_rest_from_the_lowest_number_on() {
    let lowest_last = r#"{"batchItemFailures":[{"itemIdentifier":"$2"},{"itemIdentifier":"$1"}]}"#;
    for bisect_on_error in [false, true] {
        let settings = EventSourceSettings { bisect_on_error, ..SETTINGS };
        let course = deliver(&json!([reply(lowest_last)]), PATIENCE, settings).await;
        assert_eq!(course.invocations, ["1 2 3", "2 3"], "bisect: {bisect_on_error}");
    }
}

#[tokio::test]
async fn a_reply_that_names_no_record_of_the_batch_fails_the_whole_batch() {
    let identifiers = [
        r#"{"itemIdentifier":""}"#,
        r#"{"itemIdentifier":null}"#,
        r#"{"foo":123}"#,
        r#"{"foo":null}"#,
        r#"{"itemIdentifier":123}"#,
        r#"{"itemIdentifier":"4"}"#,
        r#"{"itemIdentifier":"$1"},{"itemIdentifier":"4"}"#,
    ];
    for identifier in identifiers {
        let acts = json!([reply(&format!("{{\"batchItemFailures\":[{identifier}]}}"))]);
        let course = deliver(&acts, PATIENCE, SETTINGS).await;
        assert_eq!(course.invocations, ["1 2 3", "1 2 3"], "{identifier}");
        let bisecting = EventSourceSettings { bisect_on_error: true, ..SETTINGS };
        let course = deliver(&acts, PATIENCE, bisecting).await;
        assert_eq!(course.invocations, ["1 2 3", "1", "2 3"], "{identifier}");
    }
}

#[tokio::test]
async fn an_error_the_end_of_the_process_and_a_timeout_fail_the_whole_batch() {
    let cases = [
        (json!({ "error": "no" }), PATIENCE),
        (json!({ "exit": 3 }), PATIENCE),
        (json!({ "hang": true }), Duration::from_secs(2)),
    ];
    for (act, timeout) in cases {
        let acts = json!([act]);
        assert_eq!(deliver(&acts, timeout, SETTINGS).await.invocations, ["1 2 3", "1 2 3"], "{act}");
        let bisecting = EventSourceSettings { bisect_on_error: true, ..SETTINGS };
        assert_eq!(deliver(&acts, timeout, bisecting).await.invocations, ["1 2 3", "1", "2 3"], "{act}");
    }
}

#[tokio::test]
async fn when_the_retries_run_out_the_rest_is_given_up_with_the_number_of_invocations() {
    let settings = EventSourceSettings { retry_attempts_max: Some(2), ..SETTINGS };
    let of_rest = r#"{"batchItemFailures":[{"itemIdentifier":"$0"}]}"#;
    let partial = json!([
        reply(r#"{"batchItemFailures":[{"itemIdentifier":"$1"}]}"#),
        reply(of_rest),
        reply(of_rest),
        reply(of_rest)
    ]);
    let error = json!([{ "error": "no" }, { "error": "no" }, { "exit": 1 }]);
    for (acts, calls, first) in
        [(partial, vec!["1 2 3", "2 3", "2 3", "2 3"], 2), (error, vec!["1 2 3", "1 2 3", "1 2 3"], 1)]
    {
        let course = deliver(&acts, PATIENCE, settings).await;
        assert_eq!(course.invocations, calls);
        let [given_up] = &course.given_up[..] else { panic!("one slice is given up: {course:?}") };
        let numbers: Vec<_> = given_up.batch.records.iter().map(|record| record.sequence).collect();
        assert_eq!(numbers, (first..=RECORDS).map(Into::into).collect::<Vec<_>>());
        assert_eq!(given_up.condition, GivenUpCondition::RetryAttemptsExhausted);
        assert_eq!(given_up.invocations, 3, "MaximumRetryAttempts + 1");
    }
}

const EVENT: &str = r#"{"Records":[]}"#;

#[tokio::test]
async fn environments_are_used_again_and_replaced_when_they_ended() {
    let acts = json!([{ "error": "no" }, { "exit": 3 }]);
    let (function, _folder) = function(&acts, PATIENCE);
    let error = function.invoke(EVENT).await.unwrap_err();
    assert_eq!(error.to_string(), "the function failed: Function.Error: no");
    assert_eq!(function.invoke(EVENT).await, Err(FunctionError::Exited));
    assert_eq!(function.log(), ["the function ends"]);
    assert_eq!(function.starts().len(), 1);
    assert_eq!(function.invoke(EVENT).await.unwrap(), "null");
    assert_eq!(function.starts().len(), 2);
}

#[tokio::test]
async fn two_invocations_at_once_have_an_environment_each_and_a_killed_one_ends_its_invocation() {
    let (function, folder) = function(&json!([{ "hang": true }]), PATIENCE);
    let function = Arc::new(function);
    let hanging = tokio::spawn({
        let function = Arc::clone(&function);
        async move { function.invoke(EVENT).await }
    });
    while invocations(&folder).is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(function.invoke(EVENT).await.unwrap(), "null");
    assert_eq!(function.starts().len(), 2);
    function.kill();
    assert_eq!(hanging.await.expect("no panic"), Err(FunctionError::Exited));
}

#[tokio::test]
async fn a_function_that_reports_a_failed_start_is_not_invoked() {
    let settings = FunctionSettings {
        binary: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lambda/function.py"),
        variables: [("ACTS", "[]"), ("REFUSE_TO_START", "no table")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        timeout: PATIENCE,
    };
    let error = Function::new(settings).invoke(EVENT).await.unwrap_err();
    assert_eq!(error, FunctionError::NotStarted("no table".to_owned()));
}
