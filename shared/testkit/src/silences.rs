//! Sites that fall silent and speak again, and checks of the silence watch that meet trouble.
//!
//! A [`Fleet`] lives through [`Moment`]s: time passes, some sites go on reporting, the watch looks. It keeps book of what is
//! true of the sites, and compares it with what people were told.
//!
//! What must always hold: whether a site is silent is asked of [`Silence::of`] alone; when that is right is for its own
//! tests to say.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use futures::FutureExt;
use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;
use wattstream_domain::{Heard, OpenSilence, Phase, Silence, SiteId, Subject, Timestamp};
use wattstream_engine::ports::Snapshot;
use wattstream_engine::{Error, SilenceCounts, SilencePorts, SilenceWatch};

use crate::builders::{Site, at};
use crate::deliveries::{Trouble, trouble};
use crate::fault::{Faults, Faulty};
use crate::memory::{Contents, MemoryStore};
use crate::oracle::Violation;

/// What passes between two looks at a fleet.
#[derive(Clone, Debug)]
pub struct Moment {
    /// How much time.
    pub minutes: u16,
    /// The sites that report in that time, a bit each.
    pub speaking: u8,
    /// The intervals after which the instance that looks then calls a site silent.
    pub silent_after: NonZeroU32,
    /// What goes wrong with the look; `None` when nobody looks.
    pub trouble: Option<Trouble>,
}

/// So many moments.
pub fn moments(moments: impl Into<SizeRange>) -> impl Strategy<Value = Vec<Moment>> {
    let look = prop_oneof![
        2 => Just(Some(Trouble::Script(Vec::new()))),
        3 => trouble().prop_map(Some),
        1 => Just(None),
    ];
    let silent_after = (3..5_u32).prop_map(|n| NonZeroU32::new(n).expect("3 and 4 are above zero"));
    let moment = (1..400_u16, any::<u8>(), silent_after, look).prop_map(
        |(minutes, speaking, silent_after, trouble)| Moment { minutes, speaking, silent_after, trouble },
    );
    vec(moment, moments)
}

/// The sites of a fleet.
const SITES: [&str; 3] = ["home-01", "home-011", "pv:farm"];

/// The interval that each of them keeps.
const STEP_MINUTES: i64 = 15;

/// The readings of each before the first moment: enough to learn the interval.
const FIRST_READINGS: i64 = 10;

/// How often a look that nothing goes wrong with is made until there is nothing left to tell. The first does all; the
/// second shows that.
const CALM_LOOKS: usize = 2;

/// A silence as people are told of it.
type Place = (SiteId, Timestamp);

/// A few sites and what was told of them.
#[derive(Debug)]
pub struct Fleet {
    /// Where everything ends.
    pub store: MemoryStore,
    /// What goes wrong.
    pub faults: Faults,
    sites: Vec<Site>,
    now_minute: i64,
    /// The silences that were there at a look, whether or not it got that far.
    seen: BTreeSet<Place>,
    /// The silences that were there at a look that nothing went wrong with.
    owed: BTreeSet<Place>,
}

impl Default for Fleet {
    fn default() -> Self {
        Self::new()
    }
}

impl Fleet {
    /// Sites that have reported regularly until now.
    pub fn new() -> Self {
        let sites = SITES.map(|name| {
            let first_minutes = (0..FIRST_READINGS).map(|step| step * STEP_MINUTES);
            first_minutes.fold(Site::new(name), |site, minute| site.sends(minute, 5, 1))
        });
        let fleet = Self {
            store: MemoryStore::default(),
            faults: Faults::none(),
            sites: sites.into(),
            now_minute: FIRST_READINGS * STEP_MINUTES,
            seen: BTreeSet::new(),
            owed: BTreeSet::new(),
        };
        fleet.keep_states();
        fleet
    }

    /// Lives through a moment, and checks what people were told by its end.
    pub fn pass(&mut self, moment: &Moment) -> Result<(), Violation> {
        self.report(moment.minutes.into(), moment.speaking);
        if let Some(trouble) = &moment.trouble {
            trouble.start(&self.faults);
            self.look(moment.silent_after)?;
        }
        self.check_told()
    }

    /// Lets time pass in which some sites report, a bit each. A site that was away does not send what it missed.
    pub fn report(&mut self, minutes: i64, speaking: u8) {
        self.now_minute += minutes;
        let newest_step = self.now_minute / STEP_MINUTES - 1;
        let steps = newest_step - minutes / STEP_MINUTES..=newest_step;
        let sites = std::mem::take(&mut self.sites).into_iter().enumerate();
        let reported = sites.map(|(index, site)| {
            let is_speaking = speaking >> index & 1 == 1;
            let sent = site.state.totals.last_seen;
            let minutes = steps.clone().map(|step| step * STEP_MINUTES);
            let new = minutes.filter(|&minute| is_speaking && Some(at(minute)) > sent);
            new.fold(site, |site, minute| site.sends(minute, 5, 1))
        });
        self.sites = reported.collect();
        self.keep_states();
    }

    /// Has an instance look, under the faults as they are set. `None` when it crashed.
    pub fn look(&mut self, silent_after: NonZeroU32) -> Result<Option<SilenceCounts>, Violation> {
        let silent = self.silent(silent_after);
        self.seen.extend(&silent);
        let before = self.store.contents();
        let outcome = self.check(silent_after);
        Violation::check("the tables after a look", &tables(before), &tables(self.store.contents()))?;
        let counts = outcome.and_then(Result::ok);
        if counts.is_some_and(|counts| counts.waiting == 0) {
            self.owed.extend(&silent);
        }
        Ok(counts)
    }

    /// Has undisturbed looks tell what is left, and checks that all was told.
    pub fn settle(&mut self) -> Result<(), Violation> {
        self.faults.clear();
        let silent_after = NonZeroU32::new(3).expect("3 is above zero");
        for look in 0..CALM_LOOKS {
            let counts = self.look(silent_after)?;
            let Some(counts) = counts else {
                return Err(Violation("an undisturbed look came to no end".to_owned()));
            };
            Violation::check("waiting after an undisturbed look", &0, &counts.waiting)?;
            if look > 0 {
                Violation::check("told by a second look", &(0, 0), &(counts.opened, counts.closed))?;
            }
        }
        self.check_told()?;
        let told = self.told();
        let both_ends = BTreeSet::from([Phase::Opened, Phase::Closed]);
        for (place, phases) in told.iter().filter(|(place, _)| self.is_over(place)) {
            Violation::check(format_args!("ends of {place:?}"), &both_ends, phases)?;
        }
        let standing: BTreeMap<Place, bool> =
            told.keys().filter(|place| !self.is_over(place)).map(|place| (*place, true)).collect();
        let kept: BTreeMap<Place, bool> = self
            .store
            .contents()
            .silences
            .into_iter()
            .map(|(place, OpenSilence { is_announced, .. })| (place, is_announced))
            .collect();
        Violation::check_entries("open silences", &standing, &kept)
    }

    /// The silences that the sites are in now.
    fn silent(&self, silent_after: NonZeroU32) -> BTreeSet<Place> {
        let silence = |site: &Site| Silence::of(&site.state, silent_after, self.heard());
        self.sites.iter().filter_map(|site| Some((site.id, silence(site)?.last_seen))).collect()
    }

    fn heard(&self) -> Heard {
        Heard { since: Timestamp::MIN, until: at(self.now_minute) }
    }

    fn check(&self, silent_after: NonZeroU32) -> Option<Result<SilenceCounts, Error>> {
        let store = Faulty::new(self.store.clone(), self.faults.clone());
        let ports = SilencePorts { queries: store.clone(), silences: store.clone(), alerts: store };
        let watch = SilenceWatch::new(ports, silent_after);
        // The ports answer at once or never: polling once tells which. Dropping the future is the crash.
        let outcome = watch.check(self.heard()).now_or_never();
        assert!(outcome.is_some() || self.faults.has_crashed(), "only a crash keeps a look from its end");
        outcome
    }

    /// Nobody was told of a silence that was none, of an end that has not come, or of an end without a begin; and
    /// everybody was told of what an undisturbed look has found.
    fn check_told(&self) -> Result<(), Violation> {
        let told = self.told();
        for (place, phases) in &told {
            Violation::check(format_args!("{place:?} was a silence"), &true, &self.seen.contains(place))?;
            let is_begin_told = phases.contains(&Phase::Opened);
            Violation::check(format_args!("begin of {place:?} was told"), &true, &is_begin_told)?;
            let is_end_true = !phases.contains(&Phase::Closed) || self.is_over(place);
            Violation::check(format_args!("end of {place:?} has come"), &true, &is_end_true)?;
        }
        let untold: Vec<_> = self.owed.iter().filter(|place| !told.contains_key(place)).collect();
        Violation::check("silences that nobody was told of", &Vec::new(), &untold)
    }

    /// The ends of each silence that people were told of.
    fn told(&self) -> BTreeMap<Place, BTreeSet<Phase>> {
        let mut told: BTreeMap<Place, BTreeSet<Phase>> = BTreeMap::new();
        for alert in self.store.contents().alerts.into_values() {
            if let Subject::Silence(silence) = alert.subject {
                told.entry((alert.site_id, silence.last_seen)).or_default().insert(alert.phase);
            }
        }
        told
    }

    fn is_over(&self, (site_id, last_seen): &Place) -> bool {
        let mut sites = self.sites.iter();
        sites.any(|site| site.id == *site_id && site.state.totals.last_seen > Some(*last_seen))
    }

    fn keep_states(&self) {
        self.store.with(|contents| {
            for site in &self.sites {
                let version = site.state.totals.records;
                contents.sites.insert(site.id, Snapshot { state: site.state.clone(), version });
            }
        });
    }
}

/// Everything but what a look may write.
fn tables(contents: Contents) -> Contents {
    Contents { alerts: BTreeMap::new(), silences: BTreeMap::new(), ..contents }
}
