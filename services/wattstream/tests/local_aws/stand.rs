//! A stand of local AWS servers, set up and looked into by boto3, and `wattstream` with the environment that reaches it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use wattstream_aws::{Clients, DynamoDb, KinesisStream, LocalEndpoints, Polling, TableNames};
use wattstream_domain::ShardId;
use wattstream_engine::StreamRecord;
use wattstream_engine::ports::Stream;
use wattstream_test_env::local_aws::{self, ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, Server};

/// As long as SQS can.
pub(crate) const RETENTION_S: &str = "1209600";

/// The local AWS of a test: Kinesis, and everything else.
pub(crate) struct Stand {
    rest: Server,
    kinesis: Server,
}

impl Stand {
    /// `None`, loudly, when the servers are not installed.
    pub(crate) fn start() -> Option<Self> {
        Some(Self { rest: local_aws::ministack()?, kinesis: local_aws::kinesis_local()? })
    }

    /// Calls a service with boto3.
    pub(crate) fn call(&self, service: &str, operation: &str, parameters: &Value) -> Value {
        let server = if service == "kinesis" { &self.kinesis } else { &self.rest };
        let answer = local_aws::call(server.url(), service, operation, &parameters.to_string());
        serde_json::from_str(&answer).expect("boto3 answers in JSON")
    }

    /// A stream that is ready.
    pub(crate) fn create_stream(&self, name: &str, shards: u32) {
        self.call("kinesis", "create_stream", &json!({ "StreamName": name, "ShardCount": shards }));
        let waiter = json!({ "StreamName": name, "WaiterConfig": { "Delay": 1, "MaxAttempts": 60 } });
        self.call("kinesis", "wait:stream_exists", &waiter);
    }

    /// The URL of a new queue.
    pub(crate) fn create_queue(&self, name: &str, attributes: &Value) -> String {
        let queue = self.call("sqs", "create_queue", &json!({ "QueueName": name, "Attributes": attributes }));
        queue["QueueUrl"].as_str().expect("a queue has a URL").to_owned()
    }

    /// Sends a report of Lambda on a batch.
    pub(crate) fn send(&self, queue_url: &str, report: &Value) {
        self.call(
            "sqs",
            "send_message",
            &json!({ "QueueUrl": queue_url, "MessageBody": report.to_string() }),
        );
    }

    /// A file as an object of a bucket.
    pub(crate) fn put_object(&self, bucket: &str, key: &str, file: &Path) {
        let file = file.to_str().expect("test folders have plain names");
        self.call("s3", "put_object", &json!({ "Bucket": bucket, "Key": key, "Body": { "@file": file } }));
    }

    pub(crate) async fn clients(&self) -> Clients {
        let endpoints = LocalEndpoints {
            kinesis: self.kinesis.url().to_owned(),
            ..LocalEndpoints::all_at(self.rest.url())
        };
        Clients::of_local_aws(&endpoints).await
    }

    /// The tables with this prefix.
    pub(crate) async fn create_tables(&self, prefix: &str) {
        let tables = DynamoDb::new(&self.clients().await, TableNames::with_prefix(prefix));
        tables.create_tables().await.expect("tables are made");
    }

    /// Every record of a stream, by shard.
    pub(crate) async fn records(&self, stream: &str) -> Vec<(ShardId, StreamRecord)> {
        let polling = Polling { spacing: std::time::Duration::ZERO, ..Polling::default() };
        let stream = KinesisStream::new(&self.clients().await, stream, polling);
        let mut records = Vec::new();
        for shard in stream.shards().await.expect("shards are listed") {
            let mut after = None;
            loop {
                let read = stream.read(shard.id, after, 1_000).await.expect("a shard is read");
                let Some(last) = read.records.last() else { break };
                after = Some(last.sequence);
                records.extend(read.records.into_iter().map(|record| (shard.id, record)));
            }
        }
        records
    }

    /// The program under test, with these arguments and what it takes to reach this stand.
    pub(crate) fn wattstream(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wattstream"));
        command.args(arguments).env_clear().stdin(Stdio::null());
        command.envs(std::env::var("PATH").map(|path| ("PATH", path)));
        command.envs([
            ("NO_COLOR", "1"),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
            ("AWS_ENDPOINT_URL", self.rest.url()),
            ("AWS_ENDPOINT_URL_KINESIS", self.kinesis.url()),
            ("WATTSTREAM_ALLOW_ENDPOINT_OVERRIDE", "1"),
        ]);
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.wattstream(arguments).output().expect("the program starts")
    }

    /// Runs a command that must succeed; its stdout.
    pub(crate) fn run_ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "wattstream {arguments:?} failed:\n{stderr}");
        String::from_utf8(output.stdout).expect("stdout is text")
    }
}

/// The JSON on the stdout of a command.
pub(crate) fn json_of(stdout: impl AsRef<[u8]>) -> Value {
    let stdout = stdout.as_ref();
    serde_json::from_slice(stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(stdout)))
}
