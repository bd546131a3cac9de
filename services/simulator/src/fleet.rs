//! The fleet: sites, the faults planted in it, and what a meter says of an interval.
//!
//! Everything that a fleet answers is a function of its settings, its planted faults and the instants asked about.
//! Site `i` is the same in every fleet of one seed that has it, however many sites come after it.

use std::collections::HashMap;

use rand::RngExt;
use wattstream_domain::{Measure, Reading, SiteId, Timestamp};

use crate::fault::{self, FaultSchedule, Spell};
use crate::random::{Key, Purpose};
use crate::site::Founding;
use crate::{FAULTS_PER_SITE_WEEK_MAX, Fault, FaultKind, Place, Site, SiteKind};

/// The most sites that a fleet may have.
pub const SITES_MAX: usize = 100_000;
/// The shortest metering interval, in milliseconds.
pub const INTERVAL_MS_MIN: u32 = 1_000;
/// The longest metering interval, in milliseconds.
pub const INTERVAL_MS_MAX: u32 = 24 * 3_600_000;
/// The most faults that can be planted in one fleet: each is looked at for each reading.
pub const FAULTS_PLANTED_MAX: usize = 64;

/// What a fleet is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetSettings {
    /// What all chance comes from.
    pub seed: u64,
    /// How many sites there are, 1 to [`SITES_MAX`].
    pub sites: usize,
    /// The metering interval: whole seconds, [`INTERVAL_MS_MIN`] to [`INTERVAL_MS_MAX`].
    pub interval_ms: u32,
    /// How often something goes wrong by itself, up to [`FAULTS_PER_SITE_WEEK_MAX`]. 0 is a faultless fleet; 2 gives
    /// twelve sites three or four faults a day.
    pub faults_per_site_week: u32,
}

/// Why there is no such fleet, or no such fault in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FleetError {
    /// No site, or too many.
    #[error("a fleet has 1 to {SITES_MAX} sites, not {0}")]
    Sites(usize),
    /// An interval outside the limits, or with a fraction of a second.
    #[error(
        "a metering interval is a whole number of seconds from {INTERVAL_MS_MIN} ms to {INTERVAL_MS_MAX} ms, not {0} ms"
    )]
    Interval(u32),
    /// Too many faults.
    #[error("a site has at most {FAULTS_PER_SITE_WEEK_MAX} faults a week, not {0}")]
    FaultRate(u32),
    /// A fault at a site that the fleet does not have.
    #[error("no site {0} in this fleet to plant a fault at")]
    UnknownSite(SiteId),
    /// A fault that begins inside an interval.
    #[error("a fault begins with an interval of {interval_ms} ms, and {start} is not the start of one")]
    OffGrid {
        /// Where the fault was to begin.
        start: Timestamp,
        /// The fleet's interval.
        interval_ms: u32,
    },
    /// No room for another fault.
    #[error("a fleet has room for {FAULTS_PLANTED_MAX} planted faults")]
    TooManyFaults,
}

/// A set of named sites, each with a meter that tells what it generated and consumed.
#[derive(Clone, Debug)]
pub struct Fleet {
    settings: FleetSettings,
    sites: Vec<Site>,
    /// Indices of the sites in the order in which they report within an interval.
    report_order: Vec<usize>,
    schedule: FaultSchedule,
    planted: Vec<(usize, Spell)>,
}

/// What a site is and whether it has a PV array.
type Role = (SiteKind, bool);

/// The roles that come round again and again as a fleet grows: one of each kind first, half of the homes with a roof
/// full of modules.
const ROLES: [Role; 12] = [
    (SiteKind::PvFarm, true),
    (SiteKind::Home, true),
    (SiteKind::Office, false),
    (SiteKind::Plant, false),
    (SiteKind::Home, false),
    (SiteKind::Office, true),
    (SiteKind::Home, true),
    (SiteKind::PvFarm, true),
    (SiteKind::Home, false),
    (SiteKind::Plant, true),
    (SiteKind::Home, true),
    (SiteKind::Home, false),
];

impl Fleet {
    /// A fleet of the given size, without planted faults.
    pub fn new(settings: FleetSettings) -> Result<Self, FleetError> {
        settings.check()?;
        let sites = found_sites(&settings);
        let mut report_order: Vec<usize> = (0..sites.len()).collect();
        report_order.sort_by_key(|&index| (sites[index].report_delay_ms, index));
        let schedule = FaultSchedule::new(settings.faults_per_site_week, settings.interval_ms);
        Ok(Self { settings, sites, report_order, schedule, planted: Vec::new() })
    }

    /// What the fleet was made from.
    pub fn settings(&self) -> &FleetSettings {
        &self.settings
    }

    /// Its sites. A site is known by its place in this slice.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// Adds a fault. Where it holds, it takes the place of whatever the schedule or an earlier planted fault had there.
    pub fn plant(&mut self, fault: Fault) -> Result<(), FleetError> {
        let Fault { site_id, kind, start, intervals } = fault;
        let is_named = |site: &Site| site.id == site_id;
        let site_index = self.sites.iter().position(is_named).ok_or(FleetError::UnknownSite(site_id))?;
        let interval_ms = self.settings.interval_ms;
        let first_interval = self.interval_at(start).ok_or(FleetError::OffGrid { start, interval_ms })?;
        if self.planted.len() == FAULTS_PLANTED_MAX {
            return Err(FleetError::TooManyFaults);
        }
        self.planted.insert(0, (site_index, Spell { kind, first_interval, intervals }));
        Ok(())
    }

    /// The shortest clear fault of this kind, at the site whose turn to report comes first at or after `at`: what to plant
    /// for somebody to see soon.
    pub fn next_fault(&self, kind: FaultKind, at: Timestamp) -> Option<Fault> {
        let turn = self.turns_from(at).next()?;
        let spell = Spell { kind, first_interval: turn.interval, intervals: kind.intervals_min() };
        self.fault(turn.site_index, spell)
    }

    /// The scheduled faults that begin in [from, to), site by site.
    pub fn scheduled_faults(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Fault> {
        let slot_intervals = self.schedule.slot_intervals.unwrap_or(u32::MAX);
        let slot_ms = i64::from(slot_intervals) * i64::from(self.settings.interval_ms);
        let slots = from.unix_ms() / slot_ms..=to.unix_ms() / slot_ms;
        (0..self.sites.len())
            .flat_map(move |site_index| slots.clone().map(move |slot| (site_index, slot)))
            .filter_map(move |(site_index, slot)| {
                let spell =
                    self.schedule.spell(self.sites[site_index].key, slot * i64::from(slot_intervals))?;
                self.fault(site_index, spell)
            })
            .filter(move |fault| (from..to).contains(&fault.start))
    }

    /// What the site's meter says in the end of the interval that begins at `interval_start`: what it sends last.
    /// `None` in an outage, for a site that is not there, and for an instant that is not the start of an interval.
    pub fn reading(&self, site_index: usize, interval_start: Timestamp) -> Option<Reading> {
        let interval = self.interval_at(interval_start)?;
        let site = self.sites.get(site_index)?;
        let measure = self.measure(site_index, interval)?;
        Some(Reading { site_id: site.id, timestamp: interval_start, measure })
    }

    fn measure(&self, site_index: usize, interval: i64) -> Option<Measure> {
        let spell = self.spell(site_index, interval);
        let measured = |interval| {
            let start = self.start_of(interval)?;
            Some(self.sites[site_index].measure(start, self.settings.interval_ms))
        };
        match spell.map(|spell| (spell.kind, spell.first_interval)) {
            Some((FaultKind::Outage, _)) => None,
            Some((FaultKind::StuckMeter, first_interval)) => measured(first_interval),
            Some((FaultKind::NegativeEnergy, _)) => measured(interval).map(fault::negative),
            Some((FaultKind::UnitSlip, _)) => measured(interval).map(fault::unit_slip),
            Some((FaultKind::Late | FaultKind::Duplicate | FaultKind::Revised, _)) | None => {
                measured(interval)
            }
        }
    }

    /// The fault that holds at the site in the interval.
    pub(crate) fn spell(&self, site_index: usize, interval: i64) -> Option<Spell> {
        let planted = self.planted.iter().filter(|(index, _)| *index == site_index).map(|(_, spell)| *spell);
        let scheduled = || self.schedule.spell(self.sites[site_index].key, interval);
        planted
            .into_iter()
            .find(|spell| spell.holds_in(interval))
            .or_else(|| scheduled().filter(|spell| spell.holds_in(interval)))
    }

    fn fault(&self, site_index: usize, spell: Spell) -> Option<Fault> {
        let Spell { kind, first_interval, intervals } = spell;
        let site_id = self.sites[site_index].id;
        Some(Fault { site_id, kind, start: self.start_of(first_interval)?, intervals })
    }

    fn interval_at(&self, start: Timestamp) -> Option<i64> {
        let interval_ms = i64::from(self.settings.interval_ms);
        (start.unix_ms() % interval_ms == 0).then_some(start.unix_ms() / interval_ms)
    }

    pub(crate) fn start_of(&self, interval: i64) -> Option<Timestamp> {
        Timestamp::from_unix_ms(interval * i64::from(self.settings.interval_ms))
    }

    pub(crate) fn report_order(&self) -> &[usize] {
        &self.report_order
    }
}

impl FleetSettings {
    fn check(&self) -> Result<(), FleetError> {
        let whole_seconds = self.interval_ms.is_multiple_of(1_000);
        if !(1..=SITES_MAX).contains(&self.sites) {
            return Err(FleetError::Sites(self.sites));
        }
        if !(INTERVAL_MS_MIN..=INTERVAL_MS_MAX).contains(&self.interval_ms) || !whole_seconds {
            return Err(FleetError::Interval(self.interval_ms));
        }
        if self.faults_per_site_week > FAULTS_PER_SITE_WEEK_MAX {
            return Err(FleetError::FaultRate(self.faults_per_site_week));
        }
        Ok(())
    }
}

fn found_sites(settings: &FleetSettings) -> Vec<Site> {
    let fleet = Key::of_seed(settings.seed);
    let mut numbers: HashMap<(SiteKind, &str), u32> = HashMap::new();
    let found = |index: usize| {
        let key = fleet.about(Purpose::Site).with(index as u64);
        let (kind, has_pv) = ROLES[index % ROLES.len()];
        let place = place_of(index, kind, key);
        let number = numbers.entry((kind, place.name)).or_default();
        *number += 1;
        let id = site_id(kind, place, *number);
        let report_delay_ms = report_delay_ms(index, settings.interval_ms);
        Site::found(Founding { id, kind, place, has_pv, report_delay_ms }, fleet, key)
    };
    (0..settings.sites).map(found).collect()
}

/// The first site of each kind stands at a fixed place, so that its name can be written down for any seed.
fn place_of(index: usize, kind: SiteKind, key: Key) -> &'static Place {
    let places = kind.places();
    let drawn = key.about(Purpose::Place).rng().random_range(0..places.len());
    &places[if index < SiteKind::ALL.len() { 0 } else { drawn }]
}

fn site_id(kind: SiteKind, place: &Place, number: u32) -> SiteId {
    let name = format!("{}-{}-{number:02}", kind.name(), place.name);
    SiteId::new(&name).expect("kinds, places and numbers are short and within the alphabet of a site id")
}

/// Sites do not report all at once. The multiples of the golden ratio, modulo 1, spread any number of sites evenly over
/// the interval (Knuth, The Art of Computer Programming 3, section 6.4, multiplicative hashing).
fn report_delay_ms(index: usize, interval_ms: u32) -> u32 {
    const GOLDEN_SHARE: u64 = 2_654_435_769;
    let share = (index as u64).wrapping_mul(GOLDEN_SHARE) % (1 << 32);
    let seconds = (share * u64::from(interval_ms / 1_000)) >> 32;
    u32::try_from(seconds * 1_000).unwrap_or(0)
}

#[cfg(test)]
mod tests;
