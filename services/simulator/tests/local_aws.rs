//! The real binary on a schedule, with a local Kinesis behind it.
#![cfg(feature = "lambda")]

use std::collections::BTreeMap;
use std::time::Duration;

use wattstream_aws::{KinesisStream, LocalAws, LocalEndpoints, Polling};
use wattstream_engine::ports::Stream;
use wattstream_testkit::lambda::{Function, FunctionError, FunctionSettings};
use wattstream_testkit::local_aws::{self, Server};
use wattstream_wire::{deaggregate, decode_reading};

/// A limit for hangs, not a measurement.
const PATIENCE: Duration = Duration::from_mins(1);

/// The local AWS has no limit of its own.
const POLLING: Polling = Polling { spacing: Duration::from_millis(2), interval: Duration::from_millis(20) };

const STREAM: &str = "readings";

fn function(server: &Server) -> Function {
    let variables = [
        ("WATTSTREAM_STREAM", STREAM),
        ("WATTSTREAM_FLEET_SITES", "40"),
        ("WATTSTREAM_ALLOW_ENDPOINT_OVERRIDE", "1"),
        ("AWS_ENDPOINT_URL", server.url()),
        ("AWS_REGION", local_aws::REGION),
        ("AWS_ACCESS_KEY_ID", local_aws::ACCESS_KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", local_aws::SECRET_ACCESS_KEY),
    ];
    Function::new(FunctionSettings {
        binary: env!("CARGO_BIN_EXE_simulator").into(),
        variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        timeout: PATIENCE,
    })
}

/// How often each payload is in the stream.
async fn payloads(stream: &KinesisStream) -> BTreeMap<String, usize> {
    let mut payloads = BTreeMap::new();
    for shard in stream.shards().await.expect("shards") {
        for record in stream.read(shard.id, None, 10_000).await.expect("records").records {
            for payload in deaggregate(&record.data).expect("a sound aggregate").as_slice() {
                let text = String::from_utf8(payload.to_vec()).expect("a payload is text");
                *payloads.entry(text).or_default() += 1;
            }
        }
    }
    payloads
}

#[tokio::test]
async fn an_invocation_that_is_made_again_by_another_process_sends_the_same_readings() {
    let Some(server) = local_aws::kinesis_local() else { return };
    let aws = LocalAws::at(&LocalEndpoints::all_at(server.url())).await;
    aws.create_stream(STREAM, 2).await.expect("a stream is made");
    let stream = KinesisStream::new(aws.clients(), STREAM, POLLING);
    let function = function(&server);
    let event = r#"{"scheduled_time":"2026-06-20T10:05:03Z"}"#;
    let first = function.invoke(event).await.expect("a response");
    let sent = payloads(&stream).await;
    assert_eq!(first, format!(r#"{{"readings":{}}}"#, sent.len()));
    assert!(sent.len() >= 30, "{} readings of 40 sites", sent.len());
    assert!(sent.keys().filter(|payload| decode_reading(payload.as_bytes()).is_ok()).count() >= 30);

    function.kill();
    assert_eq!(function.invoke(event).await.expect("a response"), first);
    let twice = payloads(&stream).await;
    assert!(twice.values().all(|&times| times == 2) && twice.keys().eq(sent.keys()));
    assert_eq!(function.starts().len(), 2);
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_an_error_of_the_invocation_that_names_it() {
    let Some(server) = local_aws::kinesis_local() else { return };
    let function = function(&server);
    let event = r#"{"scheduled_time":"2026-06-20T10:05:03Z"}"#;
    let error = function.invoke(event).await.expect_err("there is no stream");
    let FunctionError::Unhandled { error_type, message } = error else { panic!("{error}") };
    assert_eq!(error_type, "TickError");
    assert!(message.contains(STREAM), "{message}");
}
