//! Questions to a running process, or to the API on AWS, over HTTP.
//!
//! What must always hold: a question is sent as whoever the flags say, or not at all; parameters are escaped in one way, because
//! a signature covers the address as it goes over the wire.

use std::fmt::Write;
use std::io::Read;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::Response;
use ureq::{Agent, RequestBuilder};
use wattstream_query_api::TokenFile;

use crate::cli::AccessArgs;
use crate::signer::{Signable, Signer};
use crate::stack::Stack;

/// How long an answer may take: longer than any the API gives itself.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The status of an answer whose form is at fault, and nothing else.
const OK: u16 = 200;

/// The status of an answer that has not changed.
const NOT_MODIFIED: u16 = 304;
/// The status of an answer in another form than the one that was asked for.
pub(crate) const NOT_ACCEPTABLE: u16 = 406;

const EVENT_STREAM: &str = "text/event-stream";

/// What comes back from the network.
type Answer = Result<Response<ureq::Body>, ureq::Error>;

/// A document, and how to ask whether it is still that.
pub(crate) struct Tagged<T> {
    pub(crate) document: T,
    pub(crate) etag: Option<String>,
}

/// Why a question got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// Nobody answers there.
    #[error("no answer from {url}: {source}\nhint: is wattstream running? Another address goes with --url")]
    Unreachable {
        /// Where the question went.
        url: String,
        /// What the network says.
        source: Box<ureq::Error>,
    },
    /// The process answered that the question is wrong, or that it cannot answer.
    #[error("{title}: {detail}")]
    Problem {
        /// The status.
        status: u16,
        /// What kind of problem.
        title: String,
        /// What exactly, and how to mend it.
        detail: String,
    },
    /// The request could not be signed.
    #[error(
        "the request cannot be signed: {0}\nhint: `wattstream doctor --aws` looks at credentials and region"
    )]
    Unsigned(anyhow::Error),
    /// A gateway let nothing through to wattstream.
    #[error(
        "{url} answered {status} before wattstream was asked\nhint: an API behind IAM takes signed requests: add --iam, with \
         credentials that execute-api:Invoke is allowed to"
    )]
    Refused {
        /// Where the question went.
        url: String,
        /// The status.
        status: u16,
    },
    /// Something answered, but not a wattstream.
    #[error("{url} answered {status}, which is not an answer of wattstream")]
    Foreign {
        /// Where the question went.
        url: String,
        /// The status.
        status: u16,
    },
}

impl ClientError {
    /// The status of the answer, when there was one.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Problem { status, .. } | Self::Refused { status, .. } | Self::Foreign { status, .. } => {
                Some(*status)
            }
            Self::Unreachable { .. } | Self::Unsigned(_) => None,
        }
    }
}

/// RFC 9457 problem details, as far as a person needs them.
#[derive(Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    detail: String,
}

/// As whom the questions are asked.
enum Identity {
    Nobody,
    /// The value of `Authorization`.
    Bearer(String),
    /// Whoever the environment says.
    Iam(Signer),
}

/// A process that can be asked.
pub(crate) struct Client {
    agent: Agent,
    base: String,
    identity: Identity,
}

impl Client {
    /// The process at `url`, such as `http://127.0.0.1:8080`, or the API of the stack that is named in its place.
    pub(crate) fn new(url: &str, access: &AccessArgs) -> anyhow::Result<Self> {
        Self::with_patience(url, access, TIMEOUT)
    }

    /// The same, for somebody who waits no longer than this for an answer.
    pub(crate) fn with_patience(url: &str, access: &AccessArgs, patience: Duration) -> anyhow::Result<Self> {
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(patience)).build();
        let stack = access.stack.as_deref().map(Stack::read).transpose()?;
        let url = stack.as_ref().map_or(url, |stack| &stack.api_url);
        let (agent, base) = (config.into(), url.trim_end_matches('/').to_owned());
        Ok(Self { agent, base, identity: Identity::of(access)? })
    }

    /// Where the questions go.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Asks for a document.
    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        let url = self.url(path, parameters);
        let request =
            self.identity.prove(self.agent.get(&url), Signable { method: "GET", url: &url, body: b"" })?;
        self.document(&url, request.call())
    }

    /// Asks for a text.
    pub(crate) fn get_text(&self, path: &str) -> Result<String, ClientError> {
        let url = self.url(path, &[]);
        let request =
            self.identity.prove(self.agent.get(&url), Signable { method: "GET", url: &url, body: b"" })?;
        let foreign = |_| ClientError::Foreign { url: url.clone(), status: OK };
        String::from_utf8(self.body(&url, request.call())?).map_err(foreign)
    }

    /// Asks for a document unless it is still the one that this tag names; `None` then.
    pub(crate) fn get_newer<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        etag: Option<&str>,
    ) -> Result<Option<Tagged<T>>, ClientError> {
        let url = self.url(path, parameters);
        let mut request = self.agent.get(&url).header("accept", "application/json");
        if let Some(etag) = etag {
            request = request.header("if-none-match", etag);
        }
        let request = self.identity.prove(request, Signable { method: "GET", url: &url, body: b"" })?;
        let answer = request.call();
        if answer.as_ref().is_ok_and(|answer| answer.status() == NOT_MODIFIED) {
            return Ok(None);
        }
        let etag = answer.as_ref().ok().and_then(|answer| header(answer, "etag"));
        Ok(Some(Tagged { etag, document: self.document(&url, answer)? }))
    }

    /// Asks for a stream of events, from the one after `last_event_id` on. Nothing limits how long it goes on: whoever reads it does.
    pub(crate) fn events(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        last_event_id: Option<&str>,
    ) -> Result<impl Read + Send + use<>, ClientError> {
        let url = self.url(path, parameters);
        let mut request = self.agent.get(&url).header("accept", EVENT_STREAM);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let request = self.identity.prove(request, Signable { method: "GET", url: &url, body: b"" })?;
        let (limits, patience) = (request.config(), Some(TIMEOUT));
        let answer = limits.timeout_global(None).timeout_recv_response(patience).build().call();
        match answer {
            Ok(answer) if answer.status().is_success() => {
                if header(&answer, "content-type").is_some_and(|form| form.starts_with(EVENT_STREAM)) {
                    return Ok(answer.into_body().into_with_config().limit(u64::MAX).reader());
                }
                Err(ClientError::Foreign { url, status: NOT_ACCEPTABLE })
            }
            answer => {
                let body = self.body(&url, answer)?;
                Err(refusal(&url, OK, &body))
            }
        }
    }

    /// Posts bytes and reads the document that answers them.
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        media_type: &str,
        body: &[u8],
    ) -> Result<T, ClientError> {
        let url = self.url(path, parameters);
        let request =
            self.identity.prove(self.agent.post(&url), Signable { method: "POST", url: &url, body })?;
        self.document(&url, request.header("content-type", media_type).send(body))
    }

    /// Deletes something.
    pub(crate) fn delete<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        let url = self.url(path, parameters);
        let request = self
            .identity
            .prove(self.agent.delete(&url), Signable { method: "DELETE", url: &url, body: b"" })?;
        self.document(&url, request.call())
    }

    fn url(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let mut url = format!("{}{path}", self.base);
        for (index, (name, value)) in parameters.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            push_escaped(&mut url, value);
        }
        url
    }

    fn document<T: DeserializeOwned>(&self, url: &str, answer: Answer) -> Result<T, ClientError> {
        let body = self.body(url, answer)?;
        let foreign = |_| ClientError::Foreign { url: url.to_owned(), status: OK };
        serde_json::from_slice(&body).map_err(foreign)
    }

    /// The bytes of an answer that says that all is well.
    fn body(&self, url: &str, answer: Answer) -> Result<Vec<u8>, ClientError> {
        let unreachable =
            |source| ClientError::Unreachable { url: self.base.clone(), source: Box::new(source) };
        let mut answer = answer.map_err(unreachable)?;
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(u64::MAX).read_to_vec().map_err(unreachable)?;
        if status.is_success() { Ok(body) } else { Err(refusal(url, status.as_u16(), &body)) }
    }
}

fn header(answer: &Response<ureq::Body>, name: &str) -> Option<String> {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Why an answer of this status is none.
fn refusal(url: &str, status: u16, body: &[u8]) -> ClientError {
    match (serde_json::from_slice(body), status) {
        (Ok(Problem { title, detail }), _) => ClientError::Problem { status, title, detail },
        (Err(_), 401 | 403) => ClientError::Refused { url: url.to_owned(), status },
        (Err(_), _) => ClientError::Foreign { url: url.to_owned(), status },
    }
}

impl Identity {
    fn of(access: &AccessArgs) -> anyhow::Result<Self> {
        match &access.token_file {
            _ if access.iam => Signer::from_environment().map(Self::Iam),
            Some(path) => Ok(Self::Bearer(format!("Bearer {}", TokenFile::read(path)?.first()))),
            None if access.stack.is_some() => Signer::from_environment().map(Self::Iam),
            None => Ok(Self::Nobody),
        }
    }

    /// Puts into the request's headers who asks.
    fn prove<B>(
        &self,
        request: RequestBuilder<B>,
        signable: Signable<'_>,
    ) -> Result<RequestBuilder<B>, ClientError> {
        match self {
            Self::Nobody => Ok(request),
            Self::Bearer(token) => Ok(request.header("authorization", token)),
            Self::Iam(signer) => {
                let headers = signer.sign(signable).map_err(ClientError::Unsigned)?;
                Ok(headers.iter().fold(request, |request, (name, value)| request.header(*name, value)))
            }
        }
    }
}

/// Appends a value as RFC 3986 has it: everything but unreserved characters as `%XX`.
fn push_escaped(url: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            write!(url, "%{byte:02X}").expect("a String takes every write");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_escaped_so_that_it_means_itself() {
        let client = Client::new("http://127.0.0.1:1/", &AccessArgs::default()).unwrap();
        assert_eq!(client.url("/summary", &[]), "http://127.0.0.1:1/summary");
        assert_eq!(
            client.url("/records/a", &[("start", "2025-06-20T00:00:00+02:00"), ("end", "a b&c/ü~")]),
            "http://127.0.0.1:1/records/a?start=2025-06-20T00%3A00%3A00%2B02%3A00&end=a%20b%26c%2F%C3%BC~"
        );
    }
}
