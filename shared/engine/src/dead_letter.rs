//! A payload that could not be processed, kept so that a person can read the reason and send it again.

use bytes::Bytes;
use wattstream_domain::{Position, Timestamp};
use wattstream_wire::Reason;

use crate::ports::GivenUpCondition;

/// One quarantined payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where it stands in the stream.
    pub position: Position,
    /// When the stream took it.
    pub arrival: Timestamp,
    /// Why it was set aside.
    pub cause: Cause,
    /// What exactly was wrong, where, and how to mend it.
    pub detail: String,
    /// The payload, byte for byte.
    pub payload: Bytes,
}

/// Why a payload was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// It is not a reading.
    Rejected(Reason),
    /// It could not be delivered.
    GivenUp(GivenUpCondition),
    /// The engine panicked at its site: a mistake of ours.
    EngineFailed,
}

const ENGINE_FAILED: &str = "engine_failed";

impl Cause {
    /// The stable code that tables and queries use.
    pub fn code(self) -> &'static str {
        match self {
            Self::Rejected(reason) => reason.code(),
            Self::GivenUp(condition) => condition.code(),
            Self::EngineFailed => ENGINE_FAILED,
        }
    }

    /// The cause with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        if code == ENGINE_FAILED {
            return Some(Self::EngineFailed);
        }
        let given_up = GivenUpCondition::ALL.into_iter().find(|condition| condition.code() == code);
        given_up.map(Self::GivenUp).or_else(|| Reason::from_code(code).map(Self::Rejected))
    }
}

impl GivenUpCondition {
    const ALL: [Self; 2] = [Self::RetryAttemptsExhausted, Self::RecordAgeExceeded];

    /// The stable code that tables and queries use.
    pub fn code(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "retry_attempts_exhausted",
            Self::RecordAgeExceeded => "record_age_exceeded",
        }
    }
}
