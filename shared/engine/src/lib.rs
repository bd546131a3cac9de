//! The engine: what happens to a batch of records, whatever the stream and the tables are made of.
//!
//! ```text
//!   Stream ─► event source ─► Processor ─► Tables, DeadLetters, Alerts
//!                  │                          │                 ▲
//!             Checkpoints, OnFailure          └► SilenceWatch ──┘
//! ```
//!
//! [`ports`] are small traits that one machine and AWS implement; [`Processor`] folds batches into tables over them; the
//! event source delivers batches by Lambda's rules; [`SilenceWatch`] holds a clock against the tables and finds the sites
//! that send nothing. Errors carry a [`Kind`]: what the caller does about them.
//!
//! What must always hold: every record that is read ends in the tables or in the dead letters before the checkpoint
//! passes it; any deliveries of one log give the same tables; everything is bounded by a named limit.

mod alerting;
mod batch;
mod cache;
mod dead_letter;
mod error;
mod event_source;
mod live;
mod panic;
mod policy;
pub mod ports;
mod processor;
mod silence_watch;
mod state_hash;

pub use batch::{Batch, BatchReply, StreamRecord};
pub use dead_letter::{Cause, DeadLetter};
pub use error::{Error, Kind, Result};
pub use event_source::{
    BATCH_BYTES_MAX, BATCH_RECORDS_MAX, BATCH_WINDOW_MAX, Drained, EventSource, EventSourcePorts,
    EventSourceSettings, EventSourceSettingsError, EventSourceStatus, INVOCATION_TIMEOUT_MAX, Operation,
    RECORD_AGE_MAX, RECORD_AGE_MIN, RETRY_ATTEMPTS_MAX, RETRY_DELAY_FIRST, RETRY_DELAY_MAX, Retrying,
    SHARD_DISCOVERY_INTERVAL, ShardStatus, StatusSnapshot, WallClock,
};
pub use live::{
    LIVE_EVENTS_HELD_MAX, LIVE_FOLLOWERS_MAX, LiveEvent, LiveEventId, LiveEventIdError, LiveFeed,
    LiveFollower, Missed, Told,
};
pub use policy::SnapshotPolicy;
pub use processor::{CONFLICT_ATTEMPTS_MAX, Processor, ProcessorSettings};
pub use silence_watch::{
    CONFIRMATIONS_AT_ONCE_MAX, SILENCES_AT_ONCE_MAX, SilenceCounts, SilencePorts, SilenceWatch,
};
pub use state_hash::{StateHash, state_hash};
