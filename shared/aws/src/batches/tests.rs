//! Entries are packed, sent again until they are taken, and given up in time.

use super::*;
use proptest::prelude::*;
use std::cell::RefCell;

const LIMITS: Limits = Limits { entries: 3, bytes: 10, in_flight: 2 };

fn throttled() -> Error {
    Error::bare(Kind::Retry, "being throttled")
}

#[tokio::test(start_paused = true)]
async fn entries_that_come_back_are_sent_again_and_the_others_are_not() {
    let sent = RefCell::new(Vec::new());
    let outcomes = send_all(
        &[1, 2, 3, 4],
        LIMITS,
        |_| 1,
        async |entries: Vec<&u32>| {
            sent.borrow_mut().push(entries.iter().map(|&&entry| entry).collect::<Vec<_>>());
            let is_first = sent.borrow().len() <= 2;
            Ok(entries
                .iter()
                .map(|&&entry| if is_first && entry % 2 == 0 { Err(throttled()) } else { Ok(entry) })
                .collect())
        },
    )
    .await;
    assert_eq!(outcomes.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(sent.into_inner(), [vec![1, 2, 3], vec![4], vec![2, 4]]);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_not_sent_again() {
    let requests = RefCell::new(0);
    let outcomes = send_all(
        &[1, 2],
        LIMITS,
        |_| 1,
        async |entries: Vec<&u32>| {
            *requests.borrow_mut() += 1;
            let refuse =
                |entry: u32| if entry == 1 { Ok(()) } else { Err(Error::bare(Kind::Broken, "validating")) };
            Ok(entries.iter().map(|&&entry| refuse(entry)).collect())
        },
    )
    .await;
    assert!(outcomes[0].is_ok());
    assert_eq!(outcomes[1].as_ref().unwrap_err().kind(), Kind::Broken);
    assert_eq!(requests.into_inner(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_before_its_deadline_however_long_it_is_throttled() {
    let deadline = Instant::now() + Duration::from_secs(7);
    let requests = RefCell::new(0);
    let outcomes = deadline::within(deadline, async {
        send_all(
            &[1; 8],
            LIMITS,
            |_| 1,
            async |_: Vec<&u32>| {
                *requests.borrow_mut() += 1;
                Err::<Vec<Result<()>>, _>(throttled())
            },
        )
        .await
    })
    .await;
    assert!(Instant::now() <= deadline);
    assert!(requests.into_inner() > 6, "it was tried more than twice");
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap_err().kind() == Kind::Retry));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_is_given_up_at_the_deadline() {
    let deadline = Instant::now() + Duration::from_secs(2);
    let outcomes = deadline::within(deadline, async {
        send_all(
            &[1],
            LIMITS,
            |_| 1,
            async |_: Vec<&u32>| std::future::pending::<Result<Vec<Result<()>>>>().await,
        )
        .await
    })
    .await;
    assert_eq!(Instant::now(), deadline);
    assert_eq!(outcomes[0].as_ref().unwrap_err().kind(), Kind::Retry);
}

#[tokio::test(start_paused = true)]
async fn an_answer_with_outcomes_missing_counts_for_nothing() {
    let requests = RefCell::new(0);
    let outcomes = send_all(
        &[1, 2],
        LIMITS,
        |_| 1,
        async |entries: Vec<&u32>| {
            *requests.borrow_mut() += 1;
            let answered = if *requests.borrow() == 1 { 1 } else { entries.len() };
            Ok(std::iter::repeat_with(|| Ok(())).take(answered).collect())
        },
    )
    .await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(requests.into_inner(), 2);
}

proptest! {
    #[test]
    fn requests_keep_to_the_limits_and_hold_every_entry_once_and_in_order(sizes in prop::collection::vec(0_usize..14, 0..40)) {
        let requests = pack(sizes.iter().copied(), LIMITS);
        let all: Vec<usize> = requests.iter().cloned().flatten().collect();
        prop_assert_eq!(all, (0..sizes.len()).collect::<Vec<_>>());
        for request in requests {
            let bytes: usize = sizes[request.clone()].iter().sum();
            prop_assert!(request.len() <= LIMITS.entries);
            prop_assert!(bytes <= LIMITS.bytes || request.len() == 1);
        }
    }

    #[test]
    fn waits_grow_up_to_their_limit(attempt in 1_u32.., jitter: u8) {
        let wait = resend_delay(attempt, jitter);
        prop_assert!(wait <= RESEND_DELAY_MAX);
        prop_assert!(resend_delay(attempt, u8::MAX) >= RESEND_DELAY_FIRST);
    }
}
