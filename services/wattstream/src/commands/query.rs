//! `wattstream summary`, `records` and `anomalies`: questions to a running process.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cli::{Format, QueryArgs, SiteArgs};
use crate::client::Client;
use crate::output::{self, Column, Entry};

const SUMMARY_COLUMNS: &[Column] = &[
    ("site_id", "site"),
    ("records", "records"),
    ("anomalies", "anomalies"),
    ("energy_generated_kwh", "generated kWh"),
    ("energy_consumed_kwh", "consumed kWh"),
    ("net_energy_kwh", "net kWh"),
    ("efficiency", "efficiency"),
    ("first_seen", "first seen"),
    ("last_seen", "last seen"),
];

const RECORD_COLUMNS: &[Column] = &[
    ("timestamp", "timestamp"),
    ("energy_generated_kwh", "generated kWh"),
    ("energy_consumed_kwh", "consumed kWh"),
    ("net_energy_kwh", "net kWh"),
    ("anomaly", "anomaly"),
    ("revision", "revision"),
];

const ANOMALY_COLUMNS: &[Column] = &[
    ("timestamp", "timestamp"),
    ("energy_generated_kwh", "generated kWh"),
    ("energy_consumed_kwh", "consumed kWh"),
    ("net_energy_kwh", "net kWh"),
    ("rules", "rules"),
];

/// The most records of one page that the API gives.
const PAGE_RECORDS_MAX: usize = 1_000;

#[derive(Deserialize)]
struct Summary {
    sites: Vec<Entry>,
}

#[derive(Deserialize)]
struct Page {
    records: Vec<Entry>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Finding {
    rule: String,
}

/// Prints the totals of every site.
pub(crate) fn summary(args: &QueryArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.url, &args.access)?;
    if args.format == Format::Json {
        let answer: Box<RawValue> = client.get("/summary", &[])?;
        anstream::println!("{answer}");
        return Ok(());
    }
    let mut summary: Summary = client.get("/summary", &[])?;
    if args.format == Format::Table {
        summary.sites.iter_mut().for_each(round_efficiency);
    }
    Ok(output::print(&summary.sites, SUMMARY_COLUMNS, args.format)?)
}

/// Prints the readings of a site.
pub(crate) fn records(args: &SiteArgs) -> anyhow::Result<()> {
    print_pages("records", args, RECORD_COLUMNS)
}

/// Prints the flagged readings of a site.
pub(crate) fn anomalies(args: &SiteArgs) -> anyhow::Result<()> {
    print_pages("anomalies", args, ANOMALY_COLUMNS)
}

fn print_pages(route: &str, args: &SiteArgs, columns: &[Column]) -> anyhow::Result<()> {
    let client = Client::new(&args.query.url, &args.query.access)?;
    let path = format!("/{route}/{}", args.site_id);
    let wanted = args.limit.unwrap_or(usize::MAX);
    let mut entries: Vec<Entry> = Vec::new();
    let mut cursor: Option<String> = None;
    while entries.len() < wanted {
        let limit = (wanted - entries.len()).min(PAGE_RECORDS_MAX).to_string();
        let parameters: Vec<(&str, &str)> = [
            ("limit", Some(limit.as_str())),
            ("start", args.start.as_deref()),
            ("end", args.end.as_deref()),
            ("cursor", cursor.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect();
        let page: Page = client.get(&path, &parameters)?;
        entries.extend(page.records);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if args.query.format != Format::Json {
        entries.iter_mut().for_each(name_rules);
    }
    Ok(output::print(&entries, columns, args.query.format)?)
}

/// Shortens the one number of a summary that is a ratio: three places are what a person compares.
fn round_efficiency(entry: &mut Entry) {
    let ratio = entry.get("efficiency").and_then(|raw| raw.get().parse::<f64>().ok());
    let shortened = ratio.and_then(|ratio| RawValue::from_string(format!("{ratio:.3}")).ok());
    if let Some(shortened) = shortened {
        entry.insert("efficiency".to_owned(), shortened);
    }
}

/// Adds the names of the rules that flag a reading as a field of their own.
fn name_rules(entry: &mut Entry) {
    let findings: Vec<Finding> =
        entry.get("findings").and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let rules: Vec<String> = findings.into_iter().map(|finding| finding.rule).collect();
    if let Ok(raw) = serde_json::value::to_raw_value(&rules.join(" ")) {
        entry.insert("rules".to_owned(), raw);
    }
}
