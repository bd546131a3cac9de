//! When a site's state is stored.

/// When the engine stores a state beyond the times when it must: with a site's first batch, so that readers find the site, and
/// whenever something happened that the rows alone would not bring back. Any policy gives the same tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotPolicy {
    /// With every batch: the cheapest to read, and writes cost nothing on one machine.
    EveryBatch,
    /// Only when it must be: a write unit saved for every steady batch on AWS.
    WhenNeeded,
    /// With one batch in `n`, chosen by the batch's last sequence number, so that a second delivery chooses alike.
    OneBatchIn(
        /// The number of batches that share one extra snapshot; above zero.
        std::num::NonZeroU8,
    ),
}

impl SnapshotPolicy {
    /// Whether a batch that ends at `last` stores the states of its sites.
    pub(crate) fn is_due(self, last: wattstream_domain::SequenceNumber) -> bool {
        match self {
            Self::EveryBatch => true,
            Self::WhenNeeded => false,
            Self::OneBatchIn(n) => {
                let low_byte = last.to_be_bytes().last().copied().unwrap_or(0);
                low_byte % n == 0
            }
        }
    }
}
