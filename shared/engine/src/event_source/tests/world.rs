//! A stream, checkpoints, a consumer and an on-failure destination in memory, all in one place, with an auditor.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use wattstream_domain::{SequenceNumber, ShardId};

use super::{arrival, at, record};
use crate::event_source::{Drained, EventSource, EventSourcePorts, EventSourceSettings, Operation};
use crate::ports::{Checkpoint, Checkpoints, Consumer, GivenUp, OnFailure, Shard, ShardRead, Stream};
use crate::{Batch, BatchReply, Error, Kind, Result, StreamRecord};

/// The polling interval of the stream.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// What no test should take, in paused time.
const PATIENCE: Duration = Duration::from_hours(24);

/// How the consumer answers a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// With these failures; numbers that are not in the batch are left as they are.
    Failures(&'static [u64]),
    /// With a failure of the record in the middle.
    Middle,
    /// With an error.
    Error,
    /// With a panic.
    Panic,
    /// Never.
    Hang,
}

/// Answers that fit any batch.
pub(super) const ANY_ANSWERS: [Answer; 7] = [
    Answer::Failures(&[]),
    Answer::Failures(&[]),
    Answer::Failures(&[123]),
    Answer::Middle,
    Answer::Error,
    Answer::Panic,
    Answer::Hang,
];

/// The calls that can be made to fail.
pub(super) const PORT_CALLS: [Operation; 4] =
    [Operation::Discover, Operation::Read, Operation::ReportFailure, Operation::Checkpoint];

/// One call of the consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delivered {
    pub(super) shard: ShardId,
    pub(super) sequences: Vec<u64>,
    /// When, counted from the beginning of the world.
    pub(super) at: Duration,
}

/// The log of one shard.
#[derive(Debug, Default)]
struct Log {
    parents: Vec<ShardId>,
    records: Vec<StreamRecord>,
    is_closed: bool,
    is_expired: bool,
}

/// Everything that has happened.
#[derive(Debug, Default)]
pub(super) struct State {
    logs: BTreeMap<ShardId, Log>,
    answers: VecDeque<Answer>,
    answers_by_shard: BTreeMap<ShardId, VecDeque<Answer>>,
    always_failing: BTreeSet<u64>,
    always_panicking: BTreeSet<u64>,
    consumer_takes: Duration,
    calls_to_fail: BTreeMap<&'static str, u32>,
    is_next_checkpoint_panicking: bool,
    in_flight: BTreeMap<ShardId, u32>,
    /// Records that the consumer acknowledged or that were given up.
    settled: BTreeSet<(ShardId, u64)>,
    pub(super) delivered: Vec<Delivered>,
    /// Calls of the consumer that came to an end.
    pub(super) finished: usize,
    pub(super) given_up: Vec<GivenUp>,
    pub(super) checkpoints: BTreeMap<ShardId, Checkpoint>,
    pub(super) checkpoint_moves: Vec<(ShardId, Checkpoint)>,
    pub(super) in_flight_max_by_shard: u32,
    /// What must never happen.
    pub(super) violations: Vec<String>,
}

/// The world; its clones are one.
#[derive(Clone, Debug)]
pub(super) struct World {
    state: Arc<Mutex<State>>,
    changes: Arc<watch::Sender<()>>,
    began: Instant,
}

impl World {
    /// A stream of one shard.
    pub(super) fn with_records(shard: ShardId, records: u64) -> Self {
        let changes = Arc::new(watch::Sender::new(()));
        let world = Self { state: Arc::default(), changes, began: Instant::now() };
        world.open(shard, &[]);
        world.append(shard, records);
        world
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.changes.send_replace(());
        result
    }

    pub(super) fn open(&self, shard: ShardId, parents: &[ShardId]) {
        self.change(|state| state.logs.insert(shard, Log { parents: parents.to_vec(), ..Log::default() }));
    }

    pub(super) fn append(&self, shard: ShardId, records: u64) {
        let now_ms = i64::try_from(self.began.elapsed().as_millis()).unwrap();
        self.change(|state| {
            let log = state.logs.get_mut(&shard).unwrap();
            let first = log.records.len() as u64 + 1;
            let arrived = |sequence| StreamRecord { arrival: arrival(now_ms), ..record(sequence) };
            log.records.extend((first..first + records).map(arrived));
        });
    }

    /// Closes a shard and opens the children that it is split into.
    pub(super) fn close(&self, shard: ShardId, children: &[ShardId]) {
        for child in children {
            self.open(*child, &[shard]);
        }
        self.change(|state| state.logs.get_mut(&shard).unwrap().is_closed = true);
    }

    pub(super) fn merge(&self, parents: [ShardId; 2], child: ShardId) {
        self.open(child, &parents);
        for parent in parents {
            self.close(parent, &[]);
        }
    }

    pub(super) fn expire(&self, shard: ShardId) {
        self.change(|state| state.logs.get_mut(&shard).unwrap().is_expired = true);
    }

    /// How the consumer answers its next calls; after them it succeeds.
    pub(super) fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.change(|state| state.answers.extend(answers));
    }

    pub(super) fn answer_shard(&self, shard: ShardId, answers: impl IntoIterator<Item = Answer>) {
        self.change(|state| state.answers_by_shard.entry(shard).or_default().extend(answers));
    }

    /// Has the consumer report this record whenever it is in a batch.
    pub(super) fn fail_always(&self, sequence: u64) {
        self.change(|state| state.always_failing.insert(sequence));
    }

    /// Has the consumer panic whenever this record is in a batch.
    pub(super) fn panic_always(&self, sequence: u64) {
        self.change(|state| state.always_panicking.insert(sequence));
    }

    /// How long the consumer takes for a batch.
    pub(super) fn take(&self, duration: Duration) {
        self.change(|state| state.consumer_takes = duration);
    }

    /// Has the next calls of this kind fail.
    pub(super) fn fail_calls(&self, operation: Operation, times: u32) {
        self.change(|state| state.calls_to_fail.insert(operation.name(), times));
    }

    pub(super) fn panic_next_checkpoint(&self) {
        self.change(|state| state.is_next_checkpoint_panicking = true);
    }

    pub(super) async fn pass(&self, duration: Duration) {
        sleep(duration).await;
    }

    pub(super) async fn pass_until(&self, since_beginning: Duration) {
        tokio::time::sleep_until(self.began + since_beginning).await;
    }

    pub(super) fn ports(&self) -> EventSourcePorts<Self, Self, Self, Self> {
        let [stream, checkpoints, consumer, on_failure] = std::array::from_fn(|_| self.clone());
        let began = self.began;
        let clock = move || arrival(i64::try_from(began.elapsed().as_millis()).unwrap());
        EventSourcePorts { stream, checkpoints, consumer, on_failure, clock: Arc::new(clock) }
    }

    /// Waits until the state is as wanted.
    pub(super) async fn wait_for(&self, is_wanted: impl Fn(&State) -> bool) {
        let mut changes = self.changes.subscribe();
        let wanted = async {
            while !is_wanted(&self.state()) {
                changes.changed().await.unwrap();
            }
        };
        timeout(PATIENCE, wanted).await.unwrap_or_else(|_| panic!("this never came: {:?}", self.state()));
    }

    pub(super) async fn run_until(
        &self,
        settings: EventSourceSettings,
        is_wanted: impl Fn(&State) -> bool,
    ) -> Drained {
        let drained = EventSource::new(self.ports(), settings).unwrap().run(self.wait_for(is_wanted)).await;
        assert_eq!(self.state().violations, Vec::<String>::new());
        drained
    }

    /// Runs until a record is behind the checkpoint of a shard.
    pub(super) async fn run_until_at(
        &self,
        settings: EventSourceSettings,
        shard: ShardId,
        sequence: u64,
    ) -> Drained {
        self.run_until(settings, |state| state.checkpoints.get(&shard) == Some(&at(sequence))).await
    }

    /// Runs until a shard has been consumed to its end.
    pub(super) async fn run_until_ended(&self, settings: EventSourceSettings, shard: ShardId) -> Drained {
        self.run_until(settings, |state| state.checkpoints.get(&shard) == Some(&Checkpoint::End)).await
    }

    /// Runs for a while.
    pub(super) async fn run_for(&self, settings: EventSourceSettings, duration: Duration) -> Drained {
        EventSource::new(self.ports(), settings).unwrap().run(sleep(duration)).await
    }

    /// Runs for a while and is then cut off at whatever it does.
    pub(super) async fn crash_after(&self, settings: EventSourceSettings, duration: Duration) {
        let run = EventSource::new(self.ports(), settings).unwrap().run(std::future::pending());
        assert!(timeout(duration, run).await.is_err());
        self.change(|state| state.in_flight.clear());
    }

    /// Whether the next call of this kind succeeds. It is no change: else two pollers would wake each other for ever.
    fn call(&self, operation: Operation) -> Result<()> {
        let mut state = self.state();
        let left = state.calls_to_fail.entry(operation.name()).or_default();
        if *left == 0 {
            return Ok(());
        }
        *left -= 1;
        Err(Error::bare(Kind::Retry, "failing on purpose"))
    }
}

impl Stream for World {
    async fn shards(&self) -> Result<Vec<Shard>> {
        self.call(Operation::Discover)?;
        let state = self.state();
        let listed = state.logs.iter().filter(|(_, log)| !log.is_expired);
        Ok(listed.map(|(&id, log)| Shard { id, parents: log.parents.clone() }).collect())
    }

    async fn read(&self, shard: ShardId, after: Option<SequenceNumber>, limit: usize) -> Result<ShardRead> {
        self.call(Operation::Read)?;
        let state = self.state();
        let log = &state.logs[&shard];
        if log.is_expired {
            return Err(Error::bare(Kind::Reject, "reading a shard that has expired"));
        }
        let rest = log.records.iter().filter(|record| after.is_none_or(|after| record.sequence > after));
        let records: Vec<_> = rest.take(limit).cloned().collect();
        let end = records.last().map(|record| record.sequence).or(after);
        let is_end = log.is_closed && end == log.records.last().map(|record| record.sequence);
        Ok(ShardRead { records, is_end })
    }

    async fn wait(&self, _: ShardId) {
        let mut changes = self.changes.subscribe();
        let _ = timeout(WAIT_MAX, changes.changed()).await;
    }
}

impl Checkpoints for World {
    async fn checkpoint(&self, shard: ShardId) -> Result<Option<Checkpoint>> {
        Ok(self.state().checkpoints.get(&shard).copied())
    }

    async fn put_checkpoint(&self, shard: ShardId, checkpoint: Checkpoint) -> Result<()> {
        self.call(Operation::Checkpoint)?;
        assert!(!std::mem::take(&mut self.state().is_next_checkpoint_panicking), "on purpose");
        self.change(|state| {
            state.audit(shard, checkpoint);
            state.checkpoints.insert(shard, checkpoint);
            state.checkpoint_moves.push((shard, checkpoint));
        });
        Ok(())
    }
}

impl OnFailure for World {
    async fn report(&self, given_up: &GivenUp) -> Result<()> {
        self.call(Operation::ReportFailure)?;
        self.change(|state| {
            state.settle(&given_up.batch, u64::MAX);
            state.given_up.push(given_up.clone());
        });
        Ok(())
    }
}

impl Consumer for World {
    async fn consume(&self, batch: &Batch) -> Result<BatchReply> {
        let (answer, duration) = self.change(|state| state.begin(batch, self.began.elapsed()));
        let _in_flight = InFlight { world: self, shard: batch.shard };
        sleep(duration).await;
        let failures: Vec<u64> = match answer {
            Answer::Failures(failures) => failures.to_vec(),
            Answer::Middle => sequences(batch).get(batch.records.len() / 2).copied().into_iter().collect(),
            Answer::Error => return Err(Error::bare(Kind::Retry, "consuming, with a failure on purpose")),
            Answer::Panic => panic!("on purpose"),
            Answer::Hang => std::future::pending().await,
        };
        self.change(|state| {
            let failures: BTreeSet<u64> =
                failures.into_iter().chain(state.always_failing.iter().copied()).collect();
            let in_batch: BTreeSet<u64> = sequences(batch).into_iter().collect();
            let known: Vec<u64> = failures.intersection(&in_batch).copied().collect();
            let is_void = failures.iter().any(|f| !in_batch.contains(f) && !state.always_failing.contains(f));
            if !is_void {
                state.settle(batch, known.first().copied().unwrap_or(u64::MAX));
            }
            let reported = if is_void { failures.into_iter().collect() } else { known };
            Ok(BatchReply { failures: reported.into_iter().map(SequenceNumber::from).collect() })
        })
    }
}

/// A call of the consumer; dropped when it ends, however it ends.
struct InFlight<'a> {
    world: &'a World,
    shard: ShardId,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.world.change(|state| {
            *state.in_flight.entry(self.shard).or_default() = 0;
            state.finished += 1;
        });
    }
}

impl State {
    /// Notes a call of the consumer. Returns how it is answered, and when.
    fn begin(&mut self, batch: &Batch, at: Duration) -> (Answer, Duration) {
        let in_flight = self.in_flight.entry(batch.shard).or_default();
        *in_flight += 1;
        self.in_flight_max_by_shard = self.in_flight_max_by_shard.max(*in_flight);
        let sequences = sequences(batch);
        self.audit_delivery(batch.shard, &sequences);
        let is_panicking = sequences.iter().any(|sequence| self.always_panicking.contains(sequence));
        self.delivered.push(Delivered { shard: batch.shard, sequences, at });
        let of_shard = self.answers_by_shard.get_mut(&batch.shard).and_then(VecDeque::pop_front);
        let answer = of_shard.or_else(|| self.answers.pop_front()).unwrap_or(Answer::Failures(&[]));
        (if is_panicking { Answer::Panic } else { answer }, self.consumer_takes)
    }

    /// Notes the records of a batch before one of them as settled.
    fn settle(&mut self, batch: &Batch, before: u64) {
        let settled = sequences(batch).into_iter().filter(|&sequence| sequence < before);
        self.settled.extend(settled.map(|sequence| (batch.shard, sequence)));
    }

    /// A batch is consecutive, and begins where everything before it is settled, in its shard and in its parents.
    fn audit_delivery(&mut self, shard: ShardId, sequences: &[u64]) {
        let is_consecutive = sequences.windows(2).all(|pair| pair[1] == pair[0] + 1);
        let skipped = (1..sequences[0]).any(|sequence| !self.settled.contains(&(shard, sequence)));
        let listed_parents = self.logs[&shard].parents.iter().filter(|parent| !self.logs[parent].is_expired);
        let is_early =
            listed_parents.clone().any(|parent| self.checkpoints.get(parent) != Some(&Checkpoint::End));
        if !is_consecutive || skipped || is_early {
            self.violations.push(format!("{shard} delivered {sequences:?} out of order"));
        }
    }

    /// A checkpoint never passes a record that is not settled.
    fn audit(&mut self, shard: ShardId, checkpoint: Checkpoint) {
        let end = match checkpoint {
            Checkpoint::At(sequence) => sequence.to_u64().unwrap(),
            Checkpoint::End => self.logs[&shard].records.len() as u64,
        };
        if let Some(lost) = (1..=end).find(|&sequence| !self.settled.contains(&(shard, sequence))) {
            self.violations.push(format!("{checkpoint:?} of {shard} passed record {lost}"));
        }
    }
}

fn sequences(batch: &Batch) -> Vec<u64> {
    batch.records.iter().filter_map(|record| record.sequence.to_u64()).collect()
}
