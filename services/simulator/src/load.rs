//! What a site consumes: a base, and activities that come and go with the hour and the kind of day.
//!
//! The power of a load is always above zero, so that a negative reading is always a fault.

use std::f64::consts::TAU;
use std::ops::RangeInclusive;

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

use crate::moment::{Day, Moment};
use crate::random::ease;
use crate::{Place, SiteKind};

/// A site's load.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Load {
    /// What always runs, in kW.
    base_kw: f64,
    /// What people and shifts add.
    activities: Vec<Activity>,
    /// How much the season of heating or cooling adds at its height, as a share of the rest.
    seasonal_share: f64,
    /// How far the load wanders within hours, and jumps from one reading to the next: shares that sum to less than 1.
    pub(crate) slow_noise: f64,
    pub(crate) fast_noise: f64,
}

/// Power that is drawn between two hours of some days.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Activity {
    /// Local hours at which it is half up and half down again; it may span midnight.
    from_hour: f64,
    to_hour: f64,
    /// How long it takes to rise and to fall.
    edge_hours: f64,
    workday_kw: f64,
    saturday_kw: f64,
    sunday_kw: f64,
}

impl Load {
    /// The load of a site of this kind. An array of `peak_kw` makes the auxiliary load of a farm.
    pub(crate) fn of(kind: SiteKind, peak_kw: f64, rng: &mut Xoshiro256PlusPlus) -> Self {
        match kind {
            SiteKind::PvFarm => Self::auxiliaries(peak_kw),
            SiteKind::Home => Self::household(rng),
            SiteKind::Office => Self::office(rng),
            SiteKind::Plant => Self::shifts(rng),
        }
    }

    /// Trackers, cooling and control of a farm: steady and small.
    fn auxiliaries(peak_kw: f64) -> Self {
        let base_kw = peak_kw * 0.001;
        let daytime = Activity::daily(7.0..=19.0, 2.0, base_kw);
        Self { base_kw, activities: vec![daytime], seasonal_share: 0.2, slow_noise: 0.15, fast_noise: 0.10 }
    }

    /// Somebody gets up, comes home and goes to bed; on weekends later, with something on through the day.
    fn household(rng: &mut Xoshiro256PlusPlus) -> Self {
        let habit_hours = rng.random_range(-0.8..0.8);
        let hours = |from: f64, to: f64| from + habit_hours..=to + habit_hours;
        let activities = vec![
            Activity::on_workdays(hours(6.0, 8.5), 1.0, rng.random_range(0.3..1.0)),
            Activity::on_weekends(hours(8.0, 11.0), 1.5, rng.random_range(0.3..1.0)),
            Activity::on_weekends(hours(11.0, 17.0), 2.0, rng.random_range(0.1..0.5)),
            Activity::daily(hours(17.5, 22.5), 1.5, rng.random_range(0.6..1.6)),
        ];
        Self {
            base_kw: rng.random_range(0.10..0.28),
            activities,
            seasonal_share: rng.random_range(0.2..0.7),
            slow_noise: 0.30,
            fast_noise: 0.20,
        }
    }

    /// Lights, machines and air from morning to evening on workdays; a few people on Saturdays.
    fn office(rng: &mut Xoshiro256PlusPlus) -> Self {
        let peak_kw = rng.random_range(40.0..400.0);
        let working_hours = Activity {
            workday_kw: 0.75 * peak_kw,
            saturday_kw: 0.10 * peak_kw,
            ..Activity::on_workdays(7.5..=18.0, 2.0, 0.0)
        };
        let cleaning = Activity::on_workdays(18.0..=20.5, 0.5, 0.08 * peak_kw);
        Self {
            base_kw: rng.random_range(0.15..0.25) * peak_kw,
            activities: vec![working_hours, cleaning],
            seasonal_share: rng.random_range(0.2..0.4),
            slow_noise: 0.08,
            fast_noise: 0.04,
        }
    }

    /// Three shifts over a high base. Some plants rest at night, most work on Saturday morning, none on Sunday.
    fn shifts(rng: &mut Xoshiro256PlusPlus) -> Self {
        let peak_kw = rng.random_range(300.0..5_000.0);
        let shift_kw = 0.55 * peak_kw;
        let saturday_kw = if rng.random_bool(0.7) { 0.7 * shift_kw } else { 0.0 };
        let night_kw = if rng.random_bool(0.6) { 0.8 * shift_kw } else { 0.1 * shift_kw };
        let early = Activity { saturday_kw, ..Activity::on_workdays(6.0..=14.0, 0.5, shift_kw) };
        let late = Activity::on_workdays(14.0..=22.0, 0.5, 0.9 * shift_kw);
        let night = Activity::on_workdays(22.0..=6.0, 0.5, night_kw);
        Self {
            base_kw: 0.4 * peak_kw,
            activities: vec![early, late, night],
            seasonal_share: 0.08,
            slow_noise: 0.06,
            fast_noise: 0.03,
        }
    }

    /// Power in kW before noise.
    pub(crate) fn power_kw(&self, place: &Place, moment: &Moment) -> f64 {
        let activity_kw: f64 = self.activities.iter().map(|activity| activity.power_kw(moment)).sum();
        (self.base_kw + activity_kw) * (1.0 + self.seasonal_share * season(place, moment.year_angle))
    }
}

impl Activity {
    fn daily(hours: RangeInclusive<f64>, edge_hours: f64, power_kw: f64) -> Self {
        let (from_hour, to_hour) = hours.into_inner();
        Self {
            from_hour,
            to_hour,
            edge_hours,
            workday_kw: power_kw,
            saturday_kw: power_kw,
            sunday_kw: power_kw,
        }
    }

    fn on_workdays(hours: RangeInclusive<f64>, edge_hours: f64, power_kw: f64) -> Self {
        Self { saturday_kw: 0.0, sunday_kw: 0.0, ..Self::daily(hours, edge_hours, power_kw) }
    }

    fn on_weekends(hours: RangeInclusive<f64>, edge_hours: f64, power_kw: f64) -> Self {
        Self { workday_kw: 0.0, ..Self::daily(hours, edge_hours, power_kw) }
    }

    fn power_kw(&self, moment: &Moment) -> f64 {
        let power_kw = match moment.day {
            Day::Workday => self.workday_kw,
            Day::Saturday => self.saturday_kw,
            Day::Sunday => self.sunday_kw,
        };
        power_kw * self.presence(moment.local_hour)
    }

    /// How much of it is going on, 0 to 1.
    fn presence(&self, local_hour: f64) -> f64 {
        let half_hours = (self.to_hour - self.from_hour).rem_euclid(24.0) / 2.0;
        let from_middle_hours =
            ((local_hour - self.from_hour - half_hours + 12.0).rem_euclid(24.0) - 12.0).abs();
        ease((half_hours - from_middle_hours) / self.edge_hours + 0.5)
    }
}

/// How much heating or cooling the time of the year asks for, 0 to 1: heating where it is cold, cooling where it is hot.
fn season(place: &Place, year_angle: f64) -> f64 {
    const COLDEST_DAY: f64 = 18.0;
    let hemisphere = if place.latitude_deg < 0.0 { -1.0 } else { 1.0 };
    let winter = 0.5 + 0.5 * hemisphere * (year_angle - COLDEST_DAY / 365.0 * TAU).cos();
    let heating = ((place.latitude_deg.abs() - 30.0) / 20.0).clamp(0.0, 1.0);
    heating * winter + (1.0 - heating) * (1.0 - winter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_activity_rises_lasts_and_falls_also_over_midnight() {
        let night = Activity::daily(22.0..=6.0, 1.0, 10.0);
        for (hour, presence) in [
            (12.0, 0.0),
            (21.4, 0.0),
            (22.0, 0.5),
            (22.6, 1.0),
            (0.0, 1.0),
            (5.4, 1.0),
            (6.0, 0.5),
            (6.6, 0.0),
        ] {
            assert!((night.presence(hour) - presence).abs() < 1e-9, "{hour}: {}", night.presence(hour));
        }
    }

    #[test]
    fn the_season_heats_the_north_in_january_and_cools_the_desert_in_july() {
        let [leeds, fontana, sydney] = ["leeds", "fontana", "sydney"]
            .map(|name| SiteKind::Home.places().iter().find(|place| place.name == name).unwrap());
        let (january, july) = (0.3, 0.3 + TAU / 2.0);
        assert!(season(leeds, january) > 0.9 && season(leeds, july) < 0.1);
        assert!(season(fontana, july) > season(fontana, january));
        assert!(season(sydney, january) > season(sydney, july));
    }
}
