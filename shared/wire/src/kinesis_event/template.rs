//! The form that the records of an event have in common.
//!
//! A record of Lambda repeats the one before it but for five values: what stands around those is the same text, some 400
//! bytes of it. So the first record is read by a general parser, and what stands around its values is compared with the
//! next record instead of parsed again, whatever its fields, their order and its blanks are. What must always hold: a
//! record that is read here has the fields that the general parser would find; any other is left to that parser.

use super::fields::{Fields, Value};

/// A field that changes from record to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    EventId,
    Sequence,
    Key,
    Arrival,
    Data,
}

/// A field, and the text that stands before its value, quotes included.
#[derive(Clone, Copy, Debug)]
struct Slot<'a> {
    before: &'a str,
    field: Field,
}

/// What a record consists of beside the values of its fields.
#[derive(Clone, Debug)]
pub(super) struct Template<'a> {
    slots: [Slot<'a>; 5],
    /// What stands after the last value.
    end: &'a str,
}

impl<'a> Template<'a> {
    /// The form of a record that has every field, strings without escapes and a number; `None` when it has not.
    pub(super) fn of(fields: &Fields<'a>) -> Option<Self> {
        use Value::{Json, Plain};
        let Fields { text, event_id, sequence, key, arrival, data } = *fields;
        let (
            Some(Plain(event_id)),
            Some(Plain(sequence)),
            Some(Plain(key)),
            Some(Json(arrival)),
            Some(Plain(data)),
        ) = (event_id, sequence, key, arrival, data)
        else {
            return None;
        };
        let mut values = [
            (Field::EventId, event_id),
            (Field::Sequence, sequence),
            (Field::Key, key),
            (Field::Arrival, arrival),
            (Field::Data, data),
        ];
        values.sort_unstable_by_key(|(_, value)| value.as_ptr());
        let mut end = 0;
        let slots = values.map(|(field, value)| {
            let start = value.as_ptr().addr() - text.as_ptr().addr();
            let before = &text[end..start];
            end = start + value.len();
            Slot { before, field }
        });
        Some(Self { slots, end: &text[end..] })
    }

    /// The record that `text` begins with, if it has this form.
    pub(super) fn read(&self, text: &'a str) -> Option<Fields<'a>> {
        let mut fields = Fields::default();
        let mut rest = text;
        for slot in &self.slots {
            rest = rest.strip_prefix(slot.before)?;
            let value = match slot.field {
                Field::Arrival => number(rest)?,
                Field::EventId | Field::Sequence | Field::Key | Field::Data => characters(rest)?,
            };
            rest = &rest[value.len()..];
            match slot.field {
                Field::EventId => fields.event_id = Some(Value::Plain(value)),
                Field::Sequence => fields.sequence = Some(Value::Plain(value)),
                Field::Key => fields.key = Some(Value::Plain(value)),
                Field::Arrival => fields.arrival = Some(Value::Json(value)),
                Field::Data => fields.data = Some(Value::Plain(value)),
            }
        }
        rest = rest.strip_prefix(self.end)?;
        fields.text = &text[..text.len() - rest.len()];
        Some(fields)
    }
}

/// The characters before the quote that ends a string, if there is no escape and nothing that would need one.
fn characters(text: &str) -> Option<&str> {
    let end = memchr::memchr2(b'"', b'\\', text.as_bytes())?;
    let (characters, rest) = text.split_at(end);
    // A fold without an exit of its own, which compiles to one instruction for sixteen bytes.
    let least = characters.bytes().fold(u8::MAX, u8::min);
    (rest.starts_with('"') && least >= b' ').then_some(characters)
}

/// The number that `text` begins with, up to its exponent if it has one; none has a sign.
fn number(text: &str) -> Option<&str> {
    let count_digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let integer = count_digits(text);
    if integer == 0 || integer > 1 && text.starts_with('0') {
        return None;
    }
    let end = match text[integer..].strip_prefix('.') {
        Some(fraction) => integer + 1 + Some(count_digits(fraction)).filter(|&digits| digits > 0)?,
        None => integer,
    };
    Some(&text[..end])
}
