//! Killed at random moments under load, and started again: what was acknowledged is there, once.
//!
//! A client posts batches of readings and posts a batch again until it is acknowledged, as a gateway does. Meanwhile the
//! process is killed again and again. In the end the tables must be those of an undisturbed run over the same readings.
//! `WATTSTREAM_KILL_ROUNDS` sets how often it is killed; 5 unless told otherwise.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::process::{Process, path, run_ok, verified_hash};

const SITES: u64 = 20;
const BATCH_READINGS: u64 = 200;

/// The n-th batch: the next reading of every site, and in place of some of them a repeated, a late or a revised one. A
/// revision is of a reading long before, so that a batch that is posted twice says nothing new the second time.
fn batch(number: u64) -> Vec<String> {
    (0..BATCH_READINGS)
        .map(|index| {
            let reading = number * BATCH_READINGS + index;
            let (site, slot) = (reading % SITES, reading / SITES);
            match slot % 11 {
                4 => line(site, slot - 1, 0),
                7 => line(site, slot - 3, 0),
                9 if slot > 20 => line(site, slot - 20, 1),
                _ => line(site, slot, 0),
            }
        })
        .collect()
}

/// A reading of five minutes, in a version.
fn line(site: u64, slot: u64, version: u64) -> String {
    let (day, minute) = (slot / 288, slot % 288 * 5);
    let (month, day, hour, minute) = (1 + day / 28, 1 + day % 28, minute / 60, minute % 60);
    let generated = site * 100 + slot % 7;
    format!(
        r#"{{"site_id":"site-{site:02}","timestamp":"2025-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z","energy_generated_kwh":{generated}.{version},"energy_consumed_kwh":0.25}}"#
    )
}

/// Posts batches from `from` on, each until it is acknowledged, until the process dies. Returns the next batch.
fn post_until_killed(process: &Process, from: u64) -> u64 {
    let mut number = from;
    while process.try_post(batch(number).join("\n").as_bytes()).is_some() {
        number += 1;
    }
    number
}

#[test]
fn a_process_that_is_killed_under_load_loses_nothing_and_counts_nothing_twice() {
    let rounds =
        std::env::var("WATTSTREAM_KILL_ROUNDS").map_or(5, |rounds| rounds.parse().expect("a number"));
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("killed");
    let mut rng = ChaCha8Rng::seed_from_u64(42);
    let mut acknowledged = 0;
    for _ in 0..rounds {
        let process = Process::start(&data_dir);
        let life = Duration::from_millis(rng.random_range(20..600));
        acknowledged = thread::scope(|scope| {
            let posting = scope.spawn(|| post_until_killed(&process, acknowledged));
            thread::sleep(life);
            process.kill_now();
            posting.join().expect("the client goes on")
        });
    }
    assert!(acknowledged > 0, "nothing was acknowledged: the test shows nothing");
    // The client's last batch may or may not have been taken; it posts it again, like every other.
    let process = Process::start(&data_dir);
    process.post(batch(acknowledged).join("\n").as_bytes());
    process.stop();

    // What a stop leaves in the log, `verify` consumes; afterwards nothing changes while the sums are asked for.
    let undisturbed = undisturbed_run(folder.path(), acknowledged + 1);
    assert_eq!(verified_hash(&data_dir), undisturbed, "after {rounds} kills and {acknowledged} batches");
    let process = Process::start(&data_dir);
    assert_fleet_is_the_sum_of_its_sites(&process);
    process.stop();
    println!("{rounds} kills, {} readings acknowledged, one state hash", acknowledged * BATCH_READINGS);
}

/// The sums of all sites are kept beside the hours; a kill must not come between the two.
fn assert_fleet_is_the_sum_of_its_sites(process: &Process) {
    for resolution in ["hour", "day", "month"] {
        let fleet = process.get_json(&format!("/series?resolution={resolution}"));
        let mut expected: BTreeMap<String, [f64; 5]> = BTreeMap::new();
        for site in process.get_json("/summary")["site_ids"].as_array().unwrap() {
            let site = site.as_str().unwrap();
            let series = process.get_json(&format!("/series/{site}?resolution={resolution}"));
            for point in series["points"].as_array().unwrap().iter().filter(|point| point["records"] != 0) {
                let sums = expected.entry(point["start"].to_string()).or_default();
                let figures = figures(point).into_iter().chain([1.0]);
                sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
            }
        }
        let points = fleet["points"].as_array().unwrap().iter().filter(|point| point["records"] != 0);
        let mut found = 0;
        for point in points {
            let [generated, consumed, records, anomalies, sites] = expected[&point["start"].to_string()];
            let [of_generated, of_consumed, of_records, of_anomalies] = figures(point);
            // Energies are doubles here; what could be missing is a whole reading.
            assert!((generated - of_generated).abs() + (consumed - of_consumed).abs() < 1e-6, "{point}");
            let counts = [of_records, of_anomalies, point["sites"].as_f64().unwrap()];
            assert!(
                counts.iter().zip([records, anomalies, sites]).all(|(one, other)| (one - other).abs() < 0.5),
                "{point}"
            );
            found += 1;
        }
        assert_eq!(found, expected.len(), "{resolution}");
    }
}

fn figures(point: &serde_json::Value) -> [f64; 4] {
    ["energy_generated_kwh", "energy_consumed_kwh", "records", "anomalies"]
        .map(|name| point[name].as_f64().unwrap())
}

fn undisturbed_run(folder: &Path, batches: u64) -> String {
    let lines: Vec<String> = (0..batches).flat_map(batch).collect();
    let file = folder.join("undisturbed.ndjson");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let data_dir = folder.join("undisturbed");
    run_ok(&["ingest", "--data-dir", path(&data_dir), path(&file)]);
    verified_hash(&data_dir)
}
