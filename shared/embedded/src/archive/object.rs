//! Building one archive object from the log.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use wattstream_domain::{ShardId, Timestamp};
use wattstream_engine::{Error, Kind, Result, StreamRecord};
use wattstream_wire::{ArchiveKey, append_archive_record, deaggregate};

use crate::store::Store;

use super::ARCHIVE_STREAM;

const BUILDING: &str = "building an archive object";

/// Where an object ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// With this record, as an earlier attempt has decided.
    At(u64),
    /// Before the first record of another hour, or with the record that fills it.
    WhenFull {
        /// The bytes of lines that fill it.
        bytes: usize,
    },
}

/// An object, ready to be written.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) key: ArchiveKey,
    /// The last record of the log in it.
    pub(super) last_sequence: u64,
    /// The lines in it.
    pub(super) lines: u64,
    /// Its content, compressed.
    pub(super) bytes: Vec<u8>,
}

/// The object of the records after `after`; `None` when there is none. The memory it takes has a bound: `bytes` of the
/// end and one record.
pub(super) fn build(store: &Store, shard: ShardId, after: u64, end: End) -> Result<Option<Object>> {
    let mut records = store.log_after(shard, after)?;
    let Some(first) = records.next().transpose()? else { return Ok(None) };
    let arrival = first.arrival;
    let key = ArchiveKey::new(ARCHIVE_STREAM, arrival, shard, first.sequence)
        .map_err(|error| Error::new(Kind::Broken, BUILDING, error))?;
    let mut content = Content::new();
    for record in std::iter::once(Ok(first)).chain(records) {
        let record = record?;
        if content.is_complete(&record, arrival, end) {
            break;
        }
        content.append(&record)?;
    }
    content.finish(key).map(Some)
}

struct Content {
    encoder: GzEncoder<Vec<u8>>,
    last_sequence: u64,
    lines: u64,
    line_bytes: usize,
    line: Vec<u8>,
}

impl Content {
    fn new() -> Self {
        // The quickest level takes the log to a fifth of its size; the best would save half of that for eight times the
        // work, on cores that the pipeline needs.
        let encoder = GzEncoder::new(Vec::new(), Compression::fast());
        Self { encoder, last_sequence: 0, lines: 0, line_bytes: 0, line: Vec::new() }
    }

    /// Whether the object ends before `record`.
    fn is_complete(&self, record: &StreamRecord, first_arrival: Timestamp, end: End) -> bool {
        match end {
            End::At(last) => self.last_sequence >= last,
            End::WhenFull { bytes } => {
                self.line_bytes >= bytes || record.arrival.hour() != first_arrival.hour()
            }
        }
    }

    /// Appends the lines of a record. An aggregate becomes the records that it holds, as Firehose has it; one that cannot
    /// be taken apart is kept as it is.
    fn append(&mut self, record: &StreamRecord) -> Result<()> {
        let payloads = deaggregate(&record.data);
        let payloads = match &payloads {
            Ok(payloads) => payloads.as_slice(),
            Err(_) => std::slice::from_ref(&record.data),
        };
        for payload in payloads {
            self.line.clear();
            append_archive_record(payload, &mut self.line);
            self.encoder.write_all(&self.line).map_err(|error| Error::new(Kind::Broken, BUILDING, error))?;
            self.line_bytes += self.line.len();
            self.lines += 1;
        }
        self.last_sequence = record.sequence.to_u64().unwrap_or(u64::MAX);
        Ok(())
    }

    fn finish(self, key: ArchiveKey) -> Result<Object> {
        let bytes = self.encoder.finish().map_err(|error| Error::new(Kind::Broken, BUILDING, error))?;
        Ok(Object { key, last_sequence: self.last_sequence, lines: self.lines, bytes })
    }
}
