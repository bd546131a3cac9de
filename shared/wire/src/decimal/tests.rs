//! Energies agree with a decimal reference digit by digit.

use proptest::prelude::*;

use super::*;

const ROUNDING_CASES: &[(&str, i64)] = &[
    ("0", 0),
    ("-0", 0),
    ("-0.0e5", 0),
    ("12.34", 12_340_000),
    ("8.9", 8_900_000),
    ("-1", -1_000_000),
    ("0.1", 100_000),
    ("1e0", 1_000_000),
    ("1E+2", 100_000_000),
    ("1e-6", 1),
    // Halves go to the even neighbour, whichever way they are written.
    ("0.0000005", 0),
    ("0.0000015", 2),
    ("0.0000025", 2),
    ("-0.0000005", 0),
    ("-0.0000015", -2),
    ("1.2345675", 1_234_568),
    ("1.2345665", 1_234_566),
    ("1.2345675e0", 1_234_568),
    ("12345675e-7", 1_234_568),
    ("0.00012345675e4", 1_234_568),
    // The nearest double of 1.0000005 lies below the half, that of 1.0000015 above it, and 0.5000005 has none at all.
    ("1.0000005", 1_000_000),
    ("1.0000015", 1_000_002),
    // Anything after the half breaks the tie.
    ("0.00000050000000000000000000000000000000000000001", 1),
    ("0.0000024999999999999999999999999999999999999999", 2),
    ("5e-7", 0),
    ("5.1e-7", 1),
    ("4.9e-8", 0),
    ("9e-7", 1),
    // The range is judged after rounding.
    ("1000000000", 1_000_000_000_000_000),
    ("-1e9", -1_000_000_000_000_000),
    ("999999999.9999999", 1_000_000_000_000_000),
    ("1000000000.0000005", 1_000_000_000_000_000),
    ("0.0000000001e19", 1_000_000_000_000_000),
];

const OUT_OF_RANGE: &[&str] = &[
    "1000000000.000001",
    "1000000000.00000051",
    "-1000000001",
    "9999999999",
    "1e10",
    "1e400",
    "-1e400",
    "1e99999999999999999999999999",
    "123456789012345678901234567890123456789",
];

const NOT_NUMBERS: &[&str] = &[
    "", "-", "+1", "01", "-01", "00", ".5", "5.", "5.e1", "1e", "1e+", "1e1.5", "1_000", "1,5", "12,5", " 1",
    "1 ", "0x10", "1f", "--1", "1e--1", "١", "1\0", "null", "true", "\"1\"", "NaNs", "in",
];

#[test]
fn decimals_are_rounded_half_to_even_as_written() {
    for &(text, milliwatt_hours) in ROUNDING_CASES {
        assert_eq!(parse_energy(text).map(Energy::milliwatt_hours), Ok(milliwatt_hours), "{text}");
    }
}

#[test]
fn energies_beyond_a_billion_kilowatt_hours_are_out_of_range() {
    for &text in OUT_OF_RANGE {
        assert_eq!(parse_energy(text), Err(EnergyTextError::OutOfRange), "{text}");
    }
}

#[test]
fn what_is_no_json_number_is_refused() {
    for &text in NOT_NUMBERS {
        assert_eq!(parse_energy(text), Err(EnergyTextError::NotANumber), "{text:?}");
    }
    for text in ["NaN", "nan", "-NaN", "Infinity", "-Infinity", "inf", "+inf", "INF"] {
        assert_eq!(parse_energy(text), Err(EnergyTextError::NotFinite), "{text:?}");
    }
}

#[test]
fn no_length_of_digits_or_exponent_overflows() {
    let (zeros, nines) = ("0".repeat(10_000), "9".repeat(10_000));
    let cases = [
        ("0e99999999999".to_owned(), Some(0)),
        ("0e-99999999999999999999999999".to_owned(), Some(0)),
        ("7e-99999999999999999999999999".to_owned(), Some(0)),
        (format!("0.{zeros}e9999999999999999999"), Some(0)),
        (format!("0.{zeros}1e10001"), Some(1_000_000)),
        (format!("1{zeros}e-10000"), Some(1_000_000)),
        (format!("0.{nines}"), Some(1_000_000)),
        (format!("0.000000{nines}"), Some(1)),
        (format!("0.0000005{zeros}1"), Some(1)),
        (format!("0.0000005{zeros}"), Some(0)),
        (format!("1e{zeros}1"), Some(10_000_000)),
        (nines.clone(), None),
        (format!("{nines}e{nines}"), None),
        (format!("{nines}e-{nines}"), Some(0)),
    ];
    for (text, milliwatt_hours) in cases {
        let expected = milliwatt_hours.ok_or(EnergyTextError::OutOfRange);
        let start = &text[..text.len().min(40)];
        assert_eq!(
            parse_energy(&text).map(Energy::milliwatt_hours),
            expected,
            "{start}... of {}",
            text.len()
        );
    }
}

/// The definition of the result in plain integer arithmetic: `digits * 10^power`, to the nearest integer, halves to even.
fn reference(negative: bool, digits: i128, power: i32) -> Option<Energy> {
    let magnitude = if power >= 0 {
        10_i128.checked_pow(power.unsigned_abs()).and_then(|scale| digits.checked_mul(scale))
    } else {
        // A divisor beyond 10^38 is more than twice any digits that are tried here.
        let divisor = 10_i128.checked_pow(power.unsigned_abs()).unwrap_or(i128::MAX);
        let (quotient, remainder) = (digits / divisor, digits % divisor);
        let distance_up = divisor - remainder;
        let round_up = remainder > distance_up || (remainder == distance_up && quotient % 2 == 1);
        Some(quotient + i128::from(round_up))
    };
    let magnitude = if digits == 0 { 0 } else { i64::try_from(magnitude?).ok()? };
    Energy::from_milliwatt_hours(if negative { -magnitude } else { magnitude })
}

/// `digits` with a point before its last `fraction_digits`, and an exponent.
fn written(negative: bool, digits: i128, fraction_digits: usize, exponent: i32) -> String {
    let padded = format!("{digits:0width$}", width = fraction_digits + 1);
    let (integer, fraction) = padded.split_at(padded.len() - fraction_digits);
    let (sign, point) = (if negative { "-" } else { "" }, if fraction.is_empty() { "" } else { "." });
    match exponent {
        0 => format!("{sign}{integer}{point}{fraction}"),
        _ => format!("{sign}{integer}{point}{fraction}e{exponent}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn agrees_with_integer_arithmetic(
        negative: bool,
        (digits, fraction_digits) in (0..30_u32).prop_flat_map(|length| (0..10_i128.pow(length), 0..28_usize)),
        exponent in -30..20_i32,
    ) {
        let text = written(negative, digits, fraction_digits, exponent);
        let power = exponent + 6 - i32::try_from(fraction_digits).unwrap();
        prop_assert_eq!(parse_energy(&text).ok(), reference(negative, digits, power), "{}", text);
    }

    #[test]
    fn agrees_with_integer_arithmetic_around_halves(
        negative: bool,
        whole in 0..2_000_000_000_000_000_i128,
        nudge in -1..=1_i128,
        (exponent, zeros) in (-12..12_i32, 1..10_u32),
    ) {
        let digits = (whole * 10 + 5) * 10_i128.pow(zeros) + nudge;
        let fraction_digits = 7 + zeros as usize;
        let moved = usize::try_from(i32::try_from(fraction_digits).unwrap() + exponent).unwrap_or(0);
        let power = exponent + 6 - i32::try_from(moved).unwrap();
        let text = written(negative, digits, moved, exponent);
        prop_assert_eq!(parse_energy(&text).ok(), reference(negative, digits, power), "{}", text);
    }

    #[test]
    fn the_place_of_the_point_does_not_matter(digits in "[1-9][0-9]{0,200}", places in 0..200_usize) {
        let plain = parse_energy(&format!("{digits}e-{places}"));
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (integer, fraction) = padded.split_at(padded.len() - places);
        let pointed = if fraction.is_empty() { integer.to_owned() } else { format!("{integer}.{fraction}") };
        prop_assert_eq!(parse_energy(&pointed), plain);
        prop_assert_eq!(parse_energy(&format!("{pointed}e0")), plain);
        prop_assert_eq!(parse_energy(&format!("-{pointed}")).map(|e| -e.milliwatt_hours()), plain.map(Energy::milliwatt_hours));
    }

    #[test]
    fn a_printed_energy_is_read_back(milliwatt_hours in -ENERGY_MAX.milliwatt_hours()..=ENERGY_MAX.milliwatt_hours()) {
        let energy = Energy::from_milliwatt_hours(milliwatt_hours).unwrap();
        prop_assert_eq!(parse_energy(&energy.to_string()), Ok(energy));
    }

    #[test]
    fn accepts_the_numbers_that_json_has(text in "[-+0-9.eE]{0,8}") {
        let is_number = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        prop_assert_eq!(parse_energy(&text) != Err(EnergyTextError::NotANumber), is_number, "{}", text);
    }
}
