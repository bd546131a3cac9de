//! How keys are spelt.
//!
//! What must always hold: two different things have two different keys in their keyspace, and the order of keys as bytes
//! is the order of the things: time within a site, number within a shard. A site id never holds a zero byte, so the one
//! after it keeps `a` apart from `ab`. Numbers are big-endian; instants are never negative.

use std::ops::RangeInclusive;

use wattstream_domain::{Alert, Position, Resolution, SequenceNumber, ShardId, SiteId, Timestamp};
use wattstream_engine::ports::{AlertPlace, ReadingPlace};

const SITE_END: u8 = 0;

/// The key of what belongs to a site at an instant: a reading, an hour, an anomaly.
pub(crate) fn instant(site_id: SiteId, at: Timestamp) -> Vec<u8> {
    let site = site_id.as_str().as_bytes();
    let mut key = Vec::with_capacity(site.len() + 1 + size_of::<i64>());
    key.extend_from_slice(site);
    key.push(SITE_END);
    key.extend_from_slice(&at.unix_ms().to_be_bytes());
    key
}

/// The keys of a site from an instant to another.
pub(crate) fn instants(site_id: SiteId, range: &RangeInclusive<Timestamp>) -> RangeInclusive<Vec<u8>> {
    instant(site_id, *range.start())..=instant(site_id, *range.end())
}

/// The instant in a key of [`instant`].
pub(crate) fn parse_instant(key: &[u8]) -> Option<Timestamp> {
    Timestamp::from_unix_ms(i64::from_be_bytes(*key.last_chunk()?))
}

/// The site and the instant in a key of [`instant`].
pub(crate) fn parse_instant_of_site(key: &[u8]) -> Option<(SiteId, Timestamp)> {
    let (site, _) = key.split_last_chunk::<{ size_of::<i64>() }>()?;
    Some((parse_site(site.strip_suffix(&[SITE_END])?)?, parse_instant(key)?))
}

/// The key of a reading among those of all sites, in the order of time.
pub(crate) fn place(place: &ReadingPlace) -> Vec<u8> {
    [&place.timestamp.unix_ms().to_be_bytes(), place.site_id.as_str().as_bytes()].concat()
}

/// The place in a key of [`place`].
pub(crate) fn parse_place(key: &[u8]) -> Option<ReadingPlace> {
    let (timestamp, site) = key.split_first_chunk()?;
    Some(ReadingPlace {
        timestamp: Timestamp::from_unix_ms(i64::from_be_bytes(*timestamp))?,
        site_id: parse_site(site)?,
    })
}

/// The key of a site's state.
pub(crate) fn site(site_id: SiteId) -> Vec<u8> {
    site_id.as_str().into()
}

/// The site in a key of [`site`].
pub(crate) fn parse_site(key: &[u8]) -> Option<SiteId> {
    SiteId::new(std::str::from_utf8(key).ok()?).ok()
}

/// The key of all sites together in the bucket that begins at `start`.
pub(crate) fn bucket(resolution: Resolution, start: Timestamp) -> [u8; 9] {
    let mut key = [match resolution {
        Resolution::Hour => 1,
        Resolution::Day => 2,
        Resolution::Month => 3,
    }; 9];
    key[1..].copy_from_slice(&start.unix_ms().to_be_bytes());
    key
}

/// The key of a record in the log.
pub(crate) fn record(shard: ShardId, sequence: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&shard.0.to_be_bytes());
    key[8..].copy_from_slice(&sequence.to_be_bytes());
    key
}

/// The sequence number in a key of [`record`].
pub(crate) fn parse_record(key: &[u8]) -> Option<u64> {
    (key.len() == 16).then(|| key.last_chunk().copied().map(u64::from_be_bytes)).flatten()
}

/// The key of a dead letter. The length before the sequence number makes the order of bytes the order of numbers.
pub(crate) fn position(position: &Position) -> Vec<u8> {
    let sequence = position.sequence.to_be_bytes();
    let length = u8::try_from(sequence.len()).expect("a sequence number has at most 56 bytes");
    let mut key = Vec::with_capacity(17 + sequence.len());
    key.extend_from_slice(&position.shard.0.to_be_bytes());
    key.push(length);
    key.extend_from_slice(&sequence);
    key.extend_from_slice(&position.sub_sequence.to_be_bytes());
    key
}

/// The position in a key of [`position`].
pub(crate) fn parse_position(key: &[u8]) -> Option<Position> {
    let (shard, rest) = key.split_first_chunk()?;
    let (length, rest) = rest.split_first()?;
    let (sequence, sub_sequence) = rest.split_at_checked(usize::from(*length))?;
    Some(Position {
        shard: ShardId(u64::from_be_bytes(*shard)),
        sequence: SequenceNumber::from_be_bytes(sequence)?,
        sub_sequence: u64::from_be_bytes(sub_sequence.try_into().ok()?),
    })
}

/// The key of an alert, so that the newest stand last.
pub(crate) fn alert(alert: &Alert) -> Vec<u8> {
    alert_place(&AlertPlace::of(alert))
}

/// The key of the alert at a place.
pub(crate) fn alert_place(place: &AlertPlace) -> Vec<u8> {
    [&place.at.unix_ms().to_be_bytes(), place.id.as_bytes()].concat()
}

/// The site in a key of [`alert`].
pub(crate) fn parse_alert(key: &[u8]) -> Option<SiteId> {
    let (_, id) = key.split_first_chunk::<{ size_of::<i64>() }>()?;
    parse_site(id.split(|&byte| byte == b'/').next()?)
}

#[cfg(test)]
mod tests;
