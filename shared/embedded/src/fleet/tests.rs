//! Whatever is written over whatever, and however often the store is opened again, the projection is the sum of the hours.

use futures::FutureExt;
use proptest::prelude::*;
use wattstream_domain::HOUR_MS;
use wattstream_engine::ports::Tables;

use super::*;
use crate::fixture::{Fixture, START_MS, at, position, row, site};

/// Puts an hour: number of the site, hours after the start, energy.
type Put = (u8, i64, u64);

fn hour_row((site_number, hour, energy): Put) -> HourRow {
    let site_id = site(["a", "a.b", "b"][usize::from(site_number)]);
    let reading = row(site_id, at(START_MS + hour * HOUR_MS), energy);
    let totals = HourTotals::of(&reading.version.measure, energy % 2 == 0);
    HourRow { site_id, hour: reading.timestamp.hour(), totals, position: position(1) }
}

/// Stores hours in one call, each key once.
fn put(store: &Store, puts: &[Put]) {
    let rows: BTreeMap<_, _> = puts.iter().map(|put| ((put.0, put.1), hour_row(*put))).collect();
    let rows: Vec<_> = rows.into_values().collect();
    assert!(store.put_hours(&rows).now_or_never().expect("writing does not wait").is_empty());
}

fn all(store: &Store) -> Vec<(Resolution, BTreeMap<Timestamp, FleetBucket>)> {
    let of = |resolution| {
        let query = FleetQuery { resolution, start: Timestamp::MIN, end: Timestamp::MAX };
        let FleetSeries::Sums { buckets, .. } = store.read_fleet(&query).unwrap() else {
            panic!("it is kept")
        };
        (resolution, buckets)
    };
    Resolution::ALL.map(of).to_vec()
}

/// The sums of what was put last of each hour.
fn expected(puts: &[Put]) -> Vec<(Resolution, BTreeMap<Timestamp, FleetBucket>)> {
    let last: BTreeMap<_, _> = puts.iter().map(|put| ((put.0, put.1), hour_row(*put))).collect();
    let of = |resolution| {
        let query = FleetQuery { resolution, start: Timestamp::MIN, end: Timestamp::MAX };
        let mut buckets = BTreeMap::new();
        for number in 0..3 {
            let of_site = last.iter().filter(|((site_number, _), _)| *site_number == number);
            query.add_site(&mut buckets, of_site.map(|(_, row)| (row.hour, row.totals)));
        }
        (resolution, buckets)
    };
    Resolution::ALL.map(of).to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_projection_is_the_sum_of_the_hours(
        calls in prop::collection::vec(
            (prop::collection::vec((0..3_u8, -800..800_i64, 0..9_u64), 1..8), any::<bool>()),
            1..24,
        ),
    ) {
        let mut fixture = Fixture::with_shards(1);
        let mut puts = Vec::new();
        for (call, is_reopened) in calls {
            put(fixture.store(), &call);
            puts.extend(call);
            if is_reopened {
                fixture.reopen();
            }
            prop_assert_eq!(all(fixture.store()), expected(&puts));
        }
    }
}

#[test]
fn a_store_of_the_format_before_gets_the_projection_when_it_is_opened() {
    let puts = [(0, 0, 3), (0, 1, 4), (0, 30, 5), (1, 0, 6), (2, 24 * 40, 7)];
    let mut fixture = Fixture::with_shards(1);
    put(fixture.store(), &puts);
    let keyspaces = fixture.store().keyspaces();
    keyspaces.fleet.clear().unwrap();
    // An opening that broke off has left a bucket behind.
    let key = keys::bucket(Resolution::Hour, at(START_MS));
    keyspaces.fleet.insert(key, encode(&FleetBucket::default())).unwrap();
    keyspaces.meta.insert("format", 1_u32.to_be_bytes()).unwrap();
    assert_ne!(all(fixture.store()), expected(&puts));

    fixture.reopen();

    assert_eq!(all(fixture.store()), expected(&puts));
    assert_eq!(
        *fixture.store().keyspaces().meta.get("format").unwrap().unwrap(),
        crate::FORMAT.to_be_bytes()
    );
}

#[test]
fn damage_is_named_and_never_taken_for_data() {
    let fixture = Fixture::with_shards(1);
    fixture.store().keyspaces().fleet.insert(keys::bucket(Resolution::Day, at(START_MS)), "short").unwrap();
    let query = FleetQuery { resolution: Resolution::Day, start: Timestamp::MIN, end: Timestamp::MAX };
    let error = fixture.store().read_fleet(&query).unwrap_err();
    assert!(error.to_string().contains("in fleet is damaged"), "{error}");
    let failures = fixture.store().put_hours(&[hour_row((0, 0, 1))]).now_or_never().unwrap();
    assert!(failures[&site("a")].to_string().contains("in fleet is damaged"));
}
