//! Every way in which a request can go wrong ends as a problem: one table, one shape.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use proptest::prelude::*;
use wattstream_engine::Kind;
use wattstream_query_api::{BODY_BYTES_MAX, BODY_RECORDS_MAX, RECORD_BYTES_MAX};

use crate::harness::{Answer, Api, line, request};
use crate::memory::Fault;

struct Case {
    asked: (Method, &'static str),
    headers: &'static [(&'static str, &'static str)],
    body: Vec<u8>,
    answer: (u16, &'static str),
    parameter: Option<&'static str>,
}

fn case(method: Method, path: &'static str, status: u16, kind: &'static str) -> Case {
    Case { asked: (method, path), headers: &[], body: Vec::new(), answer: (status, kind), parameter: None }
}

fn get(path: &'static str, status: u16, kind: &'static str) -> Case {
    case(Method::GET, path, status, kind)
}

fn about(parameter: &'static str, case: Case) -> Case {
    Case { parameter: Some(parameter), ..case }
}

fn post(
    headers: &'static [(&'static str, &'static str)],
    body: Vec<u8>,
    status: u16,
    kind: &'static str,
) -> Case {
    Case { headers, body, ..case(Method::POST, "/readings", status, kind) }
}

fn addresses_and_methods() -> Vec<Case> {
    vec![
        get("/nowhere", 404, "unknown-route"),
        get("/records", 404, "unknown-route"),
        get("/records/home-01/more", 404, "unknown-route"),
        get("/docs/no-such-file.js", 404, "unknown-route"),
        get("/records/%ff", 400, "request-invalid"),
        case(Method::POST, "/summary", 405, "method-not-allowed"),
        case(Method::GET, "/readings", 405, "method-not-allowed"),
        case(Method::PUT, "/dead-letters/x", 405, "method-not-allowed"),
        case(Method::DELETE, "/", 405, "method-not-allowed"),
        case(Method::PATCH, "/docs/", 405, "method-not-allowed"),
        about("site_id", get("/records/home-1", 404, "unknown-site")),
        about("site_id", get("/anomalies/a%2Fb", 404, "unknown-site")),
        about("site_id", get("/series/home-1", 404, "unknown-site")),
        about("site_id", get("/sites/home-1", 404, "unknown-site")),
        about("id", get("/dead-letters/x", 404, "unknown-dead-letter")),
        about("id", case(Method::DELETE, "/dead-letters/x", 404, "unknown-dead-letter")),
        about("id", case(Method::POST, "/dead-letters/x/redrive", 404, "unknown-dead-letter")),
    ]
}

fn parameters() -> Vec<Case> {
    vec![
        about("strat", get("/records/home-01?strat=now", 400, "unknown-parameter")),
        about("x", get("/summary?x=1", 400, "unknown-parameter")),
        about("x", get("/dead-letters/y?x=1", 400, "unknown-parameter")),
        about("cursor", get("/alerts?cursor=1", 400, "unknown-parameter")),
        about("x", case(Method::POST, "/readings?x=1", 400, "unknown-parameter")),
        about("x", case(Method::POST, "/dead-letters/redrive?x=1", 400, "unknown-parameter")),
        about("limit", get("/alerts?limit=1&limit=2", 400, "repeated-parameter")),
        about("end_date", get("/records/home-01?end=now&end_date=now-1h", 400, "repeated-parameter")),
        about("limit", get("/records/home-01?limit=10001", 400, "parameter-invalid")),
        about("limit", get("/alerts?limit=0", 400, "parameter-invalid")),
        about("format", get("/summary?format=xml", 400, "parameter-invalid")),
        Case { headers: &[("accept", "image/png")], ..get("/records/home-01", 406, "not-acceptable") },
        about("rule", get("/anomalies?rule=negative", 400, "parameter-invalid")),
        about("severity", get("/episodes?severity=fatal", 400, "parameter-invalid")),
        about("state", get("/episodes?state=opened", 400, "parameter-invalid")),
        about("site_id", get("/anomalies?site_id=home-1", 404, "unknown-site")),
        about("cursor", get("/episodes?cursor=AAAA", 400, "cursor-invalid")),
        about("resolution", get("/series?resolution=raw", 400, "parameter-invalid")),
        about("resolution", get("/series?start=2024-01-01&resolution=hour", 400, "range-too-long")),
        about("resolution", get("/series/home-01?resolution=days", 400, "parameter-invalid")),
        about("resolution", get("/series/home-01?start=2024-01-01&resolution=hour", 400, "range-too-long")),
        about("limit", get("/sites?limit=501", 400, "parameter-invalid")),
        about("cursor", get("/sites?cursor=AAAA", 400, "cursor-invalid")),
        about("limit", get("/dead-letters?limit=101", 400, "parameter-invalid")),
        about("start", get("/records/home-01?start=2026-01-01T00:00:00+00:00", 400, "time-invalid")),
        about("end_date", get("/anomalies/home-01?end_date=tomorrow", 400, "time-invalid")),
        about("until", case(Method::DELETE, "/dead-letters?until=1", 400, "time-invalid")),
        about("start", get("/records/home-01?start=now&end=now-1h", 400, "range-reversed")),
        about("cursor", get("/records/home-01?cursor=AAAA", 400, "cursor-invalid")),
        about("cursor", get("/dead-letters?cursor=AAAA", 400, "cursor-invalid")),
    ]
}

fn bodies() -> Vec<Case> {
    let reading = line("home-01", "2025-06-20T00:00:00Z", "2", "1");
    vec![
        post(&[("content-type", "application/json")], reading.as_bytes()[..20].to_vec(), 400, "body-invalid"),
        post(&[("content-type", "application/json")], Vec::new(), 400, "body-invalid"),
        post(&[], b"[1,".to_vec(), 400, "body-invalid"),
        post(&[("content-encoding", "gzip")], b"plain".to_vec(), 400, "body-invalid"),
        post(&[], vec![b'\n'; BODY_BYTES_MAX + 1], 413, "body-too-large"),
        post(&[("content-length", "16777217")], Vec::new(), 413, "body-too-large"),
        post(&[], vec![b'x'; RECORD_BYTES_MAX + 1], 413, "record-too-large"),
        post(&[], b"1\n".repeat(BODY_RECORDS_MAX + 1), 413, "too-many-records"),
        about(
            "content-type",
            post(&[("content-type", "text/csv")], Vec::new(), 415, "media-type-unsupported"),
        ),
        about(
            "content-type",
            post(
                &[("content-type", "application/x-www-form-urlencoded")],
                Vec::new(),
                415,
                "media-type-unsupported",
            ),
        ),
        about(
            "content-encoding",
            post(&[("content-encoding", "br")], Vec::new(), 415, "media-type-unsupported"),
        ),
        post(&[("sec-fetch-site", "cross-site")], reading.clone().into(), 403, "cross-origin"),
        post(
            &[("origin", "https://evil.example"), ("host", "127.0.0.1:8080")],
            reading.into(),
            403,
            "cross-origin",
        ),
    ]
}

fn assert_is_problem(answer: &Answer, (status, kind): (u16, &str), asked: &dyn std::fmt::Debug) {
    assert_eq!((answer.status.as_u16(), &*answer.problem()), (status, kind), "{asked:?} {:?}", answer.body);
    assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{asked:?}");
    assert!(answer.header(header::CONTENT_SECURITY_POLICY).contains("default-src 'none'"), "{asked:?}");
    assert!(!answer.text().contains("secret"), "{asked:?} {}", answer.text());
}

#[tokio::test]
async fn every_mistake_of_a_client_is_answered_with_its_problem_and_changes_nothing() {
    let api = Api::with(&[("home-01", "2025-06-20T00:00:00Z", "2", "1")]).await;
    for case in [addresses_and_methods(), parameters(), bodies()].into_iter().flatten() {
        let (method, path) = case.asked.clone();
        let answer = api.ask(request(method, path, case.headers, Body::from(case.body))).await;
        assert_is_problem(&answer, case.answer, &case.asked);
        assert_eq!(answer.json()["parameter"].as_str(), case.parameter, "{:?} {}", case.asked, answer.text());
    }
    assert_eq!(api.memory.log().len(), 1);
}

#[tokio::test]
async fn a_method_that_is_not_there_is_told_those_that_are() {
    let api = Api::new();
    let cases = [
        (Method::POST, "/summary", "GET,HEAD"),
        (Method::GET, "/readings", "POST"),
        (Method::PATCH, "/dead-letters", "GET,HEAD,DELETE"),
    ];
    for (method, path, allowed) in cases {
        let answer = api.ask(request(method, path, &[], Body::empty())).await;
        assert_eq!(answer.header(header::ALLOW), allowed, "{path}");
    }
}

#[tokio::test]
async fn a_fault_behind_any_port_is_a_problem_that_tells_nothing_of_the_inside() {
    let faults = [
        (Fault::Fails(Kind::Retry), (503, "unavailable")),
        (Fault::Fails(Kind::Conflict), (503, "unavailable")),
        (Fault::Fails(Kind::Reject), (422, "refused")),
        (Fault::Fails(Kind::Broken), (500, "internal")),
        (Fault::Panics, (500, "internal")),
        (Fault::Hangs, (504, "timeout")),
    ];
    let asked = [
        (Method::GET, "/summary"),
        (Method::GET, "/records/home-01"),
        (Method::GET, "/anomalies/a%2Fb"),
        (Method::GET, "/alerts"),
        (Method::POST, "/readings"),
        (Method::GET, "/dead-letters"),
        (Method::DELETE, "/dead-letters"),
        (Method::POST, "/dead-letters/redrive"),
        (Method::GET, "/dead-letters/shardId-000000000000:1:0"),
        (Method::DELETE, "/dead-letters/shardId-000000000000:1:0"),
        (Method::POST, "/dead-letters/shardId-000000000000:1:0/redrive"),
    ];
    let api = Api::with_timeout(Duration::from_millis(20));
    for (fault, expected) in faults {
        api.memory.set_fault(fault);
        for (method, path) in asked.clone() {
            let body = if path == "/readings" { Body::from("1") } else { Body::empty() };
            let answer = api.ask(request(method.clone(), path, &[], body)).await;
            assert_is_problem(&answer, expected, &(fault, &method, path));
            let is_worth_a_retry = answer.status.as_u16() > 500;
            assert_eq!(
                answer.headers.contains_key(header::RETRY_AFTER),
                is_worth_a_retry,
                "{fault:?} {path}"
            );
        }
    }
}

#[tokio::test]
async fn readiness_says_which_check_fails() {
    let api = Api::new();
    let ready = api.get("/readyz").await.ok();
    assert_eq!((&ready["status"], &ready["checks"][1]["ok"]), (&"ready".into(), &true.into()));
    *api.is_ready.lock().unwrap() = false;
    let answer = api.get("/readyz").await;
    assert_is_problem(&answer, (503, "not-ready"), &"/readyz");
    assert_eq!(answer.json()["checks"][1]["ok"], false);
    assert_eq!(answer.json()["detail"], "stream: 90 s behind; at most 30 s");
    assert_eq!(api.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_error_quotes_no_more_than_the_beginning_of_what_was_sent_and_nothing_that_a_terminal_obeys() {
    let api = Api::new();
    let long = "%1B%5B31m".to_owned() + &"x".repeat(5_000);
    for path in [format!("/records/a?start={long}"), format!("/records/{long}"), format!("/summary?{long}=1")]
    {
        let answer = api.get(&path).await;
        answer.problem();
        assert!(answer.body.len() < 2_000 && !answer.body.contains(&0x1b), "{}", answer.text());
    }
}

/// Characters that mean something in a query string, and some that do not.
fn query() -> impl Strategy<Value = String> {
    let name =
        prop::sample::select(vec!["start", "end", "start_date", "limit", "cursor", "until", "%", "", "x"]);
    let value = prop_oneof![
        "now-[0-9]{0,12}[smhdwx]?",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]{0,12}(Z|\\+01:00|%2B01:00)?)?",
        "-?[0-9]{0,22}",
        "[A-Za-z0-9_-]{0,40}",
        "(%[0-9a-f]{2}|[!$&'()*+,;=:@/?]){0,12}",
    ];
    prop::collection::vec((name, value), 0..4).prop_map(|pairs| {
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    })
}

proptest! {
    #[test]
    fn no_address_breaks_the_api(
        path in prop::sample::select(vec!["/records/home-01", "/anomalies/home-01", "/records/x", "/alerts", "/dead-letters"]),
        query in query(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(async {
            let api = Api::with(&[("home-01", "2025-06-20T00:00:00Z", "2", "1")]).await;
            api.get(&format!("{path}?{query}")).await
        });
        prop_assert!(!answer.status.is_server_error(), "{} {:?}", answer.status, answer.body);
        if !answer.status.is_success() {
            answer.problem();
        }
    }

    #[test]
    fn no_body_breaks_the_api(
        body in prop::collection::vec(any::<u8>(), 0..200),
        content_type in prop::sample::select(vec!["application/json", "application/x-ndjson", "text/plain"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let headers = [("content-type", content_type)];
        let answer = runtime.block_on(async {
            Api::new().ask(request(Method::POST, "/readings", &headers, Body::from(body))).await
        });
        prop_assert!(matches!(answer.status, StatusCode::ACCEPTED | StatusCode::BAD_REQUEST), "{}", answer.status);
    }
}
