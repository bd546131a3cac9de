//! How long after it was posted a reading is visible: `POST /readings` until `GET /records` shows it, while 5,000
//! readings arrive a second.
//!
//! A post of 100 readings leaves every 20 ms by the clock, whether or not the one before has been answered, so that a slow
//! answer counts in full. Every fifth post is then watched: its last reading is asked for until it is there. Prints
//! percentiles in milliseconds.
#![expect(clippy::print_stdout, reason = "the result of a measurement goes to stdout")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use ureq::Agent;
use wattstream_domain::Timestamp;

const POSTS: u64 = 1_500;
const POST_EVERY: Duration = Duration::from_millis(20);
const POST_READINGS: u64 = 100;
const SITES: u64 = 1_000;
const WATCH_EVERY: u64 = 5;
const SENDERS: u64 = 8;
const START_MS: u64 = 1_750_377_600_000;
const STEP_MS: u64 = 1_000;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Command::new(env!("CARGO_BIN_EXE_wattstream"))
        .args(["up", "--no-simulator", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path().join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut url = String::new();
    BufReader::new(child.stdout.take().expect("stdout is piped")).read_line(&mut url).expect("an address");
    let latencies_ms = run(url.trim());
    child.kill().expect("the process can be stopped");
    child.wait().expect("the process ends");
    report(latencies_ms);
}

fn run(url: &str) -> Vec<f64> {
    let latencies_ms = Mutex::new(Vec::new());
    let started = Instant::now();
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            let latencies_ms = &latencies_ms;
            scope.spawn(move || {
                let agent = Agent::new_with_defaults();
                for number in (sender..POSTS).step_by(usize::try_from(SENDERS).expect("few senders")) {
                    let due = started + POST_EVERY * u32::try_from(number).expect("few posts");
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    post(&agent, url, number);
                    if number % WATCH_EVERY == 0 {
                        wait_until_visible(&agent, url, number);
                        let latency_ms = due.elapsed().as_secs_f64() * 1_000.0;
                        latencies_ms.lock().expect("no sender panics").push(latency_ms);
                    }
                }
            });
        }
    });
    latencies_ms.into_inner().expect("no sender panics")
}

/// The site and the instant of a reading.
fn reading(number: u64) -> (String, Timestamp) {
    let (site, slot) = (number % SITES, number / SITES);
    let at_ms = i64::try_from(START_MS + slot * STEP_MS).expect("in range");
    (format!("site-{site:04}"), Timestamp::from_unix_ms(at_ms).expect("in range"))
}

fn post(agent: &Agent, url: &str, number: u64) {
    let mut body = String::new();
    for index in 0..POST_READINGS {
        let (site_id, timestamp) = reading(number * POST_READINGS + index);
        let line = format!(
            "{{\"site_id\":\"{site_id}\",\"timestamp\":\"{timestamp}\",\"energy_generated_kwh\":1.{index:03},\"energy_consumed_kwh\":8.9}}\n"
        );
        body.push_str(&line);
    }
    let request = agent.post(format!("{url}/readings")).content_type("application/x-ndjson");
    request.send(&body).expect("readings are taken");
}

fn wait_until_visible(agent: &Agent, url: &str, number: u64) {
    let (site_id, timestamp) = reading(number * POST_READINGS + POST_READINGS - 1);
    let question = format!("{url}/records/{site_id}?start={timestamp}&limit=1");
    loop {
        // The very first readings of a site are asked for before the site is known.
        let answer = agent.get(&question).call();
        let text = answer.ok().and_then(|mut answer| answer.body_mut().read_to_string().ok());
        if text.is_some_and(|text| text.contains(&format!("\"timestamp\":\"{timestamp}\""))) {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn report(mut latencies_ms: Vec<f64>) {
    latencies_ms.sort_by(f64::total_cmp);
    let percentile = |share: usize| latencies_ms[(latencies_ms.len() - 1) * share / 100];
    println!(
        "posted to visible, {} readings/s, {} watched: p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        POST_READINGS * 1_000 / 20,
        latencies_ms.len(),
        percentile(50),
        percentile(90),
        percentile(99),
        percentile(100),
    );
}
