//! What every command that asks AWS begins with.
//!
//! Credentials, region and profile are those that every other tool of AWS would take; endpoints of the environment count
//! where `WATTSTREAM_ALLOW_ENDPOINT_OVERRIDE=1` allows them.

use tokio::runtime::Runtime;
use wattstream_aws::Environment;
use wattstream_telemetry::{LogFormat, init_logging};

/// What is logged unless `WATTSTREAM_LOG` says otherwise.
const LOG_DEFAULT: &str = "warn";

/// Runs `work` with the environment of this process. What the adapters have to say goes to stderr.
pub(crate) fn block_on<T>(work: impl AsyncFnOnce(Environment) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let (environment, runtime) = begin()?;
    runtime.block_on(work(environment))
}

/// The environment, and what runs the calls of a command that waits for each.
pub(crate) fn begin() -> anyhow::Result<(Environment, Runtime)> {
    let environment = Environment::of_this_process();
    init_logging(environment.optional("WATTSTREAM_LOG").unwrap_or(LOG_DEFAULT), LogFormat::Human)?;
    Ok((environment, tokio::runtime::Builder::new_current_thread().enable_all().build()?))
}
