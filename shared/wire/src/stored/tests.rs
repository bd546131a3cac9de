//! Every stored value comes back as it was; damaged bytes are named and never a panic.

use super::*;
use proptest::prelude::*;
use wattstream_domain::{
    Channel, ENERGY_MAX, Energy, Finding, Frontier, Measure, Position, Reading, Record, Rule, SequenceNumber,
    ShardId, Silence, SiteFold, SiteRows, Version, hours_to_load,
};

fn site() -> SiteId {
    "home-01".parse().unwrap()
}

fn energies() -> impl Strategy<Value = Energy> {
    let limit = ENERGY_MAX.milliwatt_hours();
    prop_oneof![-10..10_i64, -limit..=limit].prop_map(|value| Energy::from_milliwatt_hours(value).unwrap())
}

fn positions() -> impl Strategy<Value = Position> {
    (0..3_u64, prop_oneof!["[1-9][0-9]{0,3}", "[1-9][0-9]{55}"], 0..3_u64).prop_map(
        |(shard, digits, sub_sequence)| {
            let sequence: SequenceNumber = digits.parse().unwrap();
            Position { shard: ShardId(shard), sequence, sub_sequence }
        },
    )
}

fn versions() -> impl Strategy<Value = Version> {
    let finding = (0..Rule::ALL.len(), any::<u32>(), proptest::option::of(energies())).prop_map(
        |(rule, score, expected)| {
            let channel = (score % 2 == 0).then_some(Channel::Consumed);
            Finding { rule: Rule::ALL[rule], channel, score: wattstream_domain::Score(score), expected }
        },
    );
    (energies(), energies(), positions(), 0..9_u32, proptest::collection::vec(finding, 0..4)).prop_map(
        |(generated, consumed, position, revision, findings)| Version {
            measure: Measure { generated, consumed },
            findings,
            position,
            revision,
        },
    )
}

/// A state that a log of a few dozen records made, and the hours that it closed.
fn folded(records: &[(i64, Energy, Energy, Position)]) -> (SiteState, Vec<HourRow>) {
    let records: Vec<Record> = records
        .iter()
        .map(|&(minutes, generated, consumed, position)| Record {
            position,
            reading: Reading {
                site_id: site(),
                timestamp: Timestamp::from_unix_ms(minutes * 60_000).unwrap(),
                measure: Measure { generated, consumed },
            },
        })
        .collect();
    let state = SiteState::new(site());
    assert!(hours_to_load(&state, &records).len() <= records.len());
    let mut rows = SiteRows::new(site());
    rows.load([], &Frontier::none());
    let mut fold = SiteFold::new(state, rows);
    for record in &records {
        fold.fold(record);
    }
    let folded = fold.finish();
    (folded.state, folded.hours.into_values().collect())
}

proptest! {
    #[test]
    fn sums_that_are_read_are_those_of_the_hour_whatever_the_bytes(
        records in proptest::collection::vec((0..5_000_i64, energies(), energies(), positions()), 1..60),
        places in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..3),
        length in any::<proptest::sample::Index>(),
    ) {
        for hour in folded(&records).1 {
            let mut bytes = Vec::new();
            encode_hour(&hour, &mut bytes);
            for (place, byte) in &places {
                let place = place.index(bytes.len());
                bytes[place] = *byte;
            }
            bytes.truncate(length.index(2 * bytes.len()));
            if let Ok(hour) = decode_hour(site(), hour.hour, &bytes) {
                prop_assert_eq!(decode_hour_sums(&bytes).unwrap(), (&hour.totals).into());
            }
        }
    }

    #[test]
    fn a_state_and_its_hours_come_back_as_they_were(
        records in proptest::collection::vec((0..5_000_i64, energies(), energies(), positions()), 0..60),
    ) {
        let (state, hours) = folded(&records);
        let mut bytes = Vec::new();
        encode_state(&state, &mut bytes);
        prop_assert_eq!(decode_state(site(), &bytes).unwrap(), state);
        for hour in hours {
            bytes.clear();
            encode_hour(&hour, &mut bytes);
            prop_assert_eq!(decode_hour(site(), hour.hour, &bytes).unwrap(), hour);
            // Without the general decoder, which would hide a mistake and cost the time.
            prop_assert_eq!(sums::read(&bytes), Some((&hour.totals).into()));
        }
    }

    #[test]
    fn a_row_comes_back_as_it_was(version in versions(), before in proptest::option::of(versions())) {
        let row = Row { site_id: site(), timestamp: Timestamp::MIN, version, before: before.map(Box::new) };
        let mut bytes = Vec::new();
        encode_row(&row, &mut bytes);
        prop_assert_eq!(decode_row(site(), Timestamp::MIN, &bytes).unwrap(), row);
    }

    #[test]
    fn damaged_bytes_are_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_state(site(), &bytes);
        let _ = decode_row(site(), Timestamp::MIN, &bytes);
        let _ = decode_hour(site(), Timestamp::MIN.hour(), &bytes);
        let _ = decode_alert(site(), &bytes);
        let _ = decode_open_silence(site(), Timestamp::MIN, &bytes);
    }

    #[test]
    fn a_silence_and_its_alerts_come_back_as_they_were(open in open_silences()) {
        let mut bytes = Vec::new();
        encode_open_silence(&open, &mut bytes);
        prop_assert_eq!(decode_open_silence(open.site_id, open.silence.last_seen, &bytes).unwrap(), open);
        for alert in [open.silence.opened(site()), open.silence.closed(site(), Timestamp::MAX)] {
            bytes.clear();
            encode_alert(&alert, &mut bytes);
            prop_assert_eq!(decode_alert(site(), &bytes).unwrap(), alert);
        }
    }
}

fn open_silences() -> impl Strategy<Value = OpenSilence> {
    let instants = || (0..=Timestamp::MAX.unix_ms()).prop_map(|ms| Timestamp::from_unix_ms(ms).unwrap());
    (instants(), any::<i64>(), instants(), any::<bool>()).prop_map(
        |(last_seen, interval_ms, silent_at, is_announced)| OpenSilence {
            site_id: site(),
            silence: Silence { last_seen, interval_ms, silent_at },
            is_announced,
        },
    )
}

#[test]
fn an_alert_of_nothing_or_of_two_things_is_an_error() {
    let bytes_of = |alert: &Alert| {
        let mut bytes = Vec::new();
        encode_alert(alert, &mut bytes);
        bytes
    };
    let silence = Silence { last_seen: Timestamp::MIN, interval_ms: 1, silent_at: Timestamp::MIN };
    let of_silence = bytes_of(&silence.opened(site()));
    // The messages of one field each, one after the other, are the message of both.
    let of_both = [golden("alert "), of_silence].concat();
    for bytes in [&[] as &[u8], &of_both] {
        let error = decode_alert(site(), bytes).unwrap_err().to_string();
        assert!(error.contains("subject"), "{error}");
    }
}

#[test]
fn an_alert_comes_back_as_it_was() {
    let negative = Energy::from_milliwatt_hours(-5).unwrap();
    let position = Position { shard: ShardId(0), sequence: 1.into(), sub_sequence: 0 };
    let (state, _) = folded(&[(1, negative, Energy::ZERO, position)]);
    let alert = state.outbox.alerts.front().expect("a negative energy opens an episode").clone();
    let mut bytes = Vec::new();
    encode_alert(&alert, &mut bytes);
    assert_eq!(decode_alert(site(), &bytes).unwrap(), alert);
}

#[test]
fn the_canonical_state_leaves_out_how_the_log_was_delivered() {
    let at = |sequence: u64| Position { shard: ShardId(0), sequence: sequence.into(), sub_sequence: 0 };
    let once = folded(&[(1, Energy::ZERO, Energy::ZERO, at(1))]).0;
    let twice = folded(&[(1, Energy::ZERO, Energy::ZERO, at(1)), (1, Energy::ZERO, Energy::ZERO, at(2))]).0;
    assert_ne!(once, twice);
    let canonical = |state| {
        let mut bytes = Vec::new();
        canonical_state(state, &mut bytes);
        bytes
    };
    assert_eq!(canonical(&once), canonical(&twice));
}

#[test]
fn a_state_of_an_unknown_format_is_named() {
    let format_2 = [0x08, 2];
    let error = decode_state(site(), &format_2).unwrap_err().to_string();
    assert!(error.contains("format 2"), "{error}");
}

/// What earlier versions have stored must stay readable for ever: a line here is added to, never changed. A format that
/// has to change gets a number of its own.
const GOLDEN: &str = include_str!("../../golden/stored.hex");

fn golden(name: &str) -> Vec<u8> {
    let line = GOLDEN.lines().find_map(|line| line.strip_prefix(name)).expect("the golden file names it");
    let digits = line.trim().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[test]
fn what_format_1_has_stored_stays_readable_and_is_still_written_so() {
    let energy = |value| Energy::from_milliwatt_hours(value).unwrap();
    let kinesis = "49590338271490256608559692538361571095921575989136588898".parse().unwrap();
    let position = |sub_sequence| Position { shard: ShardId(6), sequence: kinesis, sub_sequence };
    let (state, hours) = folded(&[
        (1_000_000, energy(12_340_000), energy(8_900_000), position(0)),
        (1_000_015, energy(-250_000), energy(1), position(1)),
        (1_000_060, energy(5), ENERGY_MAX, position(2)),
    ]);
    let finding = Finding {
        rule: Rule::NegativeEnergy,
        channel: Some(Channel::Generated),
        score: wattstream_domain::Score(1_020),
        expected: Some(Energy::ZERO),
    };
    let version = |revision| Version {
        measure: Measure { generated: energy(-7), consumed: energy(7) },
        findings: vec![finding],
        position: position(u64::from(revision)),
        revision,
    };
    let row = Row {
        site_id: site(),
        timestamp: Timestamp::MIN,
        version: version(1),
        before: Some(Box::new(version(0))),
    };
    let last_seen = Timestamp::from_unix_ms(1_750_377_600_000).unwrap();
    let silence =
        Silence { last_seen, interval_ms: 900_000, silent_at: last_seen.saturating_add_ms(5_400_000) };
    let of_silence = silence.closed(site(), last_seen.saturating_add_ms(7_200_000));
    let open_silence = OpenSilence { site_id: site(), silence, is_announced: true };
    let encoded = |encode: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        encode(&mut bytes);
        bytes
    };
    for (name, bytes) in [
        ("state ", encoded(&|out| encode_state(&state, out))),
        ("hour ", encoded(&|out| encode_hour(&hours[0], out))),
        ("alert ", encoded(&|out| encode_alert(&state.outbox.alerts[0], out))),
        ("row ", encoded(&|out| encode_row(&row, out))),
        ("alert-of-silence ", encoded(&|out| encode_alert(&of_silence, out))),
        ("open-silence ", encoded(&|out| encode_open_silence(&open_silence, out))),
    ] {
        assert_eq!(hex(&bytes), hex(&golden(name)), "{name}is written otherwise");
    }
    assert_eq!(decode_state(site(), &golden("state ")).unwrap(), state);
    assert_eq!(decode_hour(site(), hours[0].hour, &golden("hour ")).unwrap(), hours[0]);
    assert_eq!(decode_alert(site(), &golden("alert ")).unwrap(), state.outbox.alerts[0]);
    assert_eq!(decode_row(site(), Timestamp::MIN, &golden("row ")).unwrap(), row);
    assert_eq!(decode_alert(site(), &golden("alert-of-silence ")).unwrap(), of_silence);
    assert_eq!(decode_open_silence(site(), last_seen, &golden("open-silence ")).unwrap(), open_silence);
}
