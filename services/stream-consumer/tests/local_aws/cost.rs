//! What a day of a fleet without anomalies costs in requests and write units, counted on the wire.

use std::collections::BTreeMap;

use wattstream_domain::ShardId;
use wattstream_engine::{Batch, StreamRecord};
use wattstream_testkit::faulty_aws::{Operation, Requests};
use wattstream_testkit::lambda::{batch_reply, kinesis_event};
use wattstream_testkit::{at, payload, reading, write_units};

use crate::world::{PATIENCE, World};

/// The sites of one shard, all of which report within one batching window.
const SITES: u64 = 100;

const MINUTES_OF_DAY: i64 = 24 * 60;

/// BatchWriteItem takes 25 items.
const WRITES_PER_REQUEST: u64 = 25;

/// The batch of one interval: a reading of every site, none of which any rule has something to say about.
fn batch(minute: i64, sequence: u64) -> Batch {
    let record = |number: u64| {
        let site = format!("site-{number:03}-pv-farm");
        let wobble = (minute * 7 + i64::try_from(number).expect("few sites")) % 40;
        StreamRecord {
            sequence: (sequence + number).into(),
            partition_key: site.as_str().into(),
            arrival: at(minute),
            data: payload(&reading(&site, minute, 1_200_000 + wobble * 1_000, 800_000 + wobble * 500)),
            fault: None,
        }
    };
    Batch { shard: ShardId(0), records: (1..=SITES).map(record).collect() }
}

/// What a day cost.
struct Day {
    readings: u64,
    /// By table; a new entry of an index included.
    units: BTreeMap<String, u64>,
}

impl Day {
    fn units_per_reading(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a ratio of small numbers")]
        let ratio = self.units.values().sum::<u64>() as f64 / self.readings as f64;
        ratio
    }
}

/// Has the function consume a day of sites that report every so many minutes.
async fn spend_a_day(world: &World, interval_minutes: i64) -> Day {
    // Every site has one entry in the index of all sites, which its first snapshot makes.
    let mut day = Day { readings: 0, units: BTreeMap::from([("index fleet".to_owned(), SITES)]) };
    for (number, minute) in
        (0..).zip((0..MINUTES_OF_DAY).step_by(usize::try_from(interval_minutes).expect("few")))
    {
        let mark = world.aws.mark();
        let event = kinesis_event(&batch(minute, number * SITES));
        let response = world.function.invoke(event).await.expect("a response");
        assert_eq!(batch_reply(&response).expect("a reply").failures, []);
        let requests = world.aws.requests_since(mark);
        day.readings += SITES;
        for (table, units) in write_units::of_requests(&requests.0, &[]) {
            assert_eq!(units.unknown, 0, "every write is a put");
            *day.units.entry(table).or_default() += units.table;
        }
        let is_steady = minute % 60 != 0;
        if number > 0 {
            check(&requests, is_steady);
        }
    }
    day
}

/// A steady batch: its readings, one read and one write. With the hour that it closes: the hours, and a snapshot a site.
fn check(requests: &Requests, is_steady: bool) {
    let puts = usize::try_from(SITES.div_ceil(WRITES_PER_REQUEST)).expect("few");
    let sites = usize::try_from(SITES).expect("few");
    let (batches, single) = if is_steady { (puts, 1) } else { (2 * puts, 1 + sites) };
    let expected = BTreeMap::from([
        (Operation::BATCH_WRITE_ITEM, batches),
        (Operation::PUT_ITEM, single),
        (Operation::GET_ITEM, 1),
    ]);
    assert_eq!(requests.counts(), expected);
}

#[tokio::test]
async fn a_day_of_5_minute_sites_costs_at_most_a_fifth_more_write_units_than_it_has_readings() {
    let Some(world) = World::start(1, PATIENCE).await else { return };
    let day = spend_a_day(&world, 5).await;
    println!("{:.3} write units a reading: {:?}", day.units_per_reading(), day.units);
    assert!(day.units_per_reading() <= 1.20);
}

#[tokio::test]
async fn a_day_of_1_minute_sites_costs_at_most_a_twentieth_more_write_units_than_it_has_readings() {
    let Some(world) = World::start(1, PATIENCE).await else { return };
    let day = spend_a_day(&world, 1).await;
    println!("{:.3} write units a reading: {:?}", day.units_per_reading(), day.units);
    assert!(day.units_per_reading() <= 1.05);
}
