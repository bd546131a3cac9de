//! Every example of the description is what the API answers.
//!
//! With `WATTSTREAM_UPDATE_GOLDEN=1` the answers are written down anew, into `src/routes/examples.json`; the description has them after
//! the next build.

use std::collections::BTreeSet;
use std::path::Path;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use wattstream_query_api::AppState;

use crate::harness::{Answer, Api, line, request, silence};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/routes/examples.json");

/// What the examples are about: two hours of a home with a gap, an anomaly and a revision, a plant, a payload that is no reading, and a
/// silence. Some examples change it, so that each has its own.
async fn api() -> Api {
    let metrics = "# TYPE wattstream_records_read_total counter\nwattstream_records_read_total{outcome=\"in_order\"} 8\n";
    let api =
        Api::built(|state| AppState { render_metrics: Some(Box::new(move || metrics.to_owned())), ..state });
    let readings = [
        ("home-01", "00:00", "1.5", "0.25"),
        ("home-01", "00:15", "2", "0.25"),
        ("home-01", "00:30", "-3", "0.25"),
        ("home-01", "01:00", "1", "0.5"),
        ("home-01", "00:15", "2.5", "0.25"),
        ("home-01", "02:00", "0.75", "0.5"),
        ("site-alpha-pv-farm-01", "00:00", "120.25", "2"),
        ("site-alpha-pv-farm-01", "01:00", "140.5", "2"),
    ];
    let line_of = |(site, minute, generated, consumed)| {
        line(site, &format!("2025-06-20T{minute}:00Z"), generated, consumed)
    };
    let mut lines: Vec<String> = readings.into_iter().map(line_of).collect();
    lines.push(r#"{"site_id":"home-01"}"#.to_owned());
    api.post("/readings", lines.join("\n")).await.ok();
    api.memory.publish(silence().opened("home-01".parse().unwrap()));
    api
}

/// The answer to a request line with a body.
async fn answer_to(request_line: &str, body: Option<(&str, &Value)>) -> Answer {
    let (method, address) = request_line.split_once(' ').unwrap();
    let mut headers = vec![("x-request-id", "example")];
    headers.extend(body.map(|(media_type, _)| ("content-type", media_type)));
    let body =
        body.map_or(String::new(), |(_, body)| body.as_str().map_or_else(|| body.to_string(), str::to_owned));
    api().await.ask(request(method.parse::<Method>().unwrap(), address, &headers, Body::from(body))).await
}

fn media_type(answer: &Answer) -> &str {
    answer.header(header::CONTENT_TYPE).split(';').next().unwrap()
}

/// The answer as an example has it: a document, or a text.
fn written(answer: &Answer) -> Value {
    if matches!(media_type(answer), "application/json" | "application/problem+json") {
        answer.json()
    } else {
        json!(answer.text())
    }
}

#[tokio::test]
async fn the_examples_are_what_the_api_answers() {
    let mut examples: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(EXAMPLES).unwrap()).unwrap();
    let is_update = std::env::var_os("WATTSTREAM_UPDATE_GOLDEN").is_some();
    for example in &mut examples {
        let request_line = example["request"].as_str().unwrap().to_owned();
        let body = example["body_type"].as_str().map(|media_type| (media_type, &example["body"]));
        let answer = answer_to(&request_line, body).await;
        let is_status = match example["status"].as_str().unwrap() {
            "default" => answer.status.as_u16() >= 400,
            status => answer.status.as_str() == status,
        };
        assert!(is_status, "{request_line}: {} {:?}", answer.status, answer.body);
        assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{request_line}");
        assert_eq!(media_type(&answer), example["content_type"], "{request_line}");
        if is_update {
            example["answer"] = written(&answer);
        }
        assert_eq!(example["answer"], written(&answer), "{request_line}");
    }
    if is_update {
        std::fs::write(Path::new(EXAMPLES), serde_json::to_string_pretty(&examples).unwrap() + "\n").unwrap();
    }
}

#[test]
fn every_operation_has_an_example_of_its_answer_and_every_body_one_of_it() {
    let description = serde_json::to_value(wattstream_query_api::openapi()).unwrap();
    let names_in = |content: &Value| -> BTreeSet<String> {
        let contents = content.as_object().into_iter().flatten();
        contents
            .flat_map(|(_, content)| content["examples"].as_object().into_iter().flatten())
            .map(|(name, _)| name.clone())
            .collect()
    };
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            let answered: BTreeSet<String> =
                responses.values().flat_map(|response| names_in(&response["content"])).collect();
            let successful = responses.iter().filter(|(status, _)| status.starts_with('2'));
            let is_shown =
                successful.flat_map(|(_, response)| names_in(&response["content"])).next().is_some();
            assert!(is_shown, "{method} {path} has no example");
            let asked = names_in(&operation["requestBody"]["content"]);
            assert!(asked.is_empty() || asked == answered, "{method} {path}: {asked:?} {answered:?}");
        }
    }
}
