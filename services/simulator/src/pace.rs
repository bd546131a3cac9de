//! The pace: how simulated time follows the clock on the wall.
//!
//! The clock itself stays with the caller, who says how much time has passed. Waiting as long as [`Pace::wait`] says is
//! always enough and never too long: afterwards, and not before, simulated time has reached the instant.

use std::num::NonZeroU32;
use std::time::Duration;

use wattstream_domain::Timestamp;

/// Simulated time that starts at an instant and runs `speed` times as fast as the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The simulated instant at which nothing has elapsed.
    pub start: Timestamp,
    /// Simulated seconds per second: 1 is live, 60 an hour a minute.
    pub speed: NonZeroU32,
}

const NANOS_PER_MS: u128 = 1_000_000;

impl Pace {
    /// The simulated instant after `elapsed` on the wall, at most [`Timestamp::MAX`].
    pub fn simulated(&self, elapsed: Duration) -> Timestamp {
        let simulated_ms = elapsed.as_nanos().saturating_mul(self.speed()) / NANOS_PER_MS;
        self.start.saturating_add_ms(i64::try_from(simulated_ms).unwrap_or(i64::MAX))
    }

    /// How long to wait, when `elapsed` has passed on the wall, until simulated time has reached `at`; zero when it has.
    pub fn wait(&self, at: Timestamp, elapsed: Duration) -> Duration {
        let ahead_ms = u64::try_from(at.ms_since(self.start)).unwrap_or(0);
        let wall_nanos = (u128::from(ahead_ms) * NANOS_PER_MS).div_ceil(self.speed());
        Duration::from_nanos_u128(wall_nanos).saturating_sub(elapsed)
    }

    fn speed(&self) -> u128 {
        self.speed.get().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pace(speed: u32) -> Pace {
        let start = Timestamp::from_unix_ms(1_781_956_800_000).unwrap();
        Pace { start, speed: NonZeroU32::new(speed).unwrap() }
    }

    #[test]
    fn an_hour_passes_in_a_minute_at_sixty_times_the_speed() {
        for (speed, elapsed_s, simulated_ms) in
            [(1, 0, 0), (1, 25, 25_000), (60, 60, 3_600_000), (3_600, 1, 3_600_000)]
        {
            let simulated = pace(speed).simulated(Duration::from_secs(elapsed_s));
            assert_eq!(simulated.ms_since(pace(speed).start), simulated_ms, "{speed} x {elapsed_s} s");
        }
    }

    #[test]
    fn what_was_due_before_the_start_is_not_waited_for() {
        let pace = pace(60);
        assert_eq!(pace.wait(pace.start.saturating_add_ms(-3_600_000), Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn absurd_times_stay_in_range() {
        assert_eq!(pace(u32::MAX).simulated(Duration::MAX), Timestamp::MAX);
        assert!(pace(1).wait(Timestamp::MAX, Duration::ZERO) > Duration::from_secs(2_000_000_000));
    }

    proptest! {
        #[test]
        fn the_wait_ends_when_simulated_time_gets_there_and_not_before(
            speed in 1_u32..100_000, elapsed_nanos in 0_u64..1_000_000_000_000, ahead_ms in 0_i64..1_000_000_000,
        ) {
            let (pace, elapsed) = (pace(speed), Duration::from_nanos(elapsed_nanos));
            let at = pace.start.saturating_add_ms(ahead_ms);
            let wait = pace.wait(at, elapsed);
            prop_assert!(pace.simulated(elapsed + wait) >= at);
            if let Some(sooner) = wait.checked_sub(Duration::from_nanos(1)) {
                prop_assert!(pace.simulated(elapsed + sooner) < at);
            }
        }
    }
}
