//! How many requests a client may send. A token is a client, whatever address it comes from; who has none, or a wrong one, is told
//! apart by the address.
//!
//! What must always hold: whoever is refused is told when to come again, and everybody how much is left, in the headers of the IETF's
//! draft (draft-ietf-httpapi-ratelimit-headers); whether the process runs can always be asked; the clients that are remembered are
//! those of the last moments.
//!
//! A limit counts within one process. Behind a gateway there is none: instances come and go, and the gateway counts for all of them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::access::Access;
use crate::problem::{Problem, ProblemType};
use crate::routes::health;

/// How much is left.
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// How much there is.
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// A client that was quiet may send the requests of so many seconds at once: a page asks for all of its parts.
const BURST_S: u32 = 2;

/// Requests between two looks for clients that can be forgotten: those whose burst is full again.
const REQUESTS_BETWEEN_SWEEPS: u32 = 1_024;

/// The requests a second that a client may send on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit(NonZeroU32);

/// The most that can be asked for: more is no limit.
const REQUESTS_PER_S_MAX: u32 = 1_000_000;

impl RateLimit {
    /// Far beyond what people, pages and a sender of whole batches ask for, and what one client alone may take of a machine.
    pub const DEFAULT: Self = Self(NonZeroU32::new(1_000).expect("it is not zero"));
}

/// The text is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a limit is a whole number of requests a second from 1/s to {REQUESTS_PER_S_MAX}/s, such as 100/s")]
pub struct RateLimitError;

impl FromStr for RateLimit {
    type Err = RateLimitError;

    fn from_str(text: &str) -> Result<Self, RateLimitError> {
        let number = text.strip_suffix("/s").ok_or(RateLimitError)?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = if is_number { number.parse::<NonZeroU32>().ok() } else { None };
        number.filter(|number| number.get() <= REQUESTS_PER_S_MAX).map(Self).ok_or(RateLimitError)
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

/// Who is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Client {
    /// Who sends a token that is known, by the name of the token.
    Token(String),
    /// Anybody else, by the address; an IPv6 address by the network that a line is given.
    Address(IpAddr),
    /// Whoever is on a connection that has no address.
    Nobody,
}

type Limiter = RateLimiter<Client, DefaultKeyedStateStore<Client>, DefaultClock, StateInformationMiddleware>;

/// Counts the requests of each client.
pub(crate) struct Counter {
    access: Arc<Access>,
    limiter: Limiter,
    requests: AtomicU32,
    policy: HeaderValue,
}

impl Counter {
    /// Nothing counted yet.
    pub(crate) fn new(RateLimit(per_second): RateLimit, access: Arc<Access>) -> Self {
        let burst = per_second.saturating_mul(NonZeroU32::new(BURST_S).expect("it is not zero"));
        let policy = HeaderValue::from_str(&format!("\"requests\";q={burst};w={BURST_S}"));
        Self {
            access,
            limiter: RateLimiter::keyed(Quota::per_second(per_second).allow_burst(burst))
                .with_middleware::<StateInformationMiddleware>(),
            requests: AtomicU32::new(0),
            policy: policy.expect("a policy is made of digits, letters and signs"),
        }
    }

    /// Counts a request: how many more may come now, or in how many seconds one may.
    fn count(&self, client: &Client) -> Result<u32, u64> {
        if self.requests.fetch_add(1, Ordering::Relaxed).is_multiple_of(REQUESTS_BETWEEN_SWEEPS) {
            self.limiter.retain_recent();
        }
        match self.limiter.check_key(client) {
            Ok(state) => Ok(state.remaining_burst_capacity()),
            Err(refused) => {
                let wait = refused.wait_time_from(self.limiter.clock().now());
                Err(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
            }
        }
    }

    fn client_of(&self, request: &Request) -> Client {
        if let Some(name) = self.access.token_name(request.headers()) {
            return Client::Token(name);
        }
        let connected = request.extensions().get::<ConnectInfo<SocketAddr>>();
        connected.map_or(Client::Nobody, |ConnectInfo(peer)| Client::Address(network_of(peer.ip())))
    }

    fn tell(&self, headers: &mut HeaderMap, state: &str) {
        headers.insert(RATE_LIMIT_POLICY, self.policy.clone());
        let state = HeaderValue::from_str(&format!("\"requests\";{state}"));
        headers.insert(RATE_LIMIT, state.expect("a state is made of digits, letters and signs"));
    }
}

/// The address, or of IPv6 the first 64 bits, within which everybody has as many addresses as they like.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// Lets a request pass and says how many more may come, or refuses it and says when one may.
pub(crate) async fn limit(
    State(counter): State<Arc<Counter>>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    if route.as_ref().map(MatchedPath::as_str) == Some(health::PROCESS_PATH) {
        return next.run(request).await;
    }
    match counter.count(&counter.client_of(&request)) {
        Ok(remaining) => {
            let mut response = next.run(request).await;
            counter.tell(response.headers_mut(), &format!("r={remaining}"));
            response
        }
        Err(wait_s) => {
            let mut response = refusal(wait_s).into_response();
            counter.tell(response.headers_mut(), &format!("r=0;t={wait_s}"));
            response.headers_mut().insert(header::RETRY_AFTER, wait_s.into());
            response
        }
    }
}

fn refusal(wait_s: u64) -> Problem {
    let detail = format!(
        "More requests came from you than are taken (--rate-limit): ratelimit-policy says how many (q) in how many seconds (w). Come again \
         in {wait_s} s; many readings go into one POST /readings, and many records onto one page with `limit`."
    );
    Problem::new(ProblemType::TooManyRequests, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_of_requests_a_second() {
        assert_eq!("100/s".parse::<RateLimit>().unwrap().to_string(), "100/s");
        for text in
            ["", "100", "/s", "0/s", "-1/s", "+1/s", "1.5/s", "100/m", "1000001/s", "99999999999/s", " 1/s"]
        {
            assert_eq!(text.parse::<RateLimit>(), Err(RateLimitError), "{text}");
        }
    }

    #[test]
    fn addresses_of_one_line_are_one_client() {
        let network = |address: &str| network_of(address.parse().unwrap()).to_string();
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }

    #[test]
    fn clients_that_were_quiet_are_forgotten() {
        let limit = "1000000/s".parse().unwrap();
        let counter = Counter::new(limit, Arc::new(Access::Open));
        for number in 0..10 * REQUESTS_BETWEEN_SWEEPS {
            assert!(counter.count(&Client::Token(number.to_string())).is_ok());
        }
        assert!(counter.limiter.len() <= 2 * REQUESTS_BETWEEN_SWEEPS as usize, "{}", counter.limiter.len());
    }
}
