//! What happens to every request, whatever it asks. What must always hold: the order of the layers, outermost first:
//!
//! 1. a request has an id, its client's or a new one;
//! 2. it is counted and timed, with the answer that the client really gets;
//! 3. a HEAD is answered as a GET, without the body;
//! 4. its answer may be compressed, and has the security headers;
//! 5. a page of another origin is told whether it may ask and read;
//! 6. who has the answer already is told so, before it is compressed;
//! 7. an error is written as a problem;
//! 8. a panic becomes an error;
//! 9. who asks too often comes no further;
//! 10. nor who may not ask;
//! 11. a timeout, or a page of another origin that would change something, becomes an error.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_request, map_response};
use axum::response::Response;
use tower::ServiceBuilder;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tracing::field::Empty;
use tracing::{Instrument, info_span};
use wattstream_telemetry::event::HttpRequestServed;

use crate::access::{self, Access};
use crate::cross_origin::{self, Origin};
use crate::etag;
use crate::problem::{self, Problem};
use crate::rate_limit::{self, Counter, RateLimit};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest request id that is taken from a client.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// Headers of every answer that does not set its own. An answer is data, not a page: nothing in it may be run or framed.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
    ),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
];

/// What differs between one router and another.
pub(crate) struct Guards {
    /// Who may ask.
    pub(crate) access: Arc<Access>,
    /// How long an answer may take.
    pub(crate) request_timeout: Duration,
    /// How many requests a client may send.
    pub(crate) rate_limit: Option<RateLimit>,
    /// The origins whose pages may read.
    pub(crate) origins: Vec<Origin>,
}

/// `routes` within all layers.
pub(crate) fn around(routes: Router, guards: Guards) -> Router {
    let Guards { access, request_timeout, rate_limit, origins } = guards;
    let counter = rate_limit.map(|limit| Arc::new(Counter::new(limit, Arc::clone(&access))));
    // One stack: each call of `Router::layer` would put another box around every route, to be cloned for every request.
    routes.layer(
        ServiceBuilder::new()
            .layer(map_request(drop_unsafe_request_id))
            .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
            .layer(PropagateRequestIdLayer::new(REQUEST_ID))
            .layer(from_fn(observe))
            .layer(from_fn(head_as_get))
            .layer(map_response(etag::tag_encoding))
            .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
            .layer(map_response(add_headers))
            .option_layer(cross_origin::layer(&origins))
            .layer(from_fn(etag::tag))
            .layer(from_fn(problem::render))
            .layer(CatchPanicLayer::custom(Problem::of_panic))
            .option_layer(counter.map(|counter| from_fn_with_state(counter, rate_limit::limit)))
            .layer(from_fn_with_state(access, access::guard))
            .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, request_timeout))
            .layer(CsrfLayer::new()),
    )
}

async fn add_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// A client may name its request, with letters, digits and `_ . -`; any other name is replaced, because it goes into the
/// log and into the answer.
async fn drop_unsafe_request_id(mut request: Request) -> Request {
    let is_safe = |id: &HeaderValue| {
        (1..=REQUEST_ID_BYTES_MAX).contains(&id.len())
            && id.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte))
    };
    if !request.headers().get(REQUEST_ID).is_some_and(is_safe) {
        request.headers_mut().remove(REQUEST_ID);
    }
    request
}

/// Answers a HEAD with the headers of the GET. Handlers would leave the body out before it is tagged.
async fn head_as_get(mut request: Request, next: Next) -> Response {
    if request.method() != Method::HEAD {
        return next.run(request).await;
    }
    *request.method_mut() = Method::GET;
    let (mut parts, body) = next.run(request).await.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.insert(header::CONTENT_LENGTH, length.into());
    }
    Response::from_parts(parts, Body::empty())
}

async fn observe(route: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    let span = info_span!("request", %method, request_id = id, caller = Empty);
    let response = next.run(request).instrument(span.clone()).await;
    let served = HttpRequestServed {
        method: method.as_str(),
        route: route.as_ref().map(MatchedPath::as_str),
        status: response.status().as_u16(),
        duration: started.elapsed(),
    };
    span.in_scope(|| served.emit());
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tower::ServiceExt;

    /// A route that somebody adds, and that no list names.
    const NEW: &str = "/new/{id}";

    async fn status_of(path: &str, access: Access) -> StatusCode {
        let routes = Router::new().route(NEW, get(async || "data")).fallback(async || "data");
        let guards = Guards {
            access: Arc::new(access),
            request_timeout: Duration::from_secs(1),
            rate_limit: None,
            origins: Vec::new(),
        };
        let guarded = around(routes, guards);
        guarded.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap().status()
    }

    #[tokio::test]
    async fn a_route_that_nobody_has_named_is_closed() {
        for path in ["/new/1", "/any/other"] {
            assert_eq!(status_of(path, Access::Gateway).await, StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(status_of(path, Access::Open).await, StatusCode::OK, "{path}");
        }
    }
}
