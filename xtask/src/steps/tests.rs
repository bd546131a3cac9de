//! The bookkeeping of a run: steps that pass, fail or skip are planted, and the summary is what is looked at.

use anyhow::bail;

use super::*;

const GOOD: Step = Step { name: "good", run: |_| Ok(Outcome::Passed) };
const AWAY: Step = Step { name: "away", run: |_| Ok(Outcome::Skipped("its tool is missing".to_owned())) };
const BAD: Step = Step { name: "bad", run: |_| bail!("two and two are five") };

fn summary_of(steps: &[Step], skips: SkipPolicy) -> (Verdict, String) {
    let mut out = Vec::new();
    let verdict = run_in_order(steps, &Workspace::of_this_tool(), skips, &mut out).unwrap();
    (verdict, String::from_utf8(out).unwrap())
}

#[test]
fn steps_that_pass_are_counted_and_timed() {
    let (verdict, text) = summary_of(&[GOOD, GOOD], SkipPolicy::Failure);
    assert_eq!(verdict, Verdict::Passed);
    assert!(text.contains("[2/2] good\n    passed in 0.0 s\n"), "{text}");
    assert!(text.contains("\n2 passed, 0 skipped, 0 failed in "), "{text}");
}

#[test]
fn the_first_failure_ends_the_run_and_names_what_was_not_run() {
    let (verdict, text) = summary_of(&[GOOD, BAD, AWAY, GOOD], SkipPolicy::Allowed);
    assert_eq!(verdict, Verdict::Failed);
    assert!(text.contains("\nFAILED bad: two and two are five\n"), "{text}");
    assert!(text.contains("`cargo xtask test bad` runs it alone"), "{text}");
    assert!(text.contains("\nNOT RUN away, good\n"), "{text}");
    assert!(text.contains("\n1 passed, 0 skipped, 1 failed in "), "{text}");
}

#[test]
fn a_skip_is_named_at_the_end_and_the_run_goes_on() {
    let (verdict, text) = summary_of(&[AWAY, GOOD], SkipPolicy::Allowed);
    assert_eq!(verdict, Verdict::Passed);
    assert!(text.contains("[1/2] away\n    SKIPPED in "), "{text}");
    assert!(
        text.contains("\nSKIPPED away: its tool is missing\n1 passed, 1 skipped, 0 failed in "),
        "{text}"
    );
}

#[test]
fn a_skip_is_a_failure_where_everything_is_required() {
    let (verdict, text) = summary_of(&[AWAY, GOOD], SkipPolicy::Failure);
    assert_eq!(verdict, Verdict::Failed);
    assert!(text.contains("\nFAILED away: a skip counts as a failure here: its tool is missing\n"), "{text}");
    assert!(text.contains("\nNOT RUN good\n"), "{text}");
}

#[test]
fn no_two_steps_share_a_name() {
    let mut names: Vec<_> = TEST_STEPS.iter().map(|step| step.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TEST_STEPS.len());
}
