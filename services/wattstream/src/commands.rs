//! The verbs, one file each. Every function here is a verb; it returns when the verb is done.

mod charts;
mod dead_letters;
mod detect;
mod doctor;
mod ingest;
mod proxy;
mod query;
mod replay;
mod tap;
mod top;
mod up;
mod verify;

pub(crate) use charts::charts;
pub(crate) use dead_letters::dead_letters;
pub(crate) use detect::detect;
pub(crate) use doctor::doctor;
pub(crate) use ingest::ingest;
pub(crate) use proxy::proxy;
pub(crate) use query::{anomalies, records, summary};
pub(crate) use replay::replay;
pub(crate) use tap::tap;
pub(crate) use top::top;
pub(crate) use up::{LocalAlerts, up};
pub(crate) use verify::verify;
