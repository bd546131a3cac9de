//! What happens to every request, whatever it asks. What must always hold: the order of the layers, outermost first:
//!
//! 1. a request has an id, its client's or a new one;
//! 2. it is counted and timed, with the answer that the client really gets;
//! 3. its answer has the security headers, and may be compressed;
//! 4. who has the answer already is told so, before it is compressed;
//! 5. an error is written as a problem;
//! 6. a panic becomes an error;
//! 7. who may not ask comes no further;
//! 8. a timeout or a page of another origin becomes an error.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_request, map_response};
use axum::response::Response;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::field::Empty;
use tracing::{Instrument, info_span};
use wattstream_telemetry::event::HttpRequestServed;

use crate::access::{self, Access};
use crate::etag;
use crate::problem::{self, Problem};

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
    pub(crate) access: Access,
    /// How long an answer may take.
    pub(crate) request_timeout: Duration,
}

/// `routes` within all layers.
pub(crate) fn around(routes: Router, guards: Guards) -> Router {
    let Guards { access, request_timeout } = guards;
    let guarded = routes
        .layer(CsrfLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, request_timeout))
        .layer(from_fn_with_state(Arc::new(access), access::guard))
        .layer(CatchPanicLayer::custom(Problem::of_panic))
        .layer(from_fn(problem::render))
        .layer(from_fn(etag::tag));
    let with_headers = HEADERS.into_iter().fold(guarded, |routes, (name, value)| {
        routes.layer(SetResponseHeaderLayer::if_not_present(name, value))
    });
    with_headers
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(map_response(etag::tag_encoding))
        .layer(from_fn(observe))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(map_request(drop_unsafe_request_id))
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
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    /// A route that somebody adds, and that no list names.
    const NEW: &str = "/new/{id}";

    async fn status_of(path: &str, access: Access) -> StatusCode {
        let routes = Router::new().route(NEW, get(async || "data")).fallback(async || "data");
        let guarded = around(routes, Guards { access, request_timeout: Duration::from_secs(1) });
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
