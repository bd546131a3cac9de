//! Letters come out of any order, repetition and loss of their parts.

use proptest::prelude::*;
use wattstream_engine::Cause;
use wattstream_testkit::{at, position};
use wattstream_wire::Reason;

use super::*;
use crate::sqs::letter_parts::{LetterPart, parts_of};

type Part = (LetterHead, usize, Bytes);

fn letter(sequence: u64, payload: impl Into<Bytes>) -> DeadLetter {
    DeadLetter {
        position: position(0, sequence),
        arrival: at(1),
        cause: Cause::Rejected(Reason::NotJson),
        detail: "not JSON".to_owned(),
        payload: payload.into(),
    }
}

/// A letter of three parts.
fn large_letter(sequence: u64, fill: u8) -> DeadLetter {
    letter(sequence, vec![fill; 2 * 720 * 1_024 + 1])
}

fn parts(letter: &DeadLetter) -> Vec<Part> {
    parts_of(letter).iter().map(|part| LetterPart::read(&part.to_body()).unwrap()).collect()
}

fn fill(mailbox: &mut Mailbox, parts: impl IntoIterator<Item = Part>, sent_ms: i64) {
    for (head, index, piece) in parts {
        mailbox.add(head, index, piece, sent_ms);
    }
}

#[test]
fn a_letter_is_put_together_from_parts_in_any_order_and_number() {
    let letter = large_letter(7, 1);
    let parts = parts(&letter);
    let mut mailbox = Mailbox::after(None, 10);
    fill(&mut mailbox, [2, 0, 2, 1, 0].map(|index| parts[index].clone()), 5);
    assert_eq!(mailbox.bytes(), letter.payload.len());
    let (letters, incomplete) = mailbox.open();
    assert!(letters == [letter]);
    assert_eq!(incomplete, []);
}

#[test]
fn a_letter_without_one_of_its_parts_is_told_of_and_not_shown() {
    let mut some = parts(&large_letter(7, 1));
    some.remove(1);
    let mut mailbox = Mailbox::after(None, 10);
    fill(&mut mailbox, some, 5);
    fill(&mut mailbox, parts(&letter(8, "x")), 5);
    let (letters, incomplete) = mailbox.open();
    assert_eq!(letters, [letter(8, "x")]);
    assert_eq!(incomplete, [Incomplete { position: position(0, 7), part: 2, parts: 3 }]);
    assert!(
        incomplete[0].to_string().starts_with("part 2 of 3 of the dead letter at shardId-000000000000:7:0")
    );
}

#[test]
fn of_several_letters_for_one_position_the_newest_whole_one_is_there() {
    let (old, new) = (letter(7, "old"), letter(7, "new"));
    for order in [[&old, &new], [&new, &old]] {
        let mut mailbox = Mailbox::only(position(0, 7));
        for letter in order {
            fill(&mut mailbox, parts(letter), if *letter == new { 9 } else { 5 });
        }
        fill(&mut mailbox, parts(&large_letter(7, 1)).into_iter().skip(1), 20);
        fill(&mut mailbox, parts(&letter(8, "another position")), 20);
        assert_eq!(mailbox.open(), (vec![new.clone()], vec![]));
    }
}

#[test]
fn parts_of_two_letters_of_one_position_are_not_mixed() {
    let (first, second) = (parts(&large_letter(7, 1)), parts(&large_letter(7, 2)));
    let mut mailbox = Mailbox::after(None, 10);
    fill(&mut mailbox, [first[0].clone(), second[1].clone(), first[2].clone()], 5);
    assert_eq!(mailbox.open().0, []);
}

#[test]
fn a_letter_that_is_not_whole_takes_no_place_of_one_that_is() {
    let mut mailbox = Mailbox::after(None, 2);
    fill(&mut mailbox, parts(&large_letter(1, 1)).into_iter().skip(1), 5);
    for sequence in [9, 5, 3, 4] {
        fill(&mut mailbox, parts(&letter(sequence, "x")), 5);
    }
    let (letters, incomplete) = mailbox.open();
    assert_eq!(letters, [letter(3, "x"), letter(4, "x")]);
    assert_eq!(incomplete.len(), 1);
}

proptest! {
    #[test]
    fn the_first_letters_after_a_position_are_there_and_no_more_are_kept(
        mut sequences in prop::collection::vec(0..30_u64, 0..40),
        after in prop::option::of(0..30_u64),
        limit in 0..12_usize,
    ) {
        let mut mailbox = Mailbox::after(after.map(|sequence| position(0, sequence)), limit);
        for &sequence in &sequences {
            fill(&mut mailbox, parts(&letter(sequence, "x")), 5);
            prop_assert!(mailbox.bytes() <= limit);
        }
        sequences.sort_unstable();
        sequences.dedup();
        sequences.retain(|sequence| after.is_none_or(|after| *sequence > after));
        sequences.truncate(limit);
        let letters: Vec<_> = sequences.into_iter().map(|sequence| letter(sequence, "x")).collect();
        prop_assert_eq!(mailbox.open(), (letters, vec![]));
    }
}
