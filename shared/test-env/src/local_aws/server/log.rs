//! What a server writes, on stdout and stderr alike. What must always hold: the server never waits for a reader; of all
//! that it wrote, only the last lines are kept.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, PipeReader},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::Duration,
};

/// How many lines are kept: a traceback, or the banner of ministack and what comes after it.
const LINES_KEPT_MAX: usize = 100;

/// How all three servers announce that they listen; the address follows, up to the next space.
const ANNOUNCEMENT: &str = "Running on ";

/// The log of one server.
#[derive(Debug)]
pub(super) struct Log {
    lines: Arc<Mutex<VecDeque<String>>>,
    address: Receiver<String>,
}

/// Why there is no address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// The server wrote its last without having announced one.
    Ended,
    /// It has not announced one yet.
    StillSilent,
}

impl Log {
    /// Reads all that comes, on a thread that ends with the server.
    pub(super) fn follow(output: PipeReader) -> Self {
        let lines = Arc::default();
        // Room for the one address that is asked for: a server that announces itself twice is not waited for.
        let (found, address) = mpsc::sync_channel(1);
        let kept = Arc::clone(&lines);
        thread::spawn(move || read(output, &kept, &found));
        Self { lines, address }
    }

    /// The address that the server announces.
    pub(super) fn address(&self, limit: Duration) -> Result<String, Silence> {
        self.address.recv_timeout(limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => Silence::StillSilent,
            RecvTimeoutError::Disconnected => Silence::Ended,
        })
    }

    /// Waits until the server has written its last.
    pub(super) fn wait_for_end(&self) {
        while self.address.recv().is_ok() {}
    }

    /// The last lines so far.
    pub(super) fn last_words(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().flat_map(|line| ["    ", line, "\n"]).collect()
    }
}

fn read(output: PipeReader, kept: &Mutex<VecDeque<String>>, found: &SyncSender<String>) {
    // A line that is no UTF-8 must not end the reading: split by bytes, decode leniently.
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        if let Some(address) = announced(&line) {
            let _ = found.try_send(address.to_owned());
        }
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == LINES_KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(line);
    }
}

fn announced(line: &str) -> Option<&str> {
    let (_, address) = line.split_once(ANNOUNCEMENT)?;
    address.split_whitespace().next().filter(|address| address.starts_with("http://127.0.0.1:"))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use super::*;

    /// Longer than any test of this file waits.
    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn the_three_servers_announce_themselves_alike() {
        for line in [
            "[2026-11-24 22:00:24 +0000] [28387] [INFO] Running on http://127.0.0.1:41187 (CTRL + C to quit)",
            " * Running on http://127.0.0.1:41187",
            "Running on http://127.0.0.1:41187",
        ] {
            assert_eq!(announced(line), Some("http://127.0.0.1:41187"), "{line}");
        }
        for line in ["Running on http://0.0.0.0:41187", "Running on", "Ready on port 41187.", ""] {
            assert_eq!(announced(line), None, "{line}");
        }
    }

    #[test]
    fn the_last_lines_are_kept_and_no_more() {
        let (output, mut writer) = io::pipe().unwrap();
        let log = Log::follow(output);
        for number in 0..=LINES_KEPT_MAX {
            writeln!(writer, "line {number}").unwrap();
        }
        writer.write_all(b"no UTF-8: \xff\n").unwrap();
        drop(writer);
        assert_eq!(log.address(LIMIT), Err(Silence::Ended));
        let words = log.last_words();
        assert_eq!(words.lines().count(), LINES_KEPT_MAX);
        assert!(words.starts_with("    line 2\n") && words.ends_with("    no UTF-8: \u{fffd}\n"), "{words}");
    }

    #[test]
    fn a_server_that_announces_itself_twice_is_read_on() {
        let (output, mut writer) = io::pipe().unwrap();
        let log = Log::follow(output);
        writer.write_all(b"Running on http://127.0.0.1:1\nRunning on http://127.0.0.1:1\nlast\n").unwrap();
        drop(writer);
        assert_eq!(log.address(LIMIT).as_deref(), Ok("http://127.0.0.1:1"));
        log.wait_for_end();
        assert!(log.last_words().ends_with("    last\n"));
    }

    #[test]
    fn a_server_that_says_nothing_is_given_up_at_the_limit() {
        let (output, writer) = io::pipe().unwrap();
        let log = Log::follow(output);
        assert_eq!(log.address(Duration::from_millis(1)), Err(Silence::StillSilent));
        drop(writer);
    }
}
