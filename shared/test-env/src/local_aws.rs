//! AWS on this machine, for tests: [`ministack()`] answers for DynamoDB, SNS and SQS, [`kinesis_local()`] for Kinesis, and
//! [`moto()`] gives a second opinion. `local-aws/README.md` tells how far each can be trusted.
//!
//! ```no_run
//! # use wattstream_test_env::local_aws;
//! // In `tests/local_aws.rs`, or in a module `local_aws`:
//! let Some(aws) = local_aws::ministack() else { return };
//! // An SDK client for `aws.url()`, with `local_aws::REGION`, `ACCESS_KEY_ID` and `SECRET_ACCESS_KEY`.
//! ```
//!
//! Each call starts a server of the test's own, empty, in about half a second, and blocks meanwhile: call it first, also
//! in an async test. The server ends when its [`Server`] is dropped, and when the test's process ends in any other way.

mod installation;
mod program;
mod server;

use std::{env, process::Command};

pub use self::{
    installation::{Installation, NotInstalled, PINS, folder},
    program::Program,
    server::{Server, StartError},
};

/// The region to ask for. Any would do.
pub const REGION: &str = "us-east-1";

/// The credentials to sign with. Any would do: nobody checks them.
pub const ACCESS_KEY_ID: &str = "test";

/// As [`ACCESS_KEY_ID`].
pub const SECRET_ACCESS_KEY: &str = "test";

/// DynamoDB, SNS, SQS and more, empty. `None`, loudly, when it is not installed.
pub fn ministack() -> Option<Server> {
    start(Program::Ministack)
}

/// Kinesis, empty: shards that split and merge as on AWS. `None`, loudly, when it is not installed.
pub fn kinesis_local() -> Option<Server> {
    start(Program::KinesisLocal)
}

/// A second opinion on DynamoDB, SNS and SQS, empty. `None`, loudly, when it is not installed.
pub fn moto() -> Option<Server> {
    start(Program::Moto)
}

/// Python with boto3 and aws_kinesis_agg, credentials set and no other settings of AWS about. `None`, loudly, when it is
/// not installed.
pub fn python() -> Option<Command> {
    installed_or_skipped().map(|installation| installation.python())
}

/// One call of boto3, as `aws SERVICE OPERATION` would make it: parameters and answer are JSON, as local-aws/call.py has it.
/// Panics when there is no answer, or no local AWS is installed: a test calls a server that it has started.
pub fn call(url: &str, service: &str, operation: &str, parameters: &str) -> String {
    let installation = Installation::find(folder()).unwrap_or_else(|missing| panic!("{missing}"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/local-aws/call.py");
    let output = installation.python().arg(script).args([url, service, operation, parameters]).output();
    let output = output.expect("Python starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{service} {operation} {parameters}: {stderr}");
    String::from_utf8(output.stdout).expect("JSON is UTF-8")
}

fn start(program: Program) -> Option<Server> {
    let installation = installed_or_skipped()?;
    insist_on_test_group();
    Some(Server::start(&installation, program).unwrap_or_else(|error| panic!("{error}")))
}

fn installed_or_skipped() -> Option<Installation> {
    Installation::find(folder()).map_err(|missing| crate::skip(&missing.to_string())).ok()
}

/// nextest would start as many servers at once as there are processors, were it not for a group of these tests.
fn insist_on_test_group() {
    assert!(
        env::var_os("NEXTEST_TEST_GROUP").is_none_or(|group| group == "local-aws"),
        "a test that starts a local AWS belongs into tests/local_aws.rs or into a module `local_aws`: that is how \
         .config/nextest.toml finds it, to run only a few at once"
    );
}
