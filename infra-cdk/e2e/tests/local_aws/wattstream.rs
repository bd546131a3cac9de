//! The command line, as an operator has it: built with the feature `aws`, in an environment made of the outputs of the stack.

use std::path::Path;
use std::process::{Command, Stdio};

use wattstream_test_env::local_aws::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};

use crate::cdk::Stack;
use crate::functions::built;

/// Variables of `doctor --aws`, and the outputs that name their resources.
const NAMES: [(&str, &str); 10] = [
    ("WATTSTREAM_STREAM", "StreamName"),
    ("WATTSTREAM_READINGS_TABLE", "ReadingsTable"),
    ("WATTSTREAM_HOURS_TABLE", "HoursTable"),
    ("WATTSTREAM_SITES_TABLE", "SitesTable"),
    ("WATTSTREAM_SHARDS_TABLE", "ShardsTable"),
    ("WATTSTREAM_ALERTS_TABLE", "AlertsTable"),
    ("WATTSTREAM_SILENCES_TABLE", "SilencesTable"),
    ("WATTSTREAM_ALERTS_TOPIC_ARN", "AlertsTopicArn"),
    ("WATTSTREAM_DEAD_LETTERS_QUEUE_URL", "DeadLettersQueueUrl"),
    ("WATTSTREAM_ON_FAILURE_QUEUE_URL", "OnFailureQueueUrl"),
];

pub(crate) struct Wattstream {
    environment: Vec<(&'static str, String)>,
}

impl Wattstream {
    pub(crate) fn with_environment(endpoint: &str, stack: &Stack) -> Self {
        let access = [
            ("AWS_ENDPOINT_URL", endpoint),
            ("WATTSTREAM_ALLOW_ENDPOINT_OVERRIDE", "1"),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
        ];
        let names = NAMES.map(|(variable, output)| (variable, stack.output(output)));
        let all = access.into_iter().chain(names);
        Self { environment: all.map(|(name, value)| (name, value.to_owned())).collect() }
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
        let output = self.command(arguments).output().expect("the program starts");
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(output.status.success(), "wattstream {arguments:?} failed:\n{stdout}\n{stderr}");
        stdout
    }

    /// The hash of the tables of a folder, once they were found to agree with each other and with their archive.
    pub(crate) fn verified_state(&self, data_dir: &Path) -> String {
        self.run(&["verify", "--data-dir", data_dir.to_str().expect("a plain name")])
    }

    /// Everything is as `doctor` wants it.
    pub(crate) fn check_doctor(&self) {
        let told = self.run(&["doctor", "--aws"]);
        assert!(told.lines().count() >= NAMES.len(), "every resource is looked at:\n{told}");
    }
}
