//! One request and its answer: what is asked of the service behind, and what the client is told.
//!
//! What must always hold: a request that has begun is finished and written down even when its client has gone; the list
//! tells only of faults that happened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderValue, TRANSFER_ENCODING,
};
use hyper::http::request::Parts;
use hyper::http::uri::{Authority, Scheme};
use hyper::{Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::State;
use super::batch::{self, Cut};
use super::fault::{Fault, FaultKind};
use super::operation::{Operation, Service};
use super::page;
use super::refusal::{Refusal, refuse, respond};
use super::requests::Request;

/// How long a connection to a service may wait for its next request. The local AWS closes them after five seconds: one
/// that is closed at the very moment of its use would be a fault that nobody has planned.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// Where the services behind are.
#[derive(Clone, Debug)]
pub struct Upstreams {
    of_all: Authority,
    of_service: BTreeMap<Service, Authority>,
}

impl Upstreams {
    /// All services are at this URL, such as `http://127.0.0.1:4566`.
    pub fn all_at(url: &str) -> Self {
        Self { of_all: authority(url), of_service: BTreeMap::new() }
    }

    /// The same, but that service is at this URL.
    pub fn with(mut self, service: Service, url: &str) -> Self {
        self.of_service.insert(service, authority(url));
        self
    }

    fn of(&self, operation: &Operation) -> &Authority {
        self.of_service.get(&operation.service).unwrap_or(&self.of_all)
    }
}

fn authority(url: &str) -> Authority {
    let parsed: Option<Uri> = url.parse().ok().filter(|uri: &Uri| uri.scheme() == Some(&Scheme::HTTP));
    let authority = parsed.and_then(|uri| uri.into_parts().authority);
    authority.unwrap_or_else(|| panic!("the URL of a local AWS is http://HOST:PORT, not {url:?}"))
}

/// What the client gets.
#[derive(Debug)]
pub(super) enum Answer {
    /// All of it at once.
    Whole(Response<Bytes>),
    /// All of it in drops.
    Slow(Response<Bytes>, Duration),
    /// Half of it, and a reset.
    Cut(Response<Bytes>),
    /// A reset.
    Reset,
    /// Nothing, for as long as it waits.
    Silence,
}

impl Answer {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Whole(response) | Self::Slow(response, _) => Some(response.status().as_u16()),
            Self::Cut(_) | Self::Reset | Self::Silence => None,
        }
    }
}

/// What a request came to.
struct Outcome {
    answer: Answer,
    forwarded: usize,
    fault: Option<FaultKind>,
}

/// The way to the services behind, and back.
#[derive(Debug)]
pub(super) struct Exchange {
    upstreams: Upstreams,
    client: Client<HttpConnector, Full<Bytes>>,
    state: Arc<State>,
}

impl Exchange {
    pub(super) fn new(upstreams: Upstreams, state: Arc<State>) -> Self {
        let client = Client::builder(TokioExecutor::new()).pool_idle_timeout(IDLE_TIMEOUT).build_http();
        Self { upstreams, client, state }
    }

    /// Makes of a request what the plan says.
    pub(super) async fn answer(self: Arc<Self>, head: Parts, body: Bytes) -> Answer {
        let operation = Operation::of(&head, &body);
        let entries = batch::entries(&operation, &body);
        let request = Request {
            operation: operation.clone(),
            body: body.clone(),
            entries,
            forwarded: 0,
            fault: None,
            status: None,
        };
        let (place, fault) = self.state.lock().arrived(request);
        let asked = Asked { exchange: &self, head: &head, body, operation, entries };
        let outcome = match fault {
            Some(fault) if fault.kind().applies_to(&asked.operation) => asked.outcome(fault).await,
            _ => asked.passed().await,
        };
        let outcome = outcome.unwrap_or_else(Trouble::outcome);
        let mut course = self.state.lock();
        let written = &mut course.requests[place];
        written.forwarded = outcome.forwarded;
        written.fault = outcome.fault;
        written.status = outcome.answer.status();
        outcome.answer
    }

    async fn ask(
        &self,
        upstream: &Authority,
        head: &Parts,
        body: Bytes,
    ) -> Result<Response<Bytes>, Box<dyn std::error::Error>> {
        let mut uri = head.uri.clone().into_parts();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Some(upstream.clone());
        let mut request = hyper::Request::new(Full::new(body));
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = Uri::from_parts(uri)?;
        *request.headers_mut() = forwarded_headers(&head.headers);
        let (mut head, body) = self.client.request(request).await?.into_parts();
        head.headers.remove(CONNECTION);
        head.headers.remove(TRANSFER_ENCODING);
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }
}

/// The headers of the message, without those of the connection. An answer must come as plain text, to be cut.
fn forwarded_headers(of_client: &HeaderMap) -> HeaderMap {
    let mut headers = of_client.clone();
    for of_connection in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, EXPECT] {
        headers.remove(of_connection);
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
}

/// A request that has arrived.
struct Asked<'a> {
    exchange: &'a Exchange,
    head: &'a Parts,
    body: Bytes,
    operation: Operation,
    entries: usize,
}

impl Asked<'_> {
    /// Carries out a fault that can happen to the operation.
    async fn outcome(&self, fault: Fault) -> Result<Outcome, Trouble> {
        let kind = fault.kind();
        match fault {
            Fault::Throttled => Ok(self.refused(kind, Refusal::Throttled)),
            Fault::Unavailable => Ok(self.refused(kind, Refusal::Unavailable)),
            Fault::ErrorBefore => Ok(self.refused(kind, Refusal::Error)),
            Fault::ExpiredIterator => Ok(self.refused(kind, Refusal::ExpiredIterator)),
            Fault::ResetBefore => Ok(Outcome { answer: Answer::Reset, forwarded: 0, fault: Some(kind) }),
            Fault::ErrorAfter => {
                self.applied(kind, |_| Answer::Whole(refuse(&self.operation, Refusal::Error))).await
            }
            Fault::ResetAfter => self.applied(kind, |_| Answer::Reset).await,
            Fault::SilenceAfter => self.applied(kind, |_| Answer::Silence).await,
            Fault::CutBody => self.applied(kind, cut_short).await,
            Fault::SlowBody { over } => self.applied(kind, |answer| Answer::Slow(answer, over)).await,
            Fault::ShortPage { limit } => match page::at_most(limit, &self.body) {
                Some(body) => self.paged(body).await,
                None => self.passed().await,
            },
            Fault::Partial { taken } => match batch::cut(&self.operation, &self.body, taken) {
                Some(cut) if cut.taken() == 0 => Ok(self.taken_in_no_part(&cut)),
                Some(cut) => self.taken_in_part(&cut).await,
                None => self.passed().await,
            },
        }
    }

    /// Asks the service behind.
    async fn ask(&self, body: Bytes) -> Result<Response<Bytes>, Trouble> {
        let upstream = self.exchange.upstreams.of(&self.operation);
        let answer = self.exchange.ask(upstream, self.head, body).await;
        answer.map_err(|error| {
            Trouble(format!("the local AWS at {upstream} did not answer {}: {error:?}", self.operation))
        })
    }

    async fn passed(&self) -> Result<Outcome, Trouble> {
        let answer = Answer::Whole(self.ask(self.body.clone()).await?);
        Ok(Outcome { answer, forwarded: self.entries, fault: None })
    }

    fn refused(&self, fault: FaultKind, refusal: Refusal) -> Outcome {
        let answer = Answer::Whole(refuse(&self.operation, refusal));
        Outcome { answer, forwarded: 0, fault: Some(fault) }
    }

    async fn applied(
        &self,
        fault: FaultKind,
        answer: impl FnOnce(Response<Bytes>) -> Answer,
    ) -> Result<Outcome, Trouble> {
        let answer = answer(self.ask(self.body.clone()).await?);
        Ok(Outcome { answer, forwarded: self.entries, fault: Some(fault) })
    }

    async fn paged(&self, body: Bytes) -> Result<Outcome, Trouble> {
        let answer = Answer::Whole(self.ask(body).await?);
        Ok(Outcome { answer, forwarded: self.entries, fault: Some(FaultKind::ShortPage) })
    }

    async fn taken_in_part(&self, cut: &Cut) -> Result<Outcome, Trouble> {
        let of_service = self.ask(cut.asked.clone()).await?;
        let forwarded = cut.taken();
        if !of_service.status().is_success() {
            // What the service has refused as a whole is refused as a whole: nothing was taken.
            return Ok(Outcome { answer: Answer::Whole(of_service), forwarded, fault: None });
        }
        let (mut head, body) = of_service.into_parts();
        let unreadable = || Trouble(format!("an answer to {} cannot be read: {body:?}", self.operation));
        let whole = cut.answer(&body).ok_or_else(unreadable)?;
        // These were of the body that is replaced.
        head.headers.remove(CONTENT_LENGTH);
        head.headers.remove("x-amz-crc32");
        let answer = Answer::Whole(Response::from_parts(head, whole));
        Ok(Outcome { answer, forwarded, fault: Some(FaultKind::Partial) })
    }

    fn taken_in_no_part(&self, cut: &Cut) -> Outcome {
        let Some(body) = cut.answer_to_none() else {
            return self.refused(FaultKind::Throttled, Refusal::Throttled);
        };
        let answer = Answer::Whole(respond(&self.operation, StatusCode::OK, body));
        Outcome { answer, forwarded: 0, fault: Some(FaultKind::EveryEntry) }
    }
}

/// An answer without a body has no middle.
fn cut_short(answer: Response<Bytes>) -> Answer {
    if answer.body().is_empty() { Answer::Reset } else { Answer::Cut(answer) }
}

/// What has nothing to do with AWS: the service behind is away, or answers in words that are not known.
struct Trouble(String);

impl Trouble {
    /// The client is told with a status of a gateway, and the list as a request that was not forwarded.
    fn outcome(self) -> Outcome {
        let mut response = Response::new(self.0.into());
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        Outcome { answer: Answer::Whole(response), forwarded: 0, fault: None }
    }
}
