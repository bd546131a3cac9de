//! The properties of the testkit, tried with logs of every kind.
//!
//! `PROPTEST_CASES` sets how many cases each is tried with. A case that failed once is kept in `proptest-regressions/`
//! and tried first ever after.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};
use wattstream_testkit::deliveries::{courses, settings};
use wattstream_testkit::logs::{logs, logs_with_farewells};
use wattstream_testkit::oracle::Violation;
use wattstream_testkit::properties;
use wattstream_testkit::silences::moments;

/// Every planted bug of `mutants.rs` is met within this many, and all of them take seconds.
const CASES: u32 = 4_000;

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/properties.txt");

fn config() -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config {
        cases: cases.unwrap_or(CASES),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(REGRESSIONS))),
        max_shrink_iters: 20_000,
        ..Config::default()
    }
}

fn held(outcome: Result<(), Violation>) -> Result<(), TestCaseError> {
    outcome.map_err(|violation| TestCaseError::fail(violation.0))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn one_delivery_in_order_gives_what_the_log_means(log in logs(0..60)) {
        held(properties::one_delivery_in_order_gives_what_the_log_means(&log))?;
    }

    #[test]
    fn any_deliveries_give_the_tables_of_one_in_order(log in logs(1..40), course in courses(0..30)) {
        held(properties::any_deliveries_give_the_tables_of_one_in_order(&log, &course))?;
    }

    #[test]
    fn alerts_that_met_an_outage_arrive_with_the_next_reading(
        (log, longer) in logs_with_farewells(1..40), instances in vec(settings(), 1..3), batch_records in 1..9_usize,
    ) {
        let logs = (&log, &longer);
        held(properties::alerts_that_met_an_outage_arrive_with_the_next_reading(logs, instances, batch_records))?;
    }

    #[test]
    fn any_checks_tell_each_silence_once(moments in moments(0..30)) {
        held(properties::any_checks_tell_each_silence_once(&moments))?;
    }
}
