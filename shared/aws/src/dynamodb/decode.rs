//! What items hold. [`encode`](super::encode) writes them.
//!
//! What must always hold: an item that does not hold what it should is an error that names the attribute, and never a panic
//! or a value that was made up. Attributes that this version does not know are passed over.

use std::collections::HashMap;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use wattstream_domain::{
    Alert, Channel, Energy, EnergySum, Finding, Hour, HourRow, HourTotals, Measure, OpenSilence, Row, Rule,
    Score, ShardId, SiteId, Spread, Timestamp, Version,
};
use wattstream_engine::ports::{InstanceId, ShardMark, Snapshot};
use wattstream_engine::{Error, Kind};
use wattstream_wire::parse_timestamp;
use wattstream_wire::stored::{StoredError, decode_alert, decode_open_silence, decode_state};

use super::schema::{
    ALERT, ANOMALIES, BEFORE, CHANNEL, CONSUMED, CONSUMED_MAX, CONSUMED_MIN, EXPECTED, FINDINGS, GENERATED,
    GENERATED_MAX, GENERATED_MIN, HOUR, INSTANCE, LAST_SEEN, POSITION, RECORDS, REVISION, RULE, SCORE,
    SEQUENCE, SHARD, SILENCE, SITE_ID, STATE, TIMESTAMP, VERSION,
};

/// An item as the SDK reads it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Why an item is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum ItemError {
    /// An attribute is missing, or holds a value that it cannot have.
    #[error("an item has no valid {attribute}: {found:?}")]
    Attribute { attribute: &'static str, found: Option<AttributeValue> },
    /// Its bytes are damaged.
    #[error(transparent)]
    Stored(#[from] StoredError),
}

impl ItemError {
    /// The error of a port that was `doing` something.
    pub(super) fn while_doing(self, doing: &'static str) -> Error {
        Error::new(Kind::Broken, doing, self)
    }
}

type Result<T> = std::result::Result<T, ItemError>;

/// The reading of an item.
pub(super) fn reading(item: &Item) -> Result<Row> {
    let before = match item.get(BEFORE) {
        None => None,
        Some(AttributeValue::M(members)) => Some(Box::new(version(members)?)),
        Some(_) => return Err(wrong(item, BEFORE)),
    };
    Ok(Row { site_id: site_id(item)?, timestamp: instant(item, TIMESTAMP)?, version: version(item)?, before })
}

fn version(item: &Item) -> Result<Version> {
    let measure = Measure { generated: energy(item, GENERATED)?, consumed: energy(item, CONSUMED)? };
    let findings = match item.get(FINDINGS) {
        None => Vec::new(),
        Some(AttributeValue::L(findings)) => findings.iter().map(finding).collect::<Result<_>>()?,
        Some(_) => return Err(wrong(item, FINDINGS)),
    };
    let revision = if item.contains_key(REVISION) { count(item, REVISION)? } else { 0 };
    Ok(Version { measure, findings, position: parsed(item, POSITION)?, revision })
}

fn finding(value: &AttributeValue) -> Result<Finding> {
    let AttributeValue::M(item) = value else {
        return Err(ItemError::Attribute { attribute: FINDINGS, found: Some(value.clone()) });
    };
    let rule = Rule::from_name(text(item, RULE)?).ok_or_else(|| wrong(item, RULE))?;
    let channel = match item.get(CHANNEL) {
        None => None,
        Some(_) => {
            let name = text(item, CHANNEL)?;
            let channel = Channel::ALL.into_iter().find(|channel| channel.name() == name);
            Some(channel.ok_or_else(|| wrong(item, CHANNEL))?)
        }
    };
    let thousandths = decimal(item, SCORE, SCORE_PLACES)?;
    let score = u32::try_from(thousandths).map(Score).map_err(|_| wrong(item, SCORE))?;
    let expected = item.contains_key(EXPECTED).then(|| energy(item, EXPECTED)).transpose()?;
    Ok(Finding { rule, channel, score, expected })
}

/// The hour of an item.
pub(super) fn hour(item: &Item) -> Result<HourRow> {
    let spread = |sum, min, max| -> Result<Spread> {
        Ok(Spread { sum: energy_sum(item, sum)?, min: energy(item, min)?, max: energy(item, max)? })
    };
    let hour = instant(item, HOUR)?.hour();
    if Hour::start(hour) != instant(item, HOUR)? {
        return Err(wrong(item, HOUR));
    }
    let totals = HourTotals {
        records: count(item, RECORDS)?,
        anomalies: count(item, ANOMALIES)?,
        generated: spread(GENERATED, GENERATED_MIN, GENERATED_MAX)?,
        consumed: spread(CONSUMED, CONSUMED_MIN, CONSUMED_MAX)?,
    };
    Ok(HourRow { site_id: site_id(item)?, hour, totals, position: parsed(item, POSITION)? })
}

/// The snapshot of an item.
pub(super) fn site(item: &Item) -> Result<Snapshot> {
    let state = decode_state(site_id(item)?, bytes(item, STATE)?)?;
    Ok(Snapshot { state, version: count(item, VERSION)? })
}

/// The mark of an item.
pub(super) fn shard(item: &Item) -> Result<ShardMark> {
    Ok(ShardMark {
        shard: parsed::<ShardId>(item, SHARD)?,
        sequence: parsed(item, SEQUENCE)?,
        instance: InstanceId(text(item, INSTANCE)?.to_owned()),
    })
}

/// The alert of an item.
pub(super) fn alert(item: &Item) -> Result<Alert> {
    Ok(decode_alert(site_id(item)?, bytes(item, ALERT)?)?)
}

/// The open silence of an item.
pub(super) fn silence(item: &Item) -> Result<OpenSilence> {
    Ok(decode_open_silence(site_id(item)?, instant(item, LAST_SEEN)?, bytes(item, SILENCE)?)?)
}

/// The site that an item belongs to.
pub(super) fn site_id(item: &Item) -> Result<SiteId> {
    parsed(item, SITE_ID)
}

fn wrong(item: &Item, attribute: &'static str) -> ItemError {
    ItemError::Attribute { attribute, found: item.get(attribute).cloned() }
}

fn text<'a>(item: &'a Item, attribute: &'static str) -> Result<&'a str> {
    match item.get(attribute) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(wrong(item, attribute)),
    }
}

fn bytes<'a>(item: &'a Item, attribute: &'static str) -> Result<&'a [u8]> {
    match item.get(attribute) {
        Some(AttributeValue::B(bytes)) => Ok(bytes.as_ref()),
        _ => Err(wrong(item, attribute)),
    }
}

fn parsed<T: FromStr>(item: &Item, attribute: &'static str) -> Result<T> {
    text(item, attribute)?.parse().map_err(|_| wrong(item, attribute))
}

fn instant(item: &Item, attribute: &'static str) -> Result<Timestamp> {
    parse_timestamp(text(item, attribute)?).map_err(|_| wrong(item, attribute))
}

fn count<T: TryFrom<i128>>(item: &Item, attribute: &'static str) -> Result<T> {
    decimal(item, attribute, 0)?.try_into().map_err(|_| wrong(item, attribute))
}

fn energy(item: &Item, attribute: &'static str) -> Result<Energy> {
    let milliwatt_hours = i64::try_from(decimal(item, attribute, ENERGY_PLACES)?).ok();
    milliwatt_hours.and_then(Energy::from_milliwatt_hours).ok_or_else(|| wrong(item, attribute))
}

fn energy_sum(item: &Item, attribute: &'static str) -> Result<EnergySum> {
    decimal(item, attribute, ENERGY_PLACES).map(EnergySum::from_milliwatt_hours)
}

/// Decimals of a kilowatt-hour that a milliwatt-hour resolves.
const ENERGY_PLACES: usize = 6;
/// Decimals of a score.
const SCORE_PLACES: usize = 3;

/// A number times ten to the `places`, which must be whole.
fn decimal(item: &Item, attribute: &'static str, places: usize) -> Result<i128> {
    match item.get(attribute) {
        Some(AttributeValue::N(text)) => scaled(text, places).ok_or_else(|| wrong(item, attribute)),
        _ => Err(wrong(item, attribute)),
    }
}

/// Reads what DynamoDB makes of a number: digits, perhaps a point, perhaps a sign; an exponent only beyond what is ever stored
/// here.
fn scaled(text: &str, places: usize) -> Option<i128> {
    let (is_negative, unsigned) = text.strip_prefix('-').map_or((false, text), |unsigned| (true, unsigned));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if whole.is_empty() || fraction.len() > places {
        return None;
    }
    let zeros = std::iter::repeat_n(b'0', places - fraction.len());
    let magnitude = whole.bytes().chain(fraction.bytes()).chain(zeros).try_fold(0_i128, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| i128::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })?;
    Some(if is_negative { -magnitude } else { magnitude })
}
