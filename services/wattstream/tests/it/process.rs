//! A `wattstream` process for a test: started on a free port, asked over HTTP, stopped or killed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::Agent;

/// How long anything may take before a test gives it up. It is a limit for hangs, not a measurement.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The program under test with these arguments, without the environment's settings for it.
pub(crate) fn wattstream(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wattstream"));
    command.args(arguments).env_remove("WATTSTREAM_DATA_DIR").env_remove("WATTSTREAM_LISTEN");
    command.env_remove("WATTSTREAM_URL").env_remove("WATTSTREAM_LOG").env_remove("WATTSTREAM_TOKEN_FILE");
    command.env("NO_COLOR", "1");
    command
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    wattstream(arguments).stdin(Stdio::null()).output().expect("the program starts")
}

/// Runs a command that must succeed; its stdout.
pub(crate) fn run_ok(arguments: &[&str]) -> String {
    let output = run(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "wattstream {arguments:?} failed:\n{stderr}");
    String::from_utf8(output.stdout).expect("stdout is text")
}

/// The hash that `verify` prints for a data folder, once it has found no difference.
pub(crate) fn verified_hash(data_dir: &Path) -> String {
    let stdout = run_ok(&["verify", "--data-dir", path(data_dir)]);
    stdout.strip_prefix("state ").expect("verify prints the state").trim().to_owned()
}

/// A path as an argument.
pub(crate) fn path(path: &Path) -> &str {
    path.to_str().expect("test folders have plain names")
}

/// Real series of homes, buildings and plants, which are not part of the repository. `None`, loudly, when they are not
/// there; a failure when no test may be skipped.
pub(crate) fn real_series() -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/energy/replay");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        wattstream_test_env::skip(&format!("no real data in {}", folder.display()));
        return None;
    };
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "gz"));
    files.sort();
    assert_eq!(files.len(), 23, "the data is whole");
    Some(files)
}

/// A running process.
pub(crate) struct Process {
    child: Child,
    /// Where it answers.
    pub(crate) url: String,
    agent: Agent,
}

impl Process {
    /// Starts `up --no-simulator` on a free port.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::start_with(&["--no-simulator", "--data-dir", path(data_dir)])
    }

    /// Starts `up` on a free port with more flags.
    pub(crate) fn start_with(flags: &[&str]) -> Self {
        Self::start_at("127.0.0.1", flags)
    }

    /// Starts `up` on a free port of an address with more flags.
    pub(crate) fn start_at(ip: &str, flags: &[&str]) -> Self {
        Self::start_on(&format!("{ip}:0"), flags)
    }

    /// Starts `up` on an address with more flags.
    pub(crate) fn start_on(listen: &str, flags: &[&str]) -> Self {
        let arguments = [&["up", "--listen", listen], flags].concat();
        let mut child = wattstream(&arguments).stdout(Stdio::piped()).spawn().expect("the program starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut first_line = String::new();
        BufReader::new(stdout).read_line(&mut first_line).expect("stdout is text");
        let url = first_line.trim().to_owned();
        assert!(url.starts_with("http://"), "the first line is the address: {first_line:?}");
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        Self { child, url, agent: config.into() }
    }

    /// The answer to a GET, whatever its status.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.get_as(None, path)
    }

    /// The answer to a GET with a token, whatever its status.
    pub(crate) fn get_as(&self, token: Option<&str>, path: &str) -> (u16, String) {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut answer = request.call().expect("the process answers");
        (
            answer.status().as_u16(),
            answer.body_mut().with_config().limit(u64::MAX).read_to_string().expect("a text"),
        )
    }

    /// The document that a GET answers with.
    pub(crate) fn get_json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }

    /// Posts readings. `None` when the connection broke, as it does when the process is killed.
    pub(crate) fn try_post(&self, body: &[u8]) -> Option<Value> {
        let request = self.agent.post(format!("{}/readings", self.url)).content_type("application/x-ndjson");
        let mut answer = request.send(body).ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        answer.status().is_success().then(|| serde_json::from_str(&text).expect("a JSON answer"))
    }

    /// Posts readings, which must be taken.
    pub(crate) fn post(&self, body: &[u8]) -> Value {
        self.try_post(body).expect("readings are taken")
    }

    /// Waits until a question has the answer that is asked for.
    pub(crate) fn wait_until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        while !is_so(self) {
            assert!(started.elapsed() < PATIENCE, "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the summary counts so many readings.
    pub(crate) fn wait_for_records(&self, records: u64) {
        let what = format!("{records} readings are in the tables");
        self.wait_until(&what, |process| process.get_json("/summary")["totals"]["records"] == records);
    }

    /// Sends it the signal that no process can handle, while others still talk to it.
    pub(crate) fn kill_now(&self) {
        let killed = Command::new("kill").args(["-KILL", &self.child.id().to_string()]).status();
        assert!(killed.expect("kill is there").success());
    }

    /// Asks it to stop, as Ctrl-C does, and waits until it has.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-INT", &pid]).status().expect("kill is there");
        assert!(asked.success());
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("the process can be waited for") {
                assert!(status.success(), "stopped with {status}");
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it did not stop");
    }
}

impl Drop for Process {
    /// No process is left behind, and the folder of one that was killed is free. After `stop` there is nothing to do.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
