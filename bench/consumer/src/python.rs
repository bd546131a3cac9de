//! The consumer in Python, measured by a script of its own.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde::Deserialize;
use tempfile::NamedTempFile;

/// What the script prints.
#[derive(Deserialize)]
pub(crate) struct Measured {
    pub(crate) cpu_ns_per_record: f64,
    pub(crate) requests: Vec<String>,
}

/// Runs the script on an event.
pub(crate) fn measure(mut python: Command, event: &[u8], rounds: usize) -> anyhow::Result<Measured> {
    let mut file = NamedTempFile::new()?;
    file.write_all(event)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("measure.py");
    let output = python.arg(script).arg(file.path()).arg(rounds.to_string()).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("what the script measured")
}
