//! When a shard may be asked for records again.
//!
//! Kinesis allows five `GetRecords` a second and shard, for all readers together: the consumer's Lambda function, Firehose,
//! and whoever uses this crate.
//!
//! What must always hold: two calls for one shard are at least [`Polling::spacing`] apart, however many tasks ask; a wait
//! ends within [`Polling::interval`].

use std::time::Duration;

use tokio::time::Instant;

/// How often a shard is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polling {
    /// The least time between two calls while there are records to read.
    pub spacing: Duration,
    /// The time until the next call when there were none, as the event source of Lambda has it.
    pub interval: Duration,
}

impl Default for Polling {
    /// Four calls a second while a shard is caught up with, which leaves one to others; one a second behind that.
    fn default() -> Self {
        Self { spacing: Duration::from_millis(250), interval: Duration::from_secs(1) }
    }
}

/// The pace of one shard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// The first instant at which another call may be made.
    free_at: Instant,
    /// The instant at which a reader that found nothing looks again.
    poll_at: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { free_at: now, poll_at: now }
    }

    /// Takes the next turn: the instant at which its owner may call.
    pub(super) fn turn(&mut self, now: Instant, polling: Polling) -> Instant {
        let turn = self.free_at.max(now);
        self.free_at = turn + polling.spacing;
        self.poll_at = turn + polling.interval;
        turn
    }

    /// Says that the reader is still behind the end of the shard, though it may have read nothing.
    pub(super) fn hurry(&mut self) {
        self.poll_at = self.free_at;
    }

    /// The end of a wait that begins now. The next one without a call in between ends an interval later.
    pub(super) fn end_of_wait(&mut self, now: Instant, polling: Polling) -> Instant {
        let end = self.poll_at.max(now);
        self.poll_at = end + polling.interval;
        end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a reader does next.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Turn,
        TurnBehind,
        Wait,
        Idle(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => Just(Step::Turn),
            2 => Just(Step::TurnBehind),
            3 => Just(Step::Wait),
            1 => (0..3_000_u64).prop_map(Step::Idle),
        ];
        prop::collection::vec(step, 1..60)
    }

    proptest! {
        #[test]
        fn no_second_has_more_calls_than_kinesis_allows_and_no_wait_is_longer_than_the_interval(steps in steps()) {
            let polling = Polling::default();
            let mut now = Instant::now();
            let mut pace = Pace::new(now);
            let mut calls: Vec<Instant> = Vec::new();
            for step in steps {
                match step {
                    Step::Turn | Step::TurnBehind => {
                        now = pace.turn(now, polling);
                        calls.push(now);
                        if matches!(step, Step::TurnBehind) {
                            pace.hurry();
                        }
                    }
                    Step::Wait => {
                        let end = pace.end_of_wait(now, polling);
                        prop_assert!(end - now <= polling.interval);
                        now = end;
                    }
                    Step::Idle(ms) => now += Duration::from_millis(ms),
                }
            }
            for (index, call) in calls.iter().enumerate() {
                let in_second = calls[index..].iter().filter(|&&other| other - *call < Duration::from_secs(1));
                prop_assert!(in_second.count() <= 4);
            }
        }
    }

    #[test]
    fn a_reader_that_is_behind_waits_no_longer_than_it_must() {
        let (polling, start) = (Polling::default(), Instant::now());
        let mut pace = Pace::new(start);
        pace.turn(start, polling);
        assert_eq!(pace.end_of_wait(start, polling), start + polling.interval);
        let turn = pace.turn(start + polling.interval, polling);
        pace.hurry();
        assert_eq!(pace.end_of_wait(turn, polling), turn + polling.spacing);
    }

    #[test]
    fn tasks_that_ask_together_get_turns_one_after_the_other() {
        let (polling, start) = (Polling::default(), Instant::now());
        let mut pace = Pace::new(start);
        let turns: Vec<_> = (0..3).map(|_| pace.turn(start, polling) - start).collect();
        assert_eq!(turns, [Duration::ZERO, polling.spacing, 2 * polling.spacing]);
    }
}
