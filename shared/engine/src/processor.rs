//! The batch processor: one batch of one shard, from bytes to tables.
//!
//! ```text
//!   decode ─► quarantine ─► load ─► fold ─► rows ─► hours ─► snapshots ─► alerts ─► emptied outboxes ─► shard mark
//! ```
//!
//! What must always hold:
//! - The order of the writes is the one above. Every write can be repeated, so a crash between any two of them, or a
//!   second delivery, changes nothing in the result.
//! - A record that cannot be read never fails its batch; it goes to the dead letters.
//! - A site that the fold panics at is set aside with its records; the other sites go on.
//! - A site whose write failed is reported by its first record in the batch, and nothing further of it is written; the
//!   other sites go on.
//! - A state stays in memory only when its whole batch was written.
//! - An alert is published only when the state that holds it has been stored.

mod decode;
mod fold;
mod load;
mod publish;
mod write;

use std::collections::BTreeMap;

use tokio::time::Instant;
use wattstream_domain::mutant::{self, Mutant};
use wattstream_domain::{SequenceNumber, ShardId};
use wattstream_telemetry::event::{
    BatchOutcome, BatchProcessed, CommitConflicted, DeadLetterCause, DeadLettersStored, RecordCounts,
    RecordsRejected,
};

use crate::cache::{ShardCache, WarmCache};
use crate::policy::SnapshotPolicy;
use crate::ports::{Alerts, Consumer, DeadLetters, Failures, InstanceId, ShardMark, Tables};
use crate::{Batch, BatchReply, DeadLetter, Kind, Result};

use decode::Decoded;
use fold::{FoldedBatch, fold_batch};
use write::FoldedSite;

/// How often a batch is folded when its writes meet those of somebody else, before its sites are reported as failed.
pub const CONFLICT_ATTEMPTS_MAX: u32 = 3;

/// What an operator may choose about the processor.
#[derive(Clone, Debug)]
pub struct ProcessorSettings {
    /// The name of this instance, different for every start.
    pub instance: InstanceId,
    /// When states are stored beyond the times when they must be.
    pub snapshot_policy: SnapshotPolicy,
    /// Whether states are remembered between batches.
    pub is_cache_on: bool,
}

/// The consumer of the stream. One processor serves every shard; its batches of one shard come one after the other.
#[derive(Debug)]
pub struct Processor<T, D, A> {
    tables: T,
    dead_letters: D,
    alerts: A,
    settings: ProcessorSettings,
    cache: WarmCache,
}

/// A batch whose sites have been folded and written.
struct Attempt {
    sites: Vec<FoldedSite>,
    failures: Failures,
    /// The first record of a site that the fold panicked at, when those could not be set aside.
    unkept: Option<SequenceNumber>,
    /// How many records were set aside because of a panic.
    set_aside: u64,
    /// The states of the shard's other sites, when they are known.
    others: Option<ShardCache>,
}

impl<T: Tables, D: DeadLetters, A: Alerts> Processor<T, D, A> {
    /// A processor over these ports, with nothing remembered.
    pub fn new(tables: T, dead_letters: D, alerts: A, settings: ProcessorSettings) -> Self {
        Self { tables, dead_letters, alerts, settings, cache: WarmCache::default() }
    }

    /// Processes a batch. Names the first record of every site, and the first dead letter, that could not be written.
    async fn process(&self, batch: &Batch) -> Result<(BatchReply, RecordCounts)> {
        let decoded = decode::decode(batch);
        let unkept = self.quarantine(batch.shard, &decoded.letters, DeadLetterCause::Rejected).await;
        let mut attempt = self.fold_until_settled(batch, &decoded).await?;
        self.publish_alerts(&mut attempt.sites, &attempt.failures).await;
        let mut failed: Vec<SequenceNumber> = unkept.into_iter().chain(attempt.unkept).collect();
        let counts = count(&attempt, &decoded);
        let Attempt { sites, failures, others, .. } = attempt;
        failed.extend(
            sites.iter().filter(|site| failures.contains_key(&site.state.site_id)).map(|site| site.first),
        );
        if failed.is_empty() || mutant::is_planted(Mutant::AcknowledgeBeforeWrite) {
            self.finish(batch, sites, others).await?;
            return Ok((BatchReply::default(), counts));
        }
        if mutant::is_planted(Mutant::CacheKeptAfterFailure) {
            self.finish(batch, sites, others).await?;
        }
        Ok((BatchReply { failures: failed }, counts))
    }

    /// Sets letters aside. Returns the first of them when they could not be kept.
    async fn quarantine(
        &self,
        shard: ShardId,
        letters: &[DeadLetter],
        cause: DeadLetterCause,
    ) -> Option<SequenceNumber> {
        let first = letters.first()?;
        let shard = shard.to_string();
        match self.dead_letters.put(letters).await {
            Ok(()) => {
                for (reason, records) in by_reason(letters) {
                    RecordsRejected { shard: &shard, reason, records }.emit();
                }
                let letters = letters.len() as u64;
                DeadLettersStored { shard: &shard, cause, letters }.emit();
                None
            }
            Err(error) => {
                tracing::warn!(%error, "Dead letters could not be stored and will be delivered again.");
                let is_reported = !mutant::is_planted(Mutant::RejectDropped);
                is_reported.then_some(first.position.sequence)
            }
        }
    }

    /// Folds and writes the batch, again when somebody else wrote in between.
    async fn fold_until_settled(&self, batch: &Batch, decoded: &Decoded) -> Result<Attempt> {
        let mut attempt = 1;
        loop {
            let outcome = self.fold_once(batch, decoded).await?;
            let has_conflict = outcome.failures.values().any(|error| error.kind() == Kind::Conflict);
            if !has_conflict || attempt == CONFLICT_ATTEMPTS_MAX {
                return Ok(outcome);
            }
            CommitConflicted { shard: &batch.shard.to_string(), attempt }.emit();
            attempt += 1;
        }
    }

    async fn fold_once(&self, batch: &Batch, decoded: &Decoded) -> Result<Attempt> {
        let mut others = self.take_cache(batch.shard).await?;
        let loaded = load::load(&self.tables, &decoded.sites, others.as_mut()).await?;
        let last = batch.records.last().map_or(SequenceNumber::ZERO, |record| record.sequence);
        let is_extra_due = self.settings.snapshot_policy.is_due(last);
        let FoldedBatch { mut sites, letters } = fold_batch(batch, decoded, loaded, is_extra_due);
        let unkept = self.quarantine(batch.shard, &letters, DeadLetterCause::EngineFailed).await;
        let failures = write::write(&self.tables, &mut sites).await;
        Ok(Attempt { sites, failures, unkept, set_aside: letters.len() as u64, others })
    }

    /// The states that this instance remembers of a shard, when it was also the last to begin a batch there.
    ///
    /// An instance that finds the mark of another takes it over before it writes anything. Otherwise its batch could
    /// break off after some of its states were stored, and the other instance would go on with older ones from memory.
    async fn take_cache(&self, shard: ShardId) -> Result<Option<ShardCache>> {
        let cache = self.cache.take(shard);
        let Some(mark) = self.tables.shard_mark(shard).await? else { return Ok(None) };
        if mark.instance == self.settings.instance {
            return Ok(cache.filter(|cache| cache.sequence == mark.sequence));
        }
        if !mutant::is_planted(Mutant::SilentTakeover) {
            let instance = self.settings.instance.clone();
            self.tables.put_shard_mark(&ShardMark { instance, ..mark }).await?;
        }
        Ok(None)
    }

    /// Leaves the mark of a batch that was written whole, and remembers its states.
    async fn finish(&self, batch: &Batch, sites: Vec<FoldedSite>, others: Option<ShardCache>) -> Result<()> {
        let Some(last) = batch.records.last() else { return Ok(()) };
        let instance = self.settings.instance.clone();
        let mark = ShardMark { shard: batch.shard, sequence: last.sequence, instance };
        self.tables.put_shard_mark(&mark).await?;
        if self.settings.is_cache_on {
            let mut remembered = others.map(|cache| cache.sites).unwrap_or_default();
            // Where the outbox could not be emptied, somebody else may have written, or an answer was lost: what is stored is
            // not known to be this state, and is read again.
            let known = sites.into_iter().filter(|site| !site.holds_published_alerts);
            remembered.extend(known.map(|site| (site.state.site_id, site.into_cached())));
            self.cache.put(batch.shard, ShardCache { sequence: last.sequence, sites: remembered });
        }
        Ok(())
    }
}

impl<T: Tables, D: DeadLetters, A: Alerts> Consumer for Processor<T, D, A> {
    async fn consume(&self, batch: &Batch) -> Result<BatchReply> {
        let started = Instant::now();
        let processed = self.process(batch).await;
        let (outcome, records) = match &processed {
            Ok((reply, records)) if reply.failures.is_empty() => (BatchOutcome::Processed, *records),
            Ok((_, records)) => (BatchOutcome::PartlyFailed, *records),
            Err(_) => (BatchOutcome::Failed, RecordCounts::default()),
        };
        let shard = batch.shard.to_string();
        BatchProcessed { shard: &shard, outcome, records, duration: started.elapsed() }.emit();
        processed.map(|(reply, _)| reply)
    }
}

fn count(attempt: &Attempt, decoded: &Decoded) -> RecordCounts {
    let rejected = decoded.letters.len() as u64 + attempt.set_aside;
    let rejected = RecordCounts { rejected, ..RecordCounts::default() };
    attempt.sites.iter().fold(rejected, |mut sum, site| {
        sum.in_order += site.counts.in_order;
        sum.late += site.counts.late;
        sum.duplicate += site.counts.duplicate;
        sum.revision += site.counts.revision;
        sum.already_folded += site.counts.already_folded;
        sum
    })
}

/// How many letters there are of each reason.
fn by_reason(letters: &[DeadLetter]) -> BTreeMap<&'static str, u64> {
    letters.iter().fold(BTreeMap::new(), |mut counts, letter| {
        *counts.entry(letter.cause.code()).or_default() += 1;
        counts
    })
}
