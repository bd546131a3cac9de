//! `GET /`: the dashboard. What must always hold: it comes out of this binary whole and asks no other host for anything; cargo needs
//! no Node.js, because the bundle in `web/dist` is committed (`cargo xtask test dashboard` builds it again and compares); the
//! policy lets no script and no style in that is not in the bundle.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::routing::get;
use tower_http::set_header::SetResponseHeaderLayer;

const HTML: &str = include_str!("../../web/dist/index.html");
const STYLE: &str = include_str!("../../web/dist/page.css");
const SCRIPT: &str = include_str!("../../web/dist/page.js");
const ICON: &str = include_str!("../../web/dist/icon.svg");

const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

/// Every address of the page and its parts. None of them holds data.
pub(crate) const PATHS: &[&str] = &["/", "/page.css", "/page.js", "/icon.svg"];

pub(crate) fn routes() -> Router {
    let policy = SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    Router::new()
        .route("/", get(async || ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], HTML)))
        .route("/page.css", get(async || ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)))
        .route("/page.js", get(async || ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT)))
        .route("/icon.svg", get(async || ([(header::CONTENT_TYPE, "image/svg+xml")], ICON)))
        .layer(policy)
}
