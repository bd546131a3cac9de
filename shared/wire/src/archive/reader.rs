//! Raw records out of a decompressed archive object.
//!
//! Firehose joins records without a separator unless told otherwise, so objects come as lines, as objects side by side,
//! or mixed. Two rules find the records in all of them:
//!
//! - a line end always ends a record, so that one damaged record cannot swallow its neighbours;
//! - a `{` after a complete JSON object begins the next record.
//!
//! A record that was delimited by line ends comes back byte for byte. Blank lines are no records. What is at the end
//! without a line end is a record only when it is a complete object; anything else was cut off.

use std::io::{self, BufRead};

use super::line::unwrap_record;

/// The longest line that is read: room for a Kinesis record of the largest configurable size, 10 MiB, in base64.
pub const ARCHIVE_LINE_BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// What an archive object holds at one place. Offsets count bytes of the decompressed object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveEntry<'a> {
    /// A record.
    Record(&'a [u8]),
    /// A record longer than the limit, skipped.
    TooLong {
        /// Where it begins.
        offset: u64,
        /// How long it is.
        bytes: u64,
    },
    /// The object ends within a record. Nothing follows.
    Truncated {
        /// Where the record begins.
        offset: u64,
        /// What is there of it.
        bytes: &'a [u8],
    },
}

/// An archive object could not be read on. A compressed object that was cut off ends so.
#[derive(Debug, thiserror::Error)]
#[error("the archive object cannot be read past byte {offset} of its decompressed content: {source}")]
pub struct ArchiveReadError {
    /// Where reading stopped.
    pub offset: u64,
    /// Why.
    pub source: io::Error,
}

/// Reads the records of one decompressed archive object, in order, with memory for one record.
#[derive(Debug)]
pub struct ArchiveReader<R> {
    input: R,
    line_bytes_max: usize,
    /// Bytes of the object that were consumed.
    offset: u64,
    record: Vec<u8>,
}

impl<R: BufRead> ArchiveReader<R> {
    /// A reader of lines up to [`ARCHIVE_LINE_BYTES_MAX`].
    pub fn new(input: R) -> Self {
        Self::with_limit(input, ARCHIVE_LINE_BYTES_MAX)
    }

    /// A reader of lines up to `line_bytes_max`.
    pub fn with_limit(input: R, line_bytes_max: usize) -> Self {
        Self { input, line_bytes_max, offset: 0, record: Vec::new() }
    }

    /// The next entry; `None` at the end of the object.
    pub fn next_entry(&mut self) -> Result<Option<ArchiveEntry<'_>>, ArchiveReadError> {
        loop {
            let offset = self.offset;
            let (scanner, end) = self.read_to_boundary()?;
            let bytes = scanner.record_bytes(end);
            if bytes > self.line_bytes_max as u64 {
                return Ok(Some(ArchiveEntry::TooLong { offset, bytes }));
            }
            self.record.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
            let is_blank = self.record.trim_ascii().is_empty();
            if is_blank && end == Boundary::EndOfInput {
                return Ok(None);
            }
            if is_blank {
                continue;
            }
            return Ok(Some(self.entry(offset, scanner, end)));
        }
    }

    fn entry(&mut self, offset: u64, scanner: Scanner, end: Boundary) -> ArchiveEntry<'_> {
        if end == Boundary::EndOfInput && !scanner.is_after_object() {
            return ArchiveEntry::Truncated { offset, bytes: &self.record };
        }
        if end == Boundary::LineEnd && self.record.ends_with(b"\r") {
            self.record.pop();
        }
        if let Some(record) = unwrap_record(&self.record) {
            self.record = record;
        }
        ArchiveEntry::Record(&self.record)
    }

    /// Reads into `record` up to a boundary, keeping no more than the limit.
    fn read_to_boundary(&mut self) -> Result<(Scanner, Boundary), ArchiveReadError> {
        let mut scanner = Scanner::default();
        self.record.clear();
        loop {
            let chunk = match self.input.fill_buf() {
                Ok([]) => return Ok((scanner, Boundary::EndOfInput)),
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(ArchiveReadError { offset: self.offset, source }),
            };
            let (taken, boundary) = scanner.take_from(chunk);
            let room = self.line_bytes_max - self.record.len();
            self.record.extend_from_slice(&chunk[..taken.min(room)]);
            let consumed = taken + usize::from(boundary == Boundary::LineEnd);
            self.input.consume(consumed);
            self.offset += consumed as u64;
            if boundary != Boundary::Inside {
                return Ok((scanner, boundary));
            }
        }
    }
}

/// Where a byte stands between records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boundary {
    /// It belongs to the record.
    Inside,
    /// It is the line end after the record.
    LineEnd,
    /// It begins the next record.
    NextObject,
    /// There is no further byte.
    EndOfInput,
}

/// Follows one record, just far enough to see where a JSON object ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scanner {
    state: State,
    /// Bytes of the record so far.
    bytes: u64,
    /// Bytes up to and with the end of its object.
    object_bytes: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Blanks before anything else.
    #[default]
    Start,
    /// Inside that many open objects.
    Object { depth: u64 },
    /// Inside a string there.
    String { depth: u64 },
    /// After a backslash there.
    Escape { depth: u64 },
    /// After a complete object.
    AfterObject,
    /// In something that is no object: only a line end ends it.
    Other,
}

impl Scanner {
    /// Takes the next byte, unless it is a boundary.
    pub(super) fn step(&mut self, byte: u8) -> Boundary {
        if byte == b'\n' {
            return Boundary::LineEnd;
        }
        let next = match (self.state, byte) {
            (State::AfterObject, b'{') => return Boundary::NextObject,
            (state @ (State::Start | State::AfterObject), b' ' | b'\t' | b'\r') => state,
            (State::Start, b'{') => State::Object { depth: 1 },
            (State::Start | State::AfterObject | State::Other, _) => State::Other,
            (State::Object { depth }, b'"') | (State::Escape { depth }, _) => State::String { depth },
            (State::Object { depth }, b'{') => State::Object { depth: depth + 1 },
            (State::Object { depth: 1 }, b'}') => State::AfterObject,
            (State::Object { depth }, b'}') => State::Object { depth: depth - 1 },
            (State::String { depth }, b'"') => State::Object { depth },
            (State::String { depth }, b'\\') => State::Escape { depth },
            (state @ (State::Object { .. } | State::String { .. }), _) => state,
        };
        self.bytes += 1;
        if next == State::AfterObject && self.state != State::AfterObject {
            self.object_bytes = self.bytes;
        }
        self.state = next;
        Boundary::Inside
    }

    /// Takes bytes up to the first boundary: how many, and which boundary.
    fn take_from(&mut self, chunk: &[u8]) -> (usize, Boundary) {
        if let Some(bytes) = plain_line_bytes(chunk).filter(|_| self.bytes == 0) {
            self.bytes = bytes as u64;
            return (bytes, Boundary::LineEnd);
        }
        for (index, &byte) in chunk.iter().enumerate() {
            let boundary = self.step(byte);
            if boundary != Boundary::Inside {
                return (index, boundary);
            }
        }
        (chunk.len(), Boundary::Inside)
    }

    fn is_after_object(&self) -> bool {
        self.state == State::AfterObject
    }

    /// The length of a record that ended so. Blanks between objects that stand side by side belong to neither.
    fn record_bytes(&self, end: Boundary) -> u64 {
        if end == Boundary::NextObject { self.object_bytes } else { self.bytes }
    }
}

/// The length of a line in which no object ends before the line does, so that no second record can begin in it. Nearly
/// all lines are such, and are found much faster than byte by byte.
fn plain_line_bytes(chunk: &[u8]) -> Option<usize> {
    let end = chunk.iter().position(|byte| matches!(byte, b'}' | b'\n'))?;
    match &chunk[end..] {
        [b'\n', ..] => Some(end),
        [_, b'\n', ..] => Some(end + 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
