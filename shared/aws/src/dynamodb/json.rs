//! DynamoDB's JSON, written member by member into one buffer.
//!
//! A request's items are written straight into its body: an item of the SDK is a map of strings and enums that is built,
//! serialised and dropped, several times the cost of everything else that happens to a reading (see `benches/items.rs`).
//!
//! What must always hold: the output is valid JSON whatever the values. Text is escaped unless its type cannot hold a character
//! that needs it ([`Plain`]).

use std::fmt::Display;
use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wattstream_domain::{Position, SequenceNumber, ShardId, SiteId, Timestamp};

/// A value that prints without a quote, a backslash or a control character.
pub(super) trait Plain: Display {}

impl Plain for SiteId {}
impl Plain for Timestamp {}
impl Plain for Position {}
impl Plain for ShardId {}
impl Plain for SequenceNumber {}

/// The members of an object, being written.
pub(super) struct Members<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

/// Writes an object with the members that `write` gives it.
pub(super) fn object(out: &mut Vec<u8>, write: impl FnOnce(&mut Members<'_>)) {
    out.push(b'{');
    write(&mut Members { out, is_empty: true });
    out.push(b'}');
}

/// Writes text as a JSON string.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a Vec takes every write");
}

impl Members<'_> {
    /// A member that is plain JSON, as the parts of a request are that are not attributes.
    pub(super) fn member(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>)) {
        self.name(name);
        write(self.out);
    }

    /// A member whose name is not one of ours.
    pub(super) fn foreign_member(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.separate();
        string(self.out, name);
        self.out.push(b':');
        write(self.out);
    }

    /// An attribute of type S.
    pub(super) fn plain(&mut self, name: &'static str, value: &impl Plain) {
        self.attribute(name, b"{\"S\":\"", |out| print(out, value), b"\"}");
    }

    /// An attribute of type S.
    pub(super) fn text(&mut self, name: &'static str, value: &str) {
        self.attribute(name, b"{\"S\":", |out| string(out, value), b"}");
    }

    /// An attribute of type N. `value` prints as a number.
    pub(super) fn number(&mut self, name: &'static str, value: &impl Display) {
        self.attribute(name, b"{\"N\":\"", |out| print(out, value), b"\"}");
    }

    /// An attribute of type BOOL.
    pub(super) fn boolean(&mut self, name: &'static str, value: bool) {
        self.attribute(name, b"{\"BOOL\":", |out| print(out, &value), b"}");
    }

    /// An attribute of type B.
    pub(super) fn binary(&mut self, name: &'static str, bytes: &[u8]) {
        let encoded = STANDARD.encode(bytes);
        self.attribute(name, b"{\"B\":\"", |out| out.extend_from_slice(encoded.as_bytes()), b"\"}");
    }

    /// An attribute of type M.
    pub(super) fn map(&mut self, name: &'static str, write: impl FnOnce(&mut Members<'_>)) {
        self.attribute(name, b"{\"M\":", |out| object(out, write), b"}");
    }

    /// An attribute of type L that holds a map for each entry.
    pub(super) fn maps<T>(
        &mut self,
        name: &'static str,
        entries: &[T],
        write: impl Fn(&T, &mut Members<'_>),
    ) {
        let list = |out: &mut Vec<u8>| {
            array(out, entries, |out, entry| {
                object(out, |item| {
                    item.member("M", |out| object(out, |members| write(entry, members)));
                });
            });
        };
        self.attribute(name, b"{\"L\":", list, b"}");
    }

    fn attribute(&mut self, name: &'static str, open: &[u8], value: impl FnOnce(&mut Vec<u8>), close: &[u8]) {
        self.name(name);
        self.out.extend_from_slice(open);
        value(self.out);
        self.out.extend_from_slice(close);
    }

    /// The names of attributes are constants of ours, none of which needs escaping.
    fn name(&mut self, name: &'static str) {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn separate(&mut self) {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
    }
}

/// Writes an array of what `write` makes of the entries.
pub(super) fn array<T>(
    out: &mut Vec<u8>,
    entries: impl IntoIterator<Item = T>,
    write: impl Fn(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (index, entry) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, entry);
    }
    out.push(b']');
}

fn print(out: &mut Vec<u8>, value: &impl Display) {
    write!(out, "{value}").expect("a Vec takes every write");
}
