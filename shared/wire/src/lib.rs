//! Bytes to domain and back.
//!
//! Everything that crosses the edge of wattstream as bytes is read and written here, and nowhere else:
//!
//! - **readings**, one JSON object each: [`decode_reading`], [`encode_reading`];
//! - the **decimals** and **times** inside them, also for readers of other formats: [`parse_energy`],
//!   [`parse_timestamp`];
//! - **aggregates**, many records that the Kinesis Producer Library packed into one: [`deaggregate`], [`Aggregator`];
//! - the **events** that Lambda hands to a function: [`kinesis_event`]; and what Lambda leaves of the batches that it gave
//!   up: [`on_failure`]; and what a schedule hands over: [`parse_scheduled_time`];
//! - the **archive**, every raw record in hourly folders: [`ArchiveKey`], [`append_archive_record`], [`ArchiveReader`];
//! - **alerts** as their receivers get them: [`encode_alert_message`];
//! - **projections** as they are stored: [`stored`].
//!
//! What always holds:
//!
//! - **Any bytes have an outcome.** No input panics, overflows the stack or takes memory out of proportion to its own
//!   length. What cannot be used comes back as a [`Reject`]: a [`Reason`] to count by and a sentence to mend by.
//! - **One meaning, one value.** A number is read from the decimal as written, never through a double; an instant is the
//!   same [`Timestamp`](wattstream_domain::Timestamp) however it is spelt.
//! - **What is written is read back exactly**: `decode` after `encode` is the identity, for readings, aggregates, keys
//!   and archived records of any bytes.
//! - The code is pure: no clock, no randomness, no files. The archive reader takes any
//!   [`BufRead`](std::io::BufRead) and leaves opening and decompressing to its caller.

mod alert_message;
mod archive;
mod decimal;
pub mod kinesis_event;
mod kpl;
pub mod on_failure;
mod reading;
mod reject;
mod schedule_event;
pub mod stored;
mod time;

pub use alert_message::encode_alert_message;
pub use archive::{
    ARCHIVE_LINE_BYTES_MAX, ArchiveEntry, ArchiveKey, ArchiveKeyError, ArchiveReadError, ArchiveReader,
    append_archive_record, archive_hour, archive_prefix,
};
pub use decimal::{EnergyTextError, parse_energy};
pub use kpl::{
    AGGREGATE_BYTES_DEFAULT, AGGREGATE_BYTES_MAX, AGGREGATE_MAGIC, AggregateFull, Aggregator, Payloads,
    deaggregate,
};
pub use reading::{READING_BYTES_MAX, decode_reading, encode_reading};
pub use reject::{REJECT_DETAIL_BYTES_MAX, Reason, Reject};
pub use schedule_event::{ScheduledTimeError, parse_scheduled_time};
pub use time::{TimestampTextError, parse_timestamp};
