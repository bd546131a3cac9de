//! A PV array: from sun and clouds to power.
//!
//! There is light only while the sun is up, so at night the power is exactly 0.
//!
//! Sources: clouds, F. Kasten and G. Czeplak, "Solar and terrestrial radiation dependent on the amount and type of
//! cloud", Solar Energy 24 (2), 1980, pp. 177-189 (global irradiance and diffuse share under a sky covered by N: 1 -
//! 0.75 N^3.4 and 0.3 + 0.7 N^2); the tilted plane, B. Y. H. Liu and R. C. Jordan, "The long-term average performance
//! of flat-plate solar energy collectors", Solar Energy 7 (2), 1963 (isotropic sky).

use crate::sun::Sun;

/// The share of light that the ground throws back (`pvlib.albedo`, grass and soil).
const ALBEDO: f64 = 0.2;
/// Below this sine of the elevation the ratio of a tilted to a level beam is no longer believed: 3.7 degrees, as in
/// `pvlib.irradiance.erbs`.
const SIN_ELEVATION_MIN: f64 = 0.065;
/// Irradiance at which an array gives its peak power (IEC 60904-3), in W/m2.
const STANDARD_IRRADIANCE: f64 = 1_000.0;

/// Modules of one orientation behind one inverter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PvArray {
    /// Power of the modules under standard conditions, in kWp.
    pub peak_kw: f64,
    /// The most that the inverter passes on, in kW.
    pub inverter_kw: f64,
    /// What is left after heat, dirt, cables and the inverter, 0 to 1.
    pub performance_ratio: f64,
    /// Degrees from level.
    pub tilt_deg: f64,
    /// Where the modules face, in degrees clockwise from north.
    pub azimuth_deg: f64,
}

impl PvArray {
    /// Power in kW under `sun`, with `cloud_cover` of the sky covered, 0 to 1.
    pub(crate) fn power_kw(&self, sun: &Sun, cloud_cover: f64) -> f64 {
        let global = sun.clear_sky_irradiance() * (1.0 - 0.75 * cloud_cover.powf(3.4));
        let diffuse = global * (0.3 + 0.7 * cloud_cover * cloud_cover);
        let irradiance = self.plane_irradiance(sun, global, diffuse);
        (self.peak_kw * self.performance_ratio * irradiance / STANDARD_IRRADIANCE).min(self.inverter_kw)
    }

    /// Irradiance on the modules in W/m2, given what falls on level ground.
    fn plane_irradiance(&self, sun: &Sun, global: f64, diffuse: f64) -> f64 {
        let (sin_tilt, cos_tilt) = self.tilt_deg.to_radians().sin_cos();
        let (sin_azimuth, cos_azimuth) = self.azimuth_deg.to_radians().sin_cos();
        let incidence = sin_tilt * (sin_azimuth * sun.east + cos_azimuth * sun.north) + cos_tilt * sun.up;
        let beam = (global - diffuse) * incidence.max(0.0) / sun.up.max(SIN_ELEVATION_MIN);
        let sky_view = f64::midpoint(1.0, cos_tilt);
        beam + diffuse * sky_view + global * ALBEDO * (1.0 - sky_view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUTH: PvArray = PvArray {
        peak_kw: 10.0,
        inverter_kw: 9.0,
        performance_ratio: 0.8,
        tilt_deg: 35.0,
        azimuth_deg: 180.0,
    };
    const SPRING_NOON: Sun = Sun { east: 0.0, north: -0.6, up: 0.8 };

    #[test]
    fn night_is_exactly_zero_and_cloud_takes_power_away() {
        let night = Sun { up: -1e-9, ..SPRING_NOON };
        assert!(SOUTH.power_kw(&night, 0.0).to_bits() == 0);
        let powers = [0.0, 0.3, 0.6, 0.8, 1.0].map(|cover| SOUTH.power_kw(&SPRING_NOON, cover));
        assert!(powers.is_sorted_by(|clearer, greyer| clearer > greyer), "{powers:?}");
        assert!(powers[4] < powers[0] / 3.0 && powers[4] > 0.1, "{powers:?}");
    }

    #[test]
    fn an_array_gives_most_when_it_faces_the_sun() {
        let facing = |azimuth_deg| PvArray { azimuth_deg, ..SOUTH }.power_kw(&SPRING_NOON, 0.0);
        assert!(facing(180.0) > facing(90.0) && facing(90.0) > facing(0.0));
        assert!((facing(90.0) - facing(270.0)).abs() < 1e-9);
    }

    #[test]
    fn the_inverter_clips() {
        let small = PvArray { inverter_kw: 3.0, ..SOUTH };
        assert!((small.power_kw(&SPRING_NOON, 0.0) - 3.0).abs() < 1e-9);
    }
}
