//! Readings as JSON.
//!
//! [`decode_reading`] takes no memory from the heap unless a string has an escape, an unknown field nests, or the record
//! is rejected; its depth of calls does not depend on the record. First the form of the whole is examined, then the
//! fields in the order of the contract, so a record with several faults always gets the same reason.

mod plain;

use std::borrow::Cow;
use std::fmt;
use std::io::Write;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use wattstream_domain::{Energy, Measure, Reading, SiteId, Timestamp};

use crate::decimal::{EnergyTextError, is_not_finite, parse_energy};
use crate::kpl::AGGREGATE_MAGIC;
use crate::reject::{Quote, Reason, Reject};
use crate::time::{TimestampTextError, parse_timestamp};

/// The longest record that is read as one reading. A reading needs about 130 bytes; the rest is room for fields that
/// wattstream does not know.
pub const READING_BYTES_MAX: usize = 64 * 1_024;

/// Reads one JSON object as a reading. Unknown fields are ignored; columns in rejects count bytes from 1.
pub fn decode_reading(payload: &[u8]) -> Result<Reading, Reject> {
    let text = checked_text(payload)?;
    match plain::decode(text) {
        Some(reading) => Ok(reading),
        None => Document::parse(text)?.reading(),
    }
}

/// Appends a reading as one JSON object without a line end: fields in the order of the contract, the timestamp at its
/// fixed width, energies as exact decimals.
pub fn encode_reading(reading: &Reading, out: &mut Vec<u8>) {
    let Reading { site_id, timestamp, measure: Measure { generated, consumed } } = reading;
    write!(
        out,
        r#"{{"site_id":"{site_id}","timestamp":"{timestamp}","energy_generated_kwh":{generated},"energy_consumed_kwh":{consumed}}}"#,
    )
    .expect("a Vec takes every write");
}

/// A field of the contract, in the contract's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    SiteId,
    Timestamp,
    EnergyGenerated,
    EnergyConsumed,
}

impl Field {
    const ALL: [Self; 4] = [Self::SiteId, Self::Timestamp, Self::EnergyGenerated, Self::EnergyConsumed];

    const fn name(self) -> &'static str {
        match self {
            Self::SiteId => "site_id",
            Self::Timestamp => "timestamp",
            Self::EnergyGenerated => "energy_generated_kwh",
            Self::EnergyConsumed => "energy_consumed_kwh",
        }
    }

    /// What to send instead of a value of another type.
    const fn example(self) -> &'static str {
        match self {
            Self::SiteId => r#"a string, such as "site-alpha-pv-farm-01""#,
            Self::Timestamp => r#"an RFC 3339 string with an offset, such as "2025-06-20T00:00:00Z""#,
            Self::EnergyGenerated | Self::EnergyConsumed => {
                "a number without quotes, with a point as the decimal sign, such as 12.34"
            }
        }
    }

    const fn is_energy(self) -> bool {
        matches!(self, Self::EnergyGenerated | Self::EnergyConsumed)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The payload as text, when it is of a length and an encoding that a reading can have.
fn checked_text(payload: &[u8]) -> Result<&str, Reject> {
    if payload.len() > READING_BYTES_MAX {
        let detail = format_args!(
            "the record has {} bytes, a reading at most {READING_BYTES_MAX}: send one reading a record",
            payload.len()
        );
        return Err(Reject::new(Reason::TooLarge, detail));
    }
    let text = std::str::from_utf8(payload).map_err(|error| not_utf8(payload, error.valid_up_to()))?;
    if text.trim_ascii_start().is_empty() {
        return Err(Reject::new(Reason::Empty, "the record is empty: send one JSON object a record"));
    }
    Ok(text)
}

/// A KPL aggregate is never UTF-8, so one that was packed into another ends here.
fn not_utf8(payload: &[u8], valid_up_to: usize) -> Reject {
    if payload.starts_with(&AGGREGATE_MAGIC) {
        let detail = "the record is a KPL aggregate inside a KPL aggregate: aggregate once";
        return Reject::new(Reason::AggregateInvalid, detail);
    }
    let column = valid_up_to + 1;
    let detail = format_args!("the record is not UTF-8 at column {column}: encode it as UTF-8, uncompressed");
    Reject::new(Reason::NotUtf8, detail)
}

/// The object of a record: its text, and the text of each value of the contract that it has.
struct Document<'a> {
    text: &'a str,
    values: [Option<&'a str>; Field::ALL.len()],
    /// The key that was read last, which tells where in the text an error was met.
    last_key: Key<'a>,
    /// The key that stood twice.
    duplicate: Option<Key<'a>>,
}

impl<'a> Document<'a> {
    fn parse(text: &'a str) -> Result<Self, Reject> {
        let mut document =
            Self { text, values: [None; Field::ALL.len()], last_key: Key::default(), duplicate: None };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let parsed = document.deserialize(&mut deserializer).and_then(|()| deserializer.end());
        match parsed {
            Ok(()) => Ok(document),
            Err(error) => Err(document.malformed(&error)),
        }
    }

    fn reading(&self) -> Result<Reading, Reject> {
        Ok(Reading {
            site_id: self.site_id()?,
            timestamp: self.timestamp()?,
            measure: Measure {
                generated: self.energy(Field::EnergyGenerated)?,
                consumed: self.energy(Field::EnergyConsumed)?,
            },
        })
    }

    fn site_id(&self) -> Result<SiteId, Reject> {
        let text = self.string(Field::SiteId)?;
        SiteId::new(&text).map_err(|error| self.reject(Reason::SiteIdInvalid, Field::SiteId, error_is(error)))
    }

    fn timestamp(&self) -> Result<Timestamp, Reject> {
        let text = self.string(Field::Timestamp)?;
        parse_timestamp(&text).map_err(|error| {
            let reason = match error {
                TimestampTextError::NotRfc3339 | TimestampTextError::NoSuchTime => Reason::TimestampInvalid,
                TimestampTextError::WithoutOffset => Reason::TimestampWithoutOffset,
                TimestampTextError::LeapSecond => Reason::TimestampLeapSecond,
                TimestampTextError::OutOfRange => Reason::TimestampOutOfRange,
            };
            self.reject(reason, Field::Timestamp, error)
        })
    }

    fn energy(&self, field: Field) -> Result<Energy, Reject> {
        let text = self.value(field)?;
        if text.starts_with('"') && is_not_finite(text.trim_matches('"').trim_ascii()) {
            return Err(self.reject(Reason::EnergyNotFinite, field, EnergyTextError::NotFinite));
        }
        parse_energy(text).map_err(|error| match error {
            EnergyTextError::NotANumber => self.wrong_type(field, text),
            EnergyTextError::NotFinite => self.reject(Reason::EnergyNotFinite, field, error),
            EnergyTextError::OutOfRange => self.reject(Reason::EnergyOutOfRange, field, error),
        })
    }

    /// The text of a field's value as it stands in the JSON.
    fn value(&self, field: Field) -> Result<&'a str, Reject> {
        match self.values[field as usize] {
            Some("null") => {
                let detail = format_args!("is null: send {}", field.example());
                Err(self.reject(Reason::MissingField, field, detail))
            }
            Some(text) => Ok(text),
            None => {
                let detail = format_args!("{field} is missing: send {}", field.example());
                Err(Reject::new(Reason::MissingField, detail))
            }
        }
    }

    /// The characters of a field's value, which must be a string.
    fn string(&self, field: Field) -> Result<Cow<'a, str>, Reject> {
        let text = self.value(field)?;
        match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            None => Err(self.wrong_type(field, text)),
            Some(characters) if !characters.contains('\\') => Ok(Cow::Borrowed(characters)),
            Some(_) => serde_json::from_str(text)
                .map(Cow::Owned)
                .map_err(|error| self.reject(Reason::NotJson, field, error_is(without_position(&error)))),
        }
    }

    fn wrong_type(&self, field: Field, text: &str) -> Reject {
        let kind = match text.as_bytes().first() {
            Some(b'"') => "a string",
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b't' | b'f') => "a boolean",
            _ => "a number",
        };
        self.reject(Reason::WrongType, field, format_args!("is {kind}: send {}", field.example()))
    }

    /// A reject of a field that is there: its name, its column, its value and what to say about it.
    fn reject(&self, reason: Reason, field: Field, complaint: impl fmt::Display) -> Reject {
        let value = self.values[field as usize].unwrap_or_default();
        let column = self.column(value);
        Reject::new(reason, format_args!("{field} at column {column}, {}, {complaint}", Quote(value)))
    }

    /// Where a piece of the text begins.
    fn column(&self, piece: &str) -> usize {
        piece.as_ptr().addr() - self.text.as_ptr().addr() + 1
    }

    /// The reject of a text that is not one object of JSON.
    fn malformed(&self, error: &serde_json::Error) -> Reject {
        if let Some(Key { field: Some(field), text }) = self.duplicate {
            let again =
                text.map_or_else(String::new, |text| format!(", again at column {}", self.column(text)));
            return Reject::new(
                Reason::DuplicateField,
                format_args!("{field} stands twice{again}: send it once"),
            );
        }
        if error.classify() == Category::Data {
            let complaint = "a reading is one JSON object: send each reading as a record of its own";
            let detail =
                format_args!("the record begins with {}, {complaint}", Quote(self.text.trim_ascii_start()));
            return Reject::new(Reason::NotAnObject, detail);
        }
        if let Some((field, token)) = self.not_finite_token() {
            let (column, complaint) = (self.column(token), EnergyTextError::NotFinite);
            let detail = format_args!("{field} at column {column}, {}, {complaint}", Quote(token));
            return Reject::new(Reason::EnergyNotFinite, detail);
        }
        let offset = offset_of(error, self.text);
        let start = self.text.floor_char_boundary(offset.saturating_sub(CONTEXT_BYTES));
        let end = self.text.ceil_char_boundary((offset + CONTEXT_BYTES).min(self.text.len()));
        let detail = format_args!(
            "the record is not JSON at column {}, {}, near {}: send one complete JSON object a record (RFC 8259)",
            offset.max(1),
            without_position(error),
            Quote(&self.text[start..end]),
        );
        Reject::new(Reason::NotJson, detail)
    }

    /// The bare word after the last key, when it is an energy that some language printed as `NaN` or `Infinity`.
    fn not_finite_token(&self) -> Option<(Field, &'a str)> {
        let Key { field: Some(field), text: Some(key) } = self.last_key else {
            return None;
        };
        let after_key = &self.text[self.column(key) + key.len()..];
        let value = after_key.trim_ascii_start().strip_prefix(':')?.trim_ascii_start();
        let end =
            value.find(|c: char| c == ',' || c == '}' || c.is_ascii_whitespace()).unwrap_or(value.len());
        (field.is_energy() && is_not_finite(&value[..end])).then_some((field, &value[..end]))
    }
}

/// Bytes before and after the place of an error that a reject quotes.
const CONTEXT_BYTES: usize = 30;

/// Bytes of `text` up to and with the one that `error` complains about.
fn offset_of(error: &serde_json::Error, text: &str) -> usize {
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    (before + error.column()).min(text.len())
}

/// What `error` says, without the place, which is told in other terms.
fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(end) => message[..end].to_owned(),
        None => message,
    }
}

fn error_is(error: impl fmt::Display) -> impl fmt::Display {
    format!("is not valid: {error}")
}

/// A key of the object: the field of the contract that it names, and where it stands unless it was spelt with escapes.
#[derive(Clone, Copy, Default)]
struct Key<'a> {
    field: Option<Field>,
    text: Option<&'a str>,
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E: de::Error>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key { text: Some(key), ..self.visit_str(key)? })
            }

            fn visit_str<E: de::Error>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key { field: Field::ALL.into_iter().find(|field| field.name() == key), text: None })
            }
        }

        deserializer.deserialize_str(KeyVisitor)
    }
}

impl<'a> DeserializeSeed<'a> for &mut Document<'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for &mut Document<'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<Key<'a>>()? {
            self.last_key = key;
            let Some(field) = key.field else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if self.values[field as usize].is_some() {
                self.duplicate = Some(key);
                return Err(de::Error::duplicate_field(field.name()));
            }
            self.values[field as usize] = Some(map.next_value::<&'a RawValue>()?.get());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
