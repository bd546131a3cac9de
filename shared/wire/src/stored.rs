//! How projections are stored: versioned protocol buffers, compact enough that a site's state costs one write unit.
//!
//! What must always hold: decoding what was encoded gives an equal value; a field number is never given a second meaning;
//! the encoding of a state is at most 1 KiB while no alerts wait ([`STATE_BYTES_MAX`]). Keys (site, instant) are not
//! repeated in the values.
//!
//! The `canonical` encodings hold what two runs of one log must agree on, and leave out what depends on how it was
//! delivered: positions, duplicates, waiting alerts.

mod message;
mod sums;

use prost::Message;
use wattstream_domain::{Alert, Hour, HourRow, OpenSilence, Row, SiteId, SiteState, Sums, Timestamp};

/// The size that an encoded state without waiting alerts stays within: one DynamoDB write unit, keys included.
pub const STATE_BYTES_MAX: usize = 1_024 - 128;

/// Why stored bytes are not what they should be.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// The bytes are not the message.
    #[error("the stored {what} is damaged: {source}")]
    Damaged {
        /// What was being decoded.
        what: &'static str,
        /// What the decoder says.
        source: prost::DecodeError,
    },
    /// A newer version wrote it.
    #[error(
        "the stored {what} has format {format}; this version reads {FORMAT}: use the version that wrote it"
    )]
    Format {
        /// What was being decoded.
        what: &'static str,
        /// The format found.
        format: u32,
    },
    /// A field is missing, or holds a value that it cannot have.
    #[error("the stored {what} has no valid {field}")]
    Field {
        /// What was being decoded.
        what: &'static str,
        /// The field.
        field: &'static str,
    },
}

/// The format that this version writes.
pub const FORMAT: u32 = 1;

/// Appends the encoding of a state.
pub fn encode_state(state: &SiteState, out: &mut Vec<u8>) {
    append(&message::SiteState::from(state), out);
}

/// Reads the state of `site_id`.
pub fn decode_state(site_id: SiteId, bytes: &[u8]) -> Result<SiteState, StoredError> {
    let what = "site state";
    let message =
        message::SiteState::decode(bytes).map_err(|source| StoredError::Damaged { what, source })?;
    if message.format != FORMAT {
        return Err(StoredError::Format { what, format: message.format });
    }
    message.into_domain(site_id).map_err(|field| StoredError::Field { what, field })
}

/// Appends the encoding of a row.
pub fn encode_row(row: &Row, out: &mut Vec<u8>) {
    append(&message::Row::from(row), out);
}

/// Reads the row of `site_id` at `timestamp`.
pub fn decode_row(site_id: SiteId, timestamp: Timestamp, bytes: &[u8]) -> Result<Row, StoredError> {
    let what = "reading";
    let message = message::Row::decode(bytes).map_err(|source| StoredError::Damaged { what, source })?;
    message.into_domain(site_id, timestamp).map_err(|field| StoredError::Field { what, field })
}

/// Appends the encoding of an hour.
pub fn encode_hour(row: &HourRow, out: &mut Vec<u8>) {
    append(&message::Hour::from(row), out);
}

/// Reads the `hour` of `site_id`.
pub fn decode_hour(site_id: SiteId, hour: Hour, bytes: &[u8]) -> Result<HourRow, StoredError> {
    let what = "hour";
    let message = message::Hour::decode(bytes).map_err(|source| StoredError::Damaged { what, source })?;
    message.into_domain(site_id, hour).map_err(|field| StoredError::Field { what, field })
}

/// Reads the sums of an hour, without the rest of it.
pub fn decode_hour_sums(bytes: &[u8]) -> Result<Sums, StoredError> {
    if let Some(sums) = sums::read(bytes) {
        return Ok(sums);
    }
    let what = "hour";
    let message = message::Hour::decode(bytes).map_err(|source| StoredError::Damaged { what, source })?;
    message.into_sums().map_err(|field| StoredError::Field { what, field })
}

/// Appends the encoding of an alert.
pub fn encode_alert(alert: &Alert, out: &mut Vec<u8>) {
    append(&message::Alert::from(alert), out);
}

/// Reads an alert of `site_id`.
pub fn decode_alert(site_id: SiteId, bytes: &[u8]) -> Result<Alert, StoredError> {
    let what = "alert";
    let message = message::Alert::decode(bytes).map_err(|source| StoredError::Damaged { what, source })?;
    message.into_domain(site_id).map_err(|field| StoredError::Field { what, field })
}

/// Appends the encoding of an open silence.
pub fn encode_open_silence(open: &OpenSilence, out: &mut Vec<u8>) {
    append(&message::OpenSilence::from(open), out);
}

/// Reads the open silence of `site_id` after the reading at `last_seen`.
pub fn decode_open_silence(
    site_id: SiteId,
    last_seen: Timestamp,
    bytes: &[u8],
) -> Result<OpenSilence, StoredError> {
    let what = "open silence";
    let message =
        message::OpenSilence::decode(bytes).map_err(|source| StoredError::Damaged { what, source })?;
    message.into_domain(site_id, last_seen).map_err(|field| StoredError::Field { what, field })
}

/// Appends what two runs of one log must agree on in a state.
pub fn canonical_state(state: &SiteState, out: &mut Vec<u8>) {
    append(&message::SiteState::from(state).without_delivery(), out);
}

/// Appends what two runs of one log must agree on in a row.
pub fn canonical_row(row: &Row, out: &mut Vec<u8>) {
    append(&message::Row::from(row).without_delivery(), out);
}

/// Appends what two runs of one log must agree on in an hour.
pub fn canonical_hour(row: &HourRow, out: &mut Vec<u8>) {
    append(&message::Hour::from(row).without_delivery(), out);
}

fn append(message: &impl Message, out: &mut Vec<u8>) {
    message.encode(out).expect("a vector grows as far as a message needs");
}

#[cfg(test)]
mod tests;
