//! High limit: an energy far beyond the most that the meter has shown of late.
//!
//! The remembered peak decays with time, so that a spike long ago does not hide one of today.

use super::Verdict;
use crate::{Energy, HOUR_MS, Score};

/// How many times the decayed maximum an energy may reach. Four times is what separates unit slips and spikes from
/// weather in the benchmark's clean series.
const LIMIT_PER_PEAK: i128 = 4;
/// The time in which an unconfirmed peak fades to about a third.
const DECAY_MS: i64 = 90 * 24 * HOUR_MS;
/// The longest silence that decay is applied for at once; beyond it the linear step would leave the exponential.
const DECAY_STEP_MS_MAX: i64 = DECAY_MS / 8;
/// A flagged value raises the peak by one part in this many: at one reading an hour a site that really grew fivefold
/// is accepted within a day, one that slipped a unit within two weeks.
const FLAGGED_GROWTH: i64 = 64;

/// The decayed maximum of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HighLimit {
    /// The decayed maximum, in milliwatt-hours; never below zero.
    pub peak_milliwatt_hours: i64,
}

impl HighLimit {
    /// Compares an energy with `LIMIT_PER_PEAK` times the peak. A meter that has shown nothing yet has no limit.
    pub fn judge(&self, energy: Energy) -> Verdict {
        let limit = LIMIT_PER_PEAK * i128::from(self.peak_milliwatt_hours);
        let score = Score::of(i128::from(energy.milliwatt_hours()), limit);
        let expected = i64::try_from(limit).ok().and_then(Energy::from_milliwatt_hours);
        Verdict { score, expected: expected.filter(|_| score.is_flag()) }
    }

    /// Lets the peak fade by the time that passed and follow the energy up, slowly when it was `flagged`.
    pub fn learn(&mut self, energy: Energy, elapsed_ms: i64, flagged: bool) {
        let peak = self.peak_milliwatt_hours;
        let fade = i128::from(peak) * i128::from(elapsed_ms.min(DECAY_STEP_MS_MAX)) / i128::from(DECAY_MS);
        let faded = peak - i64::try_from(fade).unwrap_or(peak);
        self.peak_milliwatt_hours = match energy.milliwatt_hours() {
            value if value <= faded => faded,
            _ if flagged => faded + faded / FLAGGED_GROWTH + 1,
            value => value,
        };
    }
}
