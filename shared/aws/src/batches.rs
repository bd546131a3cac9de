//! The one way to a batch API: BatchWriteItem, BatchGetItem, PutRecords, PublishBatch, SendMessageBatch.
//!
//! All of them take a bounded number of entries and bytes, answer for each entry, and answer with a success when only
//! some were taken. The SDK repeats a request that was refused as a whole, and never one that was answered in part.
//!
//! What must always hold: every entry has an outcome; an entry that came back as [`Kind::Retry`] is sent again, after a wait
//! with jitter, until it is taken or the [deadline](crate::deadline) of the call leaves no time; no request is in flight
//! when the call returns.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use futures::{StreamExt, stream};
use tokio::time::{Instant, sleep, timeout_at};
use wattstream_engine::{Error, Kind, Result};

use crate::deadline;

/// What one request of an API may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most entries.
    pub(crate) entries: usize,
    /// The most bytes of all entries; a single entry beyond it is sent alone, for AWS to refuse.
    pub(crate) bytes: usize,
    /// Requests of one call that may be in flight together.
    pub(crate) in_flight: usize,
}

/// The longest wait before entries are sent again for the first time. It doubles with every further time.
const RESEND_DELAY_FIRST: Duration = Duration::from_millis(50);
/// The longest wait before any time.
const RESEND_DELAY_MAX: Duration = Duration::from_secs(5);

/// Sends all entries in as few requests as the limits allow, and the ones that come back again. Returns an outcome for
/// each entry, in their order.
///
/// `bytes_of` is an entry's share of a request. `send` makes one request; it answers for each entry, in their order, or
/// with an error for all of them. (It is given a vector and not a slice, because the compiler cannot tell of a future that holds
/// for any lifetime whether it is `Send`.)
pub(crate) async fn send_all<'a, E, T, F>(
    entries: &'a [E],
    limits: Limits,
    bytes_of: impl Fn(&E) -> usize,
    send: impl Fn(Vec<&'a E>) -> F,
) -> Vec<Result<T>>
where
    F: Future<Output = Result<Vec<Result<T>>>>,
{
    let deadline = deadline::of_this_call();
    let mut outcomes: Vec<Option<Result<T>>> = entries.iter().map(|_| None).collect();
    let mut pending: Vec<usize> = (0..entries.len()).collect();
    for attempt in 1.. {
        for (index, outcome) in send_once(entries, &pending, limits, &bytes_of, &send, deadline).await {
            outcomes[index] = Some(outcome);
        }
        pending.retain(|&index| is_to_be_sent_again(outcomes[index].as_ref()));
        let wait = resend_delay(attempt, rand::random());
        if pending.is_empty() || Instant::now() + wait >= deadline {
            break;
        }
        sleep(wait).await;
    }
    outcomes.into_iter().map(|outcome| outcome.expect("every entry was sent at least once")).collect()
}

/// As [`send_all`], for an API that takes one entry a request.
pub(crate) async fn send_each<'a, E, T, F>(
    entries: &'a [E],
    in_flight: usize,
    send: impl Fn(&'a E) -> F,
) -> Vec<Result<T>>
where
    F: Future<Output = Result<T>>,
{
    let limits = Limits { entries: 1, bytes: usize::MAX, in_flight };
    let send_one = |entries: Vec<&'a E>| {
        let outcomes: Vec<F> = entries.into_iter().map(&send).collect();
        async {
            let outcomes = join_all(outcomes).await;
            Ok(outcomes)
        }
    };
    send_all(entries, limits, |_| 0, send_one).await
}

fn is_to_be_sent_again<T>(outcome: Option<&Result<T>>) -> bool {
    matches!(outcome, Some(Err(error)) if error.kind() == Kind::Retry)
}

/// Sends the pending entries once, and returns what became of each.
async fn send_once<'a, E, T, F>(
    entries: &'a [E],
    pending: &[usize],
    limits: Limits,
    bytes_of: &impl Fn(&E) -> usize,
    send: &impl Fn(Vec<&'a E>) -> F,
    deadline: Instant,
) -> Vec<(usize, Result<T>)>
where
    F: Future<Output = Result<Vec<Result<T>>>>,
{
    let requests = pack(pending.iter().map(|&index| bytes_of(&entries[index])), limits);
    let answers = stream::iter(requests).map(|request| {
        let indexes = &pending[request];
        let answer = timeout_at(deadline, send(indexes.iter().map(|&index| &entries[index]).collect()));
        async move { (indexes, answer.await.unwrap_or_else(|_| Err(given_up()))) }
    });
    let answers: Vec<_> = answers.buffer_unordered(limits.in_flight).collect().await;
    answers
        .into_iter()
        .flat_map(|(indexes, answer)| indexes.iter().copied().zip(of_each_entry(indexes.len(), answer)))
        .collect()
}

fn given_up() -> Error {
    Error::bare(Kind::Retry, "waiting for AWS until the deadline of the call")
}

/// The entries' own outcomes; the request's error for each when there is none.
fn of_each_entry<T>(entries: usize, answer: Result<Vec<Result<T>>>) -> Vec<Result<T>> {
    match answer {
        Ok(outcomes) if outcomes.len() == entries => outcomes,
        Ok(outcomes) => {
            let source = format!("{} outcomes for {entries} entries", outcomes.len());
            let error = Error::new(Kind::Retry, "reading the answer to a batch", source);
            repeated(entries, error)
        }
        Err(error) => repeated(entries, error),
    }
}

fn repeated<T>(times: usize, error: Error) -> Vec<Result<T>> {
    let error = Arc::new(error);
    let of_request =
        || Err(Error::new(error.kind(), "a request of several entries", Shared(Arc::clone(&error))));
    std::iter::repeat_with(of_request).take(times).collect()
}

/// One error of several entries.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Shared(Arc<Error>);

/// Cuts a run of entries of these sizes into requests that keep to the limits.
fn pack(sizes: impl Iterator<Item = usize>, limits: Limits) -> Vec<Range<usize>> {
    let mut requests: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (index, size) in sizes.enumerate() {
        match requests.last_mut() {
            Some(request) if request.len() < limits.entries && bytes + size <= limits.bytes => {
                request.end = index + 1;
                bytes += size;
            }
            _ => {
                requests.push(index..index + 1);
                bytes = size;
            }
        }
    }
    requests
}

/// The wait before sending again for the `attempt`th time (from 1): anything up to the full delay, so that instances
/// that were throttled together do not come back together.
fn resend_delay(attempt: u32, jitter: u8) -> Duration {
    let doubled = RESEND_DELAY_FIRST.saturating_mul(2_u32.saturating_pow(attempt - 1));
    doubled.min(RESEND_DELAY_MAX) * u32::from(jitter) / u32::from(u8::MAX)
}

#[cfg(test)]
mod tests;
