//! Pages of other origins: what a browser asks beforehand, and what it lets them read.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use wattstream_query_api::AppState;

use crate::access::{BEARER, tokens};
use crate::harness::{Answer, Api, request};

const ALLOWED: &str = "https://energy.example.com";
const OTHER: &str = "http://localhost:3000";

fn api(origins: &[&str]) -> Api {
    let origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
    Api::built(|state| AppState { access: tokens(), origins, ..state })
}

async fn ask(api: &Api, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    api.ask(request(method, path, headers, Body::empty())).await
}

/// What a browser asks before it sends a GET with a token.
async fn preflight(api: &Api, origin: &str, method: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", "authorization,if-none-match,last-event-id"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "cross-site"),
    ];
    ask(api, Method::OPTIONS, "/records/home-01", &headers).await
}

fn get_as(origin: &str) -> [(&str, &str); 4] {
    [
        ("origin", origin),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "cross-site"),
        ("authorization", BEARER),
    ]
}

#[tokio::test]
async fn a_page_of_a_named_origin_may_ask_and_read_with_a_token() {
    let api = api(&[ALLOWED, OTHER]);
    for origin in [ALLOWED, OTHER] {
        let asked = preflight(&api, origin, "GET").await;
        assert_eq!(asked.status, StatusCode::OK, "without a token, which a browser does not send here");
        assert_eq!(asked.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), origin);
        assert_eq!(asked.header(header::ACCESS_CONTROL_ALLOW_METHODS), "GET,HEAD");
        let allowed = asked.header(header::ACCESS_CONTROL_ALLOW_HEADERS).to_ascii_lowercase();
        for name in ["authorization", "if-none-match", "last-event-id"] {
            assert!(allowed.split(',').any(|allowed| allowed == name), "{name}: {allowed}");
        }
        for path in ["/summary", "/live", "/sites?format=csv"] {
            let read = ask(&api, Method::GET, path, &get_as(origin)).await;
            assert_eq!(read.status, StatusCode::OK, "{path}");
            assert_eq!(read.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), origin, "{path}");
            let exposed = read.header(header::ACCESS_CONTROL_EXPOSE_HEADERS);
            assert!(exposed.contains("etag") && exposed.contains("link"), "{path}: {exposed}");
            let vary: Vec<&str> =
                read.headers.get_all(header::VARY).iter().map(|vary| vary.to_str().unwrap()).collect();
            assert!(vary.join(",").contains("origin"), "{path}: {vary:?}");
        }
    }
}

#[tokio::test]
async fn a_page_is_told_what_is_wrong_with_its_question() {
    let refused = ask(&api(&[ALLOWED]), Method::GET, "/summary", &get_as(ALLOWED)[..3]).await;
    assert_eq!((refused.status, &*refused.problem()), (StatusCode::UNAUTHORIZED, "unauthenticated"));
    assert_eq!(refused.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), ALLOWED);
}

#[tokio::test]
async fn a_page_of_any_other_origin_reads_nothing() {
    let named = api(&[ALLOWED]);
    for origin in [
        OTHER,
        "null",
        "https://energy.example.com.evil.example",
        "http://energy.example.com",
        "https://energy.example.com:444",
    ] {
        assert_eq!(
            preflight(&named, origin, "GET").await.header(header::ACCESS_CONTROL_ALLOW_ORIGIN),
            "",
            "{origin}"
        );
        let read = ask(&named, Method::GET, "/summary", &get_as(origin)).await;
        assert_eq!(read.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "", "{origin}");
    }
    let nobody = api(&[]);
    assert_eq!(preflight(&nobody, ALLOWED, "GET").await.status, StatusCode::UNAUTHORIZED);
    let read = ask(&nobody, Method::GET, "/summary", &get_as(ALLOWED)).await;
    assert_eq!(read.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "");
}

#[tokio::test]
async fn a_page_of_a_named_origin_changes_nothing() {
    let api = api(&[ALLOWED]);
    let allowed = preflight(&api, ALLOWED, "POST").await;
    assert!(!allowed.header(header::ACCESS_CONTROL_ALLOW_METHODS).contains("POST"));
    for (method, path) in [(Method::POST, "/readings"), (Method::DELETE, "/dead-letters")] {
        let refused = ask(&api, method, path, &get_as(ALLOWED)).await;
        assert_eq!((refused.status, &*refused.problem()), (StatusCode::FORBIDDEN, "cross-origin"), "{path}");
    }
}
