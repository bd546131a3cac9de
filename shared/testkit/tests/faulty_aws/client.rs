//! A client that looks at bytes: it tells a reset from an end, and an end from silence.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use wattstream_testkit::faulty_aws::FaultyAws;

/// How long a client waits for a byte. It is a limit for hangs, not a measurement.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) path: &'static str,
    pub(crate) target: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) patience: Duration,
}

/// How a call ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Answered(Answer),
    Broken { kind: ErrorKind, received: Vec<u8> },
    Silent,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Call {
    pub(crate) fn json(target: &'static str, body: &Value) -> Self {
        let body = body.to_string().into();
        Self { path: "/", target, content_type: "application/x-amz-json-1.0", body, patience: PATIENCE }
    }

    pub(crate) fn form(body: &str) -> Self {
        let content_type = "application/x-www-form-urlencoded";
        Self { path: "/", target: "", content_type, body: body.into(), patience: PATIENCE }
    }

    /// Makes the call on a connection of its own.
    pub(crate) fn make(&self, aws: &FaultyAws) -> Ending {
        let mut stream = self.send(aws);
        let mut received = Vec::new();
        match stream.read_to_end(&mut received) {
            Ok(_) => Ending::Answered(Answer::parse(&received)),
            Err(error) if is_timeout(&error) && received.is_empty() => Ending::Silent,
            Err(error) => Ending::Broken { kind: error.kind(), received },
        }
    }

    /// Sends the request, and leaves it to the caller to read or to leave.
    pub(crate) fn send(&self, aws: &FaultyAws) -> TcpStream {
        let address = aws.url().replace("http://", "");
        let mut stream = TcpStream::connect(&address).expect("the proxy listens");
        stream.set_read_timeout(Some(self.patience)).expect("the time is not zero");
        let Self { path, target, content_type, body, .. } = self;
        let target = if target.is_empty() { String::new() } else { format!("X-Amz-Target: {target}\r\n") };
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\n{target}Content-Type: {content_type}\r\nAuthorization: signed\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).expect("the proxy reads");
        stream
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

impl Answer {
    fn parse(received: &[u8]) -> Self {
        let end = received.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8(received[..end].to_vec()).expect("a head is text").to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
        Self { status, head, body: received[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }
}
