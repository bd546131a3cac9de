//! What each rule flags, and what it lets pass, on a site that reports every hour.

use super::*;
use crate::HOUR_MS;

fn energy(milliwatt_hours: i64) -> Energy {
    Energy::from_milliwatt_hours(milliwatt_hours).unwrap()
}

fn consumed(milliwatt_hours: i64) -> Measure {
    Measure { generated: Energy::ZERO, consumed: energy(milliwatt_hours) }
}

/// A consumption that differs from hour to hour, around 1 kWh.
fn ordinary(hour: i64) -> Measure {
    consumed(1_000_000 + 100_000 * (hour % 7) + 1_000 * (hour % 5))
}

/// Follows one in-order reading and returns the rules that flag it.
fn follow(detector: &mut Detector, measure: &Measure, elapsed_ms: i64) -> Vec<Rule> {
    let judgement = detector.judge(measure, Some(elapsed_ms));
    detector.learn(measure, Some(elapsed_ms), &judgement.findings);
    judgement.findings.iter().map(|finding| finding.rule).collect()
}

/// A detector that has watched three ordinary days.
fn experienced() -> Detector {
    let mut detector = Detector::default();
    for hour in 0..72 {
        assert_eq!(follow(&mut detector, &ordinary(hour), HOUR_MS), [], "hour {hour}");
    }
    detector
}

#[test]
fn a_negative_energy_is_flagged_from_the_first_reading_on() {
    let judgement = Detector::default().judge(&consumed(-1), None);
    let [finding] = judgement.findings[..] else { panic!("{judgement:?}") };
    assert_eq!((finding.rule, finding.channel), (Rule::NegativeEnergy, Some(Channel::Consumed)));
    assert_eq!(finding.expected, Some(Energy::ZERO));
}

#[test]
fn an_energy_beyond_four_times_the_peak_is_flagged_with_the_limit_as_expected() {
    let detector = experienced();
    let peak = detector.consumed.high_limit.peak_milliwatt_hours;
    let judgement = detector.judge(&consumed(4 * peak), Some(HOUR_MS));
    assert_eq!(judgement.findings[0].rule, Rule::HighLimit);
    assert_eq!(judgement.findings[0].expected, Some(energy(4 * peak)));
    assert_eq!(detector.judge(&consumed(4 * peak - 4), Some(HOUR_MS)).findings, []);
}

#[test]
fn a_unit_slip_stays_flagged_for_days_and_a_site_that_grew_sixfold_for_two_at_most() {
    for (factor, flagged_at_least, flagged_at_most) in [(1_000, 100, 500), (6, 3, 48)] {
        let mut detector = experienced();
        let flagged = (72..1_500)
            .filter(|&hour| {
                let measure = consumed(ordinary(hour).consumed.milliwatt_hours() * factor);
                follow(&mut detector, &measure, HOUR_MS).contains(&Rule::HighLimit)
            })
            .count();
        assert!((flagged_at_least..=flagged_at_most).contains(&flagged), "x{factor}: {flagged} hours");
    }
}

#[test]
fn a_value_that_repeats_beyond_six_readings_is_flagged_and_zero_is_not() {
    let mut detector = experienced();
    let stuck: Vec<bool> =
        (0..8).map(|_| !follow(&mut detector, &consumed(1_234_567), HOUR_MS).is_empty()).collect();
    assert_eq!(stuck, [false, false, false, false, false, true, true, true]);
    let mut detector = experienced();
    assert!((0..48).all(|_| follow(&mut detector, &consumed(0), HOUR_MS).is_empty()));
}

#[test]
fn a_meter_with_long_runs_by_habit_is_flagged_only_beyond_twice_the_longest() {
    let mut detector = Detector::default();
    // A standby load of one value for ten hours, every night of the first week.
    for hour in 0..7 * 24 {
        let measure = if hour % 24 < 10 { consumed(20_000) } else { ordinary(hour) };
        follow(&mut detector, &measure, HOUR_MS);
    }
    assert_eq!(detector.consumed.repeated_value.longest_run_readings, 10);
    let runs: Vec<bool> =
        (0..21).map(|_| !follow(&mut detector, &consumed(30_000), HOUR_MS).is_empty()).collect();
    assert_eq!(runs.iter().position(|&flagged| flagged), Some(19));
}

#[test]
fn a_missing_interval_is_flagged_by_the_reading_after_it() {
    let mut detector = experienced();
    assert_eq!(follow(&mut detector, &ordinary(0), 2 * HOUR_MS), [Rule::MissingInterval]);
    assert_eq!(follow(&mut detector, &ordinary(1), HOUR_MS), []);
    assert_eq!(follow(&mut detector, &ordinary(2), 9 * HOUR_MS), [Rule::MissingInterval]);
}

#[test]
fn a_site_that_reports_by_daylight_only_is_soon_not_flagged_for_its_nights() {
    let mut detector = Detector::default();
    let mut flagged = Vec::new();
    for day in 0..20 {
        for hour in 0..12 {
            let elapsed_ms = if hour == 0 { 13 * HOUR_MS } else { HOUR_MS };
            if follow(&mut detector, &ordinary(hour), elapsed_ms).contains(&Rule::MissingInterval) {
                flagged.push(day);
            }
        }
    }
    assert!(flagged.last().is_none_or(|&day| day < 6), "flagged on days {flagged:?}");
}

#[test]
fn a_changed_reporting_interval_is_learned() {
    let mut detector = experienced();
    let flagged = (0..48).filter(|&i| !follow(&mut detector, &ordinary(i), 3 * HOUR_MS).is_empty()).count();
    assert!(flagged < 20, "{flagged} readings flagged");
    assert_eq!(detector.cadence.step_ms, 3 * HOUR_MS);
}

#[test]
fn judging_out_of_order_says_nothing_about_time_or_runs() {
    let detector = experienced();
    let repeated = detector.consumed.repeated_value.value;
    let measure = Measure { generated: Energy::ZERO, consumed: repeated };
    assert_eq!(
        detector.judge(&measure, None),
        Judgement { findings: vec![], score: detector.judge(&measure, None).score }
    );
}
