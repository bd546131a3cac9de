//! The watch over silent sites, by the wall clock. What must always hold: it calls no site silent for a time in which this
//! process was not there to hear it, or has not read what it sent.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wattstream_domain::Heard;
use wattstream_embedded::Store;
use wattstream_engine::SilenceWatch;

use super::{LagProbe, system_clock};
use crate::commands::LocalAlerts;

/// How often the clock is held against the sites. It costs as much as a page that asks for `/summary` once, and is short
/// beside the intervals of meters.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Looks for sites that have fallen silent or speak again, until cancelled.
pub(super) async fn look(
    watch: SilenceWatch<Store, Store, LocalAlerts>,
    lag: LagProbe,
    cancelled: CancellationToken,
) {
    let clock = system_clock();
    let since = clock();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = cancelled.cancelled() => return,
        }
        let lag_ms = i64::try_from(lag.lag_ms()).unwrap_or(i64::MAX);
        let heard = Heard { since, until: clock().saturating_add_ms(-lag_ms) };
        if let Err(error) = watch.check(heard).await {
            tracing::warn!(%error, "Silent sites could not be looked for; it is tried again.");
        }
    }
}
