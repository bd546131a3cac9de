//! The Runtime API of one environment, version 2018-06-01 (AWS Lambda guide, "Using the Lambda runtime API").
//!
//! What must always hold: there is one invocation at a time; an answer counts for the invocation whose id it names, and for
//! no other; a function that asks for an invocation waits until there is one.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::AbortHandle;

/// What a function says of an error.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorReport {
    #[serde(default)]
    pub(super) error_type: String,
    #[serde(default)]
    pub(super) error_message: String,
}

/// What a function answers to an invocation, or to its start.
pub(super) type Answer = Result<Bytes, ErrorReport>;

/// A payload for the function, and where its answer goes.
struct Invocation {
    request_id: String,
    deadline_ms: u128,
    payload: Bytes,
    answer: oneshot::Sender<Answer>,
}

/// The API, at a port of its own. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    address: SocketAddr,
    desk: Arc<Desk>,
    invocations: mpsc::UnboundedSender<Invocation>,
    server: AbortHandle,
}

/// Where the function asks, and answers.
#[derive(Debug)]
struct Desk {
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    current: Mutex<Option<(String, oneshot::Sender<Answer>)>>,
    /// Woken by the first question for an invocation.
    started: Notify,
    failed_start: Mutex<Option<ErrorReport>>,
}

impl RuntimeApi {
    /// Serves the API on a free port of the loopback.
    pub(super) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (invocations, waiting) = mpsc::unbounded_channel();
        let desk = Arc::new(Desk {
            waiting: tokio::sync::Mutex::new(waiting),
            current: Mutex::default(),
            started: Notify::new(),
            failed_start: Mutex::default(),
        });
        let server = axum::serve(listener, router(Arc::clone(&desk)));
        let server = tokio::spawn(async { server.await.expect("axum serves until it is aborted") });
        Ok(Self { address, desk, invocations, server: server.abort_handle() })
    }

    /// Host and port, as the function gets them.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns when the function has asked for its first invocation.
    pub(super) async fn first_poll(&self) {
        self.desk.started.notified().await;
    }

    /// What the function has said of a start that failed.
    pub(super) fn failed_start(&self) -> Option<ErrorReport> {
        lock(&self.desk.failed_start).clone()
    }

    /// Hands the payload to the function. The answer comes through what is returned; never, when the function does not
    /// give one.
    pub(super) fn invoke(
        &self,
        request_id: String,
        payload: Bytes,
        timeout: Duration,
    ) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let invocation = Invocation { request_id, deadline_ms: (now + timeout).as_millis(), payload, answer };
        // The desk lives as long as this does, and holds the other end.
        let _ = self.invocations.send(invocation);
        answered
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{request_id}/response", post(take_response))
        .route("/2018-06-01/runtime/invocation/{request_id}/error", post(take_error))
        .route("/2018-06-01/runtime/init/error", post(take_failed_start))
        .layer(DefaultBodyLimit::disable())
        .with_state(desk)
}

async fn next(State(desk): State<Arc<Desk>>) -> Response {
    desk.started.notify_one();
    let Some(invocation) = desk.waiting.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let Invocation { request_id, deadline_ms, payload, answer } = invocation;
    *lock(&desk.current) = Some((request_id.clone(), answer));
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", request_id),
        ("Lambda-Runtime-Deadline-Ms", deadline_ms.to_string()),
        ("Lambda-Runtime-Invoked-Function-Arn", FUNCTION_ARN.to_owned()),
        ("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".to_owned()),
        ("Content-Type", "application/json".to_owned()),
    ];
    (headers, payload).into_response()
}

const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:wattstream";

async fn take_response(
    State(desk): State<Arc<Desk>>,
    Path(request_id): Path<String>,
    response: Bytes,
) -> Response {
    desk.answer(&request_id, Ok(response))
}

async fn take_error(
    State(desk): State<Arc<Desk>>,
    Path(request_id): Path<String>,
    report: Bytes,
) -> Response {
    desk.answer(&request_id, Err(read_report(&report)))
}

async fn take_failed_start(State(desk): State<Arc<Desk>>, report: Bytes) -> StatusCode {
    *lock(&desk.failed_start) = Some(read_report(&report));
    StatusCode::ACCEPTED
}

/// Lambda takes any body for an error; one that it does not know counts as an error without words.
fn read_report(report: &[u8]) -> ErrorReport {
    let wordless = ErrorReport { error_type: String::new(), error_message: String::new() };
    serde_json::from_slice(report).unwrap_or(wordless)
}

impl Desk {
    fn answer(&self, request_id: &str, answer: Answer) -> Response {
        let mut current = lock(&self.current);
        let Some((_, answered)) = current.take_if(|(id, _)| id == request_id) else {
            let refusal = json!({ "errorType": "InvalidRequestID", "errorMessage": "Invalid request ID" });
            return (StatusCode::BAD_REQUEST, Json(refusal)).into_response();
        };
        // Whoever invoked the function may have given up.
        let _ = answered.send(answer);
        (StatusCode::ACCEPTED, Json(json!({ "status": "OK" }))).into_response()
    }
}
