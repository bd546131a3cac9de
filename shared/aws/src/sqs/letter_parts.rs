//! A dead letter as messages of a queue, and back.
//!
//! A message is a JSON document:
//!
//! ```json
//! {"position":"shardId-000000000000:42:0","arrived_at":"2025-06-20T00:00:00.000Z","reason":"not_utf8",
//!  "detail":"byte 3 is not UTF-8","payload_bytes":2,"payload_sha256":"b3d510ef…","part":1,"parts":1,
//!  "payload_base64":"//4="}
//! ```
//!
//! A payload that is too long for one message is cut into parts, each with all of the other fields, so that whoever sees one
//! part knows what it belongs to.
//!
//! What must always hold: a message fits SQS, in its size and in its characters; reading what was written gives the same
//! letter; parts that are not those of one letter never make one.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wattstream_domain::{Position, Timestamp};
use wattstream_engine::{Cause, DeadLetter};
use wattstream_wire::{REJECT_DETAIL_BYTES_MAX, parse_timestamp};

/// The longest message with its attributes: SQS's limit, and the default of a queue (`MaximumMessageSize`).
pub(super) const MESSAGE_BYTES_MAX: usize = 1_024 * 1_024;

/// The longest part of a payload. Its base64 takes 960 KiB of a message; the other fields, every byte of the detail escaped,
/// and the attributes take less than 8.
const PART_BYTES_MAX: usize = 720 * 1_024;

/// The most parts of a letter: those of the longest payload that a stream can be set to take, 10 MiB. No message that says
/// otherwise is one of ours.
const PARTS_MAX: usize = (10 * 1_024 * 1_024_usize).div_ceil(PART_BYTES_MAX);

/// One message of a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LetterPart {
    position: String,
    arrived_at: String,
    reason: String,
    detail: String,
    payload_bytes: usize,
    payload_sha256: String,
    /// From 1.
    part: usize,
    parts: usize,
    payload_base64: String,
}

/// Why a message is not a part of a letter.
#[derive(Debug, thiserror::Error)]
pub(super) enum PartError {
    #[error("it is not a document of a dead letter: {0}")]
    Json(#[from] serde_json::Error),
    #[error("its position is {0:?}")]
    Position(String),
    #[error("its arrival is {0:?}")]
    Arrival(String),
    #[error("its reason is {0:?}, which this version does not know")]
    Reason(String),
    #[error("its payload is not base64")]
    Payload,
    #[error("it is part {part} of {parts}")]
    Part { part: usize, parts: usize },
}

/// What the parts of one letter have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LetterHead {
    pub(super) position: Position,
    pub(super) arrival: Timestamp,
    pub(super) cause: Cause,
    pub(super) detail: String,
    pub(super) payload_bytes: usize,
    pub(super) payload_sha256: String,
    pub(super) parts: usize,
}

/// The messages of a letter, in order.
pub(super) fn parts_of(letter: &DeadLetter) -> Vec<LetterPart> {
    let mut detail = letter.detail.clone();
    detail.truncate(detail.floor_char_boundary(REJECT_DETAIL_BYTES_MAX));
    let payload_sha256 = sha256_hex(&letter.payload);
    let chunks: Vec<&[u8]> = match &letter.payload[..] {
        [] => vec![&[]],
        payload => payload.chunks(PART_BYTES_MAX).collect(),
    };
    let part_of = |(index, chunk): (usize, &&[u8])| LetterPart {
        position: letter.position.to_string(),
        arrived_at: letter.arrival.to_string(),
        reason: letter.cause.code().to_owned(),
        detail: detail.clone(),
        payload_bytes: letter.payload.len(),
        payload_sha256: payload_sha256.clone(),
        part: index + 1,
        parts: chunks.len(),
        payload_base64: BASE64_STANDARD.encode(chunk),
    };
    chunks.iter().enumerate().map(part_of).collect()
}

impl LetterPart {
    /// The body of its message. SQS takes every character of JSON but two, which are escaped.
    pub(super) fn to_body(&self) -> String {
        let json = serde_json::to_string(self).expect("texts and numbers are JSON");
        json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
    }

    /// Reads the body of a message: what its letter has in common, its place from 0, and its piece of the payload.
    pub(super) fn read(body: &str) -> Result<(LetterHead, usize, Bytes), PartError> {
        let Self {
            position,
            arrived_at,
            reason,
            detail,
            payload_bytes,
            payload_sha256,
            part,
            parts,
            payload_base64,
        } = serde_json::from_str(body)?;
        if !(1..=PARTS_MAX).contains(&parts) || !(1..=parts).contains(&part) {
            return Err(PartError::Part { part, parts });
        }
        let head = LetterHead {
            position: position.parse().map_err(|_| PartError::Position(position))?,
            arrival: parse_timestamp(&arrived_at).map_err(|_| PartError::Arrival(arrived_at))?,
            cause: Cause::from_code(&reason).ok_or(PartError::Reason(reason))?,
            detail,
            payload_bytes,
            payload_sha256,
            parts,
        };
        let piece = BASE64_STANDARD.decode(payload_base64).map_err(|_| PartError::Payload)?;
        Ok((head, part - 1, piece.into()))
    }
}

impl LetterHead {
    /// The letter, when the pieces are those of its payload.
    pub(super) fn letter(&self, pieces: &[Bytes]) -> Option<DeadLetter> {
        let payload: Bytes = match pieces {
            [payload] => payload.clone(),
            pieces => pieces.concat().into(),
        };
        let is_whole = payload.len() == self.payload_bytes && sha256_hex(&payload) == self.payload_sha256;
        is_whole.then(|| DeadLetter {
            position: self.position,
            arrival: self.arrival,
            cause: self.cause,
            detail: self.detail.clone(),
            payload,
        })
    }
}

fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests;
