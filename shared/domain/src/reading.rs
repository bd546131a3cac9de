//! Readings as they arrive, and as they are stored.

use crate::{Energy, EnergySum, Finding, Position, SiteId, Timestamp};

/// What a meter measured in one interval. Two measures are equal when a second delivery of one changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Measure {
    /// Energy that the site generated.
    pub generated: Energy,
    /// Energy that the site consumed.
    pub consumed: Energy,
}

impl Measure {
    /// Generated minus consumed.
    pub fn net(&self) -> EnergySum {
        self.generated - self.consumed
    }
}

/// One site's measure of the interval that begins at `timestamp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reading {
    /// The site that measured.
    pub site_id: SiteId,
    /// The start of the metering interval.
    pub timestamp: Timestamp,
    /// What it measured.
    pub measure: Measure,
}

/// A reading and where in the stream it stands: a fact of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where the record stands.
    pub position: Position,
    /// What it says.
    pub reading: Reading,
}

/// One stored state of a reading: what a record made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The values that hold.
    pub measure: Measure,
    /// What detection found in them; empty when nothing.
    pub findings: Vec<Finding>,
    /// The record that wrote this version.
    pub position: Position,
    /// How many times the reading had been revised: 0 for its first version.
    pub revision: u32,
}

impl Version {
    /// Whether detection found anything.
    pub fn is_anomalous(&self) -> bool {
        !self.findings.is_empty()
    }
}

/// A row of the readings table: the version that holds, and the one it replaced.
///
/// `before` is what the fold had committed when the row was written, so that a delivery that was cut off after writing
/// this row can be told from one that was committed. One is enough: a revision forces a snapshot of its site, which
/// holds what the row was before that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The site that measured: the partition.
    pub site_id: SiteId,
    /// The start of the metering interval: the sort key.
    pub timestamp: Timestamp,
    /// The version that holds.
    pub version: Version,
    /// The committed version that it revised.
    pub before: Option<Box<Version>>,
}
