//! What tests are made of. Only tests depend on this crate.
//!
//! ```text
//!   logs ──► deliveries ──► Processor ──► Faulty ──► MemoryStore
//!     │                                                   │
//!     └────► oracle ─────────── agree? ───────────────────┘
//! ```
//!
//! - [`Site`], [`reading`], [`at`]: builders for unit tests.
//! - [`MemoryStore`]: every port over plain maps, which [`Contents`] clones and compares.
//! - [`Faulty`]: a store whose calls fail, lose their reply or are cut off, by a script or by chance ([`Faults`]).
//! - [`faulty_aws`]: a local AWS whose answers go wrong, for real clients, and the list of what they asked.
//! - [`write_units`]: what a request to DynamoDB costs, worked out from its body.
//! - [`logs`]: strategies for logs with every kind of record, over shards that split and merge.
//! - [`deliveries`]: a log delivered in any cut and repetition, by instances that crash and take over from each other.
//! - [`oracle`]: what a log means, worked out the slow and obvious way.
//! - [`silences`]: sites that fall silent and speak again, and checks of them that meet trouble.
//! - [`properties`]: what must hold for every log and every course of deliveries.
//! - [`contract`]: what every implementation of a port must do.
//! - [`lambda`]: Lambda functions as processes, with the Runtime API that they poll.
//! - [`local_aws`]: DynamoDB, SNS, SQS and Kinesis on this machine, as processes of one test.
//! - [`skip`]: the one way for a test to go without something.
//!
//! What must always hold: everything is a function of its arguments. There is no clock and no randomness but a seed, so
//! a failure that was seen once can be seen again. Only [`local_aws`], [`faulty_aws`] and [`lambda`] have sockets and real
//! time; what goes wrong in the second is still a function of a seed.

mod builders;
pub mod contract;
pub mod deliveries;
mod fault;
pub mod faulty_aws;
pub mod lambda;
pub mod logs;
mod memory;
pub mod oracle;
pub mod properties;
mod shards;
pub mod silences;
pub mod write_units;

pub use builders::{Site, at, energy, payload, position, reading, record};
pub use fault::{Fault, Faults, Faulty};
pub use memory::{Contents, LetterKey, MemoryStore};
pub use shards::{Numbers, ShardLog, Shards};
pub use wattstream_test_env::{local_aws, skip};
