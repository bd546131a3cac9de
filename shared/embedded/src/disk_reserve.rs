//! The room that is kept free on the disk.
//!
//! The storage engine takes no write at all after one that found the disk full, until the store is opened again. So
//! records are no longer taken in some time before that. What is in the log is still processed, archived and shown, and
//! when there is room again, records are taken in again.

use std::path::{Path, PathBuf};

use wattstream_engine::{Error, Kind, Result};

/// What the tables, the journals and a compaction can still need for the records that are in the log: two journals of
/// 64 MiB and as much again for flushing and compacting them.
pub(crate) const DISK_RESERVE_BYTES: u64 = 256 * 1_024 * 1_024;

/// Tells whether the disk of a folder is close to full.
#[derive(Clone, Debug)]
pub(crate) struct DiskReserve {
    /// The folder.
    pub(crate) dir: PathBuf,
    /// The bytes to keep free.
    pub(crate) bytes: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("the disk of {} has only {free} bytes left, and {reserve} are kept free: make room, and records are taken in again", dir.display())]
struct DiskFull {
    dir: PathBuf,
    free: u64,
    reserve: u64,
}

impl DiskReserve {
    /// An error when less than the reserve is free.
    pub(crate) fn check(&self) -> Result<()> {
        match free_bytes(&self.dir) {
            Some(free) if free < self.bytes => {
                let full = DiskFull { dir: self.dir.clone(), free, reserve: self.bytes };
                Err(Error::new(Kind::Retry, "appending to the log", full))
            }
            _ => Ok(()),
        }
    }
}

/// The bytes that this user can still write, where the system tells. A disk that does not tell has its say when it is
/// written to.
#[cfg(unix)]
fn free_bytes(dir: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}
