//! What a folded batch leaves in the tables, in the one order that can be cut off anywhere.

use wattstream_domain::mutant::{self, Mutant};
use wattstream_domain::{HourRow, Outbox, RowWrite, SequenceNumber, SiteState};
use wattstream_telemetry::event::RecordCounts;

use crate::cache::CachedSite;
use crate::ports::{Commit, Failures, Tables};

/// One site's share of a batch, folded.
#[derive(Debug)]
pub(super) struct FoldedSite {
    /// The site's first record in the batch.
    pub(super) first: SequenceNumber,
    /// The state after the batch.
    pub(super) state: Box<SiteState>,
    /// The version of the stored snapshot.
    pub(super) version: u64,
    /// The rows to write; empty once written.
    pub(super) rows: Vec<RowWrite>,
    /// The hours to write.
    pub(super) hours: Vec<HourRow>,
    /// Whether the state is to be stored.
    pub(super) is_due: bool,
    /// Whether the stored snapshot still holds alerts that have been published.
    pub(super) holds_published_alerts: bool,
    /// What became of its records.
    pub(super) counts: RecordCounts,
}

impl FoldedSite {
    pub(super) fn into_cached(self) -> CachedSite {
        let Self { state, version, holds_published_alerts, .. } = self;
        CachedSite { state, version, holds_published_alerts }
    }
}

/// Writes rows, then closed hours, then the snapshots that are due. A site that fails at one step takes no part in the
/// next.
pub(super) async fn write(tables: &impl Tables, sites: &mut [FoldedSite]) -> Failures {
    let mut failures = Failures::new();
    let mut rows: Vec<RowWrite> = Vec::with_capacity(sites.iter().map(|site| site.rows.len()).sum());
    for site in sites.iter_mut() {
        rows.append(&mut site.rows);
    }
    if !rows.is_empty() {
        failures = tables.put_rows(&rows).await;
    }
    let hours: Vec<HourRow> =
        standing(sites, &failures).flat_map(|site| site.hours.iter().copied()).collect();
    if !hours.is_empty() {
        failures.extend(tables.put_hours(&hours).await);
    }
    commit_due(tables, sites, &mut failures).await;
    failures
}

async fn commit_due(tables: &impl Tables, sites: &mut [FoldedSite], failures: &mut Failures) {
    let without_outbox: Vec<SiteState> = if mutant::is_planted(Mutant::SnapshotWithoutOutbox) {
        sites.iter().map(|site| SiteState { outbox: Outbox::default(), ..*site.state.clone() }).collect()
    } else {
        Vec::new()
    };
    let commits: Vec<Commit<'_>> = sites
        .iter()
        .enumerate()
        .filter(|(_, site)| site.is_due && !failures.contains_key(&site.state.site_id))
        .map(|(index, site)| Commit {
            state: without_outbox.get(index).unwrap_or(&*site.state),
            expected_version: site.version,
        })
        .collect();
    if commits.is_empty() {
        return;
    }
    failures.extend(tables.commit(&commits).await);
    for site in sites.iter_mut().filter(|site| site.is_due && !failures.contains_key(&site.state.site_id)) {
        site.version += 1;
        site.holds_published_alerts = false;
    }
}

fn standing<'a>(sites: &'a [FoldedSite], failures: &'a Failures) -> impl Iterator<Item = &'a FoldedSite> {
    sites.iter().filter(|site| !failures.contains_key(&site.state.site_id))
}
