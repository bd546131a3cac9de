//! What somebody sees who has just started the program for the first time.

use std::net::TcpListener;

use crate::process::{Process, path, run};

#[test]
fn a_fresh_start_shows_a_day_of_readings_of_every_site_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let process = Process::start_with(&["--data-dir", path(&data_dir), "--sites", "6", "--speed", "60"]);
    // 24 hours of 5 minutes are 288 readings; outages and readings that are still on their way leave some out.
    process.wait_until("six sites have a day of readings", |process| {
        let summary = process.get_json("/summary");
        let sites = summary["sites"].as_array().expect("sites");
        sites.len() == 6 && sites.iter().all(|site| site["records"].as_u64().expect("a count") > 200)
    });
    let (status, page) = process.get("/");
    assert!(status == 200 && page.contains("<html"), "{page}");
    assert_eq!(process.get("/docs/").0, 200);
    assert_eq!(process.get_json("/openapi.json")["openapi"], "3.1.0");
    assert_eq!(process.get_json("/healthz")["status"], "ok");
    assert_eq!(process.get("/readyz").0, 200);
    assert!(process.get("/metrics").1.contains("wattstream_records_read_total"));
    process.wait_until("the planted anomaly shows", |process| {
        process.get_json("/summary")["totals"]["anomalies_by_rule"]["negative_energy"].as_u64() > Some(0)
    });
    process.stop();
}

#[test]
fn a_second_start_goes_on_where_the_first_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let flags = ["--data-dir", path(&data_dir), "--sites", "3", "--speed", "600"];
    let process = Process::start_with(&flags);
    process.wait_until("the backfill is there", |process| {
        process.get_json("/summary")["totals"]["records"].as_u64() > Some(700)
    });
    process.stop();
    let process = Process::start_with(&flags);
    let at_start = process.get_json("/summary")["totals"]["records"].as_u64().expect("a count");
    assert!(at_start > 700, "readings were lost: {at_start}");
    process.wait_until("new readings arrive", |process| {
        process.get_json("/summary")["totals"]["records"].as_u64() > Some(at_start)
    });
    let totals = &process.get_json("/summary")["totals"];
    // A site whose turn had come and gone when the process stopped sends that reading once more.
    assert!(totals["duplicates"].as_u64() < Some(30), "the backfill was sent again: {totals}");
    process.stop();
    let process = Process::start_with(&[&flags[..], &["--fresh", "--no-simulator"]].concat());
    assert_eq!(process.get_json("/summary")["totals"]["records"], 0);
    process.stop();
}

#[test]
fn what_cannot_start_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let process = Process::start(&data_dir);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let other = folder.path().join("other");
    let none = folder.path().join("none");
    let (data_dir, other, none) = (path(&data_dir), path(&other), path(&none));
    let cases: &[(&[&str], i32, &[&str])] = &[
        (
            &["up", "--listen", "127.0.0.1:0", "--data-dir", data_dir],
            1,
            &["in use by another process", data_dir],
        ),
        (
            &["up", "--fresh", "--listen", "127.0.0.1:0", "--data-dir", data_dir],
            1,
            &["in use by another process"],
        ),
        (&["up", "--listen", &address, "--data-dir", other], 1, &[&address, "--listen"]),
        (&["up", "--listen", "0.0.0.0:0", "--data-dir", other], 1, &["loopback", "--token-file"]),
        (&["up", "--silent-after", "2", "--data-dir", other], 2, &["--silent-after", "from 3 on"]),
        (&["up", "--interval", "5", "--data-dir", other], 2, &["--interval", "5m"]),
        (&["up", "--sites", "0", "--listen", "127.0.0.1:0", "--data-dir", other], 1, &["1 to 100000 sites"]),
        (
            &["ingest", "/nowhere/at/all.csv", "--data-dir", data_dir],
            1,
            &["in use by another process", "--url"],
        ),
        (&["ingest", "/nowhere/at/all.csv", "--data-dir", other], 1, &["/nowhere/at/all.csv"]),
        (&["ingset"], 2, &["ingest"]),
        (&["summary", "--url", "http://127.0.0.1:1"], 1, &["127.0.0.1:1", "--url"]),
        (&["verify", "--data-dir", none], 1, &["no store"]),
        (&["records", "a/b"], 2, &["site id"]),
    ];
    for (arguments, code, words) in cases {
        let output = run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {stderr}");
        for word in *words {
            assert!(stderr.contains(word), "{arguments:?} should say {word:?}: {stderr}");
        }
    }
    process.stop();
}
