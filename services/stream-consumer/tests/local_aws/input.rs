//! What is sent: real readings with everything that makes a stream hard: faults, rejects, repetitions, late and revised
//! readings.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use wattstream_engine::ports::NewRecord;

/// Sites with faults planted into them: homes, an office, a car park, a PV plant.
const SITES: [&str; 6] =
    ["home05", "home07", "home13", "bdg_fox_assembly_carlos", "bdg_bear_parking_bruce", "pv_sys50"];

/// Of each site, from a month in which it has most of its faults.
const READINGS_PER_SITE: usize = 900;

/// Readings arrive in any order within a window of so many.
const WINDOW: usize = 12;

/// What is no reading, and goes to the dead letters.
const REJECTS: [&str; 4] = [
    "\u{feff}not JSON",
    r#"{"site_id":"home05","timestamp":"2016-08-01 07:00","energy_generated_kwh":1,"energy_consumed_kwh":0}"#,
    r#"{"site_id":"a/b","timestamp":"2016-08-01T07:00:00Z","energy_generated_kwh":1,"energy_consumed_kwh":0}"#,
    r#"{"site_id":"home07","timestamp":"2016-08-01T07:00:00Z","energy_generated_kwh":1e400,"energy_consumed_kwh":0}"#,
];

/// The series, or nothing, loudly, where they are not beside the repository.
fn series() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/energy/faults");
    if folder.is_dir() {
        return Some(folder);
    }
    wattstream_testkit::skip("the series of real sites are not beside this checkout, in ../shared/data");
    None
}

/// Records in the order in which they are sent, the same every time.
pub(crate) fn real_records() -> Option<Vec<NewRecord>> {
    let folder = series()?;
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut sites: Vec<_> =
        SITES.iter().map(|site| trouble(readings(&folder, site), &mut random).into_iter()).collect();
    let mut records = Vec::new();
    while !sites.is_empty() {
        sites.retain_mut(|site| {
            let burst: Vec<_> = site.by_ref().take(random.random_range(1..=WINDOW)).collect();
            records.extend(burst.iter().cloned());
            !burst.is_empty()
        });
        if random.random_ratio(1, 3) {
            let reject = REJECTS[random.random_range(0..REJECTS.len())];
            records.push(NewRecord { partition_key: "unreadable".to_owned(), data: reject.into() });
        }
    }
    Some(records)
}

/// The readings of a site as a gateway sends them. Values that are no numbers stay as they stand in the file, and make
/// what is no JSON.
fn readings(folder: &Path, site: &str) -> Vec<NewRecord> {
    let text = fs::read_to_string(folder.join(format!("{site}.csv"))).expect("a series is text");
    let fields = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    let record = |fields: Vec<&str>| {
        let [site_id, timestamp, generated, consumed] = fields[..] else { panic!("{fields:?}") };
        let data = format!(
            r#"{{"site_id":"{site_id}","timestamp":"{timestamp}","energy_generated_kwh":{generated},"energy_consumed_kwh":{consumed}}}"#
        );
        NewRecord { partition_key: site_id.to_owned(), data: data.into() }
    };
    fields.map(record).take(READINGS_PER_SITE).collect()
}

/// Mixes each window, sends some readings again and some in another version.
fn trouble(mut records: Vec<NewRecord>, random: &mut ChaCha8Rng) -> Vec<NewRecord> {
    let mut sent = Vec::new();
    for window in records.chunks_mut(WINDOW) {
        if random.random_ratio(1, 5) {
            window.shuffle(random);
        }
        sent.extend_from_slice(window);
        match random.random_range(0..10) {
            0 => sent.extend_from_slice(window),
            1 => sent.push(revised(&window[0])),
            _ => {}
        }
    }
    sent
}

/// The same reading with another value: what a meter sends that corrects itself.
fn revised(record: &NewRecord) -> NewRecord {
    let text = String::from_utf8_lossy(&record.data)
        .replace(r#""energy_consumed_kwh":"#, r#""energy_consumed_kwh":1"#);
    NewRecord { data: Bytes::from(text), ..record.clone() }
}
