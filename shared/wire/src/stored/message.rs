//! The messages and their conversion. Field numbers and codes are for ever: add, never reuse.

use prost::Message;
use wattstream_domain as domain;
use wattstream_domain::{Channel, Energy, EnergySum, Phase, Rule, Subject, Timestamp, detect};

/// The name of the field that has no valid value.
type Invalid = &'static str;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Position {
    #[prost(uint64, tag = "1")]
    shard: u64,
    /// Big-endian, without leading zeros.
    #[prost(bytes = "vec", tag = "2")]
    sequence: Vec<u8>,
    #[prost(uint64, tag = "3")]
    sub_sequence: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Finding {
    #[prost(uint32, tag = "1")]
    rule: u32,
    #[prost(uint32, tag = "2")]
    channel: u32,
    #[prost(uint32, tag = "3")]
    score: u32,
    #[prost(sint64, optional, tag = "4")]
    expected: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Version {
    #[prost(sint64, tag = "1")]
    generated: i64,
    #[prost(sint64, tag = "2")]
    consumed: i64,
    #[prost(message, optional, tag = "3")]
    position: Option<Position>,
    #[prost(uint32, tag = "4")]
    revision: u32,
    #[prost(message, repeated, tag = "5")]
    findings: Vec<Finding>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Row {
    #[prost(message, optional, tag = "1")]
    version: Option<Version>,
    #[prost(message, optional, tag = "2")]
    before: Option<Version>,
}

#[derive(Clone, PartialEq, Message)]
struct Spread {
    /// Big-endian two's complement, as short as it goes.
    #[prost(bytes = "vec", tag = "1")]
    sum: Vec<u8>,
    #[prost(sint64, tag = "2")]
    min: i64,
    #[prost(sint64, tag = "3")]
    max: i64,
}

#[derive(Clone, PartialEq, Message)]
struct HourTotals {
    #[prost(uint64, tag = "1")]
    records: u64,
    #[prost(uint64, tag = "2")]
    anomalies: u64,
    #[prost(message, optional, tag = "3")]
    generated: Option<Spread>,
    #[prost(message, optional, tag = "4")]
    consumed: Option<Spread>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Hour {
    #[prost(message, optional, tag = "1")]
    totals: Option<HourTotals>,
    #[prost(message, optional, tag = "2")]
    position: Option<Position>,
}

#[derive(Clone, PartialEq, Message)]
struct OpenHour {
    #[prost(int64, tag = "1")]
    start_ms: i64,
    #[prost(message, optional, tag = "2")]
    totals: Option<HourTotals>,
}

#[derive(Clone, PartialEq, Message)]
struct Totals {
    #[prost(uint64, tag = "1")]
    records: u64,
    #[prost(bytes = "vec", tag = "2")]
    generated: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    consumed: Vec<u8>,
    #[prost(uint64, tag = "4")]
    anomalies: u64,
    /// Readings with a finding, by the rule's code less one.
    #[prost(uint64, repeated, tag = "5")]
    anomalies_by_rule: Vec<u64>,
    #[prost(uint64, tag = "6")]
    late: u64,
    #[prost(uint64, tag = "7")]
    revisions: u64,
    #[prost(int64, optional, tag = "8")]
    first_seen_ms: Option<i64>,
    #[prost(int64, optional, tag = "9")]
    last_seen_ms: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Meter {
    #[prost(int64, tag = "1")]
    peak: i64,
    #[prost(sint64, tag = "2")]
    repeated_value: i64,
    #[prost(uint32, tag = "3")]
    run_readings: u32,
    #[prost(uint32, tag = "4")]
    longest_run_readings: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Detector {
    #[prost(int64, tag = "1")]
    step_ms: i64,
    #[prost(uint32, tag = "2")]
    votes: u32,
    #[prost(int64, tag = "3")]
    usual_gap_ms: i64,
    #[prost(int64, tag = "4")]
    watched_ms: i64,
    #[prost(message, optional, tag = "5")]
    generated: Option<Meter>,
    #[prost(message, optional, tag = "6")]
    consumed: Option<Meter>,
}

#[derive(Clone, PartialEq, Message)]
struct Episode {
    #[prost(uint32, tag = "1")]
    rule: u32,
    #[prost(uint64, tag = "2")]
    number: u64,
    #[prost(int64, tag = "3")]
    opened_at_ms: i64,
    #[prost(int64, tag = "4")]
    last_at_ms: i64,
    #[prost(uint64, tag = "5")]
    readings: u64,
    #[prost(uint32, tag = "6")]
    score: u32,
    #[prost(uint32, tag = "7")]
    quiet_readings: u32,
}

#[derive(Clone, PartialEq, Message)]
#[expect(clippy::struct_field_names, reason = "a name ends with its unit, and all of these are times")]
struct Silence {
    #[prost(int64, tag = "1")]
    last_seen_ms: i64,
    #[prost(int64, tag = "2")]
    interval_ms: i64,
    #[prost(int64, tag = "3")]
    silent_at_ms: i64,
}

/// Its key holds the site and the newest reading before it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OpenSilence {
    #[prost(int64, tag = "1")]
    interval_ms: i64,
    #[prost(int64, tag = "2")]
    silent_at_ms: i64,
    #[prost(bool, tag = "3")]
    is_announced: bool,
}

/// Tells of an episode or of a silence, never of both.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Alert {
    #[prost(bool, tag = "1")]
    is_closed: bool,
    #[prost(int64, tag = "2")]
    at_ms: i64,
    #[prost(message, optional, tag = "3")]
    episode: Option<Episode>,
    #[prost(message, optional, tag = "4")]
    silence: Option<Silence>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SiteState {
    #[prost(uint32, tag = "1")]
    pub(super) format: u32,
    #[prost(message, repeated, tag = "2")]
    positions: Vec<Position>,
    #[prost(message, optional, tag = "3")]
    totals: Option<Totals>,
    #[prost(message, optional, tag = "4")]
    open_hour: Option<OpenHour>,
    #[prost(message, optional, tag = "5")]
    detector: Option<Detector>,
    #[prost(message, repeated, tag = "6")]
    episodes: Vec<Episode>,
    #[prost(uint64, tag = "7")]
    episodes_opened: u64,
    #[prost(message, repeated, tag = "8")]
    outbox: Vec<Alert>,
    #[prost(uint64, tag = "9")]
    outbox_dropped: u64,
    #[prost(uint64, tag = "10")]
    duplicates: u64,
}

impl SiteState {
    pub(super) fn without_delivery(self) -> Self {
        Self { positions: Vec::new(), outbox: Vec::new(), outbox_dropped: 0, duplicates: 0, ..self }
    }

    pub(super) fn into_domain(self, site_id: domain::SiteId) -> Result<domain::SiteState, Invalid> {
        let positions: Vec<_> =
            self.positions.into_iter().map(Position::into_domain).collect::<Result<_, _>>()?;
        let open = self.episodes.into_iter().map(Episode::into_domain).collect::<Result<_, _>>()?;
        let alerts = self.outbox.into_iter().map(|a| a.into_domain(site_id)).collect::<Result<_, _>>()?;
        Ok(domain::SiteState {
            site_id,
            positions: positions.into_iter().collect(),
            totals: self.totals.ok_or("totals")?.into_domain()?,
            open_hour: self.open_hour.map(OpenHour::into_domain).transpose()?,
            detector: self.detector.ok_or("detector")?.into_domain()?,
            episodes: domain::Episodes { open, opened: self.episodes_opened },
            outbox: domain::Outbox { alerts, dropped: self.outbox_dropped },
            duplicates: self.duplicates,
        })
    }
}

impl From<&domain::SiteState> for SiteState {
    fn from(state: &domain::SiteState) -> Self {
        Self {
            format: super::FORMAT,
            positions: state.positions.iter().map(Position::from).collect(),
            totals: Some((&state.totals).into()),
            open_hour: state.open_hour.as_ref().map(|(hour, totals)| OpenHour {
                start_ms: hour.start().unix_ms(),
                totals: Some(totals.into()),
            }),
            detector: Some((&state.detector).into()),
            episodes: state.episodes.open.iter().map(Episode::from).collect(),
            episodes_opened: state.episodes.opened,
            outbox: state.outbox.alerts.iter().map(Alert::from).collect(),
            outbox_dropped: state.outbox.dropped,
            duplicates: state.duplicates,
        }
    }
}

impl Row {
    pub(super) fn without_delivery(self) -> Self {
        let version = self.version.map(|version| Version { position: None, ..version });
        Self { version, before: None }
    }

    pub(super) fn into_domain(
        self,
        site_id: domain::SiteId,
        timestamp: Timestamp,
    ) -> Result<domain::Row, Invalid> {
        let version = self.version.ok_or("version")?.into_domain()?;
        let before = self.before.map(Version::into_domain).transpose()?.map(Box::new);
        Ok(domain::Row { site_id, timestamp, version, before })
    }
}

impl From<&domain::Row> for Row {
    fn from(row: &domain::Row) -> Self {
        Self { version: Some((&row.version).into()), before: row.before.as_deref().map(Version::from) }
    }
}

impl Version {
    fn into_domain(self) -> Result<domain::Version, Invalid> {
        let findings = self.findings.into_iter().map(Finding::into_domain).collect::<Result<_, _>>()?;
        Ok(domain::Version {
            measure: domain::Measure { generated: energy(self.generated)?, consumed: energy(self.consumed)? },
            findings,
            position: self.position.ok_or("position")?.into_domain()?,
            revision: self.revision,
        })
    }
}

impl From<&domain::Version> for Version {
    fn from(version: &domain::Version) -> Self {
        Self {
            generated: version.measure.generated.milliwatt_hours(),
            consumed: version.measure.consumed.milliwatt_hours(),
            position: Some((&version.position).into()),
            revision: version.revision,
            findings: version.findings.iter().map(Finding::from).collect(),
        }
    }
}

impl Finding {
    fn into_domain(self) -> Result<domain::Finding, Invalid> {
        let channel = match self.channel {
            0 => None,
            1 => Some(Channel::Generated),
            2 => Some(Channel::Consumed),
            _ => return Err("channel"),
        };
        let expected = self.expected.map(energy).transpose()?;
        Ok(domain::Finding { rule: rule(self.rule)?, channel, score: domain::Score(self.score), expected })
    }
}

impl From<&domain::Finding> for Finding {
    fn from(finding: &domain::Finding) -> Self {
        let channel = match finding.channel {
            None => 0,
            Some(Channel::Generated) => 1,
            Some(Channel::Consumed) => 2,
        };
        let expected = finding.expected.map(Energy::milliwatt_hours);
        Self { rule: rule_code(finding.rule), channel, score: finding.score.0, expected }
    }
}

impl Position {
    fn into_domain(self) -> Result<domain::Position, Invalid> {
        let sequence = domain::SequenceNumber::from_be_bytes(&self.sequence).ok_or("sequence number")?;
        Ok(domain::Position { shard: domain::ShardId(self.shard), sequence, sub_sequence: self.sub_sequence })
    }
}

impl From<&domain::Position> for Position {
    fn from(position: &domain::Position) -> Self {
        Self {
            shard: position.shard.0,
            sequence: position.sequence.to_be_bytes().to_vec(),
            sub_sequence: position.sub_sequence,
        }
    }
}

impl Hour {
    pub(super) fn without_delivery(self) -> Self {
        Self { position: None, ..self }
    }

    pub(super) fn into_domain(
        self,
        site_id: domain::SiteId,
        hour: domain::Hour,
    ) -> Result<domain::HourRow, Invalid> {
        let totals = self.totals.ok_or("totals")?.into_domain()?;
        Ok(domain::HourRow {
            site_id,
            hour,
            totals,
            position: self.position.ok_or("position")?.into_domain()?,
        })
    }

    pub(super) fn into_sums(self) -> Result<domain::Sums, Invalid> {
        Ok((&self.totals.ok_or("totals")?.into_domain()?).into())
    }
}

impl From<&domain::HourRow> for Hour {
    fn from(row: &domain::HourRow) -> Self {
        Self { totals: Some((&row.totals).into()), position: Some((&row.position).into()) }
    }
}

impl OpenHour {
    fn into_domain(self) -> Result<(domain::Hour, domain::HourTotals), Invalid> {
        Ok((timestamp(self.start_ms)?.hour(), self.totals.ok_or("open hour")?.into_domain()?))
    }
}

impl HourTotals {
    fn into_domain(self) -> Result<domain::HourTotals, Invalid> {
        Ok(domain::HourTotals {
            records: self.records,
            anomalies: self.anomalies,
            generated: self.generated.ok_or("generated")?.into_domain()?,
            consumed: self.consumed.ok_or("consumed")?.into_domain()?,
        })
    }
}

impl From<&domain::HourTotals> for HourTotals {
    fn from(totals: &domain::HourTotals) -> Self {
        Self {
            records: totals.records,
            anomalies: totals.anomalies,
            generated: Some((&totals.generated).into()),
            consumed: Some((&totals.consumed).into()),
        }
    }
}

impl Spread {
    fn into_domain(self) -> Result<domain::Spread, Invalid> {
        Ok(domain::Spread { sum: sum(&self.sum)?, min: energy(self.min)?, max: energy(self.max)? })
    }
}

impl From<&domain::Spread> for Spread {
    fn from(spread: &domain::Spread) -> Self {
        let (min, max) = (spread.min.milliwatt_hours(), spread.max.milliwatt_hours());
        Self { sum: sum_bytes(spread.sum), min, max }
    }
}

impl Totals {
    fn into_domain(self) -> Result<domain::Totals, Invalid> {
        let mut anomalies_by_rule = [0; Rule::ALL.len()];
        for (code, readings) in (1..).zip(self.anomalies_by_rule) {
            anomalies_by_rule[rule(code)?.index()] = readings;
        }
        Ok(domain::Totals {
            records: self.records,
            generated: sum(&self.generated)?,
            consumed: sum(&self.consumed)?,
            anomalies: self.anomalies,
            anomalies_by_rule,
            late: self.late,
            revisions: self.revisions,
            first_seen: self.first_seen_ms.map(timestamp).transpose()?,
            last_seen: self.last_seen_ms.map(timestamp).transpose()?,
        })
    }
}

impl From<&domain::Totals> for Totals {
    fn from(totals: &domain::Totals) -> Self {
        let by_code = (1..).map_while(|code| rule(code).ok());
        Self {
            records: totals.records,
            generated: sum_bytes(totals.generated),
            consumed: sum_bytes(totals.consumed),
            anomalies: totals.anomalies,
            anomalies_by_rule: by_code.map(|rule| totals.anomalies_by_rule[rule.index()]).collect(),
            late: totals.late,
            revisions: totals.revisions,
            first_seen_ms: totals.first_seen.map(Timestamp::unix_ms),
            last_seen_ms: totals.last_seen.map(Timestamp::unix_ms),
        }
    }
}

impl Detector {
    fn into_domain(self) -> Result<domain::Detector, Invalid> {
        Ok(domain::Detector {
            cadence: detect::Cadence {
                step_ms: self.step_ms,
                votes: u8::try_from(self.votes).map_err(|_| "votes")?,
                usual_gap_ms: self.usual_gap_ms,
            },
            watched_ms: self.watched_ms,
            generated: self.generated.ok_or("generated")?.into_domain()?,
            consumed: self.consumed.ok_or("consumed")?.into_domain()?,
        })
    }
}

impl From<&domain::Detector> for Detector {
    fn from(detector: &domain::Detector) -> Self {
        Self {
            step_ms: detector.cadence.step_ms,
            votes: detector.cadence.votes.into(),
            usual_gap_ms: detector.cadence.usual_gap_ms,
            watched_ms: detector.watched_ms,
            generated: Some((&detector.generated).into()),
            consumed: Some((&detector.consumed).into()),
        }
    }
}

impl Meter {
    fn into_domain(self) -> Result<detect::Meter, Invalid> {
        Ok(detect::Meter {
            high_limit: detect::HighLimit { peak_milliwatt_hours: self.peak },
            repeated_value: detect::RepeatedValue {
                value: energy(self.repeated_value)?,
                run_readings: self.run_readings,
                longest_run_readings: self.longest_run_readings,
            },
        })
    }
}

impl From<&detect::Meter> for Meter {
    fn from(meter: &detect::Meter) -> Self {
        Self {
            peak: meter.high_limit.peak_milliwatt_hours,
            repeated_value: meter.repeated_value.value.milliwatt_hours(),
            run_readings: meter.repeated_value.run_readings,
            longest_run_readings: meter.repeated_value.longest_run_readings,
        }
    }
}

impl Episode {
    fn into_domain(self) -> Result<domain::Episode, Invalid> {
        Ok(domain::Episode {
            rule: rule(self.rule)?,
            number: self.number,
            opened_at: timestamp(self.opened_at_ms)?,
            last_at: timestamp(self.last_at_ms)?,
            readings: self.readings,
            score: domain::Score(self.score),
            quiet_readings: self.quiet_readings,
        })
    }
}

impl From<&domain::Episode> for Episode {
    fn from(episode: &domain::Episode) -> Self {
        Self {
            rule: rule_code(episode.rule),
            number: episode.number,
            opened_at_ms: episode.opened_at.unix_ms(),
            last_at_ms: episode.last_at.unix_ms(),
            readings: episode.readings,
            score: episode.score.0,
            quiet_readings: episode.quiet_readings,
        }
    }
}

impl Silence {
    fn into_domain(self) -> Result<domain::Silence, Invalid> {
        Ok(domain::Silence {
            last_seen: timestamp(self.last_seen_ms)?,
            interval_ms: self.interval_ms,
            silent_at: timestamp(self.silent_at_ms)?,
        })
    }
}

impl From<&domain::Silence> for Silence {
    fn from(silence: &domain::Silence) -> Self {
        Self {
            last_seen_ms: silence.last_seen.unix_ms(),
            interval_ms: silence.interval_ms,
            silent_at_ms: silence.silent_at.unix_ms(),
        }
    }
}

impl OpenSilence {
    pub(super) fn into_domain(
        self,
        site_id: domain::SiteId,
        last_seen: Timestamp,
    ) -> Result<domain::OpenSilence, Invalid> {
        let Self { interval_ms, silent_at_ms, is_announced } = self;
        let silence = domain::Silence { last_seen, interval_ms, silent_at: timestamp(silent_at_ms)? };
        Ok(domain::OpenSilence { site_id, silence, is_announced })
    }
}

impl From<&domain::OpenSilence> for OpenSilence {
    fn from(open: &domain::OpenSilence) -> Self {
        let domain::OpenSilence { silence, is_announced, .. } = *open;
        Self { interval_ms: silence.interval_ms, silent_at_ms: silence.silent_at.unix_ms(), is_announced }
    }
}

impl Alert {
    pub(super) fn into_domain(self, site_id: domain::SiteId) -> Result<domain::Alert, Invalid> {
        let phase = if self.is_closed { Phase::Closed } else { Phase::Opened };
        let subject = match (self.episode, self.silence) {
            (Some(episode), None) => Subject::Episode(episode.into_domain()?),
            (None, Some(silence)) => Subject::Silence(silence.into_domain()?),
            (None, None) | (Some(_), Some(_)) => return Err("subject"),
        };
        Ok(domain::Alert { site_id, phase, at: timestamp(self.at_ms)?, subject })
    }
}

impl From<&domain::Alert> for Alert {
    fn from(alert: &domain::Alert) -> Self {
        let (episode, silence) = match &alert.subject {
            Subject::Episode(episode) => (Some(episode.into()), None),
            Subject::Silence(silence) => (None, Some(silence.into())),
        };
        Self { is_closed: alert.phase == Phase::Closed, at_ms: alert.at.unix_ms(), episode, silence }
    }
}

const fn rule_code(rule: Rule) -> u32 {
    match rule {
        Rule::NegativeEnergy => 1,
        Rule::HighLimit => 2,
        Rule::RepeatedValue => 3,
        Rule::MissingInterval => 4,
    }
}

fn rule(code: u32) -> Result<Rule, Invalid> {
    Rule::ALL.into_iter().find(|&rule| rule_code(rule) == code).ok_or("rule")
}

fn energy(milliwatt_hours: i64) -> Result<Energy, Invalid> {
    Energy::from_milliwatt_hours(milliwatt_hours).ok_or("energy")
}

fn timestamp(unix_ms: i64) -> Result<Timestamp, Invalid> {
    Timestamp::from_unix_ms(unix_ms).ok_or("timestamp")
}

/// The shortest big-endian two's complement; zero is no byte at all.
fn sum_bytes(sum: EnergySum) -> Vec<u8> {
    let value = sum.milliwatt_hours();
    let bytes = value.to_be_bytes();
    let sign_bits = if value < 0 { value.leading_ones() } else { value.leading_zeros() };
    // One sign bit must stay, unless nothing but sign bits of zero is left.
    let spare = if value == 0 { bytes.len() } else { (sign_bits as usize - 1) / 8 };
    bytes[spare..].to_vec()
}

pub(super) fn sum(bytes: &[u8]) -> Result<EnergySum, Invalid> {
    let is_negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut padded = [if is_negative { 0xff } else { 0 }; 16];
    let start = padded.len().checked_sub(bytes.len()).ok_or("sum")?;
    padded[start..].copy_from_slice(bytes);
    Ok(EnergySum::from_milliwatt_hours(i128::from_be_bytes(padded)))
}
