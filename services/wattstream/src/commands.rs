//! The verbs, one file each. Every function here is a verb; it returns when the verb is done.

mod dead_letters;
mod detect;
mod ingest;
mod query;
mod replay;
mod up;
mod verify;

pub use dead_letters::dead_letters;
pub use detect::detect;
pub use ingest::ingest;
pub use query::{anomalies, records, summary};
pub use replay::replay;
pub use up::{LocalAlerts, up};
pub use verify::verify;
