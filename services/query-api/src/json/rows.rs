//! Rows of JSON written straight into the answer, for lists that may have ten thousand of them. A serializer looks for characters to
//! escape in every name of every row, and parses each exact number again to be sure that it is one: half of the time of a year of
//! hours went there.
//!
//! What must always hold: what is written by hand is what serde writes of the same value, byte for byte; a test beside each row
//! compares the two.

use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

use super::{Kwh, Site, Utc};

/// A row of a list as JSON.
pub(crate) trait JsonRow: Serialize {
    /// About how long one is.
    const JSON_BYTES: usize = 256;

    /// Appends it.
    fn write_json(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(out, self).expect(IN_MEMORY);
    }
}

const IN_MEMORY: &str =
    "a row is made of texts, numbers and lists of them, and a vector takes what is written";

/// An answer as JSON, with its [`rows`].
pub(crate) fn written(answer: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    answer.serialize(&mut serde_json::Serializer::with_formatter(&mut out, BytesAreJson)).expect(IN_MEMORY);
    out
}

/// Each row in a line of its own.
pub(crate) fn lines<R: JsonRow>(rows: &[R]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * (R::JSON_BYTES + 1));
    for row in rows {
        row.write_json(&mut out);
        out.push(b'\n');
    }
    out
}

/// For `#[serde(serialize_with)]`: the rows of an answer that is [`written`].
pub(crate) fn rows<R: JsonRow, S: Serializer>(rows: &[R], serializer: S) -> Result<S::Ok, S::Error> {
    let mut out = Vec::with_capacity(rows.len() * (R::JSON_BYTES + 1) + 2);
    out.push(b'[');
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        row.write_json(&mut out);
    }
    out.push(b']');
    serializer.serialize_bytes(&out)
}

/// Takes bytes as JSON that is written already. No other type of an answer has bytes.
struct BytesAreJson;

impl Formatter for BytesAreJson {
    fn write_byte_array<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        json: &[u8],
    ) -> std::io::Result<()> {
        writer.write_all(json)
    }
}

/// Appends an object: `object!(out, "name": value, ...)`. A name has nothing in it to escape, and a value is a [`JsonValue`].
macro_rules! object {
    ($out:expr, $first:literal: $value:expr $(, $name:literal: $more:expr)* $(,)?) => {{
        let out: &mut Vec<u8> = $out;
        out.extend_from_slice(concat!("{\"", $first, "\":").as_bytes());
        $crate::json::JsonValue::append_json(&$value, out);
        $(
            out.extend_from_slice(concat!(",\"", $name, "\":").as_bytes());
            $crate::json::JsonValue::append_json(&$more, out);
        )*
        out.push(b'}');
    }};
}
pub(crate) use object;

/// A member's value.
pub(crate) trait JsonValue {
    /// Appends it.
    fn append_json(&self, out: &mut Vec<u8>);
}

impl JsonValue for Kwh {
    fn append_json(&self, out: &mut Vec<u8>) {
        self.0.append_kwh(out);
    }
}

impl JsonValue for Utc {
    fn append_json(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        self.0.append_utc(out);
        out.push(b'"');
    }
}

/// A site id has nothing in it to escape.
impl JsonValue for Site {
    fn append_json(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(self.0.as_str().as_bytes());
        out.push(b'"');
    }
}

impl JsonValue for u64 {
    fn append_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(itoa::Buffer::new().format(*self).as_bytes());
    }
}

impl JsonValue for bool {
    fn append_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl<T: JsonValue> JsonValue for Option<T> {
    fn append_json(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.append_json(out),
            None => out.extend_from_slice(b"null"),
        }
    }
}

/// A list of few things, or of none.
impl<T: Serialize> JsonValue for Vec<T> {
    fn append_json(&self, out: &mut Vec<u8>) {
        if self.is_empty() {
            out.extend_from_slice(b"[]");
        } else {
            serde_json::to_writer(out, self).expect(IN_MEMORY);
        }
    }
}
