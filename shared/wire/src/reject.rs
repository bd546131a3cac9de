//! Why a record cannot be used.
//!
//! A [`Reject`] is bounded whatever the record was, and safe to print on a terminal or into a log: what it quotes is
//! short and has its control characters escaped.

use std::fmt;

/// The longest [`Reject::detail`], in bytes.
pub const REJECT_DETAIL_BYTES_MAX: usize = 1_024;

/// A record that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Reject {
    /// What to count and to filter by.
    pub reason: Reason,
    /// What is wrong, where, and how to mend it, for people; at most [`REJECT_DETAIL_BYTES_MAX`] bytes.
    pub detail: String,
}

impl Reject {
    /// A reject with this detail, cut at [`REJECT_DETAIL_BYTES_MAX`].
    pub fn new(reason: Reason, detail: impl fmt::Display) -> Self {
        let mut detail = detail.to_string();
        detail.truncate(detail.floor_char_boundary(REJECT_DETAIL_BYTES_MAX));
        Self { reason, detail }
    }
}

/// The kinds of rejects. The codes are part of the public contract: dead letters, metrics and replies carry them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The record has no bytes, or only blanks.
    Empty,
    /// The record is longer than a reading or an aggregate may be.
    TooLarge,
    /// The record is not UTF-8.
    NotUtf8,
    /// The record is not one complete JSON value.
    NotJson,
    /// The record is JSON, but not an object.
    NotAnObject,
    /// A field of the contract stands twice.
    DuplicateField,
    /// A field of the contract is absent or null.
    MissingField,
    /// A field has another JSON type than the contract says.
    WrongType,
    /// The site id is empty, too long or has a character outside its alphabet.
    SiteIdInvalid,
    /// The timestamp is not RFC 3339, or names no existing time.
    TimestampInvalid,
    /// The timestamp has no offset from UTC.
    TimestampWithoutOffset,
    /// The timestamp is a leap second.
    TimestampLeapSecond,
    /// The timestamp lies outside the years 1970 to 2099.
    TimestampOutOfRange,
    /// An energy is not a number, or infinite.
    EnergyNotFinite,
    /// An energy is beyond 1e9 kWh either way.
    EnergyOutOfRange,
    /// The record announces itself as a KPL aggregate and is none.
    AggregateInvalid,
    /// The envelope of the record, in the event that brought it, lacks a field or has one that cannot be read.
    EnvelopeInvalid,
}

impl Reason {
    /// Every reason, about in the order in which a record is examined.
    pub const ALL: [Self; 17] = [
        Self::Empty,
        Self::TooLarge,
        Self::NotUtf8,
        Self::NotJson,
        Self::NotAnObject,
        Self::DuplicateField,
        Self::MissingField,
        Self::WrongType,
        Self::SiteIdInvalid,
        Self::TimestampInvalid,
        Self::TimestampWithoutOffset,
        Self::TimestampLeapSecond,
        Self::TimestampOutOfRange,
        Self::EnergyNotFinite,
        Self::EnergyOutOfRange,
        Self::AggregateInvalid,
        Self::EnvelopeInvalid,
    ];

    /// Its stable name, in snake_case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge => "too_large",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::DuplicateField => "duplicate_field",
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::SiteIdInvalid => "site_id_invalid",
            Self::TimestampInvalid => "timestamp_invalid",
            Self::TimestampWithoutOffset => "timestamp_without_offset",
            Self::TimestampLeapSecond => "timestamp_leap_second",
            Self::TimestampOutOfRange => "timestamp_out_of_range",
            Self::EnergyNotFinite => "energy_not_finite",
            Self::EnergyOutOfRange => "energy_out_of_range",
            Self::AggregateInvalid => "aggregate_invalid",
            Self::EnvelopeInvalid => "envelope_invalid",
        }
    }

    /// The reason with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// The most characters of a record that a reject quotes.
const QUOTE_CHARS_MAX: usize = 64;

/// The beginning of a text from outside, between backticks, with what would not print escaped.
pub(crate) struct Quote<'a>(pub(crate) &'a str);

impl fmt::Display for Quote<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        f.write_str("`")?;
        for character in characters.by_ref().take(QUOTE_CHARS_MAX) {
            match character {
                '"' | '\'' | '\\' => write!(f, "{character}")?,
                other => write!(f, "{}", other.escape_debug())?,
            }
        }
        f.write_str(if characters.next().is_some() { "…`" } else { "`" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_snake_case_and_lead_back_to_their_reason() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(reason));
            assert!(
                reason
                    .code()
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            );
        }
        assert_eq!(Reason::from_code("none_of_them"), None);
    }

    #[test]
    fn a_quote_is_short_and_has_nothing_that_a_terminal_would_obey() {
        let cases = [
            ("\"12,5\"", "`\"12,5\"`".to_owned()),
            ("a\u{1b}[31m\n", r"`a\u{1b}[31m\n`".to_owned()),
            ("\u{202e}evil", r"`\u{202e}evil`".to_owned()),
            (&"x".repeat(64), format!("`{}`", "x".repeat(64))),
            (&"ä".repeat(65), format!("`{}…`", "ä".repeat(64))),
        ];
        for (text, quoted) in cases {
            assert_eq!(Quote(text).to_string(), quoted);
        }
    }

    #[test]
    fn a_detail_is_cut_between_characters() {
        let reject = Reject::new(Reason::NotJson, "ä".repeat(REJECT_DETAIL_BYTES_MAX) + "x");
        assert_eq!(reject.detail.len(), REJECT_DETAIL_BYTES_MAX);
        let odd = Reject::new(Reason::NotJson, "x".to_owned() + &"ä".repeat(REJECT_DETAIL_BYTES_MAX));
        assert_eq!(odd.detail.len(), REJECT_DETAIL_BYTES_MAX - 1);
        assert_eq!(odd.to_string(), odd.detail);
    }
}
