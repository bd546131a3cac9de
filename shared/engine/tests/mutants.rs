//! Whether the properties would notice a bug: each planted one must fail them, and without one they must hold.
//!
//! Goal: a property that cannot fail proves nothing. Method: [`wattstream_domain::mutant`] brings one bug to life for the
//! whole process, and the two properties of `properties.rs` that know everything, one of deliveries and one of silences, are
//! tried with cases from a fixed seed until one fails. Run it with `cargo xtask test`, or
//!
//! ```text
//! RUSTFLAGS="--cfg wattstream_mutants" cargo test -p wattstream-engine --test mutants --target-dir target/mutants
//! ```
#![cfg(wattstream_mutants)]

use std::cell::Cell;
use std::panic;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use wattstream_domain::mutant::{Mutant, plant};
use wattstream_testkit::deliveries::courses;
use wattstream_testkit::logs::logs;
use wattstream_testkit::properties::{
    any_checks_tell_each_silence_once, any_deliveries_give_the_tables_of_one_in_order,
};
use wattstream_testkit::silences::moments;

/// A bug that lives longer than this has survived.
const CASES_MAX: u32 = 10_000;

/// One test, because a planted bug lives in the whole process.
#[test]
fn every_planted_bug_is_caught_and_the_code_without_one_passes() {
    // A planted bug may break an assertion, which counts as caught; the panic itself is of no interest.
    panic::set_hook(Box::new(|_| {}));
    let survivors: Vec<Mutant> = Mutant::ALL.into_iter().filter(|&mutant| survives(mutant)).collect();
    plant(None);
    let undisturbed = cases_until_failure();
    drop(panic::take_hook());
    assert!(survivors.is_empty(), "nobody noticed {survivors:?} within {CASES_MAX} cases");
    assert_eq!(undisturbed, None, "the code without a planted bug fails");
}

fn survives(mutant: Mutant) -> bool {
    plant(Some(mutant));
    let cases = cases_until_failure();
    match cases {
        Some(cases) => println!("{mutant:?} was caught after {cases} cases"),
        None => println!("{mutant:?} SURVIVED {CASES_MAX} cases"),
    }
    cases.is_none()
}

/// How many cases it took until the property failed; `None` when it held for all of them.
fn cases_until_failure() -> Option<u32> {
    let config =
        Config { cases: CASES_MAX, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let cases = Cell::new(0);
    let strategy = (logs(1..40), courses(0..30), moments(0..30));
    let outcome = TestRunner::new_with_rng(config, random).run(&strategy, |(log, course, moments)| {
        cases.set(cases.get() + 1);
        any_deliveries_give_the_tables_of_one_in_order(&log, &course)
            .and_then(|()| any_checks_tell_each_silence_once(&moments))
            .map_err(|violation| TestCaseError::fail(violation.0))
    });
    match outcome {
        Ok(()) => None,
        Err(TestError::Fail(..)) => Some(cases.get()),
        Err(TestError::Abort(reason)) => panic!("no case was made: {reason}"),
    }
}
