//! The archive: every raw record, in folders by hour.
//!
//! The layout is the one that Firehose writes: `raw/year=2025/month=06/day=20/hour=00/` in UTC, by the arrival of the
//! first record of an object, then one object of gzip-compressed lines.

mod key;
mod line;
mod reader;

pub use key::{ArchiveKey, ArchiveKeyError, archive_hour, archive_prefix};
pub use line::append_archive_record;
pub use reader::{ARCHIVE_LINE_BYTES_MAX, ArchiveEntry, ArchiveReadError, ArchiveReader};
