//! `wattstream verify`: are the tables what the raw bytes say?
//!
//! Two audits. The tables must agree with each other: every total of a site equals the sums of its rows and of its hours,
//! counted here by code of its own. And they must agree with the archive: a second store, rebuilt from the raw bytes in a
//! temporary folder, has the same state hash.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use wattstream_domain::{EnergySum, Hour, SiteState, Timestamp};
use wattstream_embedded::Archive;
use wattstream_engine::ports::{HourQuery, Queries, RowQuery};
use wattstream_engine::{StateHash, state_hash};

use super::replay::rebuild;
use crate::archive::Listed;
use crate::cli::VerifyArgs;
use crate::pipeline::Pipeline;

/// Rows or hours asked for at once.
const PAGE_ENTRIES: usize = 10_000;

/// Checks a data folder; an error when anything differs.
pub(crate) fn verify(args: &VerifyArgs) -> anyhow::Result<()> {
    if !wattstream_embedded::Store::exists(&args.data_dir) {
        bail!("{} holds no store", args.data_dir.display());
    }
    let pipeline = Pipeline::open(&args.data_dir, None)?;
    // What the log holds and nobody has consumed or archived is not a difference yet.
    pipeline.drain()?;
    let stored = pipeline.block_on(state_hash(pipeline.store()))?;
    let mut differences = pipeline.block_on(audit(pipeline.store()))?;
    let archive = Listed::new(Archive::local(pipeline.store().archive_dir())?)?;
    pipeline.finish()?;

    let folder = tempfile::tempdir()?;
    let records = rebuild(&archive, &folder.path().join("rebuilt"), None).context("reading the archive")?;
    let rebuilt = Pipeline::open(&folder.path().join("rebuilt"), None)?;
    let replayed = rebuilt.block_on(state_hash(rebuilt.store()))?;
    rebuilt.finish()?;
    if stored.digest != replayed.digest {
        differences.push(format!("the archive's {records} records make {}", describe(&replayed)));
    }
    anstream::println!("state {stored}");
    anstream::eprintln!("{}; {records} records in the archive", describe(&stored));
    if differences.is_empty() {
        return Ok(());
    }
    bail!("the data folder does not agree with itself:\n  {}", differences.join("\n  "))
}

fn describe(hash: &StateHash) -> String {
    format!("state {hash}: {} sites, {} readings, {} closed hours", hash.sites, hash.rows, hash.hours)
}

/// What the tables of one site add up to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    records: u64,
    anomalies: u64,
    generated: EnergySum,
    consumed: EnergySum,
}

async fn audit(queries: &impl Queries) -> anyhow::Result<Vec<String>> {
    let mut differences = Vec::new();
    for state in queries.sites().await?.states {
        let stated = Sums {
            records: state.totals.records,
            anomalies: state.totals.anomalies,
            generated: state.totals.generated,
            consumed: state.totals.consumed,
        };
        let rows = sum_rows(queries, &state).await?;
        let hours = sum_hours(queries, &state).await?;
        for (table, sums) in [("readings", rows), ("hours", hours)] {
            if sums != stated {
                differences
                    .push(format!("{}: the {table} make {sums:?}, the totals say {stated:?}", state.site_id));
            }
        }
    }
    Ok(differences)
}

async fn sum_rows(queries: &impl Queries, state: &SiteState) -> anyhow::Result<Sums> {
    let (site_id, end, limit) = (state.site_id, Timestamp::MAX, PAGE_ENTRIES);
    let mut sums = Sums::default();
    let mut start = Some(Timestamp::MIN);
    while let Some(from) = start {
        let page =
            queries.row_page(RowQuery { site_id, start: from, end, anomalous_only: false, limit }).await?;
        for row in &page.entries {
            sums.records += 1;
            sums.anomalies += u64::from(row.version.is_anomalous());
            sums.generated += row.version.measure.generated;
            sums.consumed += row.version.measure.consumed;
        }
        start = page.next_start;
    }
    Ok(sums)
}

async fn sum_hours(queries: &impl Queries, state: &SiteState) -> anyhow::Result<Sums> {
    let (site_id, end, limit) = (state.site_id, Timestamp::MAX, PAGE_ENTRIES);
    let mut hours: BTreeMap<Hour, _> = state.open_hour.into_iter().collect();
    let mut start = Some(Timestamp::MIN);
    while let Some(from) = start {
        let page = queries.hour_page(HourQuery { site_id, start: from, end, limit }).await?;
        hours.extend(page.entries.iter().map(|row| (row.hour, row.totals)));
        start = page.next_start;
    }
    Ok(hours.values().fold(Sums::default(), |mut sums, hour| {
        sums.records += hour.records;
        sums.anomalies += hour.anomalies;
        sums.generated += hour.generated.sum;
        sums.consumed += hour.consumed.sum;
        sums
    }))
}
