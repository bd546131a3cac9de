//! What the storage engine's errors mean to a caller of a port.
//!
//! The storage engine refuses every write after one that failed, until the store is opened again. So only what fails
//! before a write, or the failed write itself, can be worth another try; what comes after it needs a restart.

use std::io;
use std::sync::Arc;

use wattstream_engine::{Error, Kind};
use wattstream_wire::stored::StoredError;

/// The error of a port call that the storage engine failed while `doing` something.
pub(crate) fn storage(doing: &'static str) -> impl Fn(fjall::Error) -> Error {
    move |source| shared(doing, &Arc::new(source))
}

/// The same, for one failure that several callers share.
pub(crate) fn shared(doing: &'static str, source: &Arc<fjall::Error>) -> Error {
    Error::new(kind_of(source), doing, StorageError(Arc::clone(source)))
}

/// The error of finding bytes that this store never wrote.
pub(crate) fn damaged(doing: &'static str) -> impl Fn(Damage) -> Error {
    move |damage| Error::new(Kind::Broken, doing, damage)
}

/// Something in the store that this version cannot have written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Damage {
    /// A key.
    #[error(
        "the key {key:02x?} in {keyspace} is damaged: rebuild the store from the archive with `wattstream replay`"
    )]
    Key { keyspace: &'static str, key: Vec<u8> },
    /// The value under a key.
    #[error(
        "the value at {key:02x?} in {keyspace} is damaged: rebuild the store from the archive with `wattstream replay`"
    )]
    Value { keyspace: &'static str, key: Vec<u8> },
    /// A projection.
    #[error(transparent)]
    Stored(#[from] StoredError),
}

/// A failure of the storage engine, with what to do about it.
#[derive(Debug, thiserror::Error)]
struct StorageError(#[source] Arc<fjall::Error>);

impl std::fmt::Display for StorageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &*self.0 {
            fjall::Error::Poisoned => f.write_str(
                "an earlier write to the store failed and it takes no more: see to the disk, then start again",
            ),
            error => match io_error(error) {
                Some(error) => write!(f, "{error}"),
                None => write!(f, "{error}: rebuild the store from the archive with `wattstream replay`"),
            },
        }
    }
}

fn kind_of(error: &fjall::Error) -> Kind {
    match io_error(error).map(io::Error::kind) {
        Some(
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge
            | io::ErrorKind::Interrupted
            | io::ErrorKind::OutOfMemory
            | io::ErrorKind::ResourceBusy
            | io::ErrorKind::TimedOut
            | io::ErrorKind::WouldBlock,
        ) => Kind::Retry,
        _ => Kind::Broken,
    }
}

/// The failed system call behind an error, when one is.
pub(crate) fn io_error(error: &fjall::Error) -> Option<&io::Error> {
    match error {
        fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) => Some(error),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_worth_another_try_and_a_damaged_store_is_not() {
        let io = |kind| fjall::Error::Io(io::Error::from(kind));
        let table = [
            (io(io::ErrorKind::StorageFull), Kind::Retry),
            (fjall::Error::Storage(fjall::LsmError::Io(io::ErrorKind::StorageFull.into())), Kind::Retry),
            (io(io::ErrorKind::PermissionDenied), Kind::Broken),
            (fjall::Error::Poisoned, Kind::Broken),
            (fjall::Error::Storage(fjall::LsmError::Unrecoverable), Kind::Broken),
        ];
        for (error, kind) in table {
            assert_eq!(kind_of(&error), kind, "{error}");
            let message = storage("writing")(error).to_string();
            assert!(
                message.starts_with("writing: ") && !message.contains("FjallError: Poisoned"),
                "{message}"
            );
        }
    }
}
