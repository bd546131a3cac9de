//! Faults: what goes wrong, for how long, and what then leaves the meter.
//!
//! At most one fault holds at a site in an interval. When one does is a function of the seed, the site and the interval:
//! time is cut into equal slots, and in each slot each site has one fault that begins and ends inside it. So whether an
//! interval is faulty is found by looking at its own slot, and nothing has to be remembered.
//!
//! Some faults distort what the meter measures, the others only disturb how readings arrive: once late, twice, or
//! revised, their last arrival tells what a faultless meter would have told. An outage is the only fault that loses
//! readings.

use std::fmt;
use std::ops::RangeInclusive;

use rand::RngExt;
use wattstream_domain::{ENERGY_MAX, Energy, Measure, SiteId, Timestamp};

use crate::random::{Key, Purpose};

/// The most faults that the schedule gives a site in a week: one an hour.
pub const FAULTS_PER_SITE_WEEK_MAX: u32 = 7 * 24;

/// A way in which metering goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The consumed energy has the wrong sign.
    NegativeEnergy,
    /// Watt-hours were taken for kilowatt-hours: both energies are a thousand times too high.
    UnitSlip,
    /// The meter repeats its first measure.
    StuckMeter,
    /// No reading leaves the site, then or later.
    Outage,
    /// Readings leave the site some intervals after their time, behind newer ones.
    Late,
    /// Readings are sent again, unchanged.
    Duplicate,
    /// Readings are sent with provisional values, and with the final ones later.
    Revised,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::NegativeEnergy,
        Self::UnitSlip,
        Self::StuckMeter,
        Self::Outage,
        Self::Late,
        Self::Duplicate,
        Self::Revised,
    ];

    /// What people call it: "stuck meter".
    pub const fn name(self) -> &'static str {
        match self {
            Self::NegativeEnergy => "negative energy",
            Self::UnitSlip => "unit slip x1000",
            Self::StuckMeter => "stuck meter",
            Self::Outage => "outage",
            Self::Late => "late readings",
            Self::Duplicate => "duplicate readings",
            Self::Revised => "revised readings",
        }
    }

    /// For how many intervals it lasts, at least and at most. A stuck meter lasts longer than the six equal values
    /// that a repeated value check waits for.
    const fn intervals(self) -> RangeInclusive<u32> {
        match self {
            Self::NegativeEnergy | Self::UnitSlip => 1..=3,
            Self::StuckMeter => 12..=36,
            Self::Outage => 3..=12,
            Self::Late | Self::Duplicate | Self::Revised => 1..=6,
        }
    }

    /// For how many intervals a planted fault of this kind lasts, as short as it is clear.
    pub(crate) const fn intervals_min(self) -> u32 {
        *self.intervals().start()
    }

    /// When readings of an interval with this fault are sent, and with which values.
    pub(crate) const fn deliveries(self) -> &'static [Delivery] {
        match self {
            Self::NegativeEnergy | Self::UnitSlip | Self::StuckMeter => IN_TIME,
            Self::Outage => &[],
            Self::Late => &[Delivery { after_intervals: 3, values: Values::Final }],
            Self::Duplicate => &[
                Delivery { after_intervals: 0, values: Values::Final },
                Delivery { after_intervals: 1, values: Values::Final },
            ],
            Self::Revised => &[
                Delivery { after_intervals: 0, values: Values::Provisional },
                Delivery { after_intervals: 2, values: Values::Final },
            ],
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A fault at a site, from `start` for a number of intervals. It prints as its name: "stuck meter at home-fontana-03".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it is.
    pub site_id: SiteId,
    /// What goes wrong.
    pub kind: FaultKind,
    /// The start of the first interval that it holds in.
    pub start: Timestamp,
    /// How many intervals it holds for.
    pub intervals: u32,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.kind, self.site_id)
    }
}

/// One sending of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// How many intervals after its time it is sent.
    pub(crate) after_intervals: u32,
    /// What it says.
    pub(crate) values: Values,
}

/// Which values a sending carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    Provisional,
    Final,
}

/// How a reading without a fault is sent.
pub(crate) const IN_TIME: &[Delivery] = &[Delivery { after_intervals: 0, values: Values::Final }];

/// The latest that any reading is sent, in intervals after its time.
pub(crate) const DELIVERY_AFTER_INTERVALS_MAX: u32 = 3;

/// A fault in the fleet's own terms: intervals are numbered from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spell {
    pub(crate) kind: FaultKind,
    pub(crate) first_interval: i64,
    pub(crate) intervals: u32,
}

impl Spell {
    pub(crate) fn holds_in(&self, interval: i64) -> bool {
        (self.first_interval..self.first_interval + i64::from(self.intervals)).contains(&interval)
    }
}

/// When faults happen without being planted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FaultSchedule {
    /// How many intervals a slot has; none when nothing ever happens.
    pub(crate) slot_intervals: Option<u32>,
}

impl FaultSchedule {
    pub(crate) fn new(faults_per_site_week: u32, interval_ms: u32) -> Self {
        const WEEK_MS: u32 = 7 * 24 * 3_600_000;
        let slot_ms = WEEK_MS.checked_div(faults_per_site_week);
        Self { slot_intervals: slot_ms.map(|slot_ms| (slot_ms / interval_ms).max(1)) }
    }

    /// The fault of the site with this key in the slot of `interval`, whether or not it holds in that interval.
    pub(crate) fn spell(self, site: Key, interval: i64) -> Option<Spell> {
        let slot_intervals = self.slot_intervals?;
        let slot = interval.div_euclid(slot_intervals.into());
        let mut rng = site.about(Purpose::Faults).with(slot.cast_unsigned()).rng();
        let kind = FaultKind::ALL[rng.random_range(0..FaultKind::ALL.len())];
        let intervals = rng.random_range(kind.intervals()).min(slot_intervals);
        let offset = rng.random_range(0..=slot_intervals - intervals);
        let first_interval = slot * i64::from(slot_intervals) + i64::from(offset);
        Some(Spell { kind, first_interval, intervals })
    }
}

/// `measure` with both energies a thousand times as high.
pub(crate) fn unit_slip(measure: Measure) -> Measure {
    Measure { generated: scaled(measure.generated, 1_000, 1), consumed: scaled(measure.consumed, 1_000, 1) }
}

/// `measure` with the sign of the consumed energy turned.
pub(crate) fn negative(measure: Measure) -> Measure {
    Measure { consumed: scaled(measure.consumed, -1, 1), ..measure }
}

/// A first guess at `measure`, a tenth too low.
pub(crate) fn provisional(measure: Measure) -> Measure {
    Measure { generated: scaled(measure.generated, 9, 10), consumed: scaled(measure.consumed, 9, 10) }
}

fn scaled(energy: Energy, factor: i64, divisor: i64) -> Energy {
    let milliwatt_hours = energy.milliwatt_hours().saturating_mul(factor) / divisor;
    Energy::from_milliwatt_hours(milliwatt_hours).unwrap_or(ENERGY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_spell_lies_inside_the_slot_of_its_intervals(
            seed: u64, interval in 0_i64..100_000_000, per_week in 1..=FAULTS_PER_SITE_WEEK_MAX,
        ) {
            let schedule = FaultSchedule::new(per_week, 300_000);
            let site = Key::of_seed(seed);
            let spell = schedule.spell(site, interval).unwrap();
            let last_interval = spell.first_interval + i64::from(spell.intervals) - 1;
            prop_assert!(spell.holds_in(spell.first_interval) && spell.holds_in(last_interval));
            prop_assert!(!spell.holds_in(spell.first_interval - 1) && !spell.holds_in(last_interval + 1));
            prop_assert_eq!(schedule.spell(site, spell.first_interval), Some(spell));
            prop_assert_eq!(schedule.spell(site, last_interval), Some(spell));
        }
    }

    #[test]
    fn no_delivery_is_later_than_the_latest() {
        let latest =
            FaultKind::ALL.iter().flat_map(|kind| kind.deliveries()).map(|it| it.after_intervals).max();
        assert_eq!(latest, Some(DELIVERY_AFTER_INTERVALS_MAX));
    }

    #[test]
    fn a_slot_has_at_least_one_interval() {
        let schedule = FaultSchedule::new(FAULTS_PER_SITE_WEEK_MAX, 24 * 3_600_000);
        assert_eq!(schedule.slot_intervals, Some(1));
        assert_eq!(FaultSchedule::new(0, 300_000).spell(Key::of_seed(1), 7), None);
    }

    #[test]
    fn a_fault_prints_as_its_name() {
        let fault = Fault {
            site_id: SiteId::new("home-fontana-03").unwrap(),
            kind: FaultKind::StuckMeter,
            start: Timestamp::MIN,
            intervals: 12,
        };
        assert_eq!(fault.to_string(), "stuck meter at home-fontana-03");
    }
}
