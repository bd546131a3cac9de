//! The real binary under a Runtime API, between a local Kinesis and a local DynamoDB, SNS and SQS: what becomes of real data
//! there is what becomes of it on one machine, whatever goes wrong.

mod cost;
mod event_source;
mod input;
mod largest_batch;
mod reader;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use wattstream_domain::ShardId;
use wattstream_engine::ports::{NewRecord, Queries};
use wattstream_engine::{Batch, StreamRecord};
use wattstream_testkit::faulty_aws::{Fault, FaultKind, Mark, Operation, Service, Weights};
use wattstream_testkit::lambda::{batch_reply, kinesis_event};
use wattstream_testkit::local_aws;
use wattstream_wire::deaggregate;

use world::{OneMachine, PATIENCE, World};

/// The records of the stream as whoever sent them had them.
fn payloads(records: &[StreamRecord]) -> Vec<NewRecord> {
    let of_record = |record: &StreamRecord| {
        let payloads = deaggregate(&record.data).expect("a sound aggregate");
        let key = record.partition_key.to_string();
        payloads
            .as_slice()
            .iter()
            .map(|data| NewRecord { partition_key: key.clone(), data: data.clone() })
            .collect::<Vec<_>>()
    };
    records.iter().flat_map(of_record).collect()
}

#[tokio::test]
async fn real_data_ends_in_one_state_through_a_split_a_merge_and_killed_processes_or_on_one_machine() {
    let Some(records) = input::real_records() else { return };
    let Some(mut world) = World::start(4, PATIENCE).await else { return };
    world.deliver();
    let chunks: Vec<_> = records.chunks(records.len().div_ceil(8)).collect();
    let mut starts_before_kill = 0;
    for (index, chunk) in chunks.iter().enumerate() {
        world.append(chunk).await;
        match index {
            2 | 5 => {
                starts_before_kill = world.function.starts().len();
                world.function.kill();
            }
            3 => world.reshard().await,
            _ => {}
        }
    }
    world.until_consumed().await;
    world.stop().await;
    assert!(world.function.starts().len() > starts_before_kill, "killed processes are replaced");

    let expected = OneMachine::consume_beside(records).await;
    assert_eq!(world.state_hash().await, expected.state_hash);
    assert_eq!(world.dead_letters().await, expected.dead_letters);
    let alerts = world.queries.newest_alerts(10_000).await.expect("alerts are read");
    let mut alert_ids: Vec<_> = alerts.iter().map(|alert| alert.id().to_string()).collect();
    alert_ids.sort_unstable();
    assert_eq!(alert_ids, expected.alert_ids);
}

#[tokio::test]
async fn a_reader_in_another_language_finds_tables_and_queues_as_they_are_documented() {
    let Some(python) = local_aws::python() else { return };
    let Some(records) = input::real_records() else { return };
    let Some(mut world) = World::start(2, PATIENCE).await else { return };
    let records = &records[..records.len() / 5];
    world.append(records).await;
    world.deliver();
    world.until_consumed().await;
    world.stop().await;

    let found = reader::read(python, [world.endpoint(), &world.letters_url, &world.subscriber_url]);
    let states = world.queries.sites().await.expect("states are read").states;
    assert_eq!(found.sites.len(), states.len());
    for state in &states {
        let (sums, totals) = (&found.sites[state.site_id.as_str()], &state.totals);
        assert_eq!((sums.records, sums.anomalies), (totals.records, totals.anomalies), "{}", state.site_id);
        let energy = (i128::from(sums.generated), i128::from(sums.consumed));
        let expected = (totals.generated.milliwatt_hours(), totals.consumed.milliwatt_hours());
        assert_eq!(energy, expected, "{}", state.site_id);
        assert!(sums.hours > 0 && sums.anomalies > 0, "there is something of everything: {found:?}");
    }
    let expected = OneMachine::consume_beside(records.to_vec()).await;
    assert_eq!(found.alerts, expected.alert_ids);
    assert_eq!(found.told, expected.alert_ids);
    let bytes = |(reason, payload): &(String, String)| (reason.clone(), payload.clone().into_bytes());
    let letters: Vec<_> = found.dead_letters.iter().map(bytes).collect();
    let expected: Vec<_> =
        expected.dead_letters.into_iter().map(|(reason, payload)| (reason.to_owned(), payload)).collect();
    assert_eq!(letters, expected);
}

/// Every kind of fault once, where it is sure to happen: the first requests of every batch API are taken in part and the next
/// two not at all; the first items that are put and the first reads of the stream meet everything else.
fn everything_once() -> impl Iterator<Item = (Operation, u64, Fault)> {
    let parts = |operation: Operation| {
        let taken = [0x5555_5555, 0x5555_5555, 0x5555_5555, 0, 0];
        (0..).zip(taken).map(move |(number, taken)| (operation.clone(), number, Fault::Partial { taken }))
    };
    let of_puts = [
        Fault::Throttled,
        Fault::Unavailable,
        Fault::ErrorBefore,
        Fault::ErrorAfter,
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::SilenceAfter,
        Fault::CutBody,
        Fault::SlowBody { over: Duration::from_millis(200) },
    ];
    let of_reads = [Fault::ShortPage { limit: 2 }, Fault::ExpiredIterator, Fault::ExpiredIterator];
    let singly = |operation: Operation, faults: Vec<Fault>| {
        (0..).zip(faults).map(move |(number, fault)| (operation.clone(), number, fault))
    };
    Operation::BATCHES
        .into_iter()
        .flat_map(parts)
        .chain(singly(Operation::PUT_ITEM, of_puts.into()))
        .chain(singly(Operation::GET_RECORDS, of_reads.into()))
}

/// Every kind of fault, everywhere. Answers that never come are rare, because each takes a client's whole patience; what
/// can happen to few requests has to happen to many of them.
fn everything_goes_wrong() -> Weights {
    Weights::each(15)
        .with(FaultKind::SilenceAfter, 2)
        .with(FaultKind::EveryEntry, 150)
        .with(FaultKind::Partial, 150)
}

#[tokio::test]
async fn whatever_goes_wrong_between_the_function_and_aws_the_state_is_the_same() {
    let Some(records) = input::real_records() else { return };
    let Some(mut world) = World::start(2, Duration::from_secs(20)).await else { return };
    let (first, more) = records[..records.len() / 3].split_at(300);
    world.aws.follow_script(everything_once());
    world.append(first).await;
    world.deliver();
    world.until_consumed().await;
    world.aws.follow_chance(7, everything_goes_wrong());
    for chunk in more.chunks(300) {
        world.append(chunk).await;
    }
    world.until_consumed().await;
    world.aws.clear();
    world.stop().await;

    // What a producer sent twice is in the stream twice: the stream says what should be in the tables.
    let expected = OneMachine::consume_beside(payloads(&world.records().await)).await;
    assert_eq!(world.state_hash().await, expected.state_hash);
    assert_eq!(world.dead_letters().await, expected.dead_letters);
    let coverage = world.aws.requests_since(Mark::START).coverage();
    assert_eq!(coverage.kinds_missing(), [], "every kind of fault has happened\n{coverage}");
    for operation in [
        Operation::BATCH_GET_ITEM,
        Operation::BATCH_WRITE_ITEM,
        Operation::PUT_RECORDS,
        Operation::SEND_MESSAGE_BATCH,
        Operation::PUBLISH_BATCH,
    ] {
        assert!(
            coverage.fired(FaultKind::Partial, &operation) > 0,
            "{operation} was taken in part\n{coverage}"
        );
    }
}

fn reading(site: &str, minute: u32, generated: &str) -> NewRecord {
    let time = format!("2025-06-20T{:02}:{:02}:00Z", minute / 60, minute % 60);
    let data = format!(
        r#"{{"site_id":"{site}","timestamp":"{time}","energy_generated_kwh":{generated},"energy_consumed_kwh":1.5}}"#
    );
    NewRecord { partition_key: site.to_owned(), data: data.into() }
}

#[tokio::test]
async fn a_function_whose_requests_hang_or_are_refused_replies_before_its_deadline() {
    let Some(world) = World::start(1, Duration::from_secs(3)).await else { return };
    let faults = [
        Fault::SilenceAfter,
        Fault::Throttled,
        Fault::Unavailable,
        Fault::ResetAfter,
        Fault::SlowBody { over: PATIENCE },
    ];
    let operations =
        [Operation::GET_ITEM, Operation::BATCH_GET_ITEM, Operation::BATCH_WRITE_ITEM, Operation::PUT_ITEM];
    for (number, operation) in (0_u32..).zip(&operations) {
        for (minute, fault) in (number * 10..).zip(faults) {
            world.append(&[reading("home-01", minute, "2"), reading("home-02", minute, "2")]).await;
            let all = world.records().await;
            let records = all[all.len() - 2..].to_vec();
            let first = records[0].sequence;
            let event = kinesis_event(&Batch { shard: ShardId(0), records });
            // A new process remembers nothing, and asks for everything.
            world.function.kill();
            let mark = world.aws.mark();
            world.aws.take_down(operation.clone(), fault);
            let response = world.function.invoke(event.clone()).await;
            world.aws.bring_up(operation.clone());
            let asked = world.aws.requests_since(mark).count(operation);
            assert!(asked > 0, "{operation} is part of every batch");
            // An answer means that Lambda's time limit, at which the process is killed, was not reached.
            match response {
                Ok(response) => {
                    let failures = batch_reply(&response).expect("a reply").failures;
                    assert_eq!(failures.iter().min(), Some(&first), "{operation} {fault:?}");
                }
                Err(error) => {
                    let is_reported = error.to_string().starts_with("the function failed: ");
                    assert!(is_reported, "{operation} {fault:?}: {error}");
                }
            }
            let response = world.function.invoke(event).await.expect("a response");
            assert_eq!(batch_reply(&response).expect("a reply").failures, [], "{operation} {fault:?}");
        }
    }
    let cases = faults.len() * operations.len();
    assert_eq!(world.function.starts().len(), cases, "no process was killed but by the test");
    let state = world.queries.site("home-01".parse().unwrap()).await.expect("a state is read");
    assert_eq!(state.expect("a state").totals.records, 20);
}

#[tokio::test]
async fn while_the_topic_is_down_readings_go_on_and_its_alerts_come_afterwards_once_each() {
    let Some(mut world) = World::start(2, PATIENCE).await else { return };
    world.deliver();
    let sites: Vec<String> = (0..8).map(|site| format!("home-{site}")).collect();
    let round = |minute| {
        // Negative energy opens an episode in the first half of each half hour.
        let generated = if minute % 30 < 15 { "-1" } else { "1" };
        sites.iter().map(|site| reading(site, minute, generated)).collect::<Vec<_>>()
    };
    let minutes: Vec<u32> = (0..120).step_by(5).collect();
    let (during, after) = minutes.split_at(12);
    world.aws.take_down(Service::Sns, Fault::Unavailable);
    for &minute in during {
        world.append(&round(minute)).await;
    }
    world.until_consumed().await;
    for site in &sites {
        let state = world.queries.site(site.parse().unwrap()).await.expect("a state").expect("a state");
        assert_eq!(state.totals.records, 12, "readings go on");
    }
    assert_eq!(world.local.take_messages(&world.subscriber_url).await.expect("messages"), [] as [String; 0]);

    world.aws.bring_up(Service::Sns);
    for &minute in after {
        world.append(&round(minute)).await;
    }
    world.until_consumed().await;
    world.stop().await;
    let expected =
        OneMachine::consume_beside(minutes.iter().flat_map(|&minute| round(minute)).collect()).await;
    assert!(expected.alert_ids.len() >= sites.len() * 4, "episodes open and close: {:?}", expected.alert_ids);
    let told = told(&world, expected.alert_ids.len()).await.expect("every alert is told");
    assert_eq!(told.keys().cloned().collect::<Vec<_>>(), expected.alert_ids);
    assert!(told.values().all(|&times| times == 1), "{told:?}");
    assert_eq!(world.state_hash().await, expected.state_hash);
}

/// A queue that has been silent for so many seconds gets nothing more.
const SILENT_SECONDS_MAX: u32 = 10;

/// How often the subscriber was told of each alert; an error with what it was told when they are not so many. It listens for
/// one more second after it has got all.
async fn told(world: &World, alerts: usize) -> Result<BTreeMap<String, u32>, String> {
    let mut told: BTreeMap<String, u32> = BTreeMap::new();
    let mut silent_seconds = 0;
    loop {
        let messages = world.local.take_messages(&world.subscriber_url).await.expect("messages");
        silent_seconds = if messages.is_empty() { silent_seconds + 1 } else { 0 };
        if messages.is_empty() && told.len() >= alerts {
            return Ok(told);
        }
        if silent_seconds >= SILENT_SECONDS_MAX {
            return Err(format!("{alerts} alerts were expected: {told:?}"));
        }
        for message in messages {
            let envelope: Value = serde_json::from_str(&message).expect("an envelope");
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            let alert: Value = serde_json::from_str(&text(&envelope["Message"])).expect("an alert");
            *told.entry(text(&alert["alert_id"])).or_default() += 1;
        }
    }
}
