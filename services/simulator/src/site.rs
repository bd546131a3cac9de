//! One site: who it is, and what its meter measures in an interval.
//!
//! A site is a function of the fleet's seed and the site's index, and a measure is a function of the site and the
//! interval. Nothing here knows what was measured before.

use rand::RngExt;
use wattstream_domain::{ENERGY_MAX, Energy, Measure, SiteId, Timestamp};

use crate::load::Load;
use crate::moment::Moment;
use crate::random::{Key, Purpose};
use crate::sun::Sun;
use crate::weather::cloud_cover;
use crate::{Place, PvArray};

/// What a site is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SiteKind {
    /// A solar park: much generation, hardly any load.
    PvFarm,
    /// A household.
    Home,
    /// An office building.
    Office,
    /// Industry that works in shifts.
    Plant,
}

impl SiteKind {
    /// Every kind, in the order in which the first sites of a fleet show them.
    pub const ALL: [Self; 4] = [Self::PvFarm, Self::Home, Self::Office, Self::Plant];

    /// The word for it in a site id.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PvFarm => "pv-farm",
            Self::Home => "home",
            Self::Office => "office",
            Self::Plant => "plant",
        }
    }
}

/// A metered site.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its name: kind, place and number.
    pub id: SiteId,
    /// What it is.
    pub kind: SiteKind,
    /// Where it stands.
    pub place: &'static Place,
    /// Its PV array, when it has one.
    pub pv_array: Option<PvArray>,
    /// How long after the end of an interval it reports: whole seconds, less than the interval.
    pub report_delay_ms: u32,
    pub(crate) key: Key,
    weather: Key,
    load: Load,
}

/// What distinguishes a site before anything is drawn for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Founding {
    pub(crate) id: SiteId,
    pub(crate) kind: SiteKind,
    pub(crate) place: &'static Place,
    pub(crate) has_pv: bool,
    pub(crate) report_delay_ms: u32,
}

/// Power at an instant.
#[derive(Clone, Copy, Debug)]
struct Power {
    generated_kw: f64,
    consumed_kw: f64,
}

/// The finest step that a meter shows, in milliwatt-hours: fine enough that an idle home does not seem stuck.
const METER_STEP_MILLIWATT_HOURS: u32 = 10;
const METER_STEPS_PER_KWH: f64 = 1_000_000.0 / METER_STEP_MILLIWATT_HOURS as f64;
const MS_PER_HOUR: f64 = 3_600_000.0;
/// Power is sampled at least this often, in the middle of equal parts of the interval.
const SAMPLE_MS_MAX: u32 = 15 * 60_000;
/// How long the slow noise of a load and the shade of a single cloud last.
const SLOW_LOAD_MS: u32 = 2 * 3_600_000;
const SHADE_MS: u32 = 20 * 60_000;
/// How far the sky over one site may differ from that over its place.
const SHADE: f64 = 0.2;

impl Site {
    pub(crate) fn found(founding: Founding, fleet: Key, key: Key) -> Self {
        let Founding { id, kind, place, has_pv, report_delay_ms } = founding;
        let mut rng = key.about(Purpose::Parameters).rng();
        let pv_array = has_pv.then(|| PvArray::of(kind, place, &mut rng));
        let load = Load::of(kind, pv_array.map_or(0.0, |array| array.peak_kw), &mut rng);
        let coordinates = [place.latitude_deg, place.longitude_deg];
        let weather = coordinates.iter().fold(fleet.about(Purpose::Weather), |key, x| key.with(x.to_bits()));
        Self { id, kind, place, pv_array, report_delay_ms, key, weather, load }
    }

    /// What a faultless meter measures in the interval that begins at `start`.
    pub(crate) fn measure(&self, start: Timestamp, interval_ms: u32) -> Measure {
        let samples = interval_ms.div_ceil(SAMPLE_MS_MAX);
        let mut sum = Power { generated_kw: 0.0, consumed_kw: 0.0 };
        for sample in 0..samples {
            let offset_ms = i64::from(interval_ms) * i64::from(2 * sample + 1) / i64::from(2 * samples);
            let power = self.power(start.saturating_add_ms(offset_ms));
            sum.generated_kw += power.generated_kw;
            sum.consumed_kw += power.consumed_kw;
        }
        let hours = f64::from(interval_ms) / MS_PER_HOUR / f64::from(samples);
        Measure { generated: metered(sum.generated_kw * hours), consumed: metered(sum.consumed_kw * hours) }
    }

    fn power(&self, at: Timestamp) -> Power {
        let moment = Moment::of(at, self.place);
        Power { generated_kw: self.generated_kw(&moment), consumed_kw: self.consumed_kw(&moment) }
    }

    fn generated_kw(&self, moment: &Moment) -> f64 {
        let Some(array) = self.pv_array else { return 0.0 };
        let sun = Sun::seen_from(self.place, moment);
        if !sun.is_up() {
            // The clouds of the night need not be looked up.
            return 0.0;
        }
        let shade = SHADE * (self.key.about(Purpose::Shade).walk(moment.unix_ms, SHADE_MS) - 0.5);
        let cover = cloud_cover(self.weather, self.place.cloudiness, moment.unix_ms);
        array.power_kw(&sun, (cover + shade).clamp(0.0, 1.0))
    }

    fn consumed_kw(&self, moment: &Moment) -> f64 {
        let walk = self.key.about(Purpose::SlowLoad).walk(moment.unix_ms, SLOW_LOAD_MS);
        let jump = self.key.about(Purpose::FastLoad).with(moment.unix_ms.cast_unsigned()).swing();
        let noise = self.load.slow_noise * (2.0 * walk - 1.0) + self.load.fast_noise * jump;
        self.load.power_kw(self.place, moment) * (1.0 + noise)
    }
}

impl PvArray {
    fn of(kind: SiteKind, place: &Place, rng: &mut impl rand::Rng) -> Self {
        // A tilt that suits the whole year is about three quarters of the latitude.
        let ideal_tilt_deg = 3.0 + 0.75 * place.latitude_deg.abs();
        let equatorward_deg: f64 = if place.latitude_deg < 0.0 { 0.0 } else { 180.0 };
        let (peak_kw, tilt_deg, askew_deg, inverter_share) = match kind {
            SiteKind::PvFarm => (rng.random_range(800.0..12_000.0), ideal_tilt_deg, 3.0, 0.85),
            SiteKind::Home => (rng.random_range(3.0..10.0), rng.random_range(18.0..45.0), 70.0, 0.95),
            SiteKind::Office => (rng.random_range(30.0..150.0), 12.0, 20.0, 0.90),
            SiteKind::Plant => (rng.random_range(200.0..900.0), 12.0, 20.0, 0.90),
        };
        Self {
            peak_kw,
            inverter_kw: peak_kw * inverter_share,
            performance_ratio: rng.random_range(0.76..0.84),
            tilt_deg,
            azimuth_deg: (equatorward_deg + rng.random_range(-askew_deg..askew_deg)).rem_euclid(360.0),
        }
    }
}

/// What a meter shows for an energy in kWh: a whole number of its steps.
#[expect(clippy::cast_possible_truncation, reason = "rounded, and a cast of a double saturates")]
fn metered(kwh: f64) -> Energy {
    let steps = (kwh * METER_STEPS_PER_KWH).round() as i64;
    Energy::from_milliwatt_hours(steps.saturating_mul(METER_STEP_MILLIWATT_HOURS.into()))
        .unwrap_or(ENERGY_MAX)
}
