//! The simulator as a Lambda function: EventBridge Scheduler calls it once an interval.

use std::process::ExitCode;

use wattstream_aws::lambda::{self, Function, StartError};
use wattstream_aws::{Environment, KinesisProducer, ProducerSettings};
use wattstream_simulator::{FleetSettings, ScheduledFleet};

fn main() -> ExitCode {
    lambda::run(serve)
}

async fn serve(mut function: Function) -> Result<(), StartError> {
    let stream = function.environment.required("WATTSTREAM_STREAM");
    let producer = KinesisProducer::new(&function.clients, stream, ProducerSettings::default());
    let settings = settings(&mut function.environment);
    function.environment.check()?;
    let fleet = ScheduledFleet::new(settings, producer)?;
    function.serve(async |event| fleet.send(event.get()).await).await
}

/// The fleet that the environment describes: that of `wattstream up` unless it says otherwise.
fn settings(environment: &mut Environment) -> FleetSettings {
    FleetSettings {
        seed: environment.parsed("WATTSTREAM_FLEET_SEED", 1),
        sites: environment.parsed("WATTSTREAM_FLEET_SITES", 12),
        interval_ms: environment.parsed("WATTSTREAM_FLEET_INTERVAL_MS", 300_000),
        faults_per_site_week: environment.parsed("WATTSTREAM_FLEET_FAULTS_PER_SITE_WEEK", 2),
    }
}
