//! The watch over silent sites as a Lambda function, which EventBridge Scheduler calls once an interval.
//!
//! ```text
//!   scheduled time ──► Consumption: how far has the stream been read? ──► SilenceWatch ──► alerts
//! ```
//!
//! What must always hold:
//! - **No site is called silent for what the consumer has not read**, as far as [`Consumption`] can tell, which has one
//!   exception. When the stream lags, the check looks at the time before the lag, and a consumer that stands still makes nobody
//!   silent.
//! - **A call may be made twice, late, or by two instances at once**: what it tells has one id, and what it keeps one place. It
//!   is a function of the scheduled time and of what is stored.

mod consumption;
mod silent_after;

use serde::Serialize;
use wattstream_domain::{Heard, Timestamp};
use wattstream_engine::SilenceWatch;
use wattstream_engine::ports::{Alerts, Queries, Silences, Stream, Tables};
use wattstream_wire::{ScheduledTimeError, parse_scheduled_time};

pub use consumption::{Consumption, SHARDS_AT_ONCE_MAX};
pub use silent_after::{SilentAfter, SilentAfterError};

/// Why a check was not made, or not to its end. The next one does what is left.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The input of the schedule is not what it should be.
    #[error(transparent)]
    Input(#[from] ScheduledTimeError),
    /// The stream, the tables or the topic did not answer.
    #[error(transparent)]
    Port(#[from] wattstream_engine::Error),
}

/// What a check has found and done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Silences that are open after it.
    pub open: u64,
    /// Silences whose begin it has told.
    pub opened: u64,
    /// Silences whose end it has told.
    pub closed: u64,
    /// Silences of which there is something to tell that was not taken.
    pub waiting: u64,
    /// How far the stream was behind the scheduled time.
    pub lag_ms: i64,
}

/// Makes the check that was scheduled. It begins where the stream ends for the consumer: `since` is the beginning of time,
/// because the stream keeps what was sent while nobody listened.
pub async fn check<S, T, Q, N, A>(
    input: &str,
    consumption: &Consumption<S, T>,
    watch: &SilenceWatch<Q, N, A>,
) -> Result<Checked, CheckError>
where
    S: Stream,
    T: Tables,
    Q: Queries,
    N: Silences,
    A: Alerts,
{
    let scheduled = parse_scheduled_time(input)?;
    let until = consumption.until(scheduled).await?;
    let counts = watch.check(Heard { since: Timestamp::MIN, until }).await?;
    Ok(Checked {
        open: counts.open,
        opened: counts.opened,
        closed: counts.closed,
        waiting: counts.waiting,
        lag_ms: scheduled.ms_since(until),
    })
}

#[cfg(test)]
mod tests;
