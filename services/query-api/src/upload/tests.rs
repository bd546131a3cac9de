//! Bodies in every form become the records that were meant, and no others.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

const READING: &str = r#"{"site_id":"home-01","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":1,"energy_consumed_kwh":2}"#;

fn read(body: &[u8], form: Option<Form>) -> Result<Upload, UploadError> {
    Upload::read(&Bytes::copy_from_slice(body), form)
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn payloads(upload: &Upload) -> Vec<&[u8]> {
    upload.records.iter().map(|record| &*record.data).collect()
}

#[test]
fn a_line_goes_on_as_it_is_and_blank_lines_do_not() {
    let line = READING.as_bytes();
    let body = [b"\n  \r\n", line, b"\r\n\xff\n [1] \n\t", line].concat();
    let upload = read(&body, Some(Form::Lines)).unwrap();
    let indented = format!("\t{READING}");
    assert_eq!(payloads(&upload), [READING.as_bytes(), b"\xff", b" [1] ", indented.as_bytes()]);
    let rejected: Vec<_> =
        upload.rejects.iter().map(|(place, reject)| (*place, reject.reason.code())).collect();
    assert_eq!(rejected, [(Place::Line(4), "not_utf8"), (Place::Line(5), "not_an_object")]);
}

#[test]
fn a_record_is_keyed_by_its_site_and_an_unreadable_one_by_a_fixed_key() {
    let upload = read(format!("{READING}\nnonsense").as_bytes(), None).unwrap();
    let keys: Vec<&str> = upload.records.iter().map(|record| record.partition_key.as_str()).collect();
    assert_eq!(keys, ["home-01", KEY_WITHOUT_SITE]);
}

#[test]
fn an_array_becomes_a_line_an_element() {
    let spread = READING.replace(',', ",\r\n  ");
    let body = format!(" [\n{READING} , {spread}, 7\n]\n");
    for form in [None, Some(Form::Document)] {
        let upload = read(body.as_bytes(), form).unwrap();
        let spread = spread.replace("\r\n", "  ");
        assert_eq!(payloads(&upload), [READING.as_bytes(), spread.as_bytes(), b"7"]);
        assert_eq!(upload.rejects.len(), 1);
        assert_eq!(upload.rejects[0].0, Place::Index(2));
    }
}

#[test]
fn one_document_is_one_record() {
    let spread = READING.replace(',', ",\n");
    let upload = read(spread.as_bytes(), Some(Form::Document)).unwrap();
    assert_eq!(payloads(&upload), [spread.replace('\n', " ").as_bytes()]);
    assert!(upload.rejects.is_empty());
}

#[test]
fn an_array_may_be_empty_and_a_body_may_not() {
    for body in ["[]", " [ ] "] {
        assert!(read(body.as_bytes(), None).unwrap().records.is_empty(), "{body:?}");
    }
    for body in ["", "\n\n", " \t"] {
        for form in [None, Some(Form::Lines), Some(Form::Document)] {
            assert!(matches!(read(body.as_bytes(), form), Err(UploadError::Empty)), "{body:?}");
        }
    }
}

#[test]
fn what_is_no_document_is_refused_as_a_whole() {
    let nested = "[".repeat(100_000);
    let two = format!("{READING}\n{READING}");
    let half = &READING[..40];
    let trailing = format!("[{READING}] 1");
    for body in [half, &two, &trailing, "[1,]", "[NaN]", &nested] {
        assert!(
            matches!(read(body.as_bytes(), Some(Form::Document)), Err(UploadError::NotJson(_))),
            "{body:.40}"
        );
    }
}

#[test]
fn a_record_may_be_as_long_as_the_limit_and_no_longer() {
    let fits = vec![b'x'; RECORD_BYTES_MAX];
    assert_eq!(read(&fits, None).unwrap().rejects[0].1.reason.code(), "too_large");
    let body = [b"\n".as_slice(), &fits, b"x"].concat();
    let error = read(&body, None).unwrap_err();
    assert!(
        matches!(error, UploadError::RecordTooLarge(Place::Line(2), bytes) if bytes == RECORD_BYTES_MAX + 1)
    );
}

#[test]
fn a_body_may_have_as_many_records_as_the_limit_and_no_more() {
    for (separator, brackets) in [("\n", ["", ""]), (",", ["[", "]"])] {
        let body = |records: usize| brackets.join(&vec!["1"; records].join(separator));
        assert_eq!(read(body(BODY_RECORDS_MAX).as_bytes(), None).unwrap().records.len(), BODY_RECORDS_MAX);
        let error = read(body(BODY_RECORDS_MAX + 1).as_bytes(), None).unwrap_err();
        assert!(matches!(error, UploadError::TooManyRecords), "{error}");
    }
}

#[test]
fn rejects_are_all_counted_and_the_first_are_told() {
    let upload = read("x\n".repeat(REJECTS_LISTED_MAX + 5).as_bytes(), None).unwrap();
    assert_eq!((upload.rejected, upload.rejects.len()), (REJECTS_LISTED_MAX + 5, REJECTS_LISTED_MAX));
}

#[test]
fn gzip_is_unpacked_member_by_member() {
    let body = [gzip(b"1\n"), gzip(b"2\n")].concat();
    assert_eq!(decompress(&body).unwrap(), "1\n2\n");
}

#[test]
fn a_gzip_bomb_ends_at_the_limit() {
    assert!(matches!(decompress(&gzip(&vec![0; BODY_BYTES_MAX + 1])), Err(UploadError::BodyTooLarge)));
    assert_eq!(decompress(&gzip(&vec![0; BODY_BYTES_MAX])).unwrap().len(), BODY_BYTES_MAX);
}

#[test]
fn what_is_no_gzip_is_refused() {
    let whole = gzip(b"content that is cut off");
    for body in [b"plain".as_slice(), &whole[..whole.len() - 4]] {
        assert!(matches!(decompress(body), Err(UploadError::NotGzip(_))), "{body:?}");
    }
}

proptest! {
    #[test]
    fn every_record_is_one_line_and_keeps_its_meaning(
        values in prop::collection::vec(any::<(i32, String)>(), 0..5),
        is_pretty: bool,
    ) {
        let values: Vec<_> = values.iter().map(|(number, text)| serde_json::json!({ "n": number, "t": text })).collect();
        let write = if is_pretty { serde_json::to_vec_pretty } else { serde_json::to_vec };
        let upload = read(&write(&values).unwrap(), None).unwrap();
        prop_assert!(upload.records.iter().all(|record| !record.data.contains(&b'\n')));
        let read: Vec<serde_json::Value> =
            upload.records.iter().map(|record| serde_json::from_slice(&record.data).unwrap()).collect();
        prop_assert_eq!(read, values);
    }

    #[test]
    fn no_bytes_panic_and_no_line_is_lost(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        let records = read(&body, Some(Form::Lines)).map_or(0, |upload| upload.records.len());
        prop_assert_eq!(records, lines);
        let _ = read(&body, Some(Form::Document));
        let _ = decompress(&body);
    }
}
