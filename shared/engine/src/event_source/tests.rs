//! The event source as a whole, over ports in memory and in paused time: minutes pass at once and always alike.

mod world;

use std::time::Duration;

use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};
use wattstream_domain::{ShardId, Timestamp};
use wattstream_telemetry::PrometheusExporter;

use super::*;
use crate::ports::{Checkpoint, GivenUpCondition};
use crate::{Batch, StreamRecord};

use world::{Answer, Delivered, World};

const SHARD: ShardId = ShardId(0);

/// Lambda's defaults, with a time limit that no honest consumer of these tests reaches.
pub(super) fn settings() -> EventSourceSettings {
    EventSourceSettings {
        batch_records_max: 100,
        batch_window: Duration::ZERO,
        batch_bytes_max: BATCH_BYTES_MAX,
        retry_attempts_max: None,
        bisect_on_error: false,
        record_age_max: None,
        invocation_timeout: Duration::from_secs(60),
        shutdown_wait_max: Duration::from_secs(60),
        jitter_seed: 0,
    }
}

/// An instant, counted from the beginning of the tests.
pub(super) fn arrival(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_750_377_600_000).unwrap().saturating_add_ms(ms)
}

/// A record of the beginning.
pub(super) fn record(sequence: u64) -> StreamRecord {
    StreamRecord {
        sequence: sequence.into(),
        partition_key: "k".into(),
        arrival: arrival(0),
        data: bytes::Bytes::new(),
        fault: None,
    }
}

/// Records of the beginning.
pub(super) fn batch(sequences: impl IntoIterator<Item = u64>) -> Batch {
    Batch { shard: SHARD, records: sequences.into_iter().map(record).collect() }
}

fn at(sequence: u64) -> Checkpoint {
    Checkpoint::At(sequence.into())
}

/// The sequence numbers of the batches that the consumer was called with.
fn batches(delivered: &[Delivered]) -> Vec<Vec<u64>> {
    delivered.iter().map(|delivered| delivered.sequences.clone()).collect()
}

// Deliveries and replies.

#[tokio::test(start_paused = true)]
async fn a_batch_is_acknowledged_to_its_end() {
    let world = World::with_records(SHARD, 5);
    assert_eq!(world.run_until_at(settings(), SHARD, 5).await, Drained::Completely);
    let state = world.state();
    assert_eq!(batches(&state.delivered), [vec![1, 2, 3, 4, 5]]);
    assert_eq!(state.checkpoint_moves, [(SHARD, at(5))]);
}

/// The rows of the table of replies, as far as they come as a reply, an error, a panic or a timeout.
#[tokio::test(start_paused = true)]
async fn whatever_the_consumer_answers_its_batch_is_delivered_again_from_the_right_record() {
    let cases: &[(Answer, &[u64], &[Checkpoint])] = &[
        (Answer::Failures(&[3]), &[3, 4, 5], &[at(2), at(5)]),
        (Answer::Failures(&[5, 4]), &[4, 5], &[at(3), at(5)]),
        (Answer::Failures(&[123]), &[1, 2, 3, 4, 5], &[at(5)]),
        (Answer::Error, &[1, 2, 3, 4, 5], &[at(5)]),
        (Answer::Panic, &[1, 2, 3, 4, 5], &[at(5)]),
        (Answer::Hang, &[1, 2, 3, 4, 5], &[at(5)]),
    ];
    for (answer, redelivered, checkpoints) in cases {
        let world = World::with_records(SHARD, 5);
        world.answer([*answer]);
        assert_eq!(world.run_until_at(settings(), SHARD, 5).await, Drained::Completely);
        let state = world.state();
        assert_eq!(batches(&state.delivered), [vec![1, 2, 3, 4, 5], redelivered.to_vec()], "{answer:?}");
        let moves: Vec<_> = state.checkpoint_moves.iter().map(|(_, checkpoint)| *checkpoint).collect();
        assert_eq!(moves, *checkpoints, "{answer:?}");
    }
}

/// Recorded on Lambda with `BatchSize` 3 and `MaximumRetryAttempts` 3: of six records the last fails always. It was
/// delivered five times, and given up with `approximateInvokeCount` 4.
#[tokio::test(start_paused = true)]
async fn a_recorded_run_of_lambda_is_repeated() {
    let world = World::with_records(SHARD, 6);
    world.fail_always(6);
    let settings = EventSourceSettings { batch_records_max: 3, retry_attempts_max: Some(3), ..settings() };
    assert_eq!(world.run_until_at(settings, SHARD, 6).await, Drained::Completely);
    let state = world.state();
    let expected = [vec![1, 2, 3], vec![4, 5, 6], vec![6], vec![6], vec![6], vec![6]];
    assert_eq!(batches(&state.delivered), expected);
    let [given_up] = &state.given_up[..] else { panic!("{:?}", state.given_up) };
    assert_eq!(given_up.batch, batch([6]));
    assert_eq!(given_up.condition, GivenUpCondition::RetryAttemptsExhausted);
    assert_eq!(given_up.invocations, 4);
}

#[tokio::test(start_paused = true)]
async fn the_stream_goes_on_after_records_were_given_up() {
    let world = World::with_records(SHARD, 4);
    world.answer([Answer::Panic, Answer::Hang]);
    let settings = EventSourceSettings { batch_records_max: 2, retry_attempts_max: Some(1), ..settings() };
    assert_eq!(world.run_until_at(settings, SHARD, 4).await, Drained::Completely);
    let state = world.state();
    assert_eq!(batches(&state.delivered), [vec![1, 2], vec![1, 2], vec![3, 4]]);
    assert_eq!(state.given_up.iter().map(|given_up| &given_up.batch).collect::<Vec<_>>(), [&batch([1, 2])]);
    assert_eq!(state.checkpoint_moves, [(SHARD, at(2)), (SHARD, at(4))]);
}

#[tokio::test(start_paused = true)]
async fn a_failing_batch_is_halved_until_its_bad_record_stands_alone() {
    let world = World::with_records(SHARD, 4);
    world.panic_always(3);
    let settings = EventSourceSettings { bisect_on_error: true, retry_attempts_max: Some(0), ..settings() };
    assert_eq!(world.run_until_at(settings, SHARD, 4).await, Drained::Completely);
    let state = world.state();
    assert_eq!(batches(&state.delivered), [vec![1, 2, 3, 4], vec![1, 2], vec![3, 4], vec![3], vec![4]]);
    assert_eq!(state.given_up.iter().map(|given_up| &given_up.batch).collect::<Vec<_>>(), [&batch([3])]);
}

#[tokio::test(start_paused = true)]
async fn records_that_are_too_old_are_given_up_and_not_delivered() {
    let world = World::with_records(SHARD, 2);
    world.pass(Duration::from_secs(61)).await;
    world.append(SHARD, 1);
    let settings = EventSourceSettings { record_age_max: Some(RECORD_AGE_MIN), ..settings() };
    assert_eq!(world.run_until_at(settings, SHARD, 3).await, Drained::Completely);
    let state = world.state();
    assert_eq!(batches(&state.delivered), [vec![3]]);
    let [given_up] = &state.given_up[..] else { panic!("{:?}", state.given_up) };
    assert_eq!(given_up.batch, batch([1, 2]));
    assert_eq!((given_up.condition, given_up.invocations), (GivenUpCondition::RecordAgeExceeded, 0));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_keeps_failing_is_given_up_when_it_becomes_too_old() {
    let world = World::with_records(SHARD, 2);
    world.fail_always(1);
    let settings = EventSourceSettings { record_age_max: Some(RECORD_AGE_MIN), ..settings() };
    assert_eq!(world.run_until_at(settings, SHARD, 2).await, Drained::Completely);
    let state = world.state();
    let [given_up] = &state.given_up[..] else { panic!("{:?}", state.given_up) };
    assert_eq!(given_up.condition, GivenUpCondition::RecordAgeExceeded);
    assert_eq!(given_up.invocations as usize, state.delivered.len());
    assert!(state.delivered.iter().all(|delivered| delivered.at <= RECORD_AGE_MIN));
}

#[tokio::test(start_paused = true)]
async fn retries_come_later_each_time_up_to_a_limit() {
    let world = World::with_records(SHARD, 1);
    world.answer([Answer::Error; 15]);
    assert_eq!(world.run_until_at(settings(), SHARD, 1).await, Drained::Completely);
    let times: Vec<_> = world.state().delivered.iter().map(|delivered| delivered.at).collect();
    let mut longest = RETRY_DELAY_FIRST;
    for pair in times.windows(2) {
        let waited = pair[1].saturating_sub(pair[0]);
        assert!((longest / 2..=longest).contains(&waited), "{waited:?} is not about {longest:?}");
        longest = (longest * 2).min(RETRY_DELAY_MAX);
    }
    assert_eq!(times.len(), 16);
}

#[tokio::test(start_paused = true)]
async fn no_limit_of_retries_means_for_as_long_as_it_takes() {
    let world = World::with_records(SHARD, 1);
    world.answer([Answer::Error; 300]);
    assert_eq!(world.run_until_at(settings(), SHARD, 1).await, Drained::Completely);
    assert_eq!(world.state().delivered.len(), 301);
    assert_eq!(world.state().given_up, []);
}

// Batches.

#[tokio::test(start_paused = true)]
async fn batches_end_at_the_most_records() {
    let world = World::with_records(SHARD, 7);
    let settings = EventSourceSettings { batch_records_max: 3, ..settings() };
    assert_eq!(world.run_until_at(settings, SHARD, 7).await, Drained::Completely);
    assert_eq!(batches(&world.state().delivered), [vec![1, 2, 3], vec![4, 5, 6], vec![7]]);
}

#[tokio::test(start_paused = true)]
async fn batches_end_at_the_most_bytes() {
    let world = World::with_records(SHARD, 5);
    let settings = EventSourceSettings { batch_bytes_max: 1_200, ..settings() };
    assert_eq!(world.run_until_at(settings, SHARD, 5).await, Drained::Completely);
    assert_eq!(batches(&world.state().delivered), [vec![1, 2], vec![3, 4], vec![5]]);
}

/// Two records come every second; the consumer takes no time.
async fn trickle(settings: EventSourceSettings, seconds: u64) -> Vec<Delivered> {
    let world = World::with_records(SHARD, 0);
    let producer = async {
        for second in 1..=seconds {
            world.pass_until(Duration::from_secs(second)).await;
            world.append(SHARD, 2);
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        drained = world.run_until_at(settings, SHARD, 2 * seconds) => assert_eq!(drained, Drained::Completely),
        () = producer => {}
    }
    world.state().delivered.clone()
}

#[tokio::test(start_paused = true)]
async fn without_a_window_records_are_delivered_as_they_come() {
    let delivered = trickle(settings(), 3).await;
    assert_eq!(batches(&delivered), [vec![1, 2], vec![3, 4], vec![5, 6]]);
    assert!(delivered.iter().zip(1..).all(|(delivered, second)| delivered.at == Duration::from_secs(second)));
}

#[tokio::test(start_paused = true)]
async fn a_window_gathers_records_from_the_end_of_the_last_batch_on() {
    let settings = EventSourceSettings { batch_window: Duration::from_millis(2_700), ..settings() };
    let delivered = trickle(settings, 7).await;
    assert_eq!(batches(&delivered), [vec![1, 2, 3, 4], vec![5, 6, 7, 8, 9, 10], vec![11, 12, 13, 14]]);
    let times_ms: Vec<_> = delivered.iter().map(|delivered| delivered.at.as_millis()).collect();
    assert_eq!(times_ms, [2_700, 5_400, 8_100]);
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_does_not_wait_for_its_window() {
    let batch_window = Duration::from_secs(100);
    let settings = EventSourceSettings { batch_window, batch_records_max: 4, ..settings() };
    let delivered = trickle(settings, 4).await;
    assert_eq!(batches(&delivered), [vec![1, 2, 3, 4], vec![5, 6, 7, 8]]);
    assert_eq!(delivered[1].at, Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_shard_does_not_wait_for_its_window() {
    let world = World::with_records(SHARD, 2);
    world.close(SHARD, &[]);
    let settings = EventSourceSettings { batch_window: Duration::from_secs(100), ..settings() };
    assert_eq!(world.run_until_ended(settings, SHARD).await, Drained::Completely);
    assert_eq!(world.state().delivered[0].at, Duration::ZERO);
    assert_eq!(world.state().checkpoint_moves, [(SHARD, at(2)), (SHARD, Checkpoint::End)]);
}

// Shards.

#[tokio::test(start_paused = true)]
async fn a_shard_that_is_stuck_does_not_hold_up_another() {
    let world = World::with_records(SHARD, 3);
    world.open(ShardId(1), &[]);
    world.append(ShardId(1), 3);
    world.answer_shard(SHARD, [Answer::Error, Answer::Panic, Answer::Hang]);
    assert_eq!(world.run_until_at(settings(), ShardId(1), 3).await, Drained::Completely);
    let state = world.state();
    assert_eq!(state.checkpoints.get(&SHARD), None);
    assert_eq!(state.checkpoints[&ShardId(1)], at(3));
}

#[tokio::test(start_paused = true)]
async fn one_batch_of_a_shard_is_in_flight_at_a_time() {
    let world = World::with_records(SHARD, 30);
    world.open(ShardId(1), &[]);
    world.append(ShardId(1), 30);
    world.take(Duration::from_secs(1));
    let settings = EventSourceSettings { batch_records_max: 3, ..settings() };
    let both =
        |state: &world::State| [SHARD, ShardId(1)].iter().all(|s| state.checkpoints.get(s) == Some(&at(30)));
    assert_eq!(world.run_until(settings, both).await, Drained::Completely);
    let state = world.state();
    assert_eq!(state.in_flight_max_by_shard, 1);
    assert_eq!(state.delivered.last().unwrap().at, Duration::from_secs(9), "the shards run side by side");
}

/// Splits and merges while the source runs, one shard after the other, and a chain whose parent has expired.
#[tokio::test(start_paused = true)]
async fn children_are_read_after_their_parents_through_splits_and_merges() {
    let world = World::with_records(SHARD, 3);
    let [left, right, merged] = [1, 2, 3].map(ShardId);
    let resharding = async {
        world.pass(Duration::from_secs(5)).await;
        world.close(SHARD, &[left, right]);
        world.append(left, 4);
        world.append(right, 5);
        world.answer_shard(right, [Answer::Error; 8]);
        world.pass(Duration::from_secs(1)).await;
        world.merge([left, right], merged);
        world.append(merged, 6);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        drained = world.run_until_at(settings(), merged, 6) => assert_eq!(drained, Drained::Completely),
        () = resharding => {}
    }
    let state = world.state();
    for parent in [SHARD, left, right] {
        assert_eq!(state.checkpoints[&parent], Checkpoint::End, "{parent}");
    }
    let first_of = |shard| state.delivered.iter().position(|delivered| delivered.shard == shard).unwrap();
    let last_of = |shard| state.delivered.iter().rposition(|delivered| delivered.shard == shard).unwrap();
    for (parent, child) in [(SHARD, left), (SHARD, right), (left, merged), (right, merged)] {
        assert!(last_of(parent) < first_of(child), "{child} began before {parent} had ended");
    }
}

#[tokio::test(start_paused = true)]
async fn a_child_of_an_expired_parent_is_read_from_its_beginning() {
    let world = World::with_records(SHARD, 3);
    let [child, grandchild] = [1, 2].map(ShardId);
    world.close(SHARD, &[child]);
    world.append(child, 3);
    world.close(child, &[grandchild]);
    world.append(grandchild, 3);
    world.expire(SHARD);
    assert_eq!(world.run_until_at(settings(), grandchild, 3).await, Drained::Completely);
    let shards: Vec<_> = world.state().delivered.iter().map(|delivered| delivered.shard).collect();
    assert_eq!(shards, [child, grandchild]);
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_expires_while_it_is_read_loses_nothing_that_was_read() {
    let world = World::with_records(SHARD, 3);
    let child = ShardId(1);
    world.close(SHARD, &[child]);
    world.append(child, 3);
    // The batch of the parent fails until long after the shard has gone.
    world.answer_shard(SHARD, [Answer::Error; 12]);
    let expiry = async {
        world.pass(Duration::from_secs(5)).await;
        world.expire(SHARD);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        drained = world.run_until_at(settings(), child, 3) => assert_eq!(drained, Drained::Completely),
        () = expiry => {}
    }
    let state = world.state();
    assert_eq!(batches(&state.delivered), vec![vec![1, 2, 3]; 14]);
    assert_eq!(state.delivered.iter().filter(|delivered| delivered.shard == SHARD).count(), 13);
    assert_eq!(state.delivered[13].shard, child);
}

#[tokio::test(start_paused = true)]
async fn an_open_shard_that_expires_ends_without_an_end_checkpoint() {
    let world = World::with_records(SHARD, 3);
    let child = ShardId(1);
    world.open(child, &[SHARD]);
    world.append(child, 1);
    let expiry = async {
        world.pass(Duration::from_secs(5)).await;
        world.expire(SHARD);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        drained = world.run_until_at(settings(), child, 1) => assert_eq!(drained, Drained::Completely),
        () = expiry => {}
    }
    assert_eq!(world.state().checkpoints[&SHARD], at(3));
}

// Failures of the other ports.

#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_cannot_be_written_is_written_later_and_nothing_is_delivered_meanwhile() {
    let world = World::with_records(SHARD, 2);
    world.fail_calls(Operation::Checkpoint, 5);
    let settings = EventSourceSettings { batch_records_max: 1, ..settings() };
    assert_eq!(world.run_until_at(settings, SHARD, 2).await, Drained::Completely);
    let state = world.state();
    assert_eq!(batches(&state.delivered), [vec![1], vec![2]]);
    assert_eq!(state.checkpoint_moves, [(SHARD, at(1)), (SHARD, at(2))]);
    assert!(state.delivered[1].at > Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn nothing_moves_past_given_up_records_before_they_are_reported() {
    let world = World::with_records(SHARD, 2);
    world.answer([Answer::Error]);
    world.fail_calls(Operation::ReportFailure, 5);
    let settings = EventSourceSettings { batch_records_max: 1, retry_attempts_max: Some(0), ..settings() };
    assert_eq!(world.run_until_at(settings, SHARD, 2).await, Drained::Completely);
    let state = world.state();
    assert_eq!(batches(&state.delivered), [vec![1], vec![2]]);
    assert_eq!(state.given_up.len(), 1);
    assert!(state.delivered[1].at > Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn reading_and_discovery_go_on_after_failures_without_a_gap() {
    for operation in [Operation::Read, Operation::Discover] {
        let world = World::with_records(SHARD, 4);
        world.fail_calls(operation, 5);
        let settings = EventSourceSettings { batch_records_max: 2, ..settings() };
        assert_eq!(world.run_until_at(settings, SHARD, 4).await, Drained::Completely);
        assert_eq!(batches(&world.state().delivered), [vec![1, 2], vec![3, 4]], "{operation:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_that_panics_costs_its_shard_a_rest_and_no_record() {
    let world = World::with_records(SHARD, 2);
    world.panic_next_checkpoint();
    assert_eq!(world.run_until_at(settings(), SHARD, 2).await, Drained::Completely);
    assert_eq!(batches(&world.state().delivered), [vec![1, 2], vec![1, 2]]);
}

// Stopping and starting.

#[tokio::test(start_paused = true)]
async fn shutdown_lets_the_batch_in_flight_finish_and_starts_no_other() {
    let world = World::with_records(SHARD, 4);
    world.take(Duration::from_secs(5));
    let settings = EventSourceSettings { batch_records_max: 2, ..settings() };
    let drained = world.run_for(settings, Duration::from_secs(3)).await;
    assert_eq!(drained, Drained::Completely);
    let state = world.state();
    assert_eq!(batches(&state.delivered), [vec![1, 2]]);
    assert_eq!(state.checkpoint_moves, [(SHARD, at(2))]);
    assert_eq!(state.finished, 1);
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_retries() {
    let world = World::with_records(SHARD, 4);
    world.fail_always(3);
    let before = tokio::time::Instant::now();
    assert_eq!(world.run_for(settings(), Duration::from_secs(300)).await, Drained::Completely);
    assert_eq!(before.elapsed(), Duration::from_secs(300));
    assert_eq!(world.state().checkpoints[&SHARD], at(2));
}

#[tokio::test(start_paused = true)]
async fn shutdown_cuts_a_batch_off_that_takes_too_long_and_it_is_delivered_again() {
    let world = World::with_records(SHARD, 2);
    world.answer([Answer::Hang]);
    let settings = EventSourceSettings { shutdown_wait_max: Duration::from_secs(2), ..settings() };
    let before = tokio::time::Instant::now();
    assert_eq!(world.run_for(settings, Duration::from_secs(3)).await, Drained::CutOff);
    assert_eq!(before.elapsed(), Duration::from_secs(5));
    assert_eq!(world.state().checkpoint_moves, []);

    assert_eq!(world.run_until_at(settings, SHARD, 2).await, Drained::Completely);
    assert_eq!(batches(&world.state().delivered), [vec![1, 2], vec![1, 2]]);
}

#[tokio::test(start_paused = true)]
async fn a_new_start_goes_on_after_the_checkpoint() {
    let world = World::with_records(SHARD, 3);
    assert_eq!(world.run_until_at(settings(), SHARD, 3).await, Drained::Completely);
    world.append(SHARD, 2);
    assert_eq!(world.run_until_at(settings(), SHARD, 5).await, Drained::Completely);
    assert_eq!(batches(&world.state().delivered), [vec![1, 2, 3], vec![4, 5]]);
}

#[tokio::test(start_paused = true)]
async fn a_setting_out_of_its_range_is_refused() {
    let world = World::with_records(SHARD, 0);
    let settings = EventSourceSettings { batch_records_max: 0, ..settings() };
    let error = EventSource::new(world.ports(), settings).err();
    assert_eq!(error, Some(EventSourceSettingsError::BatchRecords(0)));
}

// What is seen from outside.

#[tokio::test(start_paused = true)]
async fn the_status_tells_of_checkpoint_lag_and_retries() {
    let world = World::with_records(SHARD, 3);
    world.pass(Duration::from_secs(7)).await;
    world.answer([Answer::Failures(&[3]), Answer::Error, Answer::Error]);
    world.take(Duration::from_secs(1));
    let source = EventSource::new(world.ports(), settings()).unwrap();
    let status = source.status();
    let observer = async {
        let look = || status.snapshot().shards[&SHARD];
        // In the second retry of record 3: the calls took three seconds, the waits less than one.
        world.wait_for(|state| state.finished == 3).await;
        tokio::task::yield_now().await;
        let retrying = look().retrying.unwrap();
        assert_eq!((retrying.operation, retrying.attempt), (Operation::Consume, 3));
        assert_eq!(retrying.since, arrival(8_000));
        assert_eq!(look().checkpoint, Some(at(2)));
        assert!((10_000..11_000).contains(&look().lag_ms.unwrap()), "{:?}", look());

        world.wait_for(|state| state.checkpoints.get(&SHARD) == Some(&at(3))).await;
        tokio::task::yield_now().await;
        assert_eq!(look(), ShardStatus { checkpoint: Some(at(3)), lag_ms: Some(0), retrying: None });
    };
    let drained = source.run(observer).await;
    assert_eq!(drained, Drained::Completely);
}

#[tokio::test(start_paused = true)]
async fn the_lag_is_the_age_of_what_waits_or_else_of_what_was_finished_last() {
    let world = World::with_records(SHARD, 2);
    world.pass(Duration::from_secs(4)).await;
    world.append(SHARD, 1);
    world.pass(Duration::from_secs(3)).await;
    world.answer([Answer::Error]);
    // The checkpoint is late, so that the status can be seen between the batch and the next read.
    world.fail_calls(Operation::Checkpoint, 3);
    let source = EventSource::new(world.ports(), settings()).unwrap();
    let status = source.status();
    let observer = async {
        let look = || status.snapshot().shards[&SHARD];
        world.pass(Duration::from_millis(1)).await;
        assert_eq!(look().lag_ms, Some(7_000), "a batch failed whose first record waits since the beginning");

        world.pass(Duration::from_millis(120)).await;
        assert_eq!(look().retrying.map(|retrying| retrying.operation), Some(Operation::Checkpoint));
        assert!((3_000..3_200).contains(&look().lag_ms.unwrap()), "{:?}", look());

        world.pass(Duration::from_secs(2)).await;
        assert_eq!(look(), ShardStatus { checkpoint: Some(at(3)), lag_ms: Some(0), retrying: None });
    };
    assert_eq!(source.run(observer).await, Drained::Completely);
}

#[tokio::test(start_paused = true)]
async fn the_status_tells_when_shards_cannot_be_found() {
    let world = World::with_records(SHARD, 0);
    world.fail_calls(Operation::Discover, 3);
    let source = EventSource::new(world.ports(), settings()).unwrap();
    let status = source.status();
    let observer = async {
        world.pass(Duration::from_millis(120)).await;
        let discovery = status.snapshot().discovery.unwrap();
        assert_eq!((discovery.since, discovery.attempt), (arrival(0), 2));
        world.pass(Duration::from_secs(2)).await;
        assert_eq!(status.snapshot().discovery, None);
    };
    assert_eq!(source.run(observer).await, Drained::Completely);
}

#[test]
fn retries_bisections_given_up_records_and_lag_are_told() {
    let (_, exporter) = PrometheusExporter::scoped(|| {
        paused_runtime().block_on(async {
            let world = World::with_records(SHARD, 4);
            world.panic_always(4);
            let settings =
                EventSourceSettings { bisect_on_error: true, retry_attempts_max: Some(1), ..settings() };
            world.run_until_at(settings, SHARD, 4).await
        })
    });
    let told = exporter.render();
    for line in [
        r#"wattstream_event_source_bisections_total{shard="shardId-000000000000"} 2"#,
        r#"wattstream_event_source_retries_total{shard="shardId-000000000000"} 3"#,
        r#"wattstream_dead_letters_total{cause="retries_exhausted"} 1"#,
        r#"wattstream_shard_lag_ms{shard="shardId-000000000000"} 0"#,
    ] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
}

// Any faults.

fn paused_runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Any answers, port failures and restarts at any time, over a split: the world's auditor sees each checkpoint.
    #[test]
    fn no_record_is_lost_whatever_fails_and_whenever_it_stops(
        seed in any::<u64>(),
        answers in prop::collection::vec(prop::sample::select(&world::ANY_ANSWERS[..]), 0..40),
        failing_calls in prop::collection::vec((prop::sample::select(&world::PORT_CALLS[..]), 0_u32..6), 0..4),
        stops_ms in prop::collection::vec((0_u64..20_000, any::<bool>()), 0..5),
        retry_attempts_max in prop::option::of(0_u32..3),
        bisect_on_error in any::<bool>(),
        batch_records_max in 1_usize..10,
    ) {
        let settings = EventSourceSettings {
            retry_attempts_max, bisect_on_error, batch_records_max, jitter_seed: seed, ..settings()
        };
        paused_runtime().block_on(async {
            let world = World::with_records(SHARD, 20);
            world.close(SHARD, &[ShardId(1), ShardId(2)]);
            world.append(ShardId(1), 10);
            world.append(ShardId(2), 10);
            world.answer(answers);
            for (operation, times) in failing_calls {
                world.fail_calls(operation, times);
            }
            for (after_ms, is_crash) in stops_ms {
                let after = Duration::from_millis(after_ms);
                if is_crash {
                    world.crash_after(settings, after).await;
                } else {
                    let _ = world.run_for(settings, after).await;
                }
            }
            let is_done = |state: &world::State| {
                [1, 2].iter().all(|&child| state.checkpoints.get(&ShardId(child)) == Some(&at(10)))
            };
            assert_eq!(world.run_until(settings, is_done).await, Drained::Completely);
            let state = world.state();
            assert_eq!(state.violations, Vec::<String>::new());
            assert_eq!(state.checkpoints[&SHARD], Checkpoint::End);
        });
    }
}
