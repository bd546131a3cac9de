//! The page and the API's own documentation, with no other host involved.

use axum::http::{StatusCode, header};

use crate::harness::Api;

#[tokio::test]
async fn the_page_and_its_parts_come_out_of_the_binary() {
    let api = Api::new();
    let cases = [
        ("/", "text/html; charset=utf-8"),
        ("/page.css", "text/css; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ];
    for (path, content_type) in cases {
        let answer = api.get(path).await;
        assert_eq!(
            (answer.status, answer.header(header::CONTENT_TYPE)),
            (StatusCode::OK, content_type),
            "{path}"
        );
        assert!(!answer.body.is_empty(), "{path}");
        let other_hosts = answer.text().replace("http://www.w3.org/2000/svg", "");
        assert!(!other_hosts.contains("://") && !other_hosts.contains("\"//"), "{path} names another host");
    }
}

#[tokio::test]
async fn the_page_may_run_its_own_script_and_no_other() {
    let answer = Api::new().get("/").await;
    let policy = answer.header(header::CONTENT_SECURITY_POLICY);
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    let page = answer.text();
    assert!(
        !page.contains("<style") && !page.contains("style=") && !page.contains("onclick"),
        "the policy blocks it"
    );
}

#[tokio::test]
async fn the_docs_are_at_both_addresses_and_need_no_other_host() {
    let api = Api::new();
    let redirect = api.get("/docs").await;
    assert_eq!((redirect.status, redirect.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/docs/"));
    let page = api.get("/docs/").await;
    assert!(page.status.is_success() && page.text().contains("swagger-ui"));
    assert!(!page.text().contains("://"), "{}", page.text());
    for file in ["swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "swagger-ui.css", "index.css"] {
        assert!(page.text().contains(file), "{file}");
        assert_eq!(api.get(&format!("/docs/{file}")).await.status, StatusCode::OK, "{file}");
    }
    let setup = api.get("/docs/swagger-initializer.js").await;
    assert!(setup.text().contains("/openapi.json") && !setup.text().contains("petstore"), "{}", setup.text());
}

#[tokio::test]
async fn metrics_are_text_that_prometheus_reads() {
    let answer = Api::new().get("/metrics?name[]=a").await;
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(answer.text(), "# TYPE a counter\na 1\n");
}

#[tokio::test]
async fn health_asks_nothing_but_the_process() {
    let api = Api::new();
    api.memory.set_fault(crate::memory::Fault::Panics);
    assert_eq!(api.get("/healthz").await.ok()["status"], "ok");
}

#[tokio::test]
async fn the_page_can_ask_for_a_token_and_keeps_it_out_of_what_outlives_its_tab() {
    let api = Api::new();
    let (page, script) = (api.get("/").await, api.get("/page.js").await);
    assert!(page.text().contains(r#"type="password" autocomplete="off""#), "{}", page.text());
    assert!(script.text().contains("sessionStorage.setItem(TOKEN_KEY"), "{}", script.text());
    assert!(!script.text().contains("localStorage.setItem(TOKEN_KEY") && !script.text().contains("cookie"));
}
