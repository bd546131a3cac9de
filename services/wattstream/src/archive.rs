//! The records of an archive, in the order in which their log held them.

use anyhow::Context;
use bytes::Bytes;
use wattstream_embedded::Archive;
use wattstream_engine::ports::NewRecord;
use wattstream_wire::{ArchiveEntry, decode_reading};

use crate::cli::ArchivePlace;
use crate::pipeline::UNREADABLE_KEY;

/// The archive at a place.
pub(crate) fn open(place: &ArchivePlace) -> anyhow::Result<Archive> {
    match place {
        ArchivePlace::Folder(folder) => {
            Archive::local(folder).with_context(|| format!("no archive in {}", folder.display()))
        }
        #[cfg(feature = "aws")]
        ArchivePlace::Bucket { bucket, prefix } => crate::aws::block_on(async |environment| {
            let operator = wattstream_aws::Operator::from_environment(&environment).await?;
            Ok(Archive::new(operator.archive(bucket, prefix)?))
        }),
        #[cfg(not(feature = "aws"))]
        ArchivePlace::Bucket { .. } => Err(crate::without_aws("archives in S3")),
    }
}

/// An archive and what is in it, in the order in which it is read.
pub(crate) struct Listed {
    archive: Archive,
    keys: Vec<String>,
}

impl Listed {
    pub(crate) fn new(archive: Archive) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let keys = runtime.block_on(archive.keys())?;
        Ok(Self { archive, keys })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// Hands every record to `send`, in chunks. Within a shard, and so within a site, the order is that of the log. A line
/// that is damaged is named on stderr and left out.
pub(crate) async fn send_records(
    Listed { archive, keys }: &Listed,
    chunk_records: usize,
    mut send: impl AsyncFnMut(Vec<NewRecord>) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let (mut chunk, mut records) = (Vec::with_capacity(chunk_records), 0);
    for key in keys {
        let mut object = archive.open(key).await?;
        while let Some(entry) = object.next_entry().with_context(|| format!("reading {key}"))? {
            match entry {
                ArchiveEntry::Record(payload) => chunk.push(record_of(Bytes::copy_from_slice(payload))),
                ArchiveEntry::TooLong { offset, bytes } => {
                    anstream::eprintln!("{key}: left out a line of {bytes} bytes at byte {offset}: too long");
                }
                ArchiveEntry::Truncated { offset, bytes } => {
                    anstream::eprintln!(
                        "{key}: left out {} bytes at byte {offset}: the object is cut off",
                        bytes.len()
                    );
                }
            }
            if chunk.len() == chunk_records {
                records += chunk.len() as u64;
                send(std::mem::replace(&mut chunk, Vec::with_capacity(chunk_records))).await?;
            }
        }
    }
    records += chunk.len() as u64;
    if !chunk.is_empty() {
        send(chunk).await?;
    }
    Ok(records)
}

/// A payload as it goes on the stream: by its site, or, when it names none, with all others that name none.
pub(crate) fn record_of(data: Bytes) -> NewRecord {
    let partition_key = decode_reading(&data)
        .map_or_else(|_| UNREADABLE_KEY.to_owned(), |reading| reading.site_id.to_string());
    NewRecord { partition_key, data }
}
