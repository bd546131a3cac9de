//! Cursors: where the next page of an answer begins.
//!
//! A cursor is a place, sealed together with the question that it belongs to, as base64url. What must always hold: what
//! was sealed for a question opens for that question, and for no other; a cursor that was changed by one bit does not
//! open. The seal guards against mistakes, not against attackers: a place lies within its question, and a forged one
//! shows nothing that the question would not.

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use wattstream_domain::Timestamp;

use crate::parameters::{CURSOR, Form, Parameter, Parameters};
use crate::problem::{Problem, ProblemType};
use crate::time_range::TimeRange;

/// The parameter that carries a cursor.
pub(crate) const PARAMETER: Parameter = Parameter {
    name: CURSOR,
    description: "Where the page begins: `next` of the page before it. The other parameters stay as they were, except \
                  `limit`, which may change. Times such as `now-24h` keep the meaning that they had for the first page.",
    form: Form::Pattern("^[A-Za-z0-9_-]+$"),
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

/// A `Link` to the page at `next`, the rest of the question as it was; no header without a next page.
pub(crate) fn links(uri: &Uri, next: Option<&str>) -> HeaderMap {
    next.and_then(|cursor| link_to(uri, cursor)).map(|link| (header::LINK, link)).into_iter().collect()
}

fn link_to(uri: &Uri, cursor: &str) -> Option<HeaderValue> {
    let pairs = uri.query().unwrap_or_default().split('&');
    let mut query: Vec<&str> = pairs.filter(|pair| !pair.is_empty() && !pair.starts_with(CURSOR)).collect();
    let cursor = format!("{CURSOR}={cursor}");
    query.push(&cursor);
    let link = format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"));
    HeaderValue::from_str(&link).ok()
}

/// A place in an answer over a range of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RangePlace {
    /// The range of the first page: `now-24h` means for all pages what it meant for that one.
    pub(crate) range: TimeRange,
    /// The instant at which the page begins.
    pub(crate) at: Timestamp,
    /// Which of several entries at that instant; empty where there is at most one.
    pub(crate) entry: String,
}

impl RangePlace {
    /// The cursor for this place in the answer to `question`.
    pub(crate) fn seal(&self, question: &str) -> String {
        let instants =
            [self.range.start, self.range.end, self.at].map(|instant| instant.unix_ms().to_string());
        // An entry may have points in it, and so stands last.
        seal(question, &format!("{}.{}", instants.join("."), self.entry))
    }

    fn parse(place: &str) -> Option<Self> {
        let mut parts = place.splitn(4, '.');
        let mut instant = || parts.next()?.parse().ok().and_then(Timestamp::from_unix_ms);
        let (start, end, at) = (instant()?, instant()?, instant()?);
        Some(Self { range: TimeRange { start, end }, at, entry: parts.next()?.to_owned() })
    }
}

/// The range that is asked for, and where its page begins; the first one begins nowhere in particular.
pub(crate) fn range_page(
    parameters: &Parameters,
    question: &str,
    now: Timestamp,
) -> Result<(TimeRange, Option<RangePlace>), Problem> {
    let Some(cursor) = parameters.get(CURSOR) else { return Ok((TimeRange::of(parameters, now)?, None)) };
    let place = RangePlace::parse(&open(question, cursor)?).ok_or_else(Problem::internal)?;
    Ok((place.range, Some(place)))
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
    fn a_place_in_a_range_comes_back_with_its_entry_whatever_points_that_has() {
        let instant = |unix_ms| Timestamp::from_unix_ms(unix_ms).unwrap();
        let range = TimeRange { start: instant(0), end: instant(1_750_377_600_000) };
        for entry in ["", "home-01", "a.b.c", "1.2"] {
            let place = RangePlace { range, at: instant(86_400_000), entry: entry.to_owned() };
            let opened = open("question", &place.seal("question")).unwrap();
            assert_eq!(RangePlace::parse(&opened), Some(place));
        }
        for text in ["", "1", "1.2", "1.2.3", "1.2.x.y", "-1.2.3.y"] {
            assert_eq!(RangePlace::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_question_and_a_place_cannot_trade_characters() {
        assert!(open("a", &seal("ab", "c")).is_err());
        assert_ne!(seal("ab", "c"), seal("a", "bc"));
    }
}
