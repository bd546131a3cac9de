//! What names a dead letter in a queue: the position of a payload, or the shard and the numbers of a batch.

use std::fmt;
use std::str::FromStr;

use wattstream_domain::{Position, SequenceNumber, ShardId};
use wattstream_engine::DeadLetter;
use wattstream_wire::on_failure::DiscardedBatch;

/// Stands between the numbers of a batch.
const TO: &str = "..";

/// The id of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LetterId {
    /// A payload: `shardId-000000000000:42:0`.
    Payload(Position),
    /// A batch: `shardId-000000000000:42..77`.
    Batch {
        /// Its shard.
        shard: ShardId,
        /// The number of its first record.
        first: SequenceNumber,
        /// That of its last.
        last: SequenceNumber,
    },
}

/// A text names no dead letter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no dead letter: a payload is SHARD:NUMBER:PLACE and a batch SHARD:NUMBER{TO}NUMBER, as \
     `wattstream dead-letters list` prints them"
)]
pub(super) struct LetterIdError(String);

impl LetterId {
    pub(super) fn of_letter(letter: &DeadLetter) -> Self {
        Self::Payload(letter.position)
    }

    pub(super) fn of_batch(batch: &DiscardedBatch) -> Self {
        Self::Batch { shard: batch.shard, first: batch.first, last: batch.last }
    }
}

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payload(position) => write!(f, "{position}"),
            Self::Batch { shard, first, last } => write!(f, "{shard}:{first}{TO}{last}"),
        }
    }
}

impl FromStr for LetterId {
    type Err = LetterIdError;

    fn from_str(text: &str) -> Result<Self, LetterIdError> {
        let batch = || {
            let (shard, numbers) = text.split_once(':')?;
            let (first, last) = numbers.split_once(TO)?;
            Some(Self::Batch {
                shard: shard.parse().ok()?,
                first: first.parse().ok()?,
                last: last.parse().ok()?,
            })
        };
        let payload = || text.parse().ok().map(Self::Payload);
        batch().or_else(payload).ok_or_else(|| LetterIdError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_prints() {
        for text in ["shardId-000000000003:42:0", "shardId-000000000003:42..4960118965842235"] {
            assert_eq!(text.parse::<LetterId>().map(|id| id.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_forms_that_are_not() {
        for text in
            ["", "42", "shardId-000000000003:42", "shardId-000000000003:42..", "shard-3:42..43", "a:b:c"]
        {
            let error = text.parse::<LetterId>().unwrap_err().to_string();
            assert!(error.contains("SHARD:NUMBER..NUMBER"), "{error}");
        }
    }
}
