//! [`SilentAfter`]: the setting of how long a site may send nothing. What must always hold: it leaves room for the two intervals
//! that lie between the starts of two readings of any site.

use std::num::NonZeroU32;
use std::str::FromStr;

use wattstream_domain::SILENT_AFTER_MIN;

/// The intervals without a reading that make a site silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SilentAfter(NonZeroU32);

/// It is no such number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a number of intervals from {SILENT_AFTER_MIN} on is needed: between two readings of any site there are two"
)]
pub struct SilentAfterError;

impl SilentAfter {
    /// How many.
    pub const fn intervals(self) -> NonZeroU32 {
        self.0
    }
}

impl Default for SilentAfter {
    /// As on one machine (`--silent-after`).
    fn default() -> Self {
        Self(NonZeroU32::new(6).expect("six is not zero"))
    }
}

impl FromStr for SilentAfter {
    type Err = SilentAfterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let intervals =
            text.parse().ok().filter(|&intervals: &NonZeroU32| intervals.get() >= SILENT_AFTER_MIN);
        intervals.map(Self).ok_or(SilentAfterError)
    }
}
