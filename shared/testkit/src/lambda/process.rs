//! The process of an environment, and what it writes.
//!
//! What must always hold: it is killed when this is dropped. When the process of the test ends without that, the function
//! finds its Runtime API gone and ends by itself.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::watch;

/// The lines that the processes of a function have written to stdout and stderr, which Lambda puts into one log.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(super) fn lines(&self) -> Vec<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A process that runs, or has ended by itself.
#[derive(Debug)]
pub(super) struct Process {
    child: Mutex<Child>,
    /// How many of its two outputs are open: a process that has ended holds none.
    outputs: watch::Receiver<u8>,
}

impl Process {
    pub(super) fn start(command: &mut Command, log: &Log) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (closed, outputs) = watch::channel(2);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let child = Mutex::new(child);
        let process = Self { child, outputs };
        follow(stdout.expect("it is piped"), log.clone(), closed.clone());
        follow(stderr.expect("it is piped"), log.clone(), closed);
        Ok(process)
    }

    /// Returns when the process has ended, and all that it wrote is in the log.
    pub(super) async fn end(&self) {
        // Whoever held the sender is gone only after both outputs were closed.
        let _ = self.outputs.clone().wait_for(|open| *open == 0).await;
    }

    /// The most memory that it has had at a time, in bytes, while it lives.
    pub(super) fn memory_peak(&self) -> Option<u64> {
        let id = self.child.lock().unwrap_or_else(PoisonError::into_inner).id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(peak.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1_024)
    }

    /// Ends the process as `kill -9` does.
    pub(super) fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has ended already needs no killing.
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn follow(output: impl Read + Send + 'static, log: Log, open: watch::Sender<u8>) {
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            log.lock().push(String::from_utf8_lossy(&line).into_owned());
        }
        open.send_modify(|open| *open -= 1);
    });
}
