//! How far each reader of a shard has come, and [`Checkpoints`].
//!
//! A checkpoint needs no sync of its own: it stands in the journal after the tables that it vouches for. Were it lost in
//! a power cut, the records after the one before it are delivered again.

use fjall::OwnedWriteBatch;
use wattstream_domain::{SequenceNumber, ShardId, Timestamp};
use wattstream_engine::ports::{Checkpoint, Checkpoints, InstanceId, ShardMark};
use wattstream_engine::{Error, Kind, Result};

use crate::error::{Damage, damaged, storage};
use crate::keyspaces::Keyspaces;
use crate::store::Store;

/// Whose progress a record of the progress keyspace holds: the first byte of its key.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
enum Reader {
    EventSource = 1,
    Processor = 2,
    Archiver = 3,
    Trimmer = 4,
}

fn key(reader: Reader, shard: ShardId) -> [u8; 9] {
    let mut key = [reader as u8; 9];
    key[1..].copy_from_slice(&shard.0.to_be_bytes());
    key
}

/// Where the log of a shard begins: everything up to here was trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrimMark {
    /// The last record that was trimmed; 0 for none.
    pub(crate) sequence: u64,
    /// When it arrived.
    pub(crate) arrival: Timestamp,
}

impl TrimMark {
    /// Nothing was trimmed.
    pub(crate) const NONE: Self = Self { sequence: 0, arrival: Timestamp::MIN };
}

/// How far the archive of a shard has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Archived {
    /// The last record that is in the archive; 0 for none.
    pub(crate) sequence: u64,
    /// The last record of the object that is being written; the same when none is.
    pub(crate) planned: u64,
}

impl Checkpoints for Store {
    async fn checkpoint(&self, shard: ShardId) -> Result<Option<Checkpoint>> {
        self.keyspaces().checkpoint(shard)
    }

    async fn put_checkpoint(&self, shard: ShardId, checkpoint: Checkpoint) -> Result<()> {
        let value = match checkpoint {
            Checkpoint::At(sequence) => sequence.to_be_bytes().to_vec(),
            Checkpoint::End => CHECKPOINT_END.to_vec(),
        };
        let mut batch = self.batch();
        batch.insert(&self.keyspaces().progress, key(Reader::EventSource, shard), value);
        batch.commit().map_err(storage("moving a checkpoint"))
    }
}

/// No sequence number has so many bytes.
const CHECKPOINT_END: [u8; 57] = [0xff; 57];

fn parse_checkpoint(value: &[u8]) -> Option<Checkpoint> {
    if value == CHECKPOINT_END {
        return Some(Checkpoint::End);
    }
    SequenceNumber::from_be_bytes(value).map(Checkpoint::At)
}

impl Keyspaces {
    /// How far the event source has come.
    fn checkpoint(&self, shard: ShardId) -> Result<Option<Checkpoint>> {
        self.read_progress(Reader::EventSource, shard, "reading a checkpoint", parse_checkpoint)
    }

    /// The last record of a shard that the event source is done with; 0 for none.
    pub(crate) fn consumed(&self, shard: ShardId) -> Result<u64> {
        match self.checkpoint(shard)? {
            Some(Checkpoint::At(sequence)) => sequence
                .to_u64()
                .ok_or_else(|| Error::bare(Kind::Broken, "finding a checkpoint of another stream")),
            Some(Checkpoint::End) => Ok(u64::MAX),
            None => Ok(0),
        }
    }

    /// The mark that the last finished batch left.
    pub(crate) fn shard_mark(&self, shard: ShardId) -> Result<Option<ShardMark>> {
        self.read_progress(Reader::Processor, shard, "reading a shard mark", |value| parse_mark(shard, value))
    }

    /// How far the archive has come.
    pub(crate) fn archived(&self, shard: ShardId) -> Result<Archived> {
        let archived =
            self.read_progress(Reader::Archiver, shard, "reading the archive's progress", parse_archived)?;
        Ok(archived.unwrap_or_default())
    }

    /// Where the log of a shard begins.
    pub(crate) fn trimmed(&self, shard: ShardId) -> Result<TrimMark> {
        let trimmed =
            self.read_progress(Reader::Trimmer, shard, "reading where the log begins", parse_trim_mark)?;
        Ok(trimmed.unwrap_or(TrimMark::NONE))
    }

    /// Adds a shard mark to a batch.
    pub(crate) fn stage_shard_mark(&self, batch: &mut OwnedWriteBatch, mark: &ShardMark) {
        let sequence = mark.sequence.to_be_bytes();
        let mut value = vec![u8::try_from(sequence.len()).expect("a sequence number has at most 56 bytes")];
        value.extend_from_slice(&sequence);
        value.extend_from_slice(mark.instance.0.as_bytes());
        batch.insert(&self.progress, key(Reader::Processor, mark.shard), value);
    }

    /// Adds the archive's progress to a batch.
    pub(crate) fn stage_archived(&self, batch: &mut OwnedWriteBatch, shard: ShardId, archived: Archived) {
        let value = [archived.sequence.to_be_bytes(), archived.planned.to_be_bytes()].concat();
        batch.insert(&self.progress, key(Reader::Archiver, shard), value);
    }

    /// Adds the new beginning of a shard's log to a batch.
    pub(crate) fn stage_trimmed(&self, batch: &mut OwnedWriteBatch, shard: ShardId, mark: TrimMark) {
        let mut value = mark.sequence.to_be_bytes().to_vec();
        value.extend_from_slice(&mark.arrival.unix_ms().to_be_bytes());
        batch.insert(&self.progress, key(Reader::Trimmer, shard), value);
    }

    fn read_progress<T>(
        &self,
        reader: Reader,
        shard: ShardId,
        doing: &'static str,
        parse: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>> {
        let key = key(reader, shard);
        let Some(value) = self.progress.get(key).map_err(storage(doing))? else { return Ok(None) };
        let damage = || Damage::Value { keyspace: "progress", key: key.to_vec() };
        parse(&value).map(Some).ok_or_else(|| damaged(doing)(damage()))
    }
}

fn parse_mark(shard: ShardId, value: &[u8]) -> Option<ShardMark> {
    let (length, rest) = value.split_first()?;
    let (sequence, instance) = rest.split_at_checked(usize::from(*length))?;
    Some(ShardMark {
        shard,
        sequence: SequenceNumber::from_be_bytes(sequence)?,
        instance: InstanceId(std::str::from_utf8(instance).ok()?.to_owned()),
    })
}

fn parse_archived(value: &[u8]) -> Option<Archived> {
    let (sequence, planned) = value.split_first_chunk()?;
    let planned = u64::from_be_bytes(planned.try_into().ok()?);
    Some(Archived { sequence: u64::from_be_bytes(*sequence), planned })
}

fn parse_trim_mark(value: &[u8]) -> Option<TrimMark> {
    let (sequence, arrival) = value.split_first_chunk()?;
    let arrival = i64::from_be_bytes(arrival.try_into().ok()?);
    Some(TrimMark { sequence: u64::from_be_bytes(*sequence), arrival: Timestamp::from_unix_ms(arrival)? })
}
