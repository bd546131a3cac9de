//! The ports on one machine: a sharded log, the tables and an archive in one folder.
//!
//! ```text
//!   DIR/store/      one fjall database: the log and everything derived from it
//!   DIR/archive/    every raw record, gzip lines in hourly folders
//! ```
//!
//! What must always hold:
//!
//! - **An acknowledged append survives a power cut.** [`Producer::append`](wattstream_engine::ports::Producer::append)
//!   answers after the journal was synced, and no reader sees a record before that.
//! - **A crash loses a suffix of the calls.** Every write goes through one journal, in the order of the calls; each call
//!   is one atomic batch. A killed process loses nothing that was answered. A power cut may lose the calls after the last
//!   sync, and never one that stands before a kept one: so a checkpoint is never durable without the tables under it,
//!   and what was lost is delivered again. [`Tables::put_shard_mark`](wattstream_engine::ports::Tables::put_shard_mark)
//!   syncs, as its port promises.
//! - **One process owns the folder.** A second one is refused.
//! - **Memory has a bound**, whatever the number of sites: see the constants of [`StoreSettings`].
//! - **A disk that fills up stops the intake**, with [`Kind::Retry`](wattstream_engine::Kind::Retry), before it stops the
//!   store; what is in the log is still processed and shown.
//! - **Nothing is trimmed from the log that was not both consumed and archived.**
//!
//! The ports that the pipeline calls block the calling thread, because the pipeline runs on threads of its own. The ones
//! that a server calls ([`Queries`](wattstream_engine::ports::Queries), the operator's calls, the archive) move to
//! tokio's blocking threads.

mod alerts;
mod anomalies;
mod archive;
mod dead_letters;
mod disk_reserve;
mod error;
#[cfg(test)]
mod fixture;
mod fleet;
mod hash_ranges;
mod keys;
mod keyspaces;
mod live;
mod log;
mod progress;
mod queries;
mod retention;
mod silences;
mod store;
mod tables;
mod torn_batch;

pub use archive::{
    ARCHIVE_AGE_MAX, ARCHIVE_OBJECT_BYTES_MAX, ARCHIVE_RECORDS_DUE, ARCHIVE_STREAM, Archive,
    ArchiveObjectReader, ArchiveSettings, Archiver,
};
pub use log::{APPEND_QUEUE_BYTES_MAX, PARTITION_KEY_CHARS_MAX, RECORD_BYTES_MAX, WAIT_MAX};
pub use store::{Clock, FORMAT, OpenError, SHARDS_DEFAULT, SHARDS_MAX, Store, StoreSettings};
