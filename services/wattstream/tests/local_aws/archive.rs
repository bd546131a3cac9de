//! An archive in S3, as Firehose would have written it.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::stand::Stand;

/// Two sites, with a late reading, a revision and a line that is none.
const READINGS: &str = r#"{"site_id":"home-01","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":1.25,"energy_consumed_kwh":0.5}
{"site_id":"home-02","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":-2,"energy_consumed_kwh":0.5}
{"site_id":"home-01","timestamp":"2025-06-20T02:00:00Z","energy_generated_kwh":3.000001,"energy_consumed_kwh":0.5}
{"site_id":"home-01","timestamp":"2025-06-20T01:00:00Z","energy_generated_kwh":2,"energy_consumed_kwh":0.5}
not a reading
{"site_id":"home-01","timestamp":"2025-06-20T02:00:00Z","energy_generated_kwh":4,"energy_consumed_kwh":0.5,"unit":"kWh"}
"#;

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("test folders have plain names")
}

#[test]
fn an_archive_in_s3_makes_the_state_of_the_folder_that_it_was_copied_from() {
    let Some(stand) = Stand::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (data, rebuilt, readings) =
        (folder.path().join("data"), folder.path().join("rebuilt"), folder.path().join("readings.ndjson"));
    std::fs::write(&readings, READINGS).expect("a file");
    stand.run_ok(&["ingest", text(&readings), "--data-dir", text(&data)]);
    let state = stand.run_ok(&["verify", "--data-dir", text(&data)]);

    stand.call("s3", "create_bucket", &json!({ "Bucket": "archive" }));
    let archive = data.join("archive");
    let objects = files_below(&archive);
    assert!(objects.len() > 1, "more than one shard has readings");
    for object in &objects {
        let key = object.strip_prefix(&archive).expect("below the archive");
        stand.put_object("archive", &format!("fleet/{}", text(key)), object);
    }
    // What lies beside raw/ belongs to others.
    stand.put_object("archive", "fleet/errors/year=2025/month=06/day=20/hour=00/x", &readings);

    stand.run_ok(&["replay", "--from", "s3://archive/fleet", "--data-dir", text(&rebuilt)]);
    assert_eq!(stand.run_ok(&["verify", "--data-dir", text(&rebuilt)]), state);

    let missing = folder.path().join("missing");
    for place in ["s3://nowhere", "s3://archive/fleet/raw"] {
        let output = stand.run(&["replay", "--from", place, "--data-dir", text(&missing)]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && told.contains(place), "{told}");
        assert!(!missing.exists(), "nothing is made for an archive that is not there");
    }
}
