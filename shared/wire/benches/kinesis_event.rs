//! Taking an event of Lambda apart, beside what `aws_lambda_events` needs for the same bytes in the same run.
//!
//! `lambda_runtime` deserialises the event for its handler. `raw_value` is what it costs to let it hand over the text as
//! it came, and `raw_value_and_parse` is thus what the envelope costs a function; `aws_lambda_events` is what it costs
//! one that asks for a `KinesisEvent`.

use std::fmt::Write;
use std::hint::black_box;

use aws_lambda_events::event::kinesis::KinesisEvent;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::value::RawValue;
use wattstream_wire::kinesis_event::{self, EventRecord};

/// A batch of the size that the function is configured with, and the most that fit a payload of 6 MB.
const RECORDS: [u64; 2] = [500, 7_000];

fn event(records: u64) -> String {
    let mut text = String::from(r#"{"Records":["#);
    for index in 0..records {
        let separator = if index == 0 { "" } else { "," };
        let site = index % 1_000;
        let reading = format!(
            r#"{{"site_id":"site-{site:04}-pv-farm","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":12.34,"energy_consumed_kwh":8.9}}"#
        );
        let data = BASE64_STANDARD.encode(reading);
        let number = format!("49590338271490256608559692538361571095921575989{:09}", 136_588_898 + index);
        write!(
            text,
            r#"{separator}{{"kinesis":{{"kinesisSchemaVersion":"1.0","partitionKey":"site-{site:04}-pv-farm","sequenceNumber":"{number}","data":"{data}","approximateArrivalTimestamp":1545084650.987}},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"shardId-000000000006:{number}","eventName":"aws:kinesis:record","invokeIdentityArn":"arn:aws:iam::123456789012:role/lambda-role","awsRegion":"us-east-2","eventSourceARN":"arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream"}}"#
        )
        .expect("a String takes every write");
    }
    text + "]}"
}

fn records_of(event: &[u8]) -> Vec<EventRecord> {
    kinesis_event::parse(event).expect("the benchmark's event is valid").into_records().collect()
}

fn events(criterion: &mut Criterion) {
    for records in RECORDS {
        let event = event(records);
        let bytes = event.as_bytes();
        let mut group = criterion.benchmark_group(format!("event_of_{records}"));
        group.throughput(Throughput::Elements(records));
        group.bench_function("aws_lambda_events", |bencher| {
            bencher.iter(|| serde_json::from_slice::<KinesisEvent>(black_box(bytes)));
        });
        group.bench_function("parse", |bencher| bencher.iter(|| records_of(black_box(bytes))));
        group.bench_function("raw_value", |bencher| {
            bencher.iter(|| serde_json::from_slice::<Box<RawValue>>(black_box(bytes)));
        });
        group.bench_function("raw_value_and_parse", |bencher| {
            bencher.iter(|| {
                let raw = serde_json::from_slice::<Box<RawValue>>(black_box(bytes)).expect("valid JSON");
                records_of(raw.get().as_bytes())
            });
        });
        group.finish();
    }
}

criterion_group!(benches, events);
criterion_main!(benches);
