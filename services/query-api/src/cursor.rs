//! Cursors: where the next page of an answer begins.
//!
//! A cursor is a place, sealed together with the question that it belongs to, as base64url. What must always hold: what
//! was sealed for a question opens for that question, and for no other; a cursor that was changed by one bit does not
//! open. The seal guards against mistakes, not against attackers: a place lies within its question, and a forged one
//! shows nothing that the question would not.

use axum::http::{HeaderName, HeaderValue, Uri, header};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::parameters::{CURSOR, Form, Parameter};
use crate::problem::{Problem, ProblemType};

/// The parameter that carries a cursor.
pub(crate) const PARAMETER: Parameter = Parameter {
    name: CURSOR,
    description: "Where the page begins: `next` of the page before it. The other parameters stay as they were, except \
                  `limit`, which may change. Times such as `now-24h` keep the meaning that they had for the first page.",
    form: Form::Text,
};

/// Changes when the meaning of a place does.
const VERSION: u8 = 1;

const SEAL_BYTES: usize = 8;

/// The cursor for `place` in the answer to `question`.
pub(crate) fn seal(question: &str, place: &str) -> String {
    let mut sealed = seal_bytes(question, place).to_vec();
    sealed.extend_from_slice(place.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(sealed)
}

/// A `Link` to the page at `cursor`, the rest of the question as it was.
pub(crate) fn link_to(uri: &Uri, cursor: &str) -> Option<(HeaderName, HeaderValue)> {
    let pairs = uri.query().unwrap_or_default().split('&');
    let mut query: Vec<&str> = pairs.filter(|pair| !pair.is_empty() && !pair.starts_with(CURSOR)).collect();
    let cursor = format!("{CURSOR}={cursor}");
    query.push(&cursor);
    let link = format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"));
    HeaderValue::from_str(&link).ok().map(|link| (header::LINK, link))
}

/// The place that `cursor` holds, when it belongs to `question`.
pub(crate) fn open(question: &str, cursor: &str) -> Result<String, Problem> {
    let refused = || {
        let detail = "The cursor was changed on its way, or belongs to another question. Take `next` of the page before \
                      as it is, and repeat that page's other parameters; or leave the cursor out and begin again.";
        Problem::new(ProblemType::CursorInvalid, detail).about(CURSOR)
    };
    let sealed = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    let (seal, place) = sealed.split_first_chunk::<SEAL_BYTES>().ok_or_else(refused)?;
    let place = std::str::from_utf8(place).map_err(|_| refused())?;
    if *seal == seal_bytes(question, place) { Ok(place.to_owned()) } else { Err(refused()) }
}

fn seal_bytes(question: &str, place: &str) -> [u8; SEAL_BYTES] {
    let mut digest = Sha256::new();
    digest.update([VERSION]);
    digest.update(question.len().to_be_bytes());
    digest.update(question);
    digest.update(place);
    let mut seal = [0; SEAL_BYTES];
    seal.copy_from_slice(&digest.finalize()[..SEAL_BYTES]);
    seal
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_opens_for_its_own_question_only(question in ".{0,40}", other in ".{0,40}", place in ".{0,40}") {
            let cursor = seal(&question, &place);
            prop_assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
            prop_assert_eq!(open(&question, &cursor).unwrap(), place);
            prop_assert_eq!(open(&other, &cursor).is_ok(), other == question);
        }

        #[test]
        fn a_cursor_with_one_bit_changed_does_not_open(place in "[0-9.]{1,40}", bit in any::<prop::sample::Index>()) {
            let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(seal("question", &place)).unwrap();
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(open("question", &BASE64_URL_SAFE_NO_PAD.encode(bytes)).is_err());
        }

        #[test]
        fn no_text_panics(cursor in ".{0,80}", base64 in "[A-Za-z0-9_-]{0,80}") {
            prop_assert!(open("question", &cursor).is_err() && open("question", &base64).is_err());
        }
    }

    #[test]
    fn a_question_and_a_place_cannot_trade_characters() {
        assert!(open("a", &seal("ab", "c")).is_err());
        assert_ne!(seal("ab", "c"), seal("a", "bc"));
    }
}
