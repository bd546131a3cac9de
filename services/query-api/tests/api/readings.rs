//! Readings are taken as they came, counted, and answered for.

use std::io::Write;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::harness::{Answer, Api, line, request};

fn reading() -> String {
    line("home-01", "2025-06-20T00:00:00Z", "2", "1")
}

async fn post(api: &Api, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    api.ask(request(Method::POST, "/readings", headers, body.into())).await
}

#[tokio::test]
async fn every_line_is_in_the_log_as_it_was_sent_and_the_answer_counts_them() {
    let api = Api::new();
    let lines = [
        &reading(),
        r#"{"site_id":"home-01"}"#,
        "  ",
        "nonsense",
        r#"{"site_id":"home-01","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":NaN,"energy_consumed_kwh":1}"#,
    ];
    let answer = api.post("/readings", lines.join("\r\n")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let receipt = answer.json();
    assert_eq!((&receipt["accepted"], &receipt["rejected"]), (&json!(1), &json!(3)));
    let rejects: Vec<_> = receipt["rejects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reject| (&reject["line"], &reject["reason"]))
        .collect();
    assert_eq!(
        rejects,
        [
            (&json!(2), &json!("missing_field")),
            (&json!(4), &json!("not_json")),
            (&json!(5), &json!("energy_not_finite"))
        ]
    );
    let log: Vec<String> =
        api.memory.log().into_iter().map(|(_, data)| String::from_utf8(data.to_vec()).unwrap()).collect();
    assert_eq!(log, [lines[0], lines[1], lines[3], lines[4]]);
}

#[tokio::test]
async fn a_reading_goes_to_the_shard_of_its_site() {
    let api = Api::new();
    api.post("/readings", format!("{}\nnonsense", reading())).await.ok();
    let keys: Vec<String> = api.memory.log().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["home-01", "unreadable"]);
}

#[tokio::test]
async fn the_content_type_says_how_the_body_is_cut() {
    let one = reading();
    let array = format!("[{one},\n {one}]");
    let lines = format!("{one}\n{one}");
    let cases = [
        ("application/x-ndjson", &lines, 2, 0),
        ("application/x-ndjson; charset=utf-8", &lines, 2, 0),
        ("application/jsonl", &array, 0, 2),
        ("application/json", &array, 2, 0),
        ("Application/JSON", &one, 1, 0),
        ("text/plain", &lines, 2, 0),
        ("text/plain", &array, 2, 0),
    ];
    for (content_type, body, accepted, rejected) in cases {
        let receipt = post(&Api::new(), &[("content-type", content_type)], body.clone()).await.ok();
        let counts = (&receipt["accepted"], &receipt["rejected"]);
        assert_eq!(counts, (&json!(accepted), &json!(rejected)), "{content_type} {body}");
    }
}

#[tokio::test]
async fn a_reject_of_an_array_is_named_by_its_index() {
    let receipt = Api::new().post("/readings", format!("[{}, 7]", reading())).await.ok();
    assert_eq!(receipt["rejects"][0]["index"], 1);
    assert_eq!(receipt["rejects"][0].get("line"), None);
}

#[tokio::test]
async fn a_compressed_body_is_unpacked() {
    let api = Api::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(reading().as_bytes()).unwrap();
    let body = encoder.finish().unwrap();
    let receipt = post(&api, &[("content-encoding", "gzip")], body).await.ok();
    assert_eq!(receipt["accepted"], 1);
    assert_eq!(api.memory.log()[0].1, reading());
}

#[tokio::test]
async fn an_empty_body_is_refused_and_an_empty_list_is_taken_and_neither_touches_anything() {
    let api = Api::new();
    for empty in ["", "\n\n", " \r\n"] {
        let refused = api.post("/readings", empty).await;
        assert_eq!(
            (refused.status, &*refused.problem()),
            (StatusCode::BAD_REQUEST, "body-invalid"),
            "{empty:?}"
        );
    }
    assert_eq!(api.post("/readings", "[]").await.ok(), json!({"accepted": 0, "rejected": 0, "rejects": []}));
    assert!(api.memory.log().is_empty());
}

#[tokio::test]
async fn what_was_posted_can_be_asked_for_at_once_and_twice_is_once() {
    let api = Api::new();
    for _ in 0..2 {
        api.post("/readings", reading()).await.ok();
    }
    let page = api.get("/records/home-01").await.ok();
    assert_eq!(page["records"].as_array().unwrap().len(), 1);
    assert_eq!(api.get("/summary").await.ok()["totals"]["duplicates"], 1);
}
