//! What one process exports, another takes in, and both have the same totals.

use crate::process::{Process, path, run_ok};

/// Sites whose ids a spreadsheet would take for formulas among them, late, revised and anomalous.
fn readings() -> String {
    let line = |site: &str, minute: u32, generated: &str| {
        format!(
            r#"{{"site_id":"{site}","timestamp":"2025-06-20T{:02}:{:02}:00Z","energy_generated_kwh":{generated},"energy_consumed_kwh":0.000001}}"#,
            minute / 60,
            minute % 60
        )
    };
    let mut lines = Vec::new();
    for site in ["-home", "home-01", "a.b:c_d"] {
        for quarter in 0..90 {
            lines.push(line(site, 15 * quarter, &format!("{}.{:06}", quarter % 7, quarter * 997)));
        }
        lines.extend([line(site, 20, "3"), line(site, 45, "-2.5"), line(site, 600, "99.125")]);
    }
    lines.join("\n")
}

#[test]
fn csv_and_ndjson_of_records_are_taken_in_elsewhere_with_the_same_totals() {
    let folder = tempfile::tempdir().unwrap();
    let from = Process::start(&folder.path().join("from"));
    from.post(readings().as_bytes());
    from.wait_for_records(3 * 91);
    let original = from.get_json("/summary");
    for format in ["csv", "ndjson"] {
        let data_dir = folder.path().join(format);
        for site in original["site_ids"].as_array().unwrap() {
            let site = site.as_str().unwrap();
            let (status, page) = from.get(&format!("/records/{site}?limit=10000&format={format}"));
            assert_eq!(status, 200, "{page}");
            let file = folder.path().join(format!("{site}.{format}").replace(':', "_"));
            std::fs::write(&file, page).unwrap();
            run_ok(&["ingest", "--data-dir", path(&data_dir), path(&file)]);
        }
        let to = Process::start(&data_dir);
        to.wait_for_records(3 * 91);
        let copy = to.get_json("/summary");
        assert_eq!(copy["site_ids"], original["site_ids"], "{format}");
        for (copied, site) in
            copy["sites"].as_array().unwrap().iter().zip(original["sites"].as_array().unwrap())
        {
            // How the readings came (late, revised, repeated) is not part of what they say.
            for name in [
                "records",
                "energy_generated_kwh",
                "energy_consumed_kwh",
                "net_energy_kwh",
                "first_seen",
                "last_seen",
            ] {
                assert_eq!(copied[name], site[name], "{format} {} {name}", site["site_id"]);
            }
        }
        to.stop();
    }
    from.stop();
}
