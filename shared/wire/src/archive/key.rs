//! Names of archive objects.
//!
//! A key depends on nothing but what its object begins with, so that an archiver which starts over after a crash writes
//! the same object again. Within one shard, the text order of keys is the order of the log, provided that arrivals in
//! a shard never go back.

use std::fmt;
use std::str::FromStr;

use wattstream_domain::{Civil, Hour, SequenceNumber, ShardId, Timestamp};

use crate::time::parse_timestamp;

/// The longest stream name that Kinesis allows.
const STREAM_NAME_BYTES_MAX: usize = 128;

/// The folder of all raw records.
const ROOT: &str = "raw/";

/// The version of the delivery stream, as Firehose puts it into names. The local archive has no other.
const VERSION: &str = "1";

/// The folder of the records that arrived in `hour`, with a `/` at its end.
pub fn archive_prefix(hour: Hour) -> String {
    let Civil { year, month, day, hour, .. } = hour.start().civil();
    format!("{ROOT}year={year:04}/month={month:02}/day={day:02}/hour={hour:02}/")
}

/// The hour of the folder in which an object lies, whoever wrote the object.
pub fn archive_hour(key: &str) -> Option<Hour> {
    let mut folders = key.strip_prefix(ROOT)?.split('/');
    let mut number = |name: &str| folders.next()?.strip_prefix(name)?.strip_prefix('=');
    let (year, month, day, hour) = (number("year")?, number("month")?, number("day")?, number("hour")?);
    Some(parse_timestamp(&format!("{year}-{month}-{day}T{hour}:00:00Z")).ok()?.hour())
}

/// The name of an object that the local archiver writes: records of one shard, without a gap, from `first_sequence` on.
///
/// It prints as Firehose's names do, with the shard and the sequence number in the place of a random suffix. The count of
/// digits stands before the digits, so that text order is number order at any length:
/// `raw/year=2025/month=06/day=20/hour=00/readings-1-2025-06-20-00-00-59-000000000003-002-17.gz`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArchiveKey {
    stream: Box<str>,
    arrival: Timestamp,
    shard: ShardId,
    first_sequence: SequenceNumber,
}

/// Why a text is not the key of a local archive object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveKeyError {
    /// The stream's name breaks the rule of Kinesis.
    #[error("a stream name has 1 to {STREAM_NAME_BYTES_MAX} letters, digits, _ . or -")]
    StreamName,
    /// It is not the name of an object that the local archiver writes.
    #[error(
        "not an archive key: {ROOT}year=YYYY/month=MM/day=DD/hour=HH/STREAM-{VERSION}-YYYY-MM-DD-HH-MM-SS-SHARD-DIGITS-SEQUENCE.gz"
    )]
    Form,
}

impl ArchiveKey {
    /// The key of the object that begins with this record. Of `first_arrival`, the whole seconds count.
    pub fn new(
        stream: &str,
        first_arrival: Timestamp,
        shard: ShardId,
        first_sequence: SequenceNumber,
    ) -> Result<Self, ArchiveKeyError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        if !(1..=STREAM_NAME_BYTES_MAX).contains(&stream.len()) || !stream.bytes().all(allowed) {
            return Err(ArchiveKeyError::StreamName);
        }
        let arrival = first_arrival.saturating_add_ms(-(first_arrival.unix_ms() % 1_000));
        Ok(Self { stream: stream.into(), arrival, shard, first_sequence })
    }

    /// The stream whose records these are.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// When the first record arrived, in whole seconds.
    pub fn arrival(&self) -> Timestamp {
        self.arrival
    }

    /// The shard whose records these are.
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// The sequence number of the first record.
    pub fn first_sequence(&self) -> SequenceNumber {
        self.first_sequence
    }
}

impl fmt::Display for ArchiveKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second, .. } = self.arrival.civil();
        let (folder, stream, shard) = (archive_prefix(self.arrival.hour()), &self.stream, self.shard.0);
        write!(
            f,
            "{folder}{stream}-{VERSION}-{year:04}-{month:02}-{day:02}-{hour:02}-{minute:02}-{second:02}"
        )?;
        let sequence = self.first_sequence.to_string();
        write!(f, "-{shard:012}-{:03}-{sequence}.gz", sequence.len())
    }
}

impl FromStr for ArchiveKey {
    type Err = ArchiveKeyError;

    /// Reads what `Display` prints and nothing else.
    fn from_str(text: &str) -> Result<Self, ArchiveKeyError> {
        parse_name(text).filter(|key| key.to_string() == text).ok_or(ArchiveKeyError::Form)
    }
}

/// Reads the object's name. The stream's name may hold the separator, so the parts are taken from the end.
fn parse_name(text: &str) -> Option<ArchiveKey> {
    let (_, name) = text.rsplit_once('/')?;
    let mut parts = name.strip_suffix(".gz")?.rsplitn(11, '-');
    let (sequence, _digits, shard) = (parts.next()?, parts.next()?, parts.next()?);
    let (second, minute, hour) = (parts.next()?, parts.next()?, parts.next()?);
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let (_version, stream) = (parts.next()?, parts.next()?);
    let arrival = parse_timestamp(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).ok()?;
    ArchiveKey::new(stream, arrival, ShardId(shard.parse().ok()?), sequence.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIREHOSE: &str = "raw/year=2025/month=06/day=20/hour=00/PUT-S3-abc-3-2025-06-20-00-04-59-0d0d2a6e-2a3c-4c58-9f4b-3f9a4d3c7f0e.gz";

    fn sequence(digits: &str) -> SequenceNumber {
        digits.parse().unwrap()
    }

    fn key(stream: &str, arrival_ms: i64, shard: u64, digits: &str) -> ArchiveKey {
        let arrival = Timestamp::from_unix_ms(arrival_ms).unwrap();
        ArchiveKey::new(stream, arrival, ShardId(shard), sequence(digits)).unwrap()
    }

    #[test]
    fn a_key_prints_in_the_layout_of_firehose() {
        assert_eq!(
            key("readings", 1_750_377_659_999, 3, "17").to_string(),
            "raw/year=2025/month=06/day=20/hour=00/readings-1-2025-06-20-00-00-59-000000000003-002-17.gz"
        );
    }

    #[test]
    fn the_hour_of_any_object_is_that_of_its_folder() {
        let hour = Timestamp::from_unix_ms(1_750_377_600_000).unwrap().hour();
        assert_eq!(archive_hour(FIREHOSE), Some(hour));
        assert_eq!(archive_hour(&archive_prefix(hour)), Some(hour));
        for other in [
            "",
            "raw/",
            "raw/year=2025/month=13/day=01/hour=00/x",
            "errors/year=2025/month=06/day=20/hour=00/x",
        ] {
            assert_eq!(archive_hour(other), None, "{other:?}");
        }
    }

    #[test]
    fn names_of_others_are_refused() {
        let own = key("readings", 1_750_377_600_000, 0, "5").to_string();
        assert!(own.parse::<ArchiveKey>().is_ok());
        let others = [
            FIREHOSE.to_owned(),
            own.replace("hour=00", "hour=01"),
            own.replace("-001-5", "-002-5"),
            own.replace("-001-5", "-002-05"),
            own.replace("-1-2025", "-2-2025"),
            own.replace(".gz", ".zst"),
            own.replace("raw/", "cooked/"),
        ];
        for other in others {
            assert_eq!(other.parse::<ArchiveKey>(), Err(ArchiveKeyError::Form), "{other:?}");
        }
    }

    #[test]
    fn stream_names_follow_the_rule_of_kinesis() {
        let named = |stream: &str| ArchiveKey::new(stream, Timestamp::MIN, ShardId(0), SequenceNumber::ZERO);
        assert!(named(&"s".repeat(128)).is_ok());
        for stream in ["", "a/b", "a b", "ä", &"s".repeat(129)] {
            assert_eq!(named(stream), Err(ArchiveKeyError::StreamName), "{stream:?}");
        }
    }

    proptest! {
        #[test]
        fn keys_are_read_back(
            stream in "[A-Za-z0-9_.-]{1,128}",
            arrival_s in 0..4_102_444_800_i64,
            shard: u64,
            sequence in "0|[1-9][0-9]{0,128}",
        ) {
            let key = key(&stream, arrival_s * 1_000, shard, &sequence);
            prop_assert_eq!(key.to_string().parse::<ArchiveKey>(), Ok(key));
        }

        #[test]
        fn within_a_shard_the_order_of_keys_is_the_order_of_the_log(
            shard: u64,
            (first_ms, step_ms) in (0..4_102_444_800_000_i64, 0..5_000_i64),
            (first, second) in ("0|[1-9][0-9]{0,128}", "0|[1-9][0-9]{0,128}"),
        ) {
            let (lower, higher) = if sequence(&first) < sequence(&second) { (first, second) } else { (second, first) };
            prop_assume!(lower != higher);
            let later_ms = (first_ms + step_ms).min(Timestamp::MAX.unix_ms());
            let earlier = key("readings", first_ms, shard, &lower);
            let later = key("readings", later_ms, shard, &higher);
            prop_assert!(earlier.to_string() < later.to_string(), "{} {}", earlier, later);
        }
    }
}
