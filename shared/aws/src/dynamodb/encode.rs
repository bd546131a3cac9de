//! Items from what they hold. `docs/tables.md` describes them; [`decode`](super::decode) reads them.
//!
//! What must always hold: an item is a function of its row, so that writing it again changes nothing; numbers are exact
//! decimals, spelt as DynamoDB itself spells them.

use std::fmt;

use wattstream_domain::{Alert, Finding, HourRow, OpenSilence, Phase, Row, Score, Version};
use wattstream_engine::ports::{AlertPlace, Commit, ReadingPlace, ShardMark};
use wattstream_wire::stored::{STATE_BYTES_MAX, encode_alert, encode_open_silence, encode_state};

use super::json::{Members, object};
use super::schema::{
    ALERT, ALERT_AT, ALERT_ID, ANOMALIES, ANOMALY, ANOMALY_AT, ANOMALY_FLEET, ANOMALY_PLACE, AT, BEFORE,
    CHANNEL, CONSUMED, CONSUMED_MAX, CONSUMED_MIN, EXPECTED, FINDINGS, FLEET, GENERATED, GENERATED_MAX,
    GENERATED_MIN, HOUR, INSTANCE, LAST_SEEN, NET, PHASE, POSITION, RECORDS, REVISION, RULE, SCORE, SEQUENCE,
    SEVERITY, SHARD, SILENCE, SILENCE_AFTER, SITE_ID, STATE, TIMESTAMP, VERSION, fleet_of,
};

/// Writes the item of a reading.
pub(super) fn reading(row: &Row, out: &mut Vec<u8>) {
    object(out, |item| {
        item.plain(SITE_ID, &row.site_id);
        item.plain(TIMESTAMP, &row.timestamp);
        version(&row.version, item);
        if row.version.is_anomalous() {
            item.plain(ANOMALY_AT, &row.timestamp);
            item.number(ANOMALY_FLEET, &fleet_of(row.site_id));
            item.text(ANOMALY_PLACE, &anomaly_place(&ReadingPlace::of(row)));
        }
        if let Some(before) = &row.before {
            item.map(BEFORE, |members| version(before, members));
        }
    });
}

fn version(version: &Version, item: &mut Members<'_>) {
    let Version { measure, findings, position, revision } = version;
    item.number(GENERATED, &measure.generated);
    item.number(CONSUMED, &measure.consumed);
    item.number(NET, &measure.net());
    item.boolean(ANOMALY, version.is_anomalous());
    item.plain(POSITION, position);
    if !findings.is_empty() {
        item.maps(FINDINGS, findings, finding);
    }
    if *revision > 0 {
        item.number(REVISION, revision);
    }
}

fn finding(finding: &Finding, members: &mut Members<'_>) {
    let Finding { rule, channel, score, expected } = finding;
    members.text(RULE, rule.name());
    members.text(SEVERITY, rule.severity().name());
    members.number(SCORE, &Multiple(*score));
    if let Some(channel) = channel {
        members.text(CHANNEL, channel.name());
    }
    if let Some(expected) = expected {
        members.number(EXPECTED, expected);
    }
}

/// A score as DynamoDB keeps the number: `1.25`, not `1.250`.
struct Multiple(Score);

impl fmt::Display for Multiple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A score prints with three places always.
        f.write_str(self.0.to_string().trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Writes the item of an hour.
pub(super) fn hour(row: &HourRow, out: &mut Vec<u8>) {
    let HourRow { site_id, hour, totals, position } = row;
    object(out, |item| {
        item.plain(SITE_ID, site_id);
        item.plain(HOUR, &hour.start());
        item.number(RECORDS, &totals.records);
        item.number(ANOMALIES, &totals.anomalies);
        item.number(GENERATED, &totals.generated.sum);
        item.number(GENERATED_MIN, &totals.generated.min);
        item.number(GENERATED_MAX, &totals.generated.max);
        item.number(CONSUMED, &totals.consumed.sum);
        item.number(CONSUMED_MIN, &totals.consumed.min);
        item.number(CONSUMED_MAX, &totals.consumed.max);
        item.plain(POSITION, position);
    });
}

/// The sort key of an anomalous reading among those of all sites. Text order is the order of places, because an instant has a
/// fixed width.
pub(super) fn anomaly_place(place: &ReadingPlace) -> String {
    format!("{}#{}", place.timestamp, place.site_id)
}

/// Writes the item of a site, as the commit leaves it.
pub(super) fn site(commit: &Commit<'_>, out: &mut Vec<u8>) {
    let site_id = commit.state.site_id;
    let mut state = Vec::with_capacity(STATE_BYTES_MAX);
    encode_state(commit.state, &mut state);
    object(out, |item| {
        item.plain(SITE_ID, &site_id);
        item.number(VERSION, &(commit.expected_version + 1));
        item.binary(STATE, &state);
        item.number(FLEET, &fleet_of(site_id));
    });
}

/// Writes the item of a shard.
pub(super) fn shard(mark: &ShardMark, out: &mut Vec<u8>) {
    object(out, |item| {
        item.plain(SHARD, &mark.shard);
        item.plain(SEQUENCE, &mark.sequence);
        item.text(INSTANCE, &mark.instance.0);
    });
}

/// Writes the item of an alert. What is beside [`ALERT`] is for people.
pub(super) fn alert(alert: &Alert, out: &mut Vec<u8>) {
    let mut encoded = Vec::new();
    encode_alert(alert, &mut encoded);
    object(out, |item| {
        item.number(FLEET, &fleet_of(alert.site_id));
        item.text(ALERT_AT, &alert_at(alert));
        item.binary(ALERT, &encoded);
        item.plain(SITE_ID, &alert.site_id);
        item.plain(AT, &alert.at);
        item.text(ALERT_ID, alert.id().as_str());
        item.text(PHASE, alert.phase.name());
    });
}

/// The sort key of an alert. An id tells of one instant only, so there is one item an id.
pub(super) fn alert_at(alert: &Alert) -> String {
    alert_place(&AlertPlace::of(alert))
}

/// The sort key of the alert at a place.
pub(super) fn alert_place(place: &AlertPlace) -> String {
    format!("{}#{}", place.at, place.id)
}

/// Writes the item of an open silence. `site_id` and `last_seen` are the place once more, in parts.
pub(super) fn silence(open: &OpenSilence, out: &mut Vec<u8>) {
    let mut encoded = Vec::new();
    encode_open_silence(open, &mut encoded);
    object(out, |item| {
        silence_key_members(open, item);
        item.binary(SILENCE, &encoded);
        item.plain(SITE_ID, &open.site_id);
        item.plain(LAST_SEEN, &open.silence.last_seen);
    });
}

/// Writes the key of an open silence.
pub(super) fn silence_key(open: &OpenSilence, out: &mut Vec<u8>) {
    object(out, |key| silence_key_members(open, key));
}

fn silence_key_members(open: &OpenSilence, members: &mut Members<'_>) {
    members.text(PHASE, Phase::Opened.name());
    members.text(SILENCE_AFTER, &silence_after(open));
}

/// The sort key of an open silence: its place. No id of a site has a `#`.
pub(super) fn silence_after(open: &OpenSilence) -> String {
    format!("{}#{}", open.site_id, open.silence.last_seen)
}
