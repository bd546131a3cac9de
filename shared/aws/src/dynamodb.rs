//! [`Tables`](wattstream_engine::ports::Tables), the reading side of the projections, alerts as rows, and
//! [`Silences`](wattstream_engine::ports::Silences), on DynamoDB.
//!
//! | table | partition | sort | one item |
//! |---|---|---|---|
//! | readings | `site_id` | `timestamp` | a reading; index `anomalies` over those with findings |
//! | hours | `site_id` | `hour` | a closed hour of a site |
//! | sites | `site_id` | | the snapshot of a site; index `fleet` lists them |
//! | shards | `shard` | | the mark of a shard |
//! | alerts | `fleet` | `alert_at` | an alert |
//! | silences | `phase` | `silence_after` | a silence that has begun and whose end has not been told |
//!
//! The attributes and the form of their values are a contract with every other reader: `docs/tables.md`.
//!
//! What must always hold:
//! - A call writes each key at most once, and repeating it changes nothing.
//! - What the fold reads is read consistently. Nothing ever scans.
//! - A steady batch of n readings costs ceil(n/25) requests and n write units, and one of each for a snapshot that is due:
//!   a state has room in one unit, and neither index changes with it.
//!
//! # What a reader sees
//!
//! A snapshot is stored only when the rows could not bring the state back. So a reader reads a site's snapshot and then the rows
//! after its newest reading, and folds them ([`fold_tail`](wattstream_domain::fold_tail)): the totals, the open hour and the
//! newest instant of the answer are those of the last row. The snapshot is read first: rows that a batch adds meanwhile are
//! folded as well, and none is missed.

mod alerts;
mod decode;
mod encode;
mod json;
mod local;
mod queries;
mod reads;
mod schema;
mod silences;
mod tables;
mod writes;

use std::sync::Arc;

use wattstream_domain::Row;
use wattstream_engine::{Error, Kind};

use crate::Clients;

pub use schema::{
    FLEETS, IndexDefinition, KeyAttribute, KeyType, Projection, TableDefinition, TableNames, fleet_of,
    table_definitions,
};
pub use writes::{commit_request, hour_requests, row_requests};

/// Requests of one call that may be in flight together, each on a connection of its own. At the few milliseconds that
/// DynamoDB takes for one, sixteen keep two cores busy.
const REQUESTS_IN_FLIGHT_MAX: usize = 16;

/// The tables on DynamoDB. Clones share connections.
#[derive(Clone, Debug)]
pub struct DynamoDb {
    client: aws_sdk_dynamodb::Client,
    tables: Arc<TableNames>,
}

/// Appends a reading's item as DynamoDB's JSON: what a request holds, and an import from S3.
pub fn reading_item(row: &Row, out: &mut Vec<u8>) {
    encode::reading(row, out);
}

impl DynamoDb {
    /// The tables with these names.
    pub fn new(clients: &Clients, tables: TableNames) -> Self {
        Self { client: clients.dynamodb.clone(), tables: Arc::new(tables) }
    }
}

/// The error of an answer without what every answer has. Whether the request was applied cannot be known, and nothing is
/// taken for written, or for not there, on the word of such an answer.
fn missing(member: &'static str) -> Error {
    Error::new(Kind::Retry, "reading an answer of DynamoDB", format!("{member} is missing"))
}

#[cfg(test)]
mod tests;
