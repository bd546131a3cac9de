//! [`AwsAlerts`]: an alert is a row that can be read again, and a message to whoever listens.
//!
//! What must always hold: an alert counts as published when both have taken it, the row first: nobody is told of an alert
//! that then cannot be found. The engine publishes again what did not succeed, and both know it by its id. Neither holds up
//! the readings: publishing has a short time of its own.

use std::time::Duration;

use tokio::time::Instant;
use wattstream_domain::Alert;
use wattstream_engine::Result;
use wattstream_engine::ports::Alerts;

use crate::deadline;

/// The longest that one publication may take. What is not published waits in the outbox of its site, which is stored; a
/// batch that waited for a topic that is down until its own deadline would make every batch as slow as that.
const PUBLISH_TIME_MAX: Duration = Duration::from_secs(2);

/// Alerts in a table and on a topic.
#[derive(Clone, Debug)]
pub struct AwsAlerts<Rows, Topic> {
    rows: Rows,
    topic: Topic,
}

impl<Rows: Alerts, Topic: Alerts> AwsAlerts<Rows, Topic> {
    /// Keeps alerts in `rows` and then tells `topic`.
    pub fn new(rows: Rows, topic: Topic) -> Self {
        Self { rows, topic }
    }
}

impl<Rows: Alerts, Topic: Alerts> Alerts for AwsAlerts<Rows, Topic> {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<()>> {
        let deadline = deadline::of_this_call().min(Instant::now() + PUBLISH_TIME_MAX);
        deadline::within(deadline, self.store_and_tell(alerts)).await
    }
}

impl<Rows: Alerts, Topic: Alerts> AwsAlerts<Rows, Topic> {
    async fn store_and_tell(&self, alerts: &[Alert]) -> Vec<Result<()>> {
        let mut outcomes = self.rows.publish(alerts).await;
        let stored: Vec<usize> = (0..alerts.len()).filter(|&index| outcomes[index].is_ok()).collect();
        if stored.is_empty() {
            return outcomes;
        }
        let told: Vec<Alert> = stored.iter().map(|&index| alerts[index].clone()).collect();
        for (index, outcome) in stored.into_iter().zip(self.topic.publish(&told).await) {
            outcomes[index] = outcome;
        }
        outcomes
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use wattstream_domain::{Episode, Phase, Rule, Score, Subject};
    use wattstream_engine::{Error, Kind};
    use wattstream_testkit::at;

    use super::*;

    /// Takes alerts, except those of the sites that it refuses.
    #[derive(Default)]
    struct Taker {
        refused: Vec<&'static str>,
        taken: Mutex<Vec<String>>,
    }

    impl Alerts for &Taker {
        async fn publish(&self, alerts: &[Alert]) -> Vec<Result<()>> {
            let take = |alert: &Alert| {
                if self.refused.contains(&alert.site_id.as_str()) {
                    return Err(Error::bare(Kind::Retry, "taking an alert"));
                }
                self.taken.lock().unwrap().push(alert.site_id.to_string());
                Ok(())
            };
            alerts.iter().map(take).collect()
        }
    }

    fn alert(site: &str) -> Alert {
        let episode = Episode {
            rule: Rule::HighLimit,
            number: 1,
            opened_at: at(0),
            last_at: at(0),
            readings: 1,
            score: Score(1_000),
            quiet_readings: 0,
        };
        Alert {
            site_id: site.parse().unwrap(),
            phase: Phase::Opened,
            at: at(0),
            subject: Subject::Episode(episode),
        }
    }

    #[tokio::test]
    async fn an_alert_is_published_when_both_halves_took_it_and_told_only_when_it_is_stored() {
        let rows = Taker { refused: vec!["b"], ..Taker::default() };
        let topic = Taker { refused: vec!["c"], ..Taker::default() };
        let alerts = ["a", "b", "c", "d"].map(alert);
        let outcomes = AwsAlerts::new(&rows, &topic).publish(&alerts).await;
        assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, true]);
        assert_eq!(*rows.taken.lock().unwrap(), ["a", "c", "d"]);
        assert_eq!(*topic.taken.lock().unwrap(), ["a", "d"]);
    }

    /// A topic that is down: it tries for as long as its deadline lets it.
    struct Down;

    impl Alerts for Down {
        async fn publish(&self, alerts: &[Alert]) -> Vec<Result<()>> {
            tokio::time::sleep_until(deadline::of_this_call()).await;
            alerts.iter().map(|_| Err(Error::bare(Kind::Retry, "telling a topic that is down"))).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_topic_that_is_down_costs_a_batch_a_moment_and_not_all_its_time() {
        let (rows, begun) = (Taker::default(), Instant::now());
        let publisher = AwsAlerts::new(&rows, Down);
        let alerts = [alert("a")];
        let publish = deadline::within(begun + Duration::from_mins(1), publisher.publish(&alerts));
        assert!(publish.await.iter().all(Result::is_err));
        assert_eq!(Instant::now(), begun + PUBLISH_TIME_MAX);
    }
}
