//! How domain values look in JSON. What must always hold: an energy is written from its integer, digit by digit, and
//! never passes through a double; an instant has its fixed width.

mod rows;

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use wattstream_domain::{Energy, EnergySum, Finding, Rule, Score, SiteId, Timestamp};

pub(crate) use rows::{JsonRow, JsonValue, lines, object, rows, written};

/// Kilowatt-hours, as an exact decimal with at most six places.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = f64, example = json!(12.34))]
pub(crate) struct Kwh(EnergySum);

impl From<EnergySum> for Kwh {
    fn from(sum: EnergySum) -> Self {
        Self(sum)
    }
}

impl From<Energy> for Kwh {
    fn from(energy: Energy) -> Self {
        Self(energy.into())
    }
}

impl Display for Kwh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Kwh {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        exact_number(&self.0, serializer)
    }
}

/// Multiples of the rule's threshold: from 1 on the rule flags.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = f64, example = json!(1.25))]
pub(crate) struct Multiple(pub(crate) Score);

impl Serialize for Multiple {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        exact_number(&self.0, serializer)
    }
}

/// Writes a number with the digits that it prints with.
fn exact_number<S: Serializer>(number: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(number.to_string()).map_err(S::Error::custom)?.serialize(serializer)
}

/// An instant in UTC, at a fixed width, so that text order is time order.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2025-06-20T00:00:00.000Z")]
pub(crate) struct Utc(pub(crate) Timestamp);

impl Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Utc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The id of a site.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site(pub(crate) SiteId);

impl Serialize for Site {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

/// One remark of detection about one reading.
#[derive(Debug, serde::Serialize, ToSchema)]
#[schema(as = Finding)]
pub(crate) struct FindingBody {
    /// The check that the reading failed.
    #[schema(example = "negative_energy")]
    rule: &'static str,
    /// `error`: in need of a substitute; `warning`: usable, worth a look.
    #[schema(example = "error")]
    severity: &'static str,
    /// The energy that failed it, `generated` or `consumed`; null when the rule is about time.
    #[schema(example = "generated", required)]
    channel: Option<&'static str>,
    /// How clearly it failed.
    score: Multiple,
    /// The nearest energy that the rule would have let pass; null when the rule knows none.
    #[schema(required)]
    expected_kwh: Option<Kwh>,
}

impl Display for Multiple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FindingBody {
    /// The check that the reading failed.
    pub(crate) const fn rule(&self) -> &'static str {
        self.rule
    }
}

impl From<&Finding> for FindingBody {
    fn from(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.name(),
            severity: finding.rule.severity().name(),
            channel: finding.channel.map(wattstream_domain::Channel::name),
            score: Multiple(finding.score),
            expected_kwh: finding.expected.map(Kwh::from),
        }
    }
}

/// Counts by the name of their rule, every rule included.
pub(crate) fn by_rule(counts: &[u64; Rule::ALL.len()]) -> BTreeMap<&'static str, u64> {
    Rule::ALL.into_iter().map(|rule| (rule.name(), counts[rule.index()])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: impl Serialize) -> String {
        serde_json::to_string(&value).unwrap()
    }

    #[test]
    fn an_energy_keeps_digits_that_a_double_would_lose() {
        let sum = EnergySum::from_milliwatt_hours(100_000_000_000_000_000_001);
        assert_eq!(json(Kwh(sum)), "100000000000000.000001");
        assert_eq!(json(Kwh(EnergySum::from_milliwatt_hours(-1))), "-0.000001");
        assert_eq!(json(Kwh(EnergySum::ZERO)), "0");
    }

    #[test]
    fn scores_and_instants_print_as_the_domain_prints_them() {
        assert_eq!(json(Multiple(Score(1_250))), "1.250");
        assert_eq!(json(Utc(Timestamp::MIN)), "\"1970-01-01T00:00:00.000Z\"");
    }
}
