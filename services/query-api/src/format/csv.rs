//! Rows as CSV (RFC 4180).
//!
//! A program that opens CSV takes a text that begins with one of [`FORMULA_BEGINS`] for a formula, and runs it. Such a text is
//! written with a `'` before it (OWASP, "CSV Injection"), which `wattstream ingest` takes away again. Numbers are ours and stay as they are.

use std::fmt::Display;

use csv::{Terminator, WriterBuilder};

use super::CsvHeader;

/// What a formula begins with.
const FORMULA_BEGINS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A row of a list as cells.
pub(crate) trait CsvRow {
    /// The names of the columns: those of the members in JSON.
    const COLUMNS: &'static [&'static str];

    /// The cells, one a column.
    fn cells(&self) -> Vec<Cell>;
}

/// A cell, as it is written.
pub(crate) struct Cell(String);

impl Cell {
    /// Text, which may come from outside.
    pub(crate) fn text(text: impl Display) -> Self {
        let text = text.to_string();
        Self(if text.starts_with(FORMULA_BEGINS) { format!("'{text}") } else { text })
    }

    /// A number, an instant or a truth value of our own.
    pub(crate) fn plain(value: impl Display) -> Self {
        Self(value.to_string())
    }

    /// The same, empty when there is none.
    pub(crate) fn optional(value: Option<impl Display>) -> Self {
        Self(value.map_or_else(String::new, |value| value.to_string()))
    }
}

/// The rows, below a header or without one.
pub(super) fn written<R: CsvRow>(rows: &[R], header: CsvHeader) -> Vec<u8> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let in_memory = "a vector takes what is written, and a row has a cell a column";
    if header == CsvHeader::Present {
        writer.write_record(R::COLUMNS).expect(in_memory);
    }
    for row in rows {
        writer.write_record(row.cells().iter().map(|cell| &cell.0)).expect(in_memory);
    }
    writer.into_inner().expect(in_memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pair(&'static str, f64);

    impl CsvRow for Pair {
        const COLUMNS: &'static [&'static str] = &["text", "number"];

        fn cells(&self) -> Vec<Cell> {
            vec![Cell::text(self.0), Cell::plain(self.1)]
        }
    }

    #[test]
    fn no_text_is_a_formula_and_every_number_is_a_number() {
        let texts = ["=1+1", "+1", "-home", "@SUM(A1)", "\tx", "\rx", "home-01", "a,\"b\"\r\nc"];
        let csv = written(&texts.map(|text| Pair(text, -1.5)), CsvHeader::Present);
        let expected = "text,number\r\n'=1+1,-1.5\r\n'+1,-1.5\r\n'-home,-1.5\r\n'@SUM(A1),-1.5\r\n'\tx,-1.5\r\n\"'\rx\",-1.5\r\n\
                        home-01,-1.5\r\n\"a,\"\"b\"\"\r\nc\",-1.5\r\n";
        assert_eq!(String::from_utf8(csv).unwrap(), expected);
    }

    #[test]
    fn a_list_without_rows_has_a_header() {
        assert_eq!(written::<Pair>(&[], CsvHeader::Present), b"text,number\r\n");
        assert_eq!(written::<Pair>(&[], CsvHeader::Absent), b"");
    }
}
