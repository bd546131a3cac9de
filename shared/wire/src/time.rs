//! Timestamps as they are written in JSON.
//!
//! RFC 3339 in every spelling becomes one instant: `Z` and `z`, `T` and `t`, any offset, any number of fraction digits.
//! An offset is never guessed, a leap second never smeared, an impossible date never carried over: those are refused,
//! each with a reason of its own.

use wattstream_domain::Timestamp;

use crate::decimal::parse_scaled;

/// Why a text is not a timestamp. The messages go on after the name of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampTextError {
    /// It does not follow the grammar of RFC 3339, section 5.6.
    #[error("is not RFC 3339: write it as 2025-06-20T00:00:00Z or 2025-06-20T02:00:00+02:00")]
    NotRfc3339,
    /// It names a month, day, hour, minute, second or offset that does not exist.
    #[error("names a date, time or offset that does not exist: check it against the calendar and the clock")]
    NoSuchTime,
    /// It has no offset, so it names a different instant in every time zone.
    #[error("has no offset from UTC: add Z, or the site's own such as +02:00")]
    WithoutOffset,
    /// Its second is 60, which a count of milliseconds since 1970 has no place for.
    #[error("is a leap second, which has no place of its own on the time line: send :59 or the next :00")]
    LeapSecond,
    /// It lies outside the years 1970 to 2099, UTC.
    #[error("lies outside the years 1970 to 2099: check the clock of the device")]
    OutOfRange,
}

/// Reads an RFC 3339 date and time with an offset.
///
/// Digits after the millisecond are cut off, not rounded, so that a reading never moves into the next interval. The
/// offset `-00:00` (RFC 3339: local offset unknown) still names the instant in UTC and is accepted.
pub fn parse_timestamp(text: &str) -> Result<Timestamp, TimestampTextError> {
    let (date_time, rest) =
        text.as_bytes().split_first_chunk::<DATE_TIME_BYTES>().ok_or(TimestampTextError::NotRfc3339)?;
    let local_ms = parse_date_time(date_time)?;
    let (fraction_ms, offset) = parse_fraction(rest).ok_or(TimestampTextError::NotRfc3339)?;
    let utc_ms = local_ms + fraction_ms - parse_offset(offset)?;
    Timestamp::from_unix_ms(utc_ms).ok_or(TimestampTextError::OutOfRange)
}

/// Reads a JSON number of seconds since 1970, as AWS writes an arrival: `1545084650.987`.
///
/// Digits after the millisecond are rounded: AWS writes none, and whoever computed the number in doubles wrote
/// `.9869999` for `.987`. `None` when it is no number, or lies outside the years 1970 to 2099.
pub(crate) fn parse_unix_seconds(text: &str) -> Option<Timestamp> {
    Timestamp::from_unix_ms(parse_scaled(text, SECOND_DECIMALS)?)
}

/// Decimals of a second that a millisecond resolves.
const SECOND_DECIMALS: i64 = 3;

/// Bytes of `2025-06-20T00:00:00`.
const DATE_TIME_BYTES: usize = 19;

const MINUTE_MS: i64 = 60_000;

/// Milliseconds between 1970 and a date and time, both in one unnamed time zone.
fn parse_date_time(text: &[u8; DATE_TIME_BYTES]) -> Result<i64, TimestampTextError> {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T' | b't', h0, h1, b':', n0, n1, b':', s0, s1] = text
    else {
        return Err(TimestampTextError::NotRfc3339);
    };
    let pairs = [[y0, y1], [y2, y3], [m0, m1], [d0, d1], [h0, h1], [n0, n1], [s0, s1]];
    let [century, year, month, day, hour, minute, second] =
        two_digit_numbers(pairs).ok_or(TimestampTextError::NotRfc3339)?;
    let year = century * 100 + year;
    if second == 60 {
        return Err(TimestampTextError::LeapSecond);
    }
    let exists = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 59;
    if !exists {
        return Err(TimestampTextError::NoSuchTime);
    }
    Ok(((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * MINUTE_MS + second * 1_000)
}

/// The milliseconds of an optional fraction of a second, and what follows it.
fn parse_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.', fraction @ ..] = text else {
        return Some((0, text));
    };
    let end = fraction.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(fraction.len());
    let (digits, rest) = fraction.split_at(end);
    let digit = |index: usize| digits.get(index).map_or(0, |digit| i64::from(digit - b'0'));
    (!digits.is_empty()).then(|| (digit(0) * 100 + digit(1) * 10 + digit(2), rest))
}

/// The milliseconds that local time is ahead of UTC.
fn parse_offset(text: &[u8]) -> Result<i64, TimestampTextError> {
    let (sign, hour, minute) = match *text {
        [b'Z' | b'z'] => return Ok(0),
        [] => return Err(TimestampTextError::WithoutOffset),
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let [hour, minute] =
                two_digit_numbers([[h0, h1], [m0, m1]]).ok_or(TimestampTextError::NotRfc3339)?;
            (if sign == b'-' { -1 } else { 1 }, hour, minute)
        }
        _ => return Err(TimestampTextError::NotRfc3339),
    };
    if hour > 23 || minute > 59 {
        return Err(TimestampTextError::NoSuchTime);
    }
    Ok(sign * (hour * 60 + minute) * MINUTE_MS)
}

fn two_digit_numbers<const N: usize>(pairs: [[u8; 2]; N]) -> Option<[i64; N]> {
    pairs
        .as_flattened()
        .iter()
        .all(u8::is_ascii_digit)
        .then(|| pairs.map(|[tens, ones]| i64::from(tens - b'0') * 10 + i64::from(ones - b'0')))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a proleptic Gregorian date.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year_from_march = if month <= 2 { year - 1 } else { year };
    let era = year_from_march.div_euclid(400);
    let year_of_era = year_from_march.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests;
