//! What becomes of one batch, reply by reply: the rules of Lambda's event source mapping for a Kinesis stream.
//!
//! ```text
//!              ┌──────── next ◄─────────┐
//!   batch ─► pending: slices ─► invoke ─► settle ─► acknowledged
//!              │                        └─► retry, halves, or the rest of the slice, back into pending
//!              └─► given up
//! ```
//!
//! The rules are those of the AWS Lambda guide ("Configuring partial batch response with Kinesis Data Streams and
//! Lambda") and of recorded replies of the service: a partial reply starts a new slice with all its retries, as a batch
//! of three with three retries showed, whose last record was delivered five times and given up with a count of four.
//!
//! What must always hold:
//! - Every record leaves exactly once and in order: acknowledged, or given up.
//! - What is acknowledged comes before everything that is pending, so the checkpoint never passes a pending record.
//! - The consumer is called with one slice at most `retry_attempts_max + 1` times. Cutting a slice makes new ones.
//! - There is no I/O here and no clock.

use std::collections::VecDeque;

use wattstream_domain::{SequenceNumber, Timestamp};

use super::settings::EventSourceSettings;
use crate::ports::{GivenUp, GivenUpCondition};
use crate::{Batch, BatchReply, StreamRecord};

/// One batch on its way to the consumer.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// What is left of the batch, in order.
    pending: VecDeque<Step>,
    settings: EventSourceSettings,
}

/// What comes next. Whoever takes it sees to it that its records leave; until then the checkpoint stays before them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Call the consumer, then [`Delivery::settle`].
    Invoke(Slice),
    /// Report it, then move the checkpoint past it.
    GiveUp(GivenUp),
}

/// Records that are delivered together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    /// The records.
    pub(crate) batch: Batch,
    /// How often the consumer was called with them since they became a slice.
    invocations: u32,
}

/// What a reply led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settlement {
    /// The last record that the reply acknowledged.
    pub(crate) acknowledged: Option<SequenceNumber>,
    /// What happens to the records that it did not acknowledge; `None` when there are none.
    pub(crate) failure: Option<Failure>,
}

/// What happens to records that a reply did not acknowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// They are delivered again.
    Retry,
    /// They are delivered again in halves.
    Bisect {
        /// How many they are.
        records: usize,
    },
    /// They are given up.
    Exhausted,
}

/// How the consumer fared, by its reply.
enum Outcome {
    /// All records were processed.
    Processed,
    /// The records before this place were processed.
    FailedFrom(usize),
    /// No record was processed.
    Failed,
}

impl Delivery {
    /// A batch that has not been delivered yet.
    pub(crate) fn new(batch: Batch, settings: EventSourceSettings) -> Self {
        Self { pending: VecDeque::from([Step::Invoke(Slice::new(batch))]), settings }
    }

    /// What comes next at the time `now`; `None` when every record has left.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<Step> {
        let mut slice = match self.pending.pop_front()? {
            Step::Invoke(slice) => slice,
            given_up @ Step::GiveUp(_) => return Some(given_up),
        };
        let is_expired = |record: &StreamRecord| self.is_expired(record, now);
        let is_first_expired = slice.batch.records.first().is_some_and(is_expired);
        // Arrivals are approximate and may go back a little, so an expired record may also stand after a fresh one.
        let alike = slice.batch.records.iter().take_while(|record| is_expired(record) == is_first_expired);
        if let Some(rest) = slice.split_off(alike.count()) {
            self.pending.push_front(Step::Invoke(rest));
        }
        Some(if is_first_expired {
            Step::GiveUp(slice.give_up(GivenUpCondition::RecordAgeExceeded))
        } else {
            Step::Invoke(slice)
        })
    }

    /// Takes in the reply to a slice that the consumer was called with; `None` when it failed without one.
    pub(crate) fn settle(&mut self, mut slice: Slice, reply: Option<&BatchReply>) -> Settlement {
        slice.invocations = slice.invocations.saturating_add(1);
        let records = slice.batch.records.len();
        match Outcome::of(&slice.batch, reply) {
            Outcome::Processed => Settlement { acknowledged: slice.last(), failure: None },
            Outcome::FailedFrom(place) if place > 0 => {
                let rest = slice.split_off(place);
                self.pend(rest.map(Slice::afresh));
                Settlement { acknowledged: slice.last(), failure: Some(Failure::Retry) }
            }
            Outcome::Failed if self.settings.bisect_on_error && records > 1 => {
                let right = slice.split_off(records / 2);
                self.pend(right.map(Slice::afresh));
                self.pend(Some(slice.afresh()));
                Settlement { acknowledged: None, failure: Some(Failure::Bisect { records }) }
            }
            Outcome::FailedFrom(_) | Outcome::Failed => {
                Settlement { acknowledged: None, failure: Some(self.retry(slice)) }
            }
        }
    }

    /// Puts a slice back that failed from its first record on, unless its retries have run out.
    fn retry(&mut self, slice: Slice) -> Failure {
        let is_exhausted = self.settings.retry_attempts_max.is_some_and(|max| slice.invocations > max);
        if is_exhausted {
            let given_up = slice.give_up(GivenUpCondition::RetryAttemptsExhausted);
            self.pending.push_front(Step::GiveUp(given_up));
            return Failure::Exhausted;
        }
        self.pend(Some(slice));
        Failure::Retry
    }

    fn pend(&mut self, slice: Option<Slice>) {
        if let Some(slice) = slice {
            self.pending.push_front(Step::Invoke(slice));
        }
    }

    fn is_expired(&self, record: &StreamRecord, now: Timestamp) -> bool {
        let age_ms = u128::try_from(now.ms_since(record.arrival)).unwrap_or(0);
        self.settings.record_age_max.is_some_and(|max| age_ms > max.as_millis())
    }
}

impl Slice {
    fn new(batch: Batch) -> Self {
        Self { batch, invocations: 0 }
    }

    /// The last record.
    pub(crate) fn last(&self) -> Option<SequenceNumber> {
        self.batch.records.last().map(|record| record.sequence)
    }

    /// Keeps the records before a place and returns those from there on, if there are any.
    fn split_off(&mut self, place: usize) -> Option<Self> {
        if place >= self.batch.records.len() {
            return None;
        }
        let batch = Batch { shard: self.batch.shard, records: self.batch.records.split_off(place) };
        Some(Self { batch, invocations: self.invocations })
    }

    /// The same records with all their retries: what a reply cut off from others is a slice of its own.
    fn afresh(self) -> Self {
        Self::new(self.batch)
    }

    fn give_up(self, condition: GivenUpCondition) -> GivenUp {
        GivenUp { batch: self.batch, condition, invocations: self.invocations }
    }
}

impl Outcome {
    /// What a reply says about a batch. A number that is not in the batch makes the whole reply void.
    fn of(batch: &Batch, reply: Option<&BatchReply>) -> Self {
        let Some(reply) = reply else { return Self::Failed };
        let place = |sequence| batch.records.binary_search_by_key(sequence, |record| record.sequence);
        match reply.failures.iter().map(place).collect::<Result<Vec<_>, _>>() {
            Ok(places) => places.into_iter().min().map_or(Self::Processed, Self::FailedFrom),
            Err(_) => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests;
