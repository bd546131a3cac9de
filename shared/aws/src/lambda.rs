//! The shell around every Lambda function: what surrounds its handler at the start and at each invocation.
//!
//! What must always hold: a start with a missing or bad setting fails at once, with one message that names them all; a
//! handler's calls end before the invocation's deadline; its metrics are written before its reply; a panic or an error
//! fails that invocation only.

use std::future::Future;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::Instant;
use wattstream_telemetry::event::ProcessStarted;
use wattstream_telemetry::{EmfExporter, LogFormat, init_logging_to, install_emf};

use crate::{Clients, Environment, deadline};

/// The time that is kept back at the end of an invocation: for the reply, and for requests to be given up in good order.
pub const DEADLINE_MARGIN: Duration = Duration::from_millis(500);

/// What is logged unless `WATTSTREAM_LOG` says otherwise.
const LOG_DEFAULT: &str = "info";

/// What Lambda calls the function. It is the dimension of its metrics: two stages in one account are told apart by it.
const NAME_VARIABLE: &str = "AWS_LAMBDA_FUNCTION_NAME";

/// Why a function could not start, or stopped.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// A function that has started, and has not yet asked for an invocation.
pub struct Function {
    /// Its settings.
    pub environment: Environment,
    /// Its clients.
    pub clients: Clients,
    exporter: EmfExporter,
}

/// The life of a function: it starts, and `serve` asks for invocations until Lambda ends the process. An
/// error is logged and ends the process with a failure, so that Lambda sees that it did not start.
///
/// There is one thread, because there is one invocation at a time: a second one would only cost memory and locks.
pub fn run(serve: impl AsyncFnOnce(Function) -> Result<(), StartError>) -> ExitCode {
    let live = async { serve(Function::start().await?).await };
    let lived = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StartError::from)
        .and_then(|runtime| runtime.block_on(live));
    match lived {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "The function cannot run.");
            ExitCode::FAILURE
        }
    }
}

impl Function {
    /// Sets up logs, metrics and clients.
    async fn start() -> Result<Self, StartError> {
        let mut environment = Environment::of_this_process();
        let filter = environment.optional("WATTSTREAM_LOG").unwrap_or(LOG_DEFAULT);
        // Lambda takes both streams into one log; metrics go to stdout, which must hold whole lines.
        let log_to_stderr = |filter| init_logging_to(std::io::stderr, filter, LogFormat::Json);
        if let Err(bad_filter) = log_to_stderr(filter) {
            // Without a log nobody would hear of it.
            log_to_stderr(LOG_DEFAULT)?;
            return Err(bad_filter.into());
        }
        let exporter = install_emf(&environment.required(NAME_VARIABLE))?;
        ProcessStarted { version: env!("CARGO_PKG_VERSION") }.emit();
        let clients = Clients::from_environment(&environment).await?;
        Ok(Self { environment, clients, exporter })
    }

    /// Answers invocations with what `handle` makes of their events, until Lambda ends the process.
    pub async fn serve<R, E, H>(self, handle: H) -> Result<(), StartError>
    where
        R: Serialize,
        E: std::error::Error,
        H: AsyncFn(Box<RawValue>) -> Result<R, E>,
    {
        let (exporter, handle) = (self.exporter, &handle);
        lambda_runtime::run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
            let handled = within_invocation(exporter, &event.context, handle(event.payload)).await;
            handled.map_err(|error| diagnose(&error))
        }))
        .await
    }
}

/// Runs the work of one invocation under its deadline, and writes its metrics.
async fn within_invocation<F: Future>(exporter: EmfExporter, context: &Context, work: F) -> F::Output {
    let output = deadline::within(deadline_of(context), work).await;
    exporter.flush(&context.request_id);
    output
}

/// What Lambda is told of an error: the name of its type, and its own words.
fn diagnose<E: std::error::Error>(error: &E) -> Diagnostic {
    tracing::error!(%error, "The invocation failed.");
    let path = std::any::type_name::<E>();
    let error_type = path.rsplit("::").next().unwrap_or(path).to_owned();
    Diagnostic { error_type, error_message: error.to_string() }
}

/// The instant by which the work of an invocation must be done.
fn deadline_of(context: &Context) -> Instant {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let left = Duration::from_millis(context.deadline).saturating_sub(now);
    Instant::now() + left.saturating_sub(DEADLINE_MARGIN)
}
