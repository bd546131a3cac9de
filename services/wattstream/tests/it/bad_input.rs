//! Bad input, line by line: what comes of each, and that it costs nothing that was good.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::process::{Process, run_ok, wattstream};

fn reading(site_id: &str, timestamp: &str, generated: &str, consumed: &str) -> Vec<u8> {
    format!(
        r#"{{"site_id":"{site_id}","timestamp":"{timestamp}","energy_generated_kwh":{generated},"energy_consumed_kwh":{consumed}}}"#
    )
    .into_bytes()
}

fn good(hour: usize) -> Vec<u8> {
    reading("good-neighbour", &format!("2025-06-20T{hour:02}:00:00Z"), "1.5", "0.5")
}

/// Each bad line, and the reason that it is set aside for.
fn bad_lines() -> Vec<(Vec<u8>, &'static str)> {
    let at = "2025-06-20T00:00:00Z";
    let text = |text: &str| text.as_bytes().to_vec();
    let with_id = |id: &str| reading(id, at, "1", "1");
    let with_time = |timestamp: &str| reading("a", timestamp, "1", "1");
    let with_energy = |generated: &str| reading("a", at, generated, "1");
    vec![
        ([&b"{\"site_id\":\""[..], &[0xff, 0xfe], b"\"}"].concat(), "not_utf8"),
        (text(r#"{"site_id":"a","timestamp":"2025-06-2"#), "not_json"),
        (text(r"not json at all"), "not_json"),
        (text(r#"["an","array"]"#), "not_an_object"),
        (text(r#""a text""#), "not_an_object"),
        (text(r"{}"), "missing_field"),
        (
            text(r#"{"site_id":"a","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":1}"#),
            "missing_field",
        ),
        (
            text(
                r#"{"site_id":5,"timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":1,"energy_consumed_kwh":1}"#,
            ),
            "wrong_type",
        ),
        (with_energy("true"), "wrong_type"),
        (with_energy(r#""12,5""#), "wrong_type"),
        (with_energy("1e400"), "energy_out_of_range"),
        (with_energy("1000000000.000001"), "energy_out_of_range"),
        (with_energy("NaN"), "energy_not_finite"),
        (with_energy(r#""NaN""#), "energy_not_finite"),
        (with_energy("-Infinity"), "energy_not_finite"),
        (with_id(""), "site_id_invalid"),
        (with_id("a/b"), "site_id_invalid"),
        (with_id(r"a\u0000b"), "site_id_invalid"),
        (with_id(&"x".repeat(65)), "site_id_invalid"),
        (with_time("2025-06-20T00:00:00"), "timestamp_without_offset"),
        (with_time("2016-12-31T23:59:60Z"), "timestamp_leap_second"),
        (with_time("9999-12-31T23:59:59Z"), "timestamp_out_of_range"),
        (with_time("2025-02-30T00:00:00Z"), "timestamp_invalid"),
        (with_time("yesterday"), "timestamp_invalid"),
        (reading("a", at, "1", &"[".repeat(100_000)), "too_large"),
        (text(&format!(r#"{{"site_id":{}"#, "[".repeat(60_000))), "not_json"),
        (text(&"x".repeat(1024 * 1024)), "too_large"),
    ]
}

#[test]
fn every_bad_line_is_set_aside_with_its_reason_and_its_bytes_and_good_neighbours_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&folder.path().join("data"));
    let bad = bad_lines();
    let mut body = Vec::new();
    for (index, (line, _)) in bad.iter().enumerate() {
        for line in [line, &good(index % 24)] {
            body.extend_from_slice(line);
            body.push(b'\n');
        }
    }
    let answer = process.post(&body);
    assert_eq!(
        (answer["accepted"].as_u64(), answer["rejected"].as_u64()),
        (Some(bad.len() as u64), Some(bad.len() as u64))
    );
    process.wait_for_records(24);

    // Lines that name no site share a shard, so the letters come in the order of the lines.
    process.wait_until("every bad line is a dead letter", |process| letters(process).len() == bad.len());
    for (letter, (line, reason)) in letters(&process).iter().zip(&bad) {
        let id = letter["id"].as_str().expect("an id");
        let shown = String::from_utf8_lossy(&line[..line.len().min(200)]);
        assert_eq!(letter["reason"], *reason, "{shown}");
        assert!(!letter["detail"].as_str().expect("a detail").is_empty());
        let whole = process.get_json(&format!("/dead-letters/{id}"));
        let payload = BASE64_STANDARD.decode(whole["payload_base64"].as_str().expect("a payload")).unwrap();
        assert_eq!(payload, *line, "the payload of {shown} came back changed");
        let output = wattstream(&["dead-letters", "show", id, "--url", &process.url]).output().unwrap();
        assert_eq!(output.stdout, *line, "the command line shows other bytes");
    }
    let totals = process.get_json("/summary");
    assert_eq!(totals["totals"]["records"], 24);
    assert_eq!(totals["sites"].as_array().map(Vec::len), Some(1));
    process.stop();
}

fn letters(process: &Process) -> Vec<Value> {
    let listed = run_ok(&["dead-letters", "list", "--url", &process.url, "--format", "json"]);
    serde_json::from_str(&listed).expect("a list of letters")
}

#[test]
fn blank_lines_are_no_records() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&folder.path().join("data"));
    let answer = process.post(&[b"\n\r\n  \n", &good(0)[..], b"\n\n"].concat());
    assert_eq!((answer["accepted"].as_u64(), answer["rejected"].as_u64()), (Some(1), Some(0)));
    process.wait_for_records(1);
    process.stop();
}

#[test]
fn dead_letters_can_be_redriven_and_purged() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&folder.path().join("data"));
    process.post(b"{\n[\n");
    process.wait_until("both lines are dead letters", |process| letters(process).len() == 2);
    let before = letters(&process);
    run_ok(&["dead-letters", "redrive", "--url", &process.url]);
    // They are as unreadable as before, so they come back, at a later place in the stream.
    process.wait_until("they were rejected again", |process| {
        let after = letters(process);
        after.len() == 2 && after.iter().all(|letter| before.iter().all(|old| old["id"] != letter["id"]))
    });
    run_ok(&["dead-letters", "purge", "--url", &process.url]);
    assert_eq!(letters(&process), Vec::<Value>::new());
    process.stop();
}
