//! The deployed API: API Gateway of the local AWS, and requests signed for it (Signature Version 4).

use std::time::{Duration, SystemTime};

use serde_json::Value;
use ureq::Agent;
use wattstream_aws::{AccessKey, SignatureHeaders};
use wattstream_test_env::local_aws::REGION;

/// A limit for hangs: a function starts in a second at most, and answers in milliseconds.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Api {
    /// Where it is asked.
    address: String,
    /// The name by which API Gateway knows it; a name below `localhost` does not resolve everywhere.
    host: String,
    agent: Agent,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Api {
    /// The API that has this URL on AWS, where it is in a local AWS: the same API, below another domain.
    pub(crate) fn new(local_aws: &str, url: &str) -> Self {
        let host = url.strip_prefix("https://").and_then(|address| address.split_once('.'));
        let (id, _) = host.unwrap_or_else(|| panic!("{url} is no URL of an API"));
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(ANSWER_LIMIT));
        Self {
            address: local_aws.to_owned(),
            host: format!("{id}.execute-api.localhost"),
            agent: config.build().into(),
        }
    }

    /// The same API below the address of the local AWS, for who cannot give the request another name.
    pub(crate) fn path_url(&self) -> String {
        let (id, _) = self.host.split_once('.').expect("a name below a domain");
        format!("{}/_aws/execute-api/{id}/$default", self.address)
    }

    /// Asks without saying who asks.
    pub(crate) fn ask(&self, path: &str) -> Answer {
        self.send(path, &[])
    }

    /// Asks as the owner of these credentials.
    pub(crate) fn ask_as(&self, caller: &AccessKey, path: &str) -> Answer {
        self.send(path, &self.signature(caller, path))
    }

    /// The document that a caller who may ask is answered with, as text.
    pub(crate) fn text(&self, caller: &AccessKey, path: &str) -> String {
        let Answer { status, body } = self.ask_as(caller, path);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// As [`Api::text`], parsed.
    pub(crate) fn json(&self, caller: &AccessKey, path: &str) -> Value {
        let text = self.text(caller, path);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
    }

    /// Makes sure of who may ask: anybody whether the process runs, and everything else a known caller only.
    pub(crate) fn lets_in_only(&self, caller: &AccessKey) {
        let health = self.ask("/healthz");
        assert!(health.status == 200 && health.body.contains(r#""status":"ok""#), "{health:?}");
        let stranger = AccessKey {
            id: "AKIAUNKNOWN00000000".to_owned(),
            secret: "no secret".to_owned(),
            session_token: None,
        };
        for path in ["/", "/summary", "/records/home01", "/dead-letters", "/metrics", "/no-such-route"] {
            for answer in [self.ask(path), self.ask_as(&stranger, path)] {
                assert!(
                    [401, 403].contains(&answer.status),
                    "{path} is for callers who are known: {answer:?}"
                );
            }
        }
        assert_eq!(self.json(caller, "/summary")["site_count"], 0);
    }

    fn send(&self, path: &str, headers: &[(&str, String)]) -> Answer {
        let mut request = self.agent.get(format!("{}{path}", self.address)).header("host", &self.host);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let mut answer = request.call().unwrap_or_else(|error| panic!("{path}: {error}"));
        let body = answer.body_mut().with_config().limit(u64::MAX).read_to_string().expect("a text");
        Answer { status: answer.status().as_u16(), body }
    }

    fn signature(&self, caller: &AccessKey, path: &str) -> SignatureHeaders {
        let url = format!("https://{}{path}", self.host);
        caller.sign(REGION, SystemTime::now(), ("GET", &url, b"")).expect("a signature")
    }
}
