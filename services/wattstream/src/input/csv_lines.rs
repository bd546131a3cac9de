//! CSV rows as JSON objects.

use std::io::{self, Read};

use csv::{ByteRecord, ReaderBuilder};

use super::Line;

/// The columns that make a reading.
const COLUMNS: [&str; 4] = ["site_id", "timestamp", "energy_generated_kwh", "energy_consumed_kwh"];
/// The columns that hold numbers.
const NUMBERS: [&str; 2] = ["energy_generated_kwh", "energy_consumed_kwh"];

/// A first line that does not name the columns of a reading.
#[derive(Debug, thiserror::Error)]
#[error(
    "the first line names no column {}: a CSV file begins with {}", missing.join(", "), COLUMNS.join(",")
)]
pub(crate) struct HeaderError {
    missing: Vec<&'static str>,
}

/// The rows of a CSV file, each as a JSON object with a field for every column.
pub(super) struct CsvLines<R> {
    reader: csv::Reader<R>,
    columns: Vec<Column>,
    row: ByteRecord,
}

struct Column {
    /// The name as a JSON string, with its colon.
    key: String,
    is_number: bool,
}

impl<R: Read> CsvLines<R> {
    pub(super) fn new(input: R) -> Result<Self, HeaderError> {
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(input);
        let names: Vec<String> = reader
            .byte_headers()
            .map(|header| header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect())
            .unwrap_or_default();
        let missing: Vec<_> =
            COLUMNS.into_iter().filter(|&column| !names.iter().any(|name| name == column)).collect();
        if !missing.is_empty() {
            return Err(HeaderError { missing });
        }
        let columns = names
            .iter()
            .map(|name| Column {
                key: format!("{}:", serde_json::Value::from(name.as_str())),
                is_number: NUMBERS.contains(&name.as_str()),
            })
            .collect();
        Ok(Self { reader, columns, row: ByteRecord::new() })
    }

    pub(super) fn next_line(&mut self) -> io::Result<Option<Line>> {
        if !self.reader.read_byte_record(&mut self.row)? {
            return Ok(None);
        }
        let number = self.row.position().map_or(0, csv::Position::line);
        let mut payload = vec![b'{'];
        for (column, field) in self.columns.iter().zip(&self.row) {
            if payload.len() > 1 {
                payload.push(b',');
            }
            payload.extend_from_slice(column.key.as_bytes());
            append_value(&mut payload, field, column.is_number);
        }
        payload.push(b'}');
        Ok(Some(Line { number, payload }))
    }
}

/// Appends a field: as it is written when it is a JSON number in a column of numbers, as a text otherwise. A field that
/// is not UTF-8 keeps its bytes, so that the consumer can name them.
fn append_value(payload: &mut Vec<u8>, field: &[u8], is_number: bool) {
    let trimmed = field.trim_ascii();
    if is_number && is_json_number(trimmed) {
        payload.extend_from_slice(trimmed);
    } else if let Ok(text) = std::str::from_utf8(without_guard(field)) {
        payload.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
    } else {
        payload.push(b'"');
        payload.extend_from_slice(field);
        payload.push(b'"');
    }
}

/// A text without the `'` that keeps a program which opens CSV from taking it for a formula. No site's id begins with a `'`.
fn without_guard(field: &[u8]) -> &[u8] {
    match field {
        [b'\'', rest @ ..] if matches!(rest, [b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r', ..]) => rest,
        _ => field,
    }
}

fn is_json_number(text: &[u8]) -> bool {
    serde_json::from_slice::<&serde_json::value::RawValue>(text)
        .is_ok_and(|value| value.get().starts_with(|c: char| c == '-' || c.is_ascii_digit()))
}
