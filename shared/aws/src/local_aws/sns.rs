//! The topic of alerts against ministack, and moto for a second opinion: what its subscribers get.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use wattstream_domain::{Alert, Episode, Phase, Rule, Score, Subject};
use wattstream_engine::ports::Alerts;
use wattstream_testkit::{at, local_aws};
use wattstream_wire::encode_alert_message;

use super::new_name;
use crate::{Clients, LocalEndpoints, SnsAlerts};

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
    clients: Clients,
    topic_arn: String,
}

impl Subscribed {
    async fn topic(url: &str) -> Self {
        let clients = Clients::of_local_aws(&LocalEndpoints::all_at(url)).await;
        let topic = clients.sns.create_topic().name(new_name()).send().await.expect("a topic is made");
        Self { clients, topic_arn: topic.topic_arn.expect("a topic has an ARN") }
    }

    /// A queue that gets the messages that a filter lets through.
    async fn queue(&self, filter: Option<&str>) -> String {
        let sqs = &self.clients.sqs;
        let queue = sqs.create_queue().queue_name(new_name()).send().await.expect("a queue is made");
        let url = queue.queue_url.expect("a queue has a URL");
        let wanted = aws_sdk_sqs::types::QueueAttributeName::QueueArn;
        let request = sqs.get_queue_attributes().queue_url(&url).attribute_names(wanted.clone());
        let attributes = request.send().await.expect("attributes").attributes.expect("attributes");
        let subscribe = self.clients.sns.subscribe().topic_arn(&self.topic_arn).protocol("sqs");
        let mut subscribe = subscribe.endpoint(&attributes[&wanted]);
        if let Some(filter) = filter {
            subscribe = subscribe.attributes("FilterPolicy", filter);
        }
        subscribe.send().await.expect("the queue subscribes");
        url
    }

    /// The envelopes of so many messages, by the ids of their alerts.
    async fn received(&self, queue_url: &str, count: usize) -> BTreeMap<String, Value> {
        let receiving = async {
            let mut found = BTreeMap::new();
            while found.len() < count {
                let request = self.clients.sqs.receive_message().queue_url(queue_url).wait_time_seconds(1);
                let answer = request.max_number_of_messages(10).send().await.expect("messages");
                for message in answer.messages() {
                    let envelope: Value = serde_json::from_str(message.body().unwrap()).expect("an envelope");
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
    let outcomes = SnsAlerts::new(&topic.clients, &topic.topic_arn).publish(&alerts).await;
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
