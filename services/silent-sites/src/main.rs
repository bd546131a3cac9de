//! The watch over silent sites, in Lambda.

use std::process::ExitCode;

use wattstream_aws::lambda::{self, Function, StartError};
use wattstream_aws::{
    AwsAlerts, AwsQueries, DynamoDb, KinesisStream, Polling, SnsAlerts, SqsDeadLetters, TableNames,
};
use wattstream_engine::{SilencePorts, SilenceWatch};
use wattstream_silent_sites::{Consumption, SilentAfter, check};

fn main() -> ExitCode {
    lambda::run(serve)
}

async fn serve(mut function: Function) -> Result<(), StartError> {
    let Function { environment, clients, .. } = &mut function;
    let tables = DynamoDb::new(clients, TableNames::from_environment(environment));
    let dead_letters =
        SqsDeadLetters::new(clients, environment.required("WATTSTREAM_DEAD_LETTERS_QUEUE_URL"));
    let topic = SnsAlerts::new(clients, environment.required("WATTSTREAM_ALERTS_TOPIC_ARN"));
    let stream = KinesisStream::new(clients, environment.required("WATTSTREAM_STREAM"), Polling::default());
    let silent_after = environment.parsed("WATTSTREAM_SILENT_AFTER", SilentAfter::default());
    environment.check()?;
    let ports = SilencePorts {
        queries: AwsQueries::new(tables.clone(), dead_letters),
        silences: tables.clone(),
        alerts: AwsAlerts::new(tables.clone(), topic),
    };
    let watch = SilenceWatch::new(ports, silent_after.intervals());
    let consumption = Consumption::new(stream, tables);
    function.serve(async |event| check(event.get(), &consumption, &watch).await).await
}
