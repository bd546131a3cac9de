//! Which shards may be read: those whose parents have been read to their end.
//!
//! A split or a merge closes shards and continues them in others. A site's later records are then in the child, so a
//! child is read only after its parents. A parent that is no longer listed has expired and holds nobody up.
//!
//! What must always hold: a shard is not read while a parent of it is listed and not at its end, or is being read; it is
//! never read twice at a time.

use std::collections::{BTreeMap, BTreeSet};

use wattstream_domain::{SequenceNumber, ShardId};

use crate::ports::{Checkpoint, Shard};

/// How far each shard has come that is listed or being read.
#[derive(Debug, Default)]
pub(crate) struct Lineage {
    progress: BTreeMap<ShardId, Progress>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// To be read after this record.
    Waiting(Option<SequenceNumber>),
    /// Being read.
    Reading,
    /// Read to its end.
    Ended,
}

impl Lineage {
    /// Forgets the shards that are no longer listed. Returns those of them that are still being read.
    pub(crate) fn retain(&mut self, listed: &[Shard]) -> Vec<ShardId> {
        let listed: BTreeSet<ShardId> = listed.iter().map(|shard| shard.id).collect();
        self.progress.retain(|id, progress| listed.contains(id) || *progress == Progress::Reading);
        self.progress.keys().filter(|id| !listed.contains(id)).copied().collect()
    }

    /// The listed shards whose checkpoint is yet to be learned.
    pub(crate) fn unknown(&self, listed: &[Shard]) -> Vec<ShardId> {
        listed.iter().map(|shard| shard.id).filter(|id| !self.progress.contains_key(id)).collect()
    }

    /// Takes in the checkpoint of a shard.
    pub(crate) fn learn(&mut self, id: ShardId, checkpoint: Option<Checkpoint>) {
        let progress = match checkpoint {
            None => Progress::Waiting(None),
            Some(Checkpoint::At(sequence)) => Progress::Waiting(Some(sequence)),
            Some(Checkpoint::End) => Progress::Ended,
        };
        self.progress.insert(id, progress);
    }

    /// Starts every shard that may be read: returns it with the record after which to begin.
    pub(crate) fn start_ready(&mut self, listed: &[Shard]) -> Vec<(ShardId, Option<SequenceNumber>)> {
        let ready: Vec<_> = listed
            .iter()
            .filter(|shard| !self.has_unfinished_parent(shard))
            .filter_map(|shard| match self.progress.get(&shard.id) {
                Some(&Progress::Waiting(after)) => Some((shard.id, after)),
                _ => None,
            })
            .collect();
        self.progress.extend(ready.iter().map(|&(id, _)| (id, Progress::Reading)));
        ready
    }

    /// A shard was read to its end.
    pub(crate) fn end(&mut self, id: ShardId) {
        self.progress.insert(id, Progress::Ended);
    }

    /// A shard is no longer being read, though not at its end. Its checkpoint is to be learned again if it is listed.
    pub(crate) fn forget(&mut self, id: ShardId) {
        self.progress.remove(&id);
    }

    /// Whether anything is known of a shard.
    pub(crate) fn knows(&self, id: ShardId) -> bool {
        self.progress.contains_key(&id)
    }

    fn has_unfinished_parent(&self, shard: &Shard) -> bool {
        let progress = |parent| self.progress.get(parent);
        shard
            .parents
            .iter()
            .any(|parent| matches!(progress(parent), Some(Progress::Waiting(_) | Progress::Reading)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::Index;

    fn shard(id: u64, parents: &[u64]) -> Shard {
        Shard { id: ShardId(id), parents: parents.iter().copied().map(ShardId).collect() }
    }

    fn lineage(checkpoints: Checkpoints<'_>) -> Lineage {
        let mut lineage = Lineage::default();
        for &(id, checkpoint) in checkpoints {
            lineage.learn(ShardId(id), checkpoint);
        }
        lineage
    }

    type Checkpoints<'a> = &'a [(u64, Option<Checkpoint>)];

    #[test]
    fn a_shard_is_ready_when_no_listed_parent_is_short_of_its_end() {
        use Checkpoint::{At, End};
        let at = |sequence: u64| Some(At(sequence.into()));
        let split = [shard(0, &[]), shard(1, &[0]), shard(2, &[0])];
        let merge = [shard(1, &[]), shard(2, &[]), shard(3, &[1, 2])];
        // The shard 0 of the chain has expired, and with it one parent of the merge.
        let chain = [shard(1, &[0]), shard(2, &[1])];
        let half_expired_merge = [shard(2, &[]), shard(3, &[1, 2])];
        let cases: &[(&str, &[Shard], Checkpoints, &[u64])] = &[
            ("nothing read", &split, &[(0, None), (1, None), (2, None)], &[0]),
            ("parent half read", &split, &[(0, at(7)), (1, None), (2, None)], &[0]),
            ("parent read", &split, &[(0, Some(End)), (1, None), (2, at(3))], &[1, 2]),
            ("one child read", &split, &[(0, Some(End)), (1, Some(End)), (2, None)], &[2]),
            ("before a merge", &merge, &[(1, None), (2, None), (3, None)], &[1, 2]),
            ("one side of a merge read", &merge, &[(1, Some(End)), (2, at(1)), (3, None)], &[2]),
            ("both sides read", &merge, &[(1, Some(End)), (2, Some(End)), (3, None)], &[3]),
            ("expired parent of a chain", &chain, &[(1, None), (2, None)], &[1]),
            ("expired parent of a merge", &half_expired_merge, &[(2, None), (3, None)], &[2]),
            ("expired and read parents", &half_expired_merge, &[(2, Some(End)), (3, None)], &[3]),
        ];
        for (name, listed, checkpoints, expected) in cases {
            let ready: Vec<u64> =
                lineage(checkpoints).start_ready(listed).iter().map(|(id, _)| id.0).collect();
            assert_eq!(ready, *expected, "{name}");
        }
    }

    #[test]
    fn a_shard_starts_after_its_checkpoint_and_only_once() {
        let listed = [shard(0, &[])];
        let mut lineage = lineage(&[(0, Some(Checkpoint::At(7.into())))]);
        assert_eq!(lineage.start_ready(&listed), [(ShardId(0), Some(7.into()))]);
        assert_eq!(lineage.start_ready(&listed), []);
    }

    #[test]
    fn an_expired_parent_that_is_still_being_read_holds_its_child_up() {
        let both = [shard(0, &[]), shard(1, &[0])];
        let mut lineage = lineage(&[(0, None), (1, None)]);
        assert_eq!(lineage.start_ready(&both), [(ShardId(0), None)]);

        let child = [shard(1, &[0])];
        assert_eq!(lineage.retain(&child), [ShardId(0)]);
        assert_eq!(lineage.start_ready(&child), []);

        lineage.forget(ShardId(0));
        assert_eq!(lineage.retain(&child), []);
        assert_eq!(lineage.start_ready(&child), [(ShardId(1), None)]);
    }

    #[test]
    fn a_shard_that_broke_off_is_learned_again() {
        let listed = [shard(0, &[])];
        let mut lineage = lineage(&[(0, None)]);
        lineage.start_ready(&listed);
        lineage.forget(ShardId(0));
        assert_eq!(lineage.unknown(&listed), [ShardId(0)]);
    }

    /// A history of splits and merges of two shards: each step closes one or two open shards.
    fn history() -> impl Strategy<Value = Vec<Shard>> {
        prop::collection::vec((any::<bool>(), any::<Index>(), any::<Index>()), 0..12).prop_map(|steps| {
            let mut shards = vec![shard(0, &[]), shard(1, &[])];
            let mut open = vec![0, 1];
            for (is_split, first, second) in steps {
                let next = shards.len() as u64;
                let parent = open.remove(first.index(open.len()));
                if is_split || open.is_empty() {
                    shards.extend([shard(next, &[parent]), shard(next + 1, &[parent])]);
                    open.extend([next, next + 1]);
                } else {
                    let other = open.remove(second.index(open.len()));
                    shards.push(shard(next, &[parent, other]));
                    open.push(next);
                }
            }
            shards
        })
    }

    proptest! {
        /// Shards end in any order and expire from the oldest on; listings come at any time.
        #[test]
        fn every_listed_shard_is_read_once_and_after_its_parents(
            shards in history(),
            expired in any::<Index>(),
            ends in prop::collection::vec(any::<Index>(), 64),
        ) {
            let listed = &shards[expired.index(shards.len())..];
            let is_listed = |id: &ShardId| listed.iter().any(|shard| shard.id == *id);
            let mut lineage = Lineage::default();
            let (mut reading, mut ended) = (Vec::new(), Vec::new());
            for end in ends {
                lineage.retain(listed);
                for id in lineage.unknown(listed) {
                    lineage.learn(id, None);
                }
                for (id, _) in lineage.start_ready(listed) {
                    let shard = listed.iter().find(|shard| shard.id == id).unwrap();
                    prop_assert!(shard.parents.iter().all(|id| ended.contains(id) || !is_listed(id)));
                    prop_assert!(!reading.contains(&id) && !ended.contains(&id));
                    reading.push(id);
                }
                if !reading.is_empty() {
                    let id = reading.remove(end.index(reading.len()));
                    lineage.end(id);
                    ended.push(id);
                }
            }
            prop_assert_eq!(ended.len(), listed.len());
        }
    }
}
