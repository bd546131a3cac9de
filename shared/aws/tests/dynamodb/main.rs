//! DynamoDB: the contract of the ports against local ones, and answers that no local one gives against a server of our own.

mod answers;
mod batches;
mod local_aws;
mod server;
mod signature;
mod store;
