//! A site that stops is told of, and so is its return, also by a process that was killed in between.
//!
//! The sites keep an interval of a second, so that three of them are over soon; the test waits for what it expects and for no
//! time of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use wattstream_domain::Timestamp;

use crate::process::{PATIENCE, Process, path, verified_hash};

/// The whole second that the clock shows.
fn now_s() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(elapsed.as_secs()).unwrap()
}

fn line(site: &str, at_s: i64) -> String {
    let at = Timestamp::from_unix_ms(at_s * 1_000).unwrap();
    format!(
        r#"{{"site_id":"{site}","timestamp":"{at}","energy_generated_kwh":{}.5,"energy_consumed_kwh":0.25}}"#,
        at_s % 7
    )
}

/// Readings of a site up to now, so many seconds apart.
fn regular(site: &str, interval_s: i64) -> String {
    let now_s = now_s();
    (0..12).rev().map(|step| line(site, now_s - step * interval_s) + "\n").collect()
}

/// The alerts of silences, the oldest first: id and phase.
fn silences(process: &Process) -> Vec<(String, String)> {
    let alerts = process.get_json("/alerts?limit=1000");
    let silences = alerts["alerts"].as_array().unwrap().iter().filter(|alert| alert["kind"] == "silence");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    silences.rev().map(|alert| (text(&alert["alert_id"]), text(&alert["phase"]))).collect()
}

/// The next alert of a silence that is posted; the gap in the readings raises another one.
fn next_silence(posted: &Receiver<Value>) -> Value {
    loop {
        let alert = posted.recv_timeout(PATIENCE).expect("the webhook is told");
        if alert["kind"] == "silence" {
            return alert;
        }
    }
}

/// Takes whatever is posted to it, and hands on the bodies.
fn webhook() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (bodies, received) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let head: Vec<String> =
                reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            let length = head.iter().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length: ").and_then(|text| text.parse().ok())
            });
            let mut body = vec![0; length.expect("a body has a length")];
            reader.read_exact(&mut body).unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
            if bodies.send(serde_json::from_slice(&body).unwrap()).is_err() {
                return;
            }
        }
    });
    (url, received)
}

#[test]
fn a_site_that_stops_is_told_of_once_and_its_return_too_though_the_process_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let (url, posted) = webhook();
    let flags = ["--no-simulator", "--silent-after", "3", "--webhook", &url, "--data-dir", path(&data_dir)];

    let process = Process::start_with(&flags);
    process.post(regular("stops", 1).as_bytes());
    process.post(regular("goes-on", 3_600).as_bytes());
    process.wait_until("the silence is told of", |process| !silences(process).is_empty());
    let (opened, phase) = silences(&process).remove(0);
    assert!(opened.starts_with("stops/silence/") && phase == "opened", "{opened}");
    let body = next_silence(&posted);
    assert_eq!((&body["alert_id"], &body["interval_ms"]), (&opened.clone().into(), &1_000.into()));
    process.kill_now();
    drop(process);

    let process = Process::start_with(&flags);
    process.post(line("stops", now_s()).as_bytes());
    let closed = opened.replace("/opened", "/closed");
    process.wait_until("the return is told of", |process| {
        silences(process).contains(&(closed.clone(), "closed".to_owned()))
    });
    // A process that was killed after it had told of something, and before it had that on disk, tells it again under one id.
    let mut told = next_silence(&posted);
    while told["alert_id"] == opened {
        told = next_silence(&posted);
    }
    assert_eq!(told["alert_id"], closed);

    // It stops again, and that is another silence.
    process.wait_until("the next silence is told of", |process| silences(process).len() == 3);
    let told = silences(&process);
    let ids: Vec<&str> = told.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids[..2], [opened.as_str(), &closed]);
    assert!(ids[2].starts_with("stops/silence/") && ids[2] > opened.as_str(), "{ids:?}");
    process.stop();
    // Nobody who rebuilds the tables from the archive finds a trace of it in them.
    verified_hash(&data_dir);
}

#[test]
fn nobody_is_told_of_a_history_that_is_read_in() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let process =
        Process::start_with(&["--no-simulator", "--silent-after", "3", "--data-dir", path(&data_dir)]);
    let history: String = (0..12).map(|step| line("of-2013", 1_370_000_000 + step) + "\n").collect();
    process.post(history.as_bytes());
    // Whoever is told of this one has been looked for together with the other.
    process.post(regular("stops", 1).as_bytes());
    process.wait_until("a silence is told of", |process| !silences(process).is_empty());
    assert!(silences(&process).iter().all(|(id, _)| id.starts_with("stops/")), "{:?}", silences(&process));
    process.stop();
}
