//! A second reader of tables and queues, which shares nothing with us but docs/tables.md.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// What it has found.
#[derive(Debug, Deserialize)]
pub(crate) struct Found {
    /// The sums of each site.
    pub(crate) sites: BTreeMap<String, SiteSums>,
    /// The ids of the alerts in the table.
    pub(crate) alerts: Vec<String>,
    /// The ids of the alerts that the subscriber was sent.
    pub(crate) told: Vec<String>,
    /// Reasons and payloads.
    pub(crate) dead_letters: Vec<(String, String)>,
}

/// Sums of the readings of a site; energies in milliwatt-hours.
#[derive(Debug, Deserialize)]
pub(crate) struct SiteSums {
    pub(crate) records: u64,
    pub(crate) anomalies: u64,
    pub(crate) generated: i64,
    pub(crate) consumed: i64,
    /// Closed hours, each of which was found to be the sum of its readings.
    pub(crate) hours: u64,
}

/// Reads everything at an endpoint. Panics when anything does not have the documented form.
pub(crate) fn read(mut python: Command, arguments: [&str; 3]) -> Found {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/local_aws/reader.py");
    let output = python.arg(script).args(arguments).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}
