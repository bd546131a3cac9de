//! From the bytes of a reading to the state of its site, beside what a plain serde_json struct costs in the same run.
//!
//! A thousand readings of a hundred sites, as one batch of a shard brings them: decoded, grouped by site, judged, folded
//! and made into rows. Divide the time by a thousand.

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;
use wattstream_domain::{
    Position, Record, RowWrite, SequenceNumber, ShardId, SiteFold, SiteId, SiteRows, SiteState, Timestamp,
};
use wattstream_wire::decode_reading;

const SITES: u64 = 100;
const READINGS: u64 = 1_000;
const STEP_MS: u64 = 300_000;
const START_MS: u64 = 1_750_377_600_000;

/// What a service writes that checks nothing: owned strings and doubles.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only the cost of filling it is of interest")]
struct PlainReading {
    site_id: String,
    timestamp: String,
    energy_generated_kwh: f64,
    energy_consumed_kwh: f64,
}

/// The n-th reading of the fleet as a gateway writes it.
fn line(number: u64) -> Vec<u8> {
    let (site, slot) = (number % SITES, number / SITES);
    let at_ms = i64::try_from(START_MS + slot * STEP_MS).expect("in range");
    let timestamp = Timestamp::from_unix_ms(at_ms).expect("in range");
    format!(
        r#"{{"site_id":"site-alpha-pv-farm-{site:02}","timestamp":"{timestamp}","energy_generated_kwh":{}.{:03},"energy_consumed_kwh":8.9}}"#,
        12 + number % 5, number % 1_000
    )
    .into_bytes()
}

fn lines(from: u64) -> Vec<Vec<u8>> {
    (from..from + READINGS).map(line).collect()
}

type States = HashMap<SiteId, SiteState>;

/// Decodes and folds a batch; what it leaves to write.
fn decode_and_fold(states: &mut States, lines: &[Vec<u8>], from: u64) -> Vec<RowWrite> {
    let mut sites: HashMap<SiteId, Vec<Record>> = HashMap::new();
    for (sequence, line) in (from..).zip(lines) {
        let reading = decode_reading(line).expect("the benchmark's readings are valid");
        let position =
            Position { shard: ShardId(0), sequence: SequenceNumber::from(sequence), sub_sequence: 0 };
        sites.entry(reading.site_id).or_default().push(Record { position, reading });
    }
    let mut writes = Vec::with_capacity(lines.len());
    for (site_id, records) in sites {
        let state = states.remove(&site_id).unwrap_or_else(|| SiteState::new(site_id));
        let mut fold = SiteFold::new(state, SiteRows::new(site_id));
        for record in &records {
            fold.fold(record);
        }
        let folded = fold.finish();
        writes.extend(folded.rows.into_writes());
        states.insert(site_id, folded.state);
    }
    writes
}

fn fold(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fold_1000_readings");
    group.throughput(Throughput::Elements(READINGS));
    let batch = lines(READINGS + 1);
    group.bench_function("plain_serde_json", |bencher| {
        bencher.iter(|| {
            for line in &batch {
                black_box(serde_json::from_slice::<PlainReading>(line))
                    .expect("the benchmark's readings are valid");
            }
        });
    });
    group.bench_function("decode_and_fold", |bencher| {
        let mut known = States::new();
        decode_and_fold(&mut known, &lines(1), 1);
        bencher.iter_batched(
            || known.clone(),
            |mut states| decode_and_fold(&mut states, &batch, READINGS + 1),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, fold);
criterion_main!(benches);
