//! The pipeline's own rules find the faults that they are meant for, and little else.

use std::collections::HashMap;

use wattstream_domain::{Detector, HOUR_MS, Rule, SiteId, Timestamp};
use wattstream_simulator::{Emission, Fault, FaultKind, Fleet, FleetSettings};

const INTERVAL_MS: i64 = 300_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const DAYS: i64 = 28;
/// How many in a hundred must be found. A fault on a site's first day may be taken for its habit, and an outage soon
/// after a longer one too.
const FOUND_PERCENT_MIN: usize = 95;
/// What the rules may remark beyond the faults in four weeks of twelve sites.
const FALSE_ALARMS_MAX: usize = 4;

/// A rule's remark about a reading.
type Remark = (SiteId, Timestamp, Rule);

#[test]
fn faults_that_distort_or_lose_readings_are_found_by_their_rules() {
    for seed in 1..4 {
        let settings = FleetSettings { seed, sites: 12, interval_ms: 300_000, faults_per_site_week: 2 };
        let fleet = Fleet::new(settings).unwrap();
        let from = Timestamp::from_unix_ms(1_781_481_600_000).unwrap();
        let to = from.saturating_add_ms(DAYS * DAY_MS);
        let remarks = remarks(fleet.due(from, to));
        let faults: Vec<Fault> = fleet.scheduled_faults(from, to).collect();

        let after_warm_up = from.saturating_add_ms(DAY_MS)..to.saturating_add_ms(-DAY_MS);
        let (found, missed): (Vec<&Fault>, Vec<&Fault>) = faults
            .iter()
            .filter(|fault| after_warm_up.contains(&fault.start) && rule_for(fault.kind).is_some())
            .partition(|fault| {
                remarks.iter().any(|it| rule_for(fault.kind) == Some(it.2) && is_about(it, fault))
            });
        let percent = 100 * found.len() / (found.len() + missed.len());
        assert!(percent >= FOUND_PERCENT_MIN, "seed {seed}: {} found, missed {missed:?}", found.len());

        let is_false = |remark: &&Remark| !faults.iter().any(|fault| is_about(remark, fault));
        let false_alarms: Vec<&Remark> = remarks.iter().filter(is_false).collect();
        assert!(false_alarms.len() <= FALSE_ALARMS_MAX, "seed {seed}: {false_alarms:?}");
    }
}

fn rule_for(kind: FaultKind) -> Option<Rule> {
    match kind {
        FaultKind::NegativeEnergy => Some(Rule::NegativeEnergy),
        FaultKind::UnitSlip => Some(Rule::HighLimit),
        FaultKind::StuckMeter => Some(Rule::RepeatedValue),
        FaultKind::Outage => Some(Rule::MissingInterval),
        FaultKind::Late | FaultKind::Duplicate | FaultKind::Revised => None,
    }
}

/// Within the fault, or at the first reading after it, where a gap shows.
fn is_about(&(site_id, timestamp, _): &Remark, fault: &Fault) -> bool {
    let end = fault.start.saturating_add_ms(i64::from(fault.intervals) * INTERVAL_MS);
    site_id == fault.site_id && (fault.start..=end).contains(&timestamp)
}

/// What the rules say of the readings that arrive in order.
fn remarks(emissions: impl Iterator<Item = Emission>) -> Vec<Remark> {
    let mut sites: HashMap<SiteId, (Detector, Option<Timestamp>)> = HashMap::new();
    let mut remarks = Vec::new();
    for Emission { reading, .. } in emissions {
        let (detector, newest) = sites.entry(reading.site_id).or_default();
        if newest.is_some_and(|newest| reading.timestamp <= newest) {
            continue;
        }
        let elapsed_ms = newest.map(|newest| reading.timestamp.ms_since(newest));
        let findings = detector.judge(&reading.measure, elapsed_ms).findings;
        detector.learn(&reading.measure, elapsed_ms, &findings);
        *newest = Some(reading.timestamp);
        remarks.extend(findings.iter().map(|finding| (reading.site_id, reading.timestamp, finding.rule)));
    }
    remarks
}
