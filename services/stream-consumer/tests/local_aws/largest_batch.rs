//! The largest batch that Lambda hands over: 6 MB of aggregates, far more readings than the batch has records.

use std::time::Instant;

use wattstream_domain::ShardId;
use wattstream_engine::ports::Queries;
use wattstream_engine::{BATCH_BYTES_MAX, Batch, StreamRecord};
use wattstream_testkit::lambda::{batch_reply, kinesis_event};
use wattstream_testkit::{at, payload, reading};
use wattstream_wire::{AGGREGATE_BYTES_DEFAULT, Aggregator};

use crate::event_source;
use crate::world::World;

/// An aggregate is 68 KB in the event, where it is written in base64.
const SITES: u64 = 90;

fn site(number: u64) -> String {
    format!("site-{number:02}-pv-farm")
}

/// An aggregate as full as our producer makes them, with the readings of a site from minute to minute; and their number.
fn aggregate(site: &str) -> (bytes::Bytes, u64) {
    let mut aggregator = Aggregator::new(AGGREGATE_BYTES_DEFAULT);
    let mut readings = 0;
    for minute in 0.. {
        let reading = reading(site, minute, 1_200_000 + minute % 40 * 1_000, 800_000 + minute % 40 * 500);
        if aggregator.push(site, &payload(&reading)).is_err() {
            break;
        }
        readings += 1;
    }
    (aggregator.finish(), readings)
}

#[tokio::test]
async fn the_largest_batch_that_lambda_hands_over_is_processed_within_the_deployed_timeout() {
    let Some(world) = World::start(1, event_source::timeout()).await else { return };
    let (_, readings_per_site) = aggregate(&site(0));
    let record = |number: u64| StreamRecord {
        sequence: (number + 1).into(),
        partition_key: site(number).as_str().into(),
        arrival: at(24 * 60),
        data: aggregate(&site(number)).0,
        fault: None,
    };
    let event = kinesis_event(&Batch { shard: ShardId(0), records: (0..SITES).map(record).collect() });
    assert!((BATCH_BYTES_MAX * 9 / 10..BATCH_BYTES_MAX).contains(&event.len()), "{} bytes", event.len());

    let started = Instant::now();
    let response = world.function.invoke(event).await.expect("a response");
    println!("{} readings in {:.1} s", SITES * readings_per_site, started.elapsed().as_secs_f64());
    assert_eq!(batch_reply(&response).expect("a reply").failures, []);
    for number in 0..SITES {
        let state = world.queries.site(site(number).parse().unwrap()).await.expect("a state is read");
        assert_eq!(state.expect("a state").totals.records, readings_per_site, "{}", site(number));
    }
}
