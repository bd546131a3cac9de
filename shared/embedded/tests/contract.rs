//! The contract of the ports, run against the store.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wattstream_domain::Timestamp;
use wattstream_embedded::{Store, StoreSettings};
use wattstream_testkit::contract;

/// A store in a folder of its own under `dir`.
fn new_store(dir: &Path) -> Store {
    static STORES: AtomicU64 = AtomicU64::new(0);
    let name = STORES.fetch_add(1, Ordering::Relaxed).to_string();
    let settings = StoreSettings { shards: Some(3), clock: Arc::new(|| Timestamp::MIN) };
    Store::open(&dir.join(name), settings).expect("an empty folder becomes a store")
}

macro_rules! contracts {
    ($($port:ident)*) => {$(
        #[tokio::test]
        async fn $port() {
            let dir = tempfile::tempdir().unwrap();
            contract::$port(async || new_store(dir.path())).await;
        }
    )*};
}

contracts! {
    tables stream stream_wakes checkpoints dead_letters dead_letter_admin alerts silences queries
}
