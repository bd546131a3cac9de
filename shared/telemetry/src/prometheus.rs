//! The recorder behind `GET /metrics`. What must always hold: every histogram of the table renders as a histogram with
//! its own bounds, never as a summary, which could not be added up over processes; no listener and no thread is
//! started here: the caller serves [`PrometheusExporter::render`] and calls [`PrometheusExporter::run_upkeep`].

use metrics::SetRecorderError;
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use crate::metric::{Kind, Metric, describe_all};

/// Why metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum PrometheusError {
    /// The table gives a histogram no bounds.
    #[error("the bounds of histogram {name} were refused; mend its row of the metric table")]
    Bounds {
        /// The metric.
        name: &'static str,
        /// What the exporter says.
        source: BuildError,
    },
    /// Something else has set the process's recorder.
    #[error("metrics were already set up in this process; call install_prometheus once, from main")]
    AlreadyInstalled(#[source] SetRecorderError<PrometheusRecorder>),
}

/// What has been reported so far, as Prometheus text. Cheap to clone; all clones show the same.
#[derive(Clone)]
pub struct PrometheusExporter {
    handle: PrometheusHandle,
}

/// Makes the whole process report to the exporter that is returned.
pub fn install_prometheus() -> Result<PrometheusExporter, PrometheusError> {
    let recorder = recorder()?;
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(PrometheusError::AlreadyInstalled)?;
    describe_all();
    Ok(PrometheusExporter { handle })
}

impl PrometheusExporter {
    /// The body of `GET /metrics`, in the text format 0.0.4.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Moves observations from their buffers into the histograms. Call it every few seconds: without it, and without
    /// anybody asking for `/metrics`, the buffers grow.
    pub fn run_upkeep(&self) {
        self.handle.run_upkeep();
    }

    /// Runs `work` and returns what it reported from this thread, apart from the process's own recorder: for tests,
    /// which share a process.
    pub fn scoped<T>(work: impl FnOnce() -> T) -> (T, Self) {
        let recorder =
            recorder().expect("the bounds of the table are not empty: a test renders each histogram");
        let handle = recorder.handle();
        let result = metrics::with_local_recorder(&recorder, || {
            describe_all();
            work()
        });
        (result, Self { handle })
    }
}

fn recorder() -> Result<PrometheusRecorder, PrometheusError> {
    let mut builder = PrometheusBuilder::new();
    for row in Metric::all().map(Metric::definition) {
        if let Kind::Histogram { buckets } = row.kind {
            builder = builder
                .set_buckets_for_metric(Matcher::Full(row.name.to_owned()), buckets)
                .map_err(|source| PrometheusError::Bounds { name: row.name, source })?;
        }
    }
    Ok(builder.build_recorder())
}
