//! The readings of all sites that have findings, in the order of time: an index of keys beside the one by site.
//!
//! What must always hold: it has the place of exactly the rows that the index by site has the key of; both are written in one batch.
//! A store that was written before there was this index gets it when it is opened.

use std::ops::Bound;

use fjall::{Database, Readable};
use wattstream_domain::{Row, SiteId};
use wattstream_engine::Result;
use wattstream_engine::ports::{AnomalyQuery, Page, ReadingPlace};

use crate::error::{Damage, damaged, storage};
use crate::keys;
use crate::keyspaces::Keyspaces;
use crate::store::Store;
use crate::tables::parse_row;

const READING: &str = "reading anomalies";

/// Places that are written at once when the index is built.
const BUILD_BATCH_PLACES: usize = 10_000;

/// The first and the last key of a range.
type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

impl Store {
    /// One page of the readings with findings, the newest first.
    pub(crate) fn read_anomalies(&self, query: &AnomalyQuery) -> Result<Page<Row, ReadingPlace>> {
        let (now, keyspaces) = (self.snapshot(), self.keyspaces());
        if query.start >= query.end {
            return Ok(Page::empty());
        }
        let row_at = |place: ReadingPlace| {
            let key = keys::instant(place.site_id, place.timestamp);
            let row = now.get(&keyspaces.readings, &key).map_err(storage(READING))?;
            let damage = || Damage::Key { keyspace: "anomalies", key: key.clone() };
            parse_row(place.site_id, &key, &row.ok_or_else(|| damaged(READING)(damage()))?)
        };
        let (keyspace, bounds) = match query.site_id {
            Some(site_id) => (&keyspaces.anomalies, bounds_of_site(query, site_id)),
            None => (&keyspaces.anomalies_by_time, bounds(query)),
        };
        let rows = now.range(keyspace, bounds).rev().map(|entry| {
            let key = entry.key().map_err(storage(READING))?;
            let place = match query.site_id {
                Some(site_id) => {
                    keys::parse_instant(&key).map(|timestamp| ReadingPlace { timestamp, site_id })
                }
                None => keys::parse_place(&key),
            };
            let damage = || Damage::Key { keyspace: "anomalies", key: key.to_vec() };
            row_at(place.ok_or_else(|| damaged(READING)(damage()))?)
        });
        Page::try_of(rows, query.limit, ReadingPlace::of)
    }
}

/// No site's id is empty, so an instant alone stands before all places of it.
fn bounds(query: &AnomalyQuery) -> Bounds {
    let [start, end] = [query.start, query.end].map(|instant| instant.unix_ms().to_be_bytes().to_vec());
    let last = query.from.map_or(Bound::Excluded(end), |from| Bound::Included(keys::place(&from)));
    (Bound::Included(start), last)
}

fn bounds_of_site(query: &AnomalyQuery, site_id: SiteId) -> Bounds {
    let last = match query.from {
        Some(from) => Bound::Included(keys::instant(site_id, from.timestamp)),
        None => Bound::Excluded(keys::instant(site_id, query.end)),
    };
    (Bound::Included(keys::instant(site_id, query.start)), last)
}

/// Builds the index by time from the one by site.
pub(crate) fn build(db: &Database, keyspaces: &Keyspaces) -> Result<()> {
    let mut batch = db.batch();
    for entry in keyspaces.anomalies.iter() {
        let key = entry.key().map_err(storage(READING))?;
        let damage = || Damage::Key { keyspace: "anomalies", key: key.to_vec() };
        let parsed = keys::parse_instant_of_site(&key).ok_or_else(|| damaged(READING)(damage()))?;
        let place = ReadingPlace { site_id: parsed.0, timestamp: parsed.1 };
        batch.insert(&keyspaces.anomalies_by_time, keys::place(&place), []);
        if batch.len() == BUILD_BATCH_PLACES {
            std::mem::replace(&mut batch, db.batch()).commit().map_err(storage(BUILDING))?;
        }
    }
    batch.commit().map_err(storage(BUILDING))
}

const BUILDING: &str = "building the index of anomalies by time";
