//! What is known of one site after folding its records: the snapshot.

use arrayvec::ArrayVec;

use crate::mutant::{self, Mutant};
use crate::{Detector, Episodes, Hour, HourTotals, Outbox, Position, SiteId, Totals};

/// How many shards a site remembers its position in. A site lives in one shard at a time; a reshard moves it to a child,
/// and its last few ancestors are enough to recognise what is delivered again.
pub const SHARDS_REMEMBERED_MAX: usize = 4;

/// The state of one site. Folding the same records in the same order gives an equal state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteState {
    /// The site.
    pub site_id: SiteId,
    /// The last record folded, by shard.
    pub positions: ShardPositions,
    /// The sums over every reading.
    pub totals: Totals,
    /// The hour of the newest reading, which is not yet in the hours table.
    pub open_hour: Option<(Hour, HourTotals)>,
    /// What detection has learned.
    pub detector: Detector,
    /// The open episodes.
    pub episodes: Episodes,
    /// Alerts that have not been published.
    pub outbox: Outbox,
    /// Records that repeated a stored reading. It counts deliveries, not facts, and so is not part of the state hash.
    pub duplicates: u64,
}

impl SiteState {
    /// The state of a site that nothing is known of.
    pub fn new(site_id: SiteId) -> Self {
        Self {
            site_id,
            positions: ShardPositions::default(),
            totals: Totals::default(),
            open_hour: None,
            detector: Detector::default(),
            episodes: Episodes::default(),
            outbox: Outbox::default(),
            duplicates: 0,
        }
    }
}

/// The newest folded position of the last few shards, the most recent shard first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardPositions(ArrayVec<Position, SHARDS_REMEMBERED_MAX>);

impl ShardPositions {
    /// Whether `position` has been folded: its shard is remembered, at that position or after it.
    pub fn cover(&self, position: &Position) -> bool {
        let is_of =
            |held: &Position| held.shard == position.shard || mutant::is_planted(Mutant::ShardsCompared);
        self.0.iter().any(|held| is_of(held) && !held.is_before(position))
    }

    /// Remembers `position`, and forgets the shard that has been quiet for longest when there are too many.
    pub fn advance(&mut self, position: Position) {
        if let Some(newest) = self.0.first_mut()
            && newest.shard == position.shard
        {
            *newest = position;
            return;
        }
        self.0.retain(|held| held.shard != position.shard);
        self.0.truncate(SHARDS_REMEMBERED_MAX - 1);
        self.0.insert(0, position);
    }

    /// The positions, the most recent shard first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Position> {
        self.0.iter()
    }
}

impl FromIterator<Position> for ShardPositions {
    /// The most recent shard first, as [`ShardPositions::iter`] gives them; more than fit are left out.
    fn from_iter<I: IntoIterator<Item = Position>>(positions: I) -> Self {
        Self(positions.into_iter().take(SHARDS_REMEMBERED_MAX).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ShardId;

    fn position(shard: u64, sequence: u64) -> Position {
        Position { shard: ShardId(shard), sequence: sequence.into(), sub_sequence: 0 }
    }

    #[test]
    fn a_position_is_covered_within_its_own_shard_only() {
        let mut positions = ShardPositions::default();
        positions.advance(position(1, 10));
        assert!(positions.cover(&position(1, 9)) && positions.cover(&position(1, 10)));
        assert!(!positions.cover(&position(1, 11)) && !positions.cover(&position(2, 1)));
    }

    #[test]
    fn the_shard_that_was_quiet_for_longest_is_forgotten_first() {
        let mut positions = ShardPositions::default();
        for shard in [0, 1, 2, 0, 3, 4] {
            positions.advance(position(shard, 5));
        }
        let shards: Vec<u64> = positions.iter().map(|held| held.shard.0).collect();
        assert_eq!(shards, [4, 3, 0, 2]);
    }
}
