//! Writing the archive.
//!
//! What must always hold: every record of the log is in exactly one object, whenever the process dies.
//!
//! An object's key is a function of its first record, and its end is decided once:
//!
//! 1. The first record is the one after the progress mark, and the object is built in memory.
//! 2. Its last record is noted beside the mark as planned, and synced.
//! 3. The object is written, which is atomic and synced.
//! 4. The progress mark moves to its last record, and is synced.
//!
//! A death before 2 leaves nothing behind. A death after 2 leaves the plan, and perhaps the object: the next attempt
//! builds the same records under the same key and writes them over it. After 4 the next object begins. So at most one
//! object stands beyond the mark, and it is the one that will be written again; an object never changes, and none
//! overlaps another. A payload without any record, such as an empty aggregate, leaves no line.
//!
//! The log is the buffer: between two objects nothing is held in memory.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use wattstream_domain::{ShardId, Timestamp};
use wattstream_engine::{Error, Kind, Result};
use wattstream_telemetry::event::ArchiveObjectWritten;

use crate::error::storage;
use crate::progress::Archived;
use crate::store::Store;

use super::Archive;
use super::object::{End, Object, build};

/// The stream's name in the keys of its objects.
pub const ARCHIVE_STREAM: &str = "readings";

/// How long a record waits for others to share an object with: the longest buffering that Firehose offers.
pub const ARCHIVE_AGE_MAX: Duration = Duration::from_mins(15);

/// The bytes of lines that fill an object. It is built in memory, compressed.
pub const ARCHIVE_OBJECT_BYTES_MAX: usize = 32 * 1_024 * 1_024;

/// The records of a shard that are worth an object, however young they are: about half of a full one.
pub const ARCHIVE_RECORDS_DUE: u64 = 100_000;

/// When to write objects, and how big.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveSettings {
    /// The age of a shard's oldest record outside the archive that makes it due.
    pub age_max: Duration,
    /// The bytes of lines that fill an object.
    pub object_bytes_max: usize,
    /// The records outside the archive that make a shard due.
    pub records_due: u64,
}

impl Default for ArchiveSettings {
    fn default() -> Self {
        Self {
            age_max: ARCHIVE_AGE_MAX,
            object_bytes_max: ARCHIVE_OBJECT_BYTES_MAX,
            records_due: ARCHIVE_RECORDS_DUE,
        }
    }
}

/// Brings the log into an archive. There may be several of one store: they take turns.
#[derive(Clone, Debug)]
pub struct Archiver {
    store: Store,
    archive: Archive,
    settings: ArchiveSettings,
}

impl Archiver {
    /// An archiver of `store` into `archive`. It is the same archive for the whole life of a store.
    pub fn new(store: Store, archive: Archive, settings: ArchiveSettings) -> Self {
        Self { store, archive, settings }
    }

    /// Writes what is due at `now`: shards with a record of an earlier hour, an old record, or many. Returns the number of
    /// objects. Call it every few seconds.
    pub async fn archive_due(&self, now: Timestamp) -> Result<u64> {
        self.archive_shards(Some(now)).await
    }

    /// Writes everything that the log holds at this moment; returns the number of objects. Call it before stopping.
    pub async fn flush(&self) -> Result<u64> {
        self.archive_shards(None).await
    }

    /// Archives the shards that are due, or all. A task does it: it goes on when its caller does not, so that no object
    /// is still being written when the next archiver takes its turn.
    async fn archive_shards(&self, due_at: Option<Timestamp>) -> Result<u64> {
        let turn = self.store.take_archiving_turn().await;
        let archiver = self.clone();
        let task = tokio::spawn(async move { archiver.archive_in_turn(due_at, turn).await });
        task.await.unwrap_or_else(|error| Err(Error::new(Kind::Broken, "archiving the log", error)))
    }

    async fn archive_in_turn(&self, due_at: Option<Timestamp>, _turn: OwnedMutexGuard<()>) -> Result<u64> {
        let mut objects = 0;
        for shard in self.store.log().shards() {
            let until = self.store.blocking(move |store| store.last_sequence(shard)).await?;
            while self.is_due(shard, until, due_at).await? {
                self.write_next(shard).await?;
                objects += 1;
            }
        }
        Ok(objects)
    }

    /// Whether the shard has records up to `until` that should be in the archive.
    async fn is_due(&self, shard: ShardId, until: u64, due_at: Option<Timestamp>) -> Result<bool> {
        let ArchiveSettings { age_max, records_due, .. } = self.settings;
        let age_max_ms = i64::try_from(age_max.as_millis()).unwrap_or(i64::MAX);
        self.store
            .blocking(move |store| {
                let archived = store.keyspaces().archived(shard)?.sequence;
                let Some(first) = store.log_after(shard, archived)?.next().transpose()? else {
                    return Ok(false);
                };
                let Some(now) = due_at else { return Ok(archived < until) };
                Ok(now.hour() > first.arrival.hour()
                    || now.ms_since(first.arrival) >= age_max_ms
                    || until.saturating_sub(archived) >= records_due)
            })
            .await
    }

    async fn write_next(&self, shard: ShardId) -> Result<()> {
        let object_bytes_max = self.settings.object_bytes_max;
        let planned = self.store.blocking(move |store| plan_next(store, shard, object_bytes_max)).await?;
        let Some(Object { key, last_sequence, lines, bytes }) = planned else { return Ok(()) };
        let (key, size) = (key.to_string(), bytes.len() as u64);
        self.archive.put(&key, bytes).await?;
        let done = Archived { sequence: last_sequence, planned: last_sequence };
        self.store.blocking(move |store| store.put_archived(shard, done)).await?;
        ArchiveObjectWritten { key: &key, records: lines, bytes: size }.emit();
        Ok(())
    }
}

/// Builds the next object of a shard, and notes where it ends unless that is noted.
fn plan_next(store: &Store, shard: ShardId, object_bytes_max: usize) -> Result<Option<Object>> {
    let archived = store.keyspaces().archived(shard)?;
    let is_planned = archived.planned > archived.sequence;
    let end = if is_planned { End::At(archived.planned) } else { End::WhenFull { bytes: object_bytes_max } };
    let object = build(store, shard, archived.sequence, end)?;
    if let Some(object) = &object
        && !is_planned
    {
        store.put_archived(shard, Archived { planned: object.last_sequence, ..archived })?;
    }
    Ok(object)
}

impl Store {
    /// Waits until no other archiver is at work.
    async fn take_archiving_turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(self.archiving()).lock_owned().await
    }

    fn put_archived(&self, shard: ShardId, archived: Archived) -> Result<()> {
        let mut batch = self.batch_synced();
        self.keyspaces().stage_archived(&mut batch, shard, archived);
        batch.commit().map_err(storage("moving the archive's progress"))
    }
}
