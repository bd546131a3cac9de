//! Who may ask. What must always hold: the guard stands around the whole router, so that a route is closed until it is named
//! here as a public one; a request that it refuses has reached no handler, and learns nothing but how to ask.

mod token_file;
mod tokens;

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Span;

use crate::problem::{Problem, ProblemType};
use crate::routes::{docs, health, page};

pub use token_file::{
    NAME_CHARS_MAX, TOKEN_CHARS_MAX, TOKEN_CHARS_MIN, TOKEN_FILE_BYTES_MAX, TOKENS_MAX, TokenFile,
    TokenFileError, TokenMistake,
};
pub use tokens::Tokens;

/// Who may ask.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody who can reach the listener: the users of one machine.
    Open,
    /// Who sends one of these tokens. The page and the docs hold no data and are open, so that a browser can be asked for
    /// the token.
    Tokens(Tokens),
    /// Whom the authorizer of a gateway has let through: whoever hands the request over has put a [`Caller`] into its
    /// extensions, which nothing that comes over the network can do.
    Gateway,
}

/// Who asks, as was found out before the request came to a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    name: String,
}

/// The most characters of a caller's name that are kept for the log.
const CALLER_CHARS_MAX: usize = 128;

impl Caller {
    /// Somebody whom an authorizer knows by this name, such as the subject of a JWT or the ARN of a role.
    pub fn new(name: &str) -> Self {
        Self { name: name.chars().take(CALLER_CHARS_MAX).collect() }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What anybody may ask the process: whether it runs.
const PUBLIC: &[&str] = &[health::PROCESS_PATH];

/// What anybody may ask where the pages have to come before the token.
const PUBLIC_WITH_TOKENS: [&[&str]; 3] = [PUBLIC, page::PATHS, docs::PATHS];

impl Access {
    /// Whether anybody may ask this of a route. What no route matches, and what would change something, is never public.
    fn is_public(&self, method: &Method, route: Option<&str>) -> bool {
        let is_reading = method == Method::GET || method == Method::HEAD;
        let is_listed = |paths: &[&str]| route.is_some_and(|route| paths.contains(&route));
        match self {
            Self::Open => true,
            Self::Tokens(_) => is_reading && PUBLIC_WITH_TOKENS.into_iter().any(is_listed),
            Self::Gateway => is_reading && is_listed(PUBLIC),
        }
    }

    /// The name of the token that a request sends, when it is known.
    pub(crate) fn token_name(&self, headers: &HeaderMap) -> Option<String> {
        match self {
            Self::Tokens(tokens) => tokens.caller(bearer(headers)?).map(|caller| caller.name),
            Self::Open | Self::Gateway => None,
        }
    }

    /// Lets a request for a route through, with who asks where that had to be found out.
    fn admit(&self, request: &Request, route: Option<&str>) -> Result<Option<Caller>, Refusal> {
        if self.is_public(request.method(), route) {
            return Ok(None);
        }
        match self {
            Self::Open => Ok(None),
            Self::Tokens(tokens) => {
                let token = bearer(request.headers()).ok_or(Refusal::TokenMissing)?;
                tokens.caller(token).map(Some).ok_or(Refusal::TokenUnknown)
            }
            Self::Gateway => request.extensions().get().cloned().map(Some).ok_or(Refusal::NotAuthorized),
        }
    }
}

/// The token of the one `Authorization: Bearer TOKEN`.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = value.as_bytes().split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

/// Why a request goes no further.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    TokenMissing,
    TokenUnknown,
    NotAuthorized,
}

impl Refusal {
    /// The value of `WWW-Authenticate` (RFC 6750, section 3).
    const fn challenge(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::TokenMissing | Self::NotAuthorized => r#"Bearer realm="wattstream""#,
            Self::TokenUnknown => r#"Bearer realm="wattstream", error="invalid_token""#,
        })
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::TokenMissing => {
                "This address asks for a token: send one as `Authorization: Bearer TOKEN`. It is one of the lines of the \
                 file that the process was started with (--token-file); the command line sends it with --token-file FILE \
                 or WATTSTREAM_TOKEN_FILE."
            }
            Self::TokenUnknown => {
                "The token is none of those that the process was started with (--token-file). Compare it with the file, \
                 which is read when the process starts."
            }
            Self::NotAuthorized => {
                "The request came past the gateway's authorizer. Send it to the gateway, with what the authorizer asks for."
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let problem = Problem::new(ProblemType::Unauthenticated, self.detail());
        ([(header::WWW_AUTHENTICATE, self.challenge())], problem).into_response()
    }
}

/// Lets a request through to its route, or not.
pub(crate) async fn guard(
    State(access): State<Arc<Access>>,
    route: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    match access.admit(&request, route.as_ref().map(MatchedPath::as_str)) {
        Ok(None) => {}
        Ok(Some(caller)) => {
            Span::current().record("caller", caller.name());
            request.extensions_mut().insert(caller);
        }
        Err(refusal) => return refusal.into_response(),
    }
    next.run(request).await
}
