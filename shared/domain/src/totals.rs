//! Sums over readings: of a whole site, and of one of its hours.
//!
//! Both are sums over the same rows, so the hours of a site always add up to its totals.

use std::ops::AddAssign;

use crate::mutant::{self, Mutant};
use crate::{Energy, EnergySum, Finding, Hour, Measure, Position, Rule, SiteId, Timestamp, Version};

/// What a site has reported in all, each reading once, in its latest version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Distinct readings.
    pub records: u64,
    /// Sum of the generated energy.
    pub generated: EnergySum,
    /// Sum of the consumed energy.
    pub consumed: EnergySum,
    /// Readings with at least one finding.
    pub anomalies: u64,
    /// Readings with a finding of each rule, by [`Rule::index`].
    pub anomalies_by_rule: [u64; Rule::ALL.len()],
    /// Readings that came after a later one.
    pub late: u64,
    /// Readings that a later record gave other values.
    pub revisions: u64,
    /// The earliest reading.
    pub first_seen: Option<Timestamp>,
    /// The newest reading.
    pub last_seen: Option<Timestamp>,
}

impl Totals {
    /// Generated minus consumed.
    pub fn net(&self) -> EnergySum {
        self.generated - self.consumed
    }

    /// Counts a reading that is there for the first time.
    pub(crate) fn add_reading(&mut self, timestamp: Timestamp, measure: &Measure, findings: &[Finding]) {
        self.records += 1;
        self.add_energy(measure);
        self.count_findings(findings, u64::wrapping_add);
        self.first_seen = Some(self.first_seen.map_or(timestamp, |first| first.min(timestamp)));
        self.last_seen = Some(self.last_seen.map_or(timestamp, |last| last.max(timestamp)));
    }

    /// Puts other values in the place of a reading's `previous` ones.
    pub(crate) fn revise_reading(&mut self, previous: &Version, measure: &Measure, findings: &[Finding]) {
        self.revisions += 1;
        if !mutant::is_planted(Mutant::RevisionAddsTwice) {
            self.generated -= previous.measure.generated;
            self.consumed -= previous.measure.consumed;
        }
        self.add_energy(measure);
        self.count_findings(&previous.findings, u64::wrapping_sub);
        self.count_findings(findings, u64::wrapping_add);
    }

    fn add_energy(&mut self, measure: &Measure) {
        if mutant::is_planted(Mutant::FloatSums) {
            self.generated = float_sum(self.generated, measure.generated);
            self.consumed = float_sum(self.consumed, measure.consumed);
            return;
        }
        self.generated += measure.generated;
        self.consumed += measure.consumed;
    }

    fn count_findings(&mut self, findings: &[Finding], count: fn(u64, u64) -> u64) {
        self.anomalies = count(self.anomalies, u64::from(!findings.is_empty()));
        for finding in findings {
            let readings = &mut self.anomalies_by_rule[finding.rule.index()];
            *readings = count(*readings, 1);
        }
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "it is a planted bug")]
fn float_sum(sum: EnergySum, energy: Energy) -> EnergySum {
    EnergySum::from_milliwatt_hours((sum.milliwatt_hours() as f32 + energy.milliwatt_hours() as f32) as i128)
}

/// The readings of one site in one UTC hour. Days and months are summed from hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourTotals {
    /// Distinct readings.
    pub records: u64,
    /// Readings with at least one finding.
    pub anomalies: u64,
    /// The generated energy.
    pub generated: Spread,
    /// The consumed energy.
    pub consumed: Spread,
}

/// Sum and range of the energies of several readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Their sum.
    pub sum: EnergySum,
    /// The lowest.
    pub min: Energy,
    /// The highest.
    pub max: Energy,
}

impl HourTotals {
    /// The totals of one reading.
    pub fn of(measure: &Measure, is_anomalous: bool) -> Self {
        Self {
            records: 1,
            anomalies: u64::from(is_anomalous),
            generated: Spread::of(measure.generated),
            consumed: Spread::of(measure.consumed),
        }
    }

    /// The totals of these readings and of `other`'s.
    pub fn merge(&self, other: &Self) -> Self {
        Self {
            records: self.records + other.records,
            anomalies: self.anomalies + other.anomalies,
            generated: self.generated.merge(&other.generated),
            consumed: self.consumed.merge(&other.consumed),
        }
    }
}

impl Spread {
    fn of(energy: Energy) -> Self {
        Self { sum: energy.into(), min: energy, max: energy }
    }

    fn merge(&self, other: &Self) -> Self {
        Self { sum: self.sum + other.sum, min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}

/// The readings of some time: what hours are summed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Distinct readings.
    pub records: u64,
    /// Readings with at least one finding.
    pub anomalies: u64,
    /// The generated energy.
    pub generated: EnergySum,
    /// The consumed energy.
    pub consumed: EnergySum,
}

impl Sums {
    /// Generated minus consumed.
    pub fn net(&self) -> EnergySum {
        self.generated - self.consumed
    }

    /// Adds the readings of an hour.
    pub fn add(&mut self, hour: &HourTotals) {
        self.records += hour.records;
        self.anomalies += hour.anomalies;
        self.generated += hour.generated.sum;
        self.consumed += hour.consumed.sum;
    }

    /// Takes away the readings of an hour that was added.
    pub fn remove(&mut self, hour: &HourTotals) {
        self.records -= hour.records;
        self.anomalies -= hour.anomalies;
        self.generated += -hour.generated.sum;
        self.consumed += -hour.consumed.sum;
    }
}

impl From<&HourTotals> for Sums {
    fn from(hour: &HourTotals) -> Self {
        let mut sums = Self::default();
        sums.add(hour);
        sums
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.anomalies += other.anomalies;
        self.generated += other.generated;
        self.consumed += other.consumed;
    }
}

/// The sums of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourSums {
    /// The hour.
    pub hour: Hour,
    /// Its sums.
    pub sums: Sums,
}

impl From<&HourRow> for HourSums {
    fn from(row: &HourRow) -> Self {
        Self { hour: row.hour, sums: (&row.totals).into() }
    }
}

/// A row of the hours table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourRow {
    /// The site: the partition.
    pub site_id: SiteId,
    /// The hour: the sort key.
    pub hour: Hour,
    /// The sums of its readings.
    pub totals: HourTotals,
    /// The record that closed the hour, or changed it last.
    pub position: Position,
}
