//! Cadence: how often a site reports, and so whether an interval is missing.
//!
//! The step is learned by majority vote (Boyer and Moore, "MJRTY: A Fast Majority Vote Algorithm"): the interval that most
//! readings keep wins, whatever the site's metering interval is. A site that reports by daylight only has a gap every
//! night; the usual gap follows such a habit and fades without it.

use std::num::NonZeroU32;

use crate::{HOUR_MS, Score};

/// How many times a step must have been confirmed before a gap is told from it.
const VOTES_MIN: u8 = 8;
/// The most confirmations that are remembered, so that a changed interval is learned within that many readings.
const VOTES_MAX: u8 = 16;
/// How many steps, or usual gaps, may pass before an interval counts as missing.
const GAP_PER_STEP: i64 = 2;
/// A gap moves the usual gap by one part in this many of the difference.
const USUAL_GAP_SHARE: i64 = 4;
/// The time in which a usual gap fades to about a third.
const USUAL_GAP_DECAY_MS: i64 = 4 * 24 * HOUR_MS;

/// The learned reporting interval of a site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cadence {
    /// The interval that most readings keep, in milliseconds; 0 when nothing is known.
    pub step_ms: i64,
    /// How sure that is: confirmations less contradictions, 0 to `VOTES_MAX`.
    pub votes: u8,
    /// The gap that this site makes by habit, in milliseconds; 0 when it makes none.
    pub usual_gap_ms: i64,
}

impl Cadence {
    /// Compares the time since the last reading with the step and the usual gap. Flags from one missing step on.
    pub fn judge(&self, elapsed_ms: i64) -> Score {
        if self.votes < VOTES_MIN || elapsed_ms <= self.step_ms {
            return Score::ZERO;
        }
        Score::of(i128::from(elapsed_ms), i128::from(GAP_PER_STEP * self.step_ms.max(self.usual_gap_ms)))
    }

    /// The interval that the site keeps, in milliseconds. `None` while that is not known for sure.
    pub fn interval_ms(&self) -> Option<i64> {
        (self.votes >= VOTES_MIN).then_some(self.step_ms)
    }

    /// How long the site may send nothing before that is more than habit: `intervals` of its steps, or what
    /// [`Cadence::judge`] allows for its usual gap, whichever is longer. `None` while nothing is known for sure.
    pub fn patience_ms(&self, intervals: NonZeroU32) -> Option<i64> {
        let by_step_ms = self.step_ms.saturating_mul(intervals.get().into());
        let by_habit_ms = self.usual_gap_ms.saturating_mul(GAP_PER_STEP);
        (self.votes >= VOTES_MIN).then(|| by_step_ms.max(by_habit_ms))
    }

    /// Votes for the step and follows the usual gap. `elapsed_ms` is above zero.
    pub fn learn(&mut self, elapsed_ms: i64) {
        let is_gap = self.step_ms > 0 && elapsed_ms >= GAP_PER_STEP * self.step_ms;
        if is_gap {
            self.usual_gap_ms += (elapsed_ms - self.usual_gap_ms) / USUAL_GAP_SHARE;
        } else {
            let passed_ms = elapsed_ms.min(USUAL_GAP_DECAY_MS);
            let fade = i128::from(self.usual_gap_ms) * i128::from(passed_ms) / i128::from(USUAL_GAP_DECAY_MS);
            self.usual_gap_ms -= i64::try_from(fade).unwrap_or(self.usual_gap_ms);
        }
        if elapsed_ms == self.step_ms {
            self.votes = VOTES_MAX.min(self.votes + 1);
        } else if self.votes == 0 {
            (self.step_ms, self.votes) = (elapsed_ms, 1);
        } else {
            self.votes -= 1;
        }
    }
}
