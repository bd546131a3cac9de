//! How many requests a client may send, and what it is told of that.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, StatusCode, header};
use wattstream_query_api::{Access, AppState};

use crate::access::{BEARER, tokens};
use crate::harness::{Answer, Api, request};

/// One request a second, and so two at once: a test is over before there is a third.
fn api(access: Access) -> Api {
    Api::built(|state| AppState { access, rate_limit: Some("1/s".parse().unwrap()), ..state })
}

async fn ask_from(api: &Api, peer: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = request(Method::GET, path, headers, Body::empty());
    request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
    api.ask(request).await
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again() {
    let api = api(Access::Open);
    for left in ["1", "0"] {
        let answer = ask_from(&api, "192.0.2.1:1000", "/summary", &[]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("ratelimit-policy"), "\"requests\";q=2;w=2");
        assert_eq!(answer.header("ratelimit"), format!("\"requests\";r={left}"));
    }
    let refused = ask_from(&api, "192.0.2.1:2000", "/sites", &[]).await;
    assert_eq!((refused.status, &*refused.problem()), (StatusCode::TOO_MANY_REQUESTS, "too-many-requests"));
    assert_eq!(refused.header(header::RETRY_AFTER), "1");
    assert_eq!(refused.header("ratelimit"), "\"requests\";r=0;t=1");
    assert!(!refused.header("x-request-id").is_empty());
}

#[tokio::test]
async fn another_address_is_another_client() {
    let api = api(Access::Open);
    for peer in ["192.0.2.1:1", "192.0.2.2:1", "[2001:db8::1]:1", "[2001:db8:0:1::1]:1"] {
        for status in [StatusCode::OK, StatusCode::OK, StatusCode::TOO_MANY_REQUESTS] {
            assert_eq!(ask_from(&api, peer, "/summary", &[]).await.status, status, "{peer}");
        }
    }
    let neighbour = ask_from(&api, "[2001:db8::ffff:2]:1", "/summary", &[]).await;
    assert_eq!(neighbour.status, StatusCode::TOO_MANY_REQUESTS, "of one line");
}

#[tokio::test]
async fn a_token_is_one_client_wherever_it_comes_from_and_a_wrong_one_is_none() {
    let api = api(tokens());
    let token: &[(&str, &str)] = &[("authorization", BEARER)];
    for (peer, status) in [
        ("192.0.2.1:1", StatusCode::OK),
        ("192.0.2.2:1", StatusCode::OK),
        ("192.0.2.3:1", StatusCode::TOO_MANY_REQUESTS),
    ] {
        assert_eq!(ask_from(&api, peer, "/summary", token).await.status, status, "{peer}");
    }
    for (guess, status) in [
        ("a", StatusCode::UNAUTHORIZED),
        ("b", StatusCode::UNAUTHORIZED),
        ("c", StatusCode::TOO_MANY_REQUESTS),
    ] {
        let wrong = format!("Bearer {guess}");
        let refused = ask_from(&api, "192.0.2.1:1", "/summary", &[("authorization", &wrong)]).await;
        assert_eq!(refused.status, status, "who guesses is counted by the address");
    }
}

#[tokio::test]
async fn whether_the_process_runs_can_always_be_asked() {
    let api = api(Access::Open);
    for _ in 0..10 {
        let answer = ask_from(&api, "192.0.2.1:1", "/healthz", &[]).await;
        assert_eq!((answer.status, answer.header("ratelimit")), (StatusCode::OK, ""));
    }
    assert_eq!(ask_from(&api, "192.0.2.1:1", "/summary", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_limit_nobody_is_counted() {
    let api = Api::new();
    let answer = ask_from(&api, "192.0.2.1:1", "/summary", &[]).await;
    assert_eq!((answer.header("ratelimit"), answer.header("ratelimit-policy")), ("", ""));
}
