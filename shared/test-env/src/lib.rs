//! What tests need from outside the repository, and what it means when that is missing. Only tests and xtask depend on
//! this crate.
//!
//! - [`skip`]: the one way for a test to go without something, and [`everything_is_required`], when none may.
//! - [`local_aws`]: DynamoDB, SNS, SQS and Kinesis on this machine, as processes that end with the test.
//! - [`schemathesis`]: a program that asks an API at random whether it is as it is described.
//! - [`pinned`]: what it takes for a folder to count as installed.
//!
//! What must always hold: a test that goes without something says so; a process that a test started does not outlive
//! it, however the test ends; nothing listens anywhere but on the loopback, on a port that was free.

pub mod local_aws;
pub mod pinned;
mod requirement;
pub mod schemathesis;

pub use requirement::{everything_is_required, skip};
