//! What the router is given from outside. What must always hold: everything that differs between one machine and
//! AWS, and everything that is not a function of the request, comes in here.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;
use wattstream_domain::Timestamp;

use crate::access::Access;
use crate::cross_origin::Origin;
use crate::rate_limit::RateLimit;

/// The longest that a request may take before its client is told to try again. It leaves room within the 29 s that API
/// Gateway waits.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(25);

/// What the router works with.
pub struct AppState<Q, P> {
    /// The projections, to be asked.
    pub queries: Arc<Q>,
    /// The stream, to be written to.
    pub producer: Arc<P>,
    /// The time.
    pub clock: Clock,
    /// The metrics page, in Prometheus' text format 0.0.4; `None` where metrics go elsewhere.
    pub render_metrics: Option<RenderMetrics>,
    /// Whether requests can be served.
    pub probe: Probe,
    /// Who may ask.
    pub access: Access,
    /// How long a request may take; [`REQUEST_TIMEOUT`] unless there is a reason.
    pub request_timeout: Duration,
    /// How many requests a client may send; `None` where somebody else counts them, or nobody.
    pub rate_limit: Option<RateLimit>,
    /// The origins whose pages may read; none unless there is a reason.
    pub origins: Vec<Origin>,
}

/// Tells the time.
pub type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// Renders the metrics page.
pub type RenderMetrics = Box<dyn Fn() -> String + Send + Sync>;

/// Finds out whether requests can be served. It is called for each `GET /readyz`, so it is cheap and comes to an end.
pub type Probe = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Readiness> + Send>> + Send + Sync>;

/// Whether requests can be served: when every check passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// What it depends on, such as the store and the lag of the stream.
    pub checks: Vec<Check>,
}

/// Something that readiness depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// Its name.
    #[schema(example = "store")]
    pub name: &'static str,
    /// Whether it is as it should be.
    #[serde(rename = "ok")]
    pub is_ok: bool,
    /// How it is, for people.
    #[schema(example = "answers")]
    pub detail: String,
}

impl Readiness {
    pub(crate) fn is_ready(&self) -> bool {
        self.checks.iter().all(|check| check.is_ok)
    }
}

impl<Q, P> fmt::Debug for AppState<Q, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { access, request_timeout, rate_limit, origins, .. } = self;
        f.debug_struct("AppState")
            .field("access", access)
            .field("request_timeout", request_timeout)
            .field("rate_limit", rate_limit)
            .field("origins", origins)
            .finish_non_exhaustive()
    }
}
