//! Logs with everything in them: several sites and shards, readings in order, late, repeated and revised, runs that
//! detection flags, aggregates, rejects, splits and merges, numbers that cross the border of their digits.
//!
//! What must always hold: a log is what a stream could hold. The records of a site stand in one shard at a time, and the
//! shards that it moves through continue each other.

use std::fmt;

use bytes::Bytes;
use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;
use wattstream_domain::{ENERGY_MAX, Measure, Reading, ShardId, SiteId};
use wattstream_engine::StreamRecord;
use wattstream_engine::ports::NewRecord;
use wattstream_wire::{AGGREGATE_MAGIC, Aggregator};

use crate::builders::{at, energy, payload};
use crate::shards::{Numbers, ShardLog, Shards};

/// The sites of a log. With two shards they live in both.
const SITES: [&str; 4] = ["home-01", "plant:7", "office_2", "pv.farm"];

/// A stream from its first record to its last.
#[derive(Clone, PartialEq, Eq)]
pub struct Log {
    /// Its shards, parents before their children.
    pub shards: Vec<ShardLog>,
}

impl Log {
    /// How many stream records it has.
    pub fn records(&self) -> usize {
        self.shards.iter().map(|shard| shard.records.len()).sum()
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for shard in &self.shards {
            writeln!(f, "{} after {:?}", shard.id, shard.parents)?;
            for StreamRecord { sequence, data, .. } in &shard.records {
                writeln!(f, "  {sequence} {}", data.escape_ascii())?;
            }
        }
        Ok(())
    }
}

/// Something that happens where records come from. Sites, instants and shards are chosen by numbers that are taken modulo
/// what there is, so that any list of acts makes a log, and a shorter list a shorter log.
#[derive(Clone, Debug)]
pub enum Act {
    /// A site uploads something.
    Upload(Upload),
    /// Several payloads travel in one stream record a shard.
    Aggregate(Vec<Upload>),
    /// A shard splits.
    Split(u8),
    /// A shard merges with its neighbour.
    Merge(u8),
}

/// What a site uploads.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The site.
    pub site: u8,
    /// What it sends.
    pub content: Content,
}

/// The kinds of payloads.
#[derive(Clone, Debug)]
pub enum Content {
    /// New readings, an interval apart.
    Run {
        /// Intervals from the newest to the first of them.
        steps: u8,
        /// How many.
        readings: u8,
        /// What they say.
        value: Value,
    },
    /// A reading from so many intervals ago.
    Older {
        /// Intervals before the newest.
        intervals: u8,
        /// Whether it lies half an interval before the others, where nothing was sent in order.
        is_between: bool,
        /// What it says.
        value: Value,
    },
    /// A payload that was sent before.
    Repeated(u16),
    /// A reading that was sent before, with another value.
    Revised(u16, Value),
    /// A payload that is no reading.
    Reject(u8),
}

/// What a reading says.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// About one watt-hour each way; in a run no two are alike.
    Ordinary(u8),
    /// The same as every other of this kind.
    Stuck,
    /// Nothing.
    Zero,
    /// A generation below zero.
    Negative(u8),
    /// A million times the ordinary.
    High,
    /// The largest that there is.
    Largest,
}

impl Value {
    fn measure(self, index: u8) -> Measure {
        let (generated, consumed) = match self {
            Self::Ordinary(n) => {
                let n = i64::from(n) + 3 * i64::from(index);
                (1_000_000 + 1_234 * n, 900_000 + 987 * (n % 7))
            }
            Self::Stuck => (1_555_555, 1_333_333),
            Self::Zero => (0, 0),
            Self::Negative(n) => (-1 - 10_007 * i64::from(n), 5),
            Self::High => (1_234_567_890_123, 3),
            Self::Largest => (ENERGY_MAX.milliwatt_hours(), ENERGY_MAX.milliwatt_hours() - 1),
        };
        Measure { generated: energy(generated), consumed: energy(consumed) }
    }
}

/// Logs of so many acts.
pub fn logs(acts: impl Into<SizeRange>) -> impl Strategy<Value = Log> {
    writers(acts).prop_map(LogWriter::finish)
}

/// Logs of so many acts, each with the same log after every site has sent one more ordinary reading.
pub fn logs_with_farewells(acts: impl Into<SizeRange>) -> impl Strategy<Value = (Log, Log)> {
    writers(acts).prop_map(|mut writer| {
        let log = writer.clone().finish();
        writer.send_farewells();
        (log, writer.finish())
    })
}

fn writers(acts: impl Into<SizeRange>) -> impl Strategy<Value = LogWriter> {
    let interval_minutes = prop::sample::select(&[5_i64, 15, 60, 240][..]);
    (1..4_u64, numbers(), interval_minutes, vec(act(), acts)).prop_map(
        |(shards, numbers, interval_minutes, acts)| {
            let mut writer = LogWriter::new(shards, numbers, interval_minutes);
            for act in acts {
                writer.perform(act);
            }
            writer
        },
    )
}

/// Numbers that soon gain a digit, or that look like those of Kinesis.
fn numbers() -> impl Strategy<Value = Numbers> {
    let bases = ["0", "6", "95", "995", KINESIS_BASE, BASE_BEFORE_56_DIGITS, BASE_BEFORE_65_BITS];
    let base = prop::sample::select(bases.to_vec()).prop_map(|text| text.parse().expect("a number"));
    (base, 1..4_u64).prop_map(|(base, step)| Numbers { base, step })
}

const KINESIS_BASE: &str = "49590338271490256608559692538361571095921575989136588890";
const BASE_BEFORE_56_DIGITS: &str = "9999999999999999999999999999999999999999999999999999995";
const BASE_BEFORE_65_BITS: &str = "18446744073709551610";

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        16 => upload().prop_map(Act::Upload),
        2 => vec(upload(), 1..5).prop_map(Act::Aggregate),
        1 => any::<u8>().prop_map(Act::Split),
        1 => any::<u8>().prop_map(Act::Merge),
    ]
}

fn upload() -> impl Strategy<Value = Upload> {
    (any::<u8>(), content()).prop_map(|(site, content)| Upload { site, content })
}

fn content() -> impl Strategy<Value = Content> {
    let steps = prop_oneof![6 => Just(1_u8), 2 => 2..6_u8, 1 => 80..255_u8];
    let readings = prop_oneof![4 => Just(1_u8), 1 => 2..10_u8];
    prop_oneof![
        6 => (steps, readings, value()).prop_map(|(steps, readings, value)| Content::Run { steps, readings, value }),
        3 => (0..12_u8, any::<bool>(), value())
            .prop_map(|(intervals, is_between, value)| Content::Older { intervals, is_between, value }),
        2 => any::<u16>().prop_map(Content::Repeated),
        3 => (any::<u16>(), value()).prop_map(|(index, value)| Content::Revised(index, value)),
        1 => any::<u8>().prop_map(Content::Reject),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => any::<u8>().prop_map(Value::Ordinary),
        3 => Just(Value::Stuck),
        1 => Just(Value::Zero),
        2 => any::<u8>().prop_map(Value::Negative),
        1 => Just(Value::High),
        1 => Just(Value::Largest),
    ]
}

/// Performs acts, and so writes a log.
#[derive(Clone, Debug)]
pub struct LogWriter {
    shards: Shards,
    sites: Vec<Sent>,
    interval_minutes: i64,
}

/// What a site has sent.
#[derive(Clone, Debug)]
struct Sent {
    site_id: SiteId,
    newest_minute: i64,
    readings: Vec<Reading>,
}

impl LogWriter {
    /// An empty log over so many shards, of sites that send a reading every so many minutes.
    pub fn new(shards: u64, numbers: Numbers, interval_minutes: i64) -> Self {
        let sites = SITES.map(|name| Sent {
            site_id: SiteId::new(name).expect("the sites have legal names"),
            newest_minute: 0,
            readings: Vec::new(),
        });
        let shards = Shards::even(shards, numbers, at(0));
        Self { shards, sites: sites.into(), interval_minutes }
    }

    /// Lets something happen.
    pub fn perform(&mut self, act: Act) {
        match act {
            Act::Upload(upload) => {
                let key = self.site(upload.site).site_id;
                for data in self.payloads(&upload) {
                    self.append(key, data);
                }
            }
            Act::Aggregate(uploads) => self.aggregate(uploads),
            Act::Split(index) => {
                let id = self.open_shard(index);
                self.shards.split(id);
            }
            Act::Merge(index) => {
                let id = self.open_shard(index);
                // The last shard has no neighbour above it. Then nothing happens.
                let _ = self.shards.merge(id);
            }
        }
    }

    /// Every site sends one more ordinary reading.
    pub fn send_farewells(&mut self) {
        let content = Content::Run { steps: 1, readings: 1, value: Value::Ordinary(7) };
        for site in 0..4 {
            self.perform(Act::Upload(Upload { site, content: content.clone() }));
        }
    }

    /// The log.
    pub fn finish(self) -> Log {
        Log { shards: self.shards.iter().cloned().collect() }
    }

    fn site(&mut self, index: u8) -> &mut Sent {
        let index = usize::from(index) % self.sites.len();
        &mut self.sites[index]
    }

    fn open_shard(&self, index: u8) -> ShardId {
        let open: Vec<_> = self.shards.iter().filter(|shard| !shard.is_closed).collect();
        open[usize::from(index) % open.len()].id
    }

    fn append(&mut self, key: SiteId, data: Bytes) {
        self.shards.append(NewRecord { partition_key: key.as_str().to_owned(), data });
    }

    /// One aggregate for each shard that the payloads belong to.
    fn aggregate(&mut self, uploads: Vec<Upload>) {
        let mut packed: Vec<(SiteId, ShardId, Aggregator)> = Vec::new();
        for upload in uploads {
            let key = self.site(upload.site).site_id;
            let shard = self.shards.shard_of(key.as_str());
            let index = packed.iter().position(|(_, known, _)| *known == shard).unwrap_or_else(|| {
                packed.push((key, shard, Aggregator::default()));
                packed.len() - 1
            });
            for data in self.payloads(&upload) {
                packed[index].2.push(key.as_str(), &data).expect("a few readings fit an aggregate");
            }
        }
        for (key, _, aggregator) in packed {
            self.append(key, aggregator.finish());
        }
    }

    fn payloads(&mut self, upload: &Upload) -> Vec<Bytes> {
        let interval_minutes = self.interval_minutes;
        let site = self.site(upload.site);
        let readings = match upload.content {
            Content::Run { steps, readings, value } => site.run(interval_minutes, steps, readings, value),
            Content::Older { intervals, is_between, value } => {
                site.older(interval_minutes, intervals, is_between, value)
            }
            Content::Repeated(index) => site.sent(index).into_iter().collect(),
            Content::Revised(index, value) => site.revised(index, value).into_iter().collect(),
            Content::Reject(index) => return vec![reject(index)],
        };
        site.readings.extend(&readings);
        readings.iter().map(payload).collect()
    }
}

impl Sent {
    fn run(&mut self, interval_minutes: i64, steps: u8, readings: u8, value: Value) -> Vec<Reading> {
        let start = self.newest_minute + i64::from(steps.max(1)) * interval_minutes;
        let run = (0..readings)
            .map(|index| self.reading(start + i64::from(index) * interval_minutes, value, index));
        let run: Vec<_> = run.collect();
        self.newest_minute = start + i64::from(readings.max(1) - 1) * interval_minutes;
        run
    }

    fn older(&self, interval_minutes: i64, intervals: u8, is_between: bool, value: Value) -> Vec<Reading> {
        let half = if is_between { (interval_minutes + 1) / 2 } else { 0 };
        let minute = self.newest_minute - i64::from(intervals) * interval_minutes - half;
        vec![self.reading(minute, value, 0)]
    }

    fn sent(&self, index: u16) -> Option<Reading> {
        // Recent readings are chosen more often: they meet those that are still being delivered.
        let nearest = if index.is_multiple_of(2) { 4 } else { usize::MAX };
        let back = usize::from(index) % self.readings.len().clamp(1, nearest);
        self.readings.iter().rev().nth(back).copied()
    }

    fn revised(&self, index: u16, value: Value) -> Option<Reading> {
        let index_in_run = index.to_be_bytes()[1];
        self.sent(index).map(|reading| Reading { measure: value.measure(index_in_run), ..reading })
    }

    fn reading(&self, minute: i64, value: Value, index: u8) -> Reading {
        Reading { site_id: self.site_id, timestamp: at(minute), measure: value.measure(index) }
    }
}

/// Something that is no reading.
fn reject(index: u8) -> Bytes {
    let mut nested = Aggregator::default();
    nested.push("home-01", &AGGREGATE_MAGIC).expect("four bytes fit an aggregate");
    let rejects: [Bytes; 8] = [
        Bytes::new(),
        Bytes::from_static(b"\xff\xfe not UTF-8"),
        Bytes::from_static(br#"{"site_id":"home-01","timestamp":"#),
        Bytes::from_static(br#"{"site_id":"home-01"}"#),
        Bytes::from_static(
            br#"{"site_id":"home-01","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":NaN,"energy_consumed_kwh":1}"#,
        ),
        Bytes::from_static(
            br#"{"site_id":"home/1","timestamp":"2025-06-20T00:00:00Z","energy_generated_kwh":1,"energy_consumed_kwh":1}"#,
        ),
        Bytes::from([&AGGREGATE_MAGIC[..], b"but the rest is not an aggregate"].concat()),
        nested.finish(),
    ];
    rejects[usize::from(index) % rejects.len()].clone()
}
