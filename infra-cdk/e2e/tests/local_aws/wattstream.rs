//! The command line, as an operator has it: built with the feature `aws`, with the file of the stack's outputs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use wattstream_aws::AccessKey;
use wattstream_test_env::local_aws::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};

use crate::cdk::Stack;
use crate::functions::built;

/// What `doctor --aws` looks at: who asks, the bootstrap, and each resource that the outputs name.
const CHECKS_MIN: usize = 11;

pub(crate) struct Wattstream {
    environment: Vec<(&'static str, String)>,
    outputs: PathBuf,
}

impl Wattstream {
    pub(crate) fn of_stack(endpoint: &str, stack: &Stack) -> Self {
        let environment = [
            ("AWS_ENDPOINT_URL", endpoint),
            ("WATTSTREAM_ALLOW_ENDPOINT_OVERRIDE", "1"),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
        ];
        Self {
            environment: environment.map(|(name, value)| (name, value.to_owned())).into(),
            outputs: stack.outputs_file().to_owned(),
        }
    }

    /// A command, with nothing of this process's settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(built("wattstream"));
        command.args(arguments).env_clear().stdin(Stdio::null()).env("NO_COLOR", "1");
        command.envs(std::env::var("PATH").map(|path| ("PATH", path)));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command that must succeed; its stdout.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        finished(self.command(arguments), arguments)
    }

    /// The hash of the tables of a folder, once they were found to agree with each other and with their archive.
    pub(crate) fn verified_state(&self, data_dir: &Path) -> String {
        self.run(&["verify", "--data-dir", data_dir.to_str().expect("a plain name")])
    }

    /// Everything is as `doctor` wants it.
    pub(crate) fn check_doctor(&self) {
        let outputs = self.outputs.to_str().expect("a plain name");
        let told = self.run(&["doctor", "--aws", "--stack", outputs]);
        assert!(told.lines().count() >= CHECKS_MIN, "every resource is looked at:\n{told}");
    }

    /// What the deployed API tells the command line that signs its questions.
    pub(crate) fn summary(&self, api_url: &str, caller: &AccessKey) -> Value {
        let arguments = ["summary", "--format", "json", "--iam", "--url", api_url];
        let mut command = self.command(&arguments);
        command.env("AWS_ACCESS_KEY_ID", &caller.id);
        command.env("AWS_SECRET_ACCESS_KEY", &caller.secret);
        let told = finished(command, &arguments);
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
    }
}

/// Runs a command that must succeed; its stdout.
fn finished(mut command: Command, arguments: &[&str]) -> String {
    let output = command.output().expect("the program starts");
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "wattstream {arguments:?} failed:\n{stdout}\n{stderr}");
    stdout
}
