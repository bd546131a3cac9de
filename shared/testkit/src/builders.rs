//! Builders for readings and for what the tables hold after them.
//!
//! Instants are minutes after the start of an hour, energies are milliwatt-hours: whole numbers that are easy to add up
//! in one's head.

use std::collections::BTreeMap;

use bytes::Bytes;
use wattstream_domain::{
    Energy, Frontier, Hour, HourRow, Measure, Position, Reading, Record, Row, ShardId, SiteFold, SiteId,
    SiteRows, SiteState, Timestamp, hours_to_load,
};
use wattstream_wire::encode_reading;

/// 2025-06-20T00:00:00Z, the start of an hour and of a day.
const START_MS: i64 = 1_750_377_600_000;
const MINUTE_MS: i64 = 60_000;

/// The instant so many minutes after 2025-06-20T00:00:00Z.
pub fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix_ms(START_MS + minute * MINUTE_MS).expect("a minute near 2025 is an instant")
}

/// So many milliwatt-hours.
pub fn energy(milliwatt_hours: i64) -> Energy {
    Energy::from_milliwatt_hours(milliwatt_hours).expect("the energy of a test is a legal one")
}

/// What `site` generated and consumed, in milliwatt-hours, in the interval that begins at [`at`]`(minute)`.
pub fn reading(site: &str, minute: i64, generated: i64, consumed: i64) -> Reading {
    Reading {
        site_id: SiteId::new(site).expect("the site of a test has a legal name"),
        timestamp: at(minute),
        measure: Measure { generated: energy(generated), consumed: energy(consumed) },
    }
}

/// A place in a shard.
pub fn position(shard: u64, sequence: u64) -> Position {
    Position { shard: ShardId(shard), sequence: sequence.into(), sub_sequence: 0 }
}

/// A reading at a place in shard 0.
pub fn record(sequence: u64, reading: Reading) -> Record {
    Record { position: position(0, sequence), reading }
}

/// A reading as the stream carries it.
pub fn payload(reading: &Reading) -> Bytes {
    let mut json = Vec::new();
    encode_reading(reading, &mut json);
    json.into()
}

/// A site, and what the tables hold after the readings that it has sent into shard 0.
///
/// ```
/// use wattstream_testkit::Site;
///
/// let site = Site::new("home-01").sends(0, 5, 2).sends(15, 7, 1).sends(60, 4, 0);
/// assert_eq!((site.rows.len(), site.hours.len()), (3, 1));
/// assert_eq!(site.state.totals.records, 3);
/// ```
#[derive(Clone, Debug)]
pub struct Site {
    /// Its name.
    pub id: SiteId,
    /// Its state after the last record.
    pub state: SiteState,
    /// Its rows.
    pub rows: BTreeMap<Timestamp, Row>,
    /// Its hours but the open one.
    pub hours: BTreeMap<Hour, HourRow>,
    sequence: u64,
}

impl Site {
    /// A site that has sent nothing yet.
    pub fn new(name: &str) -> Self {
        let id = SiteId::new(name).expect("the site of a test has a legal name");
        Self { id, state: SiteState::new(id), rows: BTreeMap::new(), hours: BTreeMap::new(), sequence: 0 }
    }

    /// The site after it has sent one more reading: minutes after the start, milliwatt-hours.
    pub fn sends(mut self, minute: i64, generated: i64, consumed: i64) -> Self {
        self.sequence += 1;
        let record = record(self.sequence, reading(self.id.as_str(), minute, generated, consumed));
        let mut known = SiteRows::new(self.id);
        for hour in hours_to_load(&self.state, [&record]) {
            let stored = self.rows.range(hour.start()..=hour.last()).map(|(_, row)| row.clone());
            known.load(stored, &Frontier::before(record.position, &self.state.positions));
        }
        let mut fold = SiteFold::new(self.state, known);
        fold.fold(&record);
        let folded = fold.finish();
        self.state = folded.state;
        self.rows.extend(folded.rows.into_writes().map(|write| (write.row.timestamp, write.row)));
        self.hours.extend(folded.hours);
        self
    }
}
