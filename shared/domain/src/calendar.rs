//! The UTC calendar that readings are summed over: hours, days and months.
//!
//! What must always hold: the buckets of a resolution cover all of time without a gap or an overlap, and each is a whole
//! number of hours.

use std::fmt;

use crate::{Civil, HOUR_MS, Timestamp};

const DAY_MS: i64 = 24 * HOUR_MS;
/// No month is longer.
const MONTH_MS_MAX: i64 = 31 * DAY_MS;

/// How long the time is that one sum is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// A UTC hour.
    Hour,
    /// A UTC day.
    Day,
    /// A UTC month.
    Month,
}

impl Resolution {
    /// All of them, the finest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// The name that queries use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The resolution with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resolution| resolution.name() == name)
    }

    /// The first instant of the bucket that `at` lies in.
    pub fn start_of(self, at: Timestamp) -> Timestamp {
        let since_start_ms = match self {
            Self::Hour => at.unix_ms() % HOUR_MS,
            Self::Day => at.unix_ms() % DAY_MS,
            Self::Month => at.unix_ms() % DAY_MS + (at.civil().day - 1) * DAY_MS,
        };
        at.saturating_add_ms(-since_start_ms)
    }

    /// The start of the bucket after the one that begins at `start`; `None` after 2099.
    pub fn after(self, start: Timestamp) -> Option<Timestamp> {
        let length_ms_max = match self {
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
            // From the first of a month on, that lies in the next one, whatever the month.
            Self::Month => MONTH_MS_MAX,
        };
        Timestamp::from_unix_ms(start.unix_ms() + length_ms_max).map(|within| self.start_of(within))
    }

    /// How many buckets there are from the one that `first` lies in to the one that `last` lies in, both included.
    pub fn count(self, first: Timestamp, last: Timestamp) -> usize {
        let count = match self {
            Self::Hour => last.unix_ms() / HOUR_MS - first.unix_ms() / HOUR_MS + 1,
            Self::Day => last.unix_ms() / DAY_MS - first.unix_ms() / DAY_MS + 1,
            Self::Month => months(last.civil()) - months(first.civil()) + 1,
        };
        usize::try_from(count).unwrap_or(0)
    }
}

fn months(civil: Civil) -> i64 {
    civil.year * 12 + civil.month
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::TIMESTAMP_END_MS;

    fn at(unix_ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(unix_ms).unwrap()
    }

    #[test]
    fn a_bucket_begins_where_its_hour_its_day_or_its_month_does() {
        // 2024-02-29T23:45:00Z, a leap day.
        let late = at(1_709_250_300_000);
        let starts = Resolution::ALL.map(|resolution| resolution.start_of(late).to_string());
        assert_eq!(
            starts,
            ["2024-02-29T23:00:00.000Z", "2024-02-29T00:00:00.000Z", "2024-02-01T00:00:00.000Z"]
        );
        let after = Resolution::ALL.map(|resolution| resolution.after(resolution.start_of(late)).unwrap());
        assert!(after.iter().all(|after| after.to_string() == "2024-03-01T00:00:00.000Z"), "{after:?}");
    }

    #[test]
    fn there_is_no_bucket_after_2099() {
        for resolution in Resolution::ALL {
            assert_eq!(resolution.after(resolution.start_of(Timestamp::MAX)), None, "{resolution}");
        }
        assert_eq!(Resolution::Month.count(Timestamp::MIN, Timestamp::MAX), 130 * 12);
    }

    #[test]
    fn names_lead_back() {
        for resolution in Resolution::ALL {
            assert_eq!(Resolution::from_name(resolution.name()), Some(resolution));
        }
        assert_eq!(Resolution::from_name("raw"), None);
    }

    proptest! {
        #[test]
        fn buckets_follow_each_other_and_hold_every_instant(
            unix_ms in 0..TIMESTAMP_END_MS,
            index in 0..3_usize,
            steps in 0..40_usize,
        ) {
            let (resolution, instant) = (Resolution::ALL[index], at(unix_ms));
            let first = resolution.start_of(instant);
            prop_assert!(first <= instant);
            prop_assert_eq!(resolution.start_of(first), first);
            prop_assert!(resolution.after(first).is_none_or(|after| after > instant));
            let mut start = first;
            for step in 0..steps {
                prop_assert_eq!(resolution.count(first, start), step + 1);
                let Some(after) = resolution.after(start) else { break };
                prop_assert_eq!(resolution.start_of(after), after);
                prop_assert_eq!(resolution.start_of(after.saturating_add_ms(-1)), start);
                start = after;
            }
        }
    }
}
