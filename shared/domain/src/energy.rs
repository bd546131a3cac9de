//! Energy as whole milliwatt-hours.
//!
//! A reading holds an [`Energy`], a total holds an [`EnergySum`]. Both are integers, so a sum is exact and does not
//! depend on the order of its terms. An `EnergySum` cannot overflow: 2^64 readings of the largest legal energy stay
//! below 2^127.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use crate::digits;

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

/// The decimal places of a kilowatt-hour that a milliwatt-hour needs.
const PLACES: usize = 6;

/// The longest decimal: a sign, the 39 digits of an `i128` and a point.
const KWH_CHARS_MAX: usize = 41;

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

    /// Appends kilowatt-hours as an exact decimal with no trailing zeros: `12.34`, `-0.000001`, `0`. An answer may hold tens of
    /// thousands, and a formatter takes three times as long.
    #[inline]
    pub fn append_kwh(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.kwh(&mut [0; KWH_CHARS_MAX]));
    }

    /// The decimal, written into a buffer from the right: places, point, whole, sign.
    #[inline]
    fn kwh(self, text: &mut [u8; KWH_CHARS_MAX]) -> &[u8] {
        let per_kwh = MILLIWATT_HOURS_PER_KWH.unsigned_abs();
        let magnitude = self.0.unsigned_abs();
        let point = text.len() - 1 - PLACES;
        let (mut start, fraction) = if let Ok(magnitude) = u64::try_from(magnitude) {
            (digits::write_before(&mut text[..point], magnitude / per_kwh), magnitude % per_kwh)
        } else {
            let per_kwh = u128::from(per_kwh);
            let start = digits::write_wide_before(&mut text[..point], magnitude / per_kwh);
            (start, u64::try_from(magnitude % per_kwh).unwrap_or_default())
        };
        if self.0 < 0 {
            start -= 1;
            text[start] = b'-';
        }
        if fraction == 0 {
            return &text[start..point];
        }
        text[point] = b'.';
        digits::fill(&mut text[point + 1..], fraction);
        let zeros = text.iter().rev().take_while(|digit| **digit == b'0').count();
        &text[start..text.len() - zeros]
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
        f.write_str(digits::text(self.kwh(&mut [0; KWH_CHARS_MAX])))
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
    use proptest::prelude::*;

    /// By the formatting of the standard library.
    fn printed(milliwatt_hours: i128) -> String {
        let (sign, magnitude) = (if milliwatt_hours < 0 { "-" } else { "" }, milliwatt_hours.unsigned_abs());
        let text = format!("{sign}{}.{:06}", magnitude / 1_000_000, magnitude % 1_000_000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    proptest! {
        #[test]
        fn a_sum_prints_as_the_standard_library_would_print_it(narrow: i64, wide: i128, zeros in 0..9_u32) {
            let round = i128::from(narrow) / 10_i128.pow(zeros) * 10_i128.pow(zeros);
            for milliwatt_hours in [narrow.into(), round, wide, i128::MIN, i128::MAX] {
                let (sum, expected) = (EnergySum(milliwatt_hours), printed(milliwatt_hours));
                let mut appended = b"= ".to_vec();
                sum.append_kwh(&mut appended);
                prop_assert_eq!(String::from_utf8(appended).unwrap(), format!("= {expected}"));
                prop_assert_eq!(sum.to_string(), expected);
            }
        }
    }

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
