//! [`Producer`](wattstream_engine::ports::Producer) and [`Stream`](wattstream_engine::ports::Stream) on Kinesis Data
//! Streams.
//!
//! ```text
//!   append ─► packing: queues of records, one a partition key ─► rounds of PutRecords
//!   read   ─► pace: when the shard may be asked ─► GetShardIterator, GetRecords
//!   discarded: a batch that Lambda gave up ─► read once more, and what of it is lost
//! ```
//!
//! What must always hold: records of one partition key are written in their order; a shard is asked for records no more often
//! than Kinesis allows; a shard is at its end only when Kinesis names the shards that continue it.

mod discarded;
mod lost;
mod pace;
mod packing;
mod producer;
mod stream;

pub use discarded::{DiscardedStream, Reread};
pub use lost::{Found, LostRange, lost_ranges};
pub use pace::Polling;
pub use packing::Packing;
pub use producer::{KinesisProducer, ProducerSettings, RECORD_BYTES_LIMIT, RECORD_BYTES_MAX_DEFAULT};
pub use stream::KinesisStream;
