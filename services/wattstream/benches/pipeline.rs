//! The durable pipeline: from readings in memory to committed tables, every append and every batch synced.
//!
//! A thousand sites, in appends of 5,000 readings, on the pipeline's own two threads; the archive is written as it is in
//! production. Divide the readings by the time.

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use wattstream::Pipeline;
use wattstream_domain::Timestamp;
use wattstream_engine::ports::NewRecord;

// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const READINGS: usize = 500_000;
const SITES: usize = 1_000;
const APPEND_READINGS: usize = 5_000;
const START_MS: usize = 1_750_377_600_000;
const STEP_MS: usize = 300_000;

fn record(number: usize) -> NewRecord {
    let (site, slot) = (number % SITES, number / SITES);
    let at_ms = i64::try_from(START_MS + slot * STEP_MS).expect("in range");
    let timestamp = Timestamp::from_unix_ms(at_ms).expect("in range");
    let site_id = format!("site-{site:04}");
    let line = format!(
        r#"{{"site_id":"{site_id}","timestamp":"{timestamp}","energy_generated_kwh":{}.{:03},"energy_consumed_kwh":8.9}}"#,
        12 + number % 5,
        number % 1_000
    );
    NewRecord { partition_key: site_id, data: Bytes::from(line) }
}

fn pipeline(criterion: &mut Criterion) {
    let records: Vec<NewRecord> = (0..READINGS).map(record).collect();
    let mut group = criterion.benchmark_group("pipeline");
    group.sample_size(10).throughput(Throughput::Elements(READINGS as u64));
    group.bench_function("log_append_to_committed_tables", |bencher| {
        bencher.iter_batched(
            || {
                let folder = tempfile::tempdir().expect("a folder");
                let pipeline = Pipeline::open(&folder.path().join("data"), None).expect("a new store");
                (folder, pipeline)
            },
            |(folder, pipeline)| {
                for chunk in records.chunks(APPEND_READINGS) {
                    pipeline.append(chunk.to_vec()).expect("the log takes readings");
                }
                pipeline.drain_tables().expect("the tables take readings");
                (folder, pipeline)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
