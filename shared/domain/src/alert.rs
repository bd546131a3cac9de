//! Alerts: what a person is told.
//!
//! A run of anomalous readings of one rule at one site is an [`Episode`], a site that sends nothing is a [`Silence`]. Each
//! raises one alert when it opens and one when it closes. An alert's id is a function of the log alone, so that a second
//! delivery, or a second look at the clock, raises the same alert and not another. The alerts of episodes wait in their
//! site's [`Outbox`], stored with its state, until they have been published.

use std::collections::VecDeque;
use std::fmt;

use crate::{Finding, Rule, Score, Severity, Silence, SiteId, Timestamp};

/// In-order readings without a finding of its rule that close an episode: one good reading between bad ones does not.
pub const EPISODE_QUIET_READINGS: u32 = 3;

/// The most alerts of one site that wait for publication. Beyond it the oldest is dropped and counted: the findings
/// stay with the readings, and the stream goes on.
pub const OUTBOX_ALERTS_MAX: usize = 256;

/// A run of anomalous readings of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// The rule that they break.
    pub rule: Rule,
    /// Its number among the site's episodes, from 1.
    pub number: u64,
    /// The reading that opened it.
    pub opened_at: Timestamp,
    /// The newest reading that belongs to it.
    pub last_at: Timestamp,
    /// Readings that belong to it.
    pub readings: u64,
    /// The strongest score among them.
    pub score: Score,
    /// In-order readings since `last_at` that do not break the rule.
    pub quiet_readings: u32,
}

/// The episodes of one site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Episodes {
    /// The open ones, at most one a rule.
    pub open: Vec<Episode>,
    /// How many were ever opened.
    pub opened: u64,
}

/// Which end of its subject an alert tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It has begun.
    Opened,
    /// It is over.
    Closed,
}

impl Phase {
    /// The name that tables and messages use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Closed => "closed",
        }
    }
}

/// One end of an episode or of a silence, as told to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The site.
    pub site_id: SiteId,
    /// Opened or closed.
    pub phase: Phase,
    /// The instant that it tells of: that of the reading which opened or closed the episode; of a silence, when the site
    /// began to count as silent, or when it was found to speak again.
    pub at: Timestamp,
    /// What has opened or closed.
    pub subject: Subject,
}

/// What an alert tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Readings that break a rule: the episode as it was then.
    Episode(Episode),
    /// No readings.
    Silence(Silence),
}

impl Subject {
    /// The name that metrics use: that of the rule, or `silence`, which is no rule.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Episode(episode) => episode.rule.name(),
            Self::Silence(_) => "silence",
        }
    }

    /// How bad it is. Readings that never came are in need of a substitute.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Episode(episode) => episode.rule.severity(),
            Self::Silence(_) => Severity::Error,
        }
    }
}

impl Alert {
    /// The id, the same for every delivery of the log: site, number of the episode and rule, or the newest reading before
    /// the silence, and phase.
    pub fn id(&self) -> AlertId {
        let Self { site_id, phase, subject, .. } = self;
        let phase = phase.name();
        AlertId(match subject {
            Subject::Episode(Episode { number, rule, .. }) => format!("{site_id}/{number}/{rule}/{phase}"),
            Subject::Silence(Silence { last_seen, .. }) => format!("{site_id}/silence/{last_seen}/{phase}"),
        })
    }
}

/// The name of an alert, for example `pv-farm-01/7/negative_energy/opened` or
/// `pv-farm-01/silence/2025-06-20T00:00:00.000Z/closed`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(String);

impl AlertId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Episodes {
    /// Follows one judged reading and returns the episodes that it opened and closed. Only an in-order reading can be
    /// the quiet one that closes an episode.
    pub(crate) fn observe(
        &mut self,
        at: Timestamp,
        findings: &[Finding],
        in_order: bool,
    ) -> Vec<(Phase, Episode)> {
        let mut changes = Vec::new();
        for finding in findings {
            if let Some(episode) = self.open.iter_mut().find(|episode| episode.rule == finding.rule) {
                episode.extend(at, finding.score);
            } else {
                changes.push((Phase::Opened, self.begin(at, finding)));
            }
        }
        if in_order && !self.open.is_empty() {
            self.pass_quietly(findings, &mut changes);
        }
        changes
    }

    fn begin(&mut self, at: Timestamp, finding: &Finding) -> Episode {
        self.opened += 1;
        let episode = Episode {
            rule: finding.rule,
            number: self.opened,
            opened_at: at,
            last_at: at,
            readings: 1,
            score: finding.score,
            quiet_readings: 0,
        };
        self.open.push(episode.clone());
        episode
    }

    fn pass_quietly(&mut self, findings: &[Finding], changes: &mut Vec<(Phase, Episode)>) {
        for episode in &mut self.open {
            if !findings.iter().any(|finding| finding.rule == episode.rule) {
                episode.quiet_readings += 1;
            }
        }
        let closed = self.open.extract_if(.., |episode| episode.quiet_readings >= EPISODE_QUIET_READINGS);
        changes.extend(closed.map(|episode| (Phase::Closed, episode)));
    }
}

impl Episode {
    fn extend(&mut self, at: Timestamp, score: Score) {
        self.last_at = self.last_at.max(at);
        self.readings += 1;
        self.score = self.score.max(score);
        self.quiet_readings = 0;
    }
}

/// Alerts of one site that have not been published, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// The alerts, at most [`OUTBOX_ALERTS_MAX`].
    pub alerts: VecDeque<Alert>,
    /// How many were dropped because there was no room.
    pub dropped: u64,
}

impl Outbox {
    pub(crate) fn push(&mut self, alert: Alert) {
        if self.alerts.len() == OUTBOX_ALERTS_MAX {
            self.alerts.pop_front();
            self.dropped += 1;
        }
        self.alerts.push_back(alert);
    }
}
