//! Letters from the messages that a peek brought, in whatever order and number they came.
//!
//! What must always hold:
//! - One letter a position. Where several were sent for one, as when a record was set aside again later, it is the newest of
//!   those that are whole.
//! - Letters beyond those that are asked for take no memory, however long the queue is.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};

use bytes::Bytes;
use wattstream_domain::{Position, SequenceNumber, ShardId};
use wattstream_engine::DeadLetter;

use super::letter_parts::LetterHead;

/// The order of letters: shard, number, place inside the record.
pub(super) type LetterKey = (ShardId, SequenceNumber, u64);

/// The place of a position in the order of letters.
pub(super) fn key_of(position: &Position) -> LetterKey {
    (position.shard, position.sequence, position.sub_sequence)
}

/// The letters that are asked for: the first of those within bounds.
#[derive(Debug)]
pub(super) struct Mailbox {
    wanted: (Bound<LetterKey>, Bound<LetterKey>),
    limit: usize,
    slots: BTreeMap<LetterKey, Vec<Draft>>,
    /// How many slots have a letter of which no part is missing.
    whole: usize,
    bytes: usize,
}

/// A letter of which parts have come.
#[derive(Debug)]
struct Draft {
    head: LetterHead,
    pieces: Vec<Option<Bytes>>,
    /// When its newest part was sent, in milliseconds since 1970.
    sent_ms: i64,
}

/// A letter that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "part {part} of {parts} of the dead letter at {position} is not in the queue: it may come later; if it does not, the \
     archive has the record"
)]
pub(super) struct Incomplete {
    pub(super) position: Position,
    /// The first part that is missing, from 1.
    part: usize,
    parts: usize,
}

impl Mailbox {
    /// A box for at most `limit` letters that stand after a position.
    pub(super) fn after(after: Option<Position>, limit: usize) -> Self {
        let start = after.map_or(Bound::Unbounded, |after| Bound::Excluded(key_of(&after)));
        Self::new((start, Bound::Unbounded), limit)
    }

    /// A box for the letter at a position.
    pub(super) fn only(position: Position) -> Self {
        let key = Bound::Included(key_of(&position));
        Self::new((key, key), 1)
    }

    fn new(wanted: (Bound<LetterKey>, Bound<LetterKey>), limit: usize) -> Self {
        Self { wanted, limit, slots: BTreeMap::new(), whole: 0, bytes: 0 }
    }

    /// Takes in a part, unless its letter lies outside of what is asked for.
    pub(super) fn add(&mut self, head: LetterHead, index: usize, piece: Bytes, sent_ms: i64) {
        let key = key_of(&head.position);
        if !self.wanted.contains(&key) {
            return;
        }
        let drafts = self.slots.entry(key).or_default();
        let was_whole = is_whole(drafts);
        let place = drafts.iter().position(|draft| draft.head == head).unwrap_or_else(|| {
            drafts.push(Draft { pieces: vec![None; head.parts], head, sent_ms });
            drafts.len() - 1
        });
        self.bytes += drafts[place].add(index, piece, sent_ms);
        self.whole += usize::from(is_whole(drafts) && !was_whole);
        self.drop_what_lies_beyond();
    }

    /// The payload bytes that it holds.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The letters that are whole, in the order of their positions, and what is known of the others.
    pub(super) fn open(self) -> (Vec<DeadLetter>, Vec<Incomplete>) {
        let (mut letters, mut incomplete) = (Vec::new(), Vec::new());
        for mut drafts in self.slots.into_values() {
            drafts.sort_by_key(|draft| draft.sent_ms);
            match drafts.iter().rev().find_map(Draft::letter) {
                Some(letter) => letters.push(letter),
                None => incomplete.extend(drafts.last().map(Draft::incomplete)),
            }
        }
        (letters, incomplete)
    }

    /// Drops the last slots for as long as enough whole letters stand before them: they can never be among the first.
    fn drop_what_lies_beyond(&mut self) {
        while let Some(last) = self.slots.last_entry() {
            let is_last_whole = usize::from(is_whole(last.get()));
            if self.whole - is_last_whole < self.limit {
                return;
            }
            self.bytes -= last.remove().iter().map(Draft::bytes).sum::<usize>();
            self.whole -= is_last_whole;
        }
    }
}

fn is_whole(drafts: &[Draft]) -> bool {
    drafts.iter().any(|draft| draft.pieces.iter().all(Option::is_some))
}

impl Draft {
    /// Adds a piece and returns by how many bytes that made it longer: by none when it was there.
    fn add(&mut self, index: usize, piece: Bytes, sent_ms: i64) -> usize {
        self.sent_ms = self.sent_ms.max(sent_ms);
        match &mut self.pieces[index] {
            Some(_) => 0,
            missing => missing.insert(piece).len(),
        }
    }

    fn bytes(&self) -> usize {
        self.pieces.iter().flatten().map(Bytes::len).sum()
    }

    fn letter(&self) -> Option<DeadLetter> {
        let pieces: Option<Vec<Bytes>> = self.pieces.iter().cloned().collect();
        self.head.letter(&pieces?)
    }

    fn incomplete(&self) -> Incomplete {
        let missing = self.pieces.iter().position(Option::is_none).unwrap_or_default();
        Incomplete { position: self.head.position, part: missing + 1, parts: self.head.parts }
    }
}

#[cfg(test)]
mod tests;
