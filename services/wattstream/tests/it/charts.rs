//! `wattstream charts` over a real process, and what it wrote in a real browser.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::process::{Process, path, run, run_ok};

/// Hours of three sites, with an anomaly at one of them.
fn readings() -> String {
    let mut body = String::new();
    for hour in 0..72_u32 {
        for (site, factor) in [("home-01", 1), ("plant:2", 40), ("Shop", 0)] {
            let generated = f64::from((hour % 24).abs_diff(12).min(6) * factor);
            let consumed = if site == "home-01" && hour == 40 { -3.5 } else { 2.25 };
            writeln!(
                body,
                r#"{{"site_id":"{site}","timestamp":"2025-06-{:02}T{:02}:00:00Z","energy_generated_kwh":{generated},"energy_consumed_kwh":{consumed}}}"#,
                20 + hour / 24,
                hour % 24
            )
            .unwrap();
        }
    }
    body
}

fn process_with_sites(folder: &Path) -> Process {
    let process = Process::start(&folder.join("data"));
    process.post(readings().as_bytes());
    process.wait_for_records(216);
    process
}

/// The data of a page, as a browser would read it.
fn data_of(page: &Path) -> Value {
    let page = fs::read_to_string(page).unwrap();
    let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    serde_json::from_str(data).unwrap()
}

const OVERVIEW: [&str; 4] = ["anomaly-distribution", "generation-consumption", "net-energy", "efficiency"];

#[test]
fn every_chart_is_a_page_and_a_picture_and_the_index_leads_to_all() {
    let folder = tempfile::tempdir().unwrap();
    let process = process_with_sites(folder.path());
    let out = folder.path().join("charts");
    run_ok(&["charts", "--url", &process.url, "--out", path(&out)]);
    let mut names: Vec<_> =
        fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let files = OVERVIEW.into_iter().chain(["site-home-01", "site-plant~3a2", "site-~53hop"]);
    let mut expected: Vec<_> =
        files.clone().flat_map(|file| [format!("{file}.html"), format!("{file}.svg")]).collect();
    expected.push("index.html".to_owned());
    expected.sort();
    assert_eq!(names, expected);
    let index = fs::read_to_string(out.join("index.html")).unwrap();
    for file in files {
        assert!(index.contains(&format!("href=\"./{file}.html\"")), "{file}");
        let svg = fs::read_to_string(out.join(format!("{file}.svg"))).unwrap();
        assert!(svg.starts_with("<svg ") && svg.contains("<path") && !svg.contains("NaN"), "{file}: {svg}");
    }
    // The figures are those of the API.
    let summary = process.get_json("/summary");
    let sites = data_of(&out.join("net-energy.html"))["sites"].clone();
    for (drawn, site) in sites.as_array().unwrap().iter().zip(summary["sites"].as_array().unwrap()) {
        assert_eq!(drawn["site_id"], site["site_id"]);
        for field in
            ["energy_generated_kwh", "energy_consumed_kwh", "net_energy_kwh", "anomalies", "efficiency"]
        {
            assert_eq!(drawn[field].as_f64(), site[field].as_f64(), "{field}");
        }
    }
    let curve = data_of(&out.join("site-home-01.html"));
    assert_eq!(curve["series"]["points"], process.get_json("/series/home-01")["points"]);
    let flagged =
        |timestamp| curve["anomalies"].as_array().unwrap().iter().any(|one| one["timestamp"] == timestamp);
    assert!(flagged("2025-06-21T16:00:00.000Z") && !flagged("2025-06-20T00:00:00.000Z"));
    process.stop();
}

#[test]
fn a_range_and_sites_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let process = process_with_sites(folder.path());
    let out = folder.path().join("charts");
    let ask =
        |flags: &[&str]| run(&[&["charts", "--url", &process.url, "--out", path(&out)], flags].concat());
    let done = ask(&["--site", "home-01", "--start", "2025-06-21", "--end", "2025-06-22", "--theme", "dark"]);
    assert!(done.status.success(), "{done:?}");
    assert!(!out.join("generation-consumption.html").exists(), "the sum of some sites is not known");
    let data = data_of(&out.join("net-energy.html"));
    assert_eq!((&data["theme"], data["sites"].as_array().unwrap().len()), (&Value::from("dark"), 1));
    // A day: 23 readings of 2.25, one of -3.5, against the day's generation.
    let site = &data["sites"][0];
    assert_eq!(site["energy_consumed_kwh"], 48.25);
    let flagged = process.get_json("/anomalies?site_id=home-01&start=2025-06-21&end=2025-06-22");
    assert_eq!(site["anomalies"], flagged["anomalies"].as_array().unwrap().len());
    assert_eq!(site["anomalies_by_rule"]["negative_energy"], 1);
    let points = data_of(&out.join("site-home-01.html"))["series"]["points"].as_array().unwrap().len();
    assert_eq!(points, 24);
    let unknown = ask(&["--site", "home-1"]);
    let stderr = String::from_utf8_lossy(&unknown.stderr);
    assert!(
        unknown.status.code() == Some(1) && stderr.contains("home-01"),
        "near names are offered: {stderr}"
    );
    process.stop();
}

#[test]
fn of_many_sites_those_with_the_most_anomalies_have_a_chart_and_the_rest_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&folder.path().join("data"));
    let body: Vec<_> = (0..60)
        .map(|site| {
            let generated = if site == 59 { -1 } else { 1 };
            format!(
                r#"{{"site_id":"s-{site:02}","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":{generated},"energy_consumed_kwh":1}}"#
            )
        })
        .collect();
    process.post(body.join("\n").as_bytes());
    process.wait_for_records(60);
    let out = folder.path().join("charts");
    let done = run(&["charts", "--url", &process.url, "--out", path(&out)]);
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && stderr.contains("10 have none"), "{stderr}");
    assert!(out.join("site-s-59.html").exists() && !out.join("site-s-58.html").exists());
    process.stop();
}

#[test]
fn a_browser_draws_each_page_without_a_complaint() {
    if Command::new("chromium").arg("--version").output().is_err() {
        wattstream_test_env::skip("no Chromium; Debian has it as `chromium`");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let process = process_with_sites(folder.path());
    let out = folder.path().join("charts");
    run_ok(&["charts", "--url", &process.url, "--out", path(&out)]);
    process.stop();
    let profile = folder.path().join("profile");
    for file in OVERVIEW.into_iter().chain(["site-plant~3a2", "index"]) {
        let page = out.join(format!("{file}.html"));
        let (dom, complaints) = opened(&page, &profile);
        assert_eq!(complaints, Vec::<String>::new(), "{file}");
        // Whatever would go to another host, the policy refuses, and a refusal is a complaint.
        assert!(dom.contains("default-src 'none'"), "{file}");
        let drawing = dom.split(r#"<div id="chart""#).nth(1).unwrap_or_default();
        let drawn = drawing.split("<script").next().unwrap_or_default();
        assert!(file == "index" || drawn.matches("<path").count() > 5, "{file}: {drawn}");
    }
}

/// The document after its scripts have run, and what the browser's console says.
fn opened(page: &Path, profile: &Path) -> (String, Vec<String>) {
    let mut chromium = Command::new("chromium");
    chromium.args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]);
    chromium.arg("--virtual-time-budget=3000").arg(format!("--user-data-dir={}", path(profile)));
    let output = chromium.arg(format!("file://{}", path(page))).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let complaints = stderr.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    (String::from_utf8(output.stdout).unwrap(), complaints)
}
