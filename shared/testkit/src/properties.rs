//! What must hold for every log, however it is delivered. The tests of the engine try them with logs of all kinds; the
//! test of planted bugs shows that they can fail.

use crate::deliveries::{Course, Pipeline, Setting, compare, deliver, deliver_in_order};
use crate::logs::Log;
use crate::oracle::{Oracle, Violation};
use crate::silences::{Fleet, Moment};

/// Rows, hours, totals and what detection learned are what the log means (promise P3).
pub fn one_delivery_in_order_gives_what_the_log_means(log: &Log) -> Result<(), Violation> {
    Oracle::of(log).check(&deliver_in_order(log)?)
}

/// Any deliveries give the same tables (P2), and no record is acknowledged before it is kept (P1).
pub fn any_deliveries_give_the_tables_of_one_in_order(log: &Log, course: &Course) -> Result<(), Violation> {
    let expected = deliver_in_order(log)?;
    let oracle = Oracle::of(log);
    let actual = deliver(log, &oracle, course)?;
    oracle.check(&actual)?;
    compare(&expected, &actual)
}

/// An outage of the publisher neither stops the readings nor loses an alert. `longer` is `log` after every site has sent
/// one more reading.
pub fn alerts_that_met_an_outage_arrive_with_the_next_reading(
    (log, longer): (&Log, &Log),
    instances: Vec<Setting>,
    batch_records: usize,
) -> Result<(), Violation> {
    let expected = deliver_in_order(longer)?;
    let mut pipeline = Pipeline::new(log, instances);
    pipeline.faults.set_alerts_down(true);
    pipeline.deliver_rest(batch_records)?;
    Violation::check("alerts of an outage", &0, &pipeline.store.contents().alerts.len())?;
    pipeline.faults.set_alerts_down(false);
    pipeline.extend(longer);
    pipeline.deliver_rest(batch_records)?;
    let actual = pipeline.store.contents();
    Violation::check_entries("published alerts", &expected.alerts, &actual.alerts)?;
    compare(&expected, &actual)
}

/// Each silence that an undisturbed check finds is opened under one id, and closed under one when the site has spoken,
/// whatever any check meets; nobody is told of a silence that was none; the tables stay as they are.
pub fn any_checks_tell_each_silence_once(moments: &[Moment]) -> Result<(), Violation> {
    let mut fleet = Fleet::new();
    for moment in moments {
        fleet.pass(moment)?;
    }
    fleet.settle()
}
