//! What is sent: weeks of real readings with everything that makes a stream hard: faults, rejects, repetitions, late and revised
//! readings; some through our producer, some as a client sends them that knows nothing of it, and one site through both.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;
use serde_json::value::RawValue;
use wattstream_domain::Timestamp;
use wattstream_engine::ports::NewRecord;
use wattstream_simulator::{Fleet, FleetSettings};

/// Sites of hours and of quarter hours: homes, buildings, a PV plant.
const THROUGH_PRODUCER: [&str; 5] = ["home01", "home07", "home13", "bdg_fox_assembly_carlos", "pv_sys50"];
const THROUGH_PLAIN_CLIENT: [&str; 2] = ["home14", "bdg_bear_parking_gordon"];
/// The first half through the producer, the second through the plain client.
const THROUGH_BOTH: [&str; 1] = ["home05"];

/// Four weeks of hours. The local Firehose writes an object a record, so the plain client sends half of that.
const READINGS: usize = 28 * 24;
const READINGS_PLAIN: usize = READINGS / 2;

/// What the producer is handed at one time of each site: an aggregate a day.
const READINGS_AT_ONCE: usize = 24;

/// What is no reading, and goes to the dead letters.
const REJECTS: [&[u8]; 5] = [
    b"\xff\xfe: not UTF-8, and so no JSON",
    b"\xef\xbb\xbfnot JSON",
    br#"{"site_id":"home05","timestamp":"2016-08-01 07:00","energy_generated_kwh":1,"energy_consumed_kwh":0}"#,
    br#"{"site_id":"a/b","timestamp":"2016-08-01T07:00:00Z","energy_generated_kwh":1,"energy_consumed_kwh":0}"#,
    br#"{"site_id":"home07","timestamp":"2016-08-01T07:00:00Z","energy_generated_kwh":1e400,"energy_consumed_kwh":0}"#,
];

/// Everything that is sent.
pub(crate) struct Input {
    /// Calls of our producer, in order.
    pub(crate) through_producer: Vec<Vec<NewRecord>>,
    /// Sent after those.
    pub(crate) through_plain_client: Vec<NewRecord>,
    sites: BTreeSet<String>,
}

/// A reading as its gateway writes it.
#[derive(Clone)]
struct Reading {
    site: String,
    timestamp: String,
    generated: String,
    consumed: String,
}

impl Input {
    /// The same every time, but for the data that there is.
    pub(crate) fn generate() -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let series = Series::find();
        let mut troubled = |site: &str, readings: usize| trouble(series.of(site, readings), &mut random);
        let mut in_days: Vec<Vec<NewRecord>> = Vec::new();
        let mut plain: Vec<NewRecord> = Vec::new();
        let mut add_days = |records: &[NewRecord]| {
            for (day, records) in records.chunks(READINGS_AT_ONCE).enumerate() {
                in_days.resize(in_days.len().max(day + 1), Vec::new());
                in_days[day].extend_from_slice(records);
            }
        };
        for site in THROUGH_PRODUCER {
            add_days(&troubled(site, READINGS));
        }
        for site in THROUGH_BOTH {
            let records = troubled(site, READINGS);
            let (first, second) = records.split_at(records.len() / 2);
            add_days(first);
            plain.extend_from_slice(second);
        }
        for site in THROUGH_PLAIN_CLIENT {
            plain.extend(troubled(site, READINGS_PLAIN));
        }
        for (reject, day) in REJECTS.iter().zip((0..in_days.len()).step_by(3)) {
            in_days[day].push(unreadable(reject));
            plain.insert(day * 10, unreadable(reject));
        }
        let sites = all_sites().map(|site| series.name(site)).collect();
        Self { through_producer: in_days, through_plain_client: plain, sites }
    }

    /// A site of hours that reported to the end.
    pub(crate) fn hourly_site(&self) -> &str {
        let is_hourly = |site: &&String| site.ends_with(THROUGH_PRODUCER[0]);
        self.sites.iter().find(is_hourly).expect("one of the sites")
    }

    /// Whether a site is one of these.
    pub(crate) fn has(&self, site: &str) -> bool {
        self.sites.contains(site)
    }

    /// Makes sure that what the stream holds is what was sent, byte for byte, and what the scheduled fleet has sent.
    pub(crate) fn insist_on_all_of(&self, payloads: &[Bytes], fleet: &BTreeSet<String>) {
        let mut counts: BTreeMap<&[u8], i64> = BTreeMap::new();
        for record in self.through_producer.iter().flatten().chain(&self.through_plain_client) {
            *counts.entry(&record.data).or_default() += 1;
        }
        for payload in payloads.iter().filter(|payload| !is_of_one_of(payload, fleet)) {
            *counts.entry(payload).or_default() -= 1;
        }
        let wrong: Vec<_> = counts.iter().filter(|(_, count)| **count != 0).take(5).collect();
        let shown = wrong.iter().map(|(payload, count)| (String::from_utf8_lossy(payload), count));
        assert!(
            wrong.is_empty(),
            "sent oftener than the stream has it, or the other way round: {:?}",
            shown.collect::<Vec<_>>()
        );
    }
}

fn all_sites() -> impl Iterator<Item = &'static str> {
    THROUGH_PRODUCER.into_iter().chain(THROUGH_BOTH).chain(THROUGH_PLAIN_CLIENT)
}

fn unreadable(payload: &'static [u8]) -> NewRecord {
    NewRecord { partition_key: "unreadable".to_owned(), data: Bytes::from_static(payload) }
}

fn is_of_one_of(payload: &[u8], sites: &BTreeSet<String>) -> bool {
    #[derive(Deserialize)]
    struct OfSite {
        site_id: String,
    }
    serde_json::from_slice(payload).is_ok_and(|OfSite { site_id }| sites.contains(&site_id))
}

/// Where readings come from.
enum Series {
    /// Real sites, which are not part of the repository.
    Real(PathBuf),
    /// A made-up fleet in their place.
    Fleet(Fleet),
}

impl Series {
    fn find() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/energy/replay");
        if folder.is_dir() {
            return Self::Real(folder);
        }
        wattstream_test_env::skip(
            "the series of real sites are not beside this checkout, in ../shared/data: a simulated fleet takes their place",
        );
        let settings = FleetSettings {
            seed: 4,
            sites: all_sites().count(),
            interval_ms: 3_600_000,
            faults_per_site_week: 2,
        };
        Self::Fleet(Fleet::new(settings).expect("good settings"))
    }

    /// What a site is called in the stream. The scheduled fleet has names of its own.
    fn name(&self, site: &str) -> String {
        match self {
            Self::Real(_) => site.to_owned(),
            Self::Fleet(_) => format!("past-{site}"),
        }
    }

    /// The first readings of a site.
    fn of(&self, site: &str, readings: usize) -> Vec<Reading> {
        match self {
            Self::Real(folder) => real_readings(&folder.join(format!("{site}.csv.gz")), readings),
            Self::Fleet(fleet) => self.simulated_readings(fleet, site, readings),
        }
    }

    fn simulated_readings(&self, fleet: &Fleet, site: &str, readings: usize) -> Vec<Reading> {
        let index = all_sites().position(|other| other == site).expect("one of the sites");
        let wanted = fleet.sites()[index].id;
        let since = Timestamp::from_unix_ms(1_735_689_600_000).expect("2025-01-01");
        let due = fleet.due(since, Timestamp::MAX).filter(|emission| emission.reading.site_id == wanted);
        due.take(readings).map(|emission| self.reading_of(site, &emission.to_record().data)).collect()
    }

    fn reading_of(&self, site: &str, payload: &[u8]) -> Reading {
        #[derive(Deserialize)]
        struct Payload<'a> {
            timestamp: String,
            #[serde(borrow)]
            energy_generated_kwh: &'a RawValue,
            #[serde(borrow)]
            energy_consumed_kwh: &'a RawValue,
        }
        let payload: Payload = serde_json::from_slice(payload).expect("the simulator sends readings");
        Reading {
            site: self.name(site),
            timestamp: payload.timestamp,
            generated: payload.energy_generated_kwh.to_string(),
            consumed: payload.energy_consumed_kwh.to_string(),
        }
    }
}

fn real_readings(file: &Path, readings: usize) -> Vec<Reading> {
    let file = File::open(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let lines = BufReader::new(GzDecoder::new(BufReader::new(file))).lines();
    let reading = |line: String| {
        let [site, timestamp, generated, consumed] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("{line:?} has four fields")
        };
        let [site, timestamp, generated, consumed] =
            [site, timestamp, generated, consumed].map(str::to_owned);
        Reading { site, timestamp, generated, consumed }
    };
    lines.skip(1).take(readings).map(|line| reading(line.expect("a series is text"))).collect()
}

/// Plants faults, mixes windows, sends some readings again and some in another version.
fn trouble(mut readings: Vec<Reading>, random: &mut ChaCha8Rng) -> Vec<NewRecord> {
    /// Readings arrive in any order within a window of so many.
    const WINDOW: usize = 12;
    plant_faults(&mut readings);
    let mut sent = Vec::new();
    for window in readings.chunks_mut(WINDOW) {
        if random.random_ratio(1, 5) {
            window.shuffle(random);
        }
        sent.extend(window.iter().map(Reading::to_record));
        match random.random_range(0..10) {
            0 => sent.extend(window.iter().map(Reading::to_record)),
            1 => sent.push(window[0].revised().to_record()),
            _ => {}
        }
    }
    sent
}

/// One fault of each of the rules of detection, once it knows the site.
fn plant_faults(readings: &mut Vec<Reading>) {
    let after = |part: usize| readings.len() * part / 10;
    let [negative, high, repeated, missing] = [after(5), after(6), after(7), after(9)];
    readings[negative].consumed = "-1.5".into();
    readings[high].consumed = "9000.25".into();
    for reading in &mut readings[repeated..repeated + 40] {
        reading.consumed = "0.125".into();
    }
    readings.drain(missing..missing + 6);
}

impl Reading {
    fn to_record(&self) -> NewRecord {
        let Self { site, timestamp, generated, consumed } = self;
        let data = format!(
            r#"{{"site_id":"{site}","timestamp":"{timestamp}","energy_generated_kwh":{generated},"energy_consumed_kwh":{consumed}}}"#
        );
        NewRecord { partition_key: site.clone(), data: data.into() }
    }

    /// What a meter sends that corrects itself.
    fn revised(&self) -> Self {
        Self { consumed: "0.75".to_owned(), ..self.clone() }
    }
}
