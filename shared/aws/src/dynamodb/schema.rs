//! The tables: their names, keys and indexes as data, and the names of their attributes.
//!
//! What must always hold: this is the one place that spells them. Whoever creates the tables (a test, or the CDK app, which
//! reads `shared/aws/tables.json`) does it from these definitions.

use serde::Serialize;
use wattstream_domain::SiteId;

use crate::Environment;

/// A site's id: the partition of readings, hours and sites.
pub(super) const SITE_ID: &str = "site_id";
/// The start of a reading's interval.
pub(super) const TIMESTAMP: &str = "timestamp";
pub(super) const GENERATED: &str = "energy_generated_kwh";
pub(super) const CONSUMED: &str = "energy_consumed_kwh";
pub(super) const NET: &str = "net_energy_kwh";
pub(super) const ANOMALY: &str = "anomaly";
/// The record that wrote an item.
pub(super) const POSITION: &str = "position";
pub(super) const FINDINGS: &str = "findings";
pub(super) const RULE: &str = "rule";
pub(super) const SEVERITY: &str = "severity";
pub(super) const SCORE: &str = "score";
pub(super) const CHANNEL: &str = "channel";
pub(super) const EXPECTED: &str = "expected_kwh";
/// A reading's timestamp once more, in anomalous ones alone: it is what makes their index sparse.
pub(super) const ANOMALY_AT: &str = "anomaly_at";
/// The fleet of an anomalous reading's site, and in [`ANOMALY_PLACE`] its timestamp and its site; in anomalous ones alone.
pub(super) const ANOMALY_FLEET: &str = "anomaly_fleet";
pub(super) const ANOMALY_PLACE: &str = "anomaly_place";
pub(super) const BEFORE: &str = "before";
pub(super) const REVISION: &str = "revision";
/// The first instant of an hour.
pub(super) const HOUR: &str = "hour";
pub(super) const RECORDS: &str = "records";
pub(super) const ANOMALIES: &str = "anomalies";
pub(super) const GENERATED_MIN: &str = "energy_generated_kwh_min";
pub(super) const GENERATED_MAX: &str = "energy_generated_kwh_max";
pub(super) const CONSUMED_MIN: &str = "energy_consumed_kwh_min";
pub(super) const CONSUMED_MAX: &str = "energy_consumed_kwh_max";
pub(super) const VERSION: &str = "version";
pub(super) const STATE: &str = "state";
/// One of [`FLEETS`], by the hash of a site's id.
pub(super) const FLEET: &str = "fleet";
pub(super) const SHARD: &str = "shard";
pub(super) const SEQUENCE: &str = "sequence";
pub(super) const INSTANCE: &str = "instance";
/// An alert's instant and id.
pub(super) const ALERT_AT: &str = "alert_at";
pub(super) const ALERT: &str = "alert";
pub(super) const ALERT_ID: &str = "alert_id";
pub(super) const PHASE: &str = "phase";
pub(super) const AT: &str = "at";
/// The site and the newest reading before an open silence.
pub(super) const SILENCE_AFTER: &str = "silence_after";
pub(super) const SILENCE: &str = "silence";
pub(super) const LAST_SEEN: &str = "last_seen";

/// The index of readings by site and [`ANOMALY_AT`].
pub(super) const ANOMALIES_INDEX: &str = "anomalies";
/// The index of readings by [`ANOMALY_FLEET`] and [`ANOMALY_PLACE`].
pub(super) const FLEET_ANOMALIES_INDEX: &str = "fleet_anomalies";
/// The index of sites by [`FLEET`].
pub(super) const FLEET_INDEX: &str = "fleet";

/// The partitions that all sites are listed in, and all alerts. Sixteen of them take 16,000 writes a second and are still
/// few enough to ask each of them.
pub const FLEETS: u8 = 16;

/// The partition of a site's listing and of its alerts: the low four bits of the last byte of the MD5 of its id. Kinesis
/// chooses shards by the high bits of the same hash, so the sites of one shard are spread over all fleets.
pub fn fleet_of(site_id: SiteId) -> u8 {
    use md5::{Digest, Md5};
    let hash = Md5::digest(site_id.as_str());
    hash.last().copied().unwrap_or_default() % FLEETS
}

/// What the tables are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableNames {
    /// A row a reading.
    pub readings: String,
    /// A row a site and closed hour.
    pub hours: String,
    /// The state of each site.
    pub sites: String,
    /// The mark of each shard.
    pub shards: String,
    /// A row an alert.
    pub alerts: String,
    /// A row a silence that has begun and whose end has not been told.
    pub silences: String,
}

impl TableNames {
    /// The names in the environment of a Lambda function.
    pub fn from_environment(environment: &mut Environment) -> Self {
        Self {
            readings: environment.required("WATTSTREAM_READINGS_TABLE"),
            hours: environment.required("WATTSTREAM_HOURS_TABLE"),
            sites: environment.required("WATTSTREAM_SITES_TABLE"),
            shards: environment.required("WATTSTREAM_SHARDS_TABLE"),
            alerts: environment.required("WATTSTREAM_ALERTS_TABLE"),
            silences: environment.required("WATTSTREAM_SILENCES_TABLE"),
        }
    }

    /// The variables that [`TableNames::from_environment`] reads, with these names.
    pub fn variables(&self) -> [(&'static str, &str); 6] {
        let Self { readings, hours, sites, shards, alerts, silences } = self;
        [
            ("WATTSTREAM_READINGS_TABLE", readings),
            ("WATTSTREAM_HOURS_TABLE", hours),
            ("WATTSTREAM_SITES_TABLE", sites),
            ("WATTSTREAM_SHARDS_TABLE", shards),
            ("WATTSTREAM_ALERTS_TABLE", alerts),
            ("WATTSTREAM_SILENCES_TABLE", silences),
        ]
    }

    /// The names `PREFIXreadings`, `PREFIXhours` and so on.
    pub fn with_prefix(prefix: &str) -> Self {
        let name = |table: &str| format!("{prefix}{table}");
        Self {
            readings: name("readings"),
            hours: name("hours"),
            sites: name("sites"),
            shards: name("shards"),
            alerts: name("alerts"),
            silences: name("silences"),
        }
    }
}

/// A table, as it is to be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableDefinition {
    /// What it is called.
    pub name: String,
    /// The key that items are spread by.
    pub partition_key: KeyAttribute,
    /// The key that the items of a partition are sorted by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_key: Option<KeyAttribute>,
    /// Its global secondary indexes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<IndexDefinition>,
}

/// A global secondary index of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IndexDefinition {
    /// What it is called.
    pub name: &'static str,
    /// The key that items are spread by.
    pub partition_key: KeyAttribute,
    /// The key that the items of a partition are sorted by.
    pub sort_key: KeyAttribute,
    /// What it holds of an item.
    pub projection: Projection,
}

/// An attribute that is part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KeyAttribute {
    /// Its name.
    pub name: &'static str,
    /// The type of its values.
    #[serde(rename = "type")]
    pub kind: KeyType,
}

/// The type of a key, under DynamoDB's own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum KeyType {
    /// Text.
    S,
    /// A number.
    N,
}

/// What an index holds of an item, under DynamoDB's own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Projection {
    /// Everything.
    All,
    /// The keys of the table and of the index.
    KeysOnly,
}

const fn text(name: &'static str) -> KeyAttribute {
    KeyAttribute { name, kind: KeyType::S }
}

const fn number(name: &'static str) -> KeyAttribute {
    KeyAttribute { name, kind: KeyType::N }
}

/// The tables that [`DynamoDb`](super::DynamoDb) needs, in the order of [`TableNames`].
pub fn table_definitions(names: &TableNames) -> [TableDefinition; 6] {
    let table = |name: &str, partition_key, sort_key| TableDefinition {
        name: name.to_owned(),
        partition_key,
        sort_key,
        indexes: Vec::new(),
    };
    let anomalies = IndexDefinition {
        name: ANOMALIES_INDEX,
        partition_key: text(SITE_ID),
        sort_key: text(ANOMALY_AT),
        projection: Projection::All,
    };
    let fleet_anomalies = IndexDefinition {
        name: FLEET_ANOMALIES_INDEX,
        partition_key: number(ANOMALY_FLEET),
        sort_key: text(ANOMALY_PLACE),
        projection: Projection::All,
    };
    let fleet = IndexDefinition {
        name: FLEET_INDEX,
        partition_key: number(FLEET),
        sort_key: text(SITE_ID),
        projection: Projection::KeysOnly,
    };
    let readings = table(&names.readings, text(SITE_ID), Some(text(TIMESTAMP)));
    let sites = table(&names.sites, text(SITE_ID), None);
    [
        TableDefinition { indexes: vec![anomalies, fleet_anomalies], ..readings },
        table(&names.hours, text(SITE_ID), Some(text(HOUR))),
        TableDefinition { indexes: vec![fleet], ..sites },
        table(&names.shards, text(SHARD), None),
        table(&names.alerts, number(FLEET), Some(text(ALERT_AT))),
        table(&names.silences, text(PHASE), Some(text(SILENCE_AFTER))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_is_what_any_language_gets_from_md5() {
        // python3 -c "import hashlib; print(hashlib.md5(b'home-01').digest()[15] % 16)"
        for (site, fleet) in [("home-01", 12), ("site-alpha-pv-farm-01", 4), ("x", 6)] {
            assert_eq!(fleet_of(site.parse().unwrap()), fleet, "{site}");
        }
    }

    #[test]
    fn sites_are_spread_evenly_over_the_fleets() {
        let mut sites = [0_u32; FLEETS as usize];
        for number in 0..16_000 {
            sites[usize::from(fleet_of(format!("site-{number}").parse().unwrap()))] += 1;
        }
        assert!(sites.iter().all(|sites| (900..1_100).contains(sites)), "{sites:?}");
    }

    #[test]
    fn names_are_read_from_the_variables_that_they_are_written_to() {
        let names = TableNames::with_prefix("fleet-");
        let mut environment = Environment::from_iter(names.variables());
        assert_eq!(TableNames::from_environment(&mut environment), names);
        assert!(environment.check().is_ok());
    }

    #[test]
    fn a_missing_table_is_named_by_its_variable() {
        let mut environment = Environment::from_iter([("WATTSTREAM_HOURS_TABLE", "h")]);
        assert_eq!(TableNames::from_environment(&mut environment).hours, "h");
        let message = environment.check().unwrap_err().to_string();
        for table in ["READINGS", "SITES", "SHARDS", "ALERTS", "SILENCES"] {
            assert!(message.contains(&format!("WATTSTREAM_{table}_TABLE is not set")), "{message}");
        }
    }
}
