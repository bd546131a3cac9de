//! The name of a site.
//!
//! A [`SiteId`] always matches `[A-Za-z0-9_.:-]{1,64}`. So it needs no escaping in a key, a path, a log line or a
//! message, and a zero byte after it separates it from whatever follows in a composite key.

use std::borrow::Borrow;
use std::fmt;

use arrayvec::ArrayString;

/// The longest site id, in bytes.
pub const SITE_ID_BYTES_MAX: usize = 64;

/// The name of a site, held inline: copying one costs no allocation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(ArrayString<SITE_ID_BYTES_MAX>);

/// Why a text is not a site id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiteIdError {
    /// It has no character.
    #[error("a site id has at least 1 character")]
    Empty,
    /// It is longer than [`SITE_ID_BYTES_MAX`].
    #[error("a site id has at most {SITE_ID_BYTES_MAX} characters, this one has {0} bytes")]
    TooLong(usize),
    /// It holds a character outside the alphabet.
    #[error("a site id has only letters, digits and _ . : -, this one has {0:?}")]
    BadCharacter(char),
}

impl SiteId {
    /// Parses a site id.
    pub fn new(text: &str) -> Result<Self, SiteIdError> {
        if text.is_empty() {
            return Err(SiteIdError::Empty);
        }
        // The alphabet is ASCII, so bytes decide; characters are only looked at to name the wrong one.
        if !text.bytes().all(is_allowed) {
            let wrong = text.chars().find(|&c| !u8::try_from(c).is_ok_and(is_allowed));
            return Err(SiteIdError::BadCharacter(wrong.unwrap_or_default()));
        }
        ArrayString::from(text).map(Self).map_err(|_| SiteIdError::TooLong(text.len()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-')
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl std::str::FromStr for SiteId {
    type Err = SiteIdError;

    fn from_str(text: &str) -> Result<Self, SiteIdError> {
        Self::new(text)
    }
}

// Hash, Eq and Ord of the inline text are those of `str`, which is what `Borrow` asks for.
impl Borrow<str> for SiteId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_and_the_length_are_enforced() {
        assert_eq!(SiteId::new("site-alpha_01.pv:A").unwrap().as_str(), "site-alpha_01.pv:A");
        assert_eq!(SiteId::new(""), Err(SiteIdError::Empty));
        assert_eq!(SiteId::new("a/b"), Err(SiteIdError::BadCharacter('/')));
        assert_eq!(SiteId::new("a\u{0}"), Err(SiteIdError::BadCharacter('\0')));
        assert_eq!(SiteId::new("ä"), Err(SiteIdError::BadCharacter('ä')));
        assert!(SiteId::new(&"x".repeat(64)).is_ok());
        assert_eq!(SiteId::new(&"x".repeat(65)), Err(SiteIdError::TooLong(65)));
    }
}
