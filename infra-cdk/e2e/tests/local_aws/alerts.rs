//! Who subscribes to the topic of alerts.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use wattstream_aws::LocalAws;

use crate::cdk::string;
use crate::one_machine::OneMachine;

/// A limit for hangs, not a measurement.
const PATIENCE: Duration = Duration::from_mins(1);

/// A queue of its own.
pub(crate) struct Subscriber {
    queue_url: String,
}

impl Subscriber {
    pub(crate) async fn create(local: &LocalAws) -> Self {
        Self { queue_url: local.create_queue("e2e-subscriber").await.expect("a queue is made") }
    }

    pub(crate) async fn subscribe(&self, local: &LocalAws, topic_arn: &str) {
        local.subscribe(topic_arn, &self.queue_url, None).await.expect("the queue subscribes");
    }

    /// Makes sure that it was told of every episode that one machine tells of, and of no other.
    pub(crate) async fn check(&self, local: &LocalAws, one_machine: &OneMachine) {
        let alerts: Value = serde_json::from_str(&one_machine.text("/alerts?limit=1000")).expect("alerts");
        let alerts = alerts["alerts"].as_array().expect("a list");
        let expected: BTreeSet<_> = alerts.iter().map(|alert| string(&alert["alert_id"])).collect();
        assert!(!expected.is_empty(), "faults were planted into every site");
        let started = Instant::now();
        let mut told = BTreeSet::new();
        loop {
            let messages = local.take_messages(&self.queue_url).await.expect("messages");
            if messages.is_empty() && (expected.is_subset(&told) || started.elapsed() > PATIENCE) {
                break;
            }
            told.extend(messages.iter().filter_map(|message| episode_id(message)));
        }
        let [untold, unknown] = [&expected - &told, &told - &expected];
        assert!(
            untold.is_empty() && unknown.is_empty(),
            "of {} alerts the subscriber was not told {untold:?}; and it was told besides {unknown:?}",
            expected.len()
        );
    }
}

/// The id of an alert about readings. Silences are told by the clock, which one machine was not asked about.
fn episode_id(message: &str) -> Option<String> {
    let envelope: Value = serde_json::from_str(message).expect("SNS wraps a message into JSON");
    let alert: Value = serde_json::from_str(&string(&envelope["Message"])).expect("an alert is JSON");
    let id = string(&alert["alert_id"]);
    (!id.contains("/silence/")).then_some(id)
}
