//! The ports of the engine on AWS: Kinesis, DynamoDB, SNS and SQS.
//!
//! ```text
//!   Tables, Silences ──► DynamoDB        Producer, Stream ──► Kinesis
//!   Alerts           ──► DynamoDB, SNS   DeadLetters      ──► SQS
//!   Queries, DeadLetterAdmin ──► DynamoDB, SQS
//! ```
//!
//! What must always hold:
//! - No other crate sees the AWS SDK.
//! - Every call ends before the [deadline] of its task; outside of one, before a limit of its own. A call that was given up may
//!   have been applied all the same: that is what [`Kind::Retry`](wattstream_engine::Kind::Retry) means.
//! - An answer that took in a part of its entries is not a success. Every batch API goes through `batches`, which
//!   sends again what came back, with jitter.
//! - An error keeps its kind: `error` alone decides what the caller does about it.

mod alerts;
mod batches;
mod clients;
pub mod deadline;
mod dynamodb;
mod environment;
mod error;
#[cfg(test)]
mod fake_aws;
mod kinesis;
#[cfg(feature = "lambda")]
pub mod lambda;
mod local;
#[cfg(test)]
mod local_aws;
#[cfg(feature = "operator")]
mod operator;
mod queries;
mod sns;
mod sqs;

pub use alerts::AwsAlerts;
pub use clients::{ClientError, Clients, LocalEndpoints};
pub use dynamodb::{
    DynamoDb, FLEETS, IndexDefinition, KeyAttribute, KeyType, Projection, TableDefinition, TableNames,
    commit_request, fleet_of, hour_requests, reading_item, row_requests, table_definitions,
};
pub use environment::{Environment, EnvironmentError};
pub use kinesis::{
    DiscardedStream, Found, KinesisProducer, KinesisStream, LostRange, Packing, Polling, ProducerSettings,
    RECORD_BYTES_LIMIT, RECORD_BYTES_MAX_DEFAULT, Reread, lost_ranges,
};
pub use local::LocalAws;
#[cfg(feature = "operator")]
pub use operator::{AccessKey, Operator, RequestSigner, SignError, SignatureHeaders, doctor};
pub use queries::AwsQueries;
pub use sns::SnsAlerts;
pub use sqs::{PEEK_MESSAGES_MAX, QueueContents, SqsDeadLetters};
