//! `GET /healthz`, `/readyz` and `/metrics`: for whoever watches over the process. What must always hold: `/healthz` asks
//! nothing but the process itself, so that a store that is away does not get the process restarted. Query parameters
//! are ignored here: probes and scrapers add their own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::{Problem, ProblemType};
use crate::state::{AppState, Check};

/// Where the process says that it runs.
pub(crate) const PROCESS_PATH: &str = "/healthz";

/// Instances of a function come and go, and none of them could answer for the others.
const METRICS_ELSEWHERE: &str = "This is a Lambda function, which is not asked for its metrics: it writes them into its log as CloudWatch EMF. They are \
                                 in CloudWatch, in the namespace wattstream.";

const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) fn routes<Q, P>(state: &Arc<AppState<Q, P>>) -> Router
where
    Q: Send + Sync + 'static,
    P: Send + Sync + 'static,
{
    Router::new()
        .route(PROCESS_PATH, get(healthz))
        .route("/readyz", get(readyz::<Q, P>))
        .route("/metrics", get(metrics::<Q, P>))
        .with_state(Arc::clone(state))
}

/// The process runs.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
    /// The version that runs.
    #[schema(example = "0.1.0")]
    version: &'static str,
}

/// Requests can be served.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    #[schema(example = "ready")]
    status: &'static str,
    /// What readiness depends on.
    checks: Vec<Check>,
}

/// Whether the process runs
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    responses((status = 200, body = Health, description = "It does")),
    security(())
)]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Whether requests can be served
///
/// That depends on the store and on the lag of the stream. 503 says which of them is not as it should be.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    responses((status = 200, description = "They can", body = Ready), Problem)
)]
pub(crate) async fn readyz<Q, P>(State(state): State<Arc<AppState<Q, P>>>) -> Result<Json<Ready>, Problem> {
    let readiness = (state.probe)().await;
    if readiness.is_ready() {
        return Ok(Json(Ready { status: "ready", checks: readiness.checks }));
    }
    let failing: Vec<_> = readiness.checks.iter().filter(|check| !check.is_ok).collect();
    let failing: Vec<_> = failing.iter().map(|check| format!("{}: {}", check.name, check.detail)).collect();
    Err(Problem::new(ProblemType::NotReady, failing.join("; ")).checks(readiness.checks))
}

/// Metrics in Prometheus' text format
///
/// A Lambda function has none to be asked for: it writes them into its log, where CloudWatch finds them, and answers 404.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    responses(
        (status = 200, description = "Text format 0.0.4", body = String, content_type = "text/plain"),
        Problem
    )
)]
pub(crate) async fn metrics<Q, P>(
    State(state): State<Arc<AppState<Q, P>>>,
) -> Result<impl IntoResponse, Problem> {
    match &state.render_metrics {
        Some(render) => Ok(([(header::CONTENT_TYPE, PROMETHEUS_TEXT)], render())),
        None => Err(Problem::new(ProblemType::UnknownRoute, METRICS_ELSEWHERE)),
    }
}
