//! The folder, and opening it.

use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fjall::{Database, OwnedWriteBatch, PersistMode, Snapshot};
use wattstream_domain::Timestamp;

use crate::anomalies;
use crate::disk_reserve::{DISK_RESERVE_BYTES, DiskReserve};
use crate::error::{io_error, storage};
use crate::fleet::{self, NewestHours};
use crate::hash_ranges::HashRanges;
use crate::keyspaces::{CACHE_BYTES, JOURNAL_BYTES_MAX, Keyspaces};
use crate::live::Live;
use crate::log::{Log, LogSettings};
use crate::torn_batch::TornBatch;

/// The layout of the store that this version writes. One that was written in an older format is brought to this one when it is
/// opened; the version that wrote it cannot open it any more.
pub const FORMAT: u32 = 3;

/// The first format with the sums of all sites.
const FORMAT_WITH_FLEET: u32 = 2;
/// The first format with the anomalies by time.
const FORMAT_WITH_ANOMALIES_BY_TIME: u32 = 3;

/// The shards of a new store, unless told otherwise: some parallelism on a small machine.
pub const SHARDS_DEFAULT: u32 = 4;

/// The most shards of a store. Each costs the pipeline a task and the archive an object an hour.
pub const SHARDS_MAX: u32 = 256;

/// Tells the time at which a record arrives. It may stand still or jump back: arrivals never do.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How to open a store.
///
/// Memory is no setting: cache and memtables take at most 156 MiB, most of the time less than half of that, so that the
/// process stays within 300 MB with 10,000 sites.
#[derive(Clone)]
pub struct StoreSettings {
    /// The shards of the log, 1 to [`SHARDS_MAX`]. They are fixed when the store is created: opening one with another
    /// count is an error. `None` takes what is stored, or [`SHARDS_DEFAULT`].
    pub shards: Option<u32>,
    /// The time of arrivals.
    pub clock: Clock,
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{} is in use by another process: stop that one, or choose another folder", dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// It was written by another version.
    #[error("{} has format {found}, this version reads format {FORMAT}: use the version that wrote it, or rebuild it from its archive with `wattstream replay`", dir.display())]
    Format {
        /// The folder.
        dir: PathBuf,
        /// The format found.
        found: String,
    },
    /// It was created with another number of shards.
    #[error("{} has {stored} shards, not {asked}: the count is fixed when a store is created, so leave it out, or choose another folder", dir.display())]
    Shards {
        /// The folder.
        dir: PathBuf,
        /// The shards that it has.
        stored: u32,
        /// The shards asked for.
        asked: u32,
    },
    /// No store can have so many shards.
    #[error("a store has 1 to {SHARDS_MAX} shards, not {asked}")]
    ShardCount {
        /// The shards asked for.
        asked: u32,
    },
    /// The folder or a file in it could not be used.
    #[error("{} cannot be used: {source}", dir.display())]
    Io {
        /// The folder.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is there is not what was written.
    #[error("the store in {} is damaged ({detail}): rebuild it from its archive with `wattstream replay`", dir.display())]
    Damaged {
        /// The folder.
        dir: PathBuf,
        /// What was found.
        detail: String,
    },
}

/// All that one machine stores, in one folder. A clone is another handle of the same store; the folder is free again when
/// the last one is dropped.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    /// Dropped first: its thread holds a handle of the database.
    log: Log,
    keyspaces: Keyspaces,
    db: Database,
    conditional_writes: Mutex<()>,
    state_commits: AtomicU64,
    hours: Mutex<NewestHours>,
    live: Live,
    archiving: Arc<tokio::sync::Mutex<()>>,
    archive_dir: PathBuf,
}

impl Store {
    /// Opens the store in `dir`, or creates it there, readable for its owner only.
    pub fn open(dir: &Path, settings: StoreSettings) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io { dir: dir.to_owned(), source };
        let storage = |error| open_error(dir, error);
        let (store_dir, archive_dir) = (dir.join(STORE_DIR), dir.join(ARCHIVE_DIR));
        create_private_dir(dir).map_err(io)?;
        for dir in [&store_dir, &archive_dir] {
            create_private_dir(dir).and_then(|()| restrict_to_owner(dir)).map_err(io)?;
        }
        let db = open_database(&store_dir).map_err(storage)?;
        let keyspaces = Keyspaces::open(&db).map_err(storage)?;
        let shards = agree_on_shards(dir, &db, &keyspaces, settings.shards)?;
        upgrade(&db, &keyspaces).map_err(|error| io(io::Error::other(error)))?;
        let log_settings = LogSettings {
            ranges: HashRanges::even(shards),
            clock: settings.clock,
            reserve: DiskReserve { dir: store_dir, bytes: DISK_RESERVE_BYTES },
        };
        let log = Log::open(&db, &keyspaces, log_settings).map_err(|error| io(io::Error::other(error)))?;
        Ok(Self(Arc::new(Inner {
            log,
            keyspaces,
            db,
            conditional_writes: Mutex::default(),
            state_commits: AtomicU64::default(),
            hours: Mutex::default(),
            live: Live::default(),
            archiving: Arc::default(),
            archive_dir,
        })))
    }

    /// Whether `dir` holds a store.
    pub fn exists(dir: &Path) -> bool {
        dir.join(STORE_DIR).is_dir()
    }

    /// The folder of the archive.
    pub fn archive_dir(&self) -> &Path {
        &self.0.archive_dir
    }

    /// The number of shards of the log.
    pub fn shard_count(&self) -> usize {
        self.log().shards().count()
    }

    pub(crate) fn log(&self) -> &Log {
        &self.0.log
    }

    pub(crate) fn keyspaces(&self) -> &Keyspaces {
        &self.0.keyspaces
    }

    pub(crate) fn live(&self) -> &Live {
        &self.0.live
    }

    #[cfg(test)]
    pub(crate) fn db(&self) -> &Database {
        &self.0.db
    }

    /// A view of one moment, over all keyspaces.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.0.db.snapshot()
    }

    /// Writes that become visible together. They survive the death of the process, and the next sync a power cut.
    pub(crate) fn batch(&self) -> OwnedWriteBatch {
        self.0.db.batch()
    }

    /// Writes that become visible together, once they and everything before them are on disk.
    pub(crate) fn batch_synced(&self) -> OwnedWriteBatch {
        self.0.db.batch().durability(Some(PersistMode::SyncAll))
    }

    /// Held while an archiver is at work.
    pub(crate) fn archiving(&self) -> &Arc<tokio::sync::Mutex<()>> {
        &self.0.archiving
    }

    /// Held from looking at what is stored until writing over it, so that a condition still holds when its write happens.
    pub(crate) fn lock_conditional_writes(&self) -> MutexGuard<'_, ()> {
        self.0.conditional_writes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often states were committed since the store was opened.
    pub(crate) fn state_commits(&self) -> u64 {
        self.0.state_commits.load(Ordering::Acquire)
    }

    /// Counts a commit of states. It is counted once they are visible: who has read a count sees all that it counts.
    pub(crate) fn count_state_commit(&self) {
        self.0.state_commits.fetch_add(1, Ordering::Release);
    }

    /// Held while hours are written, so that the sums of all sites follow each of them.
    pub(crate) fn lock_hours(&self) -> MutexGuard<'_, NewestHours> {
        self.0.hours.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("archive_dir", &self.0.archive_dir).finish_non_exhaustive()
    }
}

/// Threads that flush and merge. Under load each write asks again for a flush that is due, and a thread that is about to flush waits for
/// room among these requests: when the others merge, nobody makes any. With two threads, a merge of seconds let memtables grow to 600 MB.
const WORKER_THREADS: usize = 4;

const STORE_DIR: &str = "store";
const ARCHIVE_DIR: &str = "archive";

const META_FORMAT: &str = "format";
const META_SHARDS: &str = "shards";

/// Checks the format of a store and finds its number of shards; a new one is given both.
fn agree_on_shards(
    dir: &Path,
    db: &Database,
    keyspaces: &Keyspaces,
    asked: Option<u32>,
) -> Result<u32, OpenError> {
    let storage = |error| open_error(dir, error);
    if let Some(asked) = asked.filter(|asked| !(1..=SHARDS_MAX).contains(asked)) {
        return Err(OpenError::ShardCount { asked });
    }
    let stored = |name| -> Result<Option<u32>, OpenError> {
        let Some(value) = keyspaces.meta.get(name).map_err(storage)? else { return Ok(None) };
        let number = (*value).try_into().ok().map(u32::from_be_bytes);
        let damaged =
            || OpenError::Damaged { dir: dir.to_owned(), detail: format!("its {name} is no number") };
        number.map(Some).ok_or_else(damaged)
    };
    match (stored(META_FORMAT)?, stored(META_SHARDS)?) {
        (Some(1..=FORMAT), Some(stored)) => match asked {
            Some(asked) if asked != stored => Err(OpenError::Shards { dir: dir.to_owned(), stored, asked }),
            _ => Ok(stored),
        },
        (Some(1..=FORMAT), None) => {
            Err(OpenError::Damaged { dir: dir.to_owned(), detail: "its shards are missing".into() })
        }
        (Some(found), _) => Err(OpenError::Format { dir: dir.to_owned(), found: found.to_string() }),
        (None, _) => {
            let shards = asked.unwrap_or(SHARDS_DEFAULT);
            let mut batch = db.batch().durability(Some(PersistMode::SyncAll));
            batch.insert(&keyspaces.meta, META_FORMAT, FORMAT.to_be_bytes());
            batch.insert(&keyspaces.meta, META_SHARDS, shards.to_be_bytes());
            batch.commit().map_err(storage)?;
            Ok(shards)
        }
    }
}

/// Brings a store of an older format to this one. When it breaks off, it begins again at the next opening.
fn upgrade(db: &Database, keyspaces: &Keyspaces) -> wattstream_engine::Result<()> {
    let doing = "reading the format of the store";
    let stored = keyspaces.meta.get(META_FORMAT).map_err(storage(doing))?;
    let stored = stored.and_then(|stored| (*stored).try_into().ok()).map_or(0, u32::from_be_bytes);
    if stored == FORMAT {
        return Ok(());
    }
    tracing::info!(
        stored,
        "The store is of an older format: what is new in it is being built. This happens once."
    );
    if stored < FORMAT_WITH_FLEET {
        fleet::build(db, keyspaces)?;
    }
    if stored < FORMAT_WITH_ANOMALIES_BY_TIME {
        anomalies::build(db, keyspaces)?;
    }
    let mut batch = db.batch().durability(Some(PersistMode::SyncAll));
    batch.insert(&keyspaces.meta, META_FORMAT, FORMAT.to_be_bytes());
    batch.commit().map_err(storage("writing the format of the store"))
}

/// Opens the database. One that a power cut left with a torn batch is mended; see [`TornBatch`].
fn open_database(store_dir: &Path) -> fjall::Result<Database> {
    let open = || {
        Database::builder(store_dir)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES_MAX)
            .worker_threads(WORKER_THREADS)
            .open()
    };
    let error = match open() {
        Err(error @ fjall::Error::JournalRecovery(_)) => error,
        result => return result,
    };
    let Some(torn) = TornBatch::leave_out(store_dir)? else { return Err(error) };
    let Ok(db) = open() else {
        torn.put_back()?;
        return Err(error);
    };
    tracing::warn!("A write that a power cut had torn was discarded; it had not been acknowledged.");
    Ok(db)
}

fn open_error(dir: &Path, error: fjall::Error) -> OpenError {
    let dir = dir.to_owned();
    match error {
        fjall::Error::Locked => OpenError::InUse { dir },
        fjall::Error::InvalidVersion(version) => {
            let version = version.map_or_else(|| "unknown".to_owned(), |version| version.to_string());
            OpenError::Format { dir, found: format!("{version} of fjall") }
        }
        error => match io_error(&error) {
            Some(source) => OpenError::Io { dir, source: io::Error::new(source.kind(), error) },
            None => OpenError::Damaged { dir, detail: error.to_string() },
        },
    }
}

/// Creates a folder, and those above it that are missing, for the owner alone. The umask can only take rights away.
fn create_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Takes the rights of everybody else from a folder that may have been there before.
fn restrict_to_owner(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

#[cfg(test)]
mod tests;
