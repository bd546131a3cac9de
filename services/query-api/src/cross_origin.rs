//! Which pages of other origins may read the API (CORS).
//!
//! What must always hold: nobody unless named, by the exact origin; who is named may read and change nothing; a browser's question
//! beforehand is answered without a token, which it never carries. `Cross-Origin-Resource-Policy` stays `same-origin`: it holds for
//! requests without CORS, such as those of an image, which no page of another origin has a use for here.

use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, Uri, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::rate_limit;

/// How long a browser may remember that it may ask.
const ANSWER_AGE_MAX: Duration = Duration::from_secs(3_600);

/// What a page may send beyond what every page may.
const REQUEST_HEADERS: [HeaderName; 4] = [
    header::AUTHORIZATION,
    header::IF_NONE_MATCH,
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("x-request-id"),
];

/// What a page may see beyond what every page may.
const RESPONSE_HEADERS: [HeaderName; 6] = [
    header::ETAG,
    header::LINK,
    header::RETRY_AFTER,
    rate_limit::RATE_LIMIT,
    rate_limit::RATE_LIMIT_POLICY,
    HeaderName::from_static("x-request-id"),
];

/// Scheme, host and port of a page, as a browser sends them in `Origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// The text is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is a scheme, a host and a port unless it is the scheme's own, such as https://energy.example.com or \
     http://localhost:3000: lower-case, without a path, and none that stands for several"
)]
pub struct OriginError;

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let uri: Uri = text.parse().map_err(|_| OriginError)?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(OriginError);
        };
        let own_port = if scheme == "http" { 80 } else { 443 };
        let is_host =
            |host: &str| !host.is_empty() && !host.contains('*') && host.to_ascii_lowercase() == host;
        // What is put together again is the text only when there is nothing else in it.
        let port = authority.port_u16().filter(|port| *port != own_port);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let again = format!("{scheme}://{}{port}", authority.host());
        if !is_host(authority.host()) || again != text {
            return Err(OriginError);
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| OriginError)
    }
}

/// Lets pages of these origins read; `None` without any.
pub(crate) fn layer(origins: &[Origin]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origins = origins.iter().map(|Origin(origin)| origin.clone());
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers(REQUEST_HEADERS)
        .expose_headers(RESPONSE_HEADERS)
        .max_age(ANSWER_AGE_MAX);
    Some(layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_exact_or_refused() {
        for text in
            ["https://energy.example.com", "http://localhost:3000", "https://[::1]:8443", "http://127.0.0.1"]
        {
            assert_eq!(text.parse(), Ok(Origin(HeaderValue::from_static(text))), "{text}");
        }
        for text in [
            "*",
            "null",
            "",
            "energy.example.com",
            "https://",
            "https://*.example.com",
            "https://Energy.example.com",
            "https://energy.example.com/",
            "https://energy.example.com/page",
            "https://energy.example.com:443",
            "http://localhost:80",
            "https://user@energy.example.com",
            "ftp://energy.example.com",
            "https://a.example.com,https://b.example.com",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError), "{text}");
        }
    }
}
