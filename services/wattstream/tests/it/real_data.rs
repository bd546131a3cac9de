//! The main job on real data: every total to the last milliwatt-hour, however the data comes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::bufread::GzDecoder;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use serde_json::Value;

use crate::process::{Process, path, real_series, run, run_ok, verified_hash};

/// Readings, generated and consumed milliwatt-hours of a site.
type Sums = BTreeMap<String, (u64, i128, i128)>;

/// What Python, which knows nothing of the engine, counts in the same files.
fn oracle(files: &[PathBuf]) -> (Sums, u64) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/oracle.py");
    let output = Command::new("python3").arg(script).args(files).output().expect("python3 is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counted: Value = serde_json::from_slice(&output.stdout).expect("the oracle prints JSON");
    let integer = |value: &Value| i128::from(value.as_i64().expect("an integer"));
    let sites = counted["sites"].as_object().expect("sites").iter().map(|(site, sums)| {
        let records = sums["records"].as_u64().expect("a count");
        (site.clone(), (records, integer(&sums["generated"]), integer(&sums["consumed"])))
    });
    (sites.collect(), counted["not_finite"].as_u64().expect("a count"))
}

/// What a running process answers.
fn summary(process: &Process) -> Sums {
    let (_, body) = process.get("/summary");
    let summary: Summary = serde_json::from_str(&body).expect("a summary");
    let sites = summary.sites.into_iter();
    let exact = |raw: &serde_json::value::RawValue| milliwatt_hours(raw.get());
    sites
        .map(|site| {
            (
                site.site_id,
                (site.records, exact(&site.energy_generated_kwh), exact(&site.energy_consumed_kwh)),
            )
        })
        .collect()
}

#[derive(serde::Deserialize)]
struct Summary {
    sites: Vec<SiteTotals>,
}

#[derive(serde::Deserialize)]
struct SiteTotals {
    site_id: String,
    records: u64,
    energy_generated_kwh: Box<serde_json::value::RawValue>,
    energy_consumed_kwh: Box<serde_json::value::RawValue>,
}

/// Kilowatt-hours with at most six places as an integer, without passing through a double.
fn milliwatt_hours(kwh: &str) -> i128 {
    let (sign, digits) = kwh.strip_prefix('-').map_or((1, kwh), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(fraction.len() <= 6, "{kwh}");
    sign * format!("{whole}{fraction:0<6}").parse::<i128>().expect("digits")
}

fn ingest(data_dir: &Path, files: &[PathBuf]) {
    let mut arguments = vec!["ingest", "--data-dir", path(data_dir)];
    arguments.extend(files.iter().map(|file| path(file)));
    run_ok(&arguments);
}

fn totals_of(data_dir: &Path) -> Sums {
    let process = Process::start(data_dir);
    let sums = summary(&process);
    process.stop();
    sums
}

#[test]
fn real_series_add_up_to_the_last_milliwatt_hour_and_again_change_nothing() {
    let Some(files) = real_series() else { return };
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let (expected, _) = oracle(&files);
    ingest(&data_dir, &files);
    let process = Process::start(&data_dir);
    assert_eq!(summary(&process), expected);
    assert_eq!(process.get_json("/dead-letters")["dead_letters"], serde_json::json!([]));
    process.stop();
    let hash = verified_hash(&data_dir);
    ingest(&data_dir, &files);
    assert_eq!(totals_of(&data_dir), expected);
    assert_eq!(verified_hash(&data_dir), hash);

    let rebuilt = folder.path().join("rebuilt");
    run_ok(&["replay", "--from", path(&data_dir.join("archive")), "--data-dir", path(&rebuilt)]);
    assert_eq!(verified_hash(&rebuilt), hash);
    let again = run(&["replay", "--from", path(&data_dir.join("archive")), "--data-dir", path(&rebuilt)]);
    assert_eq!(again.status.code(), Some(1), "replay must not write into a folder that is there");
}

#[test]
fn real_series_shuffled_within_a_day_or_tripled_add_up_the_same() {
    let Some(files) = real_series() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (expected, _) = oracle(&files);
    for (name, rewrite) in
        [("shuffled", shuffle_within_days as fn(Vec<String>) -> Vec<String>), ("tripled", triple)]
    {
        let rewritten: Vec<PathBuf> = files
            .iter()
            .map(|file| {
                rewrite_lines(file, &folder.path().join(format!("{name}-{}.csv", stem(file))), rewrite)
            })
            .collect();
        let data_dir = folder.path().join(name);
        ingest(&data_dir, &rewritten);
        assert_eq!(totals_of(&data_dir), expected, "{name}");
        verified_hash(&data_dir);
    }
}

#[test]
fn readings_that_are_not_numbers_are_dead_letters_and_nothing_else_is() {
    let Some(series) = real_series() else { return };
    let folder = tempfile::tempdir().unwrap();
    let faults = series[0].parent().and_then(Path::parent).expect("a folder of series").join("faults");
    let source = faults.join("home05.csv");
    let gzipped = folder.path().join("home05.csv.gz");
    gzip(&source, &gzipped);
    let (expected, not_finite) = oracle(std::slice::from_ref(&gzipped));
    assert!(not_finite > 0, "the file has readings that are not numbers");
    let data_dir = folder.path().join("data");
    ingest(&data_dir, &[source]);
    let process = Process::start(&data_dir);
    assert_eq!(summary(&process), expected);
    let listed = run_ok(&["dead-letters", "list", "--url", &process.url, "--format", "json"]);
    let letters: Vec<Value> = serde_json::from_str(&listed).expect("a list");
    assert_eq!(letters.len() as u64, not_finite);
    assert!(letters.iter().all(|letter| letter["reason"] == "energy_not_finite"), "{letters:?}");
    process.stop();
}

fn stem(file: &Path) -> String {
    file.file_name()
        .and_then(|name| name.to_str())
        .expect("a name")
        .split('.')
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn rewrite_lines(source: &Path, target: &Path, rewrite: fn(Vec<String>) -> Vec<String>) -> PathBuf {
    let reader = BufReader::new(GzDecoder::new(BufReader::new(File::open(source).unwrap())));
    let mut lines = reader.lines().map(|line| line.expect("text"));
    let header = lines.next().expect("a header");
    let mut out = File::create(target).unwrap();
    let body = rewrite(lines.collect()).join("\n");
    writeln!(out, "{header}\n{body}").unwrap();
    target.to_owned()
}

fn shuffle_within_days(lines: Vec<String>) -> Vec<String> {
    let mut days: Vec<Vec<String>> = Vec::new();
    let day = |line: &str| line.split(',').nth(1).map(|timestamp| timestamp[..10].to_owned());
    for line in lines {
        match days.last_mut() {
            Some(current) if day(&current[0]) == day(&line) => current.push(line),
            _ => days.push(vec![line]),
        }
    }
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for day in &mut days {
        day.shuffle(&mut rng);
    }
    days.concat()
}

fn triple(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().flat_map(|line| [line.clone(), line.clone(), line]).collect()
}

fn gzip(source: &Path, target: &Path) {
    let mut encoder =
        flate2::write::GzEncoder::new(File::create(target).unwrap(), flate2::Compression::fast());
    std::io::copy(&mut File::open(source).unwrap(), &mut encoder).unwrap();
    encoder.finish().unwrap();
}
