//! [`Alerts`]: published means stored here. Whoever shows or forwards them reads them from here.
//!
//! What must always hold: one id is there once, as it was published first.

use std::collections::HashSet;
use std::ops::Bound;
use std::sync::Arc;

use fjall::Readable;
use wattstream_domain::{Alert, AlertId};
use wattstream_engine::Result;
use wattstream_engine::ports::{AlertPlace, AlertQuery, Alerts, Page};
use wattstream_wire::stored::{decode_alert, encode_alert};

use crate::error::{Damage, damaged, shared, storage};
use crate::keys;
use crate::store::Store;

const READING: &str = "reading alerts";
const PUBLISHING: &str = "publishing alerts";

impl Alerts for Store {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<()>> {
        let result = self.store_alerts(alerts).map_err(Arc::new);
        let answer = |_: &Alert| result.as_ref().copied().map_err(|error| shared(PUBLISHING, error));
        alerts.iter().map(answer).collect()
    }
}

impl Store {
    fn store_alerts(&self, alerts: &[Alert]) -> fjall::Result<()> {
        let _exclusive = self.lock_conditional_writes();
        let keyspaces = self.keyspaces();
        let mut batch = self.batch();
        let mut staged: HashSet<AlertId> = HashSet::new();
        for alert in alerts {
            let id = alert.id();
            if keyspaces.alert_ids.contains_key(id.as_str())? || staged.contains(&id) {
                continue;
            }
            let mut value = Vec::new();
            encode_alert(alert, &mut value);
            batch.insert(&keyspaces.alerts, keys::alert(alert), value);
            batch.insert(&keyspaces.alert_ids, id.as_str(), []);
            staged.insert(id);
        }
        batch.commit()
    }

    /// The newest alerts, the newest first.
    pub(crate) fn read_newest_alerts(&self, limit: usize) -> Result<Vec<Alert>> {
        self.snapshot().iter(&self.keyspaces().alerts).rev().take(limit).map(parse).collect()
    }
}

impl Store {
    /// One page of the alerts, the newest first.
    pub(crate) fn read_alerts(&self, query: &AlertQuery) -> Result<Page<Alert, AlertPlace>> {
        if query.start >= query.end {
            return Ok(Page::empty());
        }
        // No id is empty, so an instant alone stands before all places of it.
        let [start, end] = [query.start, query.end].map(|instant| instant.unix_ms().to_be_bytes().to_vec());
        let last = match &query.from {
            Some(from) => Bound::Included(keys::alert_place(from)),
            None => Bound::Excluded(end),
        };
        let entries = self.snapshot().range(&self.keyspaces().alerts, (Bound::Included(start), last));
        Page::try_of(entries.rev().map(parse), query.limit, AlertPlace::of)
    }
}

fn parse(entry: fjall::Guard) -> Result<Alert> {
    let (key, value) = entry.into_inner().map_err(storage(READING))?;
    let site_id = keys::parse_alert(&key)
        .ok_or_else(|| damaged(READING)(Damage::Key { keyspace: "alerts", key: key.to_vec() }))?;
    decode_alert(site_id, &value).map_err(|error| damaged(READING)(error.into()))
}

#[cfg(test)]
mod tests;
