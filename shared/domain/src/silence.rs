//! Silence: a site that sends nothing for longer than it does by habit.
//!
//! A reading tells of itself; that none came shows only on a clock. So silence is judged beside the stream, from a site's
//! state and from what the caller has heard, and it never becomes a part of the state: a log that is replayed gives the same
//! states whenever that is done.
//!
//! What must always hold: a silence is named by its site and by the newest reading before it, so that everybody who finds
//! it, however often, finds the same one.

use std::num::NonZeroU32;

use crate::{Alert, HOUR_MS, Phase, SiteId, SiteState, Subject, Timestamp};

/// How long a site may have been silent when that is first noticed. What is older is history that somebody read in, or a
/// site that was taken out of service: a week covers any holiday on which nobody looked after the process.
pub const SILENCE_NEWS_MS_MAX: i64 = 7 * 24 * HOUR_MS;

/// The fewest intervals that make a silence. A reading bears the start of its interval, so the next one is sent when two
/// have passed since then: fewer would find silence between any two readings.
pub const SILENT_AFTER_MIN: u32 = 3;

/// The time that somebody has listened for: whatever was sent in it is in the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When the listening began. Who was deaf until then cannot call a site silent for that time.
    pub since: Timestamp,
    /// How far it has come: the clock, less what the stream is behind.
    pub until: Timestamp,
}

/// A silence of one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// The newest reading before it.
    pub last_seen: Timestamp,
    /// The interval that the site kept until then, in milliseconds.
    pub interval_ms: i64,
    /// When the site began to count as silent.
    pub silent_at: Timestamp,
}

/// A silence that has begun and of whose end nobody has been told yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenSilence {
    /// The site.
    pub site_id: SiteId,
    /// Its silence.
    pub silence: Silence,
    /// Whether the alert that it has begun is known to be published.
    pub is_announced: bool,
}

impl Silence {
    /// The silence that a site is in, when it has sent nothing for `intervals` of its own intervals, or for twice the gap that
    /// it makes by habit, whichever is longer. A site whose interval is not known yet is never silent, and neither is one
    /// whose readings are ahead of the clock.
    ///
    /// Time is counted from the start of the newest reading's interval; `intervals` is at least [`SILENT_AFTER_MIN`].
    pub fn of(state: &SiteState, intervals: NonZeroU32, heard: Heard) -> Option<Self> {
        let last_seen = state.totals.last_seen?;
        let cadence = &state.detector.cadence;
        let patience_ms = cadence.patience_ms(intervals)?;
        let listened_from = last_seen.max(heard.since);
        let is_silent = heard.until.ms_since(listened_from) >= patience_ms;
        let is_news = heard.until.ms_since(last_seen) - patience_ms <= SILENCE_NEWS_MS_MAX;
        let silent_at = listened_from.saturating_add_ms(patience_ms);
        (is_silent && is_news).then_some(Self { last_seen, interval_ms: cadence.step_ms, silent_at })
    }

    /// Whether the site has spoken since.
    pub fn is_over(&self, state: &SiteState) -> bool {
        state.totals.last_seen.is_some_and(|newest| newest > self.last_seen)
    }

    /// The alert that it has begun.
    pub fn opened(self, site_id: SiteId) -> Alert {
        Alert { site_id, phase: Phase::Opened, at: self.silent_at, subject: Subject::Silence(self) }
    }

    /// The alert that it is over, as was found at an instant.
    pub fn closed(self, site_id: SiteId, found_at: Timestamp) -> Alert {
        let at = found_at.max(self.silent_at);
        Alert { site_id, phase: Phase::Closed, at, subject: Subject::Silence(self) }
    }
}

#[cfg(test)]
mod tests;
