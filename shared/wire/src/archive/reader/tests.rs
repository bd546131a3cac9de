//! Records of any bytes come back, however an object was delimited, cut off or damaged.

use std::io::{BufReader, Read};

use proptest::prelude::*;

use super::*;
use crate::append_archive_record;

/// An entry that outlives its reader.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owned {
    Record(Vec<u8>),
    TooLong { offset: u64, bytes: u64 },
    Truncated { offset: u64, bytes: Vec<u8> },
}

impl From<ArchiveEntry<'_>> for Owned {
    fn from(entry: ArchiveEntry<'_>) -> Self {
        match entry {
            ArchiveEntry::Record(record) => Self::Record(record.to_vec()),
            ArchiveEntry::TooLong { offset, bytes } => Self::TooLong { offset, bytes },
            ArchiveEntry::Truncated { offset, bytes } => Self::Truncated { offset, bytes: bytes.to_vec() },
        }
    }
}

fn record(text: &str) -> Owned {
    Owned::Record(text.as_bytes().to_vec())
}

fn entries_of<R: BufRead>(mut reader: ArchiveReader<R>) -> Vec<Owned> {
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_entry().unwrap() {
        entries.push(entry.into());
    }
    entries
}

/// The entries of an object, read in chunks of `chunk_bytes`.
fn entries_in_chunks(object: &[u8], chunk_bytes: usize) -> Vec<Owned> {
    entries_of(ArchiveReader::new(BufReader::with_capacity(chunk_bytes, object)))
}

fn check(object: &str, expected: &[Owned]) {
    for chunk_bytes in [1, 2, 3, 7, 4_096] {
        assert_eq!(
            entries_in_chunks(object.as_bytes(), chunk_bytes),
            expected,
            "{object:?} in {chunk_bytes}"
        );
    }
}

#[test]
fn objects_are_found_with_and_without_line_ends() {
    let (a, b) = (record(r#"{"a":1}"#), record(r#"{"b":{"c":"}{"}}"#));
    for separator in ["\n", "\r\n", "\n\n", "\r\n \t\r\n", "", " ", "\t", " \r"] {
        for end in ["", "\n", "\r\n"] {
            check(&format!(r#"{{"a":1}}{separator}{{"b":{{"c":"}}{{"}}}}{end}"#), &[a.clone(), b.clone()]);
        }
    }
    check("", &[]);
    check("\n \n\r\n", &[]);
}

#[test]
fn a_damaged_record_ends_at_its_line_end() {
    check("{\"a\":\n{\"b\":2}\n", &[record("{\"a\":"), record(r#"{"b":2}"#)]);
    check("{\"a\":\"\\\n{\"b\":2}\n", &[record("{\"a\":\"\\"), record(r#"{"b":2}"#)]);
    check("not json }{\"b\":2}\n{}\n", &[record("not json }{\"b\":2}"), record("{}")]);
    check("{}x{}\n[1]\n", &[record("{}x{}"), record("[1]")]);
    check("}{\n", &[record("}{")]);
}

#[test]
fn a_delimited_record_comes_back_byte_for_byte() {
    check(" {\"a\":1} \n", &[record(" {\"a\":1} ")]);
    check("{\"a\":1}\r\r\n", &[record("{\"a\":1}\r")]);
    check("\t\u{0}\n", &[record("\t\u{0}")]);
}

#[test]
fn a_cut_off_tail_is_reported_with_its_place() {
    let truncated = |bytes: &str| Owned::Truncated { offset: 8, bytes: bytes.as_bytes().to_vec() };
    check("{\"a\":1}\n{\"b\":", &[record(r#"{"a":1}"#), truncated("{\"b\":")]);
    check("{\"a\":1}\nplain", &[record(r#"{"a":1}"#), truncated("plain")]);
    check("{\"a\": 1}{\"b\":", &[record(r#"{"a": 1}"#), truncated("{\"b\":")]);
}

#[test]
fn a_record_beyond_the_limit_is_reported_and_skipped() {
    let object = b"{\"aaaa\":11}\n{\"aaaa\":111}\n{\"b\":2}{\"aaaa\":1111}{\"c\":3}";
    for chunk_bytes in [1, 5, 4_096] {
        let reader = ArchiveReader::with_limit(BufReader::with_capacity(chunk_bytes, &object[..]), 11);
        let expected = [
            record(r#"{"aaaa":11}"#),
            Owned::TooLong { offset: 12, bytes: 12 },
            record(r#"{"b":2}"#),
            Owned::TooLong { offset: 32, bytes: 13 },
            record(r#"{"c":3}"#),
        ];
        assert_eq!(entries_of(reader), expected, "in chunks of {chunk_bytes}");
    }
}

#[test]
fn a_failing_input_is_reported_after_the_records_before_it() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::UnexpectedEof))
        }
    }
    let mut reader = ArchiveReader::new(BufReader::new((&b"{}\n{\"a\""[..]).chain(Failing)));
    assert_eq!(reader.next_entry().unwrap(), Some(ArchiveEntry::Record(b"{}")));
    let error = reader.next_entry().unwrap_err();
    assert_eq!((error.offset, error.source.kind()), (7, io::ErrorKind::UnexpectedEof));
}

#[test]
fn readings_are_archived_as_they_stand_and_others_are_wrapped() {
    let cases = [
        (&b"{\"a\":1}"[..], &b"{\"a\":1}\n"[..]),
        (b"12,5", b"12,5\n"),
        (b"\xff\x00", b"\xff\x00\n"),
        (b"", b"{\"record_base64\":\"\"}\n"),
        (b"{}\n{}", b"{\"record_base64\":\"e30Ke30=\"}\n"),
        (b"{}{}", b"{\"record_base64\":\"e317fQ==\"}\n"),
        (b"{}\r", b"{\"record_base64\":\"e30N\"}\n"),
        (b"{\"record_base64\":\"\"}", b"{\"record_base64\":\"eyJyZWNvcmRfYmFzZTY0IjoiIn0=\"}\n"),
    ];
    for (raw, line) in cases {
        let mut out = Vec::new();
        append_archive_record(raw, &mut out);
        assert_eq!(out, line);
        assert_eq!(entries_in_chunks(&out, 64), [Owned::Record(raw.to_vec())]);
    }
}

/// Bytes that are likely to confuse a reader of JSON lines.
fn raw_records() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        "[{}\\[\\]\"\\\\ \t\r\na:1,]{0,20}".prop_map(String::into_bytes),
        Just(br#"{"record_base64":"e30="}"#.to_vec()),
    ]
}

fn json_objects() -> impl Strategy<Value = String> {
    let leaf =
        prop_oneof![any::<i32>().prop_map(Into::into), any::<String>().prop_map(serde_json::Value::String)];
    let values = leaf.prop_recursive(3, 12, 3, |inner| {
        proptest::collection::vec((any::<String>(), inner), 0..3)
            .prop_map(|pairs| pairs.into_iter().collect())
    });
    proptest::collection::vec((any::<String>(), values), 0..3)
        .prop_map(|pairs| pairs.into_iter().collect::<serde_json::Value>().to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn archived_records_of_any_bytes_are_read_back(
        records in proptest::collection::vec(raw_records(), 0..8),
        chunk_bytes in 1..64_usize,
    ) {
        let mut object = Vec::new();
        for record in &records {
            append_archive_record(record, &mut object);
        }
        let expected: Vec<Owned> = records.into_iter().map(Owned::Record).collect();
        prop_assert_eq!(entries_in_chunks(&object, chunk_bytes), expected);
    }

    #[test]
    fn joined_objects_are_read_back(
        parts in proptest::collection::vec((json_objects(), "(\n|\r\n|\n\n|[ \t]{0,2})"), 0..8),
        chunk_bytes in 1..64_usize,
    ) {
        let object: String = parts.iter().flat_map(|(json, separator)| [json.as_str(), separator.as_str()]).collect();
        let entries = entries_in_chunks(object.as_bytes(), chunk_bytes);
        let found: Vec<String> = entries.iter().map(|entry| match entry {
            Owned::Record(record) => String::from_utf8(record.clone()).unwrap().trim_end().to_owned(),
            other => panic!("{other:?}"),
        }).collect();
        prop_assert_eq!(found, parts.into_iter().map(|(json, _)| json).collect::<Vec<_>>());
    }

    #[test]
    fn a_cut_anywhere_loses_no_record_before_it(
        records in proptest::collection::vec(raw_records(), 1..5),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut object, mut ends) = (Vec::new(), Vec::new());
        for record in &records {
            append_archive_record(record, &mut object);
            ends.push(object.len());
        }
        let cut = cut.index(object.len());
        let complete = ends.iter().take_while(|&&end| end <= cut).count();
        let entries = entries_in_chunks(&object[..cut], 16);
        let expected: Vec<Owned> = records.into_iter().map(Owned::Record).collect();
        prop_assert!(entries.starts_with(&expected[..complete]));
        prop_assert!(entries.len() <= complete + 1);
    }

    #[test]
    fn any_bytes_have_an_outcome_within_the_limit(
        object in proptest::collection::vec(prop_oneof![Just(b'{'), Just(b'}'), Just(b'"'), Just(b'\n'), any::<u8>()], 0..200),
        limit in 0..50_usize,
        chunk_bytes in 1..64_usize,
    ) {
        for entry in entries_of(ArchiveReader::with_limit(BufReader::with_capacity(chunk_bytes, &object[..]), limit)) {
            match entry {
                Owned::Record(bytes) | Owned::Truncated { bytes, .. } => prop_assert!(bytes.len() <= limit),
                Owned::TooLong { bytes, .. } => prop_assert!(bytes > limit as u64),
            }
        }
    }
}
