//! Answers on stdout: a table for people, JSON as the API gave it, CSV for spreadsheets.
//!
//! Numbers are printed with the digits that the API wrote; none passes through a double.

use std::collections::HashMap;
use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_BORDERS_ONLY};
use serde_json::value::RawValue;

use crate::cli::Format;

/// One entry of an answer: its fields, unread.
pub(crate) type Entry = HashMap<String, Box<RawValue>>;

/// A column: the field it shows, and its heading in a table.
pub(crate) type Column = (&'static str, &'static str);

/// The fields of a JSON object as an entry; none of anything else.
pub(crate) fn entry(object: serde_json::Value) -> Entry {
    let serde_json::Value::Object(fields) = object else { return Entry::new() };
    let raw =
        |value: serde_json::Value| RawValue::from_string(value.to_string()).expect("a value prints as JSON");
    fields.into_iter().map(|(field, value)| (field, raw(value))).collect()
}

/// Prints entries in a form. JSON is an array.
pub(crate) fn print(entries: &[Entry], columns: &[Column], format: Format) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, entries)?;
            writeln!(out)
        }
        Format::Csv => write_csv(&mut out, entries, columns),
        Format::Table => writeln!(out, "{}", table(entries, columns)),
    }
}

fn write_csv(out: &mut impl Write, entries: &[Entry], columns: &[Column]) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(columns.iter().map(|(field, _)| field))?;
    for entry in entries {
        csv.write_record(columns.iter().map(|(field, _)| text(entry, field)))?;
    }
    csv.flush()
}

fn table(entries: &[Entry], columns: &[Column]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    table.set_header(columns.iter().map(|(_, heading)| heading));
    for entry in entries {
        table.add_row(columns.iter().map(|(field, _)| {
            let alignment = if is_number(entry, field) { CellAlignment::Right } else { CellAlignment::Left };
            Cell::new(text(entry, field)).set_alignment(alignment)
        }));
    }
    table
}

fn is_number(entry: &Entry, field: &str) -> bool {
    entry.get(field).is_some_and(|value| value.get().starts_with(|c: char| c == '-' || c.is_ascii_digit()))
}

/// A field as text: nothing for null, a string without its quotes, anything else as it is written.
pub(crate) fn text(entry: &Entry, field: &str) -> String {
    let raw = entry.get(field).map_or("null", |value| value.get());
    if raw == "null" {
        return String::new();
    }
    serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned())
}
