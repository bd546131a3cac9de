//! What must hold for every log, however it is delivered. The logs, the faults and the oracle are the testkit's.
//!
//! `PROPTEST_CASES` sets how many logs each property is tried with. A case that failed once is kept in
//! `proptest-regressions/` and tried first ever after.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError};
use wattstream_testkit::deliveries::{Pipeline, compare, courses, deliver, deliver_in_order, settings};
use wattstream_testkit::logs::{logs, logs_with_farewells};
use wattstream_testkit::oracle::{Oracle, Violation};

/// Enough to meet every planted bug of `mutants.rs` many times over, in well under a minute.
const CASES: u32 = 4_000;

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/properties.txt");

fn config() -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    Config {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(REGRESSIONS))),
        max_shrink_iters: 20_000,
        ..Config::default()
    }
}

fn fail(violation: Violation) -> TestCaseError {
    TestCaseError::fail(violation.0)
}

proptest! {
    #![proptest_config(config())]

    /// P2 and P3: rows, hours, totals and detection are what the log means.
    #[test]
    fn one_delivery_in_order_gives_what_the_log_means(log in logs(0..60)) {
        let contents = deliver_in_order(&log).map_err(fail)?;
        Oracle::of(&log).check(&contents).map_err(fail)?;
    }

    /// P1 and P2: the same tables, and no record is acknowledged before it is kept.
    #[test]
    fn any_deliveries_give_the_tables_of_one_in_order((log, course) in (logs(1..40), courses(0..30))) {
        let expected = deliver_in_order(&log).map_err(fail)?;
        let oracle = Oracle::of(&log);
        let actual = deliver(&log, &oracle, &course).map_err(fail)?;
        compare(&expected, &actual).map_err(fail)?;
        oracle.check(&actual).map_err(fail)?;
    }

    /// An outage of the publisher neither stops the readings nor loses an alert.
    #[test]
    fn alerts_that_met_an_outage_arrive_with_the_next_reading(
        (log, longer) in logs_with_farewells(1..40), settings in vec(settings(), 1..3), batch_records in 1..9_usize,
    ) {
        let expected = deliver_in_order(&longer).map_err(fail)?;
        let mut pipeline = Pipeline::new(&log, settings);
        pipeline.faults.set_alerts_down(true);
        pipeline.deliver_rest(batch_records).map_err(fail)?;
        prop_assert!(pipeline.store.contents().alerts.is_empty());
        pipeline.faults.set_alerts_down(false);
        pipeline.extend(&longer);
        pipeline.deliver_rest(batch_records).map_err(fail)?;
        let actual = pipeline.store.contents();
        Violation::check("published alerts", &expected.alerts, &actual.alerts).map_err(fail)?;
        compare(&expected, &actual).map_err(fail)?;
    }
}
