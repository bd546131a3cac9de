//! The fold of a batch, site by site. What must always hold: a site that the fold panics at costs nobody else anything, and
//! none of its own records: they are set aside.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wattstream_domain::{Outcome, SiteFold, SiteId};
use wattstream_telemetry::event::RecordCounts;
use wattstream_wire::{Payloads, decode_reading};

use super::decode::{Decoded, SiteRecords, letter, payloads};
use super::load::Loaded;
use super::write::FoldedSite;
use crate::cache::CachedSite;
use crate::panic::panic_message;
use crate::{Batch, Cause, DeadLetter};

/// A batch after the fold.
#[derive(Debug, Default)]
pub(super) struct FoldedBatch {
    /// The sites, in the order of their first record.
    pub(super) sites: Vec<FoldedSite>,
    /// The records of the sites that the fold panicked at.
    pub(super) letters: Vec<DeadLetter>,
}

/// Folds the records of every site into what was loaded of it.
pub(super) fn fold_batch(
    batch: &Batch,
    decoded: &Decoded,
    loaded: Vec<Loaded>,
    is_extra_due: bool,
) -> FoldedBatch {
    let mut folded = FoldedBatch::default();
    for (records, loaded) in decoded.sites.iter().zip(loaded) {
        // Nothing of the site is kept after a panic: what was loaded is gone with it, and so is the cache's copy.
        match catch_unwind(AssertUnwindSafe(|| fold_site(records, loaded, is_extra_due))) {
            Ok(site) => folded.sites.push(site),
            Err(panic) => folded.letters.extend(letters_of(batch, records.site_id, panic_message(&*panic))),
        }
    }
    folded
}

/// Folds the records of one site.
fn fold_site(records: &SiteRecords, loaded: Loaded, is_extra_due: bool) -> FoldedSite {
    let CachedSite { state, version, holds_published_alerts } = loaded.site;
    let mut fold = SiteFold::new(*state, loaded.rows);
    let mut counts = RecordCounts::default();
    for record in &records.records {
        *counter(&mut counts, fold.fold(record).0) += 1;
    }
    let folded = fold.finish();
    let has_changed = counts.total() != counts.already_folded;
    // By its first snapshot a reader finds a site, where nothing lists the rows of all sites.
    let is_new = version == 0;
    FoldedSite {
        first: records.first().sequence,
        state: Box::new(folded.state),
        version,
        rows: folded.rows.into_writes().collect(),
        hours: folded.hours.into_values().collect(),
        is_due: folded.is_snapshot_due || has_changed && (is_extra_due || holds_published_alerts || is_new),
        holds_published_alerts,
        counts,
    }
}

fn counter(counts: &mut RecordCounts, outcome: Outcome) -> &mut u64 {
    match outcome {
        Outcome::AlreadyFolded => &mut counts.already_folded,
        Outcome::InOrder => &mut counts.in_order,
        Outcome::Late => &mut counts.late,
        Outcome::Duplicate => &mut counts.duplicate,
        Outcome::Revision => &mut counts.revision,
    }
}

/// The payloads of a site in a batch, as letters. They are looked for again, because nobody else needs them.
fn letters_of(batch: &Batch, site_id: SiteId, panic: &str) -> Vec<DeadLetter> {
    let detail = format!(
        "the engine failed at the readings of {site_id}, which is our mistake: {panic}; report it, and redrive them once \
         it is mended"
    );
    let mut letters = Vec::new();
    for record in &batch.records {
        for (sub_sequence, payload) in payloads(record).iter().flat_map(Payloads::iter) {
            if decode_reading(payload).is_ok_and(|reading| reading.site_id == site_id) {
                letters.push(DeadLetter {
                    cause: Cause::EngineFailed,
                    detail: detail.clone(),
                    ..letter(batch.shard, record, sub_sequence, payload.clone())
                });
            }
        }
    }
    letters
}
