//! The archive: every raw record, gzip lines in the key layout of Firehose.
//!
//! [`Archiver`] follows the log; [`Archive`] lists and opens what it wrote, or what Firehose did.

mod archiver;
mod object;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{GetResultPayload, ObjectStore, ObjectStoreExt};
use wattstream_engine::{Error, Kind, Result};
use wattstream_wire::{ArchiveReader, archive_hour};

pub use archiver::{
    ARCHIVE_AGE_MAX, ARCHIVE_OBJECT_BYTES_MAX, ARCHIVE_RECORDS_DUE, ARCHIVE_STREAM, ArchiveSettings, Archiver,
};

const OPENING: &str = "opening an archive object";
const FETCHING: &str = "fetching an archive object into a temporary file";

/// A place with archive objects.
#[derive(Clone, Debug)]
pub struct Archive {
    objects: Arc<dyn ObjectStore>,
}

/// Reads the records of one object. It blocks: use it where that is allowed.
pub type ArchiveObjectReader = ArchiveReader<Box<dyn BufRead + Send>>;

impl Archive {
    /// The archive in a folder, which must be there. What is written to it is synced, its folders included.
    ///
    /// Its files have the rights that the umask gives; a store's own archive lies in a folder that only its owner enters.
    pub fn local(dir: &Path) -> Result<Self> {
        let objects = LocalFileSystem::new_with_prefix(dir).map_err(archive_error("opening the archive"))?;
        Ok(Self::new(Arc::new(objects.with_fsync(true))))
    }

    /// The archive in an object store.
    pub fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects }
    }

    /// The keys of all objects in the order in which to read them: by arrival, so that the records of one shard, and with
    /// them those of one site, come in the order of the log.
    pub async fn keys(&self) -> Result<Vec<String>> {
        let objects = self.objects.list(None).map_ok(|object| object.location.to_string());
        let mut keys: Vec<String> = objects
            .try_filter(|key| std::future::ready(archive_hour(key).is_some()))
            .try_collect()
            .await
            .map_err(archive_error("listing the archive"))?;
        keys.sort_unstable();
        Ok(keys)
    }

    /// Opens an object, which is read as it is decompressed.
    pub async fn open(&self, key: &str) -> Result<ArchiveObjectReader> {
        let object = self.objects.get(&object_path(key)?).await.map_err(archive_error(OPENING))?;
        let compressed = match object.payload {
            GetResultPayload::File(file, _) => file,
            GetResultPayload::Stream(chunks) => fetched(chunks).await?,
        };
        let lines = BufReader::new(MultiGzDecoder::new(BufReader::new(compressed)));
        Ok(ArchiveReader::new(Box::new(lines)))
    }

    async fn put(&self, key: &str, object: Vec<u8>) -> Result<()> {
        let put = self.objects.put(&object_path(key)?, object.into()).await;
        put.map(drop).map_err(archive_error("writing an archive object"))
    }
}

/// Puts what comes over a network into a file that has no name and is gone when it is closed. It takes no memory, and nobody
/// holds a connection open for as long as the records take to be worked on.
async fn fetched(mut chunks: BoxStream<'static, object_store::Result<Bytes>>) -> Result<File> {
    let on_disk = |error: io::Error| Error::new(Kind::Retry, FETCHING, error);
    let mut file = tempfile::tempfile().map_err(on_disk)?;
    while let Some(chunk) = chunks.next().await {
        file.write_all(&chunk.map_err(archive_error(FETCHING))?).map_err(on_disk)?;
    }
    file.rewind().map_err(on_disk)?;
    Ok(file)
}

fn object_path(key: &str) -> Result<ObjectPath> {
    ObjectPath::parse(key).map_err(|error| Error::new(Kind::Reject, "naming an archive object", error))
}

/// An error of the object store. What a full disk or a network does may pass; what is missing or forbidden stays so.
fn archive_error(doing: &'static str) -> impl Fn(object_store::Error) -> Error {
    move |error| {
        let kind = match &error {
            object_store::Error::Generic { .. } | object_store::Error::JoinError { .. } => Kind::Retry,
            _ => Kind::Broken,
        };
        Error::new(kind, doing, error)
    }
}

#[cfg(test)]
mod tests;
