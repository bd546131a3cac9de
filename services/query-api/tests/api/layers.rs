//! What holds for every route: problems, request ids, headers, limits, faults of the ports.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use wattstream_telemetry::PrometheusExporter;

use crate::harness::{Answer, Api, line, request};

async fn get(api: &Api, path: &str, headers: &[(&str, &str)]) -> Answer {
    api.ask(request(Method::GET, path, headers, Body::empty())).await
}

#[tokio::test]
async fn a_request_keeps_a_good_id_and_loses_a_bad_one() {
    let api = Api::new();
    assert_eq!(
        get(&api, "/healthz", &[("x-request-id", "my_Request-1.a")]).await.header("x-request-id"),
        "my_Request-1.a"
    );
    let long = "x".repeat(65);
    for bad in ["", "a b", "a:b", "<script>", &long] {
        let id = get(&api, "/healthz", &[("x-request-id", bad)]).await;
        let id = id.header("x-request-id");
        assert!(id.len() == 36 && id != bad, "{bad}: {id}");
    }
}

#[tokio::test]
async fn two_requests_have_two_ids() {
    let api = Api::new();
    let (one, other) = (api.get("/healthz").await, api.get("/healthz").await);
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let api = Api::new();
    for path in ["/", "/docs/", "/summary", "/healthz", "/nowhere"] {
        let answer = api.get(path).await;
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer", "{path}");
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-cache", "{path}");
        assert!(answer.header(header::CONTENT_SECURITY_POLICY).contains("frame-ancestors 'none'"), "{path}");
        assert!(!answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "{path}");
    }
}

#[tokio::test]
async fn an_answer_is_compressed_for_who_can_read_it() {
    let api = Api::new();
    let packed = get(&api, "/summary", &[("accept-encoding", "gzip")]).await;
    assert_eq!((packed.status, packed.header(header::CONTENT_ENCODING)), (StatusCode::OK, "gzip"));
    assert_eq!(packed.header(header::CONTENT_TYPE), "application/json");
    assert_eq!(api.get("/summary").await.header(header::CONTENT_ENCODING), "");
}

#[tokio::test]
async fn who_has_an_answer_is_told_so_until_it_changes() {
    let api = Api::with(&[("home-01", "2025-06-20T00:00:00Z", "2", "1")]).await;
    for path in ["/summary", "/records/home-01", "/sites?format=csv", "/openapi.json", "/"] {
        for encoding in ["identity", "gzip"] {
            let first = get(&api, path, &[("accept-encoding", encoding)]).await;
            let tag = first.header(header::ETAG).to_owned();
            assert_eq!(
                tag.ends_with("-gzip\""),
                first.header(header::CONTENT_ENCODING) == "gzip",
                "{path} {tag}"
            );
            assert!(tag.starts_with('"') && tag.len() > 30, "{path} {tag}");
            let weak = format!("\"other\", W/{tag}");
            for known in [&*tag, &weak, "*"] {
                let again = get(&api, path, &[("accept-encoding", encoding), ("if-none-match", known)]).await;
                assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path} {known}");
                assert_eq!(again.header(header::CACHE_CONTROL), "no-cache", "{path}");
                assert!(known == "*" || again.header(header::ETAG) == tag, "{path}");
                assert_eq!(again.header(header::CONTENT_TYPE), "", "{path}");
            }
            let other =
                get(&api, path, &[("accept-encoding", encoding), ("if-none-match", "\"other\"")]).await;
            assert_eq!((other.status, &other.body), (StatusCode::OK, &first.body), "{path}");
        }
    }
    let before = api.get("/summary").await.header(header::ETAG).to_owned();
    api.post("/readings", line("home-01", "2025-06-19T00:00:00Z", "2", "1")).await.ok();
    let after = get(&api, "/summary", &[("if-none-match", &before)]).await;
    assert_eq!(after.status, StatusCode::OK, "a late reading changes what was over");
    assert_ne!(after.header(header::ETAG), before);
    assert_eq!(api.get("/nowhere").await.header(header::ETAG), "", "an error has no tag");
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let answer = Api::new().ask(request(Method::HEAD, "/summary", &[], Body::empty())).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn a_page_of_the_same_origin_may_post() {
    let api = Api::new();
    let reading = line("home-01", "2025-06-20T00:00:00Z", "2", "1");
    for headers in [
        &[("sec-fetch-site", "same-origin")] as &[_],
        &[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")],
        &[],
    ] {
        let answer = api.ask(request(Method::POST, "/readings", headers, Body::from(reading.clone()))).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{headers:?}");
    }
}

#[test]
fn requests_are_counted_by_the_template_of_their_route() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ((), exporter) = PrometheusExporter::scoped(|| {
        runtime.block_on(async {
            let api = Api::with(&[("home-01", "2025-06-20T00:00:00Z", "2", "1")]).await;
            for path in ["/records/home-01", "/records/home-02", "/nowhere", "/elsewhere"] {
                api.get(path).await;
            }
        });
    });
    let page = exporter.render();
    for expected in [
        r#"wattstream_http_requests_total{method="GET",route="/records/{site_id}",status="200"} 1"#,
        r#"wattstream_http_requests_total{method="GET",route="/records/{site_id}",status="404"} 1"#,
        r#"wattstream_http_requests_total{method="GET",route="unmatched",status="404"} 2"#,
        r#"wattstream_http_requests_total{method="POST",route="/readings",status="202"} 1"#,
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    assert!(!page.contains("home-0"), "{page}");
}

#[tokio::test]
async fn a_head_has_the_headers_of_the_get_and_no_body() {
    let api = Api::with(&[("home-01", "2025-06-20T00:00:00Z", "2", "1")]).await;
    for path in ["/summary", "/records/home-01?format=csv", "/openapi.json", "/", "/live"] {
        for encoding in ["identity", "gzip"] {
            let headers: &[(&str, &str)] = &[("accept-encoding", encoding)];
            let (get, head) = (get(&api, path, headers).await, head(&api, path, headers).await);
            assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0), "{path}");
            for name in [header::ETAG, header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CACHE_CONTROL]
            {
                assert_eq!(head.header(&name), get.header(&name), "{path} {name}");
            }
            assert!(!head.header(header::ETAG).is_empty(), "{path}");
            if encoding == "identity" {
                assert_eq!(head.header(header::CONTENT_LENGTH), get.body.len().to_string(), "{path}");
            }
            let tag = head.header(header::ETAG).to_owned();
            let again = self::head(&api, path, &[("if-none-match", &tag)]).await;
            assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
        }
    }
    assert_eq!(head(&api, "/records/other", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(head(&api, "/readings", &[]).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

async fn head(api: &Api, path: &str, headers: &[(&str, &str)]) -> Answer {
    api.ask(request(Method::HEAD, path, headers, Body::empty())).await
}
