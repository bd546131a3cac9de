//! Seed and commit give the trace: the first emissions and faults of seed 1 are kept as text, so that a change of the
//! model shows as a change of the file. `WATTSTREAM_UPDATE_GOLDEN=1` writes it anew.

use wattstream_domain::{HOUR_MS, Timestamp};
use wattstream_simulator::{Emission, Fault, Fleet, FleetSettings};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/trace_seed_1.txt");

/// Half an hour of a dozen sites from 2026-06-20T12:00:00Z, and the faults of that week.
#[test]
fn seed_1_gives_the_trace_on_file() {
    let settings = FleetSettings { seed: 1, sites: 12, interval_ms: 300_000, faults_per_site_week: 2 };
    let fleet = Fleet::new(settings).unwrap();
    let noon = Timestamp::from_unix_ms(1_781_956_800_000).unwrap();
    let emissions = fleet.due(noon, noon.saturating_add_ms(HOUR_MS / 2));
    let faults = fleet.scheduled_faults(noon, noon.saturating_add_ms(7 * 24 * HOUR_MS));
    let trace: String =
        emissions.map(|it| emission_line(&it)).chain(faults.map(|it| fault_line(&it))).collect();

    if std::env::var_os("WATTSTREAM_UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &trace).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    for (number, (found, expected)) in trace.lines().zip(golden.lines()).enumerate() {
        assert_eq!(found, expected, "line {} of {GOLDEN}", number + 1);
    }
    assert_eq!(trace.lines().count(), golden.lines().count());
}

fn emission_line(emission: &Emission) -> String {
    let Emission { at, reading } = emission;
    let (site, start, measure) = (reading.site_id, reading.timestamp, reading.measure);
    format!("{at} {site:20} {start} +{} -{} kWh\n", measure.generated, measure.consumed)
}

fn fault_line(fault: &Fault) -> String {
    format!("{} {fault} for {} intervals\n", fault.start, fault.intervals)
}
