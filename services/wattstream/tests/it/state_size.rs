//! The state of a site fits one write unit, whatever its sampling interval.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use flate2::bufread::GzDecoder;
use wattstream_domain::{
    Position, Reading, Record, SHARDS_REMEMBERED_MAX, ShardId, SiteFold, SiteRows, SiteState, Timestamp,
};
use wattstream_wire::decode_reading;
use wattstream_wire::stored::{STATE_BYTES_MAX, encode_state};

use crate::process::real_series;

/// A sequence number as Kinesis gives them, less its last digits.
const KINESIS_SEQUENCE: &str = "4959033827149025660855969253836157109592157598913";

fn readings(file: &Path) -> Vec<Reading> {
    let mut rows = csv::Reader::from_reader(GzDecoder::new(BufReader::new(File::open(file).unwrap())));
    rows.records()
        .map(|row| {
            let row = row.unwrap();
            let line = format!(
                r#"{{"site_id":"{}","timestamp":"{}","energy_generated_kwh":{},"energy_consumed_kwh":{}}}"#,
                &row[0], &row[1], &row[2], &row[3]
            );
            decode_reading(line.as_bytes()).unwrap()
        })
        .collect()
}

/// The most bytes that the state ever takes while the readings come at `step_ms`, or as they are.
fn state_bytes_max(readings: &[Reading], step_ms: Option<i64>) -> usize {
    let first = readings[0];
    let mut state = SiteState::new(first.site_id);
    let mut bytes = Vec::new();
    let (mut bytes_max, mut elapsed_ms) = (0, 0);
    for (number, reading) in readings.iter().enumerate() {
        let timestamp = step_ms.map_or(reading.timestamp, |_| {
            Timestamp::from_unix_ms(first.timestamp.unix_ms() + elapsed_ms).unwrap()
        });
        elapsed_ms += step_ms.unwrap_or(0);
        // The site moves from shard to shard, so that it remembers as many positions as it can.
        let shard = ShardId((number * SHARDS_REMEMBERED_MAX / readings.len()) as u64);
        let sequence = format!("{KINESIS_SEQUENCE}{number:07}").parse().unwrap();
        let record = Record {
            position: Position { shard, sequence, sub_sequence: 9 },
            reading: Reading { timestamp, ..*reading },
        };
        let mut fold = SiteFold::new(state, SiteRows::new(first.site_id));
        fold.fold(&record);
        state = fold.finish().state;
        state.outbox.alerts.clear();
        bytes.clear();
        encode_state(&state, &mut bytes);
        bytes_max = bytes_max.max(bytes.len());
    }
    bytes_max
}

#[test]
fn the_state_of_every_real_series_stays_within_one_write_unit_at_any_sampling_interval() {
    let Some(files) = real_series() else { return };
    let steps_ms =
        [None, Some(1_000), Some(60_000), Some(300_000), Some(900_000), Some(3_600_000), Some(86_400_000)];
    let mut largest = 0;
    for file in files {
        let readings = readings(&file);
        for step_ms in steps_ms {
            // A step of a day must not run past the end of time.
            let count = step_ms.map_or(readings.len(), |step_ms| {
                let room_ms = Timestamp::MAX.ms_since(readings[0].timestamp);
                readings.len().min(usize::try_from(room_ms / step_ms).unwrap())
            });
            let bytes = state_bytes_max(&readings[..count], step_ms);
            assert!(bytes <= STATE_BYTES_MAX, "{}: {bytes} bytes at {step_ms:?} ms", file.display());
            largest = largest.max(bytes);
        }
    }
    println!("the largest state takes {largest} bytes of {STATE_BYTES_MAX}");
}
