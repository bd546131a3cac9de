//! The fleet on a schedule: one call for one interval, as EventBridge Scheduler makes it.
//!
//! What must always hold: what is sent is a function of the scheduled time and not of the time of the call, so that a
//! call that is made twice, late or by two instances sends the same readings; the ranges of consecutive scheduled times
//! meet without a gap.

use serde::Serialize;
use wattstream_engine::ports::{NewRecord, Producer};
use wattstream_telemetry::event::SimulatorEmitted;
use wattstream_wire::{ScheduledTimeError, parse_scheduled_time};

use crate::{Fleet, FleetError, FleetSettings};

/// Readings that are handed to the producer together: they bound the memory of a call.
const APPEND_READINGS_MAX: usize = 5_000;

/// What a call has sent.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Readings, all of them durable in the stream.
    pub readings: u64,
}

/// Why a call has not sent everything. It may be made again: it sends the same.
#[derive(Debug, thiserror::Error)]
pub enum TickError {
    /// The input of the schedule is not what it should be.
    #[error(transparent)]
    Input(#[from] ScheduledTimeError),
    /// The settings make no fleet.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The stream did not take the readings.
    #[error(transparent)]
    Stream(#[from] wattstream_engine::Error),
}

/// A fleet whose schedule calls once an interval, and the stream that its readings go to.
#[derive(Debug)]
pub struct ScheduledFleet<P> {
    fleet: Fleet,
    producer: P,
}

impl<P: Producer> ScheduledFleet<P> {
    /// The fleet that these settings describe. Its schedule's rate must be its metering interval.
    pub fn new(settings: FleetSettings, producer: P) -> Result<Self, TickError> {
        Ok(Self { fleet: Fleet::new(settings)?, producer })
    }

    /// Sends what leaves the fleet in the interval that ends at the scheduled time, and returns when it is durable.
    pub async fn send(&self, input: &str) -> Result<Sent, TickError> {
        let to = parse_scheduled_time(input)?;
        let from = to.saturating_add_ms(-i64::from(self.fleet.settings().interval_ms));
        let mut due = self.fleet.due(from, to);
        let mut readings = 0;
        loop {
            let records: Vec<NewRecord> =
                due.by_ref().take(APPEND_READINGS_MAX).map(|emission| emission.to_record()).collect();
            if records.is_empty() {
                break;
            }
            let sent = records.len() as u64;
            self.producer.append(records).await?;
            SimulatorEmitted { readings: sent }.emit();
            readings += sent;
        }
        Ok(Sent { readings })
    }
}

#[cfg(test)]
mod tests;
