//! How the function is called: the settings that the CDK app deploys.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use wattstream_engine::{BATCH_BYTES_MAX, EventSourceSettings};

use crate::world::PATIENCE;

/// An entry of `infra-cdk/event-source.json`, which a test of the CDK app takes from the synthesised templates. A setting that
/// is new there fails the reading here, until somebody has said what it means to the event source of these tests.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Deployed {
    batch_size: usize,
    #[expect(dead_code, reason = "see the settings below")]
    maximum_batching_window_in_seconds: u64,
    bisect_batch_on_function_error: bool,
    maximum_retry_attempts: i64,
    maximum_record_age_in_seconds: i64,
    parallelization_factor: u32,
    starting_position: String,
    function_response_types: Vec<String>,
    /// The function's.
    timeout: u64,
}

#[derive(Deserialize)]
struct Stages {
    prod: Deployed,
}

/// How long the deployed function may take for a batch.
pub(crate) fn timeout() -> Duration {
    Deployed::read().timeout()
}

/// The deployed settings; but for the window, which would only cost time here, and lets no other batches come about; and for the
/// time of an invocation, because a local AWS on a busy machine is many times slower than AWS. That the largest batch is done
/// in the deployed time has a test of its own.
pub(crate) fn settings() -> EventSourceSettings {
    let deployed = Deployed::read();
    EventSourceSettings {
        batch_records_max: deployed.batch_size,
        batch_window: Duration::ZERO,
        batch_bytes_max: BATCH_BYTES_MAX,
        retry_attempts_max: limit(deployed.maximum_retry_attempts)
            .map(|attempts| attempts.try_into().expect("Lambda takes 10,000 at most")),
        bisect_on_error: deployed.bisect_batch_on_function_error,
        record_age_max: limit(deployed.maximum_record_age_in_seconds).map(Duration::from_secs),
        invocation_timeout: PATIENCE,
        shutdown_wait_max: PATIENCE,
        jitter_seed: 1,
    }
}

impl Deployed {
    fn read() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra-cdk/event-source.json");
        let text = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let Stages { prod } =
            serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        // What the event source of these tests does not leave open.
        assert_eq!(prod.starting_position, "TRIM_HORIZON");
        assert_eq!(prod.function_response_types, ["ReportBatchItemFailures"]);
        assert_eq!(prod.parallelization_factor, 1);
        prod
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

/// In the words of Lambda, -1 is no limit.
fn limit(setting: i64) -> Option<u64> {
    setting.try_into().ok()
}
