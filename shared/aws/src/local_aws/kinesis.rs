//! The stream against kinesis-local: its contract, and shards that split and merge under way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use wattstream_domain::{SequenceNumber, ShardId, Timestamp};
use wattstream_engine::ports::{
    Checkpoint, Checkpoints, Consumer, NewRecord, Producer, Shard, ShardRead, Stream,
};
use wattstream_engine::{
    Batch, BatchReply, Drained, EventSource, EventSourcePorts, EventSourceSettings, Kind, Result,
    StreamRecord,
};
use wattstream_testkit::{MemoryStore, contract, local_aws};
use wattstream_wire::deaggregate;

use super::new_name;
use crate::{
    Clients, KinesisProducer, KinesisStream, LocalAws, LocalEndpoints, Packing, Polling, ProducerSettings,
};

/// The local Kinesis has no limit of its own; at AWS's pace these tests would take minutes.
const POLLING: Polling = Polling { spacing: Duration::from_millis(2), interval: Duration::from_millis(20) };

/// A limit for hangs, not a measurement.
const PATIENCE: Duration = Duration::from_mins(2);

/// Batches that end in the middle of what a read brings.
const SETTINGS: EventSourceSettings = EventSourceSettings {
    batch_records_max: 17,
    batch_window: Duration::ZERO,
    batch_bytes_max: 1_000_000,
    retry_attempts_max: None,
    bisect_on_error: false,
    record_age_max: None,
    invocation_timeout: PATIENCE,
    shutdown_wait_max: PATIENCE,
    jitter_seed: 1,
};

/// A stream of the local AWS, both ends of it.
struct Kinesis {
    aws: LocalAws,
    name: String,
    producer: KinesisProducer,
    stream: KinesisStream,
}

impl Kinesis {
    async fn with_shards(url: &str, shards: u16, packing: Packing) -> Self {
        let aws = LocalAws::at(&LocalEndpoints::all_at(url)).await;
        let name = new_name();
        aws.create_stream(&name, shards).await.expect("a stream is made");
        let settings = ProducerSettings { packing, ..ProducerSettings::default() };
        let producer = KinesisProducer::new(aws.clients(), &name, settings);
        let stream = KinesisStream::new(aws.clients(), &name, POLLING);
        Self { aws, name, producer, stream }
    }

    async fn split(&self, shard: ShardId) {
        self.aws.split_shard(&self.name, shard).await.expect("a shard splits");
    }

    async fn merge(&self, shard: ShardId, other: ShardId) {
        self.aws.merge_shards(&self.name, shard, other).await.expect("shards merge");
    }
}

impl Producer for Kinesis {
    async fn append(&self, records: Vec<NewRecord>) -> Result<()> {
        self.producer.append(records).await
    }
}

impl Stream for Kinesis {
    async fn shards(&self) -> Result<Vec<Shard>> {
        self.stream.shards().await
    }

    async fn read(&self, shard: ShardId, after: Option<SequenceNumber>, limit: usize) -> Result<ShardRead> {
        self.stream.read(shard, after, limit).await
    }

    async fn wait(&self, shard: ShardId) {
        self.stream.wait(shard).await;
    }
}

#[tokio::test]
async fn the_stream_keeps_its_contract() {
    let Some(server) = local_aws::kinesis_local() else { return };
    contract::stream(async || Kinesis::with_shards(server.url(), 3, Packing::Aggregated).await).await;
}

#[tokio::test]
async fn the_stream_keeps_its_contract_without_aggregation() {
    let Some(server) = local_aws::kinesis_local() else { return };
    contract::stream(async || Kinesis::with_shards(server.url(), 3, Packing::Plain).await).await;
}

/// Remembers what it is given, and wakes who waits for the last of it.
#[derive(Clone, Debug, Default)]
struct Recorder {
    delivered: Arc<Mutex<Vec<(ShardId, StreamRecord)>>>,
    changed: Arc<Notify>,
}

impl Recorder {
    /// The payloads of each key, in the order in which they came.
    fn payloads(&self) -> BTreeMap<String, Vec<Bytes>> {
        let mut payloads: BTreeMap<String, Vec<Bytes>> = BTreeMap::new();
        for (_, record) in self.delivered.lock().unwrap().iter() {
            let found = deaggregate(&record.data).expect("a sound aggregate");
            payloads.entry(record.partition_key.to_string()).or_default().extend_from_slice(found.as_slice());
        }
        payloads
    }

    async fn until(&self, payloads: usize) {
        let all = async {
            while self.payloads().values().map(Vec::len).sum::<usize>() < payloads {
                self.changed.notified().await;
            }
        };
        tokio::time::timeout(PATIENCE, all).await.expect("everything is delivered");
    }
}

impl Consumer for Recorder {
    async fn consume(&self, batch: &Batch) -> Result<BatchReply> {
        let records = batch.records.iter().map(|record| (batch.shard, record.clone()));
        self.delivered.lock().unwrap().extend(records);
        self.changed.notify_one();
        Ok(BatchReply::default())
    }
}

/// Appends a round of records, numbered by key, to every one of 24 keys; every third key gets two.
async fn append_round(kinesis: &Kinesis, sent: &mut BTreeMap<String, Vec<Bytes>>) {
    let mut records = Vec::new();
    for key in 0..24 {
        let partition_key = format!("site-{key}");
        for _ in 0..if key % 3 == 0 { 2 } else { 1 } {
            let payloads = sent.entry(partition_key.clone()).or_default();
            let data = Bytes::from(payloads.len().to_string());
            payloads.push(data.clone());
            records.push(NewRecord { partition_key: partition_key.clone(), data });
        }
    }
    kinesis.append(records).await.expect("records are appended");
}

/// Splits, merges and splits again while records come.
async fn reshard(kinesis: &Kinesis) {
    kinesis.split(ShardId(0)).await;
    kinesis.merge(ShardId(2), ShardId(3)).await;
    kinesis.merge(ShardId(4), ShardId(1)).await;
    kinesis.split(ShardId(5)).await;
}

/// Appends rounds until the resharding is over, and some more.
async fn append_during_resharding(kinesis: &Kinesis) -> BTreeMap<String, Vec<Bytes>> {
    let mut sent = BTreeMap::new();
    for _ in 0..3 {
        append_round(kinesis, &mut sent).await;
    }
    let mut resharding = Box::pin(reshard(kinesis));
    loop {
        tokio::select! {
            biased;
            () = &mut resharding => break,
            () = append_round(kinesis, &mut sent) => {}
        }
    }
    for _ in 0..3 {
        append_round(kinesis, &mut sent).await;
    }
    sent
}

#[tokio::test]
async fn records_of_a_key_are_delivered_in_order_through_splits_and_merges() {
    let Some(server) = local_aws::kinesis_local() else { return };
    let kinesis = Kinesis::with_shards(server.url(), 2, Packing::Aggregated).await;
    let (recorder, store) = (Recorder::default(), MemoryStore::default());
    let ports = EventSourcePorts {
        stream: KinesisStream::new(kinesis.aws.clients(), &kinesis.name, POLLING),
        checkpoints: store.clone(),
        consumer: recorder.clone(),
        on_failure: store.clone(),
        clock: Arc::new(|| Timestamp::MIN),
    };
    let source = EventSource::new(ports, SETTINGS).expect("good settings");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let source = tokio::spawn(source.run(async { drop(stopped.await) }));

    let sent = append_during_resharding(&kinesis).await;
    recorder.until(sent.values().map(Vec::len).sum()).await;
    drop(stop);
    assert_eq!(source.await.expect("no panic"), Drained::Completely);

    assert!(recorder.payloads() == sent, "every payload is there once and in the order of its key");
    let shards = kinesis.shards().await.expect("shards are listed");
    let parents = |id: u64| {
        let shard = shards.iter().find(|shard| shard.id == ShardId(id)).expect("a shard of the history");
        shard.parents.iter().map(|parent| parent.0).collect::<Vec<_>>()
    };
    assert_eq!(
        (0..8).map(parents).collect::<Vec<_>>(),
        [&[][..], &[], &[0], &[0], &[2, 3], &[4, 1], &[5], &[5]]
    );
    children_come_after_their_parents(&recorder, &shards);
    closed_shards_are_at_their_end(&kinesis, &store, &shards).await;
}

fn children_come_after_their_parents(recorder: &Recorder, shards: &[Shard]) {
    let delivered: Vec<ShardId> =
        recorder.delivered.lock().unwrap().iter().map(|(shard, _)| *shard).collect();
    let first = |id: ShardId| delivered.iter().position(|&shard| shard == id);
    let last = |id: ShardId| delivered.iter().rposition(|&shard| shard == id);
    for shard in shards {
        for parent in &shard.parents {
            assert!(last(*parent) < first(shard.id), "{parent} comes before {}", shard.id);
        }
    }
    assert!(shards.iter().all(|shard| first(shard.id).is_some()), "every shard had records");
}

async fn closed_shards_are_at_their_end(kinesis: &Kinesis, store: &MemoryStore, shards: &[Shard]) {
    let open = kinesis.aws.open_shards(&kinesis.name).await.expect("shards");
    assert_eq!(open.keys().copied().collect::<Vec<_>>(), [ShardId(6), ShardId(7)]);
    for shard in shards {
        let is_open = open.contains_key(&shard.id);
        let mut after = None;
        let is_end = loop {
            let read = kinesis.read(shard.id, after, 7).await.expect("a shard is read, closed or not");
            after = read.records.last().map(|record| record.sequence).or(after);
            if read.is_end || read.records.is_empty() {
                break read.is_end;
            }
        };
        assert_eq!(is_end, !is_open, "{}", shard.id);
        let checkpoint = store.checkpoint(shard.id).await.expect("a checkpoint");
        assert_eq!(checkpoint == Some(Checkpoint::End), !is_open, "{}", shard.id);
        if !is_open {
            let again = kinesis.read(shard.id, after, 7).await.expect("the end can be read again");
            assert_eq!(again, ShardRead { records: Vec::new(), is_end: true });
        }
    }
}

#[tokio::test]
async fn a_stream_that_does_not_exist_is_named_in_the_error() {
    let Some(server) = local_aws::kinesis_local() else { return };
    let clients = Clients::of_local_aws(&LocalEndpoints::all_at(server.url())).await;
    let error = KinesisStream::new(&clients, "nowhere", POLLING).shards().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Broken);
    assert!(error.to_string().contains("nowhere"), "{error}");
    let producer = KinesisProducer::new(&clients, "nowhere", ProducerSettings::default());
    let record = NewRecord { partition_key: "home-01".to_owned(), data: "x".into() };
    assert_eq!(producer.append(vec![record]).await.unwrap_err().kind(), Kind::Broken);
}
