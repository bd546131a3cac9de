//! An alert as a JSON document: what webhooks and subscribers of the topic get.
//!
//! ```json
//! {"alert_id":"home-01/7/negative_energy/opened","site_id":"home-01","severity":"error",
//!  "phase":"opened","at":"2025-06-20T00:15:00.000Z","rule":"negative_energy","opened_at":"2025-06-20T00:15:00.000Z",
//!  "last_at":"2025-06-20T00:15:00.000Z","readings":1,"score":1.25}
//! {"kind":"silence","alert_id":"home-01/silence/2025-06-20T00:00:00.000Z/opened","site_id":"home-01",
//!  "severity":"error","phase":"opened","at":"2025-06-20T03:00:00.000Z","last_seen":"2025-06-20T00:00:00.000Z",
//!  "interval_ms":900000,"silent_at":"2025-06-20T03:00:00.000Z"}
//! ```
//!
//! | field | meaning |
//! |---|---|
//! | `kind` | `episode`: readings that break a rule; `silence`: no readings |
//! | `alert_id` | the same for every delivery of one alert: by it a receiver knows what it has had before |
//! | `site_id` | the site |
//! | `severity` | `error` or `warning` |
//! | `phase` | `opened` or `closed` |
//! | `at` | the instant that it tells of |
//! | `rule` | the rule that the readings break |
//! | `opened_at`, `last_at` | the first and the newest reading of the episode |
//! | `readings` | how many belong to it |
//! | `score` | the strongest score among them, in multiples of the rule's threshold |
//! | `last_seen` | the newest reading before the silence |
//! | `interval_ms` | the interval that the site kept until then |
//! | `silent_at` | when the site began to count as silent |
//!
//! What must always hold: this is the only place that renders an alert for receivers; fields are added, and neither renamed
//! nor taken away, because receivers are programs of other people.

use serde::Serialize;
use wattstream_domain::{Alert, Episode, Silence, Subject};

/// The document of an alert.
pub fn encode_alert_message(alert: &Alert) -> String {
    let Alert { site_id, phase, at, subject } = alert;
    let alert_id = alert.id();
    let message = AlertMessage {
        alert_id: alert_id.as_str(),
        site_id: site_id.as_str(),
        severity: subject.severity().name(),
        phase: phase.name(),
        at: at.to_string(),
        subject: SubjectFields::from(subject),
    };
    serde_json::to_string(&message).expect("texts and numbers are JSON")
}

/// What every alert has, and what only its kind has.
#[derive(Serialize)]
struct AlertMessage<'a> {
    alert_id: &'a str,
    site_id: &'a str,
    severity: &'static str,
    phase: &'static str,
    at: String,
    #[serde(flatten)]
    subject: SubjectFields,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum SubjectFields {
    Episode { rule: &'static str, opened_at: String, last_at: String, readings: u64, score: f64 },
    Silence { last_seen: String, interval_ms: i64, silent_at: String },
}

impl From<&Subject> for SubjectFields {
    fn from(subject: &Subject) -> Self {
        match subject {
            Subject::Episode(Episode { rule, opened_at, last_at, readings, score, .. }) => Self::Episode {
                rule: rule.name(),
                opened_at: opened_at.to_string(),
                last_at: last_at.to_string(),
                readings: *readings,
                // The double nearest to a number of thousandths is written with those thousandths.
                score: f64::from(score.0) / 1_000.0,
            },
            Subject::Silence(Silence { last_seen, interval_ms, silent_at }) => Self::Silence {
                last_seen: last_seen.to_string(),
                interval_ms: *interval_ms,
                silent_at: silent_at.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use wattstream_domain::{Phase, Rule, Score, Timestamp};

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_750_377_600_000 + minute * 60_000).unwrap()
    }

    fn episode(score: u32) -> Alert {
        let episode = Episode {
            rule: Rule::NegativeEnergy,
            number: 7,
            opened_at: at(0),
            last_at: at(30),
            readings: 3,
            score: Score(score),
            quiet_readings: 0,
        };
        let subject = Subject::Episode(episode);
        Alert { site_id: "home-01".parse().unwrap(), phase: Phase::Closed, at: at(45), subject }
    }

    #[test]
    fn the_document_of_an_alert_is_as_receivers_know_it() {
        assert_eq!(
            encode_alert_message(&episode(1_230)),
            "{\"alert_id\":\"home-01/7/negative_energy/closed\",\"site_id\":\"home-01\",\"severity\":\"error\",\
             \"phase\":\"closed\",\"at\":\"2025-06-20T00:45:00.000Z\",\"kind\":\"episode\",\
             \"rule\":\"negative_energy\",\"opened_at\":\"2025-06-20T00:00:00.000Z\",\
             \"last_at\":\"2025-06-20T00:30:00.000Z\",\"readings\":3,\"score\":1.23}"
        );
        let silence = Silence { last_seen: at(0), interval_ms: 900_000, silent_at: at(180) };
        assert_eq!(
            encode_alert_message(&silence.opened("home-01".parse().unwrap())),
            "{\"alert_id\":\"home-01/silence/2025-06-20T00:00:00.000Z/opened\",\"site_id\":\"home-01\",\
             \"severity\":\"error\",\"phase\":\"opened\",\"at\":\"2025-06-20T03:00:00.000Z\",\
             \"kind\":\"silence\",\"last_seen\":\"2025-06-20T00:00:00.000Z\",\"interval_ms\":900000,\
             \"silent_at\":\"2025-06-20T03:00:00.000Z\"}"
        );
    }

    #[test]
    fn a_score_is_written_in_thousandths() {
        for (score, written) in [(0, "0.0"), (1, "0.001"), (999, "0.999"), (1_000_000, "1000.0")] {
            let message = encode_alert_message(&episode(score));
            assert!(message.ends_with(&format!("\"score\":{written}}}")), "{message}");
        }
    }
}
