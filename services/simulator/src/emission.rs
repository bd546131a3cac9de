//! What leaves the fleet, and when.
//!
//! A site has one turn an interval: at the end of the interval plus the site's own delay. At its turn it sends the
//! reading of that interval and whatever a fault made it send of the last few. So all that is due at an instant is
//! found by looking a fixed number of intervals back, nothing has to be remembered, and any cut of a time range gives
//! the same emissions in the same order.

use bytes::Bytes;
use wattstream_domain::{Reading, Timestamp};
use wattstream_engine::ports::NewRecord;
use wattstream_wire::encode_reading;

use crate::Fleet;
use crate::fault::{self, DELIVERY_AFTER_INTERVALS_MAX, Delivery, IN_TIME, Values};

/// A reading on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emission {
    /// When it leaves the site.
    pub at: Timestamp,
    /// What it says.
    pub reading: Reading,
}

/// The bytes of a reading of the fleet, as JSON, are at most about this many.
const READING_BYTES: usize = 160;

impl Emission {
    /// The reading as a record for the stream.
    pub fn to_record(&self) -> NewRecord {
        let mut data = Vec::with_capacity(READING_BYTES);
        encode_reading(&self.reading, &mut data);
        NewRecord { partition_key: self.reading.site_id.to_string(), data: Bytes::from(data) }
    }
}

/// A site's moment to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) site_index: usize,
    /// The interval that has just been measured.
    pub(crate) interval: i64,
    pub(crate) at: Timestamp,
}

impl Fleet {
    /// What leaves the fleet in [from, to), in time order; sites that report in the same second go by their index.
    ///
    /// The iterator is lazy and holds no readings: a caller that wants to bound a batch takes that many and comes back to
    /// the same iterator. `to` may be [`Timestamp::MAX`].
    pub fn due(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Emission> {
        self.turns_from(from).take_while(move |turn| turn.at < to).flat_map(|turn| self.sent_in(turn))
    }

    /// The turns of all sites at or after `from`, in time order.
    pub(crate) fn turns_from(&self, from: Timestamp) -> impl Iterator<Item = Turn> {
        let order = self.report_order();
        let interval_ms = i64::from(self.settings().interval_ms);
        let delay_ms = move |site_index: usize| i64::from(self.sites()[site_index].report_delay_ms);
        let since_first_end_ms = (from.unix_ms() - interval_ms).max(0);
        let (first_interval, offset_ms) =
            (since_first_end_ms / interval_ms, since_first_end_ms % interval_ms);
        let first_turn = order.partition_point(|&site_index| delay_ms(site_index) < offset_ms);
        let rest_of_first = order[first_turn..].iter().map(move |&site_index| (first_interval, site_index));
        let later = (first_interval + 1..)
            .flat_map(move |interval| order.iter().map(move |&site_index| (interval, site_index)));
        rest_of_first.chain(later).map_while(move |(interval, site_index)| {
            let at = Timestamp::from_unix_ms((interval + 1) * interval_ms + delay_ms(site_index))?;
            Some(Turn { site_index, interval, at })
        })
    }

    /// The reading of the turn's own interval first, then older ones.
    fn sent_in(&self, turn: Turn) -> impl Iterator<Item = Emission> {
        (0..=DELIVERY_AFTER_INTERVALS_MAX)
            .filter_map(move |after_intervals| self.sent_after(turn, after_intervals))
            .map(move |reading| Emission { at: turn.at, reading })
    }

    /// The reading that ended `after_intervals` before the turn, if it is sent then.
    fn sent_after(&self, turn: Turn, after_intervals: u32) -> Option<Reading> {
        let interval = turn.interval - i64::from(after_intervals);
        let start = self.start_of(interval)?;
        let kind = self.spell(turn.site_index, interval).map(|spell| spell.kind);
        let deliveries = kind.map_or(IN_TIME, |kind| kind.deliveries());
        let is_now = |delivery: &&Delivery| delivery.after_intervals == after_intervals;
        let delivery = deliveries.iter().find(is_now)?;
        let mut reading = self.reading(turn.site_index, start)?;
        if delivery.values == Values::Provisional {
            reading.measure = fault::provisional(reading.measure);
        }
        Some(reading)
    }
}
