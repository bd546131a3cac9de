//! The local AWS, asked with boto3, which shares no line with us.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use wattstream_aws::AccessKey;
use wattstream_engine::ports::NewRecord;
use wattstream_test_env::local_aws;

use crate::cdk::{STAGE, string};
use crate::inventory::Inventory;

pub(crate) struct Aws {
    endpoint: String,
}

impl Aws {
    pub(crate) fn at(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned() }
    }

    /// The answer to a call, as boto3 gives it.
    pub(crate) fn call(&self, service: &str, operation: &str, parameters: &Value) -> Value {
        let answer = local_aws::call(&self.endpoint, service, operation, &parameters.to_string());
        serde_json::from_str(&answer).expect("boto3 answers in JSON")
    }

    /// What a script beside this file prints when it is given the endpoint and these arguments.
    pub(crate) fn script<'a>(&self, name: &str, arguments: impl IntoIterator<Item = &'a str>) -> Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/local_aws").join(name);
        let mut python = local_aws::python().expect("Python was there when the server started");
        let output = python.arg(script).arg(&self.endpoint).args(arguments).output().expect("Python starts");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A user with an access key, as an administrator makes one for a client of the API.
    pub(crate) fn create_user(&self, name: &str) -> AccessKey {
        let user = json!({ "UserName": name });
        self.call("iam", "create_user", &user);
        let key = &self.call("iam", "create_access_key", &user)["AccessKey"];
        AccessKey {
            id: string(&key["AccessKeyId"]),
            secret: string(&key["SecretAccessKey"]),
            session_token: None,
        }
    }

    /// Sends records as a client does that knows nothing of aggregates.
    pub(crate) fn put_plain_records(&self, stream: &str, records: &[NewRecord], scratch: &Path) {
        let file = scratch.join("plain.ndjson");
        let line = |record: &NewRecord| {
            let data = BASE64_STANDARD.encode(&record.data);
            format!("{}\n", json!({ "partition_key": record.partition_key, "data": data }))
        };
        fs::write(&file, records.iter().map(line).collect::<String>()).expect("a file");
        let sent = self.script("plain_client.py", [stream, file.to_str().expect("a plain name")]);
        assert_eq!(sent["sent"], records.len());
    }

    /// Keeps the schedules from calling anybody again: from then on the stream is what it is.
    pub(crate) fn stop_schedules(&self) {
        let stopped = self.script("stop_schedules.py", []);
        assert!(
            stopped["stopped"].as_u64() >= Some(2),
            "the simulator and the watch have one each: {stopped}"
        );
    }

    /// What a function of the stage answers.
    pub(crate) fn invoke(&self, function: &str, event: &Value) -> Value {
        let call =
            json!({ "FunctionName": format!("wattstream-{STAGE}-{function}"), "Payload": event.to_string() });
        let answer = self.call("lambda", "invoke", &call);
        let payload = string(&answer["Payload"]);
        assert!(answer.get("FunctionError").is_none(), "{function} failed: {payload}");
        serde_json::from_str(&payload).expect("a reply is JSON")
    }

    /// Everything that there is.
    pub(crate) fn inventory(&self) -> Inventory {
        serde_json::from_value(self.script("inventory.py", [])).expect("an inventory")
    }
}
