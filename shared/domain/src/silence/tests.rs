//! When a site counts as silent, and when it does not.

use super::*;
use crate::{Energy, Measure, Position, Reading, Record, ShardId, SiteFold, SiteRows};

const MINUTE_MS: i64 = 60_000;
const STEP_MS: i64 = 15 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// 2025-06-20T00:00:00Z.
const START_MS: i64 = 1_750_377_600_000;
const SIX: NonZeroU32 = NonZeroU32::new(6).unwrap();

/// The instant so long after the start.
fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(START_MS + ms).unwrap()
}

/// Somebody who has always listened, and has come so far.
fn heard(until_ms: i64) -> Heard {
    Heard { since: Timestamp::MIN, until: at(until_ms) }
}

/// The state of a site after readings at these instants.
fn state_after(instants_ms: impl IntoIterator<Item = i64>) -> SiteState {
    let site_id: SiteId = "home-01".parse().unwrap();
    let mut fold = SiteFold::new(SiteState::new(site_id), SiteRows::new(site_id));
    for (sequence, ms) in (1_u64..).zip(instants_ms) {
        let position = Position { shard: ShardId(0), sequence: sequence.into(), sub_sequence: 0 };
        let measure = Measure { generated: Energy::ZERO, consumed: Energy::ZERO };
        fold.fold(&Record { position, reading: Reading { site_id, timestamp: at(ms), measure } });
    }
    fold.finish().state
}

/// A site that has reported every quarter of an hour, the last time at 0.
fn regular() -> SiteState {
    state_after((-20..=0).map(|step| step * STEP_MS))
}

#[test]
fn a_site_is_silent_when_so_many_of_its_own_intervals_have_passed() {
    let state = regular();
    assert_eq!(Silence::of(&state, SIX, heard(6 * STEP_MS - 1)), None);
    let silence = Silence { last_seen: at(0), interval_ms: STEP_MS, silent_at: at(6 * STEP_MS) };
    for until_ms in [6 * STEP_MS, 6 * STEP_MS + 1, DAY_MS] {
        assert_eq!(Silence::of(&state, SIX, heard(until_ms)), Some(silence), "{until_ms}");
    }
}

#[test]
fn a_site_is_never_silent_while_its_interval_is_not_known() {
    assert_eq!(Silence::of(&state_after([]), SIX, heard(DAY_MS)), None);
    // One reading has no interval, and eight have seven.
    for readings in [1, 2, 8] {
        let state = state_after((0..readings).map(|step| step * STEP_MS));
        assert_eq!(Silence::of(&state, SIX, heard(3 * DAY_MS)), None, "{readings} readings");
    }
    let state = state_after((0..9).map(|step| step * STEP_MS));
    assert!(Silence::of(&state, SIX, heard(3 * DAY_MS)).is_some());
    // A site that reports when it likes keeps no interval.
    let state = state_after((1..60).map(|step| step * step * MINUTE_MS));
    assert_eq!(Silence::of(&state, SIX, heard(6 * DAY_MS)), None);
}

#[test]
fn a_silence_of_long_ago_is_history_and_no_news() {
    let state = regular();
    let silent_ms = 6 * STEP_MS;
    assert!(Silence::of(&state, SIX, heard(silent_ms + SILENCE_NEWS_MS_MAX)).is_some());
    assert_eq!(Silence::of(&state, SIX, heard(silent_ms + SILENCE_NEWS_MS_MAX + 1)), None);
    // A process that has just begun to listen takes it for history all the same.
    let until = at(12 * 365 * DAY_MS);
    let heard = Heard { since: until.saturating_add_ms(-DAY_MS), until };
    assert_eq!(Silence::of(&state, SIX, heard), None);
}

#[test]
fn a_site_that_reports_once_a_fortnight_can_be_silent_too() {
    let state = state_after((-20..=0).map(|step| step * 14 * DAY_MS));
    assert_eq!(Silence::of(&state, SIX, heard(6 * 14 * DAY_MS - 1)), None);
    assert!(Silence::of(&state, SIX, heard(6 * 14 * DAY_MS)).is_some());
}

#[test]
fn a_site_whose_readings_are_ahead_of_the_clock_is_not_silent() {
    for until_ms in [-365 * DAY_MS, -DAY_MS, -1, 0] {
        assert_eq!(Silence::of(&regular(), SIX, heard(until_ms)), None, "{until_ms}");
    }
    let state = state_after((-20..=0).map(|step| Timestamp::MAX.unix_ms() - START_MS + step * STEP_MS));
    let heard = Heard { since: Timestamp::MIN, until: Timestamp::MAX };
    assert_eq!(Silence::of(&state, SIX, heard), None);
}

#[test]
fn who_was_deaf_waits_as_long_as_everybody_before_calling_a_site_silent() {
    let state = regular();
    let since_ms = 10 * HOUR_MS;
    let heard = |until_ms| Heard { since: at(since_ms), until: at(until_ms) };
    assert_eq!(Silence::of(&state, SIX, heard(since_ms + 6 * STEP_MS - 1)), None);
    let silence = Silence::of(&state, SIX, heard(since_ms + 6 * STEP_MS)).unwrap();
    assert_eq!((silence.last_seen, silence.silent_at), (at(0), at(since_ms + 6 * STEP_MS)));
}

/// The evenings on which a farm that is heard from 06:00 to `until_hour` counts as silent before the morning.
fn evenings_told(until_hour: i64, days: i64) -> Vec<i64> {
    let daylight = |day: i64| {
        let (first, last) = (day * DAY_MS + 6 * HOUR_MS, day * DAY_MS + until_hour * HOUR_MS);
        (first..=last).step_by(usize::try_from(STEP_MS).unwrap())
    };
    (0..days)
        .filter(|&day| {
            let state = state_after((0..=day).flat_map(daylight));
            let next_morning_ms = (day + 1) * DAY_MS + 6 * HOUR_MS;
            Silence::of(&state, SIX, heard(next_morning_ms)).is_some()
        })
        .collect()
}

#[test]
fn a_farm_that_sleeps_at_night_is_told_of_on_its_first_evenings_only() {
    // Ten hours of summer night, sixteen of winter night.
    for until_hour in [20, 14] {
        assert_eq!(evenings_told(until_hour, 30), [0, 1, 2, 3], "until {until_hour}");
    }
}

#[test]
fn a_farm_that_sleeps_at_night_and_stays_away_by_day_is_told_of_the_next_day() {
    let daylight = (0..15).flat_map(|day| (24..=80).map(move |step| day * DAY_MS + step * STEP_MS));
    let state = state_after(daylight);
    let evening_ms = 14 * DAY_MS + 20 * HOUR_MS;
    assert_eq!(Silence::of(&state, SIX, heard(evening_ms + 10 * HOUR_MS)), None);
    assert!(Silence::of(&state, SIX, heard(evening_ms + 20 * HOUR_MS)).is_some());
}

#[test]
fn a_silence_is_over_when_a_newer_reading_came_and_a_late_one_does_not_count() {
    let silence = Silence::of(&regular(), SIX, heard(DAY_MS)).unwrap();
    assert!(!silence.is_over(&regular()));
    let readings = || (-20..=0).map(|step| step * STEP_MS);
    assert!(!silence.is_over(&state_after(readings().chain([-7 * MINUTE_MS]))));
    assert!(silence.is_over(&state_after(readings().chain([1]))));
}

#[test]
fn both_ends_of_a_silence_are_named_by_its_site_and_its_last_reading() {
    let silence = Silence::of(&regular(), SIX, heard(DAY_MS)).unwrap();
    let site_id: SiteId = "home-01".parse().unwrap();
    let (opened, closed) = (silence.opened(site_id), silence.closed(site_id, at(2 * DAY_MS)));
    assert_eq!(opened.id().as_str(), "home-01/silence/2025-06-20T00:00:00.000Z/opened");
    assert_eq!(closed.id().as_str(), "home-01/silence/2025-06-20T00:00:00.000Z/closed");
    assert_eq!((opened.at, closed.at), (at(6 * STEP_MS), at(2 * DAY_MS)));
    assert_eq!(silence.closed(site_id, at(0)).at, at(6 * STEP_MS), "never before it was opened");
    // Whoever counts intervals otherwise finds the same silence.
    let other = Silence::of(&regular(), NonZeroU32::new(9).unwrap(), heard(DAY_MS)).unwrap();
    assert_eq!(other.opened(site_id).id(), opened.id());
}
