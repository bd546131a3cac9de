//! The API, in Lambda behind an HTTP API of API Gateway.

use std::process::ExitCode;

use wattstream_aws::lambda::{self, Function, StartError};
use wattstream_aws::{AwsQueries, DynamoDb, KinesisProducer, ProducerSettings, SqsDeadLetters, TableNames};
use wattstream_query_api::on_aws;

fn main() -> ExitCode {
    lambda::run(serve)
}

async fn serve(mut function: Function) -> Result<(), StartError> {
    let Function { environment, clients, .. } = &mut function;
    let tables = DynamoDb::new(clients, TableNames::from_environment(environment));
    let dead_letters =
        SqsDeadLetters::new(clients, environment.required("WATTSTREAM_DEAD_LETTERS_QUEUE_URL"));
    let stream = environment.required("WATTSTREAM_STREAM");
    let producer = KinesisProducer::new(clients, stream, ProducerSettings::default());
    environment.check()?;
    let gateway = on_aws(AwsQueries::new(tables, dead_letters), producer);
    function.serve(async |event| gateway.answer(event).await).await
}
