//! What the SDK makes of the faults of [`FaultyAws`]: the same as of AWS's own. So a test that runs through the proxy
//! tests what would happen on AWS.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, PutRequest, WriteRequest};
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use aws_sdk_sns::types::{BatchResultErrorEntry, PublishBatchRequestEntry};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue};
use tokio::net::TcpListener;
use wattstream_testkit::faulty_aws::{Fault, FaultyAws, Mark, Operation, Upstreams};

/// How often a client tries. Its waits between two tries are a millisecond.
const ATTEMPTS: u32 = 3;

/// How long a client waits for an answer that will come. It is a limit for hangs, not a measurement.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it waits for one that will not.
const IMPATIENCE: Duration = Duration::from_millis(200);

/// A proxy before a service that takes whatever it gets, and clients that ask it.
struct Bench {
    aws: FaultyAws,
    config: SdkConfig,
}

impl Bench {
    async fn start() -> Self {
        Self::start_with(PATIENCE).await
    }

    async fn start_with(attempt_timeout: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let router = Router::new().fallback(take);
        tokio::spawn(async { axum::serve(listener, router).await });
        let aws = FaultyAws::start(Upstreams::all_at(&url)).expect("a port is free");
        let config = config(&aws, attempt_timeout);
        Self { aws, config }
    }

    /// The statuses that clients were answered, and none where there was no answer.
    fn statuses(&self) -> Vec<Option<u16>> {
        self.aws.requests_since(Mark::START).0.iter().map(|request| request.status).collect()
    }

    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// Puts an item, and says how that went: the code of an error, or the kind of one that has none.
    async fn put_item(&self) -> Result<(), String> {
        let item = AttributeValue::S("a".to_owned());
        let put = self.dynamodb().put_item().table_name("t").item("k", item).send().await;
        put.map(drop).map_err(|error| match &error {
            SdkError::ServiceError(refused) => refused.err().code().unwrap_or("no code").to_owned(),
            SdkError::TimeoutError(_) => "timeout".to_owned(),
            SdkError::DispatchFailure(_) => "dispatch".to_owned(),
            SdkError::ResponseError(_) => "response".to_owned(),
            other => format!("{other:?}"),
        })
    }
}

async fn take(headers: HeaderMap, _body: Bytes) -> &'static str {
    match headers.get("x-amz-target").map(HeaderValue::as_bytes) {
        Some(b"Kinesis_20131202.PutRecords") => {
            r#"{"FailedRecordCount":0,"Records":[{"SequenceNumber":"1","ShardId":"shardId-000000000000"}]}"#
        }
        Some(_) => "{}",
        None => {
            "<PublishBatchResponse><PublishBatchResult><Successful><member><Id>b</Id></member></Successful>\
             </PublishBatchResult></PublishBatchResponse>"
        }
    }
}

fn config(aws: &FaultyAws, attempt_timeout: Duration) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(attempt_timeout).build();
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(1))
        .with_max_backoff(Duration::from_millis(1));
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .endpoint_url(aws.url())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .timeout_config(timeouts)
        .retry_config(retries)
        .build()
}

fn put(key: &str) -> WriteRequest {
    let item = PutRequest::builder().item("k", AttributeValue::S(key.to_owned())).build().expect("an item");
    WriteRequest::builder().put_request(item).build()
}

#[tokio::test]
async fn what_is_refused_for_a_moment_is_tried_again() {
    let faults = [
        (Fault::Throttled, Some(400)),
        (Fault::Unavailable, Some(503)),
        (Fault::ErrorBefore, Some(500)),
        (Fault::ErrorAfter, Some(500)),
        (Fault::ResetBefore, None),
        (Fault::ResetAfter, None),
        (Fault::CutBody, None),
    ];
    for (fault, status) in faults {
        let bench = Bench::start().await;
        bench.aws.follow_script([(Operation::PUT_ITEM, 0, fault)]);
        assert_eq!(bench.put_item().await, Ok(()), "{fault:?}");
        assert_eq!(bench.statuses(), [status, Some(200)], "{fault:?}");
    }
}

#[tokio::test]
async fn what_stays_refused_is_an_error_after_all_attempts() {
    let faults = [
        (Fault::Throttled, "ProvisionedThroughputExceededException"),
        (Fault::Unavailable, "ServiceUnavailable"),
        (Fault::ErrorBefore, "InternalServerError"),
        (Fault::ResetAfter, "dispatch"),
    ];
    for (fault, error) in faults {
        let bench = Bench::start().await;
        bench.aws.take_down(Operation::PUT_ITEM, fault);
        assert_eq!(bench.put_item().await, Err(error.to_owned()));
        assert_eq!(bench.statuses().len(), ATTEMPTS as usize, "{fault:?}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_or_does_not_end_is_a_timeout() {
    for fault in [Fault::SilenceAfter, Fault::SlowBody { over: PATIENCE * 60 }] {
        let bench = Bench::start_with(IMPATIENCE).await;
        bench.aws.take_down(Operation::PUT_ITEM, fault);
        assert_eq!(bench.put_item().await, Err("timeout".to_owned()));
        assert_eq!(bench.statuses().len(), ATTEMPTS as usize, "{fault:?}");
    }
}

#[tokio::test]
async fn a_slow_answer_is_an_answer() {
    let bench = Bench::start().await;
    bench.aws.take_down(Operation::PUT_ITEM, Fault::SlowBody { over: Duration::from_millis(5) });
    assert_eq!(bench.put_item().await, Ok(()));
    assert_eq!(bench.statuses(), [Some(200)]);
}

#[tokio::test]
async fn writes_and_keys_of_dynamodb_come_back_in_a_success() {
    let bench = Bench::start().await;
    let partial = Fault::Partial { taken: 0b101 };
    bench.aws.take_down(Operation::BATCH_WRITE_ITEM, partial);
    bench.aws.take_down(Operation::BATCH_GET_ITEM, partial);
    let writes = vec![put("a"), put("b"), put("c")];
    let written = bench.dynamodb().batch_write_item().request_items("t", writes).send().await.unwrap();
    assert_eq!(written.unprocessed_items().unwrap()["t"], [put("b")]);
    let key = |key: &str| [("k".to_owned(), AttributeValue::S(key.to_owned()))].into();
    let keys = |names: &[&str]| {
        let keys = names.iter().map(|name| key(name)).collect();
        KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build().unwrap()
    };
    let got = bench.dynamodb().batch_get_item().request_items("t", keys(&["a", "b"])).send().await.unwrap();
    assert_eq!(got.unprocessed_keys().unwrap()["t"], keys(&["b"]));
    assert_eq!(bench.statuses(), [Some(200), Some(200)], "the SDK does not try again by itself");
}

#[tokio::test]
async fn a_batch_of_dynamodb_of_which_nothing_is_taken_is_throttled() {
    let bench = Bench::start().await;
    bench.aws.take_down(Operation::BATCH_WRITE_ITEM, Fault::Partial { taken: 0 });
    let written = bench.dynamodb().batch_write_item().request_items("t", vec![put("a")]).send().await;
    assert!(written.unwrap_err().into_service_error().is_provisioned_throughput_exceeded_exception());
}

#[tokio::test]
async fn records_of_kinesis_fail_in_their_places_in_a_success() {
    let bench = Bench::start().await;
    let client = aws_sdk_kinesis::Client::new(&bench.config);
    let record =
        |key| PutRecordsRequestEntry::builder().data(Blob::new("x")).partition_key(key).build().unwrap();
    for (taken, failed) in [(0b10, 1), (0, 2)] {
        bench.aws.take_down(Operation::PUT_RECORDS, Fault::Partial { taken });
        let put = client.put_records().stream_name("s").records(record("a")).records(record("b"));
        let answer = put.send().await.unwrap();
        assert_eq!(answer.failed_record_count(), Some(failed));
        assert_eq!(answer.records()[0].error_code(), Some("ProvisionedThroughputExceededException"));
        assert_eq!(answer.records()[1].error_code(), (failed == 2).then_some("InternalFailure"));
        assert_eq!(answer.records()[1].sequence_number().is_some(), failed == 1);
    }
}

#[tokio::test]
async fn messages_of_sqs_fail_by_their_ids_in_a_success() {
    let bench = Bench::start().await;
    bench.aws.take_down(Operation::SEND_MESSAGE_BATCH, Fault::Partial { taken: 0b100 });
    let client = aws_sdk_sqs::Client::new(&bench.config);
    let entry = |id| SendMessageBatchRequestEntry::builder().id(id).message_body("m").build().unwrap();
    let send =
        client.send_message_batch().queue_url("http://queue/q").entries(entry("a")).entries(entry("b"));
    let answer = send.entries(entry("c")).send().await.unwrap();
    let failed: Vec<_> =
        answer.failed().iter().map(|entry| (entry.id(), entry.code(), entry.sender_fault())).collect();
    assert_eq!(failed, [("a", "RequestThrottled", true), ("b", "InternalError", false)]);
}

#[tokio::test]
async fn messages_of_sns_fail_by_their_ids_in_a_success() {
    let bench = Bench::start().await;
    let client = aws_sdk_sns::Client::new(&bench.config);
    let entry = |id| PublishBatchRequestEntry::builder().id(id).message("m").build().unwrap();
    for (taken, successful, failed) in [(0b10, vec!["b"], vec!["a"]), (0, vec![], vec!["a", "b"])] {
        bench.aws.take_down(Operation::PUBLISH_BATCH, Fault::Partial { taken });
        let publish = client.publish_batch().topic_arn("arn:aws:sns:us-east-1:000000000000:t");
        let publish =
            publish.publish_batch_request_entries(entry("a")).publish_batch_request_entries(entry("b"));
        let answer = publish.send().await.unwrap();
        let taken: Vec<_> = answer.successful().iter().filter_map(|entry| entry.id()).collect();
        assert_eq!(taken, successful);
        let given_back: Vec<_> = answer.failed().iter().map(BatchResultErrorEntry::id).collect();
        assert_eq!(given_back, failed);
        assert_eq!((answer.failed()[0].code(), answer.failed()[0].sender_fault()), ("Throttled", true));
    }
}

#[tokio::test]
async fn every_service_is_throttled_under_a_code_that_the_sdk_tries_again() {
    let bench = Bench::start().await;
    for operation in [Operation::PUT_RECORDS, Operation::SEND_MESSAGE_BATCH, Operation::PUBLISH_BATCH] {
        bench.aws.take_down(operation, Fault::Throttled);
    }
    let record = PutRecordsRequestEntry::builder().data(Blob::new("x")).partition_key("a").build().unwrap();
    let put = aws_sdk_kinesis::Client::new(&bench.config).put_records().stream_name("s").records(record);
    assert!(
        put.send().await.unwrap_err().into_service_error().is_provisioned_throughput_exceeded_exception()
    );
    let entry = SendMessageBatchRequestEntry::builder().id("a").message_body("m").build().unwrap();
    let send = aws_sdk_sqs::Client::new(&bench.config).send_message_batch().queue_url("http://queue/q");
    assert!(send.entries(entry).send().await.unwrap_err().into_service_error().is_request_throttled());
    let entry = PublishBatchRequestEntry::builder().id("a").message("m").build().unwrap();
    let publish = aws_sdk_sns::Client::new(&bench.config).publish_batch().topic_arn("arn:aws:sns:r:0:t");
    let error = publish.publish_batch_request_entries(entry).send().await.unwrap_err().into_service_error();
    assert_eq!(error.code(), Some("Throttling"));
    let counts: Vec<usize> = bench.aws.requests_since(Mark::START).counts().into_values().collect();
    assert_eq!(counts, [ATTEMPTS as usize; 3]);
}
