//! The page and the API's own documentation, with no other host involved.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};

use crate::harness::{Api, request};

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
        assert_eq!(hosts_in(answer.text()), Vec::<&str>::new(), "{path} names another host");
    }
}

/// The addresses in a text that something could be asked of. The namespaces of XML are names, and ECharts writes its own paths and
/// images with a scheme that no browser knows.
fn hosts_in(text: &str) -> Vec<&str> {
    const NAMES: [&str; 5] = [
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xhtml",
        "http://www.w3.org/1998/Math",
        "path://",
        "image://",
    ];
    let is_name = |at: usize| {
        NAMES.iter().any(|name| {
            let colon = name.find("://").expect("a name has a scheme");
            at.checked_sub(colon).is_some_and(|start| text[start..].starts_with(name))
        })
    };
    let addresses = text.match_indices("://").filter(|(at, _)| !is_name(*at));
    let slashes = text.match_indices("\"//").map(|(at, _)| at);
    addresses.map(|(at, _)| at).chain(slashes).map(|at| &text[at..text.ceil_char_boundary(at + 30)]).collect()
}

#[tokio::test]
async fn the_page_is_not_sent_again_to_who_has_it() {
    let api = Api::new();
    for path in ["/", "/page.js", "/page.css"] {
        let first = api.get(path).await;
        assert_eq!(first.header(header::CACHE_CONTROL), "no-cache", "{path}");
        let again = api
            .ask(request(Method::GET, path, &[("if-none-match", first.header(header::ETAG))], Body::empty()))
            .await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
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
