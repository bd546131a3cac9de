//! The API over a local AWS: what is posted goes through a stream and a processor, and is found again.
#![cfg(feature = "lambda")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so with a panic")]

use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use wattstream_aws::{
    AwsQueries, Clients, DynamoDb, KinesisProducer, KinesisStream, LocalAws, LocalEndpoints, Polling,
    ProducerSettings, SqsDeadLetters, TableNames,
};
use wattstream_domain::SequenceNumber;
use wattstream_engine::ports::{Consumer, InstanceId, Stream};
use wattstream_engine::{Batch, Processor, ProcessorSettings, SnapshotPolicy};
use wattstream_query_api::on_aws;
use wattstream_testkit::lambda::{Function, FunctionSettings};
use wattstream_testkit::local_aws::{self, Server};

const STREAM: &str = "readings";
const TABLES: &str = "wattstream-";

/// A limit for hangs, not a measurement.
const PATIENCE: Duration = Duration::from_mins(1);

/// The local AWS has no limit of its own.
const POLLING: Polling = Polling { spacing: Duration::from_millis(2), interval: Duration::from_millis(20) };

/// Tables, a queue and a stream, the real binary of the API, and a processor as the consumer has it.
struct Deployment {
    api: Function,
    stream: KinesisStream,
    processor: Processor<DynamoDb, SqsDeadLetters, DynamoDb>,
    _servers: [Server; 2],
}

impl Deployment {
    /// `None`, loudly, without a local AWS.
    async fn create() -> Option<Self> {
        let servers = [local_aws::ministack()?, local_aws::kinesis_local()?];
        let [url, kinesis] = [servers[0].url(), servers[1].url()];
        let endpoints = LocalEndpoints { kinesis: kinesis.to_owned(), ..LocalEndpoints::all_at(url) };
        let local = LocalAws::at(&endpoints).await;
        local.create_stream(STREAM, 1).await.unwrap();
        let queue_url = local.create_queue("dead-letters").await.unwrap();
        let tables = DynamoDb::new(local.clients(), TableNames::with_prefix(TABLES));
        tables.create_tables().await.unwrap();
        let settings = ProcessorSettings {
            instance: InstanceId("consumer".to_owned()),
            snapshot_policy: SnapshotPolicy::WhenNeeded,
            is_cache_on: true,
        };
        let letters = SqsDeadLetters::new(local.clients(), &queue_url);
        Some(Self {
            api: Function::new(FunctionSettings {
                binary: env!("CARGO_BIN_EXE_query-api").into(),
                variables: variables(url, kinesis, &queue_url),
                timeout: PATIENCE,
            }),
            stream: KinesisStream::new(local.clients(), STREAM, POLLING),
            processor: Processor::new(tables.clone(), letters, tables, settings),
            _servers: servers,
        })
    }

    /// Processes what is in the stream after a record, and returns the last one.
    async fn consume(&self, after: Option<SequenceNumber>) -> Option<SequenceNumber> {
        let shard = self.stream.shards().await.unwrap()[0].id;
        let records = tokio::time::timeout(PATIENCE, async {
            loop {
                let read = self.stream.read(shard, after, 1_000).await.unwrap();
                if !read.records.is_empty() {
                    return read.records;
                }
                self.stream.wait(shard).await;
            }
        });
        let batch = Batch { shard, records: records.await.unwrap() };
        assert_eq!(self.processor.consume(&batch).await.unwrap().failures, []);
        batch.records.last().map(|record| record.sequence)
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> (u64, Value) {
        let event = event(method, path, body, &json!({"jwt": {"claims": {"sub": "reader"}}}));
        answer_of(&self.api.invoke(event.to_string()).await.unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, "").await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}

fn variables(url: &str, kinesis: &str, queue_url: &str) -> Vec<(String, String)> {
    let tables = TableNames::with_prefix(TABLES);
    let others = [
        ("WATTSTREAM_STREAM", STREAM),
        ("WATTSTREAM_DEAD_LETTERS_QUEUE_URL", queue_url),
        ("WATTSTREAM_ALLOW_ENDPOINT_OVERRIDE", "1"),
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ENDPOINT_URL_KINESIS", kinesis),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let all = tables.variables().into_iter().chain(others);
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn event(method: &str, path: &str, body: &str, authorizer: &Value) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"content-type": "application/x-ndjson"},
        "requestContext": {"http": {"method": method}, "authorizer": authorizer},
        "body": body,
        "isBase64Encoded": false,
    })
}

/// The status of a reply, and its body.
fn answer_of(reply: &[u8]) -> (u64, Value) {
    let reply: Value = serde_json::from_slice(reply).unwrap();
    let body = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
    (reply["statusCode"].as_u64().unwrap(), body)
}

fn line(site: &str, minute: u32, generated: &str) -> String {
    format!(
        r#"{{"site_id":"{site}","timestamp":"2025-06-20T00:{minute:02}:00Z","energy_generated_kwh":{generated},"energy_consumed_kwh":0.1}}"#
    )
}

#[tokio::test]
async fn what_is_posted_to_the_real_binary_is_found_by_every_question() {
    let Some(deployment) = Deployment::create().await else { return };
    let lines = [
        line("home-01", 0, "0.3"),
        line("home-01", 15, "-0.2"),
        line("home-02", 0, "1"),
        "no reading".to_owned(),
    ];
    let (status, receipt) = deployment.ask("POST", "/readings", &lines.join("\n")).await;
    assert_eq!((status, &receipt["accepted"], &receipt["rejected"]), (202, &json!(3), &json!(1)));
    let last = deployment.consume(None).await;

    let ready = deployment.get("/readyz").await;
    assert_eq!(ready["checks"].as_array().map(Vec::len), Some(2), "{ready}");
    let summary = deployment.get("/summary").await;
    assert_eq!((&summary["site_ids"], &summary["as_of"]), (&json!(["home-01", "home-02"]), &Value::Null));
    assert_eq!(summary["totals"]["net_energy_kwh"].to_string(), "0.8");
    let records = deployment.get("/records/home-01?start=2025-06-20&end=2025-06-21").await;
    assert_eq!(records["records"].as_array().map(Vec::len), Some(2), "{records}");
    let anomalies = deployment.get("/anomalies/home-01?start=2025-06-20&end=2025-06-21").await;
    assert_eq!(anomalies["records"][0]["timestamp"], "2025-06-20T00:15:00.000Z", "{anomalies}");
    let sites = deployment.get("/sites?limit=1&search=HOME").await;
    assert_eq!(sites["sites"][0]["site_id"], "home-01", "{sites}");
    let next =
        deployment.get(&format!("/sites?search=HOME&cursor={}", sites["next"].as_str().unwrap())).await;
    assert_eq!(next["sites"][0]["site_id"], "home-02", "{next}");
    let site = deployment.get("/sites/home-01").await;
    assert_eq!(site["last_reading"]["timestamp"], "2025-06-20T00:15:00.000Z", "{site}");
    let series = deployment.get("/series/home-01?resolution=hour").await;
    assert_eq!(series["points"][0]["energy_generated_kwh"].to_string(), "0.1", "{series}");
    let fleet = deployment.get("/series?resolution=day").await;
    assert_eq!(fleet["points"][0]["net_energy_kwh"].to_string(), "0.8", "{fleet}");
    assert_eq!(fleet["points"][0]["sites"], 2, "{fleet}");
    let anomalies = deployment.get("/anomalies?rule=negative_energy").await;
    assert_eq!(anomalies["anomalies"][0]["timestamp"], "2025-06-20T00:15:00.000Z", "{anomalies}");
    let episodes = deployment.get("/episodes?state=open").await;
    assert_eq!(episodes["episodes"][0]["site_id"], "home-01", "{episodes}");
    let alerts = deployment.get("/alerts").await;
    assert_eq!(alerts["alerts"][0]["site_id"], "home-01", "{alerts}");
    let letters = deployment.get("/dead-letters").await;
    assert_eq!(letters["dead_letters"].as_array().map(Vec::len), Some(1), "{letters}");

    // A letter that is sent again goes through the stream, and comes back with another place.
    let id = letters["dead_letters"][0]["id"].as_str().unwrap();
    let (status, swept) = deployment.ask("POST", &format!("/dead-letters/{id}/redrive"), "").await;
    assert_eq!((status, &swept["dead_letters"]), (200, &json!(1)));
    assert_eq!(deployment.get("/dead-letters").await["dead_letters"], json!([]));
    deployment.consume(last).await;
    let letters = deployment.get("/dead-letters").await;
    assert_ne!(letters["dead_letters"][0]["id"], json!(id));
    assert_eq!(letters["dead_letters"][0]["reason"], "not_json", "{letters}");

    let nobodys = event("GET", "/summary", "", &Value::Null).to_string();
    assert_eq!(answer_of(&deployment.api.invoke(nobodys).await.unwrap()).0, 401);
    let log = deployment.api.log().join("\n");
    assert!(log.contains("wattstream_http_requests_total"), "metrics are in the log: {log}");
    assert_eq!(deployment.api.starts().len(), 1, "one environment has answered all of it");
}

#[tokio::test]
async fn an_api_without_its_tables_and_stream_is_not_ready_and_says_what_is_missing() {
    let Some(aws) = local_aws::ministack() else { return };
    let clients = Clients::of_local_aws(&LocalEndpoints::all_at(aws.url())).await;
    let tables = DynamoDb::new(&clients, TableNames::with_prefix("none-"));
    let queries = AwsQueries::new(tables, SqsDeadLetters::new(&clients, aws.url()));
    let gateway = on_aws(queries, KinesisProducer::new(&clients, "none", ProducerSettings::default()));
    let event = event("GET", "/readyz", "", &json!({"iam": {"userArn": "arn:aws:iam::1:user/me"}}));
    let reply = gateway.answer(RawValue::from_string(event.to_string()).unwrap()).await.unwrap();
    let (status, problem) = answer_of(&serde_json::to_vec(&reply).unwrap());
    assert_eq!((status, &problem["type"]), (503, &json!("urn:wattstream:problem:not-ready")));
    let checks = problem["checks"].as_array().unwrap();
    let failing: Vec<_> =
        checks.iter().filter(|check| check["ok"] == false).map(|check| &check["name"]).collect();
    assert_eq!(failing, ["tables", "stream"]);
    assert!(!problem.to_string().contains("ResourceNotFound"), "{problem}");
}
