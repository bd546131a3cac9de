//! The real binary on a local AWS: it waits for the consumer, tells of a silence once, and of its end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use wattstream_aws::{
    DynamoDb, KinesisProducer, KinesisStream, LocalAws, LocalEndpoints, Polling, ProducerSettings, TableNames,
};
use wattstream_domain::SiteState;
use wattstream_engine::ports::{
    Commit, InstanceId, NewRecord, Producer, ShardMark, Silences, Stream, Tables,
};
use wattstream_testkit::lambda::{Function, FunctionSettings};
use wattstream_testkit::local_aws::{self, Server};
use wattstream_testkit::{Site, at, payload, reading};

const STREAM: &str = "readings";
const TABLES: &str = "wattstream-";

/// A limit for hangs, not a measurement.
const PATIENCE: Duration = Duration::from_mins(1);

/// A stream, empty tables, and the function.
struct Deployment {
    local: LocalAws,
    tables: DynamoDb,
    subscriber_url: String,
    function: Function,
    _servers: [Server; 2],
}

impl Deployment {
    /// `None`, loudly, without a local AWS.
    async fn create() -> Option<Self> {
        let servers = [local_aws::ministack()?, local_aws::kinesis_local()?];
        let [url, kinesis] = [servers[0].url(), servers[1].url()];
        let endpoints = LocalEndpoints { kinesis: kinesis.to_owned(), ..LocalEndpoints::all_at(url) };
        let local = LocalAws::at(&endpoints).await;
        local.create_stream(STREAM, 2).await.expect("a stream is made");
        let tables = DynamoDb::new(local.clients(), TableNames::with_prefix(TABLES));
        tables.create_tables().await.expect("tables are made");
        let topic_arn = local.create_topic("alerts").await.expect("a topic is made");
        let subscriber_url = local.create_queue("subscriber").await.expect("a queue is made");
        local.subscribe(&topic_arn, &subscriber_url, None).await.expect("the queue subscribes");
        let function = Function::new(FunctionSettings {
            binary: env!("CARGO_BIN_EXE_silent-sites").into(),
            variables: variables(url, kinesis, &topic_arn),
            timeout: PATIENCE,
        });
        Some(Self { local, tables, subscriber_url, function, _servers: servers })
    }

    /// The check that was scheduled for a minute.
    async fn check_at(&self, minute: i64) -> Value {
        let event = json!({"scheduled_time": at(minute).to_string()});
        let reply = self.function.invoke(event.to_string()).await.expect("a reply");
        serde_json::from_slice(&reply).expect("a reply is JSON")
    }

    async fn keep(&self, state: &SiteState, expected_version: u64) {
        let failures = self.tables.commit(&[Commit { state, expected_version }]).await;
        assert!(failures.is_empty(), "{failures:?}");
    }

    /// Appends a record, and returns the mark of a consumer that has processed it.
    async fn append(&self, site: &str, minute: i64) -> ShardMark {
        let producer = KinesisProducer::new(self.local.clients(), STREAM, ProducerSettings::default());
        let data = payload(&reading(site, minute, 5, 1));
        let record = NewRecord { partition_key: site.to_owned(), data };
        producer.append(vec![record]).await.expect("a record is appended");
        let stream = KinesisStream::new(self.local.clients(), STREAM, Polling::default());
        for shard in stream.shards().await.expect("shards are listed") {
            let read = stream.read(shard.id, None, 1).await.expect("a shard is read");
            if let Some(record) = read.records.first() {
                let instance = InstanceId("consumer".to_owned());
                return ShardMark { shard: shard.id, sequence: record.sequence, instance };
            }
        }
        panic!("the record is in no shard");
    }
}

fn variables(url: &str, kinesis: &str, topic_arn: &str) -> Vec<(String, String)> {
    let tables = TableNames::with_prefix(TABLES);
    let others = [
        ("WATTSTREAM_STREAM", STREAM),
        ("WATTSTREAM_ALERTS_TOPIC_ARN", topic_arn),
        ("WATTSTREAM_DEAD_LETTERS_QUEUE_URL", url),
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

/// The minute that it is: the stream says by its own clock when a record has come.
fn this_minute() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    let now_ms = i64::try_from(elapsed.as_millis()).expect("a clock before 2262");
    (now_ms - at(0).unix_ms()) / 60_000
}

#[tokio::test]
async fn a_silence_is_told_when_the_consumer_has_caught_up_and_its_end_when_the_site_speaks() {
    let Some(deployment) = Deployment::create().await else { return };
    let now = this_minute();
    let site = (0..10).fold(Site::new("home-01"), |site, step| site.sends(now - 135 + 15 * step, 5, 1));
    deployment.keep(&site.state, 0).await;
    let mark = deployment.append("home-02", now).await;

    // Ten hours later nobody has read the record that has come now.
    let later = now + 600;
    let behind = deployment.check_at(later).await;
    assert_eq!((&behind["open"], &behind["opened"]), (&json!(0), &json!(0)), "{behind}");
    assert!(behind["lag_ms"].as_i64().is_some_and(|lag_ms| lag_ms > 9 * 3_600_000), "{behind}");

    deployment.tables.put_shard_mark(&mark).await.expect("a mark is left");
    let expected = json!({"open": 1, "opened": 1, "closed": 0, "waiting": 0, "lag_ms": 0});
    assert_eq!(deployment.check_at(later).await, expected);
    assert_eq!(deployment.check_at(later).await["opened"], 0);
    let open = deployment.tables.open_silences().await.expect("silences are read");
    assert_eq!(
        open.iter().map(|open| (open.site_id, open.is_announced)).collect::<Vec<_>>(),
        [(site.id, true)]
    );

    deployment.keep(&site.sends(later, 5, 1).state, 1).await;
    let expected = json!({"open": 0, "opened": 0, "closed": 1, "waiting": 0, "lag_ms": 0});
    assert_eq!(deployment.check_at(later + 5).await, expected);
    assert_eq!(deployment.tables.open_silences().await.expect("silences are read"), []);
    let alerts = deployment.tables.newest_alerts(10).await.expect("alerts are read");
    let phases: Vec<&str> = alerts.iter().map(|alert| alert.phase.name()).collect();
    assert_eq!(phases, ["closed", "opened"]);
    let telling = async {
        let mut told = 0;
        while told < 2 {
            let messages = deployment.local.take_messages(&deployment.subscriber_url).await;
            told += messages.expect("messages are taken").len();
        }
    };
    tokio::time::timeout(PATIENCE, telling).await.expect("begin and end are told");
    assert_eq!(deployment.function.starts().len(), 1, "one environment has made all checks");
}
