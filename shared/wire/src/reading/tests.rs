//! Each line of `golden/readings.ndjson` has its outcome on the same line of `golden/readings.expected`: the reading in
//! its canonical form, or the reason code and the detail. What does not fit a line of text is in the tables here.

use proptest::prelude::*;
use wattstream_domain::ENERGY_MAX;

use super::*;
use crate::reject::REJECT_DETAIL_BYTES_MAX;

const GOOD: &str = r#"{"site_id":"site-alpha-pv-farm-01","timestamp":"2025-06-20T00:00:00.000Z","energy_generated_kwh":12.34,"energy_consumed_kwh":8.9}"#;

fn reason_of(payload: &[u8]) -> Option<Reason> {
    decode_reading(payload).err().map(|reject| reject.reason)
}

fn encoded(reading: &Reading) -> String {
    let mut out = Vec::new();
    encode_reading(reading, &mut out);
    String::from_utf8(out).unwrap()
}

fn outcome(payload: &[u8]) -> String {
    match decode_reading(payload) {
        Ok(reading) => encoded(&reading),
        Err(Reject { reason, detail }) => format!("{reason}: {detail}"),
    }
}

#[test]
fn golden_lines_have_their_golden_outcomes() {
    let outcomes: Vec<String> =
        include_str!("../../golden/readings.ndjson").lines().map(|line| outcome(line.as_bytes())).collect();
    let expected: Vec<&str> = include_str!("../../golden/readings.expected").lines().collect();
    assert_eq!(outcomes, expected, "the outcomes are now:\n{}\n", outcomes.join("\n"));
}

#[test]
fn payloads_that_no_line_of_text_holds_have_their_reasons() {
    let form_feed = GOOD.replace(':', "\u{c}:");
    let cases: [(&[u8], Reason); 13] = [
        (b"", Reason::Empty),
        (b" \r\n\t", Reason::Empty),
        (b"\xff\xfe{\0}\0", Reason::NotUtf8),
        (b"{\"site_id\":\"\xc3\x28\"}", Reason::NotUtf8),
        (b"\x1f\x8b\x08\x00", Reason::NotUtf8),
        (b"\xf3\x89\x9a\xc2\x00", Reason::AggregateInvalid),
        (b"\xef\xbb\xbf{}", Reason::NotJson),
        (b"{\"site_id\":\"a\nb\"}", Reason::NotJson),
        (b"{\"site_id\":\"a\0b\"}", Reason::NotJson),
        (b"{\"energy_generated_kwh\":\"x: NaN\n\"}", Reason::NotJson),
        (b"{\"energy_generated_kwh\" :\n NaN", Reason::EnergyNotFinite),
        (b"\0", Reason::NotJson),
        (form_feed.as_bytes(), Reason::NotJson),
    ];
    for (payload, reason) in cases {
        assert_eq!(reason_of(payload), Some(reason), "{:?}", String::from_utf8_lossy(payload));
    }
}

#[test]
fn no_length_or_depth_of_a_record_harms() {
    let unknown_field = format!(r#"{{"x":{}{},"site"#, "[".repeat(30_000), "]".repeat(30_000));
    let cases = [
        (GOOD.replace(r#"{"site"#, &unknown_field), None),
        (
            GOOD.replace("12.34", &("{\"a\":".repeat(5_000) + "1" + &"}".repeat(5_000))),
            Some(Reason::WrongType),
        ),
        (r#"{"site_id":"#.to_owned() + &"[".repeat(60_000), Some(Reason::NotJson)),
        ("[".repeat(60_000), Some(Reason::NotAnObject)),
        ("[".repeat(100_000), Some(Reason::TooLarge)),
        ("{".repeat(60_000), Some(Reason::NotJson)),
        ("{\"a\":".repeat(10_000), Some(Reason::NotJson)),
        ("x".repeat(1_048_576), Some(Reason::TooLarge)),
        (GOOD.replace("12.34", &"9".repeat(60_000)), Some(Reason::EnergyOutOfRange)),
        (GOOD.replace("12.34", &format!("0.{}", "9".repeat(60_000))), None),
        (GOOD.replace("site-alpha", &"x".repeat(60_000)), Some(Reason::SiteIdInvalid)),
    ];
    for (payload, reason) in cases {
        assert_eq!(reason_of(payload.as_bytes()), reason, "{} of {} bytes", &payload[..40], payload.len());
    }
}

#[test]
fn a_reading_may_have_unknown_fields_up_to_the_size_limit() {
    let padded =
        |bytes: usize| GOOD.replace('}', &format!(r#","note":"{}"}}"#, "x".repeat(bytes - GOOD.len() - 10)));
    assert_eq!(padded(READING_BYTES_MAX).len(), READING_BYTES_MAX);
    assert_eq!(reason_of(padded(READING_BYTES_MAX - 1).as_bytes()), None);
    assert_eq!(reason_of(padded(READING_BYTES_MAX).as_bytes()), None);
    assert_eq!(reason_of(padded(READING_BYTES_MAX + 1).as_bytes()), Some(Reason::TooLarge));
}

#[test]
fn every_cut_of_a_reading_is_rejected() {
    for end in 0..GOOD.len() {
        let reason = reason_of(&GOOD.as_bytes()[..end]);
        assert_eq!(reason, Some(if end == 0 { Reason::Empty } else { Reason::NotJson }), "{}", &GOOD[..end]);
    }
}

#[test]
fn a_column_counts_from_the_start_of_the_record_over_its_lines() {
    let detail = |payload: &str| decode_reading(payload.as_bytes()).unwrap_err().detail;
    assert!(detail("{\n  \"site_id\": 7}").starts_with("site_id at column 16, `7`, is a number"));
    assert!(
        detail("{\n  \"site_id\": x}").starts_with("the record is not JSON at column 16, expected value")
    );
}

fn readings() -> impl Strategy<Value = Reading> {
    let energies = || {
        prop_oneof![-2_000_000..2_000_000_i64, -ENERGY_MAX.milliwatt_hours()..=ENERGY_MAX.milliwatt_hours()]
            .prop_map(|milliwatt_hours| Energy::from_milliwatt_hours(milliwatt_hours).unwrap())
    };
    let fields = ("[A-Za-z0-9_.:-]{1,64}", 0..=Timestamp::MAX.unix_ms(), energies(), energies());
    fields.prop_map(|(site_id, unix_ms, generated, consumed)| Reading {
        site_id: SiteId::new(&site_id).unwrap(),
        timestamp: Timestamp::from_unix_ms(unix_ms).unwrap(),
        measure: Measure { generated, consumed },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_048))]

    #[test]
    fn an_encoded_reading_is_read_back(reading in readings()) {
        let line = encoded(&reading);
        prop_assert!(!line.contains('\n'));
        prop_assert_eq!(decode_reading(line.as_bytes()), Ok(reading));
    }

    #[test]
    fn the_order_of_the_fields_and_the_escapes_do_not_matter(
        reading in readings(),
        order in Just([0, 1, 2, 3]).prop_shuffle(),
        escaped in 0..4_usize,
    ) {
        let line = encoded(&reading);
        let mut fields: Vec<String> = line.trim_matches(['{', '}']).split(',').map(str::to_owned).collect();
        let (first, rest) = (fields[escaped][1..2].to_owned(), fields[escaped][2..].to_owned());
        fields[escaped] = format!("\"\\u00{:02x}{rest}", first.as_bytes()[0]);
        let shuffled = format!("{{{}}}", order.map(|index| fields[index].as_str()).join(" ,\t"));
        prop_assert_eq!(decode_reading(shuffled.as_bytes()), Ok(reading), "{}", shuffled);
    }

    #[test]
    fn the_plain_form_is_read_as_the_general_parser_reads_it(
        reading in readings(),
        damage in proptest::collection::vec(
            (any::<prop::sample::Index>(), prop::sample::select(vec!["", " ", "\\", "\"", ",", "0", "\u{b}", "\u{c}"])),
            0..3,
        ),
    ) {
        let mut text = encoded(&reading);
        prop_assert_eq!(plain::decode(&text), Some(reading));
        for (index, inserted) in damage {
            let index = index.index(text.len());
            text.replace_range(index..index + usize::from(inserted.is_empty()), inserted);
        }
        if let Some(reading) = plain::decode(&text) {
            prop_assert_eq!(Document::parse(&text).and_then(|document| document.reading()), Ok(reading), "{}", text);
        }
    }

    #[test]
    fn any_bytes_have_a_bounded_outcome(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Err(reject) = decode_reading(&payload) {
            prop_assert!(reject.detail.len() < REJECT_DETAIL_BYTES_MAX);
        }
    }

    #[test]
    fn a_damaged_reading_has_a_bounded_printable_outcome(
        damage in proptest::collection::vec((0..GOOD.len(), any::<char>()), 1..6),
    ) {
        let mut text: Vec<char> = GOOD.chars().collect();
        for (index, character) in damage {
            text[index] = character;
        }
        if let Err(reject) = decode_reading(text.into_iter().collect::<String>().as_bytes()) {
            prop_assert!(reject.detail.len() < REJECT_DETAIL_BYTES_MAX);
            prop_assert!(!reject.detail.contains(char::is_control), "{:?}", reject.detail);
        }
    }

    #[test]
    fn what_is_accepted_is_an_object_that_a_json_parser_reads_the_same(
        parts in proptest::collection::vec(
            prop_oneof![
                Just(r#""site_id":"s""#), Just(r#""timestamp":"2025-06-20T00:00:00Z""#),
                Just(r#""energy_generated_kwh":1.5"#), Just(r#""energy_consumed_kwh":-2e1"#),
                Just(r#""energy_consumed_kwh":null"#), Just(r#""x":[{}]"#), Just("{"), Just("}"), Just(","), Just("\n"),
            ],
            0..10,
        ),
    ) {
        let text = format!("{{{}}}", parts.join(","));
        if let Ok(reading) = decode_reading(text.as_bytes()) {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(value["site_id"].as_str(), Some(reading.site_id.as_str()));
            prop_assert_eq!(value["energy_generated_kwh"].as_f64(), Some(1.5));
            prop_assert_eq!(value["energy_consumed_kwh"].as_f64(), Some(-20.0));
        }
    }
}
