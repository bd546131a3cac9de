//! Questions over all sites, which the API asks and nobody else.

use std::future::Future;
use std::ops::RangeInclusive;

use wattstream_domain::{OpenSilence, SiteId, SiteState};

use super::{Page, Queries};
use crate::Result;

/// The reading side of the projections, over all sites. What must always hold: an answer is bounded by what is asked for, and
/// nothing scans.
pub trait FleetQueries: Queries {
    /// One page of the states of the sites, ascending by id, each exact to its last row.
    fn site_page(&self, query: SiteQuery) -> impl Future<Output = Result<Page<SiteState, SiteId>>> + Send;

    /// The open silences of the sites from one to another, both included, ascending by site.
    fn silences_of(
        &self,
        sites: RangeInclusive<SiteId>,
    ) -> impl Future<Output = Result<Vec<OpenSilence>>> + Send;
}

/// A question for sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteQuery {
    /// The first id that may be in the answer; `None` begins with the first of all.
    pub start: Option<SiteId>,
    /// What the ids have in them, whatever the case of its letters; the empty text asks for every site.
    pub contains: String,
    /// The most sites to return, up to [`SITES_EXACT_MAX`](super::SITES_EXACT_MAX).
    pub limit: usize,
}

impl SiteQuery {
    /// Whether a site belongs to the answer or to a page after it.
    pub fn asks_for(&self, site_id: SiteId) -> bool {
        let (id, wanted) = (site_id.as_str().as_bytes(), self.contains.as_bytes());
        self.start.is_none_or(|start| site_id >= start)
            && (wanted.is_empty() || id.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_found_by_any_part_of_its_id_in_any_case() {
        let asks = |contains: &str, start: &str, id: &str| {
            let start = SiteId::new(start).ok();
            SiteQuery { start, contains: contains.to_owned(), limit: 1 }.asks_for(id.parse().unwrap())
        };
        for part in ["", "h", "home-01", "OME", "-0", "1"] {
            assert!(asks(part, "", "home-01"), "{part}");
        }
        for other in ["home-02", "home-011", "ö", "x"] {
            assert!(!asks(other, "", "home-01"), "{other}");
        }
        assert!(asks("", "home-01", "home-01") && !asks("", "home-02", "home-01"));
    }
}
