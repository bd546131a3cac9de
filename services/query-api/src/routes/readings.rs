//! `POST /readings`: the door to the stream. What must always hold: every record of an accepted body is in the log, byte for
//! byte, also what is no reading, before the answer goes out; the bodies that are held at one time are bounded.
//!
//! The door decodes a record only to count it and to find its partition key. The consumer decides: it sets aside what is
//! no reading, and the archive keeps the bytes.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::ToSchema;
use wattstream_engine::ports::Producer;
use wattstream_wire::Reject;

use crate::parameters::Parameters;
use crate::problem::{Problem, ProblemType, quote};
use crate::state::AppState;
use crate::upload::{BODY_BYTES_MAX, Form, Place, Upload, UploadError, decompress};

/// The most bytes of bodies that are held at one time; who comes later waits.
const BODY_BYTES_IN_FLIGHT_MAX: usize = 4 * BODY_BYTES_MAX;

pub(crate) fn routes<Q, P>(state: &Arc<AppState<Q, P>>) -> Router
where
    Q: Send + Sync + 'static,
    P: Producer + 'static,
{
    let room = Semaphore::new(BODY_BYTES_IN_FLIGHT_MAX);
    let door = Arc::new(Door { producer: Arc::clone(&state.producer), room });
    Router::new().route("/readings", post(readings::<P>)).with_state(door)
}

/// Where readings come in.
pub(crate) struct Door<P> {
    producer: Arc<P>,
    /// A permit a byte.
    room: Semaphore,
}

/// What became of a body.
#[derive(Serialize, ToSchema)]
pub(crate) struct Receipt {
    /// Readings.
    accepted: usize,
    /// Records that are no readings. They are kept as they are, and listed at `/dead-letters`.
    rejected: usize,
    /// The first of the rejected records, at most 100.
    rejects: Vec<RejectBody>,
}

/// A record that is no reading.
#[derive(Serialize, ToSchema)]
#[schema(as = Reject)]
pub(crate) struct RejectBody {
    /// Its line in the body, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 3)]
    line: Option<usize>,
    /// Its place in the array, from 0, when the body is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    /// Why, for programs.
    #[schema(example = "missing_field")]
    reason: &'static str,
    /// What is wrong, where, and how to mend it.
    detail: String,
}

impl RejectBody {
    fn new(place: Place, reject: Reject) -> Self {
        let (line, index) = match place {
            Place::Line(line) => (Some(line), None),
            Place::Index(index) => (None, Some(index)),
        };
        Self { line, index, reason: reject.reason.code(), detail: reject.detail }
    }
}

/// A reading, as sites send it. Other fields are ignored, and kept in the archive.
#[derive(ToSchema)]
#[schema(as = Reading)]
#[expect(dead_code, reason = "it documents the bytes that the wire crate reads")]
pub(crate) struct ReadingBody {
    /// The site, of letters, digits and `_ . : -`.
    #[schema(
        example = "site-alpha-pv-farm-01",
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9_.:-]{1,64}$"
    )]
    site_id: String,
    /// The start of the metering interval, RFC 3339 with an offset.
    #[schema(example = "2025-06-20T00:00:00Z", format = DateTime)]
    timestamp: String,
    /// The generated energy.
    #[schema(example = 12.34, minimum = -1e9, maximum = 1e9)]
    energy_generated_kwh: f64,
    /// The consumed energy.
    #[schema(example = 8.9, minimum = -1e9, maximum = 1e9)]
    energy_consumed_kwh: f64,
}

/// Send readings
///
/// One reading a line (`application/x-ndjson`, `text/plain`), or an array of readings or one reading
/// (`application/json`); at most 16 MiB and 200,000 readings, optionally with `content-encoding: gzip`. The answer comes
/// when all of them are on disk; they show in `/records` a moment later. To send a body again is safe: a reading that is
/// known already changes nothing.
#[utoipa::path(
    post,
    path = "/readings",
    tag = "readings",
    request_body(
        description = "Readings",
        content((Vec<ReadingBody> = "application/json"), (ReadingBody = "application/x-ndjson"), (ReadingBody = "text/plain"))
    ),
    responses((status = 202, description = "Everything is in the log", body = Receipt), Problem)
)]
pub(crate) async fn readings<P: Producer>(
    State(door): State<Arc<Door<P>>>,
    request: Request,
) -> Result<(StatusCode, Json<Receipt>), Problem> {
    Parameters::of(request.uri(), &[])?;
    let form = form_of(request.headers())?;
    let is_compressed = is_compressed(request.headers())?;
    let _room = door.room_for(request.headers(), is_compressed).await?;
    let body = body_of(request).await?;
    let read = move || {
        let body = if is_compressed { decompress(&body)? } else { body };
        Upload::read(&body, form)
    };
    let Upload { records, rejected, rejects } =
        tokio::task::spawn_blocking(read).await.map_err(|_| Problem::internal())??;
    let accepted = records.len() - rejected;
    if !records.is_empty() {
        door.producer.append(records).await?;
    }
    let rejects = rejects.into_iter().map(|(place, reject)| RejectBody::new(place, reject)).collect();
    Ok((StatusCode::ACCEPTED, Json(Receipt { accepted, rejected, rejects })))
}

impl<P> Door<P> {
    /// Waits until there is room for a body with these headers.
    async fn room_for(
        &self,
        headers: &HeaderMap,
        is_compressed: bool,
    ) -> Result<SemaphorePermit<'_>, Problem> {
        let length =
            headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let length = length.unwrap_or(BODY_BYTES_MAX);
        if length > BODY_BYTES_MAX {
            return Err(body_too_large());
        }
        let bytes = if is_compressed { length + BODY_BYTES_MAX } else { length };
        let permits = u32::try_from(bytes).map_err(|_| body_too_large())?;
        self.room.acquire_many(permits).await.map_err(|_| Problem::internal())
    }
}

async fn body_of(request: Request) -> Result<Bytes, Problem> {
    axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX).await.map_err(|error| {
        if error.into_inner().is::<LengthLimitError>() {
            return body_too_large();
        }
        Problem::new(
            ProblemType::BodyInvalid,
            "The body ended before its end. Nothing of it was taken; send it again.",
        )
    })
}

fn body_too_large() -> Problem {
    let detail = format!("A body has at most {BODY_BYTES_MAX} bytes. Send it in parts.");
    Problem::new(ProblemType::BodyTooLarge, detail)
}

/// The form that the content type says, if it says one.
fn form_of(headers: &HeaderMap) -> Result<Option<Form>, Problem> {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return Ok(None);
    };
    let content_type = content_type.to_str().unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match &*media_type {
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Some(Form::Lines)),
        "application/json" => Ok(Some(Form::Document)),
        "text/plain" => Ok(None),
        _ => {
            let detail = format!(
                "Readings come as application/x-ndjson (one a line), application/json (an array, or one) or text/plain, not \
                 as {}. With curl: --data-binary @FILE -H 'content-type: application/x-ndjson'.",
                quote(content_type)
            );
            Err(Problem::new(ProblemType::MediaTypeUnsupported, detail).about("content-type"))
        }
    }
}

fn is_compressed(headers: &HeaderMap) -> Result<bool, Problem> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or_default());
    match encoding.map(str::to_ascii_lowercase).as_deref() {
        None | Some("identity") => Ok(false),
        Some("gzip" | "x-gzip") => Ok(true),
        Some(other) => {
            let detail = format!("A body may be compressed with gzip, not with {}.", quote(other));
            Err(Problem::new(ProblemType::MediaTypeUnsupported, detail).about("content-encoding"))
        }
    }
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        let kind = match error {
            UploadError::Empty | UploadError::NotJson(_) | UploadError::NotGzip(_) => {
                ProblemType::BodyInvalid
            }
            UploadError::BodyTooLarge => ProblemType::BodyTooLarge,
            UploadError::RecordTooLarge(..) => ProblemType::RecordTooLarge,
            UploadError::TooManyRecords => ProblemType::TooManyRecords,
        };
        Self::new(kind, format!("Nothing was taken: {error}."))
    }
}
