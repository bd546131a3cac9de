//! Decoding one reading, beside what a plain serde_json struct costs in the same run.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;
use wattstream_wire::{
    ArchiveReader, append_archive_record, decode_reading, encode_reading, parse_energy, parse_timestamp,
};

const READING: &str = r#"{"site_id":"site-alpha-pv-farm-01","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":12.34,"energy_consumed_kwh":8.9}"#;

/// What a service writes that checks nothing: owned strings and doubles.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only the cost of filling it is of interest")]
struct PlainReading {
    site_id: String,
    timestamp: String,
    energy_generated_kwh: f64,
    energy_consumed_kwh: f64,
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reading");
    group.throughput(Throughput::Elements(1));
    group.bench_function("decode_plain_serde_json", |bencher| {
        bencher.iter(|| serde_json::from_slice::<PlainReading>(black_box(READING.as_bytes())));
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| decode_reading(black_box(READING.as_bytes())));
    });
    let reading = decode_reading(READING.as_bytes()).expect("the benchmark's reading is valid");
    group.bench_function("encode", |bencher| {
        let mut out = Vec::with_capacity(READING.len() * 2);
        bencher.iter(|| {
            out.clear();
            encode_reading(black_box(&reading), &mut out);
        });
    });
    group.finish();
}

fn parts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parts");
    group.bench_function("parse_energy", |bencher| bencher.iter(|| parse_energy(black_box("12.34"))));
    group.bench_function("parse_timestamp", |bencher| {
        bencher.iter(|| parse_timestamp(black_box("2025-06-20T00:00:00Z")));
    });
    group.finish();
}

fn archive(criterion: &mut Criterion) {
    const RECORDS: u64 = 1_000;
    let mut object = Vec::new();
    for _ in 0..RECORDS {
        append_archive_record(READING.as_bytes(), &mut object);
    }
    let mut group = criterion.benchmark_group("archive");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("read_1000_records", |bencher| {
        bencher.iter_batched(
            || ArchiveReader::new(object.as_slice()),
            |mut reader| {
                while let Ok(Some(entry)) = reader.next_entry() {
                    black_box(entry);
                }
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, reading, parts, archive);
criterion_main!(benches);
