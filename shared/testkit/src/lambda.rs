//! Lambda on this machine: the real binary of a function as a process, with the Runtime API that it polls.
//!
//! ```text
//!   event source ──► LambdaConsumer ──► Function ──► environment: Runtime API ◄── next, response, error ── process
//!                    event, reply         └────────► environment: ...
//! ```
//!
//! - [`Function`]: invocations, each in an environment of its own while it lasts, with the function's timeout.
//! - [`LambdaConsumer`]: what an event source mapping of a Kinesis stream does: a batch becomes an event, and the reply is
//!   read as Lambda reads it ([`batch_reply`]).
//! - [`error_of_start`]: a function that cannot start.
//!
//! What must always hold: the process is told only what Lambda tells it, by the environment and by the Runtime API of
//! 2018-06-01; no process outlives its [`Function`].

mod consumer;
mod environment;
mod function;
mod process;
mod runtime_api;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

pub use self::consumer::{LambdaConsumer, VoidReply, batch_reply, kinesis_event};
pub use self::environment::FunctionError;
pub use self::function::{Function, FunctionSettings};

/// Starts the function whose binary this is, with these environment variables alone, and returns the error that it ended
/// with. Panics when it did not end with one, or wrote anything to stdout, which is for metrics.
pub fn error_of_start(binary: impl AsRef<Path>, variables: &[(&str, &str)]) -> String {
    let output = Command::new(binary.as_ref()).env_clear().envs(variables.iter().copied()).output();
    let Output { status, stdout, stderr } = output.expect("the binary runs");
    assert_eq!((status.code(), stdout), (Some(1), Vec::new()), "it fails, and tells so in its log alone");
    let log = String::from_utf8(stderr).expect("a log is text");
    let last: Value = serde_json::from_str(log.lines().last().expect("a line")).expect("a line is JSON");
    assert_eq!(last["level"], "ERROR", "{log}");
    last["error"].as_str().expect("the line has an error").to_owned()
}
