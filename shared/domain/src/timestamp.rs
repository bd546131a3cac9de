//! Instants and UTC hours.
//!
//! A [`Timestamp`] is the start of a metering interval in whole milliseconds since 1970, UTC, from 1970 to the end of
//! 2099. The bound keeps one absurd clock from putting a site's newest reading beyond every honest one by millennia,
//! and keeps the printed form at a fixed width, so that text order is time order.

use std::fmt;

use crate::digits;

/// Milliseconds in one hour.
pub const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The first instant that is too late for a reading: 2100-01-01T00:00:00Z.
pub const TIMESTAMP_END_MS: i64 = 4_102_444_800_000;

/// An instant in UTC milliseconds, between 1970 and 2099.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// 2099-12-31T23:59:59.999Z.
    pub const MAX: Self = Self(TIMESTAMP_END_MS - 1);

    /// The instant `unix_ms` milliseconds after 1970, when it lies between 1970 and 2099.
    pub const fn from_unix_ms(unix_ms: i64) -> Option<Self> {
        if unix_ms >= 0 && unix_ms < TIMESTAMP_END_MS { Some(Self(unix_ms)) } else { None }
    }

    /// Milliseconds since 1970.
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// The UTC hour that this instant lies in.
    pub const fn hour(self) -> Hour {
        Hour(self.0 - self.0 % HOUR_MS)
    }

    /// Milliseconds from `earlier` to this instant; negative when `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// The instant `ms` later (earlier when negative), or the nearest one in range.
    pub fn saturating_add_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms).clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Year, month (1 to 12), day (1 to 31), hour, minute, second and millisecond in UTC.
    #[inline]
    pub const fn civil(self) -> Civil {
        let (days, ms) = (self.0.div_euclid(DAY_MS), self.0.rem_euclid(DAY_MS));
        let (year, month, day) = civil_from_days(days);
        Civil {
            year,
            month,
            day,
            hour: ms / HOUR_MS,
            minute: ms / 60_000 % 60,
            second: ms / 1_000 % 60,
            millisecond: ms % 1_000,
        }
    }

    /// Appends it at a fixed width, so that text order is time order: `2025-06-20T00:00:00.000Z`.
    #[inline]
    pub fn append_utc(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.utc());
    }

    #[inline]
    fn utc(self) -> [u8; 24] {
        let Civil { year, month, day, hour, minute, second, millisecond } = self.civil();
        let mut text = *b"0000-00-00T00:00:00.000Z";
        digits::fill(&mut text[..4], year.unsigned_abs());
        for (start, number) in [(5, month), (8, day), (11, hour), (14, minute), (17, second)] {
            digits::write_pair(&mut text, start, number.unsigned_abs());
        }
        digits::fill(&mut text[20..23], millisecond.unsigned_abs());
        text
    }
}

/// A UTC date and time of day, each field as people count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Civil {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub millisecond: i64,
}

/// Proleptic Gregorian date of a day counted from 1970-01-01.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

impl fmt::Display for Timestamp {
    /// Fixed width, so that text order is time order: `2025-06-20T00:00:00.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(digits::text(&self.utc()))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A whole UTC hour, named by its first instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(i64);

impl Hour {
    /// Its first instant.
    pub const fn start(self) -> Timestamp {
        Timestamp(self.0)
    }

    /// Its last millisecond.
    pub const fn last(self) -> Timestamp {
        Timestamp(self.0 + HOUR_MS - 1)
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.start(), f)
    }
}

impl fmt::Debug for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(unix_ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(unix_ms).unwrap()
    }

    #[test]
    fn instants_print_at_a_fixed_width() {
        assert_eq!(at(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(1_750_377_600_000).to_string(), "2025-06-20T00:00:00.000Z");
        assert_eq!(at(951_782_400_000).to_string(), "2000-02-29T00:00:00.000Z");
        assert_eq!(Timestamp::MAX.to_string(), "2099-12-31T23:59:59.999Z");
    }

    #[test]
    fn an_hour_holds_its_first_and_its_last_millisecond() {
        let hour = at(1_750_377_600_000).hour();
        assert_eq!(hour.start(), at(1_750_377_600_000));
        assert_eq!(hour.last().hour(), hour);
        assert_ne!(hour.last().saturating_add_ms(1).hour(), hour);
    }

    #[test]
    fn instants_outside_1970_to_2099_are_refused() {
        assert_eq!(Timestamp::from_unix_ms(-1), None);
        assert_eq!(Timestamp::from_unix_ms(TIMESTAMP_END_MS), None);
    }
}
