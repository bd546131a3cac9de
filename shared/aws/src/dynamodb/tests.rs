//! Whatever is written is read back as it was, in the form that `docs/tables.md` promises; damaged items are named.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;
use wattstream_domain::{
    Alert, Channel, ENERGY_MAX, Energy, EnergySum, Episode, Finding, HourRow, HourTotals, Measure,
    OpenSilence, Phase, Position, Row, Rule, Score, ShardId, Silence, SiteId, SiteState, Spread, Subject,
    TIMESTAMP_END_MS, Timestamp, Version,
};
use wattstream_engine::Kind;
use wattstream_engine::ports::{Commit, InstanceId, ShardMark, Snapshot};
use wattstream_testkit::{Site, at, energy, position};
use wattstream_wire::stored::{STATE_BYTES_MAX, encode_state};

use super::decode::{self, Item};
use super::schema::{TableNames, table_definitions};
use super::{DynamoDb, encode};
use crate::deadline::CALL_TIME_MAX;
use crate::fake_aws::{Answer, FakeAws};

/// A DynamoDB write unit.
const WRITE_UNIT_BYTES: usize = 1_024;

fn value(json: &Value) -> AttributeValue {
    let (kind, value) = json.as_object().unwrap().iter().next().unwrap();
    let text = || value.as_str().unwrap().to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "B" => AttributeValue::B(Blob::new(STANDARD.decode(text()).unwrap())),
        "M" => AttributeValue::M(item(value)),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(self::value).collect()),
        other => panic!("no type {other} is used"),
    }
}

fn item(json: &Value) -> Item {
    json.as_object().unwrap().iter().map(|(name, json)| (name.clone(), value(json))).collect()
}

/// What `write` writes, as any reader of JSON finds it.
fn written(write: impl FnOnce(&mut Vec<u8>)) -> Value {
    let mut out = Vec::new();
    write(&mut out);
    serde_json::from_slice(&out).expect("items are JSON")
}

/// The bytes that DynamoDB counts: names and values; a number takes a byte for two digits, and one or two more; a list or a map three,
/// and one for each of its entries.
fn item_bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 2,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::M(item) => 3 + item.len() + item_bytes(item),
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + value_bytes(value)).sum::<usize>(),
        _ => 1,
    }
}

/// Every number of an item.
fn numbers(json: &Value) -> Vec<&str> {
    match json {
        Value::Object(members) if members.len() == 1 && members.contains_key("N") => {
            members["N"].as_str().into_iter().collect()
        }
        Value::Object(members) => members.values().flat_map(numbers).collect(),
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        _ => Vec::new(),
    }
}

/// `0`, `-12.34`: no exponent, no sign of zero, no zero at either end that says nothing, at most six places.
fn is_plain_decimal(number: &str) -> bool {
    let unsigned = number.strip_prefix('-').unwrap_or(number);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "1"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && digits(fraction)
        && (whole == "0" || !whole.starts_with('0'))
        && !fraction.ends_with('0')
        && fraction.len() <= 6
        && number != "-0"
}

fn sites() -> impl Strategy<Value = SiteId> {
    "[A-Za-z0-9_.:-]{1,64}".prop_map(|name| name.parse().unwrap())
}

fn instants() -> impl Strategy<Value = Timestamp> {
    (0..TIMESTAMP_END_MS).prop_map(|unix_ms| Timestamp::from_unix_ms(unix_ms).unwrap())
}

fn energies() -> impl Strategy<Value = Energy> {
    let limit = ENERGY_MAX.milliwatt_hours();
    prop_oneof![
        -10..10_i64,
        -limit..=limit,
        (-limit / 1_000_000..=limit / 1_000_000).prop_map(|kwh| kwh * 1_000_000)
    ]
    .prop_map(energy)
}

/// Sums of up to 2^64 readings, the most that a count can hold: 35 digits, of DynamoDB's 38.
fn energy_sums() -> impl Strategy<Value = EnergySum> {
    let limit = i128::from(u64::MAX) * i128::from(ENERGY_MAX.milliwatt_hours());
    prop_oneof![-10..10_i128, -limit..=limit].prop_map(EnergySum::from_milliwatt_hours)
}

fn positions() -> impl Strategy<Value = Position> {
    (any::<u64>(), "0|[1-9][0-9]{0,128}", any::<u64>()).prop_map(|(shard, digits, sub_sequence)| Position {
        shard: ShardId(shard),
        sequence: digits.parse().unwrap(),
        sub_sequence,
    })
}

fn findings() -> impl Strategy<Value = Finding> {
    (0..Rule::ALL.len(), option::of(0..Channel::ALL.len()), any::<u32>(), option::of(energies())).prop_map(
        |(rule, channel, score, expected)| Finding {
            rule: Rule::ALL[rule],
            channel: channel.map(|channel| Channel::ALL[channel]),
            score: Score(score),
            expected,
        },
    )
}

fn versions() -> impl Strategy<Value = Version> {
    (energies(), energies(), vec(findings(), 0..4), positions(), prop_oneof![Just(0), any::<u32>()]).prop_map(
        |(generated, consumed, findings, position, revision)| Version {
            measure: Measure { generated, consumed },
            findings,
            position,
            revision,
        },
    )
}

fn rows() -> impl Strategy<Value = Row> {
    (sites(), instants(), versions(), option::of(versions())).prop_map(
        |(site_id, timestamp, version, before)| Row {
            site_id,
            timestamp,
            version,
            before: before.map(Box::new),
        },
    )
}

fn spreads() -> impl Strategy<Value = Spread> {
    (energy_sums(), energies(), energies()).prop_map(|(sum, min, max)| Spread { sum, min, max })
}

fn hours() -> impl Strategy<Value = HourRow> {
    (sites(), instants(), any::<u64>(), any::<u64>(), spreads(), spreads(), positions()).prop_map(
        |(site_id, instant, records, anomalies, generated, consumed, position)| HourRow {
            site_id,
            hour: instant.hour(),
            totals: HourTotals { records, anomalies, generated, consumed },
            position,
        },
    )
}

proptest! {
    #[test]
    fn any_reading_is_read_back_as_it_was_written(row in rows()) {
        let json = written(|out| encode::reading(&row, out));
        prop_assert_eq!(decode::reading(&item(&json)).unwrap(), row);
        for number in numbers(&json) {
            prop_assert!(is_plain_decimal(number), "{}", number);
        }
    }

    #[test]
    fn any_hour_is_read_back_as_it_was_written(row in hours()) {
        let json = written(|out| encode::hour(&row, out));
        prop_assert_eq!(decode::hour(&item(&json)).unwrap(), row);
        for number in numbers(&json) {
            prop_assert!(is_plain_decimal(number), "{}", number);
        }
    }

    #[test]
    fn any_mark_is_read_back_as_it_was_written(position in positions(), instance: String) {
        let mark = ShardMark {
            shard: position.shard, sequence: position.sequence, instance: InstanceId(instance),
        };
        let json = written(|out| encode::shard(&mark, out));
        prop_assert_eq!(decode::shard(&item(&json)).unwrap(), mark);
    }

    #[test]
    fn an_attribute_of_the_wrong_kind_is_named_and_never_a_panic(row in rows(), number: usize, text: String) {
        let whole = item(&written(|out| encode::reading(&row, out)));
        // What only serves the reader of an item, or its index, is not read.
        let read: Vec<_> = whole
            .keys()
            .filter(|name| !["net_energy_kwh", "anomaly", "anomaly_at", "anomaly_fleet", "anomaly_place"].contains(&name.as_str()))
            .collect();
        let name = read[number % read.len()].clone();
        let mut damaged = whole.clone();
        damaged.insert(name.clone(), AttributeValue::Ss(vec![text]));
        let error = decode::reading(&damaged).unwrap_err().while_doing("reading");
        prop_assert_eq!(error.kind(), Kind::Broken);
        prop_assert!(error.to_string().contains(&name), "{}", error);
    }
}

#[test]
fn a_site_and_its_version_are_read_back_as_they_were_written() {
    let site = Site::new("home-01").sends(0, -5, 2).sends(15, 7, 1);
    assert!(!site.state.outbox.alerts.is_empty());
    let json = written(|out| encode::site(&Commit { state: &site.state, expected_version: 41 }, out));
    let snapshot = decode::site(&item(&json)).unwrap();
    assert_eq!(snapshot, Snapshot { state: site.state, version: 42 });
}

fn alert(site: &Site, minute: i64) -> Alert {
    let episode = Episode {
        rule: Rule::NegativeEnergy,
        number: 1,
        opened_at: at(0),
        last_at: at(minute),
        readings: 3,
        score: Score(1_500),
        quiet_readings: 0,
    };
    Alert { site_id: site.id, phase: Phase::Opened, at: at(minute), subject: Subject::Episode(episode) }
}

#[test]
fn an_alert_is_read_back_as_it_was_written() {
    let alert = alert(&Site::new("home-01"), 30);
    let json = written(|out| encode::alert(&alert, out));
    assert_eq!(decode::alert(&item(&json)).unwrap(), alert);
}

fn open_silence(site: &Site) -> OpenSilence {
    let silence = Silence { last_seen: at(15), interval_ms: 900_000, silent_at: at(105) };
    OpenSilence { site_id: site.id, silence, is_announced: true }
}

#[test]
fn a_silence_is_read_back_as_it_was_written_and_costs_one_write_unit_for_the_longest_id() {
    let open = open_silence(&Site::new(&"x".repeat(64)));
    let item = item(&written(|out| encode::silence(&open, out)));
    assert_eq!(decode::silence(&item).unwrap(), open);
    assert!(item_bytes(&item) <= WRITE_UNIT_BYTES);
}

/// The JSON examples of the page that describes the tables.
fn examples_of_the_page() -> Vec<Value> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/tables.md");
    let page = std::fs::read_to_string(page).unwrap();
    let examples = page.split("```json").skip(1).map(|rest| rest.split("```").next().unwrap());
    examples.map(|example| serde_json::from_str(example).unwrap()).collect()
}

/// An item as the page shows it: what is in its bytes is nobody else's business.
fn without_bytes(mut item: Value) -> Value {
    for value in item.as_object_mut().unwrap().values_mut() {
        if value.get("B").is_some() {
            *value = json!({"B": "..."});
        }
    }
    item
}

/// A reading that was revised, and found to be an anomaly then.
fn revised(row: &Row) -> Row {
    let finding = Finding {
        rule: Rule::NegativeEnergy,
        channel: Some(Channel::Generated),
        score: Score(1_250),
        expected: Some(Energy::ZERO),
    };
    let version = Version {
        measure: Measure { generated: energy(-1), consumed: energy(0) },
        findings: vec![finding],
        position: position(2, 8),
        revision: 1,
    };
    Row { version, before: Some(Box::new(row.version.clone())), ..row.clone() }
}

#[test]
fn items_look_as_the_page_of_the_tables_shows_them() {
    let site = Site::new("home-01").sends(0, 12_340_000, 8_900_000).sends(15, 0, 250_000).sends(60, 1, 1);
    let row = &site.rows[&at(0)];
    let commit = Commit { state: &site.state, expected_version: 0 };
    let mark =
        ShardMark { shard: ShardId(0), sequence: 3.into(), instance: InstanceId("an instance".to_owned()) };
    let alert = alert(&site, 15);
    let items = [
        written(|out| encode::reading(row, out)),
        written(|out| encode::reading(&revised(row), out)),
        written(|out| encode::hour(&site.hours[&at(0).hour()], out)),
        written(|out| encode::site(&commit, out)),
        written(|out| encode::shard(&mark, out)),
        written(|out| encode::alert(&alert, out)),
        written(|out| encode::silence(&open_silence(&site), out)),
    ];
    let items = items.map(without_bytes);
    for (item, example) in items.iter().zip(&examples_of_the_page()) {
        assert_eq!(item, example, "docs/tables.md shows another item");
    }
    assert_eq!(items.len(), examples_of_the_page().len());
}

#[test]
fn a_commit_costs_one_write_unit_for_the_longest_id_and_the_largest_state() {
    let state = SiteState::new("x".repeat(64).parse().unwrap());
    let mut encoded = Vec::new();
    encode_state(&state, &mut encoded);
    let commit = Commit { state: &state, expected_version: u64::MAX - 1 };
    let bytes = item_bytes(&item(&written(|out| encode::site(&commit, out))));
    assert!(bytes - encoded.len() + STATE_BYTES_MAX <= WRITE_UNIT_BYTES, "{bytes}");
}

#[test]
fn a_reading_costs_one_write_unit_for_the_longest_id_and_position_and_a_finding_of_every_rule() {
    let site = Site::new(&"x".repeat(64)).sends(0, 1, 1);
    let mut row = site.rows[&at(0)].clone();
    row.version.position.sequence = "9".repeat(56).parse().unwrap();
    row.version.findings = Vec::from_iter(Rule::ALL.map(|rule| Finding {
        rule,
        channel: Some(Channel::Generated),
        score: Score(u32::MAX),
        expected: Some(ENERGY_MAX),
    }));
    let bytes = item_bytes(&item(&written(|out| encode::reading(&row, out))));
    assert!(bytes <= WRITE_UNIT_BYTES, "{bytes}");
}

/// The tables as data, for the CDK app. `WATTSTREAM_UPDATE_GOLDEN=1` writes the file anew.
#[test]
fn the_definitions_of_the_tables_are_in_a_file_that_others_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tables.json");
    let definitions = table_definitions(&TableNames::with_prefix(""));
    let expected = serde_json::to_string_pretty(&definitions).unwrap() + "\n";
    if std::env::var_os("WATTSTREAM_UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap();
    assert_eq!(found, expected, "tables.json is out of date; run again with WATTSTREAM_UPDATE_GOLDEN=1");
}

#[test]
fn numbers_are_read_exactly_or_refused() {
    let read = |number: &str| {
        let json = json!({"records": {"N": number}, "site_id": {"S": "a"}, "hour": {"S": "2025-06-20T00:00:00Z"},
            "anomalies": {"N": "0"}, "position": {"S": "shardId-000000000000:1:0"},
            "energy_generated_kwh": {"N": number}, "energy_generated_kwh_min": {"N": "0"},
            "energy_generated_kwh_max": {"N": "0"}, "energy_consumed_kwh": {"N": "0"},
            "energy_consumed_kwh_min": {"N": "0"}, "energy_consumed_kwh_max": {"N": "0"}});
        decode::hour(&item(&json)).map(|row| (row.totals.records, row.totals.generated.sum.milliwatt_hours()))
    };
    assert_eq!(read("7").unwrap(), (7, 7_000_000));
    assert_eq!(read("18446744073709551615").unwrap().0, u64::MAX);
    for refused in
        ["", "-", ".", "-1", "1.5", "1e3", " 1", "+1", "0.0000001", "18446744073709551616", &"9".repeat(60)]
    {
        let error = read(refused).unwrap_err().to_string();
        assert!(error.contains("records") || error.contains("energy"), "{refused}: {error}");
    }
}

/// DynamoDB throttles the list of sites for most of the time that a call has, and the states for ever. The time is tokio's own:
/// nothing here waits for it.
#[tokio::test(start_paused = true)]
async fn the_questions_behind_all_states_share_one_deadline() {
    let begun = Instant::now();
    let server = FakeAws::start(move |request| match request.operation.as_str() {
        "Query" if begun.elapsed() > CALL_TIME_MAX / 2 => {
            Answer::Json(json!({"Items": [{"site_id": {"S": "home-01"}}]}))
        }
        _ => Answer::Error(400, "ThrottlingException"),
    })
    .await;
    let tables = DynamoDb::new(&server.clients().await, TableNames::with_prefix("test-"));
    assert_eq!(tables.sites().await.unwrap_err().kind(), Kind::Retry);
    assert!(begun.elapsed() <= CALL_TIME_MAX, "{:?}", begun.elapsed());
}
