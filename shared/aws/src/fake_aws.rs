//! A service of AWS for unit tests: a web server that answers what the test says, also what no emulator would: refusals of
//! single entries, throttling, answers that lack something, a request that is applied and never answered.
//!
//! What must always hold: requests are answered one after the other, so that a test may keep its state in a plain variable; the
//! server is on a free port and ends with the test.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::{Clients, LocalEndpoints};

/// What a service is asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The name of the operation, where a header tells it.
    pub(crate) operation: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The document of a JSON protocol.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the SDK sends JSON")
    }
}

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Json(Value),
    Xml(String),
    /// An error of the JSON protocols: status and code.
    Error(u16, &'static str),
    /// The connection breaks.
    HangUp,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct FakeAws {
    url: String,
    _server: JoinSet<()>,
}

type Handler = Arc<Mutex<dyn FnMut(Request) -> Answer + Send>>;

impl FakeAws {
    pub(crate) async fn start(handler: impl FnMut(Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let handler: Handler = Arc::new(Mutex::new(handler));
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (connection, _) = listener.accept().await.expect("a connection");
                connections.spawn(serve(connection, Arc::clone(&handler)));
            }
        });
        Self { url, _server: server }
    }

    /// Clients whose every service this is.
    pub(crate) async fn clients(&self) -> Clients {
        Clients::of_local_aws(&LocalEndpoints::all_at(&self.url)).await
    }
}

/// Answers the requests of one connection. A client that goes away ends it.
async fn serve(connection: TcpStream, handler: Handler) {
    let mut connection = BufReader::new(connection);
    while let Some(request) = read_request(&mut connection).await {
        let answer = handler.lock().unwrap_or_else(PoisonError::into_inner)(request);
        let (status, content_type, body) = match answer {
            Answer::Json(body) => (200, "application/x-amz-json-1.1", body.to_string()),
            Answer::Xml(body) => (200, "text/xml", body),
            Answer::Error(status, code) => {
                (status, "application/x-amz-json-1.1", format!("{{\"__type\":\"{code}\"}}"))
            }
            Answer::HangUp => return,
        };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} As it is\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        if connection.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_request(connection: &mut BufReader<TcpStream>) -> Option<Request> {
    let (mut operation, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await.ok().filter(|&bytes| bytes > 0)?;
        if line.trim_end().is_empty() && !line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().expect("a length"),
            "x-amz-target" => operation = value.trim().rsplit('.').next().unwrap_or_default().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.ok()?;
    Some(Request { operation, body })
}
