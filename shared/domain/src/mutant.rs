//! Planted bugs, for the test that the property tests would notice them.
//!
//! Only a build with `--cfg wattstream_mutants` has them; in every other build [`is_planted`] is the constant `false`
//! and leaves no trace. One bug is alive at a time, for the whole process.

/// A bug that somebody could write here, and that the properties of the engine must catch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Sequence numbers compared as texts, so that 10 comes before 9.
    StringSequences,
    /// A revision that forgets what it replaced.
    ForgottenBefore,
    /// A late reading that always goes to the open hour.
    LateIntoOpenHour,
    /// An hour that is counted again without the other readings of its batch.
    RecountForgetsBatch,
    /// States kept in memory after a failed batch.
    CacheKeptAfterFailure,
    /// A duplicate that counts as a record.
    CountOnDuplicate,
    /// A snapshot that leaves its unpublished alerts behind.
    SnapshotWithoutOutbox,
    /// Totals added up as 32-bit floats.
    FloatSums,
    /// A batch acknowledged although a write failed.
    AcknowledgeBeforeWrite,
    /// Every stored row taken for a committed one.
    EveryRowCommitted,
    /// A revision that leaves the old energy in the totals.
    RevisionAddsTwice,
    /// A late reading that the detector learns from.
    LateIsLearned,
    /// An instance that takes over a shard without a trace, so that the one before it trusts its memory.
    SilentTakeover,
    /// The records of an aggregate told apart by nothing.
    SubSequenceIgnored,
    /// Numbers of different shards compared.
    ShardsCompared,
    /// A late reading after which the state is not stored.
    LateWithoutSnapshot,
    /// A duplicate after which the state is not stored.
    DuplicateWithoutSnapshot,
    /// A batch acknowledged although its dead letters were not kept.
    RejectDropped,
    /// A silence that people are told of before it is kept.
    SilenceToldBeforeKept,
    /// A silence whose end is told although its begin may not have been.
    SilenceClosedUnannounced,
    /// A silence that is forgotten before its end was told.
    SilenceForgottenBeforeClosed,
    /// An append that is acknowledged before it was synced. It is not in [`Mutant::ALL`]: the log of one machine has a
    /// property of its own, which must catch it.
    AcknowledgeBeforeSync,
    /// A panic at every revision. It is not in [`Mutant::ALL`]: the engine lives with it.
    PanicAtRevision,
}

impl Mutant {
    /// Every planted bug.
    pub const ALL: [Self; 21] = [
        Self::StringSequences,
        Self::ForgottenBefore,
        Self::LateIntoOpenHour,
        Self::RecountForgetsBatch,
        Self::CacheKeptAfterFailure,
        Self::CountOnDuplicate,
        Self::SnapshotWithoutOutbox,
        Self::FloatSums,
        Self::AcknowledgeBeforeWrite,
        Self::EveryRowCommitted,
        Self::RevisionAddsTwice,
        Self::LateIsLearned,
        Self::SilentTakeover,
        Self::SubSequenceIgnored,
        Self::ShardsCompared,
        Self::LateWithoutSnapshot,
        Self::DuplicateWithoutSnapshot,
        Self::RejectDropped,
        Self::SilenceToldBeforeKept,
        Self::SilenceClosedUnannounced,
        Self::SilenceForgottenBeforeClosed,
    ];
}

/// Whether this bug is alive.
#[cfg(not(wattstream_mutants))]
#[inline]
pub const fn is_planted(_: Mutant) -> bool {
    false
}

#[cfg(wattstream_mutants)]
pub use planted::{is_planted, plant};

#[cfg(wattstream_mutants)]
mod planted {
    use super::Mutant;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static ALIVE: AtomicUsize = AtomicUsize::new(usize::MAX);

    /// Brings one bug to life, or none.
    pub fn plant(mutant: Option<Mutant>) {
        ALIVE.store(mutant.map_or(usize::MAX, |mutant| mutant as usize), Ordering::SeqCst);
    }

    /// Whether this bug is alive.
    pub fn is_planted(mutant: Mutant) -> bool {
        ALIVE.load(Ordering::Relaxed) == mutant as usize
    }
}
