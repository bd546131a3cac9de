//! Lambda functions as processes.

use std::process::{Command, Output};

use serde_json::Value;

/// Starts the function whose binary this is, with these environment variables alone, and returns the error that it ended
/// with. Panics when it did not end with one, or wrote anything to stdout, which is for metrics.
pub fn error_of_start(binary: &str, variables: &[(&str, &str)]) -> String {
    let output = Command::new(binary).env_clear().envs(variables.iter().copied()).output();
    let Output { status, stdout, stderr } = output.expect("the binary runs");
    assert_eq!((status.code(), stdout), (Some(1), Vec::new()), "it fails, and tells so in its log alone");
    let log = String::from_utf8(stderr).expect("a log is text");
    let last: Value = serde_json::from_str(log.lines().last().expect("a line")).expect("a line is JSON");
    assert_eq!(last["level"], "ERROR", "{log}");
    last["error"].as_str().expect("the line has an error").to_owned()
}
