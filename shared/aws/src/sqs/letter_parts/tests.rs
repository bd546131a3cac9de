//! What is written is read back, and fits SQS.

use proptest::prelude::*;
use wattstream_engine::ports::GivenUpCondition;
use wattstream_testkit::{at, position};
use wattstream_wire::Reason;

use super::*;

/// The characters that SQS takes, of its documentation of `SendMessage`.
fn is_taken_by_sqs(character: char) -> bool {
    matches!(
        character,
        '\u{9}' | '\u{a}' | '\u{d}' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}'
    )
}

fn letter(detail: &str, payload: impl Into<Bytes>) -> DeadLetter {
    DeadLetter {
        position: position(3, 42),
        arrival: at(1),
        cause: Cause::Rejected(Reason::NotUtf8),
        detail: detail.to_owned(),
        payload: payload.into(),
    }
}

/// The letter from the bodies of its messages.
fn read_back(letter: &DeadLetter) -> Option<DeadLetter> {
    let parts: Vec<_> =
        parts_of(letter).iter().map(|part| LetterPart::read(&part.to_body()).unwrap()).collect();
    let (head, ..) = &parts[0];
    for (index, (other, part, _)) in parts.iter().enumerate() {
        assert_eq!((other, *part, other.parts), (head, index, parts.len()));
    }
    head.letter(&parts.iter().map(|(.., piece)| piece.clone()).collect::<Vec<_>>())
}

#[test]
fn a_message_is_the_documented_document() {
    let part = parts_of(&letter("byte 3 is not UTF-8", &b"\xff\xfe"[..])).remove(0);
    assert_eq!(
        part.to_body(),
        "{\"position\":\"shardId-000000000003:42:0\",\"arrived_at\":\"2025-06-20T00:01:00.000Z\",\
         \"reason\":\"not_utf8\",\"detail\":\"byte 3 is not UTF-8\",\"payload_bytes\":2,\
         \"payload_sha256\":\"b3d510ef04275ca8e698e5b3cbb0ece3949ef9252f0cdc839e9ee347409a2209\",\
         \"part\":1,\"parts\":1,\"payload_base64\":\"//4=\"}"
    );
}

#[test]
fn a_payload_is_cut_where_a_message_is_full() {
    for (bytes, parts) in
        [(0, 1), (1, 1), (PART_BYTES_MAX, 1), (PART_BYTES_MAX + 1, 2), (3 * PART_BYTES_MAX, 3)]
    {
        let letter = letter("too large", vec![7; bytes]);
        assert_eq!(parts_of(&letter).len(), parts);
        assert_eq!(read_back(&letter).as_ref(), Some(&letter));
    }
    let largest = letter("too large", vec![7; 10 * 1_024 * 1_024]);
    assert_eq!(parts_of(&largest).len(), PARTS_MAX);
    assert!(read_back(&largest) == Some(largest));
}

#[test]
fn the_longest_message_fits_sqs() {
    let sequence = "9".repeat(129).parse().unwrap();
    let position = Position { sequence, sub_sequence: u64::MAX, ..position(u64::MAX, 0) };
    // A control character takes six bytes, more for each byte of the detail than any other.
    let detail = "\u{1}".repeat(REJECT_DETAIL_BYTES_MAX);
    let cause = Cause::GivenUp(GivenUpCondition::RetryAttemptsExhausted);
    let longest = DeadLetter { position, cause, ..letter(&detail, vec![7; 2 * PART_BYTES_MAX]) };
    let attributes_bytes_max = 200;
    for part in parts_of(&longest) {
        assert!(part.to_body().len() + attributes_bytes_max <= MESSAGE_BYTES_MAX);
    }
    assert!(read_back(&longest) == Some(longest));
}

#[test]
fn a_detail_beyond_the_limit_is_cut() {
    let detail = "ä".repeat(REJECT_DETAIL_BYTES_MAX);
    let found = read_back(&letter(&detail, "x")).unwrap();
    assert_eq!(found.detail, detail[..REJECT_DETAIL_BYTES_MAX]);
}

#[test]
fn pieces_of_another_payload_make_no_letter() {
    let parts = parts_of(&letter("too large", vec![7; PART_BYTES_MAX + 1]));
    let (head, _, piece) = LetterPart::read(&parts[0].to_body()).unwrap();
    assert_eq!(head.letter(&[piece.clone(), "y".into()]), None, "other bytes");
    assert_eq!(head.letter(std::slice::from_ref(&piece)), None, "too few");
    assert_eq!(head.letter(&[piece.clone(), piece]), None, "too many");
}

#[test]
fn a_message_that_is_no_part_of_a_letter_is_told_apart() {
    let good: serde_json::Value =
        serde_json::from_str(&parts_of(&letter("detail", "x"))[0].to_body()).unwrap();
    let with = |field: &str, value: serde_json::Value| {
        let mut other = good.clone();
        other[field] = value;
        other.to_string()
    };
    let table = [
        (String::new(), "it is not a document"),
        ("{}".to_owned(), "missing field `position`"),
        (with("position", "home".into()), "its position is \"home\""),
        (with("arrived_at", "yesterday".into()), "its arrival is \"yesterday\""),
        (with("reason", "bored".into()), "its reason is \"bored\""),
        (with("payload_base64", "=".into()), "its payload is not base64"),
        (with("part", 0.into()), "it is part 0 of 1"),
        (with("part", 2.into()), "it is part 2 of 1"),
        (with("parts", 1_000.into()), "it is part 1 of 1000"),
        (with("parts", (-1).into()), "it is not a document"),
    ];
    for (body, message) in table {
        let error = LetterPart::read(&body).unwrap_err().to_string();
        assert!(error.contains(message), "{error:?} should say {message:?}");
    }
    assert!(LetterPart::read(&with("added_later", 1.into())).is_ok(), "a newer version may add fields");
}

proptest! {
    #[test]
    fn any_letter_is_read_back_from_characters_that_sqs_takes(
        detail in prop::collection::vec(prop_oneof![any::<char>(), Just('\u{ffff}'), Just('\u{fffe}')], 0..100),
        payload in prop::collection::vec(any::<u8>(), 0..200),
        sub_sequence: u64,
    ) {
        let detail: String = detail.into_iter().collect();
        let letter = letter(&detail, payload);
        let letter = DeadLetter { position: Position { sub_sequence, ..letter.position }, ..letter };
        for part in parts_of(&letter) {
            prop_assert!(part.to_body().chars().all(is_taken_by_sqs));
        }
        prop_assert_eq!(read_back(&letter), Some(letter));
    }
}
