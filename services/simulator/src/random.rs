//! Randomness without state: a draw is a function of its key.
//!
//! A [`Key`] is made of the fleet's seed and of what the draw is for: which site, which purpose, which instant. The same
//! key always draws the same, in any order, in any process. The generator is one of rand's portable ones, whose values
//! do not change with its versions; the mixing of words into a key is the seeding of that generator (`SplitMix64`).

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, RngExt, SeedableRng};

/// What a draw is for, so that two draws about one thing at one instant are independent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Site,
    Place,
    Parameters,
    Weather,
    Shade,
    SlowLoad,
    FastLoad,
    Faults,
}

/// The name of a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u64);

impl Key {
    /// The key that all others of a fleet are made from. Mixed once, because seeds are small numbers like the words.
    pub(crate) fn of_seed(seed: u64) -> Self {
        Self(mix(seed))
    }

    pub(crate) fn about(self, purpose: Purpose) -> Self {
        self.with(purpose as u64)
    }

    pub(crate) fn with(self, word: u64) -> Self {
        Self(mix(self.0 ^ word))
    }

    /// A generator for several draws under one key.
    pub(crate) fn rng(self) -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(self.0)
    }

    /// Uniform in [0, 1).
    pub(crate) fn unit(self) -> f64 {
        self.rng().random()
    }

    /// Triangular in (-1, 1) around 0: a bounded stand-in for a bell curve.
    pub(crate) fn swing(self) -> f64 {
        let (up, down): (f64, f64) = self.rng().random();
        up - down
    }

    /// A smooth walk in [0, 1) through time: random at the multiples of `period_ms`, eased in between (value noise).
    pub(crate) fn walk(self, at_ms: i64, period_ms: u32) -> f64 {
        let period_ms = i64::from(period_ms);
        let knot = at_ms.div_euclid(period_ms).cast_unsigned();
        let (left, right) = (self.with(knot).unit(), self.with(knot.wrapping_add(1)).unit());
        left + (right - left) * ease(share(at_ms.rem_euclid(period_ms), period_ms))
    }
}

fn mix(word: u64) -> u64 {
    Xoshiro256PlusPlus::seed_from_u64(word).next_u64()
}

#[expect(clippy::cast_precision_loss, reason = "a period is below 2^32 ms, which a double holds exactly")]
fn share(part_ms: i64, period_ms: i64) -> f64 {
    part_ms as f64 / period_ms as f64
}

/// The smoothstep polynomial: from 0 to 1 as `x` does, level at both ends and beyond them.
pub(crate) fn ease(x: f64) -> f64 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR_MS: u32 = 3_600_000;

    proptest! {
        #[test]
        fn a_walk_stays_within_0_and_1_and_makes_no_jumps(seed: u64, at_ms in 0_i64..4_000_000_000_000) {
            let key = Key::of_seed(seed);
            let (now, soon) = (key.walk(at_ms, HOUR_MS), key.walk(at_ms + 60_000, HOUR_MS));
            prop_assert!((0.0..1.0).contains(&now));
            // The steepest slope of the easing is 1.5 a period.
            prop_assert!((now - soon).abs() <= 1.5 / 60.0 + 1e-9);
        }

        #[test]
        fn keys_of_different_words_draw_differently(seed: u64, a: u64, b: u64) {
            prop_assume!(a != b);
            prop_assert_ne!(Key::of_seed(seed).with(a), Key::of_seed(seed).with(b));
        }
    }

    #[test]
    fn neighbouring_seeds_and_words_do_not_share_keys() {
        let keys = (0..100).flat_map(|seed| (0..100).map(move |word| Key::of_seed(seed).with(word).0));
        assert_eq!(keys.collect::<std::collections::HashSet<_>>().len(), 10_000);
    }
}
