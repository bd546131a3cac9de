//! The grammar of times: what is accepted, and what each refusal says.

use axum::http::Uri;
use proptest::prelude::*;

use super::*;

const KNOWN: &[Parameter] = &[START, END, START_DATE, END_DATE];

fn now() -> Timestamp {
    parse_timestamp("2026-11-23T12:00:00Z").unwrap()
}

fn range(query: &str) -> Result<TimeRange, Problem> {
    let uri: Uri = format!("/records/site?{query}").parse().unwrap();
    TimeRange::of(&Parameters::of(&uri, KNOWN)?, now())
}

#[test]
fn every_accepted_form_means_one_instant() {
    let cases = [
        ("2025-06-20T00:00:00Z", "2025-06-20T00:00:00.000Z"),
        ("2025-06-20t02:00:00.5%2B02:00", "2025-06-20T00:00:00.500Z"),
        ("2025-06-20T00:00:00-01:00", "2025-06-20T01:00:00.000Z"),
        ("2025-06-20", "2025-06-20T00:00:00.000Z"),
        ("2024-02-29", "2024-02-29T00:00:00.000Z"),
        ("now", "2026-11-23T12:00:00.000Z"),
        ("now-0s", "2026-11-23T12:00:00.000Z"),
        ("now-90s", "2026-11-23T11:58:30.000Z"),
        ("now-5m", "2026-11-23T11:55:00.000Z"),
        ("now-24h", "2026-11-22T12:00:00.000Z"),
        ("now-7d", "2026-11-16T12:00:00.000Z"),
        ("now-2w", "2026-11-09T12:00:00.000Z"),
        ("now-4294967295w", "1970-01-01T00:00:00.000Z"),
    ];
    for (text, instant) in cases {
        assert_eq!(range(&format!("start={text}")).unwrap().start.to_string(), instant, "{text}");
    }
}

#[test]
fn anything_else_is_refused_and_the_refusal_says_how_to_write_it() {
    let cases = [
        ("", "is not RFC 3339"),
        ("yesterday", "is not RFC 3339"),
        ("1750377600", "is not RFC 3339"),
        ("2025-6-20", "is not RFC 3339"),
        ("20.06.2025", "is not RFC 3339"),
        ("2025-06-20T00:00:00", "has no offset"),
        ("2025-06-31", "does not exist"),
        ("2023-02-29", "does not exist"),
        ("2025-06-20T23:59:60Z", "leap second"),
        ("1969-12-31", "outside the years"),
        ("2100-01-01", "outside the years"),
        ("9999-12-31T00:00:00Z", "outside the years"),
        ("now-", "is no time ago"),
        ("now-h", "is no time ago"),
        ("now-24", "is no time ago"),
        ("now-24H", "is no time ago"),
        ("now-1.5h", "is no time ago"),
        ("now--1h", "is no time ago"),
        ("now%2B1h", "is no time ago"),
        ("now/d", "is no time ago"),
        ("now-1%C3%A4", "is no time ago"),
        ("now-4294967296s", "is no time ago"),
    ];
    for (text, why) in cases {
        let problem = format!("{:?}", range(&format!("end={text}")).unwrap_err());
        assert!(problem.contains("TimeInvalid") && problem.contains(why), "{text}: {problem}");
        assert!(problem.contains("now-24h") && problem.contains(r#"Some("end")"#), "{text}: {problem}");
    }
}

#[test]
fn an_unescaped_plus_is_named_as_what_it_is() {
    let problem = format!("{:?}", range("start=2026-01-01T00:00:00+00:00").unwrap_err());
    assert!(problem.contains("Write %2B, or use Z"), "{problem}");
}

#[test]
fn an_alias_is_the_same_parameter() {
    let expected = range("start=2025-06-20&end=2025-06-21").unwrap();
    for query in ["start_date=2025-06-20&end_date=2025-06-21", "start=2025-06-20&end_date=2025-06-21"] {
        assert_eq!(range(query).unwrap(), expected, "{query}");
    }
}

#[test]
fn two_names_with_two_values_are_refused() {
    let problem = format!("{:?}", range("start=2025-06-20&start_date=2025-06-21").unwrap_err());
    assert!(problem.contains("RepeatedParameter"), "{problem}");
    assert!(range("start=2025-06-20&start_date=2025-06-20").is_ok());
}

#[test]
fn a_range_may_be_empty_and_may_not_be_reversed() {
    assert!(range("start=2025-06-20&end=2025-06-20").is_ok());
    let problem = format!("{:?}", range("start=2025-06-21&end=2025-06-20").unwrap_err());
    assert!(problem.contains("RangeReversed"), "{problem}");
}

#[test]
fn without_parameters_the_range_is_everything() {
    assert_eq!(range("").unwrap(), TimeRange { start: Timestamp::MIN, end: Timestamp::MAX });
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,40}", tail in "now.{0,6}") {
        let _ = parse_instant(&text, now());
        let _ = parse_instant(&tail, now());
    }

    #[test]
    fn an_instant_as_it_is_printed_is_read_back(unix_ms in 0..4_102_444_800_000_i64) {
        let instant = Timestamp::from_unix_ms(unix_ms).unwrap();
        prop_assert_eq!(parse_instant(&instant.to_string(), now()), Ok(instant));
    }
}
