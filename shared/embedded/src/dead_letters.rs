//! [`DeadLetters`], [`OnFailure`] and [`DeadLetterAdmin`].
//!
//! What must always hold: there is one letter a position. A later one takes its place: a record that was given up whole
//! replaces the letter of its first part, and never the other way round without the rest having been processed.

use bytes::{Buf, Bytes};
use fjall::Readable;
use wattstream_domain::{Position, Timestamp};
use wattstream_engine::ports::{DeadLetterAdmin, DeadLetters, GivenUp, OnFailure};
use wattstream_engine::{Cause, DeadLetter, Result, StreamRecord};

use crate::error::{Damage, damaged, storage};
use crate::keys;
use crate::store::Store;

const READING: &str = "reading dead letters";

impl DeadLetters for Store {
    async fn put(&self, letters: &[DeadLetter]) -> Result<()> {
        // Synced, because a payload can be long: the module of torn batches says why.
        let mut batch = self.batch_synced();
        for letter in letters {
            batch.insert(&self.keyspaces().dead_letters, keys::position(&letter.position), encode(letter));
        }
        batch.commit().map_err(storage("keeping dead letters"))
    }
}

impl OnFailure for Store {
    async fn report(&self, given_up: &GivenUp) -> Result<()> {
        let letters: Vec<_> =
            given_up.batch.records.iter().map(|record| letter_of(given_up, record)).collect();
        self.put(&letters).await
    }
}

fn letter_of(given_up: &GivenUp, record: &StreamRecord) -> DeadLetter {
    let GivenUp { batch, condition, invocations } = given_up;
    DeadLetter {
        position: Position { shard: batch.shard, sequence: record.sequence, sub_sequence: 0 },
        arrival: record.arrival,
        cause: Cause::GivenUp(*condition),
        detail: format!(
            "the record itself may be good: it was delivered {invocations} times and not processed; \
             see to the cause in the log of the process, then redrive it"
        ),
        payload: record.data.clone(),
    }
}

impl Store {
    /// At most `limit` letters in the order of their positions, after the one at `after`.
    pub(crate) fn read_dead_letters(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>> {
        let letters = &self.keyspaces().dead_letters;
        let now = self.snapshot();
        let entries = match after {
            Some(after) => {
                let start = std::ops::Bound::Excluded(keys::position(&after));
                now.range(letters, (start, std::ops::Bound::Unbounded))
            }
            None => now.iter(letters),
        };
        entries.take(limit).map(parse).collect()
    }
}

impl DeadLetterAdmin for Store {
    async fn dead_letter(&self, position: Position) -> Result<Option<DeadLetter>> {
        self.blocking(move |store| {
            let key = keys::position(&position);
            let value = store.keyspaces().dead_letters.get(&key).map_err(storage(READING))?;
            value.map(|value| parse_letter(&key, value.into())).transpose()
        })
        .await
    }

    async fn remove_dead_letters(&self, positions: &[Position]) -> Result<()> {
        let positions = positions.to_vec();
        self.blocking(move |store| {
            let mut batch = store.batch_synced();
            for position in &positions {
                batch.remove(&store.keyspaces().dead_letters, keys::position(position));
            }
            batch.commit().map_err(storage("removing dead letters"))
        })
        .await
    }
}

fn parse(entry: fjall::Guard) -> Result<DeadLetter> {
    let (key, value) = entry.into_inner().map_err(storage(READING))?;
    parse_letter(&key, value.into())
}

fn parse_letter(key: &[u8], value: Bytes) -> Result<DeadLetter> {
    let position = keys::parse_position(key)
        .ok_or_else(|| damaged(READING)(Damage::Key { keyspace: "dead_letters", key: key.to_vec() }))?;
    decode(position, value)
        .ok_or_else(|| damaged(READING)(Damage::Value { keyspace: "dead_letters", key: key.to_vec() }))
}

/// A letter as a value: arrival, length and text of the cause, length and text of the detail, payload.
fn encode(letter: &DeadLetter) -> Vec<u8> {
    let mut value = letter.arrival.unix_ms().to_be_bytes().to_vec();
    for text in [letter.cause.code(), letter.detail.as_str()] {
        value.extend_from_slice(&(text.len() as u64).to_be_bytes());
        value.extend_from_slice(text.as_bytes());
    }
    value.extend_from_slice(&letter.payload);
    value
}

fn decode(position: Position, mut value: Bytes) -> Option<DeadLetter> {
    let arrival = Timestamp::from_unix_ms(value.try_get_i64().ok()?)?;
    let cause = Cause::from_code(&take_text(&mut value)?)?;
    let detail = take_text(&mut value)?;
    Some(DeadLetter { position, arrival, cause, detail, payload: value })
}

fn take_text(value: &mut Bytes) -> Option<String> {
    let length = usize::try_from(value.try_get_u64().ok()?).ok()?;
    let text = (length <= value.len()).then(|| value.split_to(length))?;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests;
