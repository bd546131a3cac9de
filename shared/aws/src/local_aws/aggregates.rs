//! AWS's own library for Python reads the aggregates of our producer, and we read its own.

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use wattstream_engine::ports::NewRecord;
use wattstream_testkit::local_aws;
use wattstream_wire::{Payloads, deaggregate};

use crate::kinesis::{Packing, RECORD_BYTES_MAX_DEFAULT};

const SCRIPT: &str = include_str!("aggregates.py");

/// Puts questions to the script; its answers.
fn ask(mut python: Command, questions: &[Value]) -> Vec<Value> {
    let script =
        python.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut script = script.spawn().expect("Python starts");
    let mut stdin = script.stdin.take().expect("stdin is piped");
    let questions: String = questions.iter().map(|question| question.to_string() + "\n").collect();
    // A thread of its own: the script answers while it reads.
    let writer = std::thread::spawn(move || stdin.write_all(questions.as_bytes()));
    let output = script.wait_with_output().expect("Python ends");
    writer.join().expect("no panic").expect("the script reads to the end");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = String::from_utf8(output.stdout).expect("the answers are text");
    answers.lines().map(|line| serde_json::from_str(line).expect("an answer is JSON")).collect()
}

fn payloads() -> Vec<Bytes> {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let reading = "{\"site_id\":\"ä\"}";
    vec![Bytes::new(), every_byte.into(), reading.into(), vec![b'x'; 20_000].into(), "\n".into()]
}

#[test]
fn the_library_reads_what_the_producer_packs() {
    let Some(python) = local_aws::python() else { return };
    let keys = ["home-01", "ä"];
    let records = keys.iter().flat_map(|key| {
        payloads().into_iter().map(|data| NewRecord { partition_key: (*key).to_owned(), data })
    });
    let queues = Packing::Aggregated.pack(records.collect(), RECORD_BYTES_MAX_DEFAULT);
    let records = queues.iter().flat_map(|queue| &queue.records);
    let questions: Vec<_> =
        records.map(|record| json!({"deaggregate": BASE64_STANDARD.encode(record)})).collect();
    assert_eq!(questions.len(), keys.len(), "each key has one aggregate");
    let expected = keys.map(|key| {
        json!(payloads().iter().map(|data| (key, BASE64_STANDARD.encode(data))).collect::<Vec<_>>())
    });
    assert_eq!(ask(python, &questions), expected);
}

#[test]
fn we_read_what_the_library_packs() {
    let Some(python) = local_aws::python() else { return };
    let entries: Vec<_> = ["home-01", "home-02", "home-01", "ä", "home-01"]
        .into_iter()
        .zip(payloads().iter().map(|data| BASE64_STANDARD.encode(data)))
        .collect();
    let answers = ask(python, &[json!({"aggregate": entries})]);
    let record = BASE64_STANDARD.decode(answers[0].as_str().expect("base64")).expect("base64");
    assert_eq!(deaggregate(&record.into()), Ok(Payloads::Aggregate(payloads())));
}
