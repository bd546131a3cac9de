//! Repeated value: a meter that shows one value for longer than it ever does has probably stopped measuring.
//!
//! Zero is exempt: a PV plant shows it every night, and a house that is not there shows it for weeks.

use super::Verdict;
use crate::{Energy, Score};

/// The shortest run that can be flagged: six equal values (pvanalytics `stale_values_diff` window; MET STALE).
const RUN_MIN: u32 = 6;
/// How many times its longest usual run a meter may repeat itself.
const RUN_PER_LONGEST: u32 = 2;
/// A flagged run raises the usual one by one part in this many.
const FLAGGED_GROWTH: u32 = 8;

/// The current and the longest usual run of equal values of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepeatedValue {
    /// The value that the newest reading showed.
    pub value: Energy,
    /// How many readings in a row showed it.
    pub run_readings: u32,
    /// The longest run that counts as usual.
    pub longest_run_readings: u32,
}

impl RepeatedValue {
    /// Compares the run that this energy would make with the longest usual one.
    pub fn judge(&self, energy: Energy) -> Verdict {
        if energy != self.value || energy == Energy::ZERO {
            return Verdict::default();
        }
        let run_readings = i128::from(self.run_readings) + 1;
        Verdict { score: Score::of(run_readings, i128::from(self.limit_readings())), expected: None }
    }

    /// Extends the run, or ends it and learns how long it was: in full when it was within the limit or the site is
    /// still being watched for the first time, slowly otherwise.
    pub fn learn(&mut self, energy: Energy, is_warm: bool) {
        if energy == self.value {
            self.run_readings = self.run_readings.saturating_add(1);
            return;
        }
        if self.value != Energy::ZERO {
            let usual = self.longest_run_readings;
            let grown = usual.saturating_add(usual / FLAGGED_GROWTH + 1);
            let is_usual = !is_warm || self.run_readings < self.limit_readings();
            let learned = if is_usual { self.run_readings } else { self.run_readings.min(grown) };
            self.longest_run_readings = usual.max(learned);
        }
        (self.value, self.run_readings) = (energy, 1);
    }

    fn limit_readings(&self) -> u32 {
        RUN_MIN.max(self.longest_run_readings.saturating_mul(RUN_PER_LONGEST))
    }
}
