//! The records of an archive folder, in the order in which their log held them.

use std::path::Path;

use anyhow::Context;
use bytes::Bytes;
use wattstream_embedded::Archive;
use wattstream_engine::ports::NewRecord;
use wattstream_wire::{ArchiveEntry, decode_reading};

use crate::pipeline::UNREADABLE_KEY;

/// Hands every record to `send`, in chunks. Within a shard, and so within a site, the order is that of the log. A line
/// that is damaged is named on stderr and left out.
pub(crate) async fn send_records(
    folder: &Path,
    chunk_records: usize,
    mut send: impl AsyncFnMut(Vec<NewRecord>) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let archive = Archive::local(folder)?;
    let (mut chunk, mut records) = (Vec::with_capacity(chunk_records), 0);
    for key in archive.keys().await? {
        let mut object = archive.open(&key).await?;
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
