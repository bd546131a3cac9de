//! Asking the router, and reading its answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;
use tower::ServiceExt;
use wattstream_domain::{Silence, Timestamp};
use wattstream_query_api::{Access, AppState, Check, REQUEST_TIMEOUT, Readiness, router};
use wattstream_wire::parse_timestamp;

use crate::memory::Memory;

/// The instant at which every test begins.
pub(crate) const NOW: &str = "2025-06-21T00:00:00Z";

/// The answer of a test is far below this.
const ANSWER_BYTES_MAX: usize = 64 << 20;

pub(crate) struct Api {
    pub(crate) memory: Arc<Memory>,
    pub(crate) is_ready: Arc<Mutex<bool>>,
    router: Router,
}

impl Api {
    pub(crate) fn new() -> Self {
        Self::with_timeout(REQUEST_TIMEOUT)
    }

    pub(crate) fn with_timeout(request_timeout: Duration) -> Self {
        Self::guarded(Access::Open, request_timeout)
    }

    pub(crate) fn with_access(access: Access) -> Self {
        Self::guarded(access, REQUEST_TIMEOUT)
    }

    /// An API whose process renders no metrics.
    #[cfg(feature = "lambda")]
    pub(crate) fn without_metrics() -> Self {
        Self::built(|state| AppState { render_metrics: None, ..state })
    }

    fn guarded(access: Access, request_timeout: Duration) -> Self {
        Self::built(|state| AppState { access, request_timeout, ..state })
    }

    /// An API over tables that another process writes.
    #[cfg(feature = "lambda")]
    pub(crate) fn without_feed() -> Self {
        Self::over(Memory::new(at(NOW)).without_feed(), |state| state)
    }

    fn built(change: impl FnOnce(AppState<Memory, Memory>) -> AppState<Memory, Memory>) -> Self {
        Self::over(Memory::new(at(NOW)), change)
    }

    fn over(
        memory: Memory,
        change: impl FnOnce(AppState<Memory, Memory>) -> AppState<Memory, Memory>,
    ) -> Self {
        let memory = Arc::new(memory);
        let is_ready = Arc::new(Mutex::new(true));
        let (clock, probed) = (Arc::clone(&memory), Arc::clone(&is_ready));
        let state = AppState {
            queries: Arc::clone(&memory),
            producer: Arc::clone(&memory),
            clock: Box::new(move || clock.now()),
            render_metrics: Some(Box::new(|| "# TYPE a counter\na 1\n".to_owned())),
            probe: Box::new(move || Box::pin(std::future::ready(readiness(*probed.lock().unwrap())))),
            access: Access::Open,
            request_timeout: REQUEST_TIMEOUT,
        };
        Self { memory, is_ready, router: router(change(state)) }
    }

    /// The router, for who hands requests over in another way.
    #[cfg(feature = "lambda")]
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// An API that has been sent these readings: site, timestamp, generated, consumed.
    pub(crate) async fn with(readings: &[(&str, &str, &str, &str)]) -> Self {
        let api = Self::new();
        let lines: Vec<String> = readings
            .iter()
            .map(|(site, timestamp, generated, consumed)| line(site, timestamp, generated, consumed))
            .collect();
        let receipt = api.post("/readings", lines.join("\n")).await;
        assert_eq!((receipt.status, receipt.json()["rejected"].as_u64()), (StatusCode::ACCEPTED, Some(0)));
        api
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(request(Method::GET, path, &[], Body::empty())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask(request(Method::DELETE, path, &[], Body::empty())).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.ask(request(Method::POST, path, &[], body.into())).await
    }

    /// The response to a request, whose body may not end.
    pub(crate) async fn open(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.open(request).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, ANSWER_BYTES_MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

fn readiness(is_ready: bool) -> Readiness {
    let lag = if is_ready { "0.2 s behind" } else { "90 s behind; at most 30 s" };
    let store = Check { name: "store", is_ok: true, detail: "answers".to_owned() };
    Readiness { checks: vec![store, Check { name: "stream", is_ok: is_ready, detail: lag.to_owned() }] }
}

pub(crate) fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let request =
        headers.iter().fold(Request::builder().method(method).uri(path), |request, (name, value)| {
            request.header(*name, *value)
        });
    request.body(body).unwrap()
}

/// A reading as a line; the energies as they are to be written.
pub(crate) fn line(site: &str, timestamp: &str, generated: &str, consumed: &str) -> String {
    format!(
        r#"{{"site_id":"{site}","timestamp":"{timestamp}","energy_generated_kwh":{generated},"energy_consumed_kwh":{consumed}}}"#
    )
}

pub(crate) fn at(text: &str) -> Timestamp {
    parse_timestamp(text).unwrap()
}

/// The silence of a site that has sent a reading every quarter of an hour.
pub(crate) fn silence() -> Silence {
    Silence {
        last_seen: at("2025-06-20T00:00:00Z"),
        interval_ms: 900_000,
        silent_at: at("2025-06-20T01:30:00Z"),
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    /// The JSON of an answer that is as it should be.
    pub(crate) fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{}: {:?}", self.status, self.body);
        self.json()
    }

    /// The last part of the problem's type, of an answer that is a problem in every respect.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header(header::CONTENT_TYPE), "application/problem+json", "{:?}", self.body);
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["instance"], self.header("x-request-id"), "{problem}");
        assert!(self.status.as_u16() >= 400 && !self.header("x-request-id").is_empty(), "{problem}");
        for text in ["title", "detail"] {
            assert!(problem[text].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        let kind = problem["type"].as_str().unwrap_or_default();
        kind.strip_prefix("urn:wattstream:problem:").unwrap_or_else(|| panic!("{problem}")).to_owned()
    }
}
