//! Totals of all sites and of each, exact to the last digit.

use axum::http::StatusCode;
use serde_json::{Value, json};
use wattstream_engine::Kind;

use crate::harness::{Api, at, line, silence};
use crate::memory::Fault;

#[tokio::test]
async fn an_empty_store_has_no_sites_and_no_sums() {
    let summary = Api::new().get("/summary").await.ok();
    assert_eq!(summary["site_ids"], json!([]));
    assert_eq!(summary["sites"], json!([]));
    assert_eq!(summary["totals"]["records"], 0);
    assert_eq!(summary["totals"]["energy_generated_kwh"], 0);
    assert_eq!(summary["totals"]["efficiency"], Value::Null);
    assert_eq!(summary["totals"]["first_seen"], Value::Null);
}

#[tokio::test]
async fn the_totals_are_the_sums_of_the_sites_to_the_last_milliwatt_hour() {
    let api = Api::with(&[
        ("b", "2025-06-20T00:00:00Z", "0.1", "0.3"),
        ("b", "2025-06-20T01:00:00Z", "0.2", "0.000001"),
        ("a", "2025-06-19T00:00:00Z", "1000000000", "0"),
        ("a", "2025-06-20T02:00:00Z", "0.000001", "0"),
    ])
    .await;
    let answer = api.get("/summary").await;
    for exact in [
        r#""energy_generated_kwh":0.3,"energy_consumed_kwh":0.300001,"net_energy_kwh":-0.000001"#,
        r#""energy_generated_kwh":1000000000.000001,"#,
        r#""energy_generated_kwh":1000000000.300001,"energy_consumed_kwh":0.300001,"net_energy_kwh":1000000000"#,
    ] {
        assert!(answer.text().contains(exact), "{exact} in {}", answer.text());
    }
    let summary = answer.ok();
    assert_eq!(summary["site_ids"], json!(["a", "b"]));
    assert_eq!((&summary["site_count"], &summary["as_of"]), (&json!(2), &Value::Null));
    assert_eq!(summary["totals"]["records"], 4);
    assert_eq!(summary["totals"]["first_seen"], "2025-06-19T00:00:00.000Z");
    assert_eq!(summary["totals"]["last_seen"], "2025-06-20T02:00:00.000Z");
    assert_eq!(summary["sites"][1]["first_seen"], "2025-06-20T00:00:00.000Z");
}

#[tokio::test]
async fn efficiency_is_net_over_generated_and_null_without_generation() {
    let cases =
        [("4", "1", json!(0.75)), ("1", "3", json!(-2.0)), ("0", "3", Value::Null), ("-1", "3", Value::Null)];
    for (generated, consumed, efficiency) in cases {
        let api = Api::with(&[("site", "2025-06-20T00:00:00Z", generated, consumed)]).await;
        assert_eq!(api.get("/summary").await.ok()["sites"][0]["efficiency"], efficiency, "{generated}");
    }
}

#[tokio::test]
async fn anomalies_are_counted_by_rule_and_repeats_apart_from_readings() {
    let api = Api::with(&[
        ("site", "2025-06-20T00:00:00Z", "-1", "2"),
        ("site", "2025-06-20T01:00:00Z", "1", "2"),
        ("site", "2025-06-20T01:00:00Z", "1", "2"),
        ("site", "2025-06-20T00:30:00Z", "1", "2"),
        ("site", "2025-06-20T01:00:00Z", "1", "3"),
    ])
    .await;
    let summary = api.get("/summary").await.ok();
    for totals in [&summary["totals"], &summary["sites"][0]] {
        assert_eq!(totals["records"], 3);
        assert_eq!(totals["anomalies"], 1);
        assert_eq!(totals["anomalies_by_rule"]["negative_energy"], 1);
        assert_eq!(totals["anomalies_by_rule"]["missing_interval"], 0);
        assert_eq!(totals["duplicates"], 1);
        assert_eq!(totals["late"], 1);
        assert_eq!(totals["revisions"], 1);
    }
}

#[tokio::test]
async fn alerts_come_newest_first_and_no_more_than_asked_for() {
    let api =
        Api::with(&[("a", "2025-06-20T00:00:00Z", "-1", "2"), ("b", "2025-06-20T00:00:00Z", "-1", "2")])
            .await;
    let alerts = api.get("/alerts").await.ok();
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 2);
    let alert = &api.get("/alerts?limit=1").await.ok()["alerts"][0];
    assert_eq!(alert["alert_id"], "b/1/negative_energy/opened");
    assert_eq!((&alert["phase"], &alert["severity"]), (&json!("opened"), &json!("error")));
    assert_eq!(alert["at"], "2025-06-20T00:00:00.000Z");
}

#[tokio::test]
async fn an_alert_of_a_silence_tells_since_when_and_has_no_rule() {
    let api = Api::new();
    let silence = silence();
    api.memory.publish(silence.opened("home-01".parse().unwrap()));
    let opened = &api.get("/alerts").await.ok()["alerts"][0];
    let expected = json!({
        "kind": "silence",
        "alert_id": "home-01/silence/2025-06-20T00:00:00.000Z/opened",
        "site_id": "home-01",
        "phase": "opened",
        "severity": "error",
        "at": "2025-06-20T01:30:00.000Z",
        "last_seen": "2025-06-20T00:00:00.000Z",
        "interval_ms": 900_000,
        "silent_at": "2025-06-20T01:30:00.000Z",
    });
    assert_eq!(opened, &expected);
    api.memory.publish(silence.closed("home-01".parse().unwrap(), at("2025-06-20T02:00:00Z")));
    let closed = &api.get("/alerts?limit=1").await.ok()["alerts"][0];
    assert_eq!((&closed["phase"], &closed["at"]), (&json!("closed"), &json!("2025-06-20T02:00:00.000Z")));
}

#[tokio::test]
async fn a_posted_reading_is_in_the_summary() {
    let api = Api::new();
    api.post("/readings", line("new", "2025-06-20T00:00:00Z", "2", "1")).await.ok();
    assert_eq!(api.get("/summary").await.ok()["site_ids"], json!(["new"]));
}

#[tokio::test]
async fn a_summary_is_given_again_until_a_state_has_changed() {
    let api = Api::with(&[("a", "2025-06-20T00:00:00Z", "1", "0")]).await;
    let [json, csv] = ["/summary", "/summary?format=csv"];
    let (before, rows) = (api.get(json).await.ok(), api.get(csv).await);
    assert!(rows.text().starts_with("site_id,records,"), "{}", rows.text());
    assert_eq!(api.get(json).await.ok(), before);
    // What is given again needs no store.
    api.memory.set_fault(Fault::Fails(Kind::Retry));
    assert_eq!(api.get(json).await.ok(), before);
    assert_eq!(api.get(csv).await.status, StatusCode::SERVICE_UNAVAILABLE, "only the newest one is kept");
    api.memory.set_fault(Fault::None);
    api.post("/readings", line("a", "2025-06-20T01:00:00Z", "1", "0")).await.ok();
    assert_eq!(api.get(json).await.ok()["totals"]["records"], 2);
}

#[tokio::test]
async fn a_summary_that_nobody_counts_states_for_is_made_anew() {
    let api = Api::with(&[("a", "2025-06-20T00:00:00Z", "1", "0")]).await;
    api.memory.answer_from_snapshots();
    api.get("/summary").await.ok();
    api.memory.set_fault(Fault::Fails(Kind::Retry));
    assert_eq!(api.get("/summary").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_summary_from_snapshots_says_up_to_when_every_site_is_whole() {
    let api = Api::with(&[
        ("a", "2025-06-20T00:00:00Z", "1", "0"),
        ("a", "2025-06-20T02:00:00Z", "1", "0"),
        ("b", "2025-06-20T01:00:00Z", "1", "0"),
    ])
    .await;
    assert_eq!(api.get("/summary").await.ok()["as_of"], Value::Null);
    api.memory.answer_from_snapshots();
    let summary = api.get("/summary").await.ok();
    assert_eq!(summary["as_of"], "2025-06-20T01:00:00.000Z");
    assert_eq!(summary["totals"]["last_seen"], "2025-06-20T02:00:00.000Z");
}
