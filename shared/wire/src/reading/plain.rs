//! The form in which nearly all readings come, read in one pass.
//!
//! It is one JSON object with exactly the four fields of the contract, in any order, and no escapes. Reading that with a
//! general parser costs several times as much, and this is the inner loop of everything. What must always hold: a
//! reading that is read here is the reading that the general parser would give. All else is left to that parser, which
//! alone decides what is wrong with a record.

use wattstream_domain::{Measure, Reading, SiteId};

use super::Field;
use crate::decimal::parse_energy;
use crate::time::parse_timestamp;

/// The reading in `text`; `None` when the text is not in the plain form, or not a reading.
pub(super) fn decode(text: &str) -> Option<Reading> {
    let [site_id, timestamp, generated, consumed] = values(text)?;
    Some(Reading {
        site_id: SiteId::new(site_id).ok()?,
        timestamp: parse_timestamp(timestamp).ok()?,
        measure: Measure { generated: parse_energy(generated).ok()?, consumed: parse_energy(consumed).ok()? },
    })
}

/// The values of the four fields, strings without their quotes. Four fields without a duplicate are all there are.
fn values(text: &str) -> Option<[&str; Field::ALL.len()]> {
    let mut values: [Option<&str>; Field::ALL.len()] = [None; Field::ALL.len()];
    let mut rest = token(text, '{')?;
    for expected in Field::ALL {
        if expected != Field::ALL[0] {
            rest = token(rest, ',')?;
        }
        let (field, after_key) = key(rest, expected)?;
        rest = skip_blanks(token(after_key, ':')?);
        let value;
        (value, rest) = if field.is_energy() { number(rest)? } else { string(rest)? };
        if values[field as usize].replace(value).is_some() {
            return None;
        }
    }
    let [Some(site_id), Some(timestamp), Some(generated), Some(consumed)] = values else {
        return None;
    };
    skip_blanks(token(rest, '}')?).is_empty().then_some([site_id, timestamp, generated, consumed])
}

/// What follows a sign of JSON's structure.
fn token(text: &str, sign: char) -> Option<&str> {
    skip_blanks(text).strip_prefix(sign)
}

/// What follows the blanks of JSON (RFC 8259, section 2), which are fewer than those of ASCII.
fn skip_blanks(text: &str) -> &str {
    let blanks = text.bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    &text[blanks..]
}

/// A key of the contract. The `expected` one is tried first.
fn key(text: &str, expected: Field) -> Option<(Field, &str)> {
    let name = token(text, '"')?;
    let rest_after = |field: Field| name.strip_prefix(field.name())?.strip_prefix('"');
    match rest_after(expected) {
        Some(rest) => Some((expected, rest)),
        None => Field::ALL.into_iter().find_map(|field| Some((field, rest_after(field)?))),
    }
}

/// A string without escapes; a backslash ends up in a value that no field accepts.
fn string(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('"')?.split_once('"')
}

/// A number; its grammar is for the field to judge.
fn number(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n'))?;
    Some(text.split_at(end))
}
