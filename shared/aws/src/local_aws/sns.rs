//! The topic of alerts against ministack, and moto for a second opinion: what its subscribers get.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use wattstream_domain::{Alert, Episode, Phase, Rule, Score, Subject};
use wattstream_engine::ports::Alerts;
use wattstream_testkit::{at, local_aws};
use wattstream_wire::encode_alert_message;

use super::new_name;
use crate::{LocalAws, LocalEndpoints, SnsAlerts};

/// A limit for hangs, not a measurement.
const PATIENCE: Duration = Duration::from_mins(1);

fn alert(number: u64) -> Alert {
    let index = usize::try_from(number).unwrap();
    let episode = Episode {
        rule: Rule::ALL[index % Rule::ALL.len()],
        number,
        opened_at: at(0),
        last_at: at(15),
        readings: number + 1,
        score: Score(1_250),
        quiet_readings: 0,
    };
    let phase = if number.is_multiple_of(2) { Phase::Opened } else { Phase::Closed };
    Alert {
        site_id: format!("home-{number}").parse().unwrap(),
        phase,
        at: at(15),
        subject: Subject::Episode(episode),
    }
}

/// A topic and a queue that subscribes to it.
struct Subscribed {
    aws: LocalAws,
    topic_arn: String,
}

impl Subscribed {
    async fn topic(url: &str) -> Self {
        let aws = LocalAws::at(&LocalEndpoints::all_at(url)).await;
        let topic_arn = aws.create_topic(&new_name()).await.expect("a topic is made");
        Self { aws, topic_arn }
    }

    /// A queue that gets the messages that a filter lets through.
    async fn queue(&self, filter: Option<&str>) -> String {
        let queue_url = self.aws.create_queue(&new_name()).await.expect("a queue is made");
        self.aws.subscribe(&self.topic_arn, &queue_url, filter).await.expect("the queue subscribes");
        queue_url
    }

    /// The envelopes of so many messages, by the ids of their alerts.
    async fn received(&self, queue_url: &str, count: usize) -> BTreeMap<String, Value> {
        let receiving = async {
            let mut found = BTreeMap::new();
            while found.len() < count {
                for message in self.aws.take_messages(queue_url).await.expect("messages") {
                    let envelope: Value = serde_json::from_str(&message).expect("an envelope");
                    let alert: Value = serde_json::from_str(envelope["Message"].as_str().unwrap()).unwrap();
                    found.insert(alert["alert_id"].as_str().unwrap().to_owned(), envelope);
                }
            }
            found
        };
        tokio::time::timeout(PATIENCE, receiving).await.expect("the messages come")
    }
}

/// More alerts than one request takes.
async fn subscribers_get_what_they_ask_for(url: &str) {
    let topic = Subscribed::topic(url).await;
    let everything = topic.queue(None).await;
    let errors = topic.queue(Some("{\"severity\":[\"error\"],\"phase\":[\"opened\"]}")).await;
    let alerts: Vec<_> = (0..23).map(alert).collect();
    let outcomes = SnsAlerts::new(topic.aws.clients(), &topic.topic_arn).publish(&alerts).await;
    for outcome in outcomes {
        outcome.expect("an alert is published");
    }

    let envelopes = topic.received(&everything, alerts.len()).await;
    for alert in &alerts {
        let envelope = &envelopes[alert.id().as_str()];
        assert_eq!(envelope["Message"], encode_alert_message(alert));
        let rule = alert.subject.name();
        let subject = format!("{}: {rule} {}", alert.site_id, alert.phase.name());
        assert_eq!(envelope["Subject"], subject);
        let attribute = |name: &str| envelope["MessageAttributes"][name]["Value"].as_str().unwrap();
        let found = ["site_id", "rule", "severity", "phase"].map(attribute);
        let expected = [alert.site_id.as_str(), rule, alert.subject.severity().name(), alert.phase.name()];
        assert_eq!(found, expected);
    }

    let is_wanted =
        |alert: &&Alert| alert.subject.severity().name() == "error" && alert.phase == Phase::Opened;
    let wanted: Vec<_> = alerts.iter().filter(is_wanted).map(|alert| alert.id().to_string()).collect();
    let mut found: Vec<_> = topic.received(&errors, wanted.len()).await.into_keys().collect();
    found.sort_unstable_by_key(|id| wanted.iter().position(|wanted| wanted == id));
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn subscribers_get_the_alerts_that_they_ask_for() {
    let Some(server) = local_aws::ministack() else { return };
    subscribers_get_what_they_ask_for(server.url()).await;
}

#[tokio::test]
async fn subscribers_get_the_alerts_that_they_ask_for_on_moto() {
    let Some(server) = local_aws::moto() else { return };
    subscribers_get_what_they_ask_for(server.url()).await;
}
