//! What the API says at one instant. What must always hold: what it cannot say is told apart from nothing: a part that is not
//! there is `Absent`, never zero.

use std::time::{Duration, Instant};

use serde::Deserialize;

use super::prometheus::{series, sum};
use crate::cli::TopArgs;
use crate::client::{Client, ClientError};

/// How long an answer may take before the process counts as away.
const PATIENCE: Duration = Duration::from_secs(10);
/// The newest anomalies that are shown.
const ANOMALIES: &str = "100";
/// How many dead letters are counted: the most of one page.
pub(super) const DEAD_LETTERS_COUNTED_MAX: usize = 100;

/// A part of a sample, or why it is not there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part<T> {
    There(T),
    /// What answers has no such thing.
    Absent,
}

impl<T> Part<T> {
    pub(super) fn there(&self) -> Option<&T> {
        match self {
            Self::There(part) => Some(part),
            Self::Absent => None,
        }
    }
}

/// What the API said.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// Since the first question.
    pub(super) at: Duration,
    pub(super) fleet: Fleet,
    pub(super) pipeline: Part<Pipeline>,
    pub(super) readiness: Readiness,
    pub(super) dead_letters: Part<usize>,
    /// The newest first.
    pub(super) anomalies: Vec<Anomaly>,
}

/// All sites together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fleet {
    pub(super) sites: u64,
    pub(super) readings: u64,
    pub(super) anomalies: u64,
}

/// What the metrics of a process say.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pipeline {
    /// Records that the consumer has read.
    pub(super) records: u64,
    /// Of them, those that were no readings.
    pub(super) rejected: u64,
    pub(super) silent_sites: u64,
    /// By id.
    pub(super) shards: Vec<Shard>,
}

impl Pipeline {
    /// How far the slowest shard is behind.
    pub(super) fn lag_ms(&self) -> u64 {
        self.shards.iter().map(|shard| shard.lag_ms).max().unwrap_or_default()
    }
}

/// A shard of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    pub(super) id: String,
    pub(super) lag_ms: u64,
    /// Records that were taken from it.
    pub(super) records: u64,
}

/// Whether requests can be served, and what that depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Readiness {
    pub(super) is_ready: bool,
    pub(super) detail: String,
}

/// A flagged reading.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct Anomaly {
    pub(super) site_id: String,
    pub(super) timestamp: String,
    pub(super) energy_generated_kwh: f64,
    pub(super) energy_consumed_kwh: f64,
    #[serde(default)]
    pub(super) findings: Vec<Finding>,
}

/// What detection found in it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct Finding {
    pub(super) rule: String,
    pub(super) score: f64,
}

/// Asks.
pub(super) struct Sampler {
    client: Client,
    began: Instant,
}

impl Sampler {
    pub(super) fn new(args: &TopArgs) -> anyhow::Result<Self> {
        let client = Client::with_patience(&args.query.url, &args.query.access, PATIENCE)?;
        Ok(Self { client, began: Instant::now() })
    }

    /// Where it asks.
    pub(super) fn target(&self) -> &str {
        self.client.base()
    }

    /// Asks everything once.
    pub(super) fn take(&self) -> Result<Sample, ClientError> {
        let pipeline = absent_when_unknown(self.client.get_text("/metrics"))?;
        let sample = Sample {
            at: self.began.elapsed(),
            fleet: self.fleet()?,
            pipeline: match pipeline {
                Part::There(text) => Part::There(Pipeline::of(&text)),
                Part::Absent => Part::Absent,
            },
            readiness: self.readiness()?,
            dead_letters: absent_when_unknown(self.dead_letters())?,
            anomalies: self.anomalies()?,
        };
        Ok(sample)
    }

    fn fleet(&self) -> Result<Fleet, ClientError> {
        #[derive(Deserialize)]
        struct Totals {
            records: u64,
            anomalies: u64,
        }
        #[derive(Deserialize)]
        struct Summary {
            site_count: u64,
            totals: Totals,
        }
        let Summary { site_count, totals } = self.client.get("/summary", &[])?;
        Ok(Fleet { sites: site_count, readings: totals.records, anomalies: totals.anomalies })
    }

    fn readiness(&self) -> Result<Readiness, ClientError> {
        #[derive(Deserialize)]
        struct Check {
            name: String,
            detail: String,
        }
        #[derive(Deserialize)]
        struct Ready {
            checks: Vec<Check>,
        }
        match self.client.get("/readyz", &[]) {
            Ok(Ready { checks }) => {
                let details: Vec<_> =
                    checks.iter().map(|Check { name, detail }| format!("{name}: {detail}")).collect();
                Ok(Readiness { is_ready: true, detail: details.join("; ") })
            }
            Err(ClientError::Problem { status: 503, detail, .. }) => {
                Ok(Readiness { is_ready: false, detail })
            }
            Err(error) => Err(error),
        }
    }

    fn dead_letters(&self) -> Result<usize, ClientError> {
        #[derive(Deserialize)]
        struct Page {
            dead_letters: Vec<serde::de::IgnoredAny>,
        }
        let limit = DEAD_LETTERS_COUNTED_MAX.to_string();
        let Page { dead_letters } = self.client.get("/dead-letters", &[("limit", &limit)])?;
        Ok(dead_letters.len())
    }

    fn anomalies(&self) -> Result<Vec<Anomaly>, ClientError> {
        #[derive(Deserialize)]
        struct Page {
            anomalies: Vec<Anomaly>,
        }
        let Page { anomalies } = self.client.get("/anomalies", &[("limit", ANOMALIES)])?;
        Ok(anomalies)
    }
}

impl Pipeline {
    fn of(metrics: &str) -> Self {
        let lags = series(metrics, "wattstream_shard_lag_ms", "shard");
        let taken = series(metrics, "wattstream_shard_records_total", "shard");
        let records_of = |id: &str| taken.iter().find(|series| series.label == id).map_or(0.0, |s| s.value);
        let mut shards: Vec<_> = lags
            .iter()
            .map(|lag| Shard {
                id: lag.label.to_owned(),
                lag_ms: count(lag.value),
                records: count(records_of(lag.label)),
            })
            .collect();
        shards.sort_by(|one, other| one.id.cmp(&other.id));
        Self {
            records: count(sum(metrics, "wattstream_records_read_total")),
            rejected: count(sum(metrics, "wattstream_records_rejected_total")),
            silent_sites: count(sum(metrics, "wattstream_silent_sites")),
            shards,
        }
    }
}

/// A metric that counts, as an integer.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is negative or no number is none"
)]
fn count(value: f64) -> u64 {
    value as u64
}

/// On AWS metrics are in CloudWatch and dead letters in queues: there the API answers that it has no such thing.
fn absent_when_unknown<T>(answer: Result<T, ClientError>) -> Result<Part<T>, ClientError> {
    match answer {
        Ok(part) => Ok(Part::There(part)),
        Err(error) if matches!(error.status(), Some(404 | 405 | 501)) => Ok(Part::Absent),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_those_that_have_a_lag_each_with_what_was_taken_from_it() {
        let metrics = "wattstream_records_read_total{outcome=\"in_order\"} 10\n\
            wattstream_records_read_total{outcome=\"rejected\"} 2\n\
            wattstream_records_rejected_total{reason=\"not_json\"} 2\n\
            wattstream_shard_lag_ms{shard=\"shardId-1\"} 7\nwattstream_shard_lag_ms{shard=\"shardId-0\"} 3\n\
            wattstream_shard_records_total{shard=\"shardId-1\"} 12\nwattstream_silent_sites 1\n";
        let pipeline = Pipeline::of(metrics);
        assert_eq!((pipeline.records, pipeline.rejected, pipeline.silent_sites), (12, 2, 1));
        let shard = |id: &str, lag_ms, records| Shard { id: id.to_owned(), lag_ms, records };
        assert_eq!(pipeline.shards, [shard("shardId-0", 3, 0), shard("shardId-1", 7, 12)]);
        assert_eq!(pipeline.lag_ms(), 7);
    }

    #[test]
    fn what_an_api_does_not_have_is_absent_and_what_fails_is_a_failure() {
        let refused = |status| Err(ClientError::Problem { status, title: "t".into(), detail: "d".into() });
        assert_eq!(absent_when_unknown::<u8>(refused(404)).unwrap(), Part::Absent);
        assert!(absent_when_unknown::<u8>(refused(500)).is_err());
    }
}
