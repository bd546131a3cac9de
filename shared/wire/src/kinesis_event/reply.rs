//! What a function answers to its event source mapping.
//!
//! Lambda takes an object without `batchItemFailures` for success, and moves on past every record: one letter wrong in
//! that name loses data without a word. What must always hold: only this type is ever written as a reply; it always has
//! the name, and each of its items is a number of the event.

use serde::Serialize;
use wattstream_domain::SequenceNumber;

/// The records that were not processed. Lambda delivers again from the lowest of them on; none is success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EventReply {
    #[serde(rename = "batchItemFailures")]
    failures: Vec<ItemFailure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ItemFailure {
    #[serde(rename = "itemIdentifier")]
    sequence: String,
}

impl FromIterator<SequenceNumber> for EventReply {
    fn from_iter<I: IntoIterator<Item = SequenceNumber>>(failures: I) -> Self {
        let item = |sequence: SequenceNumber| ItemFailure { sequence: sequence.to_string() };
        Self { failures: failures.into_iter().map(item).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(failures: &[&str]) -> String {
        let reply: EventReply = failures.iter().map(|number| number.parse().unwrap()).collect();
        serde_json::to_string(&reply).unwrap()
    }

    #[test]
    fn success_is_an_empty_list() {
        assert_eq!(json(&[]), r#"{"batchItemFailures":[]}"#);
    }

    #[test]
    fn failures_are_named_by_their_numbers_as_the_event_wrote_them() {
        let number = "49590338271490256608559692538361571095921575989136588898";
        let expected =
            format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"{number}"}},{{"itemIdentifier":"0"}}]}}"#);
        assert_eq!(json(&[number, "0"]), expected);
    }
}
