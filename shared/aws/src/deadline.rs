//! How much time a call has.
//!
//! An invocation of a Lambda function ends at a fixed instant, and whatever is in flight then is frozen with it. So the
//! shell says once when its work must be done ([`within`]), and every adapter under it asks how long it may still wait.
//! It is a property of the task and not an argument, because the ports are the same where there is no deadline.
//!
//! What must always hold: adapters run their requests inside of the caller's task, never in a task of their own, which would
//! know no deadline and could outlive the invocation.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wattstream_engine::{Error, Kind, Result};

/// The longest that one call to a port may take where nobody has set a deadline.
pub const CALL_TIME_MAX: Duration = Duration::from_secs(30);

tokio::task_local! {
    static DEADLINE: Instant;
}

/// Runs `work`, whose calls all end by `deadline`.
pub async fn within<F: Future>(deadline: Instant, work: F) -> F::Output {
    DEADLINE.scope(deadline, work).await
}

/// The instant by which a call that begins now must have ended.
pub(crate) fn of_this_call() -> Instant {
    DEADLINE.try_with(|deadline| *deadline).unwrap_or_else(|_| Instant::now() + CALL_TIME_MAX)
}

/// Runs one call to a port. Whatever it asks within shares one deadline: where nobody has set one, the call sets its own.
/// At the deadline the call is given up, and what it was `doing` may have been applied.
pub(crate) async fn keep<T>(doing: &'static str, call: impl Future<Output = Result<T>>) -> Result<T> {
    let deadline = of_this_call();
    timeout_at(deadline, within(deadline, call))
        .await
        .unwrap_or_else(|_| Err(Error::bare(Kind::Retry, doing)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_is_given_up_at_its_deadline_and_its_requests_share_it() {
        let begun = Instant::now();
        let call = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(of_this_call(), begun + CALL_TIME_MAX);
            std::future::pending::<Result<()>>().await
        };
        assert_eq!(keep("waiting", call).await.unwrap_err().kind(), Kind::Retry);
        assert_eq!(Instant::now(), begun + CALL_TIME_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_knows_the_deadline_of_its_task_and_has_a_limit_without_one() {
        assert_eq!(of_this_call(), Instant::now() + CALL_TIME_MAX);
        let deadline = Instant::now() + Duration::from_secs(3);
        within(deadline, async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(of_this_call(), deadline);
        })
        .await;
    }
}
