//! Files of readings: CSV or NDJSON, plain or gzipped, told apart by their first bytes.
//!
//! Every line becomes one record for the stream, byte for byte for NDJSON. A CSV line becomes the JSON object that its
//! header makes of it; what is not a JSON number there stays a text, so that the consumer rejects it with a reason
//! instead of this reader guessing.

mod csv_lines;
mod progress;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

pub(crate) use csv_lines::HeaderError;
pub(crate) use progress::Progress;

use csv_lines::CsvLines;

/// The longest line that is read; a longer one ends the file with an error, because it is not text.
const LINE_BYTES_MAX: u64 = 10 * 1024 * 1024;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// The file is not there, or not for us.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The first line names no columns that make a reading.
    #[error("{}: {source}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is missing.
        source: HeaderError,
    },
    /// A line is longer than a record may be.
    #[error("{}: line {line} is longer than {LINE_BYTES_MAX} bytes: is this a text file?", path.display())]
    LineTooLong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
}

/// One line of a file, as a record for the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number in the file, from 1.
    pub number: u64,
    /// The record.
    pub payload: Vec<u8>,
}

/// The lines of one file.
pub(crate) struct Input {
    path: PathBuf,
    lines: Lines,
}

enum Lines {
    Csv(CsvLines<Box<dyn BufRead>>),
    Ndjson { reader: Box<dyn BufRead>, number: u64 },
}

impl Input {
    /// Opens a file, or stdin for `-`, and tells `progress` of the bytes that are read from it.
    pub(crate) fn open(path: &Path, progress: &Progress) -> Result<Self, InputError> {
        let failed = |source| InputError::Io { path: path.to_owned(), source };
        let raw: Box<dyn Read> = if path.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(failed)?)
        };
        let mut reader: Box<dyn BufRead> = Box::new(BufReader::new(progress.wrap(raw)));
        if reader.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]) {
            reader = Box::new(BufReader::new(MultiGzDecoder::new(reader)));
        }
        let start = reader.fill_buf().map_err(failed)?;
        let is_json =
            start.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| b"{[".contains(byte));
        let lines = if is_json {
            Lines::Ndjson { reader, number: 0 }
        } else {
            let header = |source| InputError::Header { path: path.to_owned(), source };
            Lines::Csv(CsvLines::new(reader).map_err(header)?)
        };
        Ok(Self { path: path.to_owned(), lines })
    }

    /// The next line that is not blank.
    pub(crate) fn next_line(&mut self) -> Result<Option<Line>, InputError> {
        match &mut self.lines {
            Lines::Csv(lines) => {
                lines.next_line().map_err(|source| InputError::Io { path: self.path.clone(), source })
            }
            Lines::Ndjson { reader, number } => next_json_line(reader, number, &self.path),
        }
    }
}

fn next_json_line(
    reader: &mut impl BufRead,
    number: &mut u64,
    path: &Path,
) -> Result<Option<Line>, InputError> {
    loop {
        let mut payload = Vec::new();
        let read = reader.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut payload);
        let read_bytes = read.map_err(|source| InputError::Io { path: path.to_owned(), source })?;
        *number += 1;
        if read_bytes == 0 {
            return Ok(None);
        }
        if read_bytes as u64 > LINE_BYTES_MAX {
            return Err(InputError::LineTooLong { path: path.to_owned(), line: *number });
        }
        if payload.ends_with(b"\n") {
            payload.pop();
        }
        if payload.ends_with(b"\r") {
            payload.pop();
        }
        if !payload.iter().all(u8::is_ascii_whitespace) {
            return Ok(Some(Line { number: *number, payload }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn lines(bytes: &[u8]) -> Vec<(u64, String)> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let mut input = Input::open(file.path(), &Progress::hidden()).unwrap();
        let next =
            || input.next_line().unwrap().map(|line| (line.number, String::from_utf8(line.payload).unwrap()));
        std::iter::from_fn(next).collect()
    }

    const CSV: &[u8] = b"site_id,timestamp,energy_generated_kwh,energy_consumed_kwh\n\
        a,2025-06-20T00:00:00Z,0.0,NaN\nb\"x,2025-06-20T00:00:00Z,1e-05,-2\n";

    #[test]
    fn a_csv_line_becomes_the_object_that_its_header_names() {
        let expected = [
            (
                2,
                r#"{"site_id":"a","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":0.0,"energy_consumed_kwh":"NaN"}"#,
            ),
            (
                3,
                r#"{"site_id":"b\"x","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":1e-05,"energy_consumed_kwh":-2}"#,
            ),
        ];
        let expected: Vec<_> = expected.map(|(number, text)| (number, text.to_owned())).into();
        assert_eq!(lines(CSV), expected);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(CSV).unwrap();
        assert_eq!(lines(&gzip.finish().unwrap()), expected);
    }

    #[test]
    fn json_lines_stay_as_they_are_and_blank_ones_are_skipped() {
        let text = b"{\"a\": 1}\r\n\n  \n{broken\nlast";
        let expected = [(1, "{\"a\": 1}"), (4, "{broken"), (5, "last")].map(|(n, text)| (n, text.to_owned()));
        assert_eq!(lines(text), expected);
    }

    #[test]
    fn a_header_without_the_columns_of_a_reading_says_which_are_missing() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"site_id,time,kwh\na,b,c\n").unwrap();
        let error = Input::open(file.path(), &Progress::hidden()).err().unwrap().to_string();
        assert!(error.contains("timestamp") && error.contains("energy_consumed_kwh"), "{error}");
    }
}
