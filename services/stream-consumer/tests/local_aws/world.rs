//! The whole of it on a local AWS: stream, event source, the real binary, tables, topic and queue.
//!
//! ```text
//!   producer ─► kinesis-local ─► event source ─► stream-consumer, a process ─► ministack: DynamoDB, SNS, SQS
//!          └──────────┴────────────────── FaultyAws ──────────────────────────────┘
//! ```

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wattstream::Pipeline;
use wattstream_aws::{
    AwsQueries, Clients, DynamoDb, KinesisProducer, KinesisStream, LocalAws, LocalEndpoints, Polling,
    ProducerSettings, SqsDeadLetters, TableNames,
};
use wattstream_domain::{SequenceNumber, ShardId, Timestamp};
use wattstream_engine::ports::{Checkpoint, Checkpoints, NewRecord, Producer, Queries, Stream};
use wattstream_engine::{
    DeadLetter, Drained, EventSource, EventSourcePorts, StateHash, StreamRecord, state_hash,
};
use wattstream_testkit::MemoryStore;
use wattstream_testkit::faulty_aws::{FaultyAws, Service, Upstreams};
use wattstream_testkit::lambda::{Function, FunctionSettings, LambdaConsumer};
use wattstream_testkit::local_aws::{self, Server};

use crate::event_source;

/// A limit for hangs, not a measurement.
pub(crate) const PATIENCE: Duration = Duration::from_mins(4);

/// The local Kinesis has no limit of its own; at AWS's pace these tests would take minutes.
const POLLING: Polling = Polling { spacing: Duration::from_millis(2), interval: Duration::from_millis(20) };

const STREAM: &str = "readings";
const TABLES: &str = "wattstream-";

/// The most dead letters that a test makes.
const LETTERS_MAX: usize = 10_000;

/// Everything that a test has.
pub(crate) struct World {
    /// Between everything and the local AWS.
    pub(crate) aws: FaultyAws,
    /// The local AWS itself, past all faults.
    pub(crate) local: LocalAws,
    /// The real binary.
    pub(crate) function: Arc<Function>,
    /// The queue of dead letters.
    pub(crate) letters_url: String,
    /// The queue that subscribes to the topic of alerts.
    pub(crate) subscriber_url: String,
    /// The tables and the dead letters, past all faults.
    pub(crate) queries: AwsQueries,
    clients: Clients,
    checkpoints: MemoryStore,
    source: Option<(oneshot::Sender<()>, JoinHandle<Drained>)>,
    servers: [Server; 2],
}

impl World {
    /// A stream of so many shards, empty tables, and a function that has this long for a batch. `None`, loudly, without a
    /// local AWS.
    pub(crate) async fn start(shards: u16, timeout: Duration) -> Option<Self> {
        let servers = [local_aws::ministack()?, local_aws::kinesis_local()?];
        let [ministack, kinesis] = [servers[0].url(), servers[1].url()];
        let upstreams = Upstreams::all_at(ministack).with(Service::Kinesis, kinesis);
        let aws = FaultyAws::start(upstreams).expect("a port is free");
        let clients = Clients::of_local_aws(&LocalEndpoints::all_at(aws.url())).await;
        let direct = LocalEndpoints { kinesis: kinesis.to_owned(), ..LocalEndpoints::all_at(ministack) };
        let local = LocalAws::at(&direct).await;
        local.create_stream(STREAM, shards).await.expect("a stream is made");
        let tables = DynamoDb::new(local.clients(), TableNames::with_prefix(TABLES));
        tables.create_tables().await.expect("tables are made");
        let topic_arn = local.create_topic("alerts").await.expect("a topic is made");
        let subscriber_url = local.create_queue("subscriber").await.expect("a queue is made");
        local.subscribe(&topic_arn, &subscriber_url, None).await.expect("the queue subscribes");
        let letters_url = local.create_queue("dead-letters").await.expect("a queue is made");
        let function = Function::new(FunctionSettings {
            binary: env!("CARGO_BIN_EXE_stream-consumer").into(),
            variables: variables(&aws, &topic_arn, &letters_url),
            timeout,
        });
        Some(Self {
            aws,
            function: Arc::new(function),
            subscriber_url,
            queries: AwsQueries::new(tables, SqsDeadLetters::new(local.clients(), &letters_url)),
            letters_url,
            local,
            clients,
            checkpoints: MemoryStore::default(),
            source: None,
            servers,
        })
    }

    /// Where DynamoDB, SNS and SQS answer, past all faults.
    pub(crate) fn endpoint(&self) -> &str {
        self.servers[0].url()
    }

    /// Appends records to the stream.
    pub(crate) async fn append(&self, records: &[NewRecord]) {
        let producer = KinesisProducer::new(&self.clients, STREAM, ProducerSettings::default());
        while let Err(error) = producer.append(records.to_vec()).await {
            // A producer sends again what it does not know to be there; the engine knows a duplicate.
            assert_eq!(error.kind(), wattstream_engine::Kind::Retry, "{error}");
        }
    }

    /// Splits a shard, and merges two others.
    pub(crate) async fn reshard(&self) {
        self.local.split_shard(STREAM, ShardId(0)).await.expect("a shard splits");
        self.local.merge_shards(STREAM, ShardId(2), ShardId(3)).await.expect("shards merge");
    }

    /// Starts to deliver the stream to the function.
    pub(crate) fn deliver(&mut self) {
        let ports = EventSourcePorts {
            stream: self.stream(),
            checkpoints: self.checkpoints.clone(),
            consumer: LambdaConsumer(Arc::clone(&self.function)),
            on_failure: self.checkpoints.clone(),
            clock: Arc::new(now),
        };
        let source = EventSource::new(ports, event_source::settings()).expect("good settings");
        let (stop, stopped) = oneshot::channel();
        self.source = Some((stop, tokio::spawn(source.run(async { drop(stopped.await) }))));
    }

    /// Waits until everything that was appended is acknowledged.
    pub(crate) async fn until_consumed(&self) {
        let last = self.last_records().await;
        let consumed = async {
            for (shard, last) in last {
                while !self.is_consumed(shard, last).await {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        };
        let log = || self.function.log().iter().rev().take(60).cloned().collect::<Vec<_>>().join("\n");
        tokio::time::timeout(PATIENCE, consumed).await.unwrap_or_else(|_| panic!("not consumed:\n{}", log()));
    }

    /// Ends the delivery.
    pub(crate) async fn stop(&mut self) {
        let (stop, source) = self.source.take().expect("the delivery was started");
        drop(stop);
        assert_eq!(source.await.expect("no panic"), Drained::Completely);
        assert_eq!(self.checkpoints.contents().given_up, [], "nothing is given up");
    }

    /// The hash of the tables.
    pub(crate) async fn state_hash(&self) -> StateHash {
        state_hash(&self.queries).await.expect("the tables are read")
    }

    /// What was set aside: why, and its payload. In no order, because the stream has none among its shards.
    pub(crate) async fn dead_letters(&self) -> Vec<(&'static str, Vec<u8>)> {
        sorted(&self.queries.dead_letter_page(None, LETTERS_MAX).await.expect("dead letters are read"))
    }

    /// Every record of the stream, those of a shard in order, parents before their children.
    pub(crate) async fn records(&self) -> Vec<StreamRecord> {
        let (stream, mut all) = (self.direct_stream(), Vec::new());
        let mut shards = stream.shards().await.expect("shards are listed");
        shards.sort_by_key(|shard| shard.id);
        for shard in shards {
            all.extend(read_all(&stream, shard.id).await);
        }
        all
    }

    async fn last_records(&self) -> Vec<(ShardId, SequenceNumber)> {
        let stream = self.direct_stream();
        let mut last = Vec::new();
        for shard in stream.shards().await.expect("shards are listed") {
            last.extend(read_all(&stream, shard.id).await.last().map(|record| (shard.id, record.sequence)));
        }
        last
    }

    async fn is_consumed(&self, shard: ShardId, last: SequenceNumber) -> bool {
        match self.checkpoints.checkpoint(shard).await.expect("a checkpoint") {
            None => false,
            Some(Checkpoint::At(sequence)) => sequence >= last,
            Some(Checkpoint::End) => true,
        }
    }

    fn stream(&self) -> KinesisStream {
        KinesisStream::new(&self.clients, STREAM, POLLING)
    }

    fn direct_stream(&self) -> KinesisStream {
        KinesisStream::new(self.local.clients(), STREAM, POLLING)
    }
}

fn variables(aws: &FaultyAws, topic_arn: &str, letters_url: &str) -> Vec<(String, String)> {
    let tables = TableNames::with_prefix(TABLES);
    let others =
        [("WATTSTREAM_ALERTS_TOPIC_ARN", topic_arn), ("WATTSTREAM_DEAD_LETTERS_QUEUE_URL", letters_url)];
    let ours = tables.variables().into_iter().chain(others).map(|(name, value)| (name, value.to_owned()));
    ours.chain(aws.environment()).map(|(name, value)| (name.to_owned(), value)).collect()
}

async fn read_all(stream: &KinesisStream, shard: ShardId) -> Vec<StreamRecord> {
    let mut records: Vec<StreamRecord> = Vec::new();
    loop {
        let after = records.last().map(|record| record.sequence);
        let read = stream.read(shard, after, 1_000).await.expect("a shard is read");
        if read.records.is_empty() {
            return records;
        }
        records.extend(read.records);
    }
}

fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::MIN.saturating_add_ms(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

fn sorted(letters: &[DeadLetter]) -> Vec<(&'static str, Vec<u8>)> {
    let mut letters: Vec<_> =
        letters.iter().map(|letter| (letter.cause.code(), letter.payload.to_vec())).collect();
    letters.sort_unstable();
    letters
}

/// What one machine makes of records.
pub(crate) struct OneMachine {
    /// The hash of its tables.
    pub(crate) state_hash: StateHash,
    /// As [`World::dead_letters`].
    pub(crate) dead_letters: Vec<(&'static str, Vec<u8>)>,
    /// The ids of its alerts, in order.
    pub(crate) alert_ids: Vec<String>,
}

impl OneMachine {
    /// Runs them through the pipeline of the `wattstream` process, on a folder of its own.
    pub(crate) fn consume(records: Vec<NewRecord>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let pipeline = Pipeline::open(&folder.path().join("data"), Some(2)).expect("a pipeline");
        pipeline.append(records).expect("records are appended");
        pipeline.drain_tables().expect("the tables are written");
        let store = pipeline.store();
        let state_hash = pipeline.block_on(state_hash(store)).expect("the tables are read");
        let letters = pipeline.block_on(store.dead_letter_page(None, LETTERS_MAX)).expect("dead letters");
        let alerts = pipeline.block_on(store.newest_alerts(LETTERS_MAX)).expect("alerts");
        let mut alert_ids: Vec<_> = alerts.iter().map(|alert| alert.id().to_string()).collect();
        alert_ids.sort_unstable();
        pipeline.stop().expect("it stops");
        Self { state_hash, dead_letters: sorted(&letters), alert_ids }
    }

    /// As [`OneMachine::consume`], beside the test's own runtime.
    pub(crate) async fn consume_beside(records: Vec<NewRecord>) -> Self {
        tokio::task::spawn_blocking(|| Self::consume(records)).await.expect("no panic")
    }
}
