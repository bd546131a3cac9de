//! Questions to a running process over HTTP.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::Response;
use ureq::{Agent, RequestBuilder};
use wattstream_query_api::{TokenFile, TokenFileError};

use crate::cli::TokenArgs;

/// How long an answer may take: longer than any the API gives itself.
const TIMEOUT: Duration = Duration::from_secs(60);

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
        /// What kind of problem.
        title: String,
        /// What exactly, and how to mend it.
        detail: String,
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

/// RFC 9457 problem details, as far as a person needs them.
#[derive(Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    detail: String,
}

/// A process that can be asked.
pub(crate) struct Client {
    agent: Agent,
    base: String,
    /// The value of `Authorization`, when there is a token.
    authorization: Option<String>,
}

impl Client {
    /// The process at `url`, such as `http://127.0.0.1:8080`, with the token that it may ask for.
    pub(crate) fn new(url: &str, token: &TokenArgs) -> Result<Self, TokenFileError> {
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT)).build();
        let file = token.token_file.as_deref().map(TokenFile::read).transpose()?;
        let authorization = file.map(|file| format!("Bearer {}", file.first()));
        Ok(Self { agent: config.into(), base: url.trim_end_matches('/').to_owned(), authorization })
    }

    /// Asks for a document. Parameters are escaped.
    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        let url = format!("{}{path}", self.base);
        let request = self.authorized(self.agent.get(&url)).query_pairs(parameters.iter().copied());
        self.document(&url, request.call())
    }

    /// Posts bytes and reads the document that answers them.
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        media_type: &str,
        body: &[u8],
    ) -> Result<T, ClientError> {
        let url = format!("{}{path}", self.base);
        let request = self.authorized(self.agent.post(&url)).query_pairs(parameters.iter().copied());
        self.document(&url, request.header("content-type", media_type).send(body))
    }

    /// Deletes something.
    pub(crate) fn delete<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        let url = format!("{}{path}", self.base);
        let request = self.authorized(self.agent.delete(&url)).query_pairs(parameters.iter().copied());
        self.document(&url, request.call())
    }

    fn authorized<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        }
    }

    fn document<T: DeserializeOwned>(
        &self,
        url: &str,
        answer: Result<Response<ureq::Body>, ureq::Error>,
    ) -> Result<T, ClientError> {
        let unreachable =
            |source| ClientError::Unreachable { url: self.base.clone(), source: Box::new(source) };
        let mut answer = answer.map_err(unreachable)?;
        let status = answer.status();
        let foreign = || ClientError::Foreign { url: url.to_owned(), status: status.as_u16() };
        let body = answer.body_mut().with_config().limit(u64::MAX).read_to_vec().map_err(unreachable)?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| foreign());
        }
        let problem: Problem = serde_json::from_slice(&body).map_err(|_| foreign())?;
        Err(ClientError::Problem { title: problem.title, detail: problem.detail })
    }
}
