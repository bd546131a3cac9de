//! The log: [`Producer`] and [`Stream`].
//!
//! What must always hold: within a shard, sequence numbers count up from 1 without a gap and are never given twice, and
//! arrivals never go back; a record can be read only after it was synced.

mod committer;
mod record;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use fjall::{Database, Readable};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use wattstream_domain::{SequenceNumber, ShardId, Timestamp};
use wattstream_engine::ports::{NewRecord, Producer, Shard, ShardRead, Stream};
use wattstream_engine::{Error, Kind, Result, StreamRecord};

use crate::disk_reserve::DiskReserve;
use crate::error::{Damage, damaged, storage};
use crate::hash_ranges::HashRanges;
use crate::keys;
use crate::keyspaces::Keyspaces;
use crate::store::{Clock, Store};

use committer::{Append, Committer, StoreJournal};

/// The longest payload with its partition key: the largest record that a Kinesis stream can be set to take.
pub const RECORD_BYTES_MAX: usize = 10 * 1_024 * 1_024;

/// The longest partition key, in characters, as Kinesis has it.
pub const PARTITION_KEY_CHARS_MAX: usize = 256;

/// Records that wait for a sync. Beyond it an append waits before it is taken in: so a slow disk slows the producers
/// down and memory has a bound.
pub const APPEND_QUEUE_BYTES_MAX: usize = 32 * 1_024 * 1_024;

/// The longest that [`Stream::wait`] waits, should it miss an append.
pub const WAIT_MAX: Duration = Duration::from_secs(1);

/// The most bytes of one read, as of one `GetRecords`; a single longer record is read all the same.
const READ_BYTES_MAX: usize = 10 * 1_024 * 1_024;

const READING: &str = "reading the log";

/// What a log is opened with.
pub(crate) struct LogSettings {
    pub(crate) ranges: HashRanges,
    pub(crate) clock: Clock,
    pub(crate) reserve: DiskReserve,
}

/// The writing thread and who waits for it.
pub(crate) struct Log {
    ranges: HashRanges,
    reserve: DiskReserve,
    appended: Arc<BTreeMap<ShardId, Notify>>,
    room: Arc<Semaphore>,
    /// `None` only while it is being dropped.
    appends: Option<mpsc::UnboundedSender<Append>>,
    committer: Option<JoinHandle<()>>,
}

impl Log {
    /// Finds the ends of the log and starts its thread.
    pub(crate) fn open(db: &Database, keyspaces: &Keyspaces, settings: LogSettings) -> Result<Self> {
        let LogSettings { ranges, clock, reserve } = settings;
        let ends: Vec<_> = ranges.shards().map(|shard| find_end(keyspaces, shard)).collect::<Result<_>>()?;
        let appended: Arc<BTreeMap<_, _>> =
            Arc::new(ranges.shards().map(|shard| (shard, Notify::new())).collect());
        let committer = Committer {
            journal: StoreJournal { db: db.clone(), log: keyspaces.log.clone() },
            ranges: ranges.clone(),
            last_sequences: ranges.shards().zip(ends.iter().map(|end| end.sequence)).collect(),
            last_arrival: ends.iter().map(|end| end.arrival).max().unwrap_or(Timestamp::MIN),
            clock,
            appended: Arc::clone(&appended),
        };
        let (appends, requests) = mpsc::unbounded_channel();
        let run = move || committer.run(requests);
        let thread = thread::Builder::new().name("wattstream-log".into()).spawn(run);
        let starting = |source| Error::new(Kind::Broken, "starting the thread of the log", source);
        Ok(Self {
            ranges,
            reserve,
            appended,
            room: Arc::new(Semaphore::new(kib(APPEND_QUEUE_BYTES_MAX) as usize)),
            appends: Some(appends),
            committer: Some(thread.map_err(starting)?),
        })
    }

    /// The shards, ascending.
    pub(crate) fn shards(&self) -> impl Iterator<Item = ShardId> {
        self.ranges.shards()
    }

    async fn append(&self, records: Vec<NewRecord>) -> Result<()> {
        self.reserve.check()?;
        let stopped = || Error::bare(Kind::Broken, "appending to a log whose thread has stopped");
        let bytes = records.iter().map(bytes_of).sum::<usize>().min(APPEND_QUEUE_BYTES_MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(kib(bytes)).await.map_err(|_| stopped())?;
        let (answer, answered) = oneshot::channel();
        let append = Append { records, answer, room };
        self.appends.as_ref().and_then(|appends| appends.send(append).ok()).ok_or_else(stopped)?;
        answered.await.map_err(|_| stopped())?
    }
}

impl Drop for Log {
    /// Lets the thread finish what it was given, so that the folder is free when the store is gone.
    fn drop(&mut self) {
        self.appends = None;
        // Nothing is left to do about a thread that has panicked: its callers were told.
        let _ = self.committer.take().map(JoinHandle::join);
    }
}

impl Producer for Store {
    async fn append(&self, records: Vec<NewRecord>) -> Result<()> {
        records.iter().try_for_each(check)?;
        if records.is_empty() {
            return Ok(());
        }
        self.log().append(records).await
    }
}

/// Why a record cannot be taken in.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error("a partition key has 1 to {PARTITION_KEY_CHARS_MAX} characters, this one has {0}")]
    PartitionKey(usize),
    #[error(
        "a record has at most {RECORD_BYTES_MAX} bytes with its partition key, this one has {0}: split it"
    )]
    TooLarge(usize),
}

fn check(record: &NewRecord) -> Result<()> {
    let reject = |error| Err(Error::new(Kind::Reject, "appending to the log", error));
    match (record.partition_key.chars().count(), bytes_of(record)) {
        (chars, _) if !(1..=PARTITION_KEY_CHARS_MAX).contains(&chars) => {
            reject(RecordError::PartitionKey(chars))
        }
        (_, bytes) if bytes > RECORD_BYTES_MAX => reject(RecordError::TooLarge(bytes)),
        _ => Ok(()),
    }
}

fn bytes_of(record: &NewRecord) -> usize {
    record.partition_key.len() + record.data.len()
}

/// The room of an append, which is never nothing: so the number of those that wait has a bound as well.
fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1_024)).unwrap_or(u32::MAX).max(1)
}

impl Stream for Store {
    async fn shards(&self) -> Result<Vec<Shard>> {
        Ok(self.log().shards().map(|id| Shard { id, parents: Vec::new() }).collect())
    }

    async fn read(&self, shard: ShardId, after: Option<SequenceNumber>, limit: usize) -> Result<ShardRead> {
        let after = match after {
            Some(after) => {
                after.to_u64().ok_or_else(|| Error::bare(Kind::Broken, "reading after a foreign number"))?
            }
            None => 0,
        };
        let mut records = Vec::new();
        let mut bytes = 0;
        for record in self.log_after(shard, after)?.take(limit) {
            let record = record?;
            bytes += record.data.len();
            if bytes > READ_BYTES_MAX && !records.is_empty() {
                break;
            }
            records.push(record);
        }
        Ok(ShardRead { records, is_end: false })
    }

    /// There is one waiter a shard, its poller. An append that comes between its read and its wait is not missed: the
    /// notification keeps.
    async fn wait(&self, shard: ShardId) {
        match self.log().appended.get(&shard) {
            Some(appended) => drop(tokio::time::timeout(WAIT_MAX, appended.notified()).await),
            None => tokio::time::sleep(WAIT_MAX).await,
        }
    }
}

impl Store {
    /// The records of a shard after a sequence number, as they are when this is called.
    pub(crate) fn log_after(
        &self,
        shard: ShardId,
        after: u64,
    ) -> Result<impl Iterator<Item = Result<StreamRecord>> + use<>> {
        // What was trimmed is passed over by its mark: the storage engine would pass over it record by record.
        let first = after.max(self.keyspaces().trimmed(shard)?.sequence).saturating_add(1);
        let range = keys::record(shard, first)..=keys::record(shard, u64::MAX);
        Ok(self.snapshot().range(&self.keyspaces().log, range).map(parse))
    }
}

impl Store {
    /// The last record of a shard, trimmed or not; 0 before the first.
    pub(crate) fn last_sequence(&self, shard: ShardId) -> Result<u64> {
        find_end(self.keyspaces(), shard).map(|end| end.sequence)
    }
}

fn parse(entry: fjall::Guard) -> Result<StreamRecord> {
    let (key, value) = entry.into_inner().map_err(storage(READING))?;
    let sequence = keys::parse_record(&key)
        .ok_or_else(|| damaged(READING)(Damage::Key { keyspace: "log", key: key.to_vec() }))?;
    record::decode(sequence, value.into())
        .ok_or_else(|| damaged(READING)(Damage::Value { keyspace: "log", key: key.to_vec() }))
}

/// The end of a shard's log.
struct End {
    sequence: u64,
    arrival: Timestamp,
}

fn find_end(keyspaces: &Keyspaces, shard: ShardId) -> Result<End> {
    let trimmed = keyspaces.trimmed(shard)?;
    // From the mark on: looking through what was trimmed would take as long as trimming did.
    let left = keys::record(shard, trimmed.sequence.saturating_add(1))..=keys::record(shard, u64::MAX);
    let Some(last) = keyspaces.log.range(left).next_back() else {
        return Ok(End { sequence: trimmed.sequence, arrival: trimmed.arrival });
    };
    let last = parse(last)?;
    Ok(End { sequence: last.sequence.to_u64().unwrap_or(u64::MAX), arrival: last.arrival })
}

#[cfg(test)]
mod tests;
