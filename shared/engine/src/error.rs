//! What can go wrong behind a port, by what the caller must do about it.

use std::error::Error as StdError;
use std::fmt;

/// What the caller does about an error. Adding a kind needs a decision record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The outside is busy or away. Try again later; the call may have been applied all the same.
    Retry,
    /// Somebody else wrote first. Load again and decide again, a bounded number of times.
    Conflict,
    /// The input is wrong and will stay wrong. Set it aside and go on.
    Reject,
    /// Our own mistake, or damaged data. Stop, and call a person.
    Broken,
}

/// An error of a port: its kind, what was being done, and what lay behind it.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    doing: &'static str,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of a call to a port.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` that arose while `doing` something, such as `"reading the log"`.
    pub fn new(kind: Kind, doing: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind, doing, source: Some(source.into()) }
    }

    /// An error that nothing else lies behind.
    pub fn bare(kind: Kind, doing: &'static str) -> Self {
        Self { kind, doing, source: None }
    }

    /// What the caller does about it.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            Kind::Retry => "did not succeed this time",
            Kind::Conflict => "somebody else wrote first",
            Kind::Reject => "refused the input",
            Kind::Broken => "found what must not be",
        };
        write!(f, "{}: {what}", self.doing)?;
        self.source.as_ref().map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}
