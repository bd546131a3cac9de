//! What wattstream tells about itself: logs, and metrics in the Prometheus text format.
//!
//! ```text
//! engine, embedded, query-api, up ──► event ──┬─► tracing ──► logging: stderr, human lines or JSON
//!                                             └─► metric  ─┬─► prometheus: the body of GET /metrics
//!                                                          └─► emf: CloudWatch's lines on a Lambda's stdout
//! ```
//!
//! What must always hold:
//! - Each thing worth telling is a struct in [`event`]; its `emit` drives the log line and the metrics together, so
//!   that the two never disagree. No other crate names a metric; clippy bans the raw macros.
//! - Each metric is a row of the one table behind [`Metric`]: name, kind, unit, labels and help. `docs/metrics.md` is
//!   written from it.
//! - A label has few values: a shard, a reason code, a route template. Never a site, a path or a message.
//! - Telling never fails and never blocks: without a recorder or a subscriber an event costs next to nothing.
//! - This crate reads no environment variable and no clock for a metric: filters and durations come from the caller.
//!
//! ```
//! use std::time::Duration;
//! use wattstream_telemetry::{BatchOutcome, PrometheusExporter, RecordCounts, event::BatchProcessed};
//!
//! let (_, exporter) = PrometheusExporter::scoped(|| {
//!     BatchProcessed {
//!         shard: "shardId-000000000000",
//!         outcome: BatchOutcome::Processed,
//!         records: RecordCounts { in_order: 998, duplicate: 2, ..RecordCounts::default() },
//!         duration: Duration::from_millis(7),
//!     }
//!     .emit();
//! });
//! assert!(exporter.render().contains(r#"wattstream_records_read_total{outcome="in_order"} 998"#));
//! ```

#[cfg(feature = "emf")]
mod emf;
pub mod event;
mod logging;
mod metric;
mod prometheus;

#[cfg(feature = "emf")]
pub use emf::{EMF_NAMESPACE, EmfError, EmfExporter, install_emf};
pub use event::{AlertPhase, BatchOutcome, DeadLetterCause, RecordCounts};
pub use logging::{LogFormat, LoggingError, init_logging, init_logging_to};
pub use metric::{Definition, Kind, Metric, describe_all};
pub use prometheus::{PrometheusError, PrometheusExporter, install_prometheus};
