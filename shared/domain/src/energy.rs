//! Energy as whole milliwatt-hours.
//!
//! A reading holds an [`Energy`], a total holds an [`EnergySum`]. Both are integers, so a sum is exact and does not
//! depend on the order of its terms. An `EnergySum` cannot overflow: 2^64 readings of the largest legal energy stay
//! below 2^127.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use crate::digits::{self, U64_DIGITS_MAX};

/// Milliwatt-hours in one kilowatt-hour.
pub const MILLIWATT_HOURS_PER_KWH: i64 = 1_000_000;

/// The largest magnitude that a reading may carry: 1e9 kWh, about the yearly output of a mid-sized power station.
pub const ENERGY_MAX: Energy = Energy(1_000_000_000 * MILLIWATT_HOURS_PER_KWH);

/// The energy of one metering interval, in milliwatt-hours (1e-6 kWh). Negative energy is representable: it is valid
/// input and an anomaly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Energy(i64);

impl Energy {
    /// No energy.
    pub const ZERO: Self = Self(0);

    /// `milliwatt_hours`, when its magnitude is at most [`ENERGY_MAX`].
    pub const fn from_milliwatt_hours(milliwatt_hours: i64) -> Option<Self> {
        if milliwatt_hours.unsigned_abs() <= ENERGY_MAX.0.unsigned_abs() {
            Some(Self(milliwatt_hours))
        } else {
            None
        }
    }

    /// Milliwatt-hours.
    pub const fn milliwatt_hours(self) -> i64 {
        self.0
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl fmt::Display for Energy {
    /// Kilowatt-hours as an exact decimal: `12.34`, `-0.000001`, `0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&EnergySum::from(*self), f)
    }
}

/// A sum or a difference of energies, in milliwatt-hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnergySum(i128);

impl EnergySum {
    /// The sum of nothing.
    pub const ZERO: Self = Self(0);

    /// A sum of `milliwatt_hours`.
    pub const fn from_milliwatt_hours(milliwatt_hours: i128) -> Self {
        Self(milliwatt_hours)
    }

    /// Milliwatt-hours.
    pub const fn milliwatt_hours(self) -> i128 {
        self.0
    }

    /// Kilowatt-hours as the nearest double: for ratios and pictures, never for a stored value.
    #[allow(clippy::cast_precision_loss, reason = "a picture needs no more than 53 bits")]
    pub fn to_kwh_f64(self) -> f64 {
        self.0 as f64 / MILLIWATT_HOURS_PER_KWH as f64
    }
}

impl From<Energy> for EnergySum {
    fn from(energy: Energy) -> Self {
        Self(i128::from(energy.0))
    }
}

impl fmt::Display for EnergySum {
    /// Kilowatt-hours as an exact decimal with no trailing zeros: `12.34`, `-0.000001`, `0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let per_kwh = MILLIWATT_HOURS_PER_KWH.unsigned_abs();
        let magnitude = self.0.unsigned_abs();
        let fraction = if let Ok(magnitude) = u64::try_from(magnitude) {
            let mut whole = [0; U64_DIGITS_MAX];
            let start = digits::write_before(&mut whole, magnitude / per_kwh);
            f.write_str(digits::text(&whole[start..]))?;
            magnitude % per_kwh
        } else {
            write!(f, "{}", magnitude / u128::from(per_kwh))?;
            u64::try_from(magnitude % u128::from(per_kwh)).unwrap_or_default()
        };
        if fraction == 0 {
            return Ok(());
        }
        let mut places = *b".000000";
        digits::fill(&mut places[1..], fraction);
        f.write_str(digits::text(&places).trim_end_matches('0'))
    }
}

impl Sub for Energy {
    type Output = EnergySum;

    fn sub(self, other: Self) -> EnergySum {
        EnergySum::from(self) - EnergySum::from(other)
    }
}

impl Add for EnergySum {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for EnergySum {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for EnergySum {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign<Energy> for EnergySum {
    fn add_assign(&mut self, energy: Energy) {
        self.0 += i128::from(energy.0);
    }
}

impl SubAssign<Energy> for EnergySum {
    fn sub_assign(&mut self, energy: Energy) {
        self.0 -= i128::from(energy.0);
    }
}

impl AddAssign for EnergySum {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl std::iter::Sum for EnergySum {
    fn sum<I: Iterator<Item = Self>>(sums: I) -> Self {
        sums.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_prints_as_kilowatt_hours_exactly() {
        for (milliwatt_hours, kwh) in
            [(0, "0"), (12_340_000, "12.34"), (-1, "-0.000001"), (1_000_000, "1"), (-2_500_000, "-2.5")]
        {
            assert_eq!(Energy::from_milliwatt_hours(milliwatt_hours).unwrap().to_string(), kwh);
        }
    }

    #[test]
    fn energy_beyond_a_billion_kilowatt_hours_is_refused() {
        let limit = ENERGY_MAX.milliwatt_hours();
        assert_eq!(Energy::from_milliwatt_hours(limit), Some(ENERGY_MAX));
        assert_eq!(Energy::from_milliwatt_hours(limit + 1), None);
        assert_eq!(Energy::from_milliwatt_hours(-limit - 1), None);
        assert_eq!(Energy::from_milliwatt_hours(i64::MIN), None);
    }

    #[test]
    fn a_sum_of_the_largest_energies_stays_exact() {
        let mut sum = EnergySum::ZERO;
        for _ in 0..100_000 {
            sum += ENERGY_MAX;
        }
        sum += Energy(1);
        assert_eq!(sum.to_string(), "100000000000000.000001");
    }
}
