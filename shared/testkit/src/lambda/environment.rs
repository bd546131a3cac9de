//! One execution environment: a process of the function, and the Runtime API that it polls.
//!
//! What must always hold: whatever the process does, an invocation comes to an end: with an answer, with the process, or at
//! the timeout. After the last two the environment is of no more use.

use std::io;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use tokio::time::{Instant, timeout};

use super::process::{Log, Process};
use super::runtime_api::RuntimeApi;

/// How an invocation failed, in Lambda's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// The function said so; the environment is used again.
    #[error("the function failed: {error_type}: {message}")]
    Unhandled {
        /// The kind of the error.
        error_type: String,
        /// The function's own words.
        message: String,
    },
    /// There was no answer in time, and the process was killed.
    #[error("Task timed out after {0:?}")]
    TimedOut(Duration),
    /// The process ended before it answered.
    #[error("Runtime exited before it answered")]
    Exited,
    /// The process did not come as far as to ask for an invocation.
    #[error("the function did not start: {0}")]
    NotStarted(String),
    /// The payload is larger than what Lambda takes.
    #[error("{0} bytes exceed the 6291456 bytes of a request or a response")]
    TooLarge(usize),
}

/// An environment that has asked for an invocation.
#[derive(Debug)]
pub(super) struct Environment {
    api: RuntimeApi,
    process: Arc<Process>,
    /// How long it took from the start of the process to its first question.
    pub(super) start_took: Duration,
}

impl Environment {
    /// Starts the process, which finds the API by its environment, and waits until it asks.
    pub(super) async fn start(
        mut command: Command,
        log: &Log,
        limit: Duration,
    ) -> Result<Self, FunctionError> {
        let failed = |error: io::Error| FunctionError::NotStarted(error.to_string());
        let api = RuntimeApi::start().await.map_err(failed)?;
        command.env("AWS_LAMBDA_RUNTIME_API", api.address().to_string());
        let start = Instant::now();
        let process = Arc::new(Process::start(&mut command, log).map_err(failed)?);
        let polled = async {
            tokio::select! {
                biased;
                () = api.first_poll() => Ok(()),
                () = process.end() => {
                    let report = api.failed_start().map(|report| report.error_message);
                    Err(FunctionError::NotStarted(report.unwrap_or_else(|| "the process ended".to_owned())))
                }
            }
        };
        timeout(limit, polled).await.unwrap_or(Err(FunctionError::TimedOut(limit)))?;
        Ok(Self { api, process, start_took: start.elapsed() })
    }

    /// A handle on its process.
    pub(super) fn process(&self) -> &Arc<Process> {
        &self.process
    }

    /// Invokes the function.
    pub(super) async fn invoke(
        &self,
        request_id: String,
        payload: Bytes,
        limit: Duration,
    ) -> Result<Bytes, FunctionError> {
        let answered = self.api.invoke(request_id, payload, limit);
        let answer = async {
            tokio::select! {
                biased;
                answer = answered => answer.map_err(|_| FunctionError::Exited),
                () = self.process.end() => Err(FunctionError::Exited),
            }
        };
        let answer = timeout(limit, answer).await.unwrap_or(Err(FunctionError::TimedOut(limit)))?;
        answer.map_err(|report| FunctionError::Unhandled {
            error_type: report.error_type,
            message: report.error_message,
        })
    }
}
