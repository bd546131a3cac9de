//! Timestamps agree with chrono, and every spelling of an instant is one instant.

use chrono::{DateTime, FixedOffset, SecondsFormat};
use proptest::prelude::*;

use super::*;

const MIDSUMMER_MS: i64 = 1_750_377_600_000;

#[test]
fn every_spelling_of_an_instant_is_that_instant() {
    let spellings = [
        "2025-06-20T00:00:00Z",
        "2025-06-20t00:00:00z",
        "2025-06-20T00:00:00.0Z",
        "2025-06-20T00:00:00.000Z",
        "2025-06-20T00:00:00.000999999999999Z",
        "2025-06-20T00:00:00+00:00",
        "2025-06-20T00:00:00-00:00",
        "2025-06-20T02:00:00+02:00",
        "2025-06-19T18:30:00-05:30",
        "2025-06-20T23:59:00+23:59",
        "2025-06-19T00:01:00-23:59",
    ];
    for text in spellings {
        assert_eq!(parse_timestamp(text).map(Timestamp::unix_ms), Ok(MIDSUMMER_MS), "{text}");
    }
}

#[test]
fn each_fault_has_its_reason() {
    use TimestampTextError::{LeapSecond, NoSuchTime, NotRfc3339, OutOfRange, WithoutOffset};
    let cases = [
        ("", NotRfc3339),
        ("now", NotRfc3339),
        ("1750377600", NotRfc3339),
        ("2025-06-20", NotRfc3339),
        ("2025-06-20T00:00Z", NotRfc3339),
        ("2025-06-20 00:00:00Z", NotRfc3339),
        ("20250620T000000Z", NotRfc3339),
        (" 2025-06-20T00:00:00Z", NotRfc3339),
        ("2025-06-20T00:00:00Z ", NotRfc3339),
        ("2025-06-20T00:00:00 Z", NotRfc3339),
        ("2025-06-20T00:00:00.Z", NotRfc3339),
        ("2025-06-20T00:00:00,5Z", NotRfc3339),
        ("2025-06-20T00:00:00UTC", NotRfc3339),
        ("2025-06-20T00:00:00+0200", NotRfc3339),
        ("2025-06-20T00:00:00+02", NotRfc3339),
        ("2025-06-20T00:00:00\u{2212}02:00", NotRfc3339),
        ("+2025-06-20T00:00:00Z", NotRfc3339),
        ("12025-06-20T00:00:00Z", NotRfc3339),
        ("2025-06-20T00:00:00", WithoutOffset),
        ("2025-06-20T00:00:00.123", WithoutOffset),
        ("2025-00-20T00:00:00Z", NoSuchTime),
        ("2025-13-20T00:00:00Z", NoSuchTime),
        ("2025-06-00T00:00:00Z", NoSuchTime),
        ("2025-06-31T00:00:00Z", NoSuchTime),
        ("2025-02-29T00:00:00Z", NoSuchTime),
        ("2025-06-20T24:00:00Z", NoSuchTime),
        ("2025-06-20T00:60:00Z", NoSuchTime),
        ("2025-06-20T00:00:61Z", NoSuchTime),
        ("2025-06-20T00:00:00+24:00", NoSuchTime),
        ("2025-06-20T00:00:00-00:60", NoSuchTime),
        ("2016-12-31T23:59:60Z", LeapSecond),
        ("2025-06-20T12:30:60+02:00", LeapSecond),
        ("9999-12-31T23:59:59Z", OutOfRange),
        ("0000-01-01T00:00:00Z", OutOfRange),
        ("1969-12-31T23:59:59.999Z", OutOfRange),
        ("1970-01-01T00:00:00+00:01", OutOfRange),
        ("2100-01-01T00:00:00Z", OutOfRange),
        ("2099-12-31T23:59:59-00:01", OutOfRange),
    ];
    for (text, error) in cases {
        assert_eq!(parse_timestamp(text), Err(error), "{text:?}");
    }
}

#[test]
fn the_first_and_the_last_instant_are_accepted_in_any_offset() {
    for (text, instant) in [
        ("1970-01-01T00:00:00Z", Timestamp::MIN),
        ("1969-12-31T23:00:00-01:00", Timestamp::MIN),
        ("2099-12-31T23:59:59.999Z", Timestamp::MAX),
        ("2100-01-01T00:59:59.9999+01:00", Timestamp::MAX),
        ("2024-02-29T00:00:00Z", Timestamp::from_unix_ms(1_709_164_800_000).unwrap()),
    ] {
        assert_eq!(parse_timestamp(text), Ok(instant), "{text}");
    }
}

fn instants() -> impl Strategy<Value = Timestamp> {
    (0..=Timestamp::MAX.unix_ms()).prop_map(|ms| Timestamp::from_unix_ms(ms).unwrap())
}

/// What chrono reads, as far as it is in range.
fn read_by_chrono(text: &str) -> Option<Timestamp> {
    Timestamp::from_unix_ms(DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_048))]

    #[test]
    fn one_instant_in_any_offset_case_and_precision_is_one_value(
        instant in instants(),
        offset_minutes in -1_439..=1_439_i32,
        extra_digits in "[0-9]{0,20}",
        lower_case: bool,
    ) {
        let offset = FixedOffset::east_opt(offset_minutes * 60).unwrap();
        let local = DateTime::from_timestamp_millis(instant.unix_ms()).unwrap().with_timezone(&offset);
        let text = local.to_rfc3339_opts(SecondsFormat::Millis, true);
        let (head, zone) = text.split_at("2025-06-20T00:00:00.000".len());
        let text = format!("{head}{extra_digits}{zone}");
        let text = if lower_case { text.to_ascii_lowercase() } else { text };
        prop_assert_eq!(parse_timestamp(&text), Ok(instant), "{}", text);
    }

    #[test]
    fn the_stored_form_is_read_back(instant in instants()) {
        prop_assert_eq!(parse_timestamp(&instant.to_string()), Ok(instant));
    }

    #[test]
    fn agrees_with_chrono_on_dates_that_exist_and_on_dates_that_do_not(
        text in "(1969|1970|19[0-9]{2}|20[0-9]{2}|2100)-[01][0-9]-[0-3][0-9]T[012][0-9]:[0-6][0-9]:[0-5][0-9]\
                 (\\.[0-9]{1,12})?(Z|[+-][012][0-9]:[0-6][0-9])",
    ) {
        prop_assert_eq!(parse_timestamp(&text).ok(), read_by_chrono(&text), "{}", text);
    }

    #[test]
    fn agrees_with_chrono_on_damaged_timestamps(
        instant in instants(),
        index in 0..24_usize,
        replacement in "[0-9TtZz:.+ -]",
    ) {
        let mut text = instant.to_string();
        text.replace_range(index..=index, &replacement);
        // chrono reads leap seconds, and a blank between date and time.
        prop_assume!(!text.contains(":60") && !text.contains(' '));
        prop_assert_eq!(parse_timestamp(&text).ok(), read_by_chrono(&text), "{}", text);
    }

    #[test]
    fn no_text_panics(text: String) {
        let _ = parse_timestamp(&text);
    }
}
