//! The rules of energy telemetry.
//!
//! Sites send readings; each is a fact of a log. This crate says what a reading is, what each new record means to its
//! site ([`decide`]), what is known of a site afterwards ([`evolve`]), what is odd about it ([`Detector`]) and which
//! alerts follow ([`Episodes`], [`Silence`]). It is pure: no I/O, no clock, no randomness, no serialisation.
//!
//! ```text
//!   record ──► decide ──► event ──► evolve ──► state, row, hour, alerts
//!                ▲                     │
//!                └────── state ◄───────┘
//! ```
//!
//! What must always hold:
//! - Energy is whole milliwatt-hours; sums are exact ([`Energy`], [`EnergySum`]).
//! - Positions are compared within one shard, as numbers ([`Position`]).
//! - Folding one log gives one result, however its deliveries were cut, repeated or broken off ([`SiteFold`],
//!   [`Frontier`]).
//! - The hours of a site add up to its totals, and both to its rows ([`Totals`], [`HourTotals`]).
//!
//! ```
//! use wattstream_domain::{Energy, Measure, Position, Reading, Record, ShardId, SiteFold, SiteRows, SiteState};
//! use wattstream_domain::{Outcome, SiteId, Timestamp};
//!
//! let site_id: SiteId = "home-01".parse()?;
//! let energy = |milliwatt_hours| Energy::from_milliwatt_hours(milliwatt_hours).unwrap();
//! let reading = Reading {
//!     site_id,
//!     timestamp: Timestamp::from_unix_ms(1_750_377_600_000).unwrap(),
//!     measure: Measure { generated: energy(12_340_000), consumed: energy(8_900_000) },
//! };
//! let at = |sequence: u64| Position { shard: ShardId(0), sequence: sequence.into(), sub_sequence: 0 };
//!
//! let mut fold = SiteFold::new(SiteState::new(site_id), SiteRows::new(site_id));
//! assert_eq!(fold.fold(&Record { position: at(1), reading }).0, Outcome::InOrder);
//! assert_eq!(fold.fold(&Record { position: at(2), reading }).0, Outcome::Duplicate);
//! assert_eq!(fold.finish().state.totals.net().to_string(), "3.44");
//! # Ok::<(), wattstream_domain::SiteIdError>(())
//! ```

mod alert;
mod calendar;
pub mod detect;
mod digits;
mod energy;
mod finding;
mod fold;
pub mod mutant;
mod position;
mod reading;
mod rows;
mod silence;
mod site_id;
mod state;
mod timestamp;
mod totals;

pub use alert::{
    Alert, AlertId, EPISODE_QUIET_READINGS, Episode, Episodes, OUTBOX_ALERTS_MAX, Outbox, Phase, Subject,
};
pub use calendar::Resolution;
pub use detect::{Detector, Judgement};
pub use energy::{ENERGY_MAX, Energy, EnergySum, MILLIWATT_HOURS_PER_KWH};
pub use finding::{Channel, Finding, Rule, Score, Severity};
pub use fold::{Effects, Event, Folded, Outcome, SiteFold, decide, evolve, fold_tail, hours_to_load};
pub use position::{Position, PositionError, SEQUENCE_NUMBER_DIGITS_MAX, SequenceNumber, ShardId};
pub use reading::{Measure, Reading, Record, Row, Version};
pub use rows::{Frontier, Guard, RowWrite, SiteRows};
pub use silence::{Heard, OpenSilence, SILENCE_NEWS_MS_MAX, SILENT_AFTER_MIN, Silence};
pub use site_id::{SITE_ID_BYTES_MAX, SiteId, SiteIdError};
pub use state::{SHARDS_REMEMBERED_MAX, ShardPositions, SiteState};
pub use timestamp::{Civil, HOUR_MS, Hour, TIMESTAMP_END_MS, Timestamp};
pub use totals::{HourRow, HourSums, HourTotals, Spread, Sums, Totals};
