//! One hash over everything that two runs of one log must agree on: values, findings, totals, hours and what detection has
//! learned. It leaves out positions, versions, duplicates and waiting alerts, which depend on how the log was delivered.

use std::fmt;

use sha2::{Digest, Sha256};
use wattstream_domain::{SiteId, SiteState, Timestamp};
use wattstream_wire::stored;

use crate::Result;
use crate::ports::{HourQuery, Queries, RowQuery, Sites};

/// Rows or hours asked for at once.
const PAGE_ENTRIES: usize = 10_000;

/// The hash of the state of every site, and what was hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateHash {
    /// SHA-256.
    pub digest: [u8; 32],
    /// Sites hashed.
    pub sites: u64,
    /// Rows hashed.
    pub rows: u64,
    /// Closed hours hashed.
    pub hours: u64,
}

impl fmt::Display for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Hashes every site with its rows and hours.
pub async fn state_hash(queries: &impl Queries) -> Result<StateHash> {
    let mut hasher = Hasher::default();
    let Sites { states, is_exact } = queries.sites().await?;
    for listed in states {
        let state = if is_exact { listed } else { queries.site(listed.site_id).await?.unwrap_or(listed) };
        hasher.add_state(&state);
        hasher.add_rows(queries, state.site_id).await?;
        hasher.add_hours(queries, state.site_id).await?;
    }
    Ok(hasher.finish())
}

/// Feeds the hash with length-prefixed entries, so that no two sequences of entries look alike.
#[derive(Default)]
struct Hasher {
    sha: Sha256,
    entry: Vec<u8>,
    sites: u64,
    rows: u64,
    hours: u64,
}

impl Hasher {
    fn add_state(&mut self, state: &SiteState) {
        self.sites += 1;
        self.entry.extend_from_slice(state.site_id.as_str().as_bytes());
        self.end_entry();
        stored::canonical_state(state, &mut self.entry);
        self.end_entry();
    }

    async fn add_rows(&mut self, queries: &impl Queries, site_id: SiteId) -> Result<()> {
        let (end, limit) = (Timestamp::MAX, PAGE_ENTRIES);
        let mut start = Some(Timestamp::MIN);
        while let Some(from) = start {
            let query = RowQuery { site_id, start: from, end, anomalous_only: false, limit };
            let page = queries.row_page(query).await?;
            for row in &page.entries {
                self.rows += 1;
                self.entry.extend_from_slice(&row.timestamp.unix_ms().to_be_bytes());
                stored::canonical_row(row, &mut self.entry);
                self.end_entry();
            }
            start = page.next_start;
        }
        Ok(())
    }

    async fn add_hours(&mut self, queries: &impl Queries, site_id: SiteId) -> Result<()> {
        let (end, limit) = (Timestamp::MAX, PAGE_ENTRIES);
        let mut start = Some(Timestamp::MIN);
        while let Some(from) = start {
            let page = queries.hour_page(HourQuery { site_id, start: from, end, limit }).await?;
            for row in &page.entries {
                self.hours += 1;
                self.entry.extend_from_slice(&row.hour.start().unix_ms().to_be_bytes());
                stored::canonical_hour(row, &mut self.entry);
                self.end_entry();
            }
            start = page.next_start;
        }
        Ok(())
    }

    fn end_entry(&mut self) {
        self.sha.update((self.entry.len() as u64).to_be_bytes());
        self.sha.update(&self.entry);
        self.entry.clear();
    }

    fn finish(self) -> StateHash {
        let Self { sha, sites, rows, hours, .. } = self;
        StateHash { digest: sha.finalize().into(), sites, rows, hours }
    }
}
