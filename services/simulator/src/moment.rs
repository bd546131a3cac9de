//! An instant as a place lives it: the season, the time of day, the kind of day.

use std::f64::consts::TAU;

use chrono::{DateTime, Datelike, Timelike, Utc, Weekday};
use wattstream_domain::{HOUR_MS, Timestamp};

use crate::Place;

/// An instant at a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Milliseconds since 1970, UTC.
    pub(crate) unix_ms: i64,
    /// How far the year has gone, in radians from 1 January: Spencer's day angle.
    pub(crate) year_angle: f64,
    /// Hours since midnight, UTC.
    pub(crate) utc_hour: f64,
    /// Hours since midnight, local time.
    pub(crate) local_hour: f64,
    /// The kind of day that it is in local time.
    pub(crate) day: Day,
}

/// Days as loads tell them apart. Holidays are not modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Day {
    Workday,
    Saturday,
    Sunday,
}

impl Moment {
    pub(crate) fn of(at: Timestamp, place: &Place) -> Self {
        let utc = date_time(at);
        let local = date_time(at.saturating_add_ms(place.utc_offset_hours() * HOUR_MS));
        let utc_hour = hour_of_day(utc);
        Self {
            unix_ms: at.unix_ms(),
            year_angle: TAU * (f64::from(utc.ordinal0()) + utc_hour / 24.0) / 365.0,
            utc_hour,
            local_hour: hour_of_day(local),
            day: Day::of(local.weekday()),
        }
    }
}

impl Day {
    fn of(weekday: Weekday) -> Self {
        match weekday {
            Weekday::Sat => Self::Saturday,
            Weekday::Sun => Self::Sunday,
            _ => Self::Workday,
        }
    }
}

fn date_time(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.unix_ms()).expect("a timestamp lies between 1970 and 2099")
}

fn hour_of_day(at: DateTime<Utc>) -> f64 {
    f64::from(at.num_seconds_from_midnight()) / 3600.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SiteKind;

    #[test]
    fn a_moment_is_lived_in_local_time() {
        let friday_evening_utc = Timestamp::from_unix_ms(1_781_902_800_000).unwrap();
        assert_eq!(friday_evening_utc.to_string(), "2026-06-19T21:00:00.000Z");
        let home = |name| SiteKind::Home.places().iter().find(|place| place.name == name).unwrap();
        for (name, local_hour, day) in
            [("fontana", 13.0, Day::Workday), ("graz", 22.0, Day::Workday), ("sydney", 7.0, Day::Saturday)]
        {
            let moment = Moment::of(friday_evening_utc, home(name));
            assert!((moment.local_hour - local_hour).abs() < 1e-9, "{name}: {moment:?}");
            assert_eq!(moment.day, day, "{name}");
        }
    }
}
