//! What happens to a request that may pass. What must always hold: what is signed is what goes out: method, address and body;
//! of the browser's headers only those pass that the API reads, so that neither its cookies nor its origin leave this machine.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;
use wattstream_aws::RequestSigner;

/// The largest body: a Lambda function takes no more.
const BODY_BYTES_MAX: usize = 6 * 1024 * 1024;

/// How long the API may take: longer than API Gateway gives it.
const PATIENCE: Duration = Duration::from_secs(35);

/// The headers of a request that the API reads.
const PASSED_ON: [HeaderName; 8] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CONTENT_ENCODING,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::USER_AGENT,
    HeaderName::from_static("last-event-id"),
];

/// The headers of an answer that are about one connection (RFC 9110, 7.6.1), besides those that `connection` names.
const OF_ONE_CONNECTION: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

struct Upstream {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    signer: RequestSigner,
    /// Without a slash at its end.
    base: String,
}

/// Passes everything on to the API at `base`.
pub(super) fn router(signer: RequestSigner, base: &str) -> anyhow::Result<Router> {
    let connector = HttpsConnectorBuilder::new()
        .with_native_roots()
        .context("reading the certificate authorities of this machine")?
        .https_or_http()
        .enable_http1()
        .build();
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let upstream = Upstream { client, signer, base: base.trim_end_matches('/').to_owned() };
    Ok(Router::new().fallback(pass_on).with_state(Arc::new(upstream)))
}

async fn pass_on(State(upstream): State<Arc<Upstream>>, request: Request) -> Response {
    match upstream.answer(request).await {
        Ok(answer) => answer,
        Err((status, detail)) => problem(status, &detail).into_response(),
    }
}

type Failure = (StatusCode, String);

impl Upstream {
    async fn answer(&self, request: Request) -> Result<Response, Failure> {
        let signed = self.signed(request).await?;
        let answer = timeout(PATIENCE, self.client.request(signed)).await.map_err(|_| {
            (
                StatusCode::GATEWAY_TIMEOUT,
                format!("{} did not answer in {} s.", self.base, PATIENCE.as_secs()),
            )
        })?;
        let mut answer = answer.map_err(|error| {
            (StatusCode::BAD_GATEWAY, format!("{} cannot be reached: {error}.", self.base))
        })?;
        drop_headers_of_connection(answer.headers_mut());
        Ok(answer.map(Body::new))
    }

    /// The request as it goes to the API.
    async fn signed(&self, request: Request) -> Result<axum::http::Request<Full<Bytes>>, Failure> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| {
            (StatusCode::PAYLOAD_TOO_LARGE, format!("A body has at most {BODY_BYTES_MAX} bytes: {error}."))
        })?;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let url = format!("{}{path}", self.base);
        let signature = self.signer.sign(parts.method.as_str(), &url, &body).await;
        let signature = signature.map_err(|error| {
            let mend = "`wattstream doctor --aws` looks at credentials and region";
            (StatusCode::BAD_GATEWAY, format!("The request cannot be signed: {error}. {mend}."))
        })?;
        let bad = |error: &dyn std::fmt::Display| (StatusCode::BAD_REQUEST, format!("{url}: {error}"));
        let uri: Uri = url.parse().map_err(|error| bad(&error))?;
        let mut signed = axum::http::Request::builder().method(parts.method).uri(uri);
        for name in PASSED_ON {
            for value in parts.headers.get_all(&name) {
                signed = signed.header(&name, value);
            }
        }
        for (name, value) in signature {
            signed = signed.header(name, value);
        }
        signed.body(Full::new(body)).map_err(|error| bad(&error))
    }
}

fn drop_headers_of_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in OF_ONE_CONNECTION.iter().chain(&named) {
        headers.remove(name);
    }
}

/// What the proxy itself has to say, as RFC 9457 has it.
pub(super) fn problem(status: StatusCode, detail: &str) -> impl IntoResponse + use<> {
    let title = status.canonical_reason().unwrap_or("Problem");
    let body = serde_json::json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_one_connection_do_not_pass_and_others_do() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("keep-alive", "5"),
            ("etag", "\"1\""),
            ("upgrade", "h2c"),
        ] {
            headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        drop_headers_of_connection(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["etag"]);
    }
}
