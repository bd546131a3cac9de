//! The fields of one record, found but not yet understood.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::EventError;

/// A record of the event taken apart. A field is `None` when it is absent or null, or when its object has one twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    /// All of the record.
    pub(super) text: &'a str,
    pub(super) event_id: Option<Value<'a>>,
    pub(super) sequence: Option<Value<'a>>,
    pub(super) key: Option<Value<'a>>,
    pub(super) arrival: Option<Value<'a>>,
    pub(super) data: Option<Value<'a>>,
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// The characters of a string without escapes.
    Plain(&'a str),
    /// Any other JSON.
    Json(&'a str),
}

#[derive(Default, Deserialize)]
struct Outer<'a> {
    #[serde(borrow, rename = "eventID")]
    event_id: Option<&'a RawValue>,
    #[serde(borrow)]
    kinesis: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kinesis<'a> {
    #[serde(borrow)]
    sequence_number: Option<&'a RawValue>,
    #[serde(borrow)]
    partition_key: Option<&'a RawValue>,
    #[serde(borrow)]
    approximate_arrival_timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl<'a> Fields<'a> {
    /// Reads the record that `text` begins with, whatever follows it; `index` is its place in the event.
    pub(super) fn read(text: &'a str, index: usize) -> Result<Self, EventError> {
        if !text.starts_with('{') {
            return Err(EventError::NoNumber { index });
        }
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        let record = match values.next() {
            Some(Ok(record)) => record.get(),
            Some(Err(error)) => return Err(EventError::NotJson(error.to_string())),
            None => return Err(EventError::NoNumber { index }),
        };
        let Outer { event_id, kinesis } = object(record);
        let Kinesis { sequence_number, partition_key, approximate_arrival_timestamp, data } =
            kinesis.map(RawValue::get).map(object).unwrap_or_default();
        Ok(Self {
            text: record,
            event_id: event_id.map(Value::of),
            sequence: sequence_number.map(Value::of),
            key: partition_key.map(Value::of),
            arrival: approximate_arrival_timestamp.map(Value::of),
            data: data.map(Value::of),
        })
    }
}

/// The fields of JSON that is valid. What is no object, or has a field twice, has none.
fn object<'a, T: Default + Deserialize<'a>>(json: &'a str) -> T {
    // A list would be taken as the values of the fields in their order.
    if json.starts_with('{') { serde_json::from_str(json).unwrap_or_default() } else { T::default() }
}

impl<'a> Value<'a> {
    fn of(raw: &'a RawValue) -> Self {
        match raw.get().strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(characters) if !characters.contains('\\') => Self::Plain(characters),
            _ => Self::Json(raw.get()),
        }
    }

    /// Its characters, if it is a string.
    pub(super) fn characters(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Plain(characters) => Some(Cow::Borrowed(characters)),
            Self::Json(json) => serde_json::from_str(json).ok().map(Cow::Owned),
        }
    }

    /// As it stands in the event, without the quotes of a plain string.
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Plain(text) | Self::Json(text) => text,
        }
    }
}
