//! A stack on AWS, as `cdk deploy --outputs-file FILE` tells of it: where its API is, and what its resources are called.
//!
//! What must always hold: a file names one stack, or nothing is done; what it lacks is named.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// The outputs of a stack. Their names are those of the CDK app.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[cfg_attr(
    not(feature = "aws"),
    expect(dead_code, reason = "without AWS nobody can ask for more than the API")
)]
pub(crate) struct Stack {
    pub(crate) api_url: String,
    pub(crate) stream_name: String,
    pub(crate) alerts_topic_arn: String,
    pub(crate) dead_letters_queue_url: String,
    pub(crate) on_failure_queue_url: String,
    pub(crate) readings_table: String,
    pub(crate) hours_table: String,
    pub(crate) sites_table: String,
    pub(crate) shards_table: String,
    pub(crate) alerts_table: String,
    pub(crate) silences_table: String,
}

/// The output that tells a stack of wattstream's from others in the same file.
const MARK: &str = "ApiUrl";

/// Why a file names no stack.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StackError {
    #[error("{}: {source}\nhint: `cdk deploy --all --outputs-file FILE` writes it", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(
        "{} is not what `cdk deploy --all --outputs-file FILE` writes for a stack of wattstream: {reason}",
        path.display()
    )]
    Foreign { path: PathBuf, reason: String },
    #[error(
        "{} names several stacks: {}\nhint: deploy each stage with an --outputs-file of its own",
        path.display(),
        names.join(", ")
    )]
    Several { path: PathBuf, names: Vec<String> },
}

impl Stack {
    /// The one stack that the file names.
    pub(crate) fn read(path: &Path) -> Result<Self, StackError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| StackError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, StackError> {
        let foreign = |reason: String| StackError::Foreign { path: path.to_owned(), reason };
        let outputs: BTreeMap<String, BTreeMap<String, Value>> =
            serde_json::from_str(text).map_err(|error| foreign(error.to_string()))?;
        let mut stacks: Vec<_> = outputs.into_iter().filter(|(_, names)| names.contains_key(MARK)).collect();
        match (stacks.pop(), stacks.is_empty()) {
            (Some((_, names)), true) => serde_json::from_value(names.into_iter().collect())
                .map_err(|error| foreign(error.to_string())),
            (Some((last, _)), false) => Err(StackError::Several {
                path: path.to_owned(),
                names: stacks.into_iter().map(|(name, _)| name).chain([last]).collect(),
            }),
            (None, _) => Err(foreign(format!("no output is called {MARK}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NAMES: [&str; 11] = [
        "ApiUrl",
        "StreamName",
        "AlertsTopicArn",
        "DeadLettersQueueUrl",
        "OnFailureQueueUrl",
        "ReadingsTable",
        "HoursTable",
        "SitesTable",
        "ShardsTable",
        "AlertsTable",
        "SilencesTable",
    ];

    fn outputs(names: &[&str]) -> Value {
        names.iter().map(|name| ((*name).to_owned(), json!(format!("the {name}")))).collect()
    }

    fn parse(file: &Value) -> Result<Stack, String> {
        Stack::parse(Path::new("outputs.json"), &file.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_of_outputs_names_the_stack_that_has_an_api() {
        let file = json!({ "wattstream-dev-data": { "ExportsOutput": "x" }, "wattstream-dev-compute": outputs(&NAMES) });
        let stack = parse(&file).unwrap();
        assert_eq!((&stack.api_url[..], &stack.silences_table[..]), ("the ApiUrl", "the SilencesTable"));
    }

    #[test]
    fn a_file_of_two_stages_is_refused_with_their_names() {
        let file =
            json!({ "wattstream-dev-compute": outputs(&NAMES), "wattstream-prod-compute": outputs(&NAMES) });
        let error = parse(&file).unwrap_err();
        assert!(error.contains("several stacks: wattstream-dev-compute, wattstream-prod-compute"), "{error}");
    }

    #[test]
    fn what_a_file_lacks_is_named() {
        let error = parse(&json!({ "wattstream-dev-compute": outputs(&NAMES[..10]) })).unwrap_err();
        assert!(error.contains("SilencesTable"), "{error}");
        let error = parse(&json!({ "other": { "Url": "x" } })).unwrap_err();
        assert!(error.contains("no output is called ApiUrl"), "{error}");
        assert!(parse(&json!([])).unwrap_err().contains("outputs-file"));
        let error = Stack::read(Path::new("no-such-file.json")).unwrap_err().to_string();
        assert!(error.contains("no-such-file.json") && error.contains("cdk deploy"), "{error}");
    }
}
