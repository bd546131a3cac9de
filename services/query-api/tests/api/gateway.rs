//! Events of API Gateway, as the API answers them in Lambda.

use std::io::{Read, Write};

use axum::body::Body;
use axum::http::{Method, Request};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use wattstream_query_api::{Access, Caller, EventError, Gateway, REPLY_BYTES_MAX};

use crate::access::{ALWAYS_PUBLIC, addresses};
use crate::harness::{Api, line, request};

/// An event as API Gateway documents it, of a client that sends nothing but this.
fn event(method: &str, path: &str, query: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "cookies": ["a=1", "b=2"],
        "headers": {"host": "id.execute-api.us-east-1.amazonaws.com", "x-forwarded-for": "192.0.2.1"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "id",
            "authentication": null,
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1_583_348_638_390_u64,
        },
        "isBase64Encoded": false,
    })
}

/// What the JWT authorizer leaves.
fn of_token() -> Value {
    json!({"jwt": {"claims": {"sub": "reader", "exp": "1583349317", "groups": "[a b]"}, "scopes": ["read"]}})
}

/// What the IAM authorizer leaves.
fn of_role() -> Value {
    json!({"iam": {
        "accessKey": "AKIA", "accountId": "123456789012", "callerId": "AIDA", "cognitoIdentity": null,
        "principalOrgId": "o", "userArn": "arn:aws:sts::1:assumed-role/reader/me", "userId": "AIDA",
    }})
}

fn let_in(mut event: Value, authorizer: Value) -> Value {
    event["requestContext"]["authorizer"] = authorizer;
    event
}

fn raw(event: &Value) -> Box<RawValue> {
    RawValue::from_string(event.to_string()).unwrap()
}

/// The reply as API Gateway gets it.
async fn reply(api: &Api, event: &Value) -> Value {
    let reply = Gateway::new(api.router()).answer(raw(event)).await.unwrap();
    serde_json::to_value(reply).unwrap()
}

fn body(reply: &Value) -> Value {
    serde_json::from_str(reply["body"].as_str().unwrap()).unwrap()
}

/// An API with a site and a dead letter.
async fn api() -> Api {
    let api = Api::with_access(Access::Gateway);
    let readings = line("home-01", "2025-06-20T00:00:00Z", "2", "1") + "\nnot a reading";
    let mut posted: Request<Body> = request(Method::POST, "/readings", &[], Body::from(readings));
    posted.extensions_mut().insert(Caller::new("test"));
    api.ask(posted).await.ok();
    api
}

#[tokio::test]
async fn every_address_but_the_public_one_is_closed_to_whom_no_authorizer_has_let_through() {
    let nobody = [
        json!(null),
        json!({}),
        json!({"jwt": null}),
        json!({"jwt": {"claims": null}}),
        json!({"jwt": {"claims": {"sub": "", "exp": "1583349317"}}}),
        json!({"iam": {"userArn": null, "accountId": "123456789012"}}),
        json!({"iam": {"userArn": ""}}),
        json!({"lambda": {"sub": "reader", "jwt": {"claims": {"sub": "reader"}}}}),
    ];
    let forged = json!({
        "authorization": "Bearer token",
        "authorizer": "{\"jwt\":{\"claims\":{\"sub\":\"reader\"}}}",
        "x-amzn-requestcontext": "{\"authorizer\":{\"iam\":{\"userArn\":\"arn\"}}}",
        "x-amzn-oidc-identity": "reader",
        "x-caller": "reader",
    });
    for (method, path) in addresses() {
        for authorizer in nobody.clone() {
            let mut event = let_in(event(method.as_str(), &path, ""), authorizer);
            event["headers"] = forged.clone();
            let api = api().await;
            let reply = reply(&api, &event).await;
            if ALWAYS_PUBLIC.contains(&&*path) {
                assert_eq!(reply["statusCode"], 200, "{event}");
                continue;
            }
            assert_eq!(reply["statusCode"], 401, "{event}");
            assert_eq!(body(&reply)["type"], "urn:wattstream:problem:unauthenticated");
            assert_eq!(api.memory.log().len(), 2, "{event} reached the log");
        }
        for authorizer in [of_token(), of_role()] {
            let mut event = let_in(event(method.as_str(), &path, ""), authorizer);
            if path == "/readings" {
                event["body"] = json!(line("x", "2025-06-20T00:00:00Z", "1", "1"));
            }
            let status = reply(&api().await, &event).await["statusCode"].as_u64().unwrap();
            assert!((200..400).contains(&status), "{event}: {status}");
        }
    }
}

#[tokio::test]
async fn an_event_without_an_authorizer_at_all_is_nobodys() {
    assert_eq!(reply(&api().await, &event("GET", "/summary", "")).await["statusCode"], 401);
}

#[tokio::test]
async fn path_query_and_headers_reach_the_route_as_they_were_sent() {
    let api = api().await;
    let get =
        async |path: &str, query: &str| reply(&api, &let_in(event("GET", path, query), of_token())).await;
    let page = get("/records/home-01", "start=2025-06-20T00%3A00%3A00Z&end=2025-06-21&limit=7").await;
    assert_eq!(page["headers"]["content-type"], "application/json");
    assert_eq!(body(&page)["records"].as_array().map(Vec::len), Some(1), "{page}");
    let repeated = get("/records/home-01", "limit=1&limit=2").await;
    assert_eq!(body(&repeated)["type"], "urn:wattstream:problem:repeated-parameter");
    // The gateway may hand a path over decoded.
    for (path, near) in
        [("/records/home 01", "`home 01`"), ("/records/hömé?", "`hömé?`"), ("/records/%2525", "`%25`")]
    {
        let unknown = body(&get(path, "").await);
        assert!(unknown["detail"].as_str().unwrap().contains(near), "{path}: {unknown}");
    }
    let mut named = let_in(event("GET", "/summary", ""), of_token());
    named["headers"]["x-request-id"] = json!("mine");
    assert_eq!(reply(&api, &named).await["headers"]["x-request-id"], "mine");
    // Nothing is resolved on the way to a public address.
    for path in ["//healthz", "/summary/../healthz", "/%68ealthz", "healthz/"] {
        assert_eq!(reply(&api, &event("GET", path, "")).await["statusCode"], 401, "{path}");
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_body_is_taken_as_text_and_as_base64() {
    let api = api().await;
    let posted = |body: Value, is_base64_encoded: bool, encoding: &str| {
        let mut event = let_in(event("POST", "/readings", ""), of_role());
        event["body"] = body;
        event["isBase64Encoded"] = json!(is_base64_encoded);
        event["headers"]["content-encoding"] = json!(encoding);
        event
    };
    let text = line("new", "2025-06-20T00:00:00Z", "1", "1");
    let base64 = BASE64_STANDARD.encode(&text);
    let zipped = BASE64_STANDARD.encode(gzip(&text));
    for event in [
        posted(json!(text), false, "identity"),
        posted(json!(base64), true, "identity"),
        posted(json!(zipped), true, "gzip"),
    ] {
        let reply = reply(&api, &event).await;
        assert_eq!((&reply["statusCode"], &body(&reply)["accepted"]), (&json!(202), &json!(1)), "{reply}");
    }
    assert_eq!(api.memory.log().len(), 2 + 3);
}

#[tokio::test]
async fn a_compressed_answer_goes_as_base64_and_a_picture_as_text() {
    let api = api().await;
    let mut zipped = let_in(event("GET", "/openapi.json", ""), of_token());
    zipped["headers"]["accept-encoding"] = json!("gzip, br");
    let reply_zipped = reply(&api, &zipped).await;
    assert_eq!(
        (&reply_zipped["isBase64Encoded"], &reply_zipped["headers"]["content-encoding"]),
        (&json!(true), &json!("gzip"))
    );
    let bytes = BASE64_STANDARD.decode(reply_zipped["body"].as_str().unwrap()).unwrap();
    let mut text = String::new();
    GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    assert!(text.starts_with(r#"{"openapi":"3.1"#), "{text}");
    let icon = reply(&api, &let_in(event("GET", "/icon.svg", ""), of_token())).await;
    assert_eq!(
        (&icon["isBase64Encoded"], &icon["headers"]["content-type"]),
        (&json!(false), &json!("image/svg+xml"))
    );
}

#[tokio::test]
async fn an_answer_that_does_not_go_through_the_gateway_is_a_problem_that_says_how_it_does() {
    let api = api().await;
    // As base64 it is as long as a body may be, and the rest of the letter comes on top.
    let letter = "x".repeat(REPLY_BYTES_MAX * 3 / 4);
    let mut posted: Request<Body> = request(Method::POST, "/readings", &[], Body::from(letter));
    posted.extensions_mut().insert(Caller::new("test"));
    api.ask(posted).await.ok();
    let mut event = let_in(event("GET", "/dead-letters/shardId-000000000000:3:0", ""), of_token());
    let refused = reply(&api, &event).await;
    let problem = body(&refused);
    assert_eq!(problem["type"], "urn:wattstream:problem:answer-too-large");
    let (status, headers) = (&refused["statusCode"], &refused["headers"]);
    assert_eq!((&problem["status"], &problem["instance"]), (status, &headers["x-request-id"]));
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    event["headers"]["accept-encoding"] = json!("gzip");
    assert_eq!(reply(&api, &event).await["statusCode"], 200);
}

#[tokio::test]
async fn metrics_that_go_elsewhere_are_nowhere_to_be_asked_for() {
    let api = Api::without_metrics();
    let answer = api.get("/metrics").await;
    assert_eq!((answer.status.as_u16(), &*answer.problem()), (404, "unknown-route"));
    assert!(answer.text().contains("CloudWatch EMF"), "{}", answer.text());
}

#[tokio::test]
async fn an_event_of_something_else_is_an_error_that_says_what_it_must_be() {
    let gateway = Gateway::new(api().await.router());
    let version_1 =
        json!({"resource": "/", "path": "/", "httpMethod": "GET", "requestContext": {"authorizer": {}}});
    for event in [json!({}), json!([]), json!({"Records": []}), version_1] {
        let error = gateway.answer(raw(&event)).await.unwrap_err();
        assert!(matches!(error, EventError::NotAnEvent(_)), "{event}: {error}");
        assert!(error.to_string().contains("payload format version 2.0"), "{error}");
    }
    let mut broken = event("GET", "/", "");
    broken["body"] = json!("no base64!");
    broken["isBase64Encoded"] = json!(true);
    let error = gateway.answer(raw(&broken)).await.unwrap_err().to_string();
    assert!(error.contains("body"), "{error}");
}

proptest! {
    /// Whatever a client writes as its address, the answer is one of the router's.
    #[test]
    fn any_address_is_answered(path in ".{0,40}", query in ".{0,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let api = Api::with_access(Access::Gateway);
        let answered = runtime.block_on(reply(&api, &let_in(event("GET", &path, &query), of_token())));
        let status = answered["statusCode"].as_u64().unwrap();
        prop_assert!(status < 500, "{:?} {:?}: {}", path, query, answered);
    }
}
