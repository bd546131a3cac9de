//! The archive in S3, as Firehose writes it from the stream.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::aws::Aws;
use crate::cdk::Stack;
use crate::one_machine::OneMachine;
use crate::wattstream::Wattstream;

/// A limit for hangs, not a measurement.
const PATIENCE: Duration = Duration::from_mins(4);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The archive, once it was found to hold what the stream holds.
pub(crate) struct Archive {
    bucket: String,
    payload_file: PathBuf,
    /// The number of the last record of each shard.
    last: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Found {
    records: usize,
    last: BTreeMap<String, String>,
}

/// Makes sure that each record of the stream is in the archive, byte for byte and once.
pub(crate) fn check(aws: &Aws, stack: &Stack, scratch: &Path) -> Archive {
    let (stream, bucket) = (stack.output("StreamName"), stack.output("ArchiveBucketName"));
    let payload_file = scratch.join("payloads.ndjson");
    let arguments = [stream, bucket, payload_file.to_str().expect("a plain name")];
    let found: Found = serde_json::from_value(aws.script("archive.py", arguments)).expect("what it prints");
    assert!(found.records > 0, "the stream has records");
    Archive { bucket: bucket.to_owned(), payload_file, last: found.last }
}

impl Archive {
    /// A line a payload, in the order of the stream.
    pub(crate) fn payload_file(&self) -> &Path {
        &self.payload_file
    }

    /// The payloads, in the order of the stream.
    pub(crate) fn payloads(&self) -> Vec<Bytes> {
        let bytes = Bytes::from(fs::read(&self.payload_file).expect("the file was written"));
        let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| bytes.slice_ref(line)).collect()
    }

    /// Waits until the consumer has left its mark at the last record of each shard.
    pub(crate) fn wait_until_consumed(&self, aws: &Aws, stack: &Stack) {
        let started = Instant::now();
        for (shard, last) in &self.last {
            let question =
                json!({ "TableName": stack.output("ShardsTable"), "Key": { "shard": { "S": shard } } });
            loop {
                let mark = aws.call("dynamodb", "get_item", &question);
                if mark["Item"]["sequence"]["S"] == json!(last) {
                    break;
                }
                assert!(
                    started.elapsed() < PATIENCE,
                    "{shard} ends with {last}, and the consumer is at {mark}"
                );
                sleep(LOOK_EVERY);
            }
        }
    }

    /// Makes sure that the archive alone brings the same tables.
    pub(crate) fn check_replay(&self, wattstream: &Wattstream, one_machine: &OneMachine, scratch: &Path) {
        let rebuilt = scratch.join("rebuilt");
        let place = format!("s3://{}", self.bucket);
        let folder = rebuilt.to_str().expect("a plain name");
        wattstream.run(&["replay", "--from", &place, "--data-dir", folder]);
        let state = wattstream.verified_state(&rebuilt);
        assert_eq!(state, one_machine.state, "rebuilt from {place} on the left, one machine on the right");
    }

    /// Deletes every version of every object: a bucket that is not empty cannot be deleted. On AWS a function of the CDK's does
    /// it in a stage that is not kept; it needs a library that no local AWS brings.
    pub(crate) fn empty(&self, aws: &Aws) {
        aws.script("empty_bucket.py", [&*self.bucket]);
    }
}
