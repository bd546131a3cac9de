//! A fleet of sites that do not exist, for a pipeline that should not notice.
//!
//! A [`Fleet`] has named sites of four kinds: solar parks, homes, offices and plants. Each has a meter that tells, for
//! every interval, what the site generated and what it consumed. The sun is where astronomy puts it, clouds pass over
//! all sites of a place, people get up later on Sundays, shifts change, and now and then a meter goes wrong: it freezes,
//! slips a unit, turns a sign, falls silent, or sends late, twice or revised.
//!
//! ```text
//! seed, site, instant ──► place ──► sun, clouds ──► PvArray ─┐
//!                          │                                 ├─► measure ─► fault ─► reading ─► Emission
//!                          └──────► local time ───► load ────┘
//! ```
//!
//! # What always holds
//!
//! - **A reading is a pure function of seed, site and interval.** There is no state that a reading leaves behind, no
//!   clock and no generator that runs on. So a retried call, a parallel one, a backfill and a live run make the same
//!   readings, and one scheduled instant always sends the same.
//! - **Time can be cut anywhere.** What is [due](Fleet::due) in [a, c) is what is due in [a, b) and then in [b, c).
//! - Without a fault, energy is never negative, consumption is above zero, and nothing is generated while the sun is
//!   down.
//! - Faults that only disturb the delivery (late, duplicate, revised) change no value in the end: the last that is sent
//!   of an interval is what a faultless meter would have sent.
//! - Energy is a whole number of the meter's steps; floating point lives only inside the model. Its sines are those of
//!   the platform, so two platforms may disagree in the last bit before rounding, which shows in a reading about once
//!   in ten million.
//!
//! # One function for all modes
//!
//! Backfill, live pace, fast-forward and one scheduled interval are all [`Fleet::due`] over some range of time; a
//! [`Pace`] says how long to wait for an instant that has not come yet.
//!
//! ```
//! use std::{num::NonZeroU32, time::Duration};
//! use wattstream_domain::{HOUR_MS, Timestamp};
//! use wattstream_simulator::{FaultKind, Fleet, FleetSettings, Pace};
//!
//! let now = Timestamp::from_unix_ms(1_781_956_800_000).ok_or("in range")?; // 2026-06-20T12:00:00Z
//! let settings = FleetSettings { seed: 1, sites: 12, interval_ms: 300_000, faults_per_site_week: 2 };
//! let mut fleet = Fleet::new(settings)?;
//! assert_eq!(fleet.sites()[0].id.as_str(), "pv-farm-alentejo-01");
//!
//! // Somebody who has just started should not wait for days until something goes wrong.
//! let fault = fleet.next_fault(FaultKind::NegativeEnergy, now).ok_or("a site without a fault")?;
//! fleet.plant(fault)?;
//! assert_eq!(fault.to_string(), "negative energy at pv-farm-alentejo-01");
//!
//! // A day of backfill and then live: what is due by now is not waited for.
//! let pace = Pace { start: now, speed: NonZeroU32::MIN };
//! let (mut backfill, mut elapsed) = (0, Duration::ZERO);
//! for emission in fleet.due(now.saturating_add_ms(-24 * HOUR_MS), Timestamp::MAX) {
//!     let wait = pace.wait(emission.at, elapsed);
//!     if wait.is_zero() {
//!         backfill += 1;
//!     }
//!     elapsed += wait; // A caller with a clock sleeps here.
//!     if elapsed > Duration::from_secs(60) {
//!         break;
//!     }
//! }
//! assert!(backfill > 11 * 288);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod emission;
mod fault;
mod fleet;
mod load;
mod moment;
mod pace;
mod place;
mod pv_array;
mod random;
mod scheduled;
mod site;
mod sun;
mod weather;

pub use emission::Emission;
pub use fault::{FAULTS_PER_SITE_WEEK_MAX, Fault, FaultKind};
pub use fleet::{
    FAULTS_PLANTED_MAX, Fleet, FleetError, FleetSettings, INTERVAL_MS_MAX, INTERVAL_MS_MIN, SITES_MAX,
};
pub use pace::Pace;
pub use place::Place;
pub use pv_array::PvArray;
pub use scheduled::{ScheduledFleet, Sent, TickError};
pub use site::{Site, SiteKind};
