//! [`SnsAlerts`]: alerts as messages of a topic, for whoever subscribes to it.
//!
//! A message is the document of [`encode_alert_message`]. Its attributes, for the filter policies of subscriptions, are
//! `site_id`, `rule` (or `silence`, which is none), `severity` and `phase`; its subject, for people who get it as mail, is short and plain.
//!
//! What must always hold: an alert counts as published when SNS has shown the message's id. A repetition has the same
//! `alert_id`, by which a receiver knows it.

use std::collections::HashMap;

use aws_sdk_sns::operation::publish_batch::PublishBatchOutput;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use wattstream_domain::Alert;
use wattstream_engine::Result;
use wattstream_engine::ports::Alerts;
use wattstream_wire::encode_alert_message;

use crate::batches::{Limits, send_all};
use crate::error::{Refusal, classify, malformed, refused};
use crate::{Clients, deadline};

/// `PublishBatch` takes 10 messages and 256 KB with their attributes.
const PUBLISH_BATCH: Limits = Limits { entries: 10, bytes: 256 * 1_024, in_flight: 4 };

/// A subject has fewer than 100 characters.
const SUBJECT_CHARS_MAX: usize = 99;

const PUBLISHING: &str = "publishing alerts to the SNS topic";

/// The topic of alerts.
#[derive(Clone, Debug)]
pub struct SnsAlerts {
    client: aws_sdk_sns::Client,
    topic_arn: String,
}

impl SnsAlerts {
    /// The topic with this ARN.
    pub fn new(clients: &Clients, topic_arn: impl Into<String>) -> Self {
        Self { client: clients.sns.clone(), topic_arn: topic_arn.into() }
    }
}

impl Alerts for SnsAlerts {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<()>> {
        let messages: Vec<_> = alerts.iter().map(Message::of).collect();
        let deadline = deadline::of_this_call();
        let send =
            send_all(&messages, PUBLISH_BATCH, Message::bytes, |messages| self.publish_batch(messages));
        deadline::within(deadline, send).await
    }
}

impl SnsAlerts {
    async fn publish_batch(&self, messages: Vec<&Message>) -> Result<Vec<Result<()>>> {
        let count = messages.len();
        let entries = messages.into_iter().enumerate().map(|(index, message)| message.to_entry(index));
        let request = self.client.publish_batch().topic_arn(&self.topic_arn);
        let request = request.set_publish_batch_request_entries(Some(entries.collect()));
        let answer = request.send().await.map_err(|error| classify(PUBLISHING, error))?;
        Ok(outcomes_of(&answer, count))
    }
}

/// An alert as SNS takes it.
#[derive(Clone, Debug)]
struct Message {
    body: String,
    subject: String,
    attributes: [(&'static str, String); 4],
}

const STRING: &str = "String";

impl Message {
    fn of(alert: &Alert) -> Self {
        let Alert { site_id, phase, subject, .. } = alert;
        let rule = subject.name();
        Self {
            body: encode_alert_message(alert),
            subject: subject_line(&format!("{site_id}: {rule} {}", phase.name())),
            attributes: [
                ("site_id", site_id.to_string()),
                ("rule", rule.to_owned()),
                ("severity", subject.severity().name().to_owned()),
                ("phase", phase.name().to_owned()),
            ],
        }
    }

    /// Its share of a request.
    fn bytes(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| name.len() + STRING.len() + value.len());
        self.body.len() + self.subject.len() + attributes.sum::<usize>()
    }

    /// The id tells the entries of one request apart.
    fn to_entry(&self, id: usize) -> PublishBatchRequestEntry {
        let attribute = |value: &String| {
            let value = MessageAttributeValue::builder().data_type(STRING).string_value(value);
            value.build().expect("the type is set")
        };
        let attributes: HashMap<_, _> =
            self.attributes.iter().map(|(name, value)| ((*name).to_owned(), attribute(value))).collect();
        PublishBatchRequestEntry::builder()
            .id(id.to_string())
            .message(&self.body)
            .subject(&self.subject)
            .set_message_attributes(Some(attributes))
            .build()
            .expect("id and message are set")
    }
}

/// A text as SNS takes it for a subject: printable ASCII that begins with something visible, and not too long.
fn subject_line(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' });
    plain.skip_while(|&c| c == ' ').take(SUBJECT_CHARS_MAX).collect()
}

fn outcomes_of(answer: &PublishBatchOutput, count: usize) -> Vec<Result<()>> {
    let missing = || Err(malformed(PUBLISHING, "the answer does not tell of every message"));
    let mut outcomes: Vec<Result<()>> = std::iter::repeat_with(missing).take(count).collect();
    let mut set = |id: &str, outcome| {
        if let Some(place) = id.parse().ok().and_then(|index: usize| outcomes.get_mut(index)) {
            *place = outcome;
        }
    };
    for taken in answer.successful() {
        if taken.message_id().is_some_and(|id| !id.is_empty()) {
            set(taken.id().unwrap_or_default(), Ok(()));
        }
    }
    for failed in answer.failed() {
        let (code, message) = (failed.code(), failed.message());
        let refusal = Refusal { code, message, is_senders_fault: failed.sender_fault() };
        set(failed.id(), Err(refused(PUBLISHING, refusal)));
    }
    outcomes
}

#[cfg(test)]
mod tests;
