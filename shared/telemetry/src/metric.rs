//! The one table of metrics. What must always hold: a name is `wattstream_<noun>_<unit>`, with `_total` on a counter
//! (`build_info` follows Prometheus' own custom for constants); a name, once published, keeps its meaning; no label
//! grows with the number of sites.

use metrics::{Label, SharedString, Unit};

/// A metric that wattstream reports; [`Metric::definition`] is its row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Which build runs.
    BuildInfo,
    /// Records read from the log.
    RecordsRead,
    /// Records that no reading could be made of.
    RecordsRejected,
    /// Batches run.
    Batches,
    /// Time a batch took.
    BatchDuration,
    /// Size of a batch.
    BatchRecords,
    /// Commits that lost to another writer.
    CommitConflicts,
    /// Where site states came from.
    SiteStates,
    /// Age of the oldest record that waits.
    ShardLag,
    /// Records taken from each shard.
    ShardRecords,
    /// Batches tried again.
    EventSourceRetries,
    /// Batches halved to find a bad record.
    EventSourceBisections,
    /// Records set aside.
    DeadLetters,
    /// Alerts handed to the topic.
    AlertsPublished,
    /// Alerts that the topic did not take.
    AlertPublishFailures,
    /// Sites that send nothing.
    SilentSites,
    /// Records made durable in the log.
    LogAppendedRecords,
    /// Bytes made durable in the log.
    LogAppendedBytes,
    /// Time to make an append durable.
    LogSync,
    /// Objects written to the archive.
    ArchiveObjects,
    /// Compressed bytes written to the archive.
    ArchiveBytes,
    /// Raw records in those objects.
    ArchiveRecords,
    /// Requests answered.
    HttpRequests,
    /// Time to answer.
    HttpRequestDuration,
    /// Readings that the simulator made.
    SimulatorReadings,
}

/// What a metric counts, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Only grows, from zero at the start of the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations, counted at or below each of the upper bounds.
    Histogram {
        /// Ascending upper bounds, in the metric's unit.
        buckets: &'static [f64],
    },
}

impl Kind {
    /// The word that Prometheus uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram { .. } => "histogram",
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// The metric.
    pub metric: Metric,
    /// Its name in `/metrics`.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// The unit of its values.
    pub unit: Unit,
    /// The names of its labels, in the order in which events give their values.
    pub labels: &'static [&'static str],
    /// One sentence for the person who reads a graph of it.
    pub help: &'static str,
}

impl Metric {
    /// Every metric, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|definition| definition.metric)
    }

    /// Name, kind, unit, labels and help.
    pub const fn definition(self) -> &'static Definition {
        &TABLE[self as usize]
    }

    pub(crate) fn add<const N: usize>(self, label_values: [SharedString; N], by: u64) {
        #[expect(clippy::disallowed_macros, reason = "this is the place that the ban points to")]
        metrics::counter!(self.definition().name, self.labelled(label_values)).increment(by);
    }

    pub(crate) fn set<const N: usize>(self, label_values: [SharedString; N], value: f64) {
        #[expect(clippy::disallowed_macros, reason = "this is the place that the ban points to")]
        metrics::gauge!(self.definition().name, self.labelled(label_values)).set(value);
    }

    pub(crate) fn observe<const N: usize>(self, label_values: [SharedString; N], value: f64) {
        #[expect(clippy::disallowed_macros, reason = "this is the place that the ban points to")]
        metrics::histogram!(self.definition().name, self.labelled(label_values)).record(value);
    }

    fn labelled<const N: usize>(self, values: [SharedString; N]) -> Vec<Label> {
        let names = self.definition().labels;
        debug_assert_eq!(names.len(), N, "an event gives a value for each label of {self:?}");
        names.iter().zip(values).map(|(name, value)| Label::new(*name, value)).collect()
    }
}

/// Gives the current recorder the unit and the help of every metric. [`crate::install_prometheus`] does it; another
/// recorder needs it once.
pub fn describe_all() {
    for row in &TABLE {
        metrics::with_recorder(|recorder| {
            let (name, unit, help) = (row.name.into(), Some(row.unit), row.help.into());
            match row.kind {
                Kind::Counter => recorder.describe_counter(name, unit, help),
                Kind::Gauge => recorder.describe_gauge(name, unit, help),
                Kind::Histogram { .. } => recorder.describe_histogram(name, unit, help),
            }
        });
    }
}

// From a batch of one on a fast disk to Lambda's longest timeout.
const BATCH_SECONDS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 900.0,
];
// Up to Lambda's largest batch from Kinesis.
const BATCH_RECORDS: &[f64] = &[1.0, 10.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0];
// From a cache hit to a request that the server gives up on.
const REQUEST_SECONDS: &[f64] =
    &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
// From a battery-backed disk cache to a disk in trouble.
const SYNC_SECONDS: &[f64] =
    &[0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

const TABLE: [Definition; 25] = [
    Definition {
        metric: Metric::BuildInfo,
        name: "wattstream_build_info",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &["version"],
        help: "Always 1; the label says which version runs.",
    },
    Definition {
        metric: Metric::RecordsRead,
        name: "wattstream_records_read_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["outcome"],
        help: "Records read from the log, by what became of each; a redelivered record counts again.",
    },
    Definition {
        metric: Metric::RecordsRejected,
        name: "wattstream_records_rejected_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["reason"],
        help: "Records that no reading could be made of, by reason code.",
    },
    Definition {
        metric: Metric::Batches,
        name: "wattstream_batches_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["outcome"],
        help: "Batches run, by how each ended.",
    },
    Definition {
        metric: Metric::BatchDuration,
        name: "wattstream_batch_duration_seconds",
        kind: Kind::Histogram { buckets: BATCH_SECONDS },
        unit: Unit::Seconds,
        labels: &[],
        help: "Time from the first byte of a batch decoded to its last write committed.",
    },
    Definition {
        metric: Metric::BatchRecords,
        name: "wattstream_batch_records",
        kind: Kind::Histogram { buckets: BATCH_RECORDS },
        unit: Unit::Count,
        labels: &[],
        help: "Records in a batch.",
    },
    Definition {
        metric: Metric::CommitConflicts,
        name: "wattstream_commit_conflicts_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["shard"],
        help: "Conditional writes that lost to another writer and were folded again.",
    },
    Definition {
        metric: Metric::SiteStates,
        name: "wattstream_site_states_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["source"],
        help: "Site states that a batch began with, by where each came from: the warm cache or the store.",
    },
    Definition {
        metric: Metric::ShardLag,
        name: "wattstream_shard_lag_ms",
        kind: Kind::Gauge,
        unit: Unit::Milliseconds,
        labels: &["shard"],
        help: "Age of the oldest record that waits in the shard; 0 when none waits.",
    },
    Definition {
        metric: Metric::ShardRecords,
        name: "wattstream_shard_records_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["shard"],
        help: "Records that the event source took from the shard.",
    },
    Definition {
        metric: Metric::EventSourceRetries,
        name: "wattstream_event_source_retries_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["shard"],
        help: "Batches delivered again after a failure.",
    },
    Definition {
        metric: Metric::EventSourceBisections,
        name: "wattstream_event_source_bisections_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["shard"],
        help: "Failed batches halved to close in on the record at fault.",
    },
    Definition {
        metric: Metric::DeadLetters,
        name: "wattstream_dead_letters_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["cause"],
        help: "Records set aside in the dead letters, by cause.",
    },
    Definition {
        metric: Metric::AlertsPublished,
        name: "wattstream_alerts_published_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["rule", "phase"],
        help: "Alerts that the topic took, by rule (or silence) and by whether the episode opened or closed.",
    },
    Definition {
        metric: Metric::AlertPublishFailures,
        name: "wattstream_alert_publish_failures_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &[],
        help: "Alerts that the topic did not take; they wait and are sent again.",
    },
    Definition {
        metric: Metric::SilentSites,
        name: "wattstream_silent_sites",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &[],
        help: "Sites that have sent nothing for longer than is usual for them.",
    },
    Definition {
        metric: Metric::LogAppendedRecords,
        name: "wattstream_log_appended_records_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &[],
        help: "Records appended to the log and synced.",
    },
    Definition {
        metric: Metric::LogAppendedBytes,
        name: "wattstream_log_appended_bytes_total",
        kind: Kind::Counter,
        unit: Unit::Bytes,
        labels: &[],
        help: "Payload bytes appended to the log and synced.",
    },
    Definition {
        metric: Metric::LogSync,
        name: "wattstream_log_sync_seconds",
        kind: Kind::Histogram { buckets: SYNC_SECONDS },
        unit: Unit::Seconds,
        labels: &[],
        help: "Time to make one append durable.",
    },
    Definition {
        metric: Metric::ArchiveObjects,
        name: "wattstream_archive_objects_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &[],
        help: "Objects written to the archive.",
    },
    Definition {
        metric: Metric::ArchiveBytes,
        name: "wattstream_archive_bytes_total",
        kind: Kind::Counter,
        unit: Unit::Bytes,
        labels: &[],
        help: "Compressed bytes written to the archive.",
    },
    Definition {
        metric: Metric::ArchiveRecords,
        name: "wattstream_archive_records_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &[],
        help: "Raw records in the objects written to the archive.",
    },
    Definition {
        metric: Metric::HttpRequests,
        name: "wattstream_http_requests_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["method", "route", "status"],
        help: "Requests answered, by route template and status.",
    },
    Definition {
        metric: Metric::HttpRequestDuration,
        name: "wattstream_http_request_duration_seconds",
        kind: Kind::Histogram { buckets: REQUEST_SECONDS },
        unit: Unit::Seconds,
        labels: &["method", "route"],
        help: "Time from a request's head read to its answer's head ready.",
    },
    Definition {
        metric: Metric::SimulatorReadings,
        name: "wattstream_simulator_readings_total",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &[],
        help: "Readings that the simulator put into the log.",
    },
];

// `definition` finds a row by the metric's place in the enum.
const _: () = {
    let mut row = 0;
    while row < TABLE.len() {
        assert!(TABLE[row].metric as usize == row, "the rows are in the order of the enum");
        row += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    fn ending_of(unit: Unit) -> Option<&'static str> {
        match unit {
            Unit::Count => None,
            Unit::Seconds => Some("_seconds"),
            Unit::Milliseconds => Some("_ms"),
            Unit::Bytes => Some("_bytes"),
            other => panic!("{other:?} has no ending yet: choose one"),
        }
    }

    #[test]
    fn a_name_says_whose_it_is_its_unit_and_whether_it_only_grows() {
        for row in &TABLE {
            let name = row.name;
            assert!(name.starts_with("wattstream_"), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), row.kind == Kind::Counter, "{name}");
            let stem = name.trim_end_matches("_total");
            assert!(
                ending_of(row.unit).is_none_or(|ending| stem.ends_with(ending)),
                "{name} is in {:?}",
                row.unit
            );
        }
    }

    #[test]
    fn no_two_metrics_share_a_name() {
        let mut names: Vec<_> = TABLE.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
    }

    #[test]
    fn the_bounds_of_a_histogram_ascend() {
        for row in &TABLE {
            if let Kind::Histogram { buckets } = row.kind {
                assert!(buckets.is_sorted_by(|lower, upper| lower < upper), "{}", row.name);
            }
        }
    }

    #[test]
    fn no_label_grows_with_the_number_of_sites() {
        for row in &TABLE {
            for label in row.labels {
                assert!(!label.contains("site"), "{} has the label {label}", row.name);
            }
        }
    }
}
