//! One shard, from its checkpoint to its end: read, deliver, move the checkpoint, one batch after the other.
//!
//! What must always hold:
//! - The checkpoint moves only past records that were acknowledged, or given up and reported.
//! - The consumer has at most one batch of the shard at a time.
//! - Whatever fails is tried again, later each time; only a cancelled token ends the work before the end of the shard.
//!   When it does, the invocation in flight is finished and its checkpoint is written once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use wattstream_domain::{SequenceNumber, ShardId, Timestamp};
use wattstream_telemetry::event::{
    BatchBisected, BatchRetried, DeadLetterCause, DeadLettersStored, ShardLagMeasured, ShardRecordsTaken,
};

use super::backoff::{RETRY_DELAY_MAX, jitter, retry_delay};
use super::batch_buffer::BatchBuffer;
use super::delivery::{Delivery, Failure, Settlement, Slice, Step};
use super::status::{EventSourceStatus, Operation};
use super::{EventSourcePorts, EventSourceSettings};
use crate::panic::panic_message;
use crate::ports::{
    Checkpoint, Checkpoints, Consumer, GivenUp, GivenUpCondition, OnFailure, ShardRead, Stream,
};
use crate::{Batch, BatchReply, Error, Kind, Result as PortResult, StreamRecord};

/// What the reading of a shard needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    /// The shard.
    pub(crate) shard: ShardId,
    /// The record after which to begin; `None` for the oldest.
    pub(crate) after: Option<SequenceNumber>,
    /// Cancelled at shutdown: ends the work after the invocation in flight.
    pub(crate) stop: CancellationToken,
    /// A child of `stop`, cancelled as well when the shard has expired: ends the reading. What was read is delivered.
    pub(crate) stop_reading: CancellationToken,
    /// Where to tell how it fares.
    pub(crate) status: EventSourceStatus,
}

/// Why the work on a shard ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The shard was consumed to its end, and its checkpoint says so.
    Closed,
    /// The rest of the shard has expired.
    Expired,
    /// The event source shuts down.
    Stopped,
    /// One of the ports panicked.
    Panicked,
}

/// The work on one shard.
pub(crate) struct ShardConsumer<S, P, C, F> {
    ports: Arc<EventSourcePorts<S, P, C, F>>,
    settings: EventSourceSettings,
    assignment: Assignment,
    /// The shard's id as logs and metrics have it.
    label: String,
    buffer: BatchBuffer,
    tail: Tail,
}

/// What is known of the records that were not read yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    /// There may be more at any time.
    Open,
    /// There are none: the shard is closed.
    Closed,
    /// There are none any longer.
    Expired,
}

/// A token was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cancelled;

/// Why a batch failed without a reply.
#[derive(Debug, thiserror::Error)]
enum InvocationError {
    #[error("the consumer failed: {0}")]
    Failed(#[from] Error),
    #[error("the consumer panicked: {message}")]
    Panicked { message: String },
    #[error("the consumer took longer than {limit:?}")]
    TimedOut { limit: Duration },
}

impl<S: Stream, P: Checkpoints, C: Consumer, F: OnFailure> ShardConsumer<S, P, C, F> {
    /// The work that an assignment asks for.
    pub(crate) fn new(
        ports: Arc<EventSourcePorts<S, P, C, F>>,
        settings: EventSourceSettings,
        assignment: Assignment,
    ) -> Self {
        let buffer = BatchBuffer::new(assignment.after, &settings);
        let label = assignment.shard.to_string();
        Self { ports, settings, assignment, label, buffer, tail: Tail::Open }
    }

    /// Does the work, and catches the panic of a port: other shards go on. The checkpoint is right after a panic as
    /// after a crash of the process, so the shard may begin again, though not at once.
    pub(crate) async fn run(mut self) -> Ended {
        match AssertUnwindSafe(self.consume_shard()).catch_unwind().await {
            Ok(Ok(())) if self.tail == Tail::Expired => Ended::Expired,
            Ok(Ok(())) => Ended::Closed,
            Ok(Err(Cancelled)) => Ended::Stopped,
            Err(panic) => {
                let (shard, panic) = (&self.label, panic_message(&*panic));
                tracing::error!(
                    shard,
                    panic,
                    "A port of the event source panicked; the shard is read again."
                );
                self.pause(RETRY_DELAY_MAX, &self.assignment.stop)
                    .await
                    .map_or(Ended::Stopped, |()| Ended::Panicked)
            }
        }
    }

    async fn consume_shard(&mut self) -> Result<(), Cancelled> {
        while let Some(batch) = self.next_batch().await? {
            self.deliver(batch).await?;
        }
        if self.tail == Tail::Closed {
            self.move_checkpoint(Checkpoint::End).await?;
        }
        Ok(())
    }

    /// Gathers records until a batch is full, its window is over or the shard has no more; `None` at the end. A window
    /// that ends without a record is not followed by another: the next records make a batch at once.
    async fn next_batch(&mut self) -> Result<Option<Batch>, Cancelled> {
        let window_end = Instant::now() + self.settings.batch_window;
        while self.tail == Tail::Open && !self.buffer.is_full() {
            if !self.buffer.is_empty() && Instant::now() >= window_end {
                break;
            }
            if self.read().await? == 0 {
                self.wait_for_records(window_end).await?;
            }
        }
        Ok(self.buffer.take(self.assignment.shard))
    }

    /// Reads once and returns how many records there were.
    async fn read(&mut self) -> Result<usize, Cancelled> {
        let Assignment { shard, stop_reading, .. } = &self.assignment;
        let call = || self.ports.stream.read(*shard, self.buffer.position(), self.buffer.room());
        let Ok(ShardRead { records, is_end }) = self.repeat(Operation::Read, stop_reading, call).await else {
            return self.end_reading().map(|()| 0);
        };
        if is_end {
            self.tail = Tail::Closed;
        }
        let count = records.len();
        ShardRecordsTaken { shard: &self.label, records: count as u64 }.emit();
        self.buffer.extend(records);
        Ok(count)
    }

    async fn wait_for_records(&mut self, window_end: Instant) -> Result<(), Cancelled> {
        let Assignment { shard, stop_reading, .. } = &self.assignment;
        let is_drained = self.buffer.is_empty();
        if is_drained {
            self.tell_lag(0);
        }
        tokio::select! {
            biased;
            () = stop_reading.cancelled() => self.end_reading(),
            () = self.ports.stream.wait(*shard) => Ok(()),
            () = sleep_until(window_end), if !is_drained => Ok(()),
        }
    }

    /// Tells the two reasons apart for which the reading is to stop.
    fn end_reading(&mut self) -> Result<(), Cancelled> {
        if self.assignment.stop.is_cancelled() {
            return Err(Cancelled);
        }
        self.tail = Tail::Expired;
        Ok(())
    }

    async fn deliver(&mut self, batch: Batch) -> Result<(), Cancelled> {
        let mut delivery = Delivery::new(batch, self.settings);
        while let Some(step) = delivery.next(self.now()) {
            match step {
                Step::Invoke(slice) => self.invoke(&mut delivery, slice).await?,
                Step::GiveUp(given_up) => self.give_up(&given_up).await?,
            }
        }
        Ok(())
    }

    async fn invoke(&self, delivery: &mut Delivery, slice: Slice) -> Result<(), Cancelled> {
        if self.assignment.stop.is_cancelled() {
            return Err(Cancelled);
        }
        let oldest = slice.batch.records.first().map(|record| record.arrival);
        let newest = slice.batch.records.last().map(|record| record.arrival);
        let reply = self.call_consumer(&slice.batch).await;
        let Settlement { acknowledged, failure } = delivery.settle(slice, reply.as_ref().ok());
        self.tell_lag(self.age_ms(if failure.is_some() { oldest } else { newest }));
        if let Some(sequence) = acknowledged {
            self.assignment.status.recover(self.assignment.shard);
            self.move_checkpoint(Checkpoint::At(sequence)).await?;
        }
        match failure {
            Some(failure) => self.back_off(failure, &reply).await,
            None => Ok(()),
        }
    }

    /// Calls the consumer. A panic of it, or no answer in time, fails this batch and nothing else.
    async fn call_consumer(&self, batch: &Batch) -> Result<BatchReply, InvocationError> {
        let limit = self.settings.invocation_timeout;
        let call = async { self.ports.consumer.consume(batch).await };
        let answer = timeout(limit, AssertUnwindSafe(call).catch_unwind()).await;
        let outcome = answer.map_err(|_| InvocationError::TimedOut { limit })?;
        let result = outcome
            .map_err(|panic| InvocationError::Panicked { message: panic_message(&*panic).to_owned() })?;
        Ok(result?)
    }

    /// Tells of a failed invocation and waits before the next.
    async fn back_off(
        &self,
        failure: Failure,
        reply: &Result<BatchReply, InvocationError>,
    ) -> Result<(), Cancelled> {
        let Assignment { shard, stop, status, .. } = &self.assignment;
        let attempt = status.fail(*shard, Operation::Consume, self.now());
        match failure {
            Failure::Exhausted => return Ok(()),
            Failure::Bisect { records } => {
                BatchBisected { shard: &self.label, records: records as u64 }.emit();
            }
            Failure::Retry => {}
        }
        let delay = self.delay(attempt);
        let error = reply.as_ref().map_or_else(ToString::to_string, |reply| {
            format!("the consumer reported {} failed records", reply.failures.len())
        });
        BatchRetried { shard: &self.label, attempt, delay, error: &error }.emit();
        self.pause(delay, stop).await
    }

    /// Reports records, however long that takes, and only then moves the checkpoint past them.
    async fn give_up(&self, given_up: &GivenUp) -> Result<(), Cancelled> {
        let report = || self.ports.on_failure.report(given_up);
        self.repeat(Operation::ReportFailure, &self.assignment.stop, report).await?;
        let cause = match given_up.condition {
            GivenUpCondition::RetryAttemptsExhausted => DeadLetterCause::RetriesExhausted,
            GivenUpCondition::RecordAgeExceeded => DeadLetterCause::TooOld,
        };
        let letters = given_up.batch.records.len() as u64;
        DeadLettersStored { shard: &self.label, cause, letters }.emit();
        self.assignment.status.recover(self.assignment.shard);
        match given_up.batch.records.last() {
            Some(StreamRecord { sequence, .. }) => self.move_checkpoint(Checkpoint::At(*sequence)).await,
            None => Ok(()),
        }
    }

    async fn move_checkpoint(&self, checkpoint: Checkpoint) -> Result<(), Cancelled> {
        let Assignment { shard, stop, status, .. } = &self.assignment;
        let put = || self.ports.checkpoints.put_checkpoint(*shard, checkpoint);
        self.repeat(Operation::Checkpoint, stop, put).await?;
        status.update(*shard, |status| status.checkpoint = Some(checkpoint));
        Ok(())
    }

    /// Calls a port until it succeeds; gives up when `halt` is cancelled, though not before a first attempt.
    async fn repeat<T, Call: Future<Output = PortResult<T>>>(
        &self,
        operation: Operation,
        halt: &CancellationToken,
        call: impl Fn() -> Call,
    ) -> Result<T, Cancelled> {
        let Assignment { shard, status, .. } = &self.assignment;
        let mut has_failed = false;
        loop {
            let error = match call().await {
                Ok(value) => {
                    if has_failed {
                        status.recover(*shard);
                    }
                    return Ok(value);
                }
                Err(error) => error,
            };
            has_failed = true;
            let attempt = status.fail(*shard, operation, self.now());
            let delay = self.delay(attempt);
            tell_failure(&self.label, operation, attempt, &error);
            self.pause(delay, halt).await?;
        }
    }

    async fn pause(&self, delay: Duration, halt: &CancellationToken) -> Result<(), Cancelled> {
        tokio::select! {
            biased;
            () = halt.cancelled() => Err(Cancelled),
            () = sleep(delay) => Ok(()),
        }
    }

    fn delay(&self, attempt: u32) -> Duration {
        retry_delay(attempt, jitter(self.settings.jitter_seed, Some(self.assignment.shard), attempt))
    }

    fn tell_lag(&self, lag_ms: u64) {
        self.assignment.status.update(self.assignment.shard, |status| status.lag_ms = Some(lag_ms));
        ShardLagMeasured { shard: &self.label, lag_ms }.emit();
    }

    /// How long ago something arrived; 0 when the clock was set back since.
    fn age_ms(&self, arrival: Option<Timestamp>) -> u64 {
        arrival.map_or(0, |arrival| u64::try_from(self.now().ms_since(arrival)).unwrap_or(0))
    }

    fn now(&self) -> Timestamp {
        (self.ports.clock)()
    }
}

/// Tells of a failed call that will be repeated: damaged data needs a person, everything else may mend itself.
pub(crate) fn tell_failure(shard: &str, operation: Operation, attempt: u32, error: &Error) {
    let operation = operation.name();
    if error.kind() == Kind::Broken {
        tracing::error!(shard, operation, attempt, %error, "A call of the event source failed and is repeated.");
    } else {
        tracing::warn!(shard, operation, attempt, %error, "A call of the event source failed and is repeated.");
    }
}
