//! A body cut into the records that the stream takes.
//!
//! What must always hold: a record is one line. A line of NDJSON goes on as it is, whatever its bytes; an element of a
//! JSON array goes on with the line breaks between its tokens as spaces, which JSON gives the same meaning. Memory is in
//! proportion to the body, and the body is bounded.

use std::fmt;
use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use serde::de::{Deserializer as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use wattstream_domain::SITE_ID_BYTES_MAX;
use wattstream_engine::ports::NewRecord;
use wattstream_wire::{Reject, decode_reading};

/// The largest body, also after decompression.
pub const BODY_BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// The most records of one body: more than fit with the shortest reading.
pub const BODY_RECORDS_MAX: usize = 200_000;

/// The longest record. Kinesis takes 10 MiB, the partition key included.
pub const RECORD_BYTES_MAX: usize = 10 * 1_024 * 1_024 - SITE_ID_BYTES_MAX;

/// The most rejects of one body that are told one by one; the rest are counted.
pub const REJECTS_LISTED_MAX: usize = 100;

/// The partition key of records that name no site: they have no order to keep.
const KEY_WITHOUT_SITE: &str = "unreadable";

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A record a line (NDJSON). Blank lines are skipped.
    Lines,
    /// One JSON document: an array of records, or one record.
    Document,
}

impl Form {
    /// The form of a body that does not say: an array when it begins like one, lines otherwise.
    pub(crate) fn sniff(body: &[u8]) -> Self {
        if body.trim_ascii_start().starts_with(b"[") { Self::Document } else { Self::Lines }
    }
}

/// Why a body was not cut.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    /// It is no JSON document.
    #[error(
        "the body is not one JSON document: {0}. For one reading a line, send it as application/x-ndjson"
    )]
    NotJson(serde_json::Error),
    /// It has nothing in it.
    #[error("the body is empty: send one reading a line, or a JSON array of readings, which may be empty")]
    Empty,
    /// It is no gzip.
    #[error("the body is not gzip, as content-encoding says: {0}")]
    NotGzip(std::io::Error),
    /// It decompresses to more than a body may have.
    #[error("the body decompresses to more than {BODY_BYTES_MAX} bytes: send it in parts")]
    BodyTooLarge,
    /// One of its records is too long.
    #[error("{0} has {1} bytes, a record at most {RECORD_BYTES_MAX}: send one reading a record")]
    RecordTooLarge(Place, usize),
    /// It has too many records.
    #[error("the body holds more than {BODY_RECORDS_MAX} records: send it in parts")]
    TooManyRecords,
}

/// Where in the body a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The line, from 1.
    Line(usize),
    /// The element of the array, from 0.
    Index(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Index(index) => write!(f, "element {index}"),
        }
    }
}

/// The records of a body, and those among them that the consumer will set aside.
#[derive(Debug)]
pub(crate) struct Upload {
    /// All of them, in their order.
    pub(crate) records: Vec<NewRecord>,
    /// How many of them are no readings.
    pub(crate) rejected: usize,
    /// The first of those, at most [`REJECTS_LISTED_MAX`].
    pub(crate) rejects: Vec<(Place, Reject)>,
}

impl Upload {
    /// Cuts `body` and examines each record as the consumer will.
    pub(crate) fn read(body: &Bytes, form: Option<Form>) -> Result<Self, UploadError> {
        if body.trim_ascii().is_empty() {
            return Err(UploadError::Empty);
        }
        let cut = match form.unwrap_or_else(|| Form::sniff(body)) {
            Form::Lines => cut_lines(body)?,
            Form::Document => cut_document(body)?,
        };
        let mut upload = Self { records: Vec::with_capacity(cut.len()), rejected: 0, rejects: Vec::new() };
        for (place, data) in cut {
            upload.add(place, data);
        }
        Ok(upload)
    }

    fn add(&mut self, place: Place, data: Bytes) {
        let partition_key = partition_key(&data).unwrap_or_else(|reject| {
            self.rejected += 1;
            if self.rejects.len() < REJECTS_LISTED_MAX {
                self.rejects.push((place, reject));
            }
            KEY_WITHOUT_SITE.to_owned()
        });
        self.records.push(NewRecord { partition_key, data });
    }
}

/// The record for the stream that a payload makes, read again or for the first time.
pub(crate) fn record_of(data: Bytes) -> NewRecord {
    let partition_key = partition_key(&data).unwrap_or_else(|_| KEY_WITHOUT_SITE.to_owned());
    NewRecord { partition_key, data }
}

fn partition_key(data: &[u8]) -> Result<String, Reject> {
    decode_reading(data).map(|reading| reading.site_id.as_str().to_owned())
}

/// The content of a gzip body, of one member or several.
pub(crate) fn decompress(body: &[u8]) -> Result<Bytes, UploadError> {
    let mut content = Vec::new();
    let mut limited = MultiGzDecoder::new(body).take(BODY_BYTES_MAX as u64 + 1);
    limited.read_to_end(&mut content).map_err(UploadError::NotGzip)?;
    if content.len() > BODY_BYTES_MAX { Err(UploadError::BodyTooLarge) } else { Ok(content.into()) }
}

fn cut_lines(body: &Bytes) -> Result<Vec<(Place, Bytes)>, UploadError> {
    let mut records = Vec::new();
    for (index, line) in body.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.trim_ascii().is_empty() {
            push(&mut records, Place::Line(index + 1), body.slice_ref(line))?;
        }
    }
    Ok(records)
}

fn cut_document(body: &Bytes) -> Result<Vec<(Place, Bytes)>, UploadError> {
    let elements = elements(body).map_err(UploadError::NotJson)?;
    if elements.len() > BODY_RECORDS_MAX {
        return Err(UploadError::TooManyRecords);
    }
    let mut records = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        push(&mut records, Place::Index(index), one_line(body, element.get()))?;
    }
    Ok(records)
}

fn push(records: &mut Vec<(Place, Bytes)>, place: Place, data: Bytes) -> Result<(), UploadError> {
    if data.len() > RECORD_BYTES_MAX {
        return Err(UploadError::RecordTooLarge(place, data.len()));
    }
    if records.len() == BODY_RECORDS_MAX {
        return Err(UploadError::TooManyRecords);
    }
    records.push((place, data));
    Ok(())
}

/// The elements of the document's array, or the document itself; at most one more than [`BODY_RECORDS_MAX`].
fn elements(body: &[u8]) -> serde_json::Result<Vec<&RawValue>> {
    if Form::sniff(body) == Form::Lines {
        return serde_json::from_slice(body).map(|document| vec![document]);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let elements = deserializer.deserialize_seq(Elements)?;
    deserializer.end()?;
    Ok(elements)
}

/// Collects the elements of an array without reading them, up to one more than [`BODY_RECORDS_MAX`].
struct Elements;

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of readings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while elements.len() <= BODY_RECORDS_MAX {
            match array.next_element()? {
                Some(element) => elements.push(element),
                None => return Ok(elements),
            }
        }
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(elements)
    }
}

/// `element` of `body` without line breaks. In valid JSON a line break stands between tokens only, where a space means
/// the same.
fn one_line(body: &Bytes, element: &str) -> Bytes {
    if element.contains(['\n', '\r']) {
        return element.replace(['\n', '\r'], " ").into();
    }
    body.slice_ref(element.as_bytes())
}

#[cfg(test)]
mod tests;
