//! The rows of one site as one batch sees them: what was committed before it, and what it writes itself.
//!
//! A stored row may be the trace of an earlier delivery that was cut off before its state was committed. Such a row does
//! not count yet; the version that it replaced does. [`Frontier`] tells the two apart.

use std::collections::BTreeMap;

use crate::mutant::{self, Mutant};
use crate::{Hour, HourTotals, Position, Row, ShardPositions, SiteId, Timestamp, Version};

/// The border between committed records of a site and those of the batch at hand.
#[derive(Clone, Debug)]
pub struct Frontier {
    /// The first record of the site in the batch; `None` when everything stored is committed, as it is for a reader.
    first: Option<Position>,
    /// What the site's state holds already.
    held: ShardPositions,
}

impl Frontier {
    /// The border before `first`, for a state that holds `held`.
    pub fn before(first: Position, held: &ShardPositions) -> Self {
        Self { first: Some(first), held: held.clone() }
    }

    /// No border: whatever is stored is committed.
    pub fn none() -> Self {
        Self { first: None, held: ShardPositions::default() }
    }

    /// The version of a stored row that counts, when one does.
    ///
    /// The event source moves on only when a batch is done. So a version is committed when its record stands before the
    /// batch, is held by the state, or belongs to another shard: a parent is read to its end before its children.
    pub fn committed(&self, row: Row) -> Option<Version> {
        if self.is_committed(&row.version.position) {
            return Some(row.version);
        }
        row.before.map(|before| *before).filter(|before| self.is_committed(&before.position))
    }

    fn is_committed(&self, position: &Position) -> bool {
        let Some(first) = &self.first else { return true };
        position.shard != first.shard
            || position.is_before(first)
            || self.held.cover(position)
            || mutant::is_planted(Mutant::EveryRowCommitted)
    }
}

/// A row to write, and what must be stored for the write to be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowWrite {
    /// The row.
    pub row: Row,
    /// What may be overwritten.
    pub guard: Guard,
}

/// What a write may overwrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Anything: the row is the first of its key, and a second delivery writes the same.
    Any,
    /// Exactly what the fold has read: the row written by this record, or no row. A writer that has been overtaken finds
    /// something else, and stops.
    Unchanged(Option<Position>),
}

/// The rows of one site in the hours that a batch touches.
#[derive(Debug)]
pub struct SiteRows {
    site_id: SiteId,
    committed: BTreeMap<Timestamp, Version>,
    stored: BTreeMap<Timestamp, Position>,
    in_order: Vec<Row>,
    out_of_order: BTreeMap<Timestamp, Row>,
}

impl SiteRows {
    /// No row yet.
    pub fn new(site_id: SiteId) -> Self {
        Self {
            site_id,
            committed: BTreeMap::new(),
            stored: BTreeMap::new(),
            in_order: Vec::new(),
            out_of_order: BTreeMap::new(),
        }
    }

    /// Adds what is stored.
    pub fn load(&mut self, stored: impl IntoIterator<Item = Row>, frontier: &Frontier) {
        for row in stored {
            let timestamp = row.timestamp;
            self.stored.insert(timestamp, row.version.position);
            if let Some(version) = frontier.committed(row) {
                self.committed.insert(timestamp, version);
            }
        }
    }

    /// The version that holds at `timestamp`.
    pub(crate) fn current(&self, timestamp: Timestamp) -> Option<&Version> {
        self.written(timestamp).map(|row| &row.version).or_else(|| self.committed.get(&timestamp))
    }

    /// The totals of `hour` were `version` to hold at `timestamp`.
    pub(crate) fn hour_totals_with(&self, hour: Hour, timestamp: Timestamp, version: &Version) -> HourTotals {
        let totals_of = |version: &Version| HourTotals::of(&version.measure, version.is_anomalous());
        let range = hour.start()..=hour.last();
        let committed = self.committed.range(range.clone()).filter(|(at, _)| self.written(**at).is_none());
        let written = self.out_of_order.range(range).map(|(at, row)| (at, &row.version));
        let in_order = self.in_order_within(hour).iter().map(|row| (&row.timestamp, &row.version));
        let in_order = in_order.filter(|_| !mutant::is_planted(Mutant::RecountForgetsBatch));
        committed
            .chain(written)
            .chain(in_order)
            .filter(|(at, _)| **at != timestamp)
            .fold(totals_of(version), |totals, (_, version)| totals.merge(&totals_of(version)))
    }

    /// Writes the first version of a reading that is newer than every other.
    pub(crate) fn append(&mut self, timestamp: Timestamp, version: Version) {
        debug_assert!(
            self.in_order.last().is_none_or(|row| row.timestamp < timestamp),
            "rows are appended in order"
        );
        self.in_order.push(Row { site_id: self.site_id, timestamp, version, before: None });
    }

    /// Writes a version at any other place.
    pub(crate) fn put(&mut self, timestamp: Timestamp, version: Version) {
        if let Ok(index) = self.in_order.binary_search_by_key(&timestamp, |row| row.timestamp) {
            self.in_order[index].version = version;
            return;
        }
        let before = match self.committed.get(&timestamp) {
            Some(committed) if !mutant::is_planted(Mutant::ForgottenBefore) => {
                Some(Box::new(committed.clone()))
            }
            _ => None,
        };
        let row = Row { site_id: self.site_id, timestamp, version, before };
        self.out_of_order.insert(timestamp, row);
    }

    /// What is to be written, one row a key.
    pub fn into_writes(self) -> impl Iterator<Item = RowWrite> {
        let Self { stored, in_order, out_of_order, .. } = self;
        let in_order = in_order.into_iter().map(|row| RowWrite { row, guard: Guard::Any });
        let out_of_order = out_of_order.into_iter().map(move |(timestamp, row)| RowWrite {
            row,
            guard: Guard::Unchanged(stored.get(&timestamp).copied()),
        });
        in_order.chain(out_of_order)
    }

    fn written(&self, timestamp: Timestamp) -> Option<&Row> {
        self.out_of_order.get(&timestamp).or_else(|| self.find_in_order(timestamp))
    }

    fn find_in_order(&self, timestamp: Timestamp) -> Option<&Row> {
        let index = self.in_order.binary_search_by_key(&timestamp, |row| row.timestamp).ok()?;
        self.in_order.get(index)
    }

    fn in_order_within(&self, hour: Hour) -> &[Row] {
        let start = self.in_order.partition_point(|row| row.timestamp < hour.start());
        let end = self.in_order.partition_point(|row| row.timestamp <= hour.last());
        &self.in_order[start..end]
    }
}
