//! The CDK's command line, as somebody runs it who deploys the app: in `infra-cdk`, against a local AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use wattstream_test_env::local_aws::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};
use wattstream_test_env::skip;

use crate::aws::Aws;
use crate::functions::architecture;

const ACCOUNT: &str = "000000000000";
/// The stage that is deployed.
pub(crate) const STAGE: &str = "dev";

/// The app and the CDK, with a folder for everything that this test leaves.
pub(crate) struct Cdk {
    app: PathBuf,
    endpoint: String,
    scratch: TempDir,
}

impl Cdk {
    /// `None`, loudly, where the packages of the app are not installed.
    pub(crate) fn find(endpoint: &str) -> Option<Self> {
        let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the app's folder");
        if !app.join("node_modules/.bin/cdk").exists() {
            skip("the packages of infra-cdk are not installed; `cargo xtask e2e` installs them");
            return None;
        }
        let scratch = tempfile::tempdir().expect("a folder");
        Some(Self { app, endpoint: endpoint.to_owned(), scratch })
    }

    /// A folder that goes with the test.
    pub(crate) fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Makes what the CDK needs in an account.
    pub(crate) fn bootstrap(&self) {
        // Beside the app: in its folder the CDK would synthesise it first, to find out what it is told here.
        self.run(self.folder(), &["bootstrap", &format!("aws://{ACCOUNT}/{REGION}")]);
    }

    /// Deploys both stacks.
    pub(crate) fn deploy(&self, functions: &Path) -> Stack {
        let outputs = self.folder().join("outputs.json");
        let functions = format!("functions={}", text(functions));
        let [stage, endpoint, architecture] = [
            format!("stage={STAGE}"),
            format!("endpoint={}", self.endpoint),
            format!("architecture={}", architecture()),
        ];
        let assembly = self.assembly();
        let mut arguments = vec!["deploy", "--all", "--require-approval", "never"];
        arguments.extend(["--outputs-file", text(&outputs), "--output", text(&assembly)]);
        for context in [&stage, &endpoint, &architecture, &functions] {
            arguments.extend(["--context", context]);
        }
        self.run(&self.app, &arguments);
        Stack::read(&outputs, &self.assembly())
    }

    /// Deletes both stacks, from the assembly that was deployed.
    pub(crate) fn destroy(&self) {
        self.run(self.folder(), &["destroy", "--all", "--force", "--app", text(&self.assembly())]);
    }

    fn assembly(&self) -> PathBuf {
        self.folder().join("cdk.out")
    }

    /// With nothing of this process's settings but where programs are: neither a profile nor a credential of a developer may
    /// reach what is deployed here.
    fn run(&self, folder: &Path, arguments: &[&str]) {
        let mut command = Command::new(self.app.join("node_modules/.bin/cdk"));
        command.args(arguments).arg("--no-notices").current_dir(folder).env_clear();
        command.envs(env::vars_os().filter(|(name, _)| name == "PATH"));
        command.env("HOME", self.folder()).env("TMPDIR", self.folder());
        command.envs([
            ("AWS_ENDPOINT_URL", &*self.endpoint),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
            ("AWS_REGION", REGION),
            ("CDK_DISABLE_CLI_TELEMETRY", "1"),
            ("CI", "true"),
            ("NO_COLOR", "1"),
        ]);
        let output = command.output().expect("the CDK starts");
        let told =
            [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
        assert!(output.status.success(), "cdk {} ended with {}:\n{told}", arguments.join(" "), output.status);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("test folders have plain names")
}

/// What was deployed.
pub(crate) struct Stack {
    outputs: BTreeMap<String, String>,
    outputs_file: PathBuf,
    /// By stack.
    templates: BTreeMap<String, Value>,
    types: BTreeSet<String>,
}

impl Stack {
    fn read(outputs: &Path, assembly: &Path) -> Self {
        let json = |path: &Path| -> Value {
            let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let of_stacks: BTreeMap<String, BTreeMap<String, String>> =
            serde_json::from_value(json(outputs)).expect("outputs are texts");
        let templates: BTreeMap<String, Value> = of_stacks
            .keys()
            .map(|stack| (stack.clone(), json(&assembly.join(format!("{stack}.template.json")))))
            .collect();
        let resources = templates.values().flat_map(resources);
        let types = resources.map(|(_, resource)| string(&resource["Type"])).collect();
        let outputs_file = outputs.to_owned();
        Self { outputs: of_stacks.into_values().flatten().collect(), outputs_file, templates, types }
    }

    /// An output of the stacks, by its name in the contract.
    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs
            .get(name)
            .unwrap_or_else(|| panic!("the stacks have no output {name}: {:?}", self.outputs.keys()))
    }

    /// What `cdk deploy --outputs-file` wrote.
    pub(crate) fn outputs_file(&self) -> &Path {
        &self.outputs_file
    }

    /// The types of all resources.
    pub(crate) fn types(&self) -> &BTreeSet<String> {
        &self.types
    }

    /// The names of those resources that the templates declare to be kept when they are deleted.
    pub(crate) fn kept(&self, aws: &Aws) -> BTreeSet<String> {
        let mut kept = BTreeSet::new();
        for (stack, template) in &self.templates {
            let deployed =
                aws.call("cloudformation", "describe_stack_resources", &json!({ "StackName": stack }));
            let is_kept = |deployed: &&Value| {
                let logical_id = string(&deployed["LogicalResourceId"]);
                let resource = &template["Resources"][&logical_id];
                resource["DeletionPolicy"].as_str().is_some_and(|policy| policy.starts_with("Retain"))
            };
            let deployed = deployed["StackResources"].as_array().expect("resources");
            kept.extend(
                deployed.iter().filter(is_kept).map(|resource| string(&resource["PhysicalResourceId"])),
            );
        }
        kept
    }
}

fn resources(template: &Value) -> impl Iterator<Item = (&String, &Value)> {
    template["Resources"].as_object().expect("a template has resources").iter()
}

/// A text in a JSON document.
pub(crate) fn string(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
