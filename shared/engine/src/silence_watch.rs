//! The watch over silent sites: holds the clock against every site's state and tells when a site falls silent and when it
//! speaks again.
//!
//! ```text
//!   falls silent:   put, not announced ─► publish opened ─► put, announced
//!   speaks again:   publish opened, unless announced ─► publish closed ─► remove
//! ```
//!
//! It runs beside the stream and writes nothing but its own silences, so it never meets the fold. A check begins with what
//! is stored and ends with what is stored: nothing is remembered in between, and any instance may make the next one.
//!
//! What must always hold:
//! - A silence is kept before anybody is told of it, and forgotten only after everybody has been told of its end. So a crash
//!   between any two calls, or two instances at once, can at worst have an alert published again under its id; none is
//!   lost, and none stays open for ever.
//! - Whoever hears that a silence is over has been told that it began.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;
use wattstream_domain::mutant::{self, Mutant};
use wattstream_domain::{Heard, OpenSilence, Silence, SiteId, SiteState, Timestamp};
use wattstream_telemetry::event::SilencesChecked;

use crate::ports::{Alerts, Queries, Silences};
use crate::{Result, alerting};

/// The silences that are kept and told of together. What a check has done before it breaks off is done, so this bounds what
/// the next one repeats; it is a multiple of the 25 items and the 10 alerts that one request to AWS takes.
pub const SILENCES_AT_ONCE_MAX: usize = 100;

/// The states that are read at one time to make sure of a silence.
pub const CONFIRMATIONS_AT_ONCE_MAX: usize = 16;

/// What the watch works with.
#[derive(Clone, Copy, Debug)]
pub struct SilencePorts<Q, S, A> {
    /// The states of the sites.
    pub queries: Q,
    /// What was found so far.
    pub silences: S,
    /// Where it is told.
    pub alerts: A,
}

/// Finds silent sites; see the module.
#[derive(Clone, Copy, Debug)]
pub struct SilenceWatch<Q, S, A> {
    ports: SilencePorts<Q, S, A>,
    silent_after: NonZeroU32,
}

/// What a check has found and done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SilenceCounts {
    /// Silences that are open after it.
    pub open: u64,
    /// Silences whose begin it has told.
    pub opened: u64,
    /// Silences whose end it has told.
    pub closed: u64,
    /// Silences of which there is something to tell that the topic did not take; the next check tells it.
    pub waiting: u64,
}

/// What there is to do.
struct Found {
    /// Kept, and the site has spoken since.
    over: Vec<OpenSilence>,
    ends: Ends,
    /// Kept and standing, and perhaps told to nobody.
    unannounced: Vec<OpenSilence>,
    /// Not kept yet.
    begun: Vec<OpenSilence>,
    /// How many stand, with those that have just begun.
    open: u64,
}

/// When silences were found to be over.
struct Ends {
    /// Now,
    now: Timestamp,
    /// or before the site fell silent again.
    again: BTreeMap<SiteId, Timestamp>,
}

impl Ends {
    fn of(&self, site_id: SiteId) -> Timestamp {
        self.again.get(&site_id).copied().unwrap_or(self.now)
    }
}

impl<Q: Queries, S: Silences, A: Alerts> SilenceWatch<Q, S, A> {
    /// A watch that calls a site silent after so many of its own intervals.
    pub fn new(ports: SilencePorts<Q, S, A>, silent_after: NonZeroU32) -> Self {
        Self { ports, silent_after }
    }

    /// Compares every site with what has been heard, once. After an error, a later check does what is left.
    pub async fn check(&self, heard: Heard) -> Result<SilenceCounts> {
        let started = Instant::now();
        let Found { over, ends, unannounced, begun, open } = self.find(heard).await?;
        let mut counts = SilenceCounts { open, ..SilenceCounts::default() };
        for chunk in over.chunks(SILENCES_AT_ONCE_MAX) {
            self.close(chunk, &ends, &mut counts).await?;
        }
        for chunk in unannounced.chunks(SILENCES_AT_ONCE_MAX) {
            self.open(chunk, &mut counts).await?;
        }
        for chunk in begun.chunks(SILENCES_AT_ONCE_MAX) {
            if !mutant::is_planted(Mutant::SilenceToldBeforeKept) {
                self.ports.silences.put_silences(chunk).await?;
            }
            self.open(chunk, &mut counts).await?;
        }
        SilencesChecked { silent: open, duration: started.elapsed() }.emit();
        Ok(counts)
    }

    /// Reads what there is to do.
    async fn find(&self, heard: Heard) -> Result<Found> {
        // The silences first: a state that is read after them is at least as new as what closed the last one.
        let known = self.ports.silences.open_silences().await?;
        let states = self.ports.queries.sites().await?.states;
        let begun = self.begun(&states, &known, heard).await?;
        let states: BTreeMap<SiteId, &SiteState> =
            states.iter().map(|state| (state.site_id, state)).collect();
        let (over, standing): (Vec<_>, Vec<_>) = known
            .into_iter()
            .partition(|open| states.get(&open.site_id).is_some_and(|state| open.silence.is_over(state)));
        let again =
            standing.iter().chain(&begun).map(|next| (next.site_id, next.silence.silent_at)).collect();
        Ok(Found {
            over,
            ends: Ends { now: heard.until, again },
            open: (standing.len() + begun.len()) as u64,
            unannounced: standing.into_iter().filter(|open| !open.is_announced).collect(),
            begun,
        })
    }

    /// The silences that are not known yet.
    async fn begun(
        &self,
        states: &[SiteState],
        known: &[OpenSilence],
        heard: Heard,
    ) -> Result<Vec<OpenSilence>> {
        let known: BTreeSet<(SiteId, Timestamp)> = known.iter().map(place).collect();
        let candidates: Vec<OpenSilence> = states
            .iter()
            .filter_map(|state| self.silence_of(state, heard))
            .filter(|open| !known.contains(&place(open)))
            .collect();
        let confirmed: Vec<Option<OpenSilence>> = stream::iter(candidates)
            .map(|open| self.confirm(open.site_id, heard))
            .buffered(CONFIRMATIONS_AT_ONCE_MAX)
            .try_collect()
            .await?;
        Ok(confirmed.into_iter().flatten().filter(|open| !known.contains(&place(open))).collect())
    }

    /// Looks at a site alone. A list of many states may be older than the tables: it takes time to read, and where states
    /// are stored rarely it may lack a site's last readings, for as long as the site is silent. So the list says only whom
    /// to look at.
    async fn confirm(&self, site_id: SiteId, heard: Heard) -> Result<Option<OpenSilence>> {
        let state = self.ports.queries.site(site_id).await?;
        Ok(state.and_then(|state| self.silence_of(&state, heard)))
    }

    fn silence_of(&self, state: &SiteState, heard: Heard) -> Option<OpenSilence> {
        let silence = Silence::of(state, self.silent_after, heard)?;
        Some(OpenSilence { site_id: state.site_id, silence, is_announced: false })
    }

    /// Tells that silences which are kept have begun, and keeps that it was told.
    async fn open(&self, silences: &[OpenSilence], counts: &mut SilenceCounts) -> Result<()> {
        let announced = self.announce(silences, counts).await;
        if announced.is_empty() {
            return Ok(());
        }
        self.ports.silences.put_silences(&announced).await
    }

    /// Tells that silences are over, and forgets those of which it was told.
    async fn close(&self, silences: &[OpenSilence], ends: &Ends, counts: &mut SilenceCounts) -> Result<()> {
        let announced = if mutant::is_planted(Mutant::SilenceClosedUnannounced) {
            silences.to_vec()
        } else {
            self.announce(silences, counts).await
        };
        if mutant::is_planted(Mutant::SilenceForgottenBeforeClosed) {
            self.ports.silences.remove_silences(&announced).await?;
        }
        let closed = |open: &OpenSilence| open.silence.closed(open.site_id, ends.of(open.site_id));
        let alerts: Vec<_> = announced.iter().map(closed).collect();
        let is_taken = alerting::publish(&self.ports.alerts, &alerts).await;
        let told = taken(&announced, &is_taken);
        counts.closed += told.len() as u64;
        counts.waiting += (announced.len() - told.len()) as u64;
        if told.is_empty() {
            return Ok(());
        }
        self.ports.silences.remove_silences(&told).await
    }

    /// Tells that silences have begun, where that is not known to have been told. Returns those of which it has been, now or
    /// before.
    async fn announce(&self, silences: &[OpenSilence], counts: &mut SilenceCounts) -> Vec<OpenSilence> {
        let (mut announced, unannounced): (Vec<_>, Vec<_>) =
            silences.iter().copied().partition(|open| open.is_announced);
        let alerts: Vec<_> = unannounced.iter().map(|open| open.silence.opened(open.site_id)).collect();
        let is_taken = alerting::publish(&self.ports.alerts, &alerts).await;
        let told = taken(&unannounced, &is_taken);
        counts.opened += told.len() as u64;
        counts.waiting += (unannounced.len() - told.len()) as u64;
        announced.extend(told.into_iter().map(|open| OpenSilence { is_announced: true, ..open }));
        announced
    }
}

/// What names a silence.
fn place(open: &OpenSilence) -> (SiteId, Timestamp) {
    (open.site_id, open.silence.last_seen)
}

/// The silences whose alert was taken.
fn taken(silences: &[OpenSilence], is_taken: &[bool]) -> Vec<OpenSilence> {
    silences.iter().zip(is_taken).filter(|(_, is_taken)| **is_taken).map(|(open, _)| *open).collect()
}
