//! A batch of which AWS takes a part, as each API tells of it.
//!
//! What must always hold: the entries that are taken and those that are given back are all the entries, and none is both;
//! what the answer says was taken is what the service behind has taken.

mod form;
mod json;

use bytes::Bytes;

use super::operation::{Operation, Service};

/// A request, cut in two.
#[derive(Debug)]
pub(super) struct Cut {
    /// What is asked of the service: the request with the entries that are taken.
    pub(super) asked: Bytes,
    /// Which entries are taken.
    pub(super) is_taken: Vec<bool>,
    rest: Rest,
}

/// What the answer is made of, besides the service's own.
#[derive(Debug)]
enum Rest {
    Json(json::Rest),
    Form(form::Rest),
}

/// How many entries a batch has; one for a request that is no batch, or that cannot be read.
pub(super) fn entries(operation: &Operation, body: &[u8]) -> usize {
    let entries = match operation.service {
        Service::Sns => form::entries(operation, body),
        _ => json::entries(operation, body),
    };
    entries.unwrap_or(1)
}

/// The request cut by a mask: bit `i` for entry `i`, repeating. `None` when it is no batch, or has no entries.
pub(super) fn cut(operation: &Operation, body: &[u8], mask: u32) -> Option<Cut> {
    match operation.service {
        Service::Sns => form::cut(operation, body, mask),
        _ => json::cut(operation, body, mask),
    }
}

impl Cut {
    /// How many entries are taken.
    pub(super) fn taken(&self) -> usize {
        self.is_taken.iter().filter(|is_taken| **is_taken).count()
    }

    /// What the client is answered when the service answered like this for the entries that were taken. `None` when
    /// that cannot be read.
    pub(super) fn answer(&self, of_service: &[u8]) -> Option<Bytes> {
        match &self.rest {
            Rest::Json(rest) => rest.answer(&self.is_taken, of_service),
            Rest::Form(rest) => rest.answer(of_service),
        }
    }

    /// What the client is answered when no entry was taken, for the APIs that call this a success.
    pub(super) fn answer_to_none(&self) -> Option<Bytes> {
        match &self.rest {
            Rest::Json(rest) => rest.answer_to_none(&self.is_taken),
            Rest::Form(rest) => Some(rest.answer_to_none()),
        }
    }
}

/// Which of so many entries a mask takes: never all of them.
fn taken_by(mask: u32, entries: usize) -> Vec<bool> {
    let mut is_taken: Vec<bool> = (0..entries).map(|entry| crate::fault::bit(mask, entry)).collect();
    if is_taken.iter().all(|is_taken| *is_taken)
        && let Some(last) = is_taken.last_mut()
    {
        *last = false;
    }
    is_taken
}

/// What AWS says of one entry that it did not take.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    code: &'static str,
    message: &'static str,
    /// Whether it puts the blame on the caller. Throttling counts as such.
    is_senders_fault: bool,
}

impl Refusal {
    /// For entry `index`: throttled or failed by turns, so that a batch that is given back has both.
    fn of_entry(service: Service, index: usize) -> Self {
        let [throttled, failed] = match service {
            Service::Kinesis => [
                (
                    "ProvisionedThroughputExceededException",
                    "Rate exceeded for shard shardId-000000000000 in stream of a test under account 000000000000.",
                ),
                ("InternalFailure", "Internal service failure."),
            ],
            Service::Sqs => [
                ("RequestThrottled", "Request is throttled."),
                ("InternalError", "We encountered an internal error. Please try again."),
            ],
            _ => [
                ("Throttled", "Rate exceeded"),
                ("InternalError", "We encountered an internal error. Please try again."),
            ],
        };
        let is_throttled = index.is_multiple_of(2);
        let (code, message) = if is_throttled { throttled } else { failed };
        Self { code, message, is_senders_fault: is_throttled }
    }
}

#[cfg(test)]
mod tests;
