//! What each event writes into `/metrics` and into the log. The table `EVENTS` holds every event once, so that a
//! metric which nothing emits, or an event whose labels differ from the metric table, fails here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use tracing::{
    Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

use super::*;
use crate::{Kind, PrometheusExporter};

const SHARD: &str = "shardId-000000000003";

struct Expected {
    emit: fn(),
    /// Lines of `/metrics`.
    lines: &'static [&'static str],
    /// Level and message of the log line, if there is one.
    log: Option<(Level, &'static str)>,
}

const EVENTS: &[Expected] = &[
    Expected {
        emit: || ProcessStarted { version: "1.2.3" }.emit(),
        lines: &[r#"wattstream_build_info{version="1.2.3"} 1"#],
        log: Some((Level::INFO, "The process started.")),
    },
    Expected {
        emit: || batch(BatchOutcome::Processed).emit(),
        lines: &[
            r#"wattstream_records_read_total{outcome="in_order"} 1"#,
            r#"wattstream_records_read_total{outcome="late"} 2"#,
            r#"wattstream_records_read_total{outcome="duplicate"} 3"#,
            r#"wattstream_records_read_total{outcome="revision"} 4"#,
            r#"wattstream_records_read_total{outcome="already_folded"} 5"#,
            r#"wattstream_records_read_total{outcome="rejected"} 6"#,
            r#"wattstream_batches_total{outcome="processed"} 1"#,
            r#"wattstream_batch_duration_seconds_bucket{le="0.01"} 0"#,
            r#"wattstream_batch_duration_seconds_bucket{le="0.025"} 1"#,
            "wattstream_batch_records_sum 21",
        ],
        log: Some((Level::DEBUG, "A batch was processed.")),
    },
    Expected {
        emit: || batch(BatchOutcome::PartlyFailed).emit(),
        lines: &[r#"wattstream_batches_total{outcome="partly_failed"} 1"#],
        log: Some((Level::WARN, "A batch failed and will be delivered again.")),
    },
    Expected {
        emit: || batch(BatchOutcome::Failed).emit(),
        lines: &[r#"wattstream_batches_total{outcome="failed"} 1"#],
        log: Some((Level::WARN, "A batch failed and will be delivered again.")),
    },
    Expected {
        emit: || RecordsRejected { shard: SHARD, reason: "timestamp_without_offset", records: 7 }.emit(),
        lines: &[r#"wattstream_records_rejected_total{reason="timestamp_without_offset"} 7"#],
        log: Some((Level::WARN, "Records were rejected and set aside.")),
    },
    Expected {
        emit: || SiteStatesFound { cached: 9, loaded: 1 }.emit(),
        lines: &[
            r#"wattstream_site_states_total{source="cache"} 9"#,
            r#"wattstream_site_states_total{source="store"} 1"#,
        ],
        log: None,
    },
    Expected {
        emit: || CommitConflicted { shard: SHARD, attempt: 2 }.emit(),
        lines: &[r#"wattstream_commit_conflicts_total{shard="shardId-000000000003"} 1"#],
        log: Some((Level::WARN, "A commit lost to another writer and is folded again.")),
    },
    Expected {
        emit: || ShardLagMeasured { shard: SHARD, lag_ms: 1_500 }.emit(),
        lines: &[r#"wattstream_shard_lag_ms{shard="shardId-000000000003"} 1500"#],
        log: None,
    },
    Expected {
        emit: || ShardRecordsTaken { shard: SHARD, records: 12 }.emit(),
        lines: &[r#"wattstream_shard_records_total{shard="shardId-000000000003"} 12"#],
        log: None,
    },
    Expected {
        emit: || {
            BatchRetried {
                shard: SHARD,
                attempt: 1,
                delay: Duration::from_millis(200),
                error: &"store away",
            }
            .emit();
        },
        lines: &[r#"wattstream_event_source_retries_total{shard="shardId-000000000003"} 1"#],
        log: Some((Level::WARN, "A batch will be delivered again.")),
    },
    Expected {
        emit: || BatchBisected { shard: SHARD, records: 100 }.emit(),
        lines: &[r#"wattstream_event_source_bisections_total{shard="shardId-000000000003"} 1"#],
        log: Some((Level::WARN, "A failing batch was halved to close in on the record at fault.")),
    },
    Expected {
        emit: || DeadLettersStored { shard: SHARD, cause: DeadLetterCause::Rejected, letters: 3 }.emit(),
        lines: &[r#"wattstream_dead_letters_total{cause="rejected"} 3"#],
        log: Some((Level::DEBUG, "Dead letters were stored.")),
    },
    Expected {
        emit: || DeadLettersStored { shard: SHARD, cause: DeadLetterCause::TooOld, letters: 3 }.emit(),
        lines: &[r#"wattstream_dead_letters_total{cause="too_old"} 3"#],
        log: Some((Level::ERROR, "Records could not be processed; redrive them from the dead letters.")),
    },
    Expected {
        emit: || {
            DeadLettersStored { shard: SHARD, cause: DeadLetterCause::EngineFailed, letters: 3 }.emit();
        },
        lines: &[r#"wattstream_dead_letters_total{cause="engine_failed"} 3"#],
        log: Some((Level::ERROR, "Records could not be processed; redrive them from the dead letters.")),
    },
    Expected {
        emit: || {
            DeadLettersStored { shard: SHARD, cause: DeadLetterCause::RetriesExhausted, letters: 3 }.emit();
        },
        lines: &[r#"wattstream_dead_letters_total{cause="retries_exhausted"} 3"#],
        log: Some((Level::ERROR, "Records could not be processed; redrive them from the dead letters.")),
    },
    Expected {
        emit: || AlertsPublished { rule: "negative", phase: AlertPhase::Opened, alerts: 2 }.emit(),
        lines: &[r#"wattstream_alerts_published_total{rule="negative",phase="opened"} 2"#],
        log: Some((Level::INFO, "Alerts were published.")),
    },
    Expected {
        emit: || AlertsPublished { rule: "gap", phase: AlertPhase::Closed, alerts: 1 }.emit(),
        lines: &[r#"wattstream_alerts_published_total{rule="gap",phase="closed"} 1"#],
        log: Some((Level::INFO, "Alerts were published.")),
    },
    Expected {
        emit: || AlertPublishFailed { alerts: 2, error: &"topic away" }.emit(),
        lines: &["wattstream_alert_publish_failures_total 2"],
        log: Some((Level::WARN, "Alerts were not published; they wait and are sent again.")),
    },
    Expected {
        emit: || SilencesChecked { silent: 3, duration: Duration::from_millis(2) }.emit(),
        lines: &["wattstream_silent_sites 3"],
        log: Some((Level::DEBUG, "Silent sites were looked for.")),
    },
    Expected {
        emit: || LogAppended { records: 10, bytes: 1_200, sync: Duration::from_micros(300) }.emit(),
        lines: &[
            "wattstream_log_appended_records_total 10",
            "wattstream_log_appended_bytes_total 1200",
            r#"wattstream_log_sync_seconds_bucket{le="0.00025"} 0"#,
            r#"wattstream_log_sync_seconds_bucket{le="0.0005"} 1"#,
        ],
        log: Some((Level::DEBUG, "Records were appended to the log.")),
    },
    Expected {
        emit: || ArchiveObjectWritten { key: "raw/2025/06/20/00/a.gz", records: 10, bytes: 400 }.emit(),
        lines: &[
            "wattstream_archive_objects_total 1",
            "wattstream_archive_records_total 10",
            "wattstream_archive_bytes_total 400",
        ],
        log: Some((Level::DEBUG, "An archive object was written.")),
    },
    Expected {
        emit: || request("GET", Some("/records/{site_id}"), 200).emit(),
        lines: &[
            r#"wattstream_http_requests_total{method="GET",route="/records/{site_id}",status="200"} 1"#,
            r#"wattstream_http_request_duration_seconds_count{method="GET",route="/records/{site_id}"} 1"#,
        ],
        log: Some((Level::DEBUG, "A request was answered.")),
    },
    Expected {
        emit: || request("BREW", None, 503).emit(),
        lines: &[r#"wattstream_http_requests_total{method="other",route="unmatched",status="503"} 1"#],
        log: Some((Level::WARN, "A request failed.")),
    },
    Expected {
        emit: || SimulatorEmitted { readings: 12 }.emit(),
        lines: &["wattstream_simulator_readings_total 12"],
        log: Some((Level::DEBUG, "The simulator emitted readings.")),
    },
];

fn batch(outcome: BatchOutcome) -> BatchProcessed<'static> {
    let records =
        RecordCounts { in_order: 1, late: 2, duplicate: 3, revision: 4, already_folded: 5, rejected: 6 };
    BatchProcessed { shard: SHARD, outcome, records, duration: Duration::from_millis(12) }
}

fn request(method: &'static str, route: Option<&'static str>, status: u16) -> HttpRequestServed<'static> {
    HttpRequestServed { method, route, status, duration: Duration::from_millis(3) }
}

#[test]
fn each_event_writes_its_metrics_and_its_log_line() {
    for expected in EVENTS {
        let (logged, exporter) = PrometheusExporter::scoped(|| logged_by(expected.emit));
        let text = exporter.render();
        for line in expected.lines {
            assert!(text.lines().any(|found| found == *line), "{line} is missing from\n{text}");
        }
        let logged: Vec<_> = logged.iter().map(|(level, message)| (*level, message.as_str())).collect();
        assert_eq!(logged, expected.log.into_iter().collect::<Vec<_>>(), "{:?}", expected.lines);
    }
}

#[test]
fn each_metric_is_emitted_by_an_event_with_the_labels_of_the_table() {
    let ((), exporter) = PrometheusExporter::scoped(emit_all);
    let found = labels_by_series(&exporter.render());
    for row in Metric::all().map(Metric::definition) {
        let series = match row.kind {
            Kind::Histogram { .. } => format!("{}_count", row.name),
            Kind::Counter | Kind::Gauge => row.name.to_owned(),
        };
        let labels = row.labels.iter().map(|label| (*label).to_owned()).collect();
        assert_eq!(found.get(&series), Some(&BTreeSet::from([labels])), "labels of {series}");
    }
}

#[test]
fn each_metric_is_described_and_histograms_are_no_summaries() {
    let ((), exporter) = PrometheusExporter::scoped(emit_all);
    let text = exporter.render();
    for row in Metric::all().map(Metric::definition) {
        assert!(text.contains(&format!("# HELP {} {}\n", row.name, row.help)), "help of {}", row.name);
        assert!(text.contains(&format!("# TYPE {} {}\n", row.name, row.kind.name())), "type of {}", row.name);
    }
}

#[test]
fn a_message_is_a_sentence() {
    for (_, message) in EVENTS.iter().filter_map(|event| event.log) {
        assert!(message.starts_with(char::is_uppercase) && message.ends_with('.'), "{message}");
    }
}

#[test]
fn without_a_recorder_or_a_subscriber_an_event_is_harmless() {
    emit_all();
}

fn emit_all() {
    for event in EVENTS {
        (event.emit)();
    }
}

/// The label names seen with each series of a Prometheus text, in the order of the text.
fn labels_by_series(text: &str) -> BTreeMap<String, BTreeSet<Vec<String>>> {
    let mut found = BTreeMap::<_, BTreeSet<_>>::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let series = line.rsplit_once(' ').unwrap().0;
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        // A value never holds `="` here, so what stands before one is a label's name.
        let mut names: Vec<_> =
            labels.split("=\"").map(|part| part.rsplit([',', '{']).next().unwrap()).collect();
        names.pop();
        found.entry(name.to_owned()).or_default().insert(names.into_iter().map(str::to_owned).collect());
    }
    found
}

fn logged_by(work: impl FnOnce()) -> Vec<(Level, String)> {
    let lines = Lines::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(lines.clone()), work);
    let lines = lines.0.lock().unwrap();
    lines.clone()
}

/// Keeps level and message of each log line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<(Level, String)>>>);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut message = Message::default();
        event.record(&mut message);
        self.0.lock().unwrap().push((*event.metadata().level(), message.0));
    }
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
