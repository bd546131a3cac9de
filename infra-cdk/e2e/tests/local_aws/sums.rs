//! What payloads add up to, counted with integers and with nothing of the engine's.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use chrono::DateTime;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The sums of all payloads.
pub(crate) struct Sums {
    /// By site.
    pub(crate) sites: BTreeMap<String, SiteSums>,
    /// What is no reading.
    pub(crate) rejects: Vec<Bytes>,
    /// The instant of the newest reading of each site.
    pub(crate) newest_ms: BTreeMap<String, i64>,
}

/// The sums of the readings of a site, each in its latest version; energies in milliwatt-hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SiteSums {
    pub(crate) records: u64,
    pub(crate) generated: i128,
    pub(crate) consumed: i128,
}

/// As it is written.
#[derive(Deserialize)]
struct Written<'a> {
    site_id: String,
    timestamp: String,
    #[serde(borrow)]
    energy_generated_kwh: &'a RawValue,
    #[serde(borrow)]
    energy_consumed_kwh: &'a RawValue,
}

struct Reading {
    site: String,
    unix_ms: i64,
    generated: i128,
    consumed: i128,
}

impl Sums {
    pub(crate) fn of(payloads: &[Bytes]) -> Self {
        let mut latest = HashMap::new();
        let mut rejects = Vec::new();
        for payload in payloads {
            match Reading::parse(payload) {
                Some(reading) => drop(latest.insert((reading.site.clone(), reading.unix_ms), reading)),
                None => rejects.push(payload.clone()),
            }
        }
        let mut sites: BTreeMap<String, SiteSums> = BTreeMap::new();
        let mut newest_ms: BTreeMap<String, i64> = BTreeMap::new();
        for reading in latest.into_values() {
            let newest_ms = newest_ms.entry(reading.site.clone()).or_insert(reading.unix_ms);
            *newest_ms = reading.unix_ms.max(*newest_ms);
            let site = sites.entry(reading.site).or_default();
            site.records += 1;
            site.generated += reading.generated;
            site.consumed += reading.consumed;
        }
        Self { sites, rejects, newest_ms }
    }
}

impl Reading {
    fn parse(payload: &[u8]) -> Option<Self> {
        let written: Written = serde_json::from_slice(payload).ok()?;
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
        let is_site = (1..=64).contains(&written.site_id.len()) && written.site_id.bytes().all(is_letter);
        Some(Self {
            unix_ms: DateTime::parse_from_rfc3339(&written.timestamp).ok()?.timestamp_millis(),
            generated: milliwatt_hours(written.energy_generated_kwh.get())?,
            consumed: milliwatt_hours(written.energy_consumed_kwh.get())?,
            site: is_site.then_some(written.site_id)?,
        })
    }
}

/// The most that a reading may have, in milliwatt-hours.
const ENERGY_MAX: i128 = 1_000_000_000 * 1_000_000;

/// A JSON number of kilowatt-hours, rounded half to even on its digits as they are written.
pub(crate) fn milliwatt_hours(kwh: &str) -> Option<i128> {
    let (mantissa, exponent) = kwh.split_once(['e', 'E']).unwrap_or((kwh, "0"));
    let (sign, digits) = mantissa.strip_prefix('-').map_or((1, mantissa), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let places = exponent.parse::<i32>().ok()? + 6 - i32::try_from(fraction.len()).ok()?;
    let power = 10_i128.checked_pow(places.unsigned_abs());
    let amount = match power {
        Some(power) if places >= 0 => digits.checked_mul(power)?,
        Some(power) => rounded_half_to_even(digits, power),
        None if places < 0 || digits == 0 => 0,
        None => return None,
    };
    (amount <= ENERGY_MAX).then_some(sign * amount)
}

fn rounded_half_to_even(digits: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (digits / divisor, digits % divisor);
    let is_up = rest * 2 > divisor || rest * 2 == divisor && quotient % 2 == 1;
    quotient + i128::from(is_up)
}

#[test]
fn kilowatt_hours_are_read_from_their_digits() {
    for (written, expected) in [
        ("12.34", Some(12_340_000)),
        ("-0.5", Some(-500_000)),
        ("7e-05", Some(70)),
        ("1.25e-6", Some(1)),
        ("1.5e-6", Some(2)),
        ("2.5e-6", Some(2)),
        ("2.500001e-6", Some(3)),
        ("1e-300", Some(0)),
        ("1e9", Some(ENERGY_MAX)),
        ("1.000000001e9", None),
        ("1e400", None),
        ("\"1\"", None),
        ("null", None),
    ] {
        assert_eq!(milliwatt_hours(written), expected, "{written}");
    }
}

#[test]
fn the_latest_version_of_a_reading_counts_and_what_is_none_is_set_apart() {
    let line = |site: &str, time: &str, consumed: &str| {
        Bytes::from(format!(
            r#"{{"site_id":"{site}","timestamp":"{time}","energy_generated_kwh":1,"energy_consumed_kwh":{consumed}}}"#
        ))
    };
    let payloads = [
        line("a", "2025-06-20T00:00:00Z", "1"),
        line("a", "2025-06-20T02:00:00+02:00", "2"),
        line("a", "2025-06-20T00:05:00Z", "4"),
        line("b", "2023-06-20T00:05:00Z", "8"),
        line("a/b", "2025-06-20T00:05:00Z", "16"),
        line("a", "2025-06-20 00:05", "32"),
        Bytes::from_static(b"\xff"),
    ];
    let sums = Sums::of(&payloads);
    assert_eq!(sums.rejects, payloads[4..]);
    let [a, b] = [sums.sites["a"], sums.sites["b"]];
    assert_eq!((a.records, a.generated, a.consumed), (2, 2_000_000, 6_000_000));
    assert_eq!((b.records, b.consumed), (1, 8_000_000));
    assert_eq!((sums.newest_ms["a"], sums.newest_ms["b"]), (1_750_377_900_000, 1_687_219_500_000));
}
