//! The hash of a store that lists its snapshots alone is that of the states.

use wattstream_domain::{Alert, HourRow, Position, Row, SiteId, SiteState};
use wattstream_engine::ports::{HourQuery, Page, Queries, RowQuery, Sites, Snapshot};
use wattstream_engine::{DeadLetter, Result, state_hash};
use wattstream_testkit::{MemoryStore, Site};

/// A store that does not bring its list of states up to the last row.
struct Listing(MemoryStore);

impl Queries for Listing {
    async fn sites(&self) -> Result<Sites> {
        let snapshots = self.0.contents().sites.into_values();
        Ok(Sites { states: snapshots.map(|snapshot| snapshot.state).collect(), is_exact: false })
    }

    async fn site(&self, site_id: SiteId) -> Result<Option<SiteState>> {
        self.0.site(site_id).await
    }

    async fn row_page(&self, query: RowQuery) -> Result<Page<Row>> {
        self.0.row_page(query).await
    }

    async fn hour_page(&self, query: HourQuery) -> Result<Page<HourRow>> {
        self.0.hour_page(query).await
    }

    async fn newest_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        self.0.newest_alerts(limit).await
    }

    async fn dead_letter_page(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>> {
        self.0.dead_letter_page(after, limit).await
    }
}

#[tokio::test]
async fn the_rows_after_a_snapshot_are_in_the_hash_also_where_the_list_lacks_them() {
    let store = MemoryStore::default();
    for name in ["home-01", "home-02"] {
        let stored = Site::new(name).sends(0, 2, 1);
        let site = stored.clone().sends(15, 3, 1);
        store.with(|contents| {
            contents.sites.insert(site.id, Snapshot { state: stored.state, version: 1 });
            contents.rows.extend(site.rows.into_iter().map(|(timestamp, row)| ((site.id, timestamp), row)));
        });
    }
    let listed = Listing(store.clone()).sites().await.expect("a list").states;
    assert!(listed.iter().all(|state| state.totals.records == 1), "the list lacks the last row");
    let hash = state_hash(&store).await.expect("a hash");
    assert_eq!(state_hash(&Listing(store)).await.expect("a hash"), hash);
    assert_eq!(hash.rows, 4);
}
