//! `Accept`: which of the media types of an answer a client likes best (RFC 9110, section 12.5.1).
//!
//! What must always hold: no header, and one that cannot be read, accepts everything; of types that are liked alike, the first is taken.

use axum::http::{HeaderMap, header};

/// The place of the type that a request likes best, of several the first; `None` when it likes none.
pub(crate) fn best(headers: &HeaderMap, offered: &[&str]) -> Option<usize> {
    let values = headers.get_all(header::ACCEPT).iter();
    let ranges: Vec<Range> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .filter_map(Range::parse)
        .collect();
    if ranges.is_empty() {
        return Some(0);
    }
    let liked = offered.iter().map(|media_type| liking(media_type, &ranges)).enumerate();
    let (place, liking) = liked.rev().max_by_key(|(_, liking)| *liking)?;
    (liking > 0).then_some(place)
}

/// The weight of the most exact range that has this type in it, in thousandths.
fn liking(media_type: &str, ranges: &[Range]) -> u16 {
    let (kind, _) = media_type.split_once('/').unwrap_or_default();
    let exactness = |range: &Range| match &*range.name {
        name if name == media_type => 3,
        name if name.strip_suffix("/*") == Some(kind) => 2,
        "*/*" => 1,
        _ => 0,
    };
    let most_exact = ranges.iter().filter(|range| exactness(range) > 0).max_by_key(|range| exactness(range));
    most_exact.map_or(0, |range| range.weight)
}

/// A media range of `Accept`, and how much it is liked, in thousandths.
struct Range {
    name: String,
    weight: u16,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().filter(|name| name.contains('/'))?.to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let weight = weight.map_or(Some(1.0), |weight| weight.parse::<f32>().ok())?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it lies between 0 and 1000"
        )]
        let weight = (weight.clamp(0.0, 1.0) * 1_000.0) as u16;
        Some(Self { name, weight })
    }
}
