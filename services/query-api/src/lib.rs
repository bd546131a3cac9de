//! The HTTP API of wattstream, and its first page.
//!
//! [`router`] turns the query ports and the producer into an [`axum::Router`]. The same router answers on a TCP listener
//! and inside a Lambda function; what differs comes in through [`AppState`]. Handlers translate in, call a port, and
//! translate out: nothing is decided here about readings.
//!
//! ```text
//!   GET  /summary  /records/{site_id}  /anomalies/{site_id}  /alerts  ──► Queries
//!   GET  /sites  /sites/{site_id}  /series  /series/{site_id}        ──► FleetQueries
//!   GET  /anomalies  /episodes                                       ──► FleetQueries
//!   GET  /live                                                       ──► LiveQueries
//!   POST /readings                                                   ──► Producer
//!   GET  /dead-letters, and redrive and purge below it               ──► Queries, DeadLetterAdmin, Producer
//!   GET  /healthz  /readyz  /metrics                                 ──► AppState
//!   GET  /  /docs  /openapi.json                                     ──► this binary
//! ```
//!
//! With the feature `lambda`, `Gateway` answers the events of API Gateway with it.
//!
//! What must always hold:
//! - **Exact**: an energy is written from its integer and never passes through a double.
//! - **Nothing is guessed**: a time, a parameter, a method or an address that is not known is refused with a problem that
//!   says what is accepted. An empty list always means that there is nothing.
//! - **Every error is a problem** (RFC 9457, `application/problem+json`), also those of layers and libraries.
//! - **Nobody gets in unasked**: [`Access`] decides before any handler, and a route is closed until it is named as public.
//! - **Every request is bounded**: body, records, page, time, and the bodies that are held at one time.
//! - **No other host** is asked for anything, by the router or by its pages.

mod accept;
mod access;
mod cursor;
mod etag;
mod format;
#[cfg(feature = "lambda")]
mod gateway;
mod json;
mod layers;
mod near;
#[cfg(feature = "lambda")]
mod on_aws;
mod parameters;
mod problem;
mod routes;
mod state;
mod time_range;
mod upload;

use std::sync::Arc;

use axum::Router;
use wattstream_engine::ports::{DeadLetterAdmin, FleetQueries, LiveQueries, Producer};

pub use access::{
    Access, Caller, NAME_CHARS_MAX, TOKEN_CHARS_MAX, TOKEN_CHARS_MIN, TOKEN_FILE_BYTES_MAX, TOKENS_MAX,
    TokenFile, TokenFileError, TokenMistake, Tokens,
};
#[cfg(feature = "lambda")]
pub use gateway::{EventError, Gateway, REPLY_BYTES_MAX, Reply};
#[cfg(feature = "lambda")]
pub use on_aws::{PROBE_TIME_MAX, on_aws};
pub use routes::docs::openapi;
pub use routes::summary::SUMMARY_SITES_EXACT_MAX;
pub use state::{AppState, Check, Clock, Probe, REQUEST_TIMEOUT, Readiness, RenderMetrics};
pub use upload::{BODY_BYTES_MAX, BODY_RECORDS_MAX, RECORD_BYTES_MAX, REJECTS_LISTED_MAX};

/// The whole API.
pub fn router<Q, P>(state: AppState<Q, P>) -> Router
where
    Q: FleetQueries + LiveQueries + DeadLetterAdmin,
    P: Producer + 'static,
{
    let guards = layers::Guards { access: state.access.clone(), request_timeout: state.request_timeout };
    let state = Arc::new(state);
    let routes = Router::new()
        .merge(routes::summary::routes(&state))
        .merge(routes::sites::routes(&state))
        .merge(routes::series::routes(&state))
        .merge(routes::records::routes(&state))
        .merge(routes::anomalies::routes(&state))
        .merge(routes::episodes::routes(&state))
        .merge(routes::alerts::routes(&state))
        .merge(routes::live::routes(&state))
        .merge(routes::readings::routes(&state))
        .merge(routes::dead_letters::routes(&state))
        .merge(routes::health::routes(&state))
        .merge(routes::docs::routes())
        .merge(routes::page::routes());
    layers::around(routes, guards)
}
