//! Where sites stand.
//!
//! Coordinates and mean cloudiness are rounded and only meant to be plausible. Each kind of site has places of its own,
//! and the first of them is where the first site of the kind stands, whatever the seed.

use crate::SiteKind;

/// A region with one weather.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// The word for it in a site id.
    pub name: &'static str,
    /// Degrees, positive to the north.
    pub latitude_deg: f64,
    /// Degrees, positive to the east.
    pub longitude_deg: f64,
    /// The share of the sky that clouds cover on average, 0 to 1.
    pub cloudiness: f64,
}

impl Place {
    const fn new(name: &'static str, latitude_deg: f64, longitude_deg: f64, cloudiness: f64) -> Self {
        Self { name, latitude_deg, longitude_deg, cloudiness }
    }

    /// Local time less UTC in whole hours, from the longitude alone: the nautical time zone. Political zones and
    /// daylight saving are left out, so that every day of every site has 24 hours.
    #[expect(clippy::cast_possible_truncation, reason = "a rounded number of hours from -12 to 12")]
    pub fn utc_offset_hours(&self) -> i64 {
        (self.longitude_deg / 15.0).round() as i64
    }
}

impl SiteKind {
    /// The places where sites of this kind stand.
    pub const fn places(self) -> &'static [Place] {
        match self {
            Self::PvFarm => &PV_FARM_PLACES,
            Self::Home => &HOME_PLACES,
            Self::Office => &OFFICE_PLACES,
            Self::Plant => &PLANT_PLACES,
        }
    }
}

static PV_FARM_PLACES: [Place; 6] = [
    Place::new("alentejo", 38.5, -7.9, 0.36),
    Place::new("puglia", 41.0, 16.6, 0.42),
    Place::new("brandenburg", 52.2, 13.8, 0.68),
    Place::new("provence", 43.8, 5.8, 0.40),
    Place::new("mojave", 35.0, -117.5, 0.22),
    Place::new("karoo", -31.5, 22.5, 0.28),
];

static HOME_PLACES: [Place; 6] = [
    Place::new("fontana", 34.1, -117.4, 0.28),
    Place::new("lisbon", 38.7, -9.1, 0.38),
    Place::new("leeds", 53.8, -1.5, 0.68),
    Place::new("utrecht", 52.1, 5.1, 0.64),
    Place::new("graz", 47.1, 15.4, 0.55),
    Place::new("sydney", -33.9, 151.2, 0.42),
];

static OFFICE_PLACES: [Place; 5] = [
    Place::new("berlin", 52.5, 13.4, 0.68),
    Place::new("london", 51.5, -0.1, 0.66),
    Place::new("madrid", 40.4, -3.7, 0.36),
    Place::new("toronto", 43.7, -79.4, 0.55),
    Place::new("zurich", 47.4, 8.5, 0.58),
];

static PLANT_PLACES: [Place; 5] = [
    Place::new("lyon", 45.8, 4.8, 0.50),
    Place::new("essen", 51.5, 7.0, 0.64),
    Place::new("bilbao", 43.3, -2.9, 0.58),
    Place::new("gdansk", 54.4, 18.6, 0.62),
    Place::new("detroit", 42.3, -83.0, 0.56),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_follows_the_longitude() {
        for (name, hours) in [("fontana", -8), ("leeds", 0), ("graz", 1), ("sydney", 10)] {
            let place = HOME_PLACES.iter().find(|place| place.name == name).unwrap();
            assert_eq!(place.utc_offset_hours(), hours, "{name}");
        }
    }
}
