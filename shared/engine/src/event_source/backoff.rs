//! How long the event source waits before it tries again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use wattstream_domain::ShardId;

/// The longest wait before the first repetition. It doubles with every further one.
pub const RETRY_DELAY_FIRST: Duration = Duration::from_millis(100);

/// The longest wait before any repetition.
pub const RETRY_DELAY_MAX: Duration = Duration::from_secs(30);

/// The wait before repetition `attempt` (from 1): half of it fixed, half of it chosen by `jitter`, so that many who
/// failed at once do not come back at once.
pub(crate) fn retry_delay(attempt: u32, jitter: u8) -> Duration {
    let doubled = RETRY_DELAY_FIRST.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    let half = doubled.min(RETRY_DELAY_MAX) / 2;
    half + half * u32::from(jitter) / u32::from(u8::MAX)
}

/// A number for [`retry_delay`]: spread evenly, and the same for the same arguments.
pub(crate) fn jitter(seed: u64, shard: Option<ShardId>, attempt: u32) -> u8 {
    let mut hasher = DefaultHasher::new();
    (seed, shard, attempt).hash(&mut hasher);
    let [jitter, ..] = hasher.finish().to_be_bytes();
    jitter
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn waits_double_up_to_their_limit_and_spread_over_the_upper_half() {
        for (attempt, longest_ms) in
            [(1, 100), (2, 200), (5, 1_600), (9, 25_600), (10, 30_000), (u32::MAX, 30_000)]
        {
            let longest = Duration::from_millis(longest_ms);
            assert_eq!(retry_delay(attempt, 0), longest / 2, "attempt {attempt}");
            assert_eq!(retry_delay(attempt, u8::MAX), longest, "attempt {attempt}");
            let middle = retry_delay(attempt, u8::MAX / 2);
            assert!(longest / 2 < middle && middle < longest, "attempt {attempt}: {middle:?}");
        }
    }

    #[test]
    fn jitter_follows_from_its_arguments_and_spreads_with_each() {
        let spread = |jitter_of: fn(u32) -> u8| (0..256).map(jitter_of).collect::<BTreeSet<_>>().len();
        for jitter_of in [
            (|n| jitter(n.into(), Some(ShardId(1)), 1)) as fn(u32) -> u8,
            |n| jitter(1, Some(ShardId(n.into())), 1),
            |n| jitter(1, Some(ShardId(1)), n),
        ] {
            assert_eq!(jitter_of(7), jitter_of(7));
            assert!(spread(jitter_of) > 100);
        }
    }
}
