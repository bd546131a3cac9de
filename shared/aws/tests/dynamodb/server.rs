//! A server that speaks as much of DynamoDB's protocol as a test scripts, and remembers what it was asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::Barrier;

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The operation, such as `PutItem`.
    pub(crate) operation: String,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body as it came.
    pub(crate) bytes: Bytes,
    /// The body as JSON.
    pub(crate) body: Value,
}

/// What is answered.
pub(crate) enum Answer {
    /// A status and a body.
    Json(u16, Value),
    /// Success, when as many requests have come in as the barrier is for.
    Together(Arc<Barrier>),
    /// Nothing, ever.
    Never,
}

impl Answer {
    /// Success.
    pub(crate) fn ok(body: Value) -> Self {
        Self::Json(200, body)
    }

    /// An error of DynamoDB's.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::Json(
            status,
            json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": code}),
        )
    }
}

type Script = dyn Fn(&Request, usize) -> Answer + Send + Sync;

struct Shared {
    script: Box<Script>,
    requests: Mutex<Vec<Request>>,
    in_flight: AtomicUsize,
    in_flight_max: AtomicUsize,
}

/// A running server; it ends with its test.
pub(crate) struct Server {
    /// Where it answers.
    pub(crate) url: String,
    shared: Arc<Shared>,
}

impl Server {
    /// Starts a server that answers by `script`, which is given a request and how many of its operation came before.
    pub(crate) async fn start(script: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            script: Box::new(script),
            requests: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            in_flight_max: AtomicUsize::new(0),
        });
        let router = Router::new().route("/", post(answer)).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound address"));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Everything that was asked so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The most requests that waited for their answers together.
    pub(crate) fn in_flight_max(&self) -> usize {
        self.shared.in_flight_max.load(Ordering::SeqCst)
    }

    /// How often an operation was asked for.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.requests().iter().filter(|request| request.operation == operation).count()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, bytes: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let body = serde_json::from_slice(&bytes).expect("a request is JSON");
    let request = Request { operation, headers, bytes, body };
    let in_flight = shared.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
    shared.in_flight_max.fetch_max(in_flight, Ordering::SeqCst);
    let answer = {
        let mut requests = shared.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let before = requests.iter().filter(|known| known.operation == request.operation).count();
        requests.push(request.clone());
        (shared.script)(&request, before)
    };
    let (status, body) = match answer {
        Answer::Json(status, body) => (status, body),
        Answer::Together(barrier) => {
            barrier.wait().await;
            (200, json!({}))
        }
        Answer::Never => std::future::pending().await,
    };
    shared.in_flight.fetch_sub(1, Ordering::SeqCst);
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [("content-type", "application/x-amz-json-1.0")], body.to_string()).into_response()
}
