//! The stream consumer, in Lambda.

use std::process::ExitCode;

use wattstream_aws::lambda::{self, Function, StartError};
use wattstream_aws::{AwsAlerts, DynamoDb, SnsAlerts, SqsDeadLetters, TableNames};
use wattstream_engine::{Processor, ProcessorSettings, SnapshotPolicy};
use wattstream_stream_consumer::{StreamConsumer, new_instance_id};

fn main() -> ExitCode {
    lambda::run(serve)
}

async fn serve(mut function: Function) -> Result<(), StartError> {
    let Function { environment, clients, .. } = &mut function;
    let tables = DynamoDb::new(clients, TableNames::from_environment(environment));
    let dead_letters =
        SqsDeadLetters::new(clients, environment.required("WATTSTREAM_DEAD_LETTERS_QUEUE_URL"));
    let topic = SnsAlerts::new(clients, environment.required("WATTSTREAM_ALERTS_TOPIC_ARN"));
    let alerts = AwsAlerts::new(tables.clone(), topic);
    environment.check()?;
    let settings = ProcessorSettings {
        instance: new_instance_id(),
        snapshot_policy: SnapshotPolicy::WhenNeeded,
        is_cache_on: true,
    };
    let consumer = StreamConsumer::new(Processor::new(tables, dead_letters, alerts, settings));
    function.serve(async |event| consumer.handle(event).await).await
}
