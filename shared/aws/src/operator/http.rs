//! The HTTP stack of the SDK, as object_store calls it: one TLS stack and one crypto library for everything that goes to AWS.
//!
//! What must always hold: no request waits for ever, neither for its answer nor for the next bytes of a body. object_store
//! asks again for what a body still lacks.

use std::pin::Pin;
use std::task::{Context, Poll};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};
use tokio::time::{Instant, Sleep, sleep};

use crate::clients::{ATTEMPT_TIMEOUT, CONNECT_TIMEOUT};
use crate::error::Chain;

/// An HTTP client for object_store. Clones share their connections.
#[derive(Clone, Debug)]
pub(super) struct SdkHttp(SharedHttpConnector);

impl SdkHttp {
    pub(super) fn new(config: &SdkConfig) -> Self {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(ATTEMPT_TIMEOUT)
            .build();
        let mut builder = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .connector_settings(settings);
        builder.set_sleep_impl(config.sleep_impl());
        Self(SharedHttpConnector::new(builder.build()))
    }
}

impl HttpConnector for SdkHttp {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for SdkHttp {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let request = request.map(|body| match body.as_bytes() {
            Some(bytes) => SdkBody::from(bytes.clone()),
            None => SdkBody::from_body_1_x(body),
        });
        let request = orchestrator::HttpRequest::try_from(request).map_err(unusable)?;
        let answer = self.0.call(request).await.map_err(|error| failed(&error))?;
        let (parts, body) = answer.try_into_http1x().map_err(unusable)?.into_parts();
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(WatchedBody::new(body))))
    }
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, error)
}

/// An error by what object_store makes of it: it asks again after all of these but the last.
fn failed(error: &ConnectorError) -> HttpError {
    let kind = match error {
        error if error.is_timeout() => HttpErrorKind::Timeout,
        error if error.is_io() => HttpErrorKind::Request,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, Chain::of(error))
}

/// A body whose bytes come within [`ATTEMPT_TIMEOUT`] of each other.
struct WatchedBody {
    body: SdkBody,
    stalled: Pin<Box<Sleep>>,
}

/// No bytes came for too long.
#[derive(Debug, thiserror::Error)]
#[error("the body of an answer stalled for {} s", ATTEMPT_TIMEOUT.as_secs())]
struct Stalled;

impl WatchedBody {
    fn new(body: SdkBody) -> Self {
        Self { body, stalled: Box::pin(sleep(ATTEMPT_TIMEOUT)) }
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => {
                self.stalled.as_mut().reset(Instant::now() + ATTEMPT_TIMEOUT);
                let cut_off = |error: Box<dyn std::error::Error + Send + Sync>| {
                    HttpError::new(HttpErrorKind::Interrupted, Chain::of(&*error))
                };
                Poll::Ready(frame.map(|frame| frame.map_err(cut_off)))
            }
            Poll::Pending => {
                let is_stalled = self.stalled.as_mut().poll(context).is_ready();
                if is_stalled {
                    return Poll::Ready(Some(Err(HttpError::new(HttpErrorKind::Timeout, Stalled))));
                }
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.body)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    /// A body of which nothing ever comes.
    struct Silent;

    impl Body for Silent {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            _context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_is_an_error_after_which_it_is_asked_for_again() {
        let begun = Instant::now();
        let error = WatchedBody::new(SdkBody::from_body_1_x(Silent)).collect().await.unwrap_err();
        assert_eq!((error.kind(), Instant::now() - begun), (HttpErrorKind::Timeout, ATTEMPT_TIMEOUT));
    }

    #[tokio::test]
    async fn a_body_comes_as_it_is() {
        let body = WatchedBody::new(SdkBody::from("some bytes"));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "some bytes");
    }
}
