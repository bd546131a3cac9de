//! Where the sun stands, and what a clear sky lets through.
//!
//! The direction to the sun is a unit vector in the horizontal frame, so that no azimuth has to be told from its mirror
//! image: `up` is the sine of the elevation (the cosine of the zenith angle), and at night it is not above zero.
//!
//! Sources: declination and equation of time, J. W. Spencer, "Fourier series representation of the position of the
//! sun", Search 2 (5), 1971, p. 172, good to a few hundredths of a degree and half a minute; clear sky, B. Haurwitz,
//! "Insolation in Relation to Cloudiness and Cloud Density", Journal of Meteorology 2, 1945, pp. 154-166, with the
//! coefficients of `pvlib.clearsky.haurwitz`. Refraction is left out.

use std::f64::consts::{PI, TAU};

use crate::Place;
use crate::moment::Moment;

/// The direction to the sun: a unit vector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sun {
    pub(crate) east: f64,
    pub(crate) north: f64,
    pub(crate) up: f64,
}

impl Sun {
    pub(crate) fn seen_from(place: &Place, moment: &Moment) -> Self {
        let (sin_latitude, cos_latitude) = place.latitude_deg.to_radians().sin_cos();
        let (sin_declination, cos_declination) = declination(moment.year_angle).sin_cos();
        let (sin_hour, cos_hour) = hour_angle(place, moment).sin_cos();
        Self {
            east: -cos_declination * sin_hour,
            north: cos_latitude * sin_declination - sin_latitude * cos_declination * cos_hour,
            up: sin_latitude * sin_declination + cos_latitude * cos_declination * cos_hour,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.up > 0.0
    }

    /// Global irradiance on level ground under a clear sky, in W/m2.
    pub(crate) fn clear_sky_irradiance(&self) -> f64 {
        if self.is_up() { 1098.0 * self.up * (-0.059 / self.up).exp() } else { 0.0 }
    }
}

/// Radians since solar noon.
fn hour_angle(place: &Place, moment: &Moment) -> f64 {
    let longitude_hours = place.longitude_deg / 15.0;
    let solar_hour = moment.utc_hour + longitude_hours + equation_of_time_hours(moment.year_angle);
    (solar_hour - 12.0) * PI / 12.0
}

/// The sun's angle above the equator, in radians.
fn declination(year_angle: f64) -> f64 {
    let (sin_1, cos_1) = year_angle.sin_cos();
    let (sin_2, cos_2) = (2.0 * year_angle).sin_cos();
    let (sin_3, cos_3) = (3.0 * year_angle).sin_cos();
    0.006_918 - 0.399_912 * cos_1 + 0.070_257 * sin_1 - 0.006_758 * cos_2 + 0.000_907 * sin_2
        - 0.002_697 * cos_3
        + 0.001_480 * sin_3
}

/// Sundial time less clock time.
fn equation_of_time_hours(year_angle: f64) -> f64 {
    let (sin_1, cos_1) = year_angle.sin_cos();
    let (sin_2, cos_2) = (2.0 * year_angle).sin_cos();
    let angle = 0.000_075 + 0.001_868 * cos_1 - 0.032_077 * sin_1 - 0.014_615 * cos_2 - 0.040_849 * sin_2;
    angle * 24.0 / TAU
}

#[cfg(test)]
mod tests {
    use super::*;
    use wattstream_domain::Timestamp;

    fn place(latitude_deg: f64, longitude_deg: f64) -> Place {
        Place { name: "somewhere", latitude_deg, longitude_deg, cloudiness: 0.0 }
    }

    fn sun(place: &Place, unix_s: i64) -> Sun {
        let at = Timestamp::from_unix_ms(unix_s * 1_000).unwrap();
        Sun::seen_from(place, &Moment::of(at, place))
    }

    #[test]
    fn the_sun_stands_where_the_almanac_says() {
        let (berlin, sydney, quito) = (place(52.52, 13.405), place(-33.87, 151.21), place(0.0, -78.5));
        // Elevations at solar noon: 90 degrees less the distance between latitude and declination.
        let cases = [
            ("Berlin at midsummer noon", &berlin, 1_782_040_080, 60.9),
            ("Berlin at midwinter noon", &berlin, 1_797_851_040, 14.0),
            ("Berlin at midsummer midnight", &berlin, 1_781_996_880, -14.0),
            ("Sydney at midsummer noon", &sydney, 1_797_818_160, 79.6),
            ("Quito at the equinox", &quito, 1_774_027_260, 89.8),
        ];
        for (name, place, unix_s, elevation_deg) in cases {
            let sun = sun(place, unix_s);
            let found_deg = sun.up.asin().to_degrees();
            assert!((found_deg - elevation_deg).abs() < 0.7, "{name}: {found_deg}");
            assert!((sun.east.hypot(sun.north).hypot(sun.up) - 1.0).abs() < 1e-9, "{name}: {sun:?}");
        }
    }

    #[test]
    fn the_sundial_runs_ahead_in_november_and_behind_in_february() {
        // Solar noon at Greenwich: 2026-11-03T11:43:35Z and 2026-02-11T12:14:12Z.
        let greenwich = place(51.48, 0.0);
        for noon_unix_s in [1_793_706_215, 1_770_812_052] {
            assert!(sun(&greenwich, noon_unix_s - 90).east > 0.0);
            assert!(sun(&greenwich, noon_unix_s + 90).east < 0.0);
        }
    }

    #[test]
    fn the_sun_goes_west_in_the_afternoon_and_stands_equatorward_at_noon() {
        let berlin = place(52.52, 13.405);
        assert!(sun(&berlin, 1_782_040_080 - 4 * 3600).east > 0.5);
        assert!(sun(&berlin, 1_782_040_080 + 4 * 3600).east < -0.5);
        assert!(sun(&berlin, 1_782_040_080).north < -0.4);
    }

    #[test]
    fn a_clear_sky_gives_about_a_kilowatt_at_the_zenith_and_nothing_at_night() {
        let zenith = Sun { east: 0.0, north: 0.0, up: 1.0 };
        assert!((zenith.clear_sky_irradiance() - 1_035.1).abs() < 0.1);
        for up in [0.0, -0.2] {
            assert!(Sun { up, ..zenith }.clear_sky_irradiance() <= 0.0);
        }
    }
}
