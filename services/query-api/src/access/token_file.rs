//! The file that tokens are in: what a process accepts, and what a client sends. What must always hold: a file that others can
//! read is refused, and so is a token that could be guessed; an error names a line and never quotes it.
//!
//! ```text
//! # who may ask
//! dashboard: 6b0f3cf9a5c94c8f9d0d0f6b7b1f2c55      a name for the log, and a token
//! 0c7e0b61e6a34d0a8a6c1a8a3c1f0f4e                a token alone
//! ```

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The fewest characters of a token: 16 of hexadecimal are 64 bits, which nobody guesses over a network.
pub const TOKEN_CHARS_MIN: usize = 16;

/// The most characters of a token: far more than is needed, and far less than a header may have.
pub const TOKEN_CHARS_MAX: usize = 512;

/// The most characters of a name.
pub const NAME_CHARS_MAX: usize = 64;

/// The most tokens of a file. Each request is compared with all of them.
pub const TOKENS_MAX: usize = 256;

/// The largest file that is read: every token at its longest, with as much again for comments.
pub const TOKEN_FILE_BYTES_MAX: u64 = 512 * 1_024;

/// The tokens of a file, in its order; at least one.
pub struct TokenFile(Vec<Entry>);

struct Entry {
    line: usize,
    name: Option<String>,
    token: String,
}

/// Why a token file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// It cannot be read.
    #[error("the token file {} cannot be read: {source}\nhint: (umask 077; openssl rand -hex 32 > {}) makes one", path.display(), path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner may read or change it.
    #[error("the token file {} is open to others (mode {mode:03o}): chmod 600 {}", path.display(), path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// What is in it are no tokens.
    #[error("the token file {}{}: {mistake}", path.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong with it.
        mistake: TokenMistake,
    },
}

/// What can be wrong with the content of a token file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenMistake {
    /// There is no token.
    #[error("there is no token in it; openssl rand -hex 32 makes one")]
    Empty,
    /// There are too many.
    #[error("there are more than {TOKENS_MAX} tokens")]
    TooMany,
    /// The file is too large.
    #[error("it has more than {TOKEN_FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// The bytes are no text.
    #[error("it is not UTF-8")]
    NotText,
    /// A token could be guessed, or is none.
    #[error(
        "a token has {TOKEN_CHARS_MIN} to {TOKEN_CHARS_MAX} characters, this one has {0}; openssl rand -hex 32 makes one"
    )]
    Length(usize),
    /// A token has characters that a header cannot carry.
    #[error("a token has only letters, digits and - . _ ~ + / =, and a name before it ends with a colon")]
    BadCharacter,
    /// A name cannot be one.
    #[error("a name has 1 to {NAME_CHARS_MAX} letters, digits and - . _")]
    BadName,
}

/// A mistake and its line, when it has one.
type Misplaced = (Option<usize>, TokenMistake);

impl TokenFile {
    /// Reads a file, which belongs to its owner alone.
    pub fn read(path: &Path) -> Result<Self, TokenFileError> {
        let io = |source| TokenFileError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        refuse_open_to_others(path, &file)?;
        let mut bytes = Vec::new();
        file.take(TOKEN_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(io)?;
        Self::parse(&bytes).map_err(|(line, mistake)| TokenFileError::Content {
            path: path.to_owned(),
            line,
            mistake,
        })
    }

    /// The token that a client sends: the first.
    pub fn first(&self) -> &str {
        self.0.first().map_or("", |entry| &entry.token)
    }

    /// The tokens and who is known by them.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
        self.0.iter().map(|entry| {
            let name = match &entry.name {
                Some(name) => Cow::Borrowed(name.as_str()),
                None => Cow::Owned(format!("line-{}", entry.line)),
            };
            (name, entry.token.as_str())
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, Misplaced> {
        if bytes.len() as u64 > TOKEN_FILE_BYTES_MAX {
            return Err((None, TokenMistake::TooLarge));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| (None, TokenMistake::NotText))?;
        let lines = (1..).zip(text.lines().map(str::trim));
        let entries: Vec<Entry> = lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(line, text)| Entry::parse(line, text).map_err(|mistake| (Some(line), mistake)))
            .collect::<Result<_, _>>()?;
        match entries.len() {
            0 => Err((None, TokenMistake::Empty)),
            1..=TOKENS_MAX => Ok(Self(entries)),
            _ => Err((None, TokenMistake::TooMany)),
        }
    }
}

impl Entry {
    fn parse(line: usize, text: &str) -> Result<Self, TokenMistake> {
        let (name, token) = match text.split_once(':') {
            Some((name, token)) => (Some(name.trim()), token.trim()),
            None => (None, text),
        };
        let is_of = |text: &str, others: &[u8]| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
        };
        if name.is_some_and(|name| !(1..=NAME_CHARS_MAX).contains(&name.len()) || !is_of(name, b"-._")) {
            return Err(TokenMistake::BadName);
        }
        // RFC 6750 calls these characters b64token.
        if !is_of(token, b"-._~+/=") {
            return Err(TokenMistake::BadCharacter);
        }
        if !(TOKEN_CHARS_MIN..=TOKEN_CHARS_MAX).contains(&token.len()) {
            return Err(TokenMistake::Length(token.len()));
        }
        Ok(Self { line, name: name.map(str::to_owned), token: token.to_owned() })
    }
}

impl fmt::Debug for TokenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries().map(|(name, _)| name)).finish()
    }
}

/// The permissions of everybody but the owner.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

#[cfg(unix)]
fn refuse_open_to_others(path: &Path, file: &File) -> Result<(), TokenFileError> {
    let io = |source| TokenFileError::Io { path: path.to_owned(), source };
    let mode = std::os::unix::fs::MetadataExt::mode(&file.metadata().map_err(io)?) & 0o777;
    if mode & OTHERS == 0 {
        return Ok(());
    }
    Err(TokenFileError::OpenToOthers { path: path.to_owned(), mode })
}

/// Elsewhere the folder of the user is closed to others, and a mode would not say so.
#[cfg(not(unix))]
fn refuse_open_to_others(_: &Path, _: &File) -> Result<(), TokenFileError> {
    Ok(())
}

#[cfg(test)]
mod tests;
