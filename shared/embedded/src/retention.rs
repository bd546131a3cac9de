//! Trimming the log.
//!
//! What must always hold: a record is deleted only when the event source is done with it and the archive holds it. The
//! mark of where the log begins moves in the same batch as the deletions, so that no sequence number is given twice.

use wattstream_domain::{ShardId, Timestamp};
use wattstream_engine::Result;

use crate::error::storage;
use crate::keys;
use crate::progress::TrimMark;
use crate::store::Store;

/// Records that one batch deletes: the log's writer never waits long for a trim.
const TRIM_BATCH_RECORDS: usize = 1_000;

impl Store {
    /// Deletes the records that arrived before `before` and that are consumed and archived; how many.
    pub async fn trim_log(&self, before: Timestamp) -> Result<u64> {
        self.blocking(move |store| {
            let shards = store.log().shards();
            shards.map(|shard| store.trim_shard(shard, before)).sum()
        })
        .await
    }

    fn trim_shard(&self, shard: ShardId, before: Timestamp) -> Result<u64> {
        let mut trimmed = 0;
        loop {
            let batch_records = self.trim_batch(shard, before)?;
            trimmed += batch_records as u64;
            if batch_records < TRIM_BATCH_RECORDS {
                return Ok(trimmed);
            }
        }
    }

    fn trim_batch(&self, shard: ShardId, before: Timestamp) -> Result<usize> {
        let keyspaces = self.keyspaces();
        let done = keyspaces.consumed(shard)?.min(keyspaces.archived(shard)?.sequence);
        let mut batch = self.batch();
        let mut mark = None;
        for record in self.log_after(shard, 0)?.take(TRIM_BATCH_RECORDS) {
            let record = record?;
            let Some(sequence) = record.sequence.to_u64().filter(|&sequence| sequence <= done) else { break };
            if record.arrival >= before {
                break;
            }
            batch.remove(&keyspaces.log, keys::record(shard, sequence));
            mark = Some(TrimMark { sequence, arrival: record.arrival });
        }
        let Some(mark) = mark else { return Ok(0) };
        let records = batch.len();
        keyspaces.stage_trimmed(&mut batch, shard, mark);
        batch.commit().map_err(storage("trimming the log"))?;
        Ok(records)
    }
}

#[cfg(test)]
mod tests;
