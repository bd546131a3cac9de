//! Clouds: a smooth walk through time for each place.
//!
//! Three walks of different length are laid over each other: the fronts that make one day unlike the next, the half-days
//! of sun and cloud between them, and the clouds that pass in minutes. All sites of a place share them.

use crate::random::Key;

const HOUR_MS: u32 = 3_600_000;

/// The length of each walk, and its share of the whole.
const WALKS: [(u32, f64); 3] = [(54 * HOUR_MS, 0.55), (7 * HOUR_MS, 0.30), (HOUR_MS * 2 / 3, 0.15)];

/// How far the sky swings around its mean: wide enough for spells of wholly clear and wholly grey sky.
const CONTRAST: f64 = 2.2;

/// The share of the sky that clouds cover, 0 to 1, under the weather of `key` with a mean of `cloudiness`.
pub(crate) fn cloud_cover(key: Key, cloudiness: f64, at_ms: i64) -> f64 {
    let walk: f64 = WALKS.iter().map(|&(period_ms, share)| share * layer(key, at_ms, period_ms)).sum();
    (cloudiness + CONTRAST * (walk - 0.5)).clamp(0.0, 1.0)
}

fn layer(key: Key, at_ms: i64, period_ms: u32) -> f64 {
    key.with(u64::from(period_ms)).walk(at_ms, period_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE_MINUTES_MS: i64 = 300_000;
    const READINGS_PER_DAY: i64 = 288;

    fn year() -> Vec<f64> {
        let key = Key::of_seed(1);
        (0..365 * READINGS_PER_DAY).map(|n| cloud_cover(key, 0.5, n * FIVE_MINUTES_MS)).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "a year has few readings")]
    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn the_mean_over_a_year_is_the_cloudiness() {
        assert!((mean(&year()) - 0.5).abs() < 0.05);
    }

    #[test]
    fn neighbouring_intervals_are_alike_and_days_differ() {
        let year = year();
        let steps: Vec<f64> = year.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        let days: Vec<f64> = year.chunks_exact(288).map(mean).collect();
        let day_steps: Vec<f64> = days.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        assert!(mean(&steps) < 0.05, "a step of {}", mean(&steps));
        assert!(mean(&day_steps) > 0.10, "a day differs by {}", mean(&day_steps));
        assert!(days.iter().any(|&day| day < 0.2) && days.iter().any(|&day| day > 0.8));
    }
}
