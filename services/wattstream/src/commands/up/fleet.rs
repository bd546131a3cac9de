//! The simulated fleet at its pace: readings on the stream when they are due.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wattstream_domain::detect::WARM_UP_MS;
use wattstream_domain::{SiteId, SiteState, Timestamp};
use wattstream_engine::ports::{NewRecord, Producer};
use wattstream_simulator::{Emission, Fault, FaultKind, Fleet, FleetSettings, Pace};
use wattstream_telemetry::event::SimulatorEmitted;

use crate::cli::UpArgs;

/// Readings that go to the log together while the fleet catches up.
const BATCH_READINGS: usize = 5_000;
/// How long to wait when the log does not take readings. They are not lost: the fleet makes the same ones again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Faults by themselves: twelve sites have three or four a day.
const FAULTS_PER_SITE_WEEK: u32 = 2;

/// A fleet that is ready to start.
pub(super) struct LiveFleet {
    /// The fleet without faults, which a store that is new to it sees until detection has learned what is usual.
    faultless: Fleet,
    /// The first instant that faults are for.
    faults_from: Timestamp,
    fleet: Fleet,
    pace: Pace,
    /// The first instant whose readings have not been sent.
    from: Timestamp,
    /// A fault that shows soon, for somebody who has just started.
    pub(super) fault: Option<Fault>,
}

impl LiveFleet {
    /// The fleet that the flags describe, from where the stored `sites` of an earlier run left off, or from the beginning
    /// of the backfill.
    pub(super) fn new(args: &UpArgs, now: Timestamp, sites: &[SiteState]) -> anyhow::Result<Self> {
        let interval_ms = u32::try_from(args.interval.as_millis()).unwrap_or(u32::MAX);
        let settings =
            FleetSettings { seed: args.seed, sites: args.sites, interval_ms, faults_per_site_week: 0 };
        let faultless = Fleet::new(settings)?;
        let mut fleet = Fleet::new(FleetSettings { faults_per_site_week: FAULTS_PER_SITE_WEEK, ..settings })?;
        let resumed = newest_emission(&fleet, sites);
        // At more than live speed an earlier run may have come further than the clock.
        let start = resumed.map_or(now, |resumed| resumed.max(now));
        let backfill_ms = i64::try_from(args.backfill.as_millis()).unwrap_or(i64::MAX);
        let from = start.saturating_add_ms(-backfill_ms).max(resumed.unwrap_or(Timestamp::MIN));
        let fault = fleet.next_fault(FaultKind::NegativeEnergy, start);
        if let Some(fault) = fault {
            fleet.plant(fault)?;
        }
        let faults_from = if resumed.is_some() { from } else { from.saturating_add_ms(WARM_UP_MS) };
        Ok(Self { faultless, faults_from, fleet, pace: Pace { start, speed: args.speed }, from, fault })
    }

    /// Sends what is due, until cancelled.
    pub(super) async fn run(self, producer: impl Producer, cancelled: CancellationToken) {
        let started = Instant::now();
        let quiet = self.faultless.due(self.from, self.faults_from);
        let mut due = quiet.chain(self.fleet.due(self.faults_from.max(self.from), Timestamp::MAX)).peekable();
        while let Some(next) = due.peek() {
            let wait = self.pace.wait(next.at, started.elapsed());
            if !wait.is_zero() {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = cancelled.cancelled() => return,
                }
            }
            let reached = self.pace.simulated(started.elapsed());
            let batch: Vec<Emission> =
                std::iter::from_fn(|| due.next_if(|next| next.at <= reached)).take(BATCH_READINGS).collect();
            send(&producer, &batch, &cancelled).await;
            if cancelled.is_cancelled() {
                return;
            }
        }
    }
}

/// The instant from which on the fleet has something new to send: the end of the newest interval that is stored.
fn newest_emission(fleet: &Fleet, sites: &[SiteState]) -> Option<Timestamp> {
    let ours: HashSet<SiteId> = fleet.sites().iter().map(|site| site.id).collect();
    let is_ours = |state: &&SiteState| ours.contains(&state.site_id);
    let newest = sites.iter().filter(is_ours).filter_map(|state| state.totals.last_seen).max()?;
    Some(newest.saturating_add_ms(fleet.settings().interval_ms.into()))
}

async fn send(producer: &impl Producer, batch: &[Emission], cancelled: &CancellationToken) {
    let records: Vec<NewRecord> = batch.iter().map(Emission::to_record).collect();
    while let Err(error) = producer.append(records.clone()).await {
        tracing::warn!(%error, "The fleet's readings were not taken and are sent again.");
        tokio::select! {
            () = tokio::time::sleep(RETRY_AFTER) => {}
            () = cancelled.cancelled() => return,
        }
    }
    SimulatorEmitted { readings: batch.len() as u64 }.emit();
}
