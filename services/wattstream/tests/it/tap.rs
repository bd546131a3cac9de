//! `wattstream tap` over a real process: its lines, what it does when the connection breaks, and over an API that cannot stream.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::process::{Process, path, run, wattstream};
use crate::watching::Watching;

fn reading(site_id: &str, minute: u32, generated: &str) -> String {
    format!(
        r#"{{"site_id":"{site_id}","timestamp":"2025-06-20T00:{minute:02}:00Z","energy_generated_kwh":{generated},"energy_consumed_kwh":0.5}}"#
    )
}

/// Starts `tap` and waits until it listens: until then readings are not for it.
fn tap(process: &Process, flags: &[&str]) -> Watching {
    tap_at(process, &process.url, flags)
}

fn tap_at(process: &Process, url: &str, flags: &[&str]) -> Watching {
    let tap = Watching::start(wattstream(&[&["tap", "--url", url], flags].concat()));
    // A stream begins when its head is answered, which the process counts.
    process.wait_until("tap listens", |process| listeners(process) > 0);
    tap
}

/// How many streams the process has begun to answer.
fn listeners(process: &Process) -> u64 {
    let metrics = process.get("/metrics").1;
    let live = metrics.lines().filter(|line| {
        line.starts_with("wattstream_http_requests_total{") && line.contains(r#"route="/live""#)
    });
    live.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

fn minute(line: &str) -> u32 {
    let record: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    record["timestamp"].as_str().unwrap()[14..16].parse().unwrap()
}

#[test]
fn readings_come_as_they_are_processed_one_json_a_line_as_the_api_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&folder.path().join("data"));
    process.post(reading("home-01", 0, "1").as_bytes());
    process.wait_for_records(1);
    let all = tap(&process, &[]);
    process.post(reading("home-01", 1, "3.000001").as_bytes());
    let line = all.line();
    let stored = process.get_json("/records/home-01");
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), stored["records"][1]);
    assert!(line.contains("3.000001"), "{line}");
    process.stop();
}

#[test]
fn sites_and_anomalies_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&folder.path().join("data"));
    for site in ["a", "b", "c"] {
        process.post(reading(site, 0, "1").as_bytes());
    }
    process.wait_for_records(3);
    let one = tap(&process, &["--site", "a"]);
    let before = listeners(&process);
    let two = Watching::start(wattstream(&[
        "tap",
        "--url",
        &process.url,
        "--site",
        "a",
        "--site",
        "b",
        "--anomalies",
    ]));
    process.wait_until("both listen", |process| listeners(process) > before);
    let lines = [("c", 1, "-1"), ("b", 1, "1"), ("a", 1, "1"), ("b", 2, "-1"), ("a", 2, "-1")];
    let body: Vec<_> = lines.iter().map(|(site, minute, kwh)| reading(site, *minute, kwh)).collect();
    process.post(body.join("\n").as_bytes());
    assert_eq!([minute(&one.line()), minute(&one.line())], [1, 2]);
    let mut sites: Vec<_> = [two.line(), two.line()]
        .map(|line| serde_json::from_str::<Value>(&line).unwrap())
        .map(|record| {
            assert_eq!(record["anomaly"], true);
            record["site_id"].as_str().unwrap().to_owned()
        })
        .into();
    sites.sort();
    assert_eq!(sites, ["a", "b"]);
    process.stop();
}

#[test]
fn after_a_lost_connection_it_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&folder.path().join("data"));
    let wire = Wire::to(process.url.strip_prefix("http://").unwrap().parse().unwrap());
    let tap = tap_at(&process, &format!("http://{}", wire.address), &[]);
    process.post(reading("a", 0, "1").as_bytes());
    assert_eq!(minute(&tap.line()), 0);
    wire.cut();
    tap.remark("connecting again");
    let body: Vec<_> = (1..5).map(|minute| reading("a", minute, "1")).collect();
    process.post(body.join("\n").as_bytes());
    process.wait_for_records(5);
    wire.mend();
    let minutes: Vec<_> = (1..5).map(|_| minute(&tap.line())).collect();
    assert_eq!(minutes, [1, 2, 3, 4]);
    process.post(reading("a", 5, "1").as_bytes());
    assert_eq!(minute(&tap.line()), 5, "none comes twice");
    process.stop();
}

#[test]
fn a_process_that_began_anew_has_a_warning_and_the_stream_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let process = Process::start(&data_dir);
    let listen = process.url.strip_prefix("http://").unwrap().to_owned();
    let tap = tap(&process, &[]);
    process.post(reading("a", 0, "1").as_bytes());
    assert_eq!(minute(&tap.line()), 0);
    // It stops at once, although somebody listens.
    process.stop();
    let again = Process::start_on(&listen, &["--no-simulator", "--data-dir", path(&data_dir)]);
    tap.remark("warning: some readings were missed");
    again.post(reading("a", 1, "1").as_bytes());
    assert_eq!(minute(&tap.line()), 1);
    again.stop();
}

#[test]
fn a_closed_pipe_ends_it_quietly_and_a_signal_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&folder.path().join("data"));
    let mut interrupted = tap(&process, &[]);
    interrupted.signal("-INT");
    interrupted.wait();
    let before = listeners(&process);
    let mut command = wattstream(&["tap", "--url", &process.url]);
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    process.wait_until("tap listens", |process| listeners(process) > before);
    drop(child.stdout.take());
    process.post(reading("a", 0, "1").as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    process.stop();
}

#[test]
fn a_process_that_was_never_there_and_a_site_that_nobody_knows_are_errors() {
    let nobody = run(&["tap", "--url", "http://127.0.0.1:1"]);
    let stderr = String::from_utf8_lossy(&nobody.stderr);
    assert!(nobody.status.code() == Some(1) && stderr.contains("is wattstream running"), "{stderr}");
}

#[test]
fn an_api_that_cannot_stream_is_asked_again_and_again_and_tells_each_reading_once() {
    let api = NoStream::start();
    api.tell(&[1]);
    let tap = Watching::start(wattstream(&["tap", "--url", &format!("http://{}", api.address)]));
    tap.remark("cannot stream");
    api.wait_for_questions(1);
    api.tell(&[3, 2, 1]);
    assert_eq!([minute(&tap.line()), minute(&tap.line())], [2, 3]);
    let asked = api.questions();
    api.wait_for_questions(asked.saturating_add(1));
    api.tell(&[4, 3, 2, 1]);
    assert_eq!(minute(&tap.line()), 4);
    assert_eq!(tap.lines_so_far(), Vec::<String>::new());
    assert!(api.unchanged() > 0, "it says what it has, so that it need not be sent again");
}

/// A line to a process that can be cut.
struct Wire {
    address: SocketAddr,
    state: Arc<Mutex<WireState>>,
}

#[derive(Default)]
struct WireState {
    is_cut: bool,
    connections: Vec<TcpStream>,
}

impl Wire {
    fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<WireState>>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut state = shared.lock().unwrap();
                if state.is_cut {
                    continue;
                }
                let server = TcpStream::connect(target).unwrap();
                state.connections.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                drop(state);
                forward(client.try_clone().unwrap(), server.try_clone().unwrap());
                forward(server, client);
            }
        });
        Self { address, state }
    }

    fn cut(&self) {
        let mut state = self.state.lock().unwrap();
        state.is_cut = true;
        for connection in state.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
        self.state.lock().unwrap().is_cut = false;
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// What `/live` is in Lambda: 406 for a stream, and a document with a tag for everything else.
struct NoStream {
    address: SocketAddr,
    state: Arc<Mutex<NoStreamState>>,
}

#[derive(Default)]
struct NoStreamState {
    minutes: Vec<u32>,
    questions: usize,
    unchanged: usize,
}

impl NoStream {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<NoStreamState>>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                thread::spawn(move || while answer(&client, &shared) {});
            }
        });
        Self { address, state }
    }

    fn tell(&self, minutes: &[u32]) {
        self.state.lock().unwrap().minutes = minutes.to_vec();
    }

    fn questions(&self) -> usize {
        self.state.lock().unwrap().questions
    }

    fn unchanged(&self) -> usize {
        self.state.lock().unwrap().unchanged
    }

    fn wait_for_questions(&self, questions: usize) {
        let started = std::time::Instant::now();
        while self.questions() < questions {
            assert!(started.elapsed() < crate::process::PATIENCE, "it was not asked {questions} times");
            thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

/// Answers one request; whether there may be another.
fn answer(client: &TcpStream, state: &Mutex<NoStreamState>) -> bool {
    let mut head = String::new();
    let mut reader = BufReader::new(client.take(64 * 1024));
    while !head.ends_with("\r\n\r\n") {
        if !matches!(reader.read_line(&mut head), Ok(1..)) {
            return false;
        }
    }
    let head = head.to_lowercase();
    let mut state = state.lock().unwrap();
    let etag = format!("\"{:?}\"", state.minutes);
    let (status, body) = if head.contains("text/event-stream") {
        ("406 Not Acceptable", r#"{"title":"Not acceptable","detail":"Poll."}"#.to_owned())
    } else if head.contains(&format!("if-none-match: {etag}")) {
        state.questions += 1;
        state.unchanged += 1;
        ("304 Not Modified", String::new())
    } else {
        state.questions += 1;
        let records: Vec<_> = state
            .minutes
            .iter()
            .map(|minute| {
                format!(r#"{{"site_id":"a","timestamp":"2025-06-20T00:{minute:02}:00.000Z","revision":0,"anomaly":false}}"#)
            })
            .collect();
        ("200 OK", format!(r#"{{"records":[{}]}}"#, records.join(",")))
    };
    drop(state);
    let length = body.len();
    write!(&*client, "HTTP/1.1 {status}\r\netag: {etag}\r\ncontent-length: {length}\r\n\r\n{body}").is_ok()
}
