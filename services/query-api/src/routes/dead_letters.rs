//! `/dead-letters`: payloads that could not be processed, to be read, sent again, or thrown away. What must always hold: a
//! letter leaves the box only after its payload is in the log again, or because somebody said so; to redrive one twice
//! is harmless, because the log recognises what it has folded.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use utoipa::ToSchema;
use wattstream_domain::{Position, Timestamp};
use wattstream_engine::DeadLetter;
use wattstream_engine::ports::{DeadLetterAdmin, Producer, Queries};

use crate::cursor;
use crate::json::Utc;
use crate::parameters::{CURSOR, Form, LIMIT, Limit, Parameter, Parameters, documented};
use crate::problem::{Problem, ProblemType, quote};
use crate::state::AppState;
use crate::time_range;
use crate::upload::record_of;

/// The number of letters on a page, and the most that one call redrives or purges.
const LETTERS: Limit = Limit { default: 50, max: 100 };

/// The longest beginning of a payload that the list shows: any reading fits.
const PAYLOAD_LISTED_BYTES_MAX: usize = wattstream_wire::READING_BYTES_MAX;

const LIST_PARAMETERS: &[Parameter] = &[
    Parameter { name: LIMIT, description: "The most letters on the page.", form: Form::Limit(&LETTERS) },
    cursor::PARAMETER,
];
documented!(ListParameters, LIST_PARAMETERS);

const UNTIL: Parameter = Parameter {
    name: "until",
    description: "Only letters that arrived before this time, written as `start` of /records is; `now` without it. A letter \
                  that is rejected again comes back with a later arrival, and is not taken twice.",
    form: Form::Text,
};
const SWEEP_PARAMETERS: &[Parameter] = &[
    UNTIL,
    Parameter { name: LIMIT, description: "The most letters to look at.", form: Form::Limit(&LETTERS) },
    cursor::PARAMETER,
];
documented!(SweepParameters, SWEEP_PARAMETERS);

pub(crate) fn routes<Q, P>(state: &Arc<AppState<Q, P>>) -> Router
where
    Q: Queries + DeadLetterAdmin,
    P: Producer + 'static,
{
    Router::new()
        .route("/dead-letters", get(list::<Q, P>).delete(purge_all::<Q, P>))
        .route("/dead-letters/redrive", post(redrive_all::<Q, P>))
        .route("/dead-letters/{id}", get(show::<Q, P>).delete(purge_one::<Q, P>))
        .route("/dead-letters/{id}/redrive", post(redrive_one::<Q, P>))
        .with_state(Arc::clone(state))
}

/// Part of the dead letters.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeadLetterPage {
    /// The letters, by shard and place in it.
    dead_letters: Vec<DeadLetterBody>,
    /// The cursor of the next page; null when this is the last.
    #[schema(required)]
    next: Option<String>,
}

/// A payload that could not be processed.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub(crate) struct DeadLetterBody {
    /// Its place in the stream: shard, sequence number, place inside an aggregate.
    #[schema(example = "shardId-000000000000:42:0")]
    id: String,
    /// When the stream took it.
    arrived_at: Utc,
    /// Why it was set aside, for programs.
    #[schema(example = "missing_field")]
    reason: &'static str,
    /// What is wrong, where, and how to mend it.
    detail: String,
    /// The length of the payload.
    payload_bytes: usize,
    /// The payload. A list shows at most its first 64 KiB.
    #[schema(content_encoding = "base64")]
    payload_base64: String,
}

impl DeadLetterBody {
    fn new(letter: &DeadLetter, payload_bytes_max: usize) -> Self {
        let shown = &letter.payload[..letter.payload.len().min(payload_bytes_max)];
        Self {
            id: letter.position.to_string(),
            arrived_at: Utc(letter.arrival),
            reason: letter.cause.code(),
            detail: letter.detail.clone(),
            payload_bytes: letter.payload.len(),
            payload_base64: BASE64_STANDARD.encode(shown),
        }
    }
}

/// What became of the letters that were looked at.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sweep {
    /// How many were taken out of the box.
    dead_letters: usize,
    /// The cursor to go on with; null when all were looked at.
    #[schema(required)]
    next: Option<String>,
}

/// The dead letters
#[utoipa::path(
    get,
    path = "/dead-letters",
    operation_id = "list_dead_letters",
    tag = "dead letters",
    params(ListParameters),
    responses((status = 200, description = "A page of them", body = DeadLetterPage), Problem)
)]
pub(crate) async fn list<Q: Queries, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    uri: Uri,
) -> Result<Json<DeadLetterPage>, Problem> {
    const QUESTION: &str = "/dead-letters";
    let parameters = Parameters::of(&uri, LIST_PARAMETERS)?;
    let limit = parameters.limit(&LETTERS)?;
    let after = match parameters.get(CURSOR) {
        Some(cursor) => Some(position_in(&cursor::open(QUESTION, cursor)?)?),
        None => None,
    };
    let letters = state.queries.dead_letter_page(after, limit).await?;
    let next = last_of_full(&letters, limit).map(|last| cursor::seal(QUESTION, &last.to_string()));
    let dead_letters =
        letters.iter().map(|letter| DeadLetterBody::new(letter, PAYLOAD_LISTED_BYTES_MAX)).collect();
    Ok(Json(DeadLetterPage { dead_letters, next }))
}

/// One dead letter, with its whole payload
#[utoipa::path(
    get,
    path = "/dead-letters/{id}",
    operation_id = "show_dead_letter",
    tag = "dead letters",
    params(("id" = String, Path, description = "The letter", example = "shardId-000000000000:42:0")),
    responses((status = 200, description = "The letter", body = DeadLetterBody), Problem)
)]
pub(crate) async fn show<Q: Queries + DeadLetterAdmin, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Json<DeadLetterBody>, Problem> {
    Parameters::of(&uri, &[])?;
    let letter = letter_of(&*state.queries, &id).await?;
    Ok(Json(DeadLetterBody::new(&letter, usize::MAX)))
}

/// Send dead letters again
///
/// Their payloads go into the stream as new records, and the letters away. Call it again with `next` until there is
/// none.
#[utoipa::path(
    post,
    path = "/dead-letters/redrive",
    operation_id = "redrive_dead_letters",
    tag = "dead letters",
    params(SweepParameters),
    responses((status = 200, description = "Those that were looked at", body = Sweep), Problem)
)]
pub(crate) async fn redrive_all<Q: Queries + DeadLetterAdmin, P: Producer>(
    State(state): State<Arc<AppState<Q, P>>>,
    uri: Uri,
) -> Result<Json<Sweep>, Problem> {
    let (letters, next) = sweep(&state, &uri).await?;
    redrive(&state, &letters).await?;
    Ok(Json(Sweep { dead_letters: letters.len(), next }))
}

/// Send one dead letter again
#[utoipa::path(
    post,
    path = "/dead-letters/{id}/redrive",
    operation_id = "redrive_dead_letter",
    tag = "dead letters",
    params(("id" = String, Path, description = "The letter", example = "shardId-000000000000:42:0")),
    responses((status = 200, description = "It is in the stream again", body = Sweep), Problem)
)]
pub(crate) async fn redrive_one<Q: Queries + DeadLetterAdmin, P: Producer>(
    State(state): State<Arc<AppState<Q, P>>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Json<Sweep>, Problem> {
    Parameters::of(&uri, &[])?;
    let letter = letter_of(&*state.queries, &id).await?;
    redrive(&state, &[letter]).await?;
    Ok(Json(Sweep { dead_letters: 1, next: None }))
}

/// Throw dead letters away
///
/// The archive keeps their bytes. Call it again with `next` until there is none.
#[utoipa::path(
    delete,
    path = "/dead-letters",
    operation_id = "purge_dead_letters",
    tag = "dead letters",
    params(SweepParameters),
    responses((status = 200, description = "Those that were looked at", body = Sweep), Problem)
)]
pub(crate) async fn purge_all<Q: Queries + DeadLetterAdmin, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    uri: Uri,
) -> Result<Json<Sweep>, Problem> {
    let (letters, next) = sweep(&state, &uri).await?;
    state.queries.remove_dead_letters(&positions_of(&letters)).await?;
    Ok(Json(Sweep { dead_letters: letters.len(), next }))
}

/// Throw one dead letter away
#[utoipa::path(
    delete,
    path = "/dead-letters/{id}",
    operation_id = "purge_dead_letter",
    tag = "dead letters",
    params(("id" = String, Path, description = "The letter", example = "shardId-000000000000:42:0")),
    responses((status = 200, description = "It is gone", body = Sweep), Problem)
)]
pub(crate) async fn purge_one<Q: Queries + DeadLetterAdmin, P>(
    State(state): State<Arc<AppState<Q, P>>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Json<Sweep>, Problem> {
    Parameters::of(&uri, &[])?;
    let letter = letter_of(&*state.queries, &id).await?;
    state.queries.remove_dead_letters(&[letter.position]).await?;
    Ok(Json(Sweep { dead_letters: 1, next: None }))
}

/// The letters that one call deals with, and the cursor of the next call.
async fn sweep<Q: Queries, P>(
    state: &AppState<Q, P>,
    uri: &Uri,
) -> Result<(Vec<DeadLetter>, Option<String>), Problem> {
    let parameters = Parameters::of(uri, SWEEP_PARAMETERS)?;
    let limit = parameters.limit(&LETTERS)?;
    let written = parameters.get(UNTIL.name).unwrap_or("now");
    let question = format!("{}\n{written}", uri.path());
    let (until, after) = match parameters.get(CURSOR) {
        Some(cursor) => until_and_position_in(&cursor::open(&question, cursor)?)?,
        None => (time_range::instant(UNTIL.name, written, (state.clock)())?, None),
    };
    let mut letters = state.queries.dead_letter_page(after, limit).await?;
    let next = last_of_full(&letters, limit)
        .map(|last| cursor::seal(&question, &format!("{}.{last}", until.unix_ms())));
    letters.retain(|letter| letter.arrival < until);
    Ok((letters, next))
}

async fn redrive<Q, P>(state: &AppState<Q, P>, letters: &[DeadLetter]) -> Result<(), Problem>
where
    Q: DeadLetterAdmin,
    P: Producer,
{
    if letters.is_empty() {
        return Ok(());
    }
    let records = letters.iter().map(|letter| record_of(letter.payload.clone())).collect();
    state.producer.append(records).await?;
    Ok(state.queries.remove_dead_letters(&positions_of(letters)).await?)
}

async fn letter_of<Q: DeadLetterAdmin>(letters: &Q, id: &str) -> Result<DeadLetter, Problem> {
    let unknown = || {
        let detail = format!("No dead letter {} is kept. GET /dead-letters lists them.", quote(id));
        Problem::new(ProblemType::UnknownDeadLetter, detail).about("id")
    };
    let position = id.parse().map_err(|_| unknown())?;
    letters.dead_letter(position).await?.ok_or_else(unknown)
}

fn positions_of(letters: &[DeadLetter]) -> Vec<Position> {
    letters.iter().map(|letter| letter.position).collect()
}

/// The last of as many letters as were asked for; fewer are the last there are.
fn last_of_full(letters: &[DeadLetter], limit: usize) -> Option<Position> {
    letters.last().filter(|_| letters.len() >= limit).map(|letter| letter.position)
}

fn position_in(place: &str) -> Result<Position, Problem> {
    place.parse().map_err(|_| Problem::internal())
}

fn until_and_position_in(place: &str) -> Result<(Timestamp, Option<Position>), Problem> {
    let (until, position) = place.split_once('.').ok_or_else(Problem::internal)?;
    let until = until.parse().ok().and_then(Timestamp::from_unix_ms).ok_or_else(Problem::internal)?;
    Ok((until, Some(position_in(position)?)))
}
