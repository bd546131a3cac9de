//! The contract of the ports, to be run against every implementation.
//!
//! Each function takes a maker of empty stores and panics with what is broken. They need a tokio runtime with time, for
//! stores that work on threads of their own.
//!
//! What must always hold: nothing here asks more than the documentation of the ports promises, so that an
//! implementation over another store can keep it too.

mod alerts;
mod archive;
mod checkpoints;
mod dead_letters;
mod fleet;
mod live;
mod queries;
mod silences;
mod stream;
mod tables;

pub use alerts::alerts;
pub use archive::{WrittenArchive, archive};
pub use checkpoints::checkpoints;
pub use dead_letters::{LetterPages, dead_letter_admin, dead_letters};
pub use fleet::fleet_queries;
pub use live::{live_feed, live_queries};
pub use queries::queries;
pub use silences::silences;
pub use stream::{stream, stream_wakes};
pub use tables::tables;
