//! Errors as answers (RFC 9457, "Problem Details for HTTP APIs").
//!
//! What must always hold:
//! - Every answer with a status of 400 or more is a problem: [`render`] makes one of whatever a handler, a layer or a
//!   library answered.
//! - `type` is one of [`ProblemType`] and, once published, keeps its meaning. `instance` is the request's id.
//! - Nothing of the inside is told: messages of stores and libraries go to the log, under the request's id.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tower_http::request_id::RequestId;
use tracing::{error, warn};
use utoipa::ToSchema;
use wattstream_engine::{Error as PortError, Kind};

use crate::state::Check;

/// The media type of every error.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// How long a client is asked to wait before it tries again, in seconds. A store that is busy is busy for one batch.
const RETRY_AFTER_S: u64 = 1;

/// The most characters of a request that a problem quotes.
const QUOTE_CHARS_MAX: usize = 64;

/// What can be wrong with a request, or with the answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProblemType {
    UnknownRoute,
    MethodNotAllowed,
    UnknownSite,
    UnknownDeadLetter,
    UnknownParameter,
    RepeatedParameter,
    ParameterInvalid,
    TimeInvalid,
    RangeReversed,
    RangeTooLong,
    CursorInvalid,
    BodyInvalid,
    BodyTooLarge,
    RecordTooLarge,
    TooManyRecords,
    #[cfg(feature = "lambda")]
    AnswerTooLarge,
    MediaTypeUnsupported,
    NotAcceptable,
    CrossOrigin,
    Unauthenticated,
    RequestInvalid,
    TooManyRequests,
    Refused,
    Internal,
    Unavailable,
    NotReady,
    Timeout,
}

impl ProblemType {
    /// The last part of its URN, its status and its title.
    const fn definition(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::UnknownRoute => ("unknown-route", S::NOT_FOUND, "There is nothing at this address"),
            Self::MethodNotAllowed => {
                ("method-not-allowed", S::METHOD_NOT_ALLOWED, "This address has no such method")
            }
            Self::UnknownSite => ("unknown-site", S::NOT_FOUND, "No such site has sent a reading"),
            Self::UnknownDeadLetter => ("unknown-dead-letter", S::NOT_FOUND, "No such dead letter is kept"),
            Self::UnknownParameter => ("unknown-parameter", S::BAD_REQUEST, "A query parameter is unknown"),
            Self::RepeatedParameter => {
                ("repeated-parameter", S::BAD_REQUEST, "A query parameter is given more than once")
            }
            Self::ParameterInvalid => ("parameter-invalid", S::BAD_REQUEST, "A parameter has no such value"),
            Self::TimeInvalid => ("time-invalid", S::BAD_REQUEST, "A time could not be read"),
            Self::RangeReversed => ("range-reversed", S::BAD_REQUEST, "The range ends before it starts"),
            Self::RangeTooLong => ("range-too-long", S::BAD_REQUEST, "The range is too long for one answer"),
            Self::CursorInvalid => {
                ("cursor-invalid", S::BAD_REQUEST, "The cursor does not belong to this question")
            }
            Self::BodyInvalid => ("body-invalid", S::BAD_REQUEST, "The body could not be read"),
            Self::BodyTooLarge => ("body-too-large", S::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::RecordTooLarge => ("record-too-large", S::PAYLOAD_TOO_LARGE, "A record is too large"),
            Self::TooManyRecords => {
                ("too-many-records", S::PAYLOAD_TOO_LARGE, "The body holds too many records")
            }
            #[cfg(feature = "lambda")]
            Self::AnswerTooLarge => {
                ("answer-too-large", S::PAYLOAD_TOO_LARGE, "The answer does not go through the gateway")
            }
            Self::MediaTypeUnsupported => (
                "media-type-unsupported",
                S::UNSUPPORTED_MEDIA_TYPE,
                "The body is of a type that is not read",
            ),
            Self::NotAcceptable => {
                ("not-acceptable", S::NOT_ACCEPTABLE, "There is no such form of the answer")
            }
            Self::CrossOrigin => {
                ("cross-origin", S::FORBIDDEN, "A page of another origin may not change data")
            }
            Self::Unauthenticated => {
                ("unauthenticated", S::UNAUTHORIZED, "The request does not say who asks")
            }
            Self::RequestInvalid => ("request-invalid", S::BAD_REQUEST, "The request could not be read"),
            Self::TooManyRequests => {
                ("too-many-requests", S::TOO_MANY_REQUESTS, "More requests came than are taken")
            }
            Self::Refused => ("refused", S::UNPROCESSABLE_ENTITY, "The store refused the input"),
            Self::Internal => ("internal", S::INTERNAL_SERVER_ERROR, "Something is wrong on our side"),
            Self::Unavailable => ("unavailable", S::SERVICE_UNAVAILABLE, "The store is busy or away"),
            Self::NotReady => ("not-ready", S::SERVICE_UNAVAILABLE, "The service is not ready"),
            Self::Timeout => ("timeout", S::GATEWAY_TIMEOUT, "The answer took too long"),
        }
    }

    fn urn(self) -> String {
        format!("urn:wattstream:problem:{}", self.definition().0)
    }

    const fn status(self) -> StatusCode {
        self.definition().1
    }

    const fn is_worth_a_retry(self) -> bool {
        matches!(self, Self::Unavailable | Self::NotReady | Self::Timeout)
    }
}

/// An error on its way to the client. As a response it is a status with this in its extensions; [`render`] writes it.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    kind: ProblemType,
    detail: String,
    parameter: Option<String>,
    near: Vec<String>,
    checks: Vec<Check>,
}

impl Problem {
    /// A problem whose `detail` says what is wrong, where, and how to mend it.
    pub(crate) fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), parameter: None, near: Vec::new(), checks: Vec::new() }
    }

    /// The same, pointing at a parameter of the request.
    pub(crate) fn about(mut self, parameter: &str) -> Self {
        self.parameter = Some(parameter.chars().take(QUOTE_CHARS_MAX).collect());
        self
    }

    /// The same, with names that the client may have meant.
    pub(crate) fn near<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.near = names.into_iter().map(str::to_owned).collect();
        self
    }

    /// The same, with the checks that did not pass and those that did.
    pub(crate) fn checks(mut self, checks: Vec<Check>) -> Self {
        self.checks = checks;
        self
    }

    /// The answer to a panic, as [`tower_http::catch_panic::CatchPanicLayer`] asks for it.
    #[expect(clippy::needless_pass_by_value, reason = "the layer hands the payload over")]
    pub(crate) fn of_panic(payload: Box<dyn std::any::Any + Send>) -> Response {
        let message = payload.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message");
        error!(message, "A request handler panicked.");
        Self::internal().into_response()
    }

    /// A fault of ours, about which the log says more.
    pub(crate) fn internal() -> Self {
        let detail =
            "The request failed for a reason that lies on our side. The log says more under this instance.";
        Self::new(ProblemType::Internal, detail)
    }

    /// The status and the document, for whoever answers outside of the router.
    #[cfg(feature = "lambda")]
    pub(crate) fn into_json(self, instance: &str) -> (StatusCode, String) {
        let status = self.kind.status();
        let body = serde_json::to_string(&self.into_body(instance.to_owned()));
        (status, body.expect("a problem is made of texts, numbers and lists of them"))
    }

    fn into_body(self, instance: String) -> ProblemBody {
        let Self { kind, detail, parameter, near, checks } = self;
        let (_, status, title) = kind.definition();
        ProblemBody {
            r#type: kind.urn(),
            title,
            status: status.as_u16(),
            detail,
            instance,
            parameter,
            near,
            checks,
        }
    }

    /// The problem that a layer or a library meant by a bare status.
    fn of_status(status: StatusCode, method: &str, path: &str) -> Self {
        let (method, path) = (quote(method), quote(path));
        match status {
            StatusCode::NOT_FOUND => {
                let detail = format!("There is nothing at {path}. GET /docs lists every address.");
                Self::new(ProblemType::UnknownRoute, detail)
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                let detail =
                    format!("{path} does not answer {method}; the Allow header lists what it answers.");
                Self::new(ProblemType::MethodNotAllowed, detail)
            }
            StatusCode::FORBIDDEN => Self::new(
                ProblemType::CrossOrigin,
                "A browser sent this from a page of another origin. Send it from a program, or from our own pages.",
            ),
            StatusCode::GATEWAY_TIMEOUT => Self::new(
                ProblemType::Timeout,
                "The answer was not ready in time. To try again is safe; a smaller range, limit or body takes less time.",
            ),
            status if status.is_client_error() => Self::new(
                ProblemType::RequestInvalid,
                format!(
                    "{path} could not be read: check the address for characters that are not percent-encoded."
                ),
            ),
            _ => Self::internal(),
        }
    }
}

impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        match error.kind() {
            Kind::Retry | Kind::Conflict => {
                warn!(%error, "A port did not answer.");
                Self::new(
                    ProblemType::Unavailable,
                    "The store did not answer in time. The request may have been carried out all the same; sending \
                     it again is safe.",
                )
            }
            Kind::Reject => {
                warn!(%error, "A port refused its input.");
                Self::new(ProblemType::Refused, "The store refused the input, and will again.")
            }
            Kind::Broken => {
                error!(%error, "A port is broken.");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// An error of this API (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// What kind of problem it is; stable, for programs.
    #[schema(example = "urn:wattstream:problem:unknown-site")]
    r#type: String,
    /// The kind in words.
    title: &'static str,
    /// The status of the answer.
    #[schema(example = 404)]
    status: u16,
    /// What is wrong, where, and how to mend it.
    detail: String,
    /// The id of the request, as in the header `x-request-id` and in the log.
    instance: String,
    /// The parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// Names that exist and are close to the one that does not, the closest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    near: Vec<String>,
    /// What readiness depends on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<Check>,
}

/// Writes every error that comes from further in as a problem, and leaves every other answer alone.
pub(crate) async fn render(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let request_id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    if !response.status().is_client_error() && !response.status().is_server_error() {
        return response;
    }
    let problem = response.extensions_mut().remove::<Problem>();
    let problem = problem.unwrap_or_else(|| Problem::of_status(response.status(), method.as_str(), &path));
    let instance = request_id.as_ref().and_then(|id| id.header_value().to_str().ok()).unwrap_or_default();
    let mut headers = std::mem::take(response.headers_mut());
    headers.remove(header::CONTENT_LENGTH);
    if problem.kind.is_worth_a_retry() {
        headers.insert(header::RETRY_AFTER, RETRY_AFTER_S.into());
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    (response.status(), headers, Json(problem.into_body(instance.to_owned()))).into_response()
}

/// The beginning of a text from outside, between backticks, with what would not print escaped.
pub(crate) fn quote(text: &str) -> String {
    let mut characters = text.chars();
    let begin: String = characters.by_ref().take(QUOTE_CHARS_MAX).flat_map(char::escape_debug).collect();
    let end = if characters.next().is_some() { "…" } else { "" };
    format!("`{begin}{end}`")
}

/// Any route may answer with any problem.
impl utoipa::IntoResponses for Problem {
    fn responses() -> BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        let schema = utoipa::openapi::Ref::from_schema_name(<ProblemBody as ToSchema>::name());
        let response = utoipa::openapi::ResponseBuilder::new()
            .description("An error (RFC 9457)")
            .content(PROBLEM_JSON, utoipa::openapi::Content::new(Some(schema)));
        BTreeMap::from([("default".to_owned(), response.build().into())])
    }
}
