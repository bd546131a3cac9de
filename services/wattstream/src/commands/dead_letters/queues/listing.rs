//! Dead letters of queues, and what is lost of them, as entries of a table. The newest come first.

use std::cmp::Reverse;
use std::io;
use std::ops::Bound;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use wattstream_aws::{LostRange, QueueContents};
use wattstream_domain::{SequenceNumber, Timestamp};
use wattstream_engine::DeadLetter;
use wattstream_wire::READING_BYTES_MAX;
use wattstream_wire::on_failure::DiscardedBatch;

use super::id::LetterId;
use crate::cli::Format;
use crate::output::{self, Column, Entry};

const COLUMNS: &[Column] = &[
    ("id", "id"),
    ("kind", "kind"),
    ("arrived_at", "arrived at"),
    ("reason", "reason"),
    ("records", "records"),
    ("payload_bytes", "bytes"),
    ("detail", "detail"),
];

pub(super) const LOST_COLUMNS: &[Column] = &[
    ("id", "id"),
    ("shard", "shard"),
    ("records", "records lost"),
    ("first", "from"),
    ("after", "from after"),
    ("from_arrived_at", "arrived at"),
    ("last", "to"),
    ("before", "to before"),
    ("to_arrived_at", "arrived at"),
];

/// Prints what is in the queues.
pub(super) fn print(contents: &[QueueContents], format: Format) -> io::Result<()> {
    let letters = contents.iter().flat_map(|contents| &contents.letters);
    let batches = contents.iter().flat_map(|contents| &contents.batches);
    let mut entries: Vec<(Option<Timestamp>, Entry)> =
        letters.map(|letter| (Some(letter.arrival), letter_entry(letter))).collect();
    entries.extend(batches.map(|batch| (batch.last_arrival.or(batch.at), batch_entry(batch))));
    entries.sort_by_key(|(time, _)| Reverse(*time));
    let entries: Vec<Entry> = entries.into_iter().map(|(_, entry)| entry).collect();
    output::print(&entries, COLUMNS, format)
}

/// A payload, as the API describes it.
fn letter_entry(letter: &DeadLetter) -> Entry {
    let shown = &letter.payload[..letter.payload.len().min(READING_BYTES_MAX)];
    output::entry(json!({
        "id": letter.position.to_string(),
        "kind": "payload",
        "arrived_at": letter.arrival.to_string(),
        "reason": letter.cause.code(),
        "detail": letter.detail,
        "records": null,
        "payload_bytes": letter.payload.len(),
        "payload_base64": BASE64_STANDARD.encode(shown),
    }))
}

fn batch_entry(batch: &DiscardedBatch) -> Entry {
    output::entry(json!({
        "id": LetterId::of_batch(batch).to_string(),
        "kind": "batch",
        "arrived_at": text(batch.last_arrival),
        "reason": snake_case(&batch.condition),
        "detail": detail_of(batch),
        "records": batch.records,
        "payload_bytes": null,
        "stream_arn": batch.stream_arn,
        "shard": batch.shard.to_string(),
        "first": batch.first.to_string(),
        "last": batch.last.to_string(),
        "first_arrived_at": text(batch.first_arrival),
        "given_up_at": text(batch.at),
        "invocations": batch.invocations,
        "function_error": batch.function_error,
    }))
}

/// What Lambda says of a batch, in a sentence.
fn detail_of(batch: &DiscardedBatch) -> String {
    let given_up = batch.at.map(|at| format!(", given up at {at}")).unwrap_or_default();
    let calls = batch.invocations.map(|calls| format!(" after about {calls} calls")).unwrap_or_default();
    let error = batch.function_error.as_ref().map(|error| format!("; the function's error was {error}"));
    format!("a batch of {}{given_up}{calls}{}", batch.stream_arn, error.unwrap_or_default())
}

/// `RetryAttemptsExhausted` as the codes of dead letters are written: `retry_attempts_exhausted`.
fn snake_case(words: &str) -> String {
    let mut snake = String::new();
    for letter in words.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// What is lost of batches.
pub(super) fn lost_entries(lost: &[(LetterId, LostRange)]) -> Vec<Entry> {
    lost.iter().map(|(id, range)| lost_entry(id, range)).collect()
}

fn lost_entry(id: &LetterId, range: &LostRange) -> Entry {
    output::entry(json!({
        "id": id.to_string(),
        "shard": range.shard.to_string(),
        "records": range.records,
        "first": included(range.from),
        "after": excluded(range.from),
        "from_arrived_at": text(range.from_arrival),
        "last": included(range.to),
        "before": excluded(range.to),
        "to_arrived_at": text(range.to_arrival),
    }))
}

fn included(bound: Bound<SequenceNumber>) -> Option<String> {
    if let Bound::Included(number) = bound { Some(number.to_string()) } else { None }
}

fn excluded(bound: Bound<SequenceNumber>) -> Option<String> {
    if let Bound::Excluded(number) = bound { Some(number.to_string()) } else { None }
}

fn text(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_of_lambda_reads_like_a_code_of_ours() {
        assert_eq!(snake_case("RetryAttemptsExhausted"), "retry_attempts_exhausted");
        assert_eq!(snake_case("RecordAgeExceeded"), "record_age_exceeded");
    }
}
