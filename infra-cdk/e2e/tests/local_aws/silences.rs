//! The watch over silent sites, called as its schedule calls it: the time is what it is told.

use chrono::DateTime;
use serde_json::json;
use wattstream_aws::AccessKey;

use crate::api::Api;
use crate::aws::Aws;
use crate::sums::Sums;

/// More than any habit of a site of hours, and less than the week after which a silence is history.
const SILENT_MS: i64 = 2 * 24 * 60 * 60 * 1_000;

/// Makes sure that a site is found to be silent, and that people are told.
pub(crate) fn check(aws: &Aws, api: &Api, caller: &AccessKey, site: &str, sums: &Sums) {
    let time = DateTime::from_timestamp_millis(sums.newest_ms[site] + SILENT_MS).expect("an instant");
    let tick = json!({ "scheduled_time": time.to_rfc3339() });
    let checked = aws.invoke("silent-sites", &tick);
    assert!(
        checked["opened"].as_u64() >= Some(1) && checked["waiting"] == 0,
        "{site} is silent at {time}, and the watch says {checked}"
    );
    let alerts = api.json(caller, "/alerts?limit=1000");
    let is_told =
        alerts["alerts"].as_array().expect("a list").iter().any(|alert| {
            alert["kind"] == "silence" && alert["site_id"] == site && alert["phase"] == "opened"
        });
    assert!(is_told, "{site} is silent, and nobody is told: {alerts}");
}
