//! Energies as they are written in JSON.
//!
//! A number is rounded once, half to even, on the decimal digits as they stand: `0.0000005` is exactly half a
//! milliwatt-hour and becomes 0, `0.0000015` becomes 2. No double is involved, so what a person reads in the text decides
//! the result. Any length of digits or exponent is read in one pass, without allocation and without overflow.

use std::cmp::Ordering;

use wattstream_domain::{ENERGY_MAX, Energy};

/// Why a text is not an energy. The messages go on after the name of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnergyTextError {
    /// It does not follow the grammar of a JSON number (RFC 8259, section 6).
    #[error("is not a JSON number: send digits with a point as the decimal sign, such as 12.34 or -1.5e-3")]
    NotANumber,
    /// It is a spelling of not-a-number or of infinity.
    #[error("is not a finite number: leave the reading out, or send what the meter measured")]
    NotFinite,
    /// Its magnitude, rounded to milliwatt-hours, exceeds [`ENERGY_MAX`].
    #[error("is beyond {ENERGY_MAX} kWh either way: check the unit, energies are in kWh")]
    OutOfRange,
}

/// Reads a JSON number of kilowatt-hours as whole milliwatt-hours, rounded half to even on the decimal as written.
///
/// The range is judged after rounding. `-0` is 0.
pub fn parse_energy(text: &str) -> Result<Energy, EnergyTextError> {
    let Some(decimal) = Decimal::parse(text.as_bytes()) else {
        return Err(if is_not_finite(text) {
            EnergyTextError::NotFinite
        } else {
            EnergyTextError::NotANumber
        });
    };
    decimal
        .scaled(MILLIWATT_HOUR_DECIMALS)
        .and_then(Energy::from_milliwatt_hours)
        .ok_or(EnergyTextError::OutOfRange)
}

/// Reads a JSON number times ten to the `decimals`, rounded half to even on the decimal as written. `None` when it is no
/// number, or its magnitude exceeds that of [`ENERGY_MAX`] in milliwatt-hours.
pub(crate) fn parse_scaled(text: &str, decimals: i64) -> Option<i64> {
    Decimal::parse(text.as_bytes())?.scaled(decimals)
}

/// Whether `text` is how some language prints a not-a-number or an infinity: `NaN`, `-Infinity`, `inf`.
pub(crate) fn is_not_finite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    ["nan", "inf", "infinity"].iter().any(|word| unsigned.eq_ignore_ascii_case(word))
}

/// Decimals of a kilowatt-hour that a milliwatt-hour resolves.
const MILLIWATT_HOUR_DECIMALS: i64 = 6;

/// Exponents are cut to this magnitude: far beyond what any text that fits in memory could bring back into range with
/// its digits, and small enough for ten times it to fit an `i64`.
const EXPONENT_CUT: i64 = 100_000_000_000_000_000;

/// A JSON number taken apart: `integer.fraction` times ten to the `exponent`. The slices hold ASCII digits only.
struct Decimal<'a> {
    negative: bool,
    integer: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Decimal<'a> {
    /// Follows the grammar of RFC 8259, section 6, to the letter.
    fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, unsigned) = match text {
            [b'-', unsigned @ ..] => (true, unsigned),
            unsigned => (false, unsigned),
        };
        let (integer, rest) = split_digits(unsigned);
        if integer.is_empty() || (integer.len() > 1 && integer[0] == b'0') {
            return None;
        }
        let (fraction, rest) = match rest {
            [b'.', after_point @ ..] => split_digits(after_point),
            rest => (&[][..], rest),
        };
        if fraction.is_empty() && unsigned.get(integer.len()) == Some(&b'.') {
            return None;
        }
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', exponent @ ..] => parse_exponent(exponent)?,
            _ => return None,
        };
        Some(Self { negative, integer, fraction, exponent })
    }

    /// The number times ten to the `decimals`, rounded half to even; `None` when it is too large for an energy.
    fn scaled(&self, decimals: i64) -> Option<i64> {
        let written = self.integer.len() + self.fraction.len();
        let whole_digits = self.integer.len() as i128 + i128::from(self.exponent) + i128::from(decimals);
        let whole_written =
            usize::try_from(whole_digits.max(0)).map_or(written, |digits| digits.min(written));
        let (integer, integer_rest) = self.integer.split_at(whole_written.min(self.integer.len()));
        let (fraction, fraction_rest) = self.fraction.split_at(whole_written - integer.len());

        let mut whole = append_digits(append_digits(0, integer)?, fraction)?;
        let mut zeros = whole_digits - written as i128;
        while zeros > 0 && whole > 0 {
            whole = append_digits(whole, b"0")?;
            zeros -= 1;
        }
        let mut dropped = integer_rest.iter().chain(fraction_rest);
        // A negative count of whole digits stands for zeros between the point and the first digit.
        let round_up = whole_digits >= 0
            && match dropped.next().unwrap_or(&b'0').cmp(&b'5') {
                Ordering::Less => false,
                Ordering::Greater => true,
                Ordering::Equal => whole % 2 == 1 || dropped.any(|&digit| digit != b'0'),
            };
        let magnitude = whole + i64::from(round_up);
        Some(if self.negative { -magnitude } else { magnitude })
    }
}

/// `whole` with more digits written after it; `None` when it grows out of range, long before it overflows.
fn append_digits(whole: i64, digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(whole, |whole, digit| {
        (whole <= ENERGY_MAX.milliwatt_hours()).then(|| whole * 10 + i64::from(digit - b'0'))
    })
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, unsigned) = match text {
        [b'-', unsigned @ ..] => (true, unsigned),
        [b'+', unsigned @ ..] | unsigned => (false, unsigned),
    };
    let (digits, rest) = split_digits(unsigned);
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    let magnitude = digits
        .iter()
        .fold(0, |exponent: i64, digit| (exponent * 10 + i64::from(digit - b'0')).min(EXPONENT_CUT));
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests;
