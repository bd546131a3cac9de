//! The outbox across instances: an alert that was published is not published again by whoever takes over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use wattstream_domain::{Alert, SequenceNumber};
use wattstream_engine::ports::{Alerts, Consumer, InstanceId, NewRecord, Producer, Stream};
use wattstream_engine::{
    Batch, BatchReply, Error, Kind, Processor, ProcessorSettings, Result, SnapshotPolicy, StreamRecord,
};
use wattstream_testkit::{Contents, MemoryStore, Numbers, payload, reading};

/// A topic that counts what it is told, and is down at times.
#[derive(Clone, Default)]
struct Topic {
    told: Arc<Mutex<BTreeMap<String, u32>>>,
    is_down: bool,
}

impl Alerts for Topic {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<()>> {
        let publish = |alert: &Alert| {
            if self.is_down {
                return Err(Error::bare(Kind::Retry, "telling a topic that is down"));
            }
            *self.told.lock().expect("no panic").entry(alert.id().to_string()).or_default() += 1;
            Ok(())
        };
        alerts.iter().map(publish).collect()
    }
}

async fn read(store: &MemoryStore, after: Option<SequenceNumber>) -> Vec<StreamRecord> {
    let shard = store.shards().await.expect("shards")[0].id;
    store.read(shard, after, usize::MAX).await.expect("records").records
}

/// Appends a reading and has a new instance process it.
async fn process(store: &MemoryStore, topic: &Topic, minute: i64, generated: i64) {
    let shard = store.shards().await.expect("shards")[0].id;
    let last = read(store, None).await.last().map(|last| last.sequence);
    let data = payload(&reading("home-01", minute, generated, 1));
    let record = NewRecord { partition_key: "home-01".to_owned(), data };
    store.append(vec![record]).await.expect("it is appended");
    let records = read(store, last).await;
    let settings = ProcessorSettings {
        instance: InstanceId(minute.to_string()),
        snapshot_policy: SnapshotPolicy::WhenNeeded,
        is_cache_on: true,
    };
    let processor = Processor::new(store.clone(), store.clone(), topic.clone(), settings);
    let reply = processor.consume(&Batch { shard, records }).await.expect("a reply");
    assert_eq!(reply, BatchReply::default());
}

#[tokio::test]
async fn alerts_that_waited_for_a_topic_are_told_once_though_each_batch_has_an_instance_of_its_own() {
    let store = MemoryStore::new(Contents::new(1, Numbers::default()));
    let mut topic = Topic { is_down: true, ..Topic::default() };
    for minute in [0, 15, 30] {
        process(&store, &topic, minute, if minute == 15 { -5 } else { 5 }).await;
    }
    let waiting = |store: &MemoryStore| {
        let contents = store.contents();
        contents.sites.values().map(|site| site.state.outbox.alerts.len()).sum::<usize>()
    };
    assert_eq!(waiting(&store), 1, "the alert waits in what is stored");

    topic.is_down = false;
    for minute in [45, 60, 75, 90] {
        process(&store, &topic, minute, 5).await;
        assert_eq!(waiting(&store), 0, "nothing that was told is stored as waiting");
    }
    let told = topic.told.lock().unwrap().clone();
    assert!(!told.is_empty() && told.values().all(|&times| times == 1), "{told:?}");
}
