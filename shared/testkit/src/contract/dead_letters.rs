//! The contract of [`DeadLetters`].

use bytes::Bytes;
use wattstream_domain::Position;
use wattstream_engine::ports::{DeadLetters, GivenUpCondition, Queries};
use wattstream_engine::{Cause, DeadLetter};
use wattstream_wire::Reason;

use crate::builders::{at, position};

/// The largest payload of a Kinesis record, unless an operator raises the limit.
const PAYLOAD_BYTES_MAX: usize = 1_024 * 1_024;

/// Runs the contract of [`DeadLetters`]. Letters are read back through [`Queries`].
pub async fn dead_letters<S: DeadLetters + Queries>(make: impl AsyncFn() -> S) {
    letters_come_back_byte_for_byte(&make().await).await;
    every_cause_comes_back(&make().await).await;
    a_letter_is_there_once(&make().await).await;
    letters_are_paged_in_the_order_of_their_positions(&make().await).await;
}

fn letter(position: Position, payload: impl Into<Bytes>) -> DeadLetter {
    DeadLetter {
        position,
        arrival: at(1),
        cause: Cause::Rejected(Reason::NotUtf8),
        detail: "byte 3 is not UTF-8: \u{fffd} ä\n\"".to_owned(),
        payload: payload.into(),
    }
}

async fn all_letters(store: &impl Queries) -> Vec<DeadLetter> {
    store.dead_letter_page(None, usize::MAX).await.expect("letters are read")
}

async fn letters_come_back_byte_for_byte<S: DeadLetters + Queries>(store: &S) {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let largest: Vec<u8> = every_byte.iter().copied().cycle().take(PAYLOAD_BYTES_MAX).collect();
    let payloads = [Vec::new(), b"\xff\xfe\0".to_vec(), every_byte, largest, b"{\"site_id\":".to_vec()];
    let letters: Vec<_> =
        (1..).zip(payloads).map(|(sequence, payload)| letter(position(0, sequence), payload)).collect();
    store.put(&letters).await.expect("letters are kept");
    assert!(all_letters(store).await == letters, "payloads come back byte for byte");
}

async fn every_cause_comes_back<S: DeadLetters + Queries>(store: &S) {
    let given_up = [GivenUpCondition::RetryAttemptsExhausted, GivenUpCondition::RecordAgeExceeded];
    let causes = Reason::ALL.map(Cause::Rejected).into_iter().chain(given_up.map(Cause::GivenUp));
    let letters: Vec<_> = (1..)
        .zip(causes)
        .map(|(sequence, cause)| DeadLetter { cause, ..letter(position(0, sequence), "x") })
        .collect();
    store.put(&letters).await.expect("letters are kept");
    assert_eq!(all_letters(store).await, letters);
}

async fn a_letter_is_there_once<S: DeadLetters + Queries>(store: &S) {
    let letters = [letter(position(0, 1), "first"), letter(position(0, 2), "second")];
    for part in [&letters[..], &letters[..1], &letters[1..], &[], &letters[..]] {
        store.put(part).await.expect("letters are kept, and again");
    }
    assert_eq!(all_letters(store).await, letters);
}

async fn letters_are_paged_in_the_order_of_their_positions<S: DeadLetters + Queries>(store: &S) {
    let kinesis = "49590338271490256608559692538361571095921575989136588898".parse().expect("a number");
    let inside = |sub_sequence| Position { sub_sequence, ..position(0, 10) };
    let positions = [
        position(0, 9),
        inside(0),
        inside(2),
        inside(10),
        position(0, 100),
        position(0, 255),
        position(0, 256),
        Position { sequence: kinesis, ..position(0, 0) },
        position(1, 1),
        position(10, 1),
    ];
    let letters = positions.map(|position| letter(position, position.to_string()));
    let reversed: Vec<_> = letters.iter().rev().cloned().collect();
    store.put(&reversed).await.expect("letters are kept");
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = store.dead_letter_page(after, 3).await.expect("letters are read");
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3, "a page has at most as many letters as were asked for");
        after = Some(last.position);
        paged.extend(page);
    }
    assert_eq!(paged, letters);
    let between = Position { sub_sequence: 1, ..position(0, 10) };
    let page = store.dead_letter_page(Some(between), 1).await.expect("letters are read");
    assert_eq!(page, letters[2..3], "a page may begin after a position where no letter is");
}
