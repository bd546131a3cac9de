//! Readings as they come in, from a real process: to a client that is cut off, to one that is too slow, and to those that are there
//! when it stops.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};

use serde_json::Value;
use ureq::Agent;
use wattstream_domain::Timestamp;

use crate::process::{PATIENCE, Process};

/// 2025-06-20T00:00:00Z.
const START_MS: i64 = 1_750_377_600_000;

/// Readings of a site, one a minute from a minute on.
fn readings(site: &str, first_minute: i64, count: i64) -> String {
    let minutes = first_minute..first_minute + count;
    minutes
        .map(|minute| {
            let at = Timestamp::from_unix_ms(START_MS + minute * 60_000).unwrap();
            format!(
                r#"{{"site_id":"{site}","timestamp":"{at}","energy_generated_kwh":{}.5,"energy_consumed_kwh":1}}"#,
                minute % 50
            ) + "\n"
        })
        .collect()
}

/// A stream of events that is being read.
struct Events(BufReader<Box<dyn Read>>);

#[derive(Debug, Default)]
struct Sent {
    event: String,
    id: String,
    data: String,
}

impl Events {
    fn open(process: &Process, after: Option<&str>) -> Self {
        let config = Agent::config_builder().timeout_global(Some(PATIENCE)).build();
        let mut request = Agent::from(config).get(format!("{}/live", process.url));
        request = request.header("accept", "text/event-stream");
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let answer = request.call().expect("the process answers");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self(BufReader::new(Box::new(answer.into_body().into_reader())))
    }

    /// The next block that names an event; `None` when the stream has ended, as it should.
    fn next(&mut self) -> Option<Sent> {
        let mut sent = Sent::default();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).expect("the stream is not cut off") == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some(("event", value)) => value.clone_into(&mut sent.event),
                Some(("id", value)) => value.clone_into(&mut sent.id),
                Some(("data", value)) => value.clone_into(&mut sent.data),
                _ if line == "\n" && !sent.event.is_empty() => return Some(sent),
                _ => {}
            }
        }
    }

    /// The place where the stream begins, which comes before any event.
    fn beginning(&mut self) -> String {
        let mut line = String::new();
        while !line.starts_with("id: ") {
            line.clear();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "there is a beginning");
        }
        line.trim_end().trim_start_matches("id: ").to_owned()
    }
}

fn start() -> (tempfile::TempDir, Process) {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path());
    (folder, process)
}

#[test]
fn a_client_that_is_cut_off_again_and_again_misses_nothing() {
    const READINGS: i64 = 600;
    let (_folder, process) = start();
    let mut events = Events::open(&process, None);
    let mut place = events.beginning();
    let mut told = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for minute in 0..READINGS / 4 {
                process.post(readings(&format!("home-{}", minute % 3), minute * 4, 4).as_bytes());
            }
        });
        while told.len() < usize::try_from(READINGS).unwrap() {
            for _ in 0..(told.len() % 17 + 1).min(usize::try_from(READINGS).unwrap() - told.len()) {
                let sent = events.next().expect("the stream goes on");
                assert_eq!(sent.event, "record", "nothing was missed: {sent:?}");
                place = sent.id;
                told.push(serde_json::from_str::<Value>(&sent.data).unwrap());
            }
            drop(events);
            events = Events::open(&process, Some(&place));
        }
    });
    let stored: BTreeSet<String> = (0..3)
        .flat_map(|site| {
            let page = process.get_json(&format!("/records/home-{site}?start=2025-06-20&limit=10000"));
            page["records"].as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(stored.len(), usize::try_from(READINGS).unwrap());
    assert_eq!(
        told.iter().map(Value::to_string).collect::<BTreeSet<_>>(),
        stored,
        "each of them, as it is stored"
    );
    process.stop();
}

#[test]
fn a_client_that_is_too_slow_is_told_and_goes_on_and_one_that_stalls_holds_no_stop_up() {
    const ROUNDS: i64 = 15;
    let (_folder, process) = start();
    let (mut slow, mut stalled) = (Events::open(&process, None), Events::open(&process, None));
    slow.beginning();
    stalled.beginning();
    // More than the sockets and the process hold for somebody who does not read: some 40 MB.
    for round in 0..ROUNDS {
        process.post(readings("home-01", round * 10_000, 10_000).as_bytes());
    }
    process.wait_for_records(u64::try_from(ROUNDS * 10_000).unwrap());
    let mut read = 0;
    let reset = loop {
        let sent = slow.next().expect("the stream goes on");
        if sent.event == "reset" {
            break sent;
        }
        read += 1;
    };
    assert!(read < ROUNDS * 10_000, "{read}");
    assert!(reset.data.contains("Load what you show again"), "{reset:?}");
    // What the tables have is told a moment later, so the client may be overtaken once more; then it is told so, and goes on again.
    let mut minutes = 0..;
    let mut post_next = || process.post(readings("home-02", minutes.next().expect("a minute"), 1).as_bytes());
    post_next();
    loop {
        let sent = slow.next().expect("the stream goes on");
        match sent.event.as_str() {
            "reset" => drop(post_next()),
            _ if sent.data.contains("home-02") => break,
            _ => {}
        }
    }
    process.stop();
    drop(stalled);
}

#[test]
fn streams_end_as_they_should_when_the_process_is_asked_to_stop() {
    let (_folder, process) = start();
    let mut events = Events::open(&process, None);
    events.beginning();
    process.stop();
    assert!(events.next().is_none(), "the answer is whole, and not cut off");
}
