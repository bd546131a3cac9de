//! Events as requests. What must always hold: a request holds what the client sent, and beside it the caller whom the gateway's
//! authorizer has found, if it has found one.

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use crate::access::Caller;

/// Why an event is no request.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Something else than an HTTP API has invoked the function.
    #[error(
        "the event is not one of an HTTP API of API Gateway: let its integration have the payload format version 2.0: {0}"
    )]
    NotAnEvent(#[from] serde_json::Error),
    /// A part of it cannot be in a request.
    #[error("the event's {0} cannot be in a request")]
    NotARequest(&'static str),
}

/// An event of payload format version 2.0, as far as it is used. No route reads a cookie.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    /// Several values of one name are one text, with commas.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    request_context: RequestContext,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// What API Gateway knows of the request.
#[derive(Debug, Deserialize)]
struct RequestContext {
    http: HttpContext,
    authorizer: Option<Authorizer>,
}

#[derive(Debug, Deserialize)]
struct HttpContext {
    method: String,
}

/// What an authorizer has found. One that is a function of somebody's own is not among them: it would decide alone who asks.
#[derive(Debug, Deserialize)]
struct Authorizer {
    jwt: Option<Jwt>,
    iam: Option<Iam>,
}

#[derive(Debug, Deserialize)]
struct Jwt {
    claims: Option<Claims>,
}

/// The claims that say who asks. A client without a user (`client_credentials`) may have an id and no subject.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: Option<String>,
    client_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Iam {
    user_arn: Option<String>,
}

impl Event {
    pub(super) fn parse(text: &str) -> Result<Self, EventError> {
        Ok(serde_json::from_str(text)?)
    }

    pub(super) fn into_request(self) -> Result<Request, EventError> {
        let refused = |part| move || EventError::NotARequest(part);
        let caller = self.request_context.authorizer.and_then(Authorizer::caller);
        let method = Method::from_bytes(self.request_context.http.method.as_bytes()).ok();
        let uri = uri_of(&self.raw_path, &self.raw_query_string);
        let headers: Option<HeaderMap> = self.headers.iter().map(header_of).collect();
        let body = self.body.unwrap_or_default().into_bytes();
        let body = if self.is_base64_encoded { BASE64_STANDARD.decode(body).ok() } else { Some(body) };
        let mut request = Request::new(Body::from(body.ok_or_else(refused("body"))?));
        *request.method_mut() = method.ok_or_else(refused("method"))?;
        *request.uri_mut() = uri.ok_or_else(refused("path or query"))?;
        *request.headers_mut() = headers.ok_or_else(refused("headers"))?;
        if let Some(caller) = caller {
            request.extensions_mut().insert(caller);
        }
        Ok(request)
    }
}

impl Authorizer {
    /// Whom it has let through, when it says a name.
    fn caller(self) -> Option<Caller> {
        let of_token = self
            .jwt
            .and_then(|jwt| jwt.claims)
            .and_then(|claims| named(claims.sub).or_else(|| named(claims.client_id)));
        let name = of_token.or_else(|| self.iam.and_then(|iam| named(iam.user_arn)))?;
        Some(Caller::new(&name))
    }
}

fn named(name: Option<String>) -> Option<String> {
    name.filter(|name| !name.is_empty())
}

fn header_of((name, value): (&String, &String)) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}

/// The address as the client wrote it. API Gateway may hand a path over decoded, and a query as it came over the wire: what
/// cannot stand in an address is encoded again.
fn uri_of(path: &str, query: &str) -> Option<Uri> {
    let mut text = String::with_capacity(path.len() + query.len() + 2);
    if !path.starts_with('/') {
        text.push('/');
    }
    push_encoded(&mut text, path, |byte| byte == b'?');
    if !query.is_empty() {
        text.push('?');
        push_encoded(&mut text, query, |_| false);
    }
    PathAndQuery::try_from(text).ok().map(Uri::from)
}

/// Appends a part of an address, with what RFC 3986 has no room for as `%XX`. What is encoded already stays as it is.
fn push_encoded(out: &mut String, part: &str, is_reserved: impl Fn(u8) -> bool) {
    for byte in part.bytes() {
        if byte.is_ascii_graphic() && !b"\"#<>\\^`{|}".contains(&byte) && !is_reserved(byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a String takes every write");
        }
    }
}
