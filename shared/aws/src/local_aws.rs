//! The adapters against a local AWS: the contract of their ports, and what it takes to see it through.
//!
//! What must always hold: each test has a server of its own, and each part of a contract a stream, a queue or a topic of its
//! own there.

mod aggregates;
#[cfg(feature = "operator")]
mod archive;
mod kinesis;
mod sns;
mod sqs;

use std::sync::atomic::{AtomicU32, Ordering};

/// A name that no other resource of this test has.
fn new_name() -> String {
    static RESOURCES: AtomicU32 = AtomicU32::new(0);
    format!("wattstream-{}", RESOURCES.fetch_add(1, Ordering::Relaxed))
}
