//! Letters come back byte for byte, one a position.

use super::*;
use crate::fixture::{Fixture, START_MS, at, position};
use proptest::prelude::*;
use wattstream_domain::ShardId;
use wattstream_engine::Batch;
use wattstream_engine::ports::GivenUpCondition;
use wattstream_wire::Reason;

fn letter(sequence: u64, sub_sequence: u64) -> DeadLetter {
    DeadLetter {
        position: Position { sub_sequence, ..position(sequence) },
        arrival: at(START_MS),
        cause: Cause::Rejected(Reason::NotJson),
        detail: "no JSON at byte 3".to_owned(),
        payload: Bytes::from_static(b"{\xff\x00"),
    }
}

fn causes() -> impl Strategy<Value = Cause> {
    let given_up = [GivenUpCondition::RetryAttemptsExhausted, GivenUpCondition::RecordAgeExceeded];
    let all: Vec<_> =
        Reason::ALL.map(Cause::Rejected).into_iter().chain(given_up.map(Cause::GivenUp)).collect();
    proptest::sample::select(all)
}

proptest! {
    #[test]
    fn letters_are_read_back(cause in causes(), detail: String, payload: Vec<u8>, sequence: u64) {
        let letter = DeadLetter { cause, detail, payload: payload.into(), ..letter(sequence, 0) };
        prop_assert_eq!(decode(letter.position, encode(&letter).into()), Some(letter));
    }

    #[test]
    fn bytes_that_are_no_letter_are_recognised(bytes: Vec<u8>) {
        let _ = decode(position(1), bytes.into());
    }
}

#[tokio::test]
async fn letters_are_listed_in_the_order_of_their_positions() {
    let fixture = Fixture::with_shards(1);
    let store = fixture.store();
    let letters = [letter(2, 0), letter(2, 1), letter(10, 0), letter(300, 0)];
    let shuffled = [3, 0, 2, 1].map(|index: usize| letters[index].clone());
    store.put(&shuffled).await.unwrap();

    assert_eq!(store.read_dead_letters(None, 9).unwrap(), letters);
    assert_eq!(store.read_dead_letters(None, 2).unwrap(), letters[..2]);
    assert_eq!(store.read_dead_letters(Some(letters[1].position), 9).unwrap(), letters[2..]);
    let between = Position { sub_sequence: 5, ..letters[1].position };
    assert_eq!(store.read_dead_letters(Some(between), 9).unwrap(), letters[2..]);
}

#[tokio::test]
async fn a_second_letter_of_a_position_takes_the_place_of_the_first() {
    let fixture = Fixture::with_shards(1);
    let store = fixture.store();
    let part = letter(7, 0);
    let whole = DeadLetter { payload: Bytes::from_static(b"the whole record"), ..part.clone() };
    for letter in [&part, &part, &whole] {
        store.put(std::slice::from_ref(letter)).await.unwrap();
    }
    assert_eq!(store.read_dead_letters(None, 9).unwrap(), [whole]);
}

#[tokio::test]
async fn a_deleted_letter_does_not_come_back() {
    let mut fixture = Fixture::with_shards(1);
    let (kept, deleted) = (letter(1, 0), letter(2, 0));
    fixture.store().put(&[kept.clone(), deleted.clone()]).await.unwrap();
    fixture.store().remove_dead_letters(&[deleted.position, position(99)]).await.unwrap();
    fixture.reopen();
    assert_eq!(fixture.store().dead_letter(kept.position).await.unwrap(), Some(kept));
    assert_eq!(fixture.store().dead_letter(deleted.position).await.unwrap(), None);
}

#[tokio::test]
async fn every_record_that_was_given_up_becomes_a_letter() {
    let fixture = Fixture::with_shards(1);
    let record = |sequence: u64| StreamRecord {
        sequence: sequence.into(),
        partition_key: "home-01".into(),
        arrival: at(START_MS),
        data: Bytes::from(format!("payload {sequence}")),
        fault: None,
    };
    let given_up = GivenUp {
        batch: Batch { shard: ShardId(0), records: vec![record(4), record(5)] },
        condition: GivenUpCondition::RecordAgeExceeded,
        invocations: 3,
    };
    fixture.store().report(&given_up).await.unwrap();
    fixture.store().report(&given_up).await.unwrap();

    let letters = fixture.store().read_dead_letters(None, 9).unwrap();
    let payloads: Vec<_> = letters.iter().map(|letter| (letter.position, letter.payload.clone())).collect();
    assert_eq!(payloads, [4, 5].map(|sequence| (position(sequence), record(sequence).data)));
    assert!(letters.iter().all(|letter| letter.cause == Cause::GivenUp(GivenUpCondition::RecordAgeExceeded)));
    assert!(letters[0].detail.contains("delivered 3 times"));
}
