//! Who may ask: every address, with and without what it asks for.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use proptest::prelude::*;
use wattstream_query_api::{Access, Caller, TokenFile, Tokens};

use crate::harness::{Answer, Api, line, request};

const TOKEN: &str = "correct-horse-battery";
const OTHER: &str = "0123456789abcdef0123456789abcdef";

/// What anybody may ask, whatever else is closed.
pub(crate) const ALWAYS_PUBLIC: [&str; 1] = ["/healthz"];

/// What anybody may ask of a process with tokens: what holds no data.
const PUBLIC_WITH_TOKENS: [&str; 10] = [
    "/healthz",
    "/",
    "/page.css",
    "/page.js",
    "/icon.svg",
    "/docs",
    "/docs/",
    "/docs/swagger-ui.css",
    "/docs/swagger-initializer.js",
    "/openapi.json",
];

fn tokens() -> Access {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    std::fs::write(&path, format!("dashboard: {TOKEN}\n{OTHER}\n")).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    Access::Tokens(Tokens::from(&TokenFile::read(&path).unwrap()))
}

/// A way to be let in.
type Proof = fn(&mut Request<Body>);

fn with_token(request: &mut Request<Body>) {
    let value = HeaderValue::from_str(&format!("Bearer {TOKEN}")).unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, value);
}

fn with_caller(request: &mut Request<Body>) {
    request.extensions_mut().insert(Caller::new("arn:aws:sts::1:assumed-role/reader"));
}

/// Each way to close an API, how to be let in, and what is open all the same.
fn closed() -> [(Access, Proof, &'static [&'static str]); 2] {
    [(tokens(), with_token, &PUBLIC_WITH_TOKENS), (Access::Gateway, with_caller, &ALWAYS_PUBLIC)]
}

/// Every address that the description has, and every one that it has not, with each of its methods.
pub(crate) fn addresses() -> Vec<(Method, String)> {
    let description = serde_json::to_value(wattstream_query_api::openapi()).unwrap();
    let mut addresses = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        let path = path.replace("{site_id}", "home-01").replace("{id}", "shardId-000000000000:2:0");
        for method in item.as_object().unwrap().keys() {
            addresses.push((method.to_uppercase().parse().unwrap(), path.clone()));
        }
    }
    let described = addresses.len();
    assert_eq!(described, 21);
    addresses.extend(PUBLIC_WITH_TOKENS[1..].iter().map(|path| (Method::GET, (*path).to_owned())));
    addresses
}

async fn ask(api: &Api, method: &Method, path: &str, proof: Option<Proof>) -> Answer {
    let body = if path == "/readings" { line("x", "2025-06-20T00:00:00Z", "1", "1") } else { String::new() };
    let mut request = request(method.clone(), path, &[], Body::from(body));
    if let Some(prove) = proof {
        prove(&mut request);
    }
    api.ask(request).await
}

/// A store with a site and a dead letter, and an API over it.
async fn api(access: Access, prove: Proof) -> Api {
    let api = Api::with_access(access);
    let readings = line("home-01", "2025-06-20T00:00:00Z", "2", "1") + "\nnot a reading";
    let mut posted = request(Method::POST, "/readings", &[], Body::from(readings));
    prove(&mut posted);
    api.ask(posted).await.ok();
    api
}

fn assert_refused(answer: &Answer, asked: &dyn std::fmt::Debug) {
    assert_eq!(
        (answer.status, &*answer.problem()),
        (StatusCode::UNAUTHORIZED, "unauthenticated"),
        "{asked:?}"
    );
    let challenge = answer.header(header::WWW_AUTHENTICATE);
    assert!(challenge.starts_with("Bearer realm="), "{asked:?}: {challenge}");
    assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{asked:?}");
}

#[tokio::test]
async fn every_address_but_the_named_ones_asks_who_asks_and_answers_who_may() {
    for (access, prove, public) in closed() {
        for (method, path) in addresses() {
            let api = api(access.clone(), prove).await;
            let asked = (&access, &method, &path);
            let refused = ask(&api, &method, &path, None).await;
            let log = api.memory.log().len();
            if public.contains(&&*path) {
                assert!(refused.status.is_success() || refused.status.is_redirection(), "{asked:?}");
            } else {
                assert_refused(&refused, &asked);
                assert_eq!(log, 2, "{asked:?} reached the log");
            }
            let answered = ask(&api, &method, &path, Some(prove)).await;
            let is_answered = answered.status.is_success() || answered.status.is_redirection();
            assert!(is_answered, "{asked:?}: {} {:?}", answered.status, answered.body);
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_told_to_who_may_not_ask() {
    let cases = [
        (Method::GET, "/nowhere", StatusCode::NOT_FOUND),
        (Method::POST, "/summary", StatusCode::METHOD_NOT_ALLOWED),
        (Method::DELETE, "/healthz", StatusCode::METHOD_NOT_ALLOWED),
        (Method::POST, "/", StatusCode::METHOD_NOT_ALLOWED),
        (Method::OPTIONS, "/summary", StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, "/records/%ff", StatusCode::BAD_REQUEST),
        (Method::GET, "/healthz/", StatusCode::NOT_FOUND),
        (Method::GET, "//healthz", StatusCode::NOT_FOUND),
        (Method::GET, "/%68ealthz", StatusCode::NOT_FOUND),
        (Method::GET, "/page.js/../summary", StatusCode::NOT_FOUND),
    ];
    for (access, prove, _) in closed() {
        for (method, path, status) in cases.clone() {
            let api = Api::with_access(access.clone());
            assert_refused(&ask(&api, &method, path, None).await, &(&access, &method, path));
            assert_eq!(ask(&api, &method, path, Some(prove)).await.status, status, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn an_open_api_asks_nobody() {
    for (method, path) in addresses() {
        let api = api(Access::Open, |_| ()).await;
        let answer = ask(&api, &method, &path, None).await;
        assert!(answer.status.is_success() || answer.status.is_redirection(), "{method} {path}");
    }
}

#[tokio::test]
async fn a_token_is_taken_whole_and_once_and_nothing_else_is_taken_for_one() {
    let api = Api::with_access(tokens());
    let get = async |values: &[&[u8]]| {
        let mut request = request(Method::GET, "/summary", &[], Body::empty());
        for value in values {
            request.headers_mut().append(header::AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        api.ask(request).await
    };
    let bearer = |token: &str| format!("Bearer {token}").into_bytes();
    let good = bearer(TOKEN);
    for value in
        [&good[..], &bearer(OTHER), b"bearer correct-horse-battery", b"BEARER  correct-horse-battery "]
    {
        assert_eq!(get(&[value]).await.status, StatusCode::OK, "{:?}", String::from_utf8_lossy(value));
    }
    let unknown = r#"Bearer realm="wattstream", error="invalid_token""#;
    let missing = r#"Bearer realm="wattstream""#;
    let upper = TOKEN.to_uppercase();
    let cases: &[(&[&[u8]], &str)] = &[
        (&[], missing),
        (&[b""], missing),
        (&[b"Bearer"], missing),
        (&[TOKEN.as_bytes()], missing),
        (&[b"Basic Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"], missing),
        (&[&good, &good], missing),
        (&[b"Bearer "], unknown),
        (&[&bearer(&TOKEN[1..])], unknown),
        (&[&bearer(&TOKEN[..TOKEN.len() - 1])], unknown),
        (&[&bearer(&format!("{TOKEN}x"))], unknown),
        (&[&bearer(&format!("{TOKEN} {TOKEN}"))], unknown),
        (&[&bearer(&format!("dashboard: {TOKEN}"))], unknown),
        (&[&bearer(&upper)], unknown),
        (&[b"Bearer \xff\xfe"], unknown),
        (&[&bearer(&"x".repeat(8_000))], unknown),
    ];
    for (values, challenge) in cases {
        let answer = get(values).await;
        assert_refused(&answer, values);
        assert_eq!(answer.header(header::WWW_AUTHENTICATE), *challenge, "{values:?}");
        assert!(
            !answer.text().contains("horse") && answer.text().contains("--token-file"),
            "{}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_token_is_no_proof_at_a_gateway_and_a_caller_none_at_a_process_with_tokens() {
    for (access, proof) in [(tokens(), with_caller as Proof), (Access::Gateway, with_token)] {
        let api = Api::with_access(access);
        assert_refused(&ask(&api, &Method::GET, "/summary", Some(proof)).await, &"the other's proof");
    }
}

proptest! {
    #[test]
    fn no_address_opens_a_closed_api(
        method in prop::sample::select(vec![Method::GET, Method::HEAD, Method::POST, Method::DELETE, Method::PATCH]),
        path in "/(healthz|summary|metrics|docs|page\\.js|records|%2e%2e|\\.\\.|;|%2f|/|[a-z%.]{0,6}){0,5}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for (access, _, public) in closed() {
            let Ok(request) = Request::builder().method(&method).uri(&path).body(Body::empty()) else { return Ok(()) };
            let answer = runtime.block_on(Api::with_access(access).ask(request));
            let is_reading = method == Method::GET || method == Method::HEAD;
            let is_docs = public.contains(&"/docs/") && path.starts_with("/docs/");
            let is_public = is_reading && (public.contains(&&*path) || is_docs);
            prop_assert_eq!(answer.status == StatusCode::UNAUTHORIZED, !is_public, "{} {}", method, path);
        }
    }
}
