//! The shell of the Lambda functions, around a function of a few lines and with a Runtime API before it.
#![cfg(feature = "lambda")]

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use wattstream_testkit::lambda::{Function, FunctionError, FunctionSettings};

/// A limit for hangs, not a measurement.
const PATIENCE: Duration = Duration::from_mins(1);

/// The example beside this crate, which cargo builds with its tests.
fn example() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("target/PROFILE/deps/TEST");
    profile.join("examples/function")
}

fn function() -> Function {
    let variables = [("AWS_REGION", "us-east-1"), ("AWS_EC2_METADATA_DISABLED", "true")];
    Function::new(FunctionSettings {
        binary: example(),
        variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        timeout: PATIENCE,
    })
}

#[tokio::test]
async fn a_panic_fails_its_own_invocation_and_no_other() {
    let function = function();
    assert_eq!(function.invoke(r#"{"a":1}"#).await.expect("an answer"), r#"{"a":1}"#);
    let error = function.invoke(r#"{"do":"panic"}"#).await.expect_err("it panics");
    let FunctionError::Unhandled { message, .. } = error else { panic!("{error}") };
    assert!(message.contains("it was told to panic"), "{message}");
    assert_eq!(function.invoke(r#"{"a":2}"#).await.expect("an answer"), r#"{"a":2}"#);
    assert_eq!(function.starts().len(), 1, "the process lives on");
}

#[tokio::test]
async fn every_line_is_json_and_metrics_are_emf_with_the_id_of_the_request() {
    let function = function();
    function.invoke("{}").await.expect("an answer");
    let lines: Vec<Value> = function
        .last_words()
        .await
        .iter()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    let (metrics, logged): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.get("_aws").is_some());
    assert!(!metrics.is_empty() && !logged.is_empty(), "{lines:?}");
    for line in metrics {
        assert_eq!(line["function"], "wattstream", "the name that Lambda gives it");
        assert_eq!(line["request_id"], "00000000-0000-4000-8000-000000000001");
        assert!(line["_aws"]["CloudWatchMetrics"].is_array(), "{line}");
    }
    assert!(logged.iter().all(|line| line["level"].is_string() && line["timestamp"].is_string()));
}
