//! The warm cache: states that an instance remembers between the batches of a shard.
//!
//! What must always hold: a state is taken out for every batch and only put back when all of the batch was written. A
//! failure, a panic or a cancelled call leaves nothing behind, so that no state can run ahead of its tables.

use std::sync::{Mutex, PoisonError};

use hashbrown::HashMap;
use wattstream_domain::{SequenceNumber, ShardId, SiteId, SiteState};

/// The most states remembered for a shard, about 1 KiB each. Beyond it the shard starts again from stored states.
pub(crate) const CACHED_SITES_MAX: usize = 100_000;

/// A state, and how far what is stored agrees with it.
#[derive(Clone, Debug)]
pub(crate) struct CachedSite {
    /// The state after the last batch. Boxed, because it is long and passes through several lists in each batch.
    pub(crate) state: Box<SiteState>,
    /// The version of the stored snapshot; 0 when there is none.
    pub(crate) version: u64,
    /// Whether the stored snapshot still holds alerts that have been published.
    pub(crate) holds_published_alerts: bool,
}

/// The states of a shard as its last batch left them.
#[derive(Debug)]
pub(crate) struct ShardCache {
    /// The last record of that batch.
    pub(crate) sequence: SequenceNumber,
    /// The sites that this instance has seen in the shard.
    pub(crate) sites: HashMap<SiteId, CachedSite>,
}

/// The warm cache of every shard.
#[derive(Debug, Default)]
pub(crate) struct WarmCache(Mutex<HashMap<ShardId, ShardCache>>);

impl WarmCache {
    /// Takes a shard's states out.
    pub(crate) fn take(&self, shard: ShardId) -> Option<ShardCache> {
        self.lock().remove(&shard)
    }

    /// Puts a shard's states back after all of a batch was written.
    pub(crate) fn put(&self, shard: ShardId, cache: ShardCache) {
        if cache.sites.len() <= CACHED_SITES_MAX {
            self.lock().insert(shard, cache);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ShardId, ShardCache>> {
        // The map is whole between any two of its own calls, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
