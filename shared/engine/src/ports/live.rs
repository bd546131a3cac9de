//! What is newest, which the API's live page asks and nobody else.

use std::future::Future;

use wattstream_domain::{Row, SiteId};

use super::Queries;
use crate::{LiveFeed, Result};

/// The newest readings. What must always hold: an answer is bounded by what is asked for, and nothing scans.
pub trait LiveQueries: Queries {
    /// The newest readings by the start of their interval, the newest first and of one instant by descending site: of a site, or of
    /// all of them. Of all, a store that would have to ask each site may look at some sites, and at the anomalies of all.
    fn newest_rows(
        &self,
        site_id: Option<SiteId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Row>>> + Send;

    /// Where readings can be followed as they come in; `None` where another process writes the tables.
    fn live_feed(&self) -> Option<&LiveFeed>;
}
