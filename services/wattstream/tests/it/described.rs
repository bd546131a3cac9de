//! A real process answers as it is described, whatever it is asked: schemathesis makes requests of the description, right and wrong
//! ones, and looks at every answer.

use wattstream_domain::Timestamp;
use wattstream_test_env::schemathesis;

use crate::process::Process;

/// 2025-06-20T00:00:00Z.
const START_MS: i64 = 1_750_377_600_000;

/// Two days of hours of three sites, with anomalies, and a line that is no reading.
fn readings() -> String {
    let line = |index: i64| {
        let at = Timestamp::from_unix_ms(START_MS + index / 3 * 3_600_000).unwrap();
        let (site, generated) = (index % 3, if index % 40 == 0 { -2 } else { index % 7 });
        format!(
            r#"{{"site_id":"home-{site}","timestamp":"{at}","energy_generated_kwh":{generated}.5,"energy_consumed_kwh":1}}"#
        ) + "\n"
    };
    std::iter::once("no reading\n".to_owned()).chain((0..144).map(line)).collect()
}

#[test]
fn nothing_that_is_asked_at_random_is_answered_otherwise_than_described() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&folder.path().join("data"));
    let description = format!("{}/openapi.json", process.url);
    let Some(mut run) = schemathesis::against(&description, folder.path()) else { return };
    process.post(readings().as_bytes());
    process.wait_for_records(144);
    let output = run.output().expect("schemathesis runs");
    let told =
        format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    assert!(told.contains("Tested: 21"), "every operation was asked: {told}");
    process.stop();
}
