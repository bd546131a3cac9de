//! `GET /live`: the readings as they come in, as a stream of events or as the newest of them.
//!
//! What must always hold: a reading looks as it does in `/records/{site_id}`; a client that is not told `reset` has missed nothing
//! since the event that it goes on after; nobody who listens holds the pipeline up, and a stream ends when the process is about to
//! stop. Where the tables are written by another process there is no stream, and a request for one is told to poll.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::{Stream, StreamExt, stream};
use serde::Serialize;
use utoipa::ToSchema;
use wattstream_domain::SiteId;
use wattstream_engine::ports::{FleetQueries, LiveQueries};
use wattstream_engine::{LiveEvent, LiveFeed, LiveFollower, Missed, Told};

use crate::accept;
use crate::parameters::{Form, Parameter, Parameters, documented};
use crate::problem::{Problem, ProblemType};
use crate::state::AppState;

use super::anomalies::{SITE, site_asked_for};
use super::records::RecordBody;

/// The most readings of the form that is polled.
const NEWEST_MAX: usize = 100;

/// How often a stream says that it lives, so that whoever is between does not cut it off.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a client is to wait before it asks again for a stream that was cut off.
const RETRY: Duration = Duration::from_secs(2);

const JSON: &str = "application/json";
const EVENT_STREAM: &str = "text/event-stream";

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

const AFTER: Parameter = Parameter {
    name: "after",
    description: "The `id` of the last event that is known: the stream goes on after it, as with the header `Last-Event-ID`, which goes \
                  before. The other form takes no notice of it.",
    form: Form::Text,
};
const PARAMETERS: &[Parameter] = &[SITE, AFTER];
documented!(LiveParameters, PARAMETERS);

pub(crate) fn routes<Q, P>(state: &Arc<AppState<Q, P>>) -> Router
where
    Q: FleetQueries + LiveQueries,
    P: Send + Sync + 'static,
{
    Router::new().route("/live", get(live::<Q, P>)).with_state(Arc::clone(state))
}

/// The newest readings.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewestRecords {
    /// At most 100, the newest first.
    records: Vec<RecordBody>,
}

/// The readings as they come in
///
/// Two forms, which `Accept` chooses from.
///
/// `application/json`, the one that is answered unless another is asked for: the newest readings by the start of their interval, to be
/// polled with `If-None-Match`, which is answered with 304 as long as there is nothing new. Of all sites, on AWS, these are the newest
/// of the first 100 sites and the newest anomalies of all.
///
/// `text/event-stream`, on one machine: an event `record` for each reading once it was processed, be it new, late or revised; its `data`
/// is what `/records/{site_id}` has of it. A reading may be told twice. Who asks again with the `id` of the last event, in `Last-Event-ID`
/// or `after`, misses nothing while it is among the newest 10,000 since the process started. Otherwise, and when a client is too slow,
/// an event `reset` says that something was missed: load anew what is shown; the stream goes on from then. A comment comes every
/// 15 seconds. Where there is no stream, 406 says so.
#[utoipa::path(
    get,
    path = "/live",
    tag = "sites",
    params(LiveParameters, ("last-event-id" = Option<String>, Header, description = "The `id` of the last event that is known")),
    responses(
        (status = 200, description = "The newest readings, or those that come in", content((NewestRecords = "application/json"), (String = "text/event-stream"))),
        Problem
    )
)]
pub(crate) async fn live<Q: FleetQueries + LiveQueries, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parameters = Parameters::of(&uri, PARAMETERS)?;
    let followed = followed(&headers, state.queries.live_feed())?;
    let site_id = site_asked_for(&*state.queries, &parameters).await?;
    match followed {
        None => newest(&*state.queries, site_id).await,
        Some(feed) => {
            let after = headers.get(LAST_EVENT_ID).map(|id| id.to_str().unwrap_or_default());
            let after = after.or_else(|| parameters.get(AFTER.name));
            Ok(streamed(feed.follow(site_id, after)?))
        }
    }
}

/// The feed, when the request likes a stream of events better than JSON.
fn followed<'a>(headers: &HeaderMap, feed: Option<&'a LiveFeed>) -> Result<Option<&'a LiveFeed>, Problem> {
    let offered: &[&str] = if feed.is_some() { &[JSON, EVENT_STREAM] } else { &[JSON] };
    match accept::best(headers, offered) {
        Some(0) => Ok(None),
        Some(_) => Ok(feed),
        None => Err(Problem::new(ProblemType::NotAcceptable, not_acceptable(feed.is_some()))),
    }
}

const fn not_acceptable(is_streamed: bool) -> &'static str {
    if is_streamed {
        "Accept asks for no form of this answer. There are application/json and text/event-stream."
    } else {
        "There is no stream of events here. Ask with `accept: application/json`, every few seconds, and send the ETag of the answer before \
         as If-None-Match: as long as there is nothing new, the answer is 304 and has no body."
    }
}

async fn newest<Q: LiveQueries>(queries: &Q, site_id: Option<SiteId>) -> Result<Response, Problem> {
    let rows = queries.newest_rows(site_id, NEWEST_MAX).await?;
    let vary = [(header::VARY, HeaderValue::from_static("accept"))];
    Ok((vary, Json(NewestRecords { records: rows.iter().map(RecordBody::from).collect() })).into_response())
}

fn streamed(follower: LiveFollower) -> Response {
    let events = events(follower).map(Ok::<_, Infallible>);
    let heartbeat = KeepAlive::new().interval(HEARTBEAT).text("nothing new");
    // Proxies that gather an answer before they hand it on know this header.
    let headers = [
        (header::VARY, HeaderValue::from_static("accept")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Sse::new(events).keep_alive(heartbeat)).into_response()
}

/// Where the stream begins, which tells nothing and is a place to go on from; then everything that the follower is told.
fn events(follower: LiveFollower) -> impl Stream<Item = Event> {
    let beginning = Event::default().retry(RETRY).id(follower.place().to_string());
    let told = stream::unfold(follower, async |mut follower| {
        let event = follower.next().await?;
        Some((written(event), follower))
    });
    stream::once(std::future::ready(beginning)).chain(told)
}

fn written(LiveEvent { id, told }: LiveEvent) -> Event {
    let (name, data) = match told {
        Told::Reading(row) => ("record", json(&RecordBody::from(&*row))),
        Told::Missed(missed) => ("reset", json(&Reset { reason: reason(missed) })),
    };
    Event::default().event(name).id(id.to_string()).data(data)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("an event is made of texts, numbers and lists of them")
}

#[derive(Serialize)]
struct Reset {
    reason: &'static str,
}

const fn reason(missed: Missed) -> &'static str {
    match missed {
        Missed::NotHeld => {
            "What came after the event that you named is not held: it is too long ago, or the process has started anew. Load what you \
             show again; the stream goes on from now."
        }
        Missed::TooSlow => {
            "More came in than you have read, and some of it is not held any more. Load what you show again; the stream goes on from now."
        }
    }
}
