//! A record of the log as a value: arrival, length of the partition key, partition key, payload.

use bytes::{Buf, Bytes};
use bytestring::ByteString;
use wattstream_domain::Timestamp;
use wattstream_engine::StreamRecord;
use wattstream_engine::ports::NewRecord;

/// The value of a record that arrived at `arrival`.
pub(super) fn encode(arrival: Timestamp, record: &NewRecord) -> Vec<u8> {
    let key = record.partition_key.as_bytes();
    let key_bytes = u16::try_from(key.len()).expect("256 characters have at most 1,024 bytes");
    let mut value = Vec::with_capacity(10 + key.len() + record.data.len());
    value.extend_from_slice(&arrival.unix_ms().to_be_bytes());
    value.extend_from_slice(&key_bytes.to_be_bytes());
    value.extend_from_slice(key);
    value.extend_from_slice(&record.data);
    value
}

/// The record with this value; key and payload share the memory of `value`.
pub(super) fn decode(sequence: u64, mut value: Bytes) -> Option<StreamRecord> {
    let arrival = Timestamp::from_unix_ms(value.try_get_i64().ok()?)?;
    let key_bytes = usize::from(value.try_get_u16().ok()?);
    if key_bytes > value.len() {
        return None;
    }
    let partition_key = ByteString::try_from(value.split_to(key_bytes)).ok()?;
    Some(StreamRecord { sequence: sequence.into(), partition_key, arrival, data: value, fault: None })
}
