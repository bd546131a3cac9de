//! `wattstream proxy` as a real process, before an API that checks signatures as API Gateway does: it signs what came over the wire
//! once more, with the same key, and compares.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, and may say why")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use ureq::Agent;
use wattstream_aws::AccessKey;

const REGION: &str = "eu-west-1";

fn key() -> AccessKey {
    let [id, secret, token] = ["AKIDEXAMPLE", "secret-of-nobody", "token-of-a-session"].map(str::to_owned);
    AccessKey { id, secret, session_token: Some(token) }
}

/// An API behind IAM.
#[derive(Clone)]
struct Gateway {
    address: SocketAddr,
}

/// The gateway, and a runtime that it lives in.
fn gateway() -> (tokio::runtime::Runtime, SocketAddr) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback(answer).with_state(Gateway { address });
    runtime.spawn(async move { axum::serve(listener, app).await });
    (runtime, address)
}

async fn answer(State(gateway): State<Gateway>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let url = format!("http://{}{}", gateway.address, parts.uri);
    if !is_signed(parts.method.as_str(), &url, &body, &parts.headers) {
        return (StatusCode::FORBIDDEN, r#"{"message":"Forbidden"}"#).into_response();
    }
    let names: Vec<_> = parts.headers.keys().map(ToString::to_string).collect();
    let said = json!({
        "method": parts.method.as_str(), "uri": parts.uri.to_string(), "headers": names,
        "body": String::from_utf8(body.to_vec()).unwrap(),
        "if_none_match": parts.headers.get("if-none-match").map(|value| value.to_str().unwrap()),
    });
    if parts.uri.path() == "/slow" {
        // A first part at once, and then nothing: only who streams has it.
        let parts = futures::stream::unfold(0, |part| async move {
            if part == 1 {
                std::future::pending::<()>().await;
            }
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"first\n")), part + 1))
        });
        return Body::from_stream(parts).into_response();
    }
    (
        StatusCode::OK,
        [("etag", "\"7\""), ("keep-alive", "timeout=5"), ("content-type", "application/json")],
        said.to_string(),
    )
        .into_response()
}

fn is_signed(method: &str, url: &str, body: &[u8], headers: &HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(time) = time_of(header("x-amz-date")) else { return false };
    let expected = key().sign(REGION, time, (method, url, body)).unwrap();
    expected.iter().all(|(name, value)| header(name) == value)
}

/// `20250620T120000Z`.
fn time_of(text: &str) -> Option<SystemTime> {
    let digits = |range: std::ops::Range<usize>| text.get(range);
    let rfc = format!(
        "{}-{}-{}T{}:{}:{}Z",
        digits(0..4)?,
        digits(4..6)?,
        digits(6..8)?,
        digits(9..11)?,
        digits(11..13)?,
        digits(13..15)?
    );
    let at = wattstream_wire::parse_timestamp(&rfc).ok()?;
    let ms = at.ms_since(wattstream_wire::parse_timestamp("1970-01-01T00:00:00Z").ok()?);
    Some(SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).ok()?))
}

/// The proxy as a process.
struct Proxy {
    child: Child,
    url: String,
    agent: Agent,
    _stdout: Receiver<String>,
    _folder: tempfile::TempDir,
}

/// The command, with the key in its environment and the outputs of a stack whose API is there.
fn command(folder: &std::path::Path, api: SocketAddr, listen: &str) -> Command {
    let names = [
        "StreamName",
        "AlertsTopicArn",
        "DeadLettersQueueUrl",
        "OnFailureQueueUrl",
        "ReadingsTable",
        "HoursTable",
        "SitesTable",
        "ShardsTable",
        "AlertsTable",
        "SilencesTable",
    ];
    let mut outputs: serde_json::Map<_, _> =
        names.map(|name| (name.to_owned(), json!("x"))).into_iter().collect();
    outputs.insert("ApiUrl".into(), json!(format!("http://{api}/")));
    let file = folder.join("outputs.json");
    fs::write(&file, json!({ "wattstream-dev-compute": outputs }).to_string()).unwrap();
    let AccessKey { id, secret, session_token } = key();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wattstream"));
    command.args(["proxy", "--stack", file.to_str().unwrap(), "--listen", listen]);
    command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret).env("AWS_REGION", REGION);
    command.env("AWS_SESSION_TOKEN", session_token.unwrap()).env_remove("AWS_PROFILE");
    command
}

impl Proxy {
    fn start(api: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = command(folder.path(), api, "127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, stdout) = channel();
        let url = lines.next().expect("a first line").unwrap();
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(60)));
        Self { child, url, agent: config.build().into(), _stdout: stdout, _folder: folder }
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = request.call().expect("the proxy answers");
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    fn post(&self, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let mut request = self.agent.post(format!("{}/readings", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = request.send(body).expect("the proxy answers");
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_request_is_signed_as_it_goes_out_and_nothing_else_of_the_browser_goes_with_it() {
    let (_runtime, api) = gateway();
    let proxy = Proxy::start(api);
    let asked = [
        ("cookie", "session=1"),
        ("referer", "http://127.0.0.1/x"),
        ("authorization", "Bearer mine"),
        ("if-none-match", "\"7\""),
        ("x-hop", "1"),
        ("connection", "x-hop"),
    ];
    let (status, said) =
        proxy.get("/records/site:1?start=now-24h&end=2025-06-20T00%3A00%3A00%2B02%3A00", &asked);
    assert_eq!(status, 200, "{said}");
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["uri"], "/records/site:1?start=now-24h&end=2025-06-20T00%3A00%3A00%2B02%3A00");
    assert_eq!(said["if_none_match"], "\"7\"");
    let names = said["headers"].as_array().unwrap();
    for absent in ["cookie", "referer", "x-hop", "origin"] {
        assert!(!names.contains(&json!(absent)), "{absent} went out: {names:?}");
    }
    let (status, said) = proxy.post(&[("content-type", "application/x-ndjson")], "{\"a\":1}\n");
    assert!(status == 200 && said.contains(r#"{\"a\":1}\n"#), "{status} {said}");
}

#[test]
fn an_answer_comes_as_it_is_in_parts_and_without_headers_of_the_connection() {
    let (_runtime, api) = gateway();
    let proxy = Proxy::start(api);
    let answer = proxy.agent.get(format!("{}/", proxy.url)).call().unwrap();
    assert_eq!(answer.headers().get("etag").unwrap(), "\"7\"");
    assert!(answer.headers().get("keep-alive").is_none());
    let answer = proxy.agent.get(format!("{}/slow", proxy.url)).call().unwrap();
    let mut line = String::new();
    BufReader::new(answer.into_body().into_reader()).read_line(&mut line).unwrap();
    assert_eq!(line, "first\n");
}

#[test]
fn another_name_and_a_page_of_another_site_get_nothing() {
    let (_runtime, api) = gateway();
    let proxy = Proxy::start(api);
    let port = proxy.url.rsplit(':').next().unwrap();
    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1", "127.0.0.1:1"] {
        let (status, said) = proxy.get("/summary", &[("host", host)]);
        assert!(status == 421 && said.contains("answers at http://127.0.0.1:"), "{host}: {status} {said}");
    }
    let localhost = format!("localhost:{port}");
    assert_eq!(proxy.get("/summary", &[("host", &localhost)]).0, 200);
    let own = proxy.url.clone();
    for (origin, expected) in [("http://evil.example", 403), ("null", 403), (&own, 200)] {
        assert_eq!(proxy.post(&[("origin", origin)], "x").0, expected, "{origin}");
    }
    assert_eq!(proxy.post(&[("sec-fetch-site", "cross-site")], "x").0, 403);
}

#[test]
fn an_api_that_is_away_is_a_problem_and_an_address_beyond_the_loopback_none_at_all() {
    let nobody: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let proxy = Proxy::start(nobody);
    let (status, said) = proxy.get("/summary", &[]);
    assert!(status == 502 && said.contains("cannot be reached"), "{status} {said}");
    let folder = tempfile::tempdir().unwrap();
    let refused = command(folder.path(), nobody, "0.0.0.0:0").output().unwrap();
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && stderr.contains("loopback only"), "{stderr}");
}
