//! The contract of [`DeadLetters`] and [`DeadLetterAdmin`].

use bytes::Bytes;
use wattstream_domain::Position;
use wattstream_engine::ports::{DeadLetterAdmin, DeadLetters, GivenUpCondition, Queries};
use wattstream_engine::{Cause, DeadLetter, Result};
use wattstream_wire::Reason;

use crate::builders::{at, position};

/// The largest payload of a Kinesis record, unless an operator raises the limit.
const PAYLOAD_BYTES_MAX: usize = 1_024 * 1_024;

/// The page of letters after a position, as [`Queries::dead_letter_page`] gives it.
pub trait LetterPages {
    /// At most `limit` letters after the one at `after`, in the order of their positions.
    fn letter_page(
        &self,
        after: Option<Position>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<DeadLetter>>>;
}

impl<Q: Queries> LetterPages for Q {
    async fn letter_page(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>> {
        self.dead_letter_page(after, limit).await
    }
}

/// Runs the contract of [`DeadLetters`]. Letters are read back in pages.
pub async fn dead_letters<S: DeadLetters + LetterPages>(make: impl AsyncFn() -> S) {
    letters_come_back_byte_for_byte(&make().await).await;
    every_cause_comes_back(&make().await).await;
    a_letter_is_there_once(&make().await).await;
    letters_are_paged_in_the_order_of_their_positions(&make().await).await;
}

/// Runs the contract of [`DeadLetterAdmin`].
pub async fn dead_letter_admin<S: DeadLetters + DeadLetterAdmin>(make: impl AsyncFn() -> S) {
    a_letter_is_found_at_its_position(&make().await).await;
    what_is_removed_is_gone_and_the_rest_stays(&make().await).await;
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

async fn all_letters(store: &impl LetterPages) -> Vec<DeadLetter> {
    store.letter_page(None, usize::MAX).await.expect("letters are read")
}

async fn letters_come_back_byte_for_byte<S: DeadLetters + LetterPages>(store: &S) {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let largest: Vec<u8> = every_byte.iter().copied().cycle().take(PAYLOAD_BYTES_MAX).collect();
    let payloads = [Vec::new(), b"\xff\xfe\0".to_vec(), every_byte, largest, b"{\"site_id\":".to_vec()];
    let letters: Vec<_> =
        (1..).zip(payloads).map(|(sequence, payload)| letter(position(0, sequence), payload)).collect();
    store.put(&letters).await.expect("letters are kept");
    assert!(all_letters(store).await == letters, "payloads come back byte for byte");
}

async fn every_cause_comes_back<S: DeadLetters + LetterPages>(store: &S) {
    let given_up = [GivenUpCondition::RetryAttemptsExhausted, GivenUpCondition::RecordAgeExceeded];
    let causes = Reason::ALL.map(Cause::Rejected).into_iter().chain(given_up.map(Cause::GivenUp));
    let letters: Vec<_> = (1..)
        .zip(causes)
        .map(|(sequence, cause)| DeadLetter { cause, ..letter(position(0, sequence), "x") })
        .collect();
    store.put(&letters).await.expect("letters are kept");
    assert_eq!(all_letters(store).await, letters);
}

async fn a_letter_is_there_once<S: DeadLetters + LetterPages>(store: &S) {
    let letters = [letter(position(0, 1), "first"), letter(position(0, 2), "second")];
    for part in [&letters[..], &letters[..1], &letters[1..], &[], &letters[..]] {
        store.put(part).await.expect("letters are kept, and again");
    }
    assert_eq!(all_letters(store).await, letters);
}

async fn letters_are_paged_in_the_order_of_their_positions<S: DeadLetters + LetterPages>(store: &S) {
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
        let page = store.letter_page(after, 3).await.expect("letters are read");
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3, "a page has at most as many letters as were asked for");
        after = Some(last.position);
        paged.extend(page);
    }
    assert_eq!(paged, letters);
    let between = Position { sub_sequence: 1, ..position(0, 10) };
    let page = store.letter_page(Some(between), 1).await.expect("letters are read");
    assert_eq!(page, letters[2..3], "a page may begin after a position where no letter is");
}

async fn a_letter_is_found_at_its_position<S: DeadLetters + DeadLetterAdmin>(store: &S) {
    let at = |sub_sequence| Position { sub_sequence, ..position(3, 7) };
    let letters = [letter(at(0), "first"), letter(at(1), vec![0xfe; PAYLOAD_BYTES_MAX])];
    assert_eq!(store.dead_letter(at(0)).await.expect("an answer"), None);
    store.put(&letters).await.expect("letters are kept");
    store.put(&letters[..1]).await.expect("a letter is kept again");
    for letter in &letters {
        let found = store.dead_letter(letter.position).await.expect("an answer");
        assert!(found.as_ref() == Some(letter), "the letter at {} is whole", letter.position);
    }
    for elsewhere in [at(2), position(2, 7), position(3, 8)] {
        assert_eq!(store.dead_letter(elsewhere).await.expect("an answer"), None);
    }
}

async fn what_is_removed_is_gone_and_the_rest_stays<S: DeadLetters + DeadLetterAdmin>(store: &S) {
    let letters: Vec<_> = (1..=5).map(|sequence| letter(position(0, sequence), "x")).collect();
    store.put(&letters).await.expect("letters are kept");
    store.put(&letters[1..2]).await.expect("a letter is kept again");
    store.remove_dead_letters(&[]).await.expect("nothing can be removed");
    let absent = position(0, 99);
    store.remove_dead_letters(&[position(0, 2), absent, position(0, 4)]).await.expect("letters are removed");
    store.remove_dead_letters(&[position(0, 2)]).await.expect("a letter that is gone is no error");
    for (letter, is_there) in letters.iter().zip([true, false, true, false, true]) {
        let found = store.dead_letter(letter.position).await.expect("an answer");
        assert_eq!(found, is_there.then(|| letter.clone()));
    }
}
