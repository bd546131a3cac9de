//! The stream consumer, in Lambda.

use wattstream_aws::lambda::{Function, StartError};
use wattstream_aws::{AwsAlerts, DynamoDb, SnsAlerts, SqsDeadLetters, TableNames};
use wattstream_engine::{Processor, ProcessorSettings, SnapshotPolicy};
use wattstream_stream_consumer::{StreamConsumer, new_instance_id};

// One invocation at a time: a second thread would only cost memory and locks.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartError> {
    let mut function = Function::start("stream-consumer").await?;
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
