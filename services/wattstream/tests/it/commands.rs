//! The questions of the command line, against a running process.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::process::{Process, path, run, run_ok, wattstream};

const CSV: &str = "site_id,timestamp,energy_generated_kwh,energy_consumed_kwh
home-01,2025-06-20T00:00:00Z,0.0,0.5
home-01,2025-06-20T01:00:00Z,-1.25,0.5
home-01,2025-06-20T02:00:00Z,3.000001,0.5
";

fn process_with_a_home(folder: &std::path::Path) -> Process {
    let process = Process::start(&folder.join("data"));
    let mut ingest = wattstream(&["ingest", "-", "--url", &process.url]);
    let mut child = ingest.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(CSV.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.contains("3 readings accepted"), "{stderr}");
    process.wait_for_records(3);
    process
}

#[test]
fn summary_records_and_anomalies_answer_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let process = process_with_a_home(folder.path());
    let ask = |arguments: &[&str]| run_ok(&[arguments, &["--url", &process.url]].concat());

    let table = ask(&["summary"]);
    assert!(table.contains("home-01") && table.contains("1.750001"), "{table}");
    let summary: Value = serde_json::from_str(&ask(&["summary", "--format", "json"])).unwrap();
    assert_eq!(summary["site_ids"], serde_json::json!(["home-01"]));

    let csv = ask(&["records", "home-01", "--format", "csv", "--start", "2025-06-20T01:00:00Z"]);
    let expected = "timestamp,energy_generated_kwh,energy_consumed_kwh,net_energy_kwh,anomaly,revision\n\
        2025-06-20T01:00:00.000Z,-1.25,0.5,-1.75,true,0\n\
        2025-06-20T02:00:00.000Z,3.000001,0.5,2.500001,false,0\n";
    assert_eq!(csv, expected);
    let limited: Vec<Value> =
        serde_json::from_str(&ask(&["records", "home-01", "--format", "json", "--limit", "2"])).unwrap();
    assert_eq!(limited.len(), 2);

    let anomalies = ask(&["anomalies", "home-01"]);
    assert!(anomalies.contains("negative_energy") && !anomalies.contains("3.000001"), "{anomalies}");

    let unknown = run(&["records", "home-1", "--url", &process.url]);
    let stderr = String::from_utf8_lossy(&unknown.stderr);
    assert!(
        unknown.status.code() == Some(1) && stderr.contains("home-01"),
        "near names are offered: {stderr}"
    );
    let bad_time = run(&["records", "home-01", "--start", "soon", "--url", &process.url]);
    assert!(String::from_utf8_lossy(&bad_time.stderr).contains("now-24h"), "the forms of a time are named");
    process.stop();
}

#[test]
fn a_rejected_line_is_named_with_its_file_and_line_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("meters.csv");
    std::fs::write(
        &file,
        format!("{CSV}home-01,2025-06-20T03:00:00Z,NaN,0.5\nhome-01,2025-06-20T04:00:00Z,1,1\n"),
    )
    .unwrap();
    let data_dir = folder.path().join("data");
    let output = run(&["ingest", path(&file), "--data-dir", path(&data_dir)]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("meters.csv:5: energy_not_finite"), "{stderr}");
    assert!(stderr.contains("4 readings accepted, 1 lines rejected"), "{stderr}");
}

#[test]
fn detect_writes_a_score_for_every_line_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("meters.csv");
    std::fs::write(
        &file,
        format!("{CSV}home-01,2025-06-20T02:00:00Z,3.000001,0.5\nhome-01,2025-06-20T03:00:00Z,NaN,1\n"),
    )
    .unwrap();
    let scores = run_ok(&["detect", path(&file)]);
    let expected = "site_id,timestamp,score,flag,rule\n\
        home-01,2025-06-20T00:00:00Z,0.000,0,\n\
        home-01,2025-06-20T01:00:00Z,1.000,1,negative_energy\n\
        home-01,2025-06-20T02:00:00Z,0.000,0,\n\
        home-01,2025-06-20T02:00:00Z,1.000,1,duplicate\n\
        home-01,2025-06-20T03:00:00Z,1000.000,1,energy_not_finite\n";
    assert_eq!(scores, expected);
}

#[test]
fn completions_are_a_script_of_the_shell() {
    assert!(run_ok(&["completions", "bash"]).contains("_wattstream"));
}
