//! The recorder of a Lambda function: CloudWatch's embedded metric format, JSON lines on stdout that CloudWatch Logs turns
//! into metrics. What must always hold: the metrics are those of the one table, under their names of `/metrics`; what
//! an invocation has counted is written before its reply, because nothing runs between invocations.

use std::io::{self, Write};

use metrics_cloudwatch_embedded::{Builder, Collector};

use crate::metric::describe_all;

/// The namespace of all metrics in CloudWatch.
pub const EMF_NAMESPACE: &str = "wattstream";

/// Why metrics could not be set up.
#[derive(Debug, thiserror::Error)]
#[error(
    "metrics were already set up in this process, or could not be: {0}; call install_emf once, from main"
)]
pub struct EmfError(String);

/// Writes what the process has reported.
#[derive(Clone, Copy)]
pub struct EmfExporter {
    collector: &'static Collector,
}

/// Makes the whole process report to the exporter that is returned. Each metric has `function`, the name of the function, as a
/// dimension.
pub fn install_emf(function: &str) -> Result<EmfExporter, EmfError> {
    let collector = Builder::new()
        .cloudwatch_namespace(EMF_NAMESPACE)
        .with_dimension("function", function.to_owned())
        .init()
        .map_err(|error| EmfError(error.to_string()))?;
    describe_all();
    Ok(EmfExporter { collector })
}

impl EmfExporter {
    /// Writes what was reported since the last flush to stdout: one line for each set of labels that has something new.
    pub fn flush(&self, request_id: &str) {
        let written = self.flush_to(io::stdout().lock(), request_id);
        if let Err(error) = written {
            tracing::warn!(%error, "The metrics of this invocation could not be written.");
        }
    }

    fn flush_to(self, mut out: impl Write, request_id: &str) -> io::Result<()> {
        self.collector.set_property("request_id", request_id).flush(&mut out)?;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::BatchProcessed;
    use crate::{BatchOutcome, RecordCounts};

    #[test]
    fn a_flush_tells_what_is_new_with_its_unit_and_its_request() {
        let exporter = install_emf("stream-consumer").unwrap();
        let records = RecordCounts { in_order: 998, duplicate: 2, ..RecordCounts::default() };
        let (shard, outcome) = ("shardId-000000000000", BatchOutcome::Processed);
        BatchProcessed { shard, outcome, records, duration: Duration::from_millis(7) }.emit();
        let mut lines = Vec::new();
        exporter.flush_to(&mut lines, "request-1").unwrap();
        let lines = String::from_utf8(lines).unwrap();
        let read = lines.lines().find(|line| line.contains(r#""outcome":"in_order""#)).unwrap();
        for part in [
            r#""Namespace":"wattstream""#,
            r#""function":"stream-consumer""#,
            r#""request_id":"request-1""#,
            r#""wattstream_records_read_total":998"#,
        ] {
            assert!(read.contains(part), "{part} is not in {read}");
        }
        assert!(
            lines.contains(r#"{"Name":"wattstream_batch_duration_seconds","Unit":"Seconds"}"#),
            "{lines}"
        );

        let mut again = Vec::new();
        exporter.flush_to(&mut again, "request-2").unwrap();
        assert!(again.is_empty(), "{}", String::from_utf8_lossy(&again));
    }
}
