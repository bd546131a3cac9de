//! [`DeadLetters`](wattstream_engine::ports::DeadLetters) on an SQS queue, and the reading of it.
//!
//! ```text
//!   put  ─► letter_parts: a letter as one message or several ─► SendMessageBatch
//!   read ─► peek: ReceiveMessage until nothing new comes, and all of it put back ─► mailbox: letters from parts
//! ```
//!
//! A queue may also get the reports of an event source on batches that it gave up: they are read beside the letters.
//!
//! A queue has no keys, no order, and no way to look without taking. So a read takes everything, within a limit, and makes it
//! visible again. What must always hold:
//! - Messages that were read and not removed are put back; at the worst they come back by themselves.
//! - A letter is read once by its position, however often it was sent or delivered.
//! - A letter is read byte for byte or not at all; one of which a part is not there is told of and never shown cut off.

mod dead_letters;
mod letter_parts;
mod mailbox;
mod peek;

pub use dead_letters::{QueueContents, SqsDeadLetters};
pub use peek::PEEK_MESSAGES_MAX;
