//! Records as archive lines.
//!
//! A record that reads back as itself is a line as it stands, which every reading is. Any other (several lines, two
//! objects side by side, nothing but blanks) is wrapped: `{"record_base64":"..."}`. So the archive is lines of text for
//! every tool, and yet holds every record byte for byte.
//!
//! Firehose wraps nothing. An object of Firehose holds a wrapped record only when a producer sent one in that form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::reader::{Boundary, Scanner};

const WRAPPER_START: &[u8] = br#"{"record_base64":""#;
const WRAPPER_END: &[u8] = br#""}"#;

/// Appends a record as one line, with its line end.
pub fn append_archive_record(record: &[u8], out: &mut Vec<u8>) {
    if reads_back_as_it_stands(record) {
        out.extend_from_slice(record);
    } else {
        out.extend_from_slice(WRAPPER_START);
        out.extend_from_slice(STANDARD.encode(record).as_bytes());
        out.extend_from_slice(WRAPPER_END);
    }
    out.push(b'\n');
}

/// The record inside a wrapper; `None` when the line is no wrapper.
pub(super) fn unwrap_record(line: &[u8]) -> Option<Vec<u8>> {
    let encoded = line.strip_prefix(WRAPPER_START)?.strip_suffix(WRAPPER_END)?;
    STANDARD.decode(encoded).ok()
}

fn reads_back_as_it_stands(record: &[u8]) -> bool {
    let mut scanner = Scanner::default();
    !record.trim_ascii().is_empty()
        && !record.ends_with(b"\r")
        && !record.starts_with(WRAPPER_START)
        && record.iter().all(|&byte| scanner.step(byte) == Boundary::Inside)
}
