//! Entity tags: who has an answer already is told so, and gets no second one (RFC 9110, section 13).
//!
//! What must always hold: a tag is strong, a hash of the content; two encodings of one content have two tags. An answer is asked for
//! each time (`Cache-Control: no-cache`), because a late reading or a revision may change any day, also one that is long over;
//! what a client saves is the transfer and not the question.

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use xxhash_rust::xxh3::xxh3_128;

use crate::problem::Problem;

/// What follows the tag of a content that is sent compressed.
const GZIP: &str = "-gzip";

/// Tags the answer to a GET, or answers that it has not changed. An answer that is not whole yet has no tag.
pub(crate) async fn tag(request: Request, next: Next) -> Response {
    let known = (request.method() == Method::GET).then(|| request.headers().clone());
    let response = next.run(request).await;
    let is_whole = response.body().size_hint().exact().is_some();
    let Some(known) = known.filter(|_| response.status() == StatusCode::OK && is_whole) else {
        return response;
    };
    let (mut parts, body) = response.into_parts();
    let Ok(content) = to_bytes(body, usize::MAX).await else { return Problem::internal().into_response() };
    let tag = tag_of(&content);
    if let Some(tag) = held(&known, &tag) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.insert(header::ETAG, quoted(&tag));
        return Response::from_parts(parts, Body::empty());
    }
    parts.headers.insert(header::ETAG, quoted(&tag));
    Response::from_parts(parts, Body::from(content))
}

/// Gives the tag of a content that was compressed since to its encoding.
pub(crate) async fn tag_encoding<B>(mut response: Response<B>) -> Response<B> {
    let headers = response.headers_mut();
    let is_gzip = headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip");
    let tag = headers
        .get(header::ETAG)
        .and_then(|tag| tag.to_str().ok())
        .map(|tag| tag.trim_matches('"').to_owned());
    if let Some(tag) = tag.filter(|_| is_gzip) {
        headers.insert(header::ETAG, quoted(&format!("{tag}{GZIP}")));
    }
    response
}

/// 128 bits: two contents of one address do not have the same by chance. A tag guards nothing, and a hash that nobody can find two
/// contents for took as long as it takes to write them.
fn tag_of(content: &[u8]) -> String {
    format!("{:032x}", xxh3_128(content))
}

fn quoted(tag: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{tag}\"")).expect("a tag is made of letters, digits and -")
}

/// The tag under which the client has this content, in whichever encoding.
fn held(headers: &HeaderMap, tag: &str) -> Option<String> {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).find_map(|entry| {
        let entry = entry.trim().trim_start_matches("W/").trim_matches('"');
        let is_held = entry == "*" || entry == tag || entry.strip_suffix(GZIP) == Some(tag);
        is_held.then(|| if entry == "*" { tag.to_owned() } else { entry.to_owned() })
    })
}
