//! [`Gateway`]: the router behind an HTTP API of API Gateway, which hands requests to a Lambda function as JSON (payload format
//! version 2.0).
//!
//! ```text
//!   event ──► request, with the caller that the authorizer has found ──► router ──► reply
//! ```
//!
//! What must always hold:
//! - **Who asks comes from the request context alone**, which API Gateway writes, and never from a header, which the client
//!   writes. Whom no authorizer has let through is nobody, and [`Access::Gateway`](crate::Access::Gateway) refuses nobody's
//!   questions. (Who may invoke the function itself could write any context: that right is API Gateway's alone.)
//! - The router sees the path and the query as they came: nothing is resolved or decoded on the way.
//! - No request makes an invocation fail: what cannot be a request is refused by the router, as on one machine. Only an event
//!   that is none of API Gateway's is an error.
//!
//! Lambda takes requests and replies of 6 MB. API Gateway refuses a larger request itself; instead of a larger reply the client
//! gets a problem that says so.

mod event;
mod reply;

use axum::Router;
use serde_json::value::RawValue;
use tower::ServiceExt;

use event::Event;

pub use event::EventError;
pub use reply::{REPLY_BYTES_MAX, Reply};

/// The API as a Lambda function behind an HTTP API.
#[derive(Clone, Debug)]
pub struct Gateway {
    router: Router,
}

impl Gateway {
    /// Answers with this router, which is made with [`Access::Gateway`](crate::Access::Gateway).
    pub fn new(router: Router) -> Self {
        Self { router }
    }

    /// The reply to an event.
    pub async fn answer(&self, event: Box<RawValue>) -> Result<Reply, EventError> {
        let parsed = Event::parse(event.get())?;
        // The text may have megabytes, and is not needed while the request is worked on.
        drop(event);
        let Ok(response) = self.router.clone().oneshot(parsed.into_request()?).await;
        Ok(Reply::of(response).await)
    }
}
