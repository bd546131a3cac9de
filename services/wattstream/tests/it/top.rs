//! `wattstream top` on a terminal and elsewhere, over a real process.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{PATIENCE, Process, path, wattstream};
use crate::watching::Watching;

const READINGS: &[u8] =
    br#"{"site_id":"home-01","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":-1.25,"energy_consumed_kwh":0.5}
{"site_id":"home-02","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":1,"energy_consumed_kwh":0.5}
not a reading
"#;

fn process_with_readings(folder: &std::path::Path) -> Process {
    let process = Process::start(&folder.join("data"));
    process.post(READINGS);
    process.wait_for_records(2);
    process
}

#[test]
fn without_a_terminal_it_is_a_line_an_interval_and_a_process_that_goes_away_is_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let process = process_with_readings(folder.path());
    let url = process.url.clone();
    let top = Watching::start(wattstream(&["top", "--url", &url, "--interval", "100ms", "--format", "json"]));
    let line = || -> Value { serde_json::from_str(&top.line()).unwrap() };
    let first = line();
    assert_eq!((&first["sites"], &first["readings"]), (&Value::from(2), &Value::from(2)), "{first}");
    assert_eq!((&first["rejected"], &first["dead_letters"]), (&Value::from(1), &Value::from(1)), "{first}");
    assert_eq!(first["anomalies"], 1);
    assert_eq!(first["readings_per_s"], Value::Null, "one look has no rate");
    let second = line();
    assert_eq!(second["readings_per_s"], 0.0, "{second}");
    assert_eq!(second["shards"].as_array().unwrap().len(), 4);
    assert!(second["shards"][0]["records_per_s"].is_number() && second["lag_ms"].is_number(), "{second}");

    let listen = url.strip_prefix("http://").unwrap().to_owned();
    process.stop();
    top.remark("asking again");
    while line()["error"].is_null() {}
    let data_dir = folder.path().join("data");
    let again = Process::start_on(&listen, &["--no-simulator", "--data-dir", path(&data_dir)]);
    top.remark("answers again");
    while !line()["error"].is_null() {}
    again.stop();
}

#[test]
fn a_reader_who_has_seen_enough_ends_it_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let process = process_with_readings(folder.path());
    let mut top = wattstream(&["top", "--url", &process.url, "--interval", "100ms"]);
    let mut child = top.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 1];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    process.stop();
}

/// A command in a terminal of 80 by 24, by `script` of util-linux.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    output: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// Starts the program there; its process id is the first line. `None`, loudly, where there is no `script`.
    fn start(arguments: &[&str]) -> Option<Self> {
        if Command::new("script").arg("--version").output().is_err() {
            wattstream_test_env::skip("no `script` for a terminal; Debian has it in bsdutils");
            return None;
        }
        let program = env!("CARGO_BIN_EXE_wattstream");
        let line = format!(
            "stty cols 80 rows 24; echo pid=$$.; {program} {}; echo exit=$?.; stty -a",
            arguments.join(" ")
        );
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("TERM", "xterm-256color");
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (keys, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let output = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&output);
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut chunk) {
                written.lock().unwrap().extend_from_slice(&chunk[..length]);
            }
        });
        Some(Self { child, keys, output })
    }

    fn output(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap()).into_owned()
    }

    /// Waits until the terminal was told this.
    fn wait_for(&self, text: &str) -> String {
        let started = Instant::now();
        loop {
            let output = self.output();
            if output.contains(text) {
                return output;
            }
            let end: String =
                output.chars().rev().take(3_000).collect::<Vec<_>>().into_iter().rev().collect();
            assert!(started.elapsed() < PATIENCE, "the terminal never shows {text:?}:\n{end:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const ENTER: &str = "\u{1b}[?1049h";
const LEAVE: &str = "\u{1b}[?1049l";

/// The terminal is as it was: the screen of before, a cursor, lines and echo.
fn assert_given_back(output: &str) {
    let after =
        output.split(LEAVE).nth(1).unwrap_or_else(|| panic!("the screen was not given back: {output:?}"));
    assert!(output.contains("\u{1b}[?25h"), "the cursor is hidden: {output:?}");
    assert!(
        after.contains(" icanon") && after.contains(" echo ") && after.contains("isig icanon"),
        "{after:?}"
    );
}

#[test]
fn on_a_terminal_it_draws_takes_keys_and_gives_the_terminal_back() {
    let folder = tempfile::tempdir().unwrap();
    let process = process_with_readings(folder.path());
    let Some(mut terminal) = Terminal::start(&["top", "--url", &process.url, "--interval", "100ms"]) else {
        return;
    };
    terminal.wait_for(ENTER);
    let drawn = terminal.wait_for("negative_energy");
    assert!(drawn.contains("home-01") && drawn.contains("live"), "{drawn:?}");
    terminal.press("?");
    terminal.wait_for("PgUp");
    terminal.press("?p");
    terminal.wait_for("paused");
    terminal.press("q");
    let output = terminal.wait_for("discard");
    assert!(output.contains("exit=0."), "{output:?}");
    assert_given_back(&output);
    process.stop();
}

#[test]
fn a_signal_gives_the_terminal_back_too() {
    let folder = tempfile::tempdir().unwrap();
    let process = process_with_readings(folder.path());
    let Some(terminal) = Terminal::start(&["top", "--url", &process.url]) else { return };
    let drawn = terminal.wait_for("negative_energy");
    let shell = drawn.split("pid=").nth(1).unwrap().split('.').next().unwrap();
    let killed = Command::new("pkill").args(["-TERM", "-P", shell]).status().unwrap();
    assert!(killed.success());
    let output = terminal.wait_for("discard");
    assert!(output.contains("exit=0."), "{output:?}");
    assert_given_back(&output);
    process.stop();
}
