//! Responses as replies. What must always hold: a body that is text goes as text, and any other as base64; a reply is never larger
//! than Lambda takes.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http_body_util::BodyExt;
use serde::Serialize;

use crate::problem::{PROBLEM_JSON, Problem, ProblemType};

/// The most bytes that a body takes in a reply. Lambda takes 6 MB in all; the rest is for headers, of which there are few.
pub const REPLY_BYTES_MAX: usize = 6 * 1_024 * 1_024 - 64 * 1_024;

/// What API Gateway makes a response of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    status_code: u16,
    /// Several values of one name are one text, with commas. No route sets a cookie, where that would not do.
    headers: BTreeMap<String, String>,
    body: String,
    is_base64_encoded: bool,
}

impl Reply {
    pub(super) async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        // The bodies of this API are in memory; one that breaks off can only be a fault of ours.
        let Ok(body) = body.collect().await else {
            return Self::problem(parts.headers, Problem::internal());
        };
        let (body, is_base64_encoded, bytes) = written(body.to_bytes());
        if bytes > REPLY_BYTES_MAX {
            let detail = format!(
                "The answer takes {bytes} bytes, and {REPLY_BYTES_MAX} go through the gateway. Ask with \
                 `accept-encoding: gzip`, for a shorter range, or with a smaller `limit`."
            );
            return Self::problem(parts.headers, Problem::new(ProblemType::AnswerTooLarge, detail));
        }
        Self {
            status_code: parts.status.as_u16(),
            headers: texts_of(&parts.headers),
            body,
            is_base64_encoded,
        }
    }

    /// A problem instead of the answer that had these headers.
    fn problem(mut headers: HeaderMap, problem: Problem) -> Self {
        for name in [header::CONTENT_ENCODING, header::CONTENT_LENGTH, header::LINK] {
            headers.remove(name);
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        let instance = headers.get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        let (status, body) = problem.into_json(instance);
        Self { status_code: status.as_u16(), headers: texts_of(&headers), body, is_base64_encoded: false }
    }
}

/// A body as it goes into a reply, whether it is base64 there, and how many bytes it takes.
fn written(body: Bytes) -> (String, bool, usize) {
    match String::from_utf8(body.into()) {
        Ok(text) => {
            let bytes = text.bytes().map(escaped_bytes).sum();
            (text, false, bytes)
        }
        Err(binary) => {
            let text = BASE64_STANDARD.encode(binary.as_bytes());
            let bytes = text.len();
            (text, true, bytes)
        }
    }
}

/// The bytes that a byte of a text takes in a JSON string.
const fn escaped_bytes(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..=0x1f => 6,
        _ => 1,
    }
}

fn texts_of(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text_of = |name| {
        let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        values.collect::<Vec<_>>().join(", ")
    };
    headers.keys().map(|name| (name.to_string(), text_of(name))).collect()
}
