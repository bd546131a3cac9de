//! What can go wrong with a request.

use std::time::Duration;

use super::operation::{Operation, Service};

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is refused as a whole because there are too many, in the service's own words. Nothing is applied.
    Throttled,
    /// Status 503. Nothing is applied.
    Unavailable,
    /// Status 500. Nothing is applied.
    ErrorBefore,
    /// Status 500, and yet it was applied.
    ErrorAfter,
    /// The connection is reset. Nothing is applied.
    ResetBefore,
    /// It is applied, and then the connection is reset.
    ResetAfter,
    /// It is applied and never answered; the connection stays open until the client gives it up.
    SilenceAfter,
    /// It is applied, and the connection is reset in the middle of the answer.
    CutBody,
    /// It is applied, and its answer arrives in drops over this time.
    SlowBody {
        /// The time from the first byte to the last.
        over: Duration,
    },
    /// Only these entries of a batch are applied, and the others given back as the service does. Bit `i` stands for entry
    /// `i`; the mask repeats after 32 entries.
    ///
    /// It never stands for all: where it does, the last entry is given back. When it stands for none, DynamoDB refuses
    /// the request as [`Throttled`](Self::Throttled), and the others answer for [every entry](FaultKind::EveryEntry).
    Partial {
        /// The entries that are applied.
        taken: u32,
    },
    /// A page holds no more than this, and says where to go on.
    ShortPage {
        /// The most that it holds, at least one.
        limit: u32,
    },
    /// A shard iterator is refused because five minutes have passed.
    ExpiredIterator,
}

impl Fault {
    /// Its kind. Of a [`Partial`](Self::Partial) only the request tells whether every entry is given back.
    pub fn kind(self) -> FaultKind {
        match self {
            Self::Throttled => FaultKind::Throttled,
            Self::Unavailable => FaultKind::Unavailable,
            Self::ErrorBefore => FaultKind::ErrorBefore,
            Self::ErrorAfter => FaultKind::ErrorAfter,
            Self::ResetBefore => FaultKind::ResetBefore,
            Self::ResetAfter => FaultKind::ResetAfter,
            Self::SilenceAfter => FaultKind::SilenceAfter,
            Self::CutBody => FaultKind::CutBody,
            Self::SlowBody { .. } => FaultKind::SlowBody,
            Self::Partial { .. } => FaultKind::Partial,
            Self::ShortPage { .. } => FaultKind::ShortPage,
            Self::ExpiredIterator => FaultKind::ExpiredIterator,
        }
    }
}

/// A kind of [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// [`Fault::Throttled`].
    Throttled,
    /// [`Fault::Unavailable`].
    Unavailable,
    /// [`Fault::ErrorBefore`].
    ErrorBefore,
    /// [`Fault::ErrorAfter`].
    ErrorAfter,
    /// [`Fault::ResetBefore`].
    ResetBefore,
    /// [`Fault::ResetAfter`].
    ResetAfter,
    /// [`Fault::SilenceAfter`].
    SilenceAfter,
    /// [`Fault::CutBody`].
    CutBody,
    /// [`Fault::SlowBody`].
    SlowBody,
    /// [`Fault::Partial`], with some entries taken and some given back.
    Partial,
    /// [`Fault::Partial`] with no entry taken, answered with a success all the same.
    EveryEntry,
    /// [`Fault::ShortPage`].
    ShortPage,
    /// [`Fault::ExpiredIterator`].
    ExpiredIterator,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Throttled,
        Self::Unavailable,
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::SilenceAfter,
        Self::CutBody,
        Self::SlowBody,
        Self::Partial,
        Self::EveryEntry,
        Self::ShortPage,
        Self::ExpiredIterator,
    ];

    /// Whether this can go wrong with that operation.
    pub fn applies_to(self, operation: &Operation) -> bool {
        match self {
            // Services that are not known have no known words for it.
            Self::Throttled => operation.service != Service::Other,
            Self::Partial => is_batch(operation),
            Self::EveryEntry => is_batch(operation) && operation.service != Service::DynamoDb,
            Self::ShortPage => {
                [Operation::QUERY, Operation::SCAN, Operation::GET_RECORDS].contains(operation)
            }
            Self::ExpiredIterator => *operation == Operation::GET_RECORDS,
            _ => true,
        }
    }
}

/// Whether an operation has entries that are answered for one by one.
pub(super) fn is_batch(operation: &Operation) -> bool {
    Operation::BATCHES.contains(operation)
}
