//! A write that a power cut tore.
//!
//! The storage engine discards an unfinished batch at the end of its journal by itself, as long as it can see that the
//! batch is unfinished. It cannot when the disk has kept the batch's end and lost a page in the middle of one long value:
//! then it finds a wrong checksum and refuses the whole store.
//!
//! Such a batch was never acknowledged, and it is the last of the journal: every batch with a long value is synced before
//! another one can follow. So when leaving the last batch out mends the store, it was torn. When it does not, the damage
//! is elsewhere, and nothing is changed.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What stands at the end of each batch: tag, checksum, mark. Source: fjall 3, `journal/entry.rs`.
const END_TAG: u8 = 3;
const END_CHECKSUM_BYTES: usize = 8;
const END_MARK: &[u8] = b"FJL\x03";
const END_BYTES: usize = 1 + END_CHECKSUM_BYTES + END_MARK.len();

/// The end of a journal's last batch, which was taken off.
#[derive(Debug)]
pub(crate) struct TornBatch {
    journal: PathBuf,
    length: usize,
    end: Vec<u8>,
}

impl TornBatch {
    /// Takes the end off the last batch in the journal that was written last, so that the batch is visibly unfinished.
    /// `None` when there is no batch.
    pub(crate) fn leave_out(store_dir: &Path) -> io::Result<Option<Self>> {
        let Some(journal) = newest_journal(store_dir)? else { return Ok(None) };
        let content = fs::read(&journal)?;
        let Some(length) = last_end(&content) else { return Ok(None) };
        cut(&journal, length)?;
        Ok(Some(Self { journal, length, end: content[length..length + END_BYTES].to_vec() }))
    }

    /// Puts the end back.
    pub(crate) fn put_back(self) -> io::Result<()> {
        cut(&self.journal, self.length)?;
        let mut journal = OpenOptions::new().append(true).open(&self.journal)?;
        journal.write_all(&self.end)?;
        journal.sync_all()
    }
}

fn cut(journal: &Path, length: usize) -> io::Result<()> {
    let journal = OpenOptions::new().write(true).open(journal)?;
    journal.set_len(length as u64)?;
    journal.sync_all()
}

/// The journal with the highest number.
fn newest_journal(store_dir: &Path) -> io::Result<Option<PathBuf>> {
    let mut newest = None;
    for entry in fs::read_dir(store_dir)? {
        let path = entry?.path();
        let is_journal = path.extension() == Some(OsStr::new("jnl"));
        let number = path.file_stem().and_then(OsStr::to_str).and_then(|stem| stem.parse::<u64>().ok());
        newest = newest.max(number.filter(|_| is_journal).map(|number| (number, path)));
    }
    Ok(newest.map(|(_, path)| path))
}

/// Where the end of the last batch begins.
fn last_end(journal: &[u8]) -> Option<usize> {
    let is_end = |bytes: &[u8]| bytes[0] == END_TAG && bytes.ends_with(END_MARK);
    journal.windows(END_BYTES).rposition(is_end)
}

#[cfg(test)]
mod tests;
