//! The keyspaces of the store, and how much memory each may take.
//!
//! What must always hold: all keyspaces together stay within [`MEMORY_BYTES_MAX`], whatever is written. A keyspace holds
//! one memtable that is being filled, and up to four that wait to be flushed before the storage engine stops the writers;
//! one or two is the rule. The sizes are stored with a keyspace when it is created: changing a constant here changes new
//! stores.

use fjall::config::{BlockSizePolicy, FilterPolicy};
use fjall::{Database, Keyspace, KeyspaceCreateOptions};

const KIB: u64 = 1_024;
const MIB: u64 = 1_024 * KIB;

/// Blocks read from disk that are kept: the tail of the log, the newest rows and their indexes are read again at once.
pub(crate) const CACHE_BYTES: u64 = 16 * MIB;

/// Memtables of the log and of the readings, which take all of the traffic: about a second of it at full load.
const BUSY_MEMTABLE_BYTES: u64 = 8 * MIB;

/// The memtable of the states: 10,000 of them at some 400 bytes.
const SITES_MEMTABLE_BYTES: u64 = 4 * MIB;

/// Memtables of everything else.
const QUIET_MEMTABLE_BYTES: u64 = MIB;

/// The memtable of the open silences: thousands of them at some 100 bytes, and one changes once in hours.
const SILENCES_MEMTABLE_BYTES: u64 = 512 * KIB;

/// The memtable of all sites together: a row a bucket, and the hour at hand changes most.
const FLEET_MEMTABLE_BYTES: u64 = 256 * KIB;

/// The memtable of the anomalies by time: keys alone, of rare readings.
const ANOMALIES_BY_TIME_MEMTABLE_BYTES: u64 = 256 * KIB;

/// Memtables of one keyspace when the storage engine stops its writers.
const MEMTABLES_MAX: u64 = 5;

const BUSY_KEYSPACES: u64 = 2;
const QUIET_KEYSPACES: u64 = 7;

/// The most memory that cache and memtables take, which leaves a process of 300 MB half of it for everything else.
pub(crate) const MEMORY_BYTES_MAX: u64 = CACHE_BYTES
    + MEMTABLES_MAX
        * (BUSY_KEYSPACES * BUSY_MEMTABLE_BYTES
            + SITES_MEMTABLE_BYTES
            + QUIET_KEYSPACES * QUIET_MEMTABLE_BYTES
            + SILENCES_MEMTABLE_BYTES
            + FLEET_MEMTABLE_BYTES
            + ANOMALIES_BY_TIME_MEMTABLE_BYTES);

const _: () = assert!(MEMORY_BYTES_MAX <= 156 * MIB);

/// Journals that wait for quiet keyspaces to be flushed. They bound what is read again when the store is opened.
pub(crate) const JOURNAL_BYTES_MAX: u64 = 128 * MIB;

/// Blocks of the log, which is read from one record on: bigger ones compress better.
const LOG_BLOCK_BYTES: u32 = 16 * 1_024;

/// The keyspaces. Each is documented as `key -> value`.
pub(crate) struct Keyspaces {
    /// Name -> what the folder was created with.
    pub(crate) meta: Keyspace,
    /// Shard, sequence -> arrival, partition key, payload.
    pub(crate) log: Keyspace,
    /// Kind, shard -> how far a reader of the shard has come.
    pub(crate) progress: Keyspace,
    /// Site, instant -> row.
    pub(crate) readings: Keyspace,
    /// Site, instant of each row with findings -> nothing.
    pub(crate) anomalies: Keyspace,
    /// Instant, site of each row with findings -> nothing.
    pub(crate) anomalies_by_time: Keyspace,
    /// Site, hour -> closed hour.
    pub(crate) hours: Keyspace,
    /// Resolution, bucket -> all sites together in it.
    pub(crate) fleet: Keyspace,
    /// Site -> version, state.
    pub(crate) sites: Keyspace,
    /// Position -> dead letter.
    pub(crate) dead_letters: Keyspace,
    /// Instant, id -> alert.
    pub(crate) alerts: Keyspace,
    /// Id of each alert -> nothing.
    pub(crate) alert_ids: Keyspace,
    /// Site, newest reading before the silence -> open silence.
    pub(crate) silences: Keyspace,
}

impl Keyspaces {
    /// Opens the keyspaces and creates those that are not there.
    pub(crate) fn open(db: &Database) -> fjall::Result<Self> {
        let sized = |bytes| KeyspaceCreateOptions::default().max_memtable_size(bytes);
        let quiet = |name| db.keyspace(name, || sized(QUIET_MEMTABLE_BYTES));
        // Nothing asks the log for one key, so filters would only cost memory.
        let log = || {
            sized(BUSY_MEMTABLE_BYTES)
                .data_block_size_policy(BlockSizePolicy::all(LOG_BLOCK_BYTES))
                .filter_policy(FilterPolicy::disabled())
        };
        // Rows and hours are read by ranges, which pass filters by. A merge would gather eight bytes a row for them, 16 MB
        // and more at a time.
        let unfiltered = |bytes| sized(bytes).filter_policy(FilterPolicy::disabled());
        Ok(Self {
            meta: quiet("meta")?,
            log: db.keyspace("log", log)?,
            progress: quiet("progress")?,
            readings: db.keyspace("readings", || unfiltered(BUSY_MEMTABLE_BYTES))?,
            anomalies: quiet("anomalies")?,
            anomalies_by_time: db
                .keyspace("anomalies_by_time", || sized(ANOMALIES_BY_TIME_MEMTABLE_BYTES))?,
            hours: db.keyspace("hours", || unfiltered(QUIET_MEMTABLE_BYTES))?,
            fleet: db.keyspace("fleet", || sized(FLEET_MEMTABLE_BYTES))?,
            sites: db.keyspace("sites", || sized(SITES_MEMTABLE_BYTES).expect_point_read_hits(true))?,
            dead_letters: quiet("dead_letters")?,
            alerts: quiet("alerts")?,
            alert_ids: quiet("alert_ids")?,
            silences: db.keyspace("silences", || sized(SILENCES_MEMTABLE_BYTES))?,
        })
    }
}
