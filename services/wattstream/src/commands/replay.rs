//! `wattstream replay`: every table, rebuilt from the raw bytes of an archive.

use std::path::Path;

use anyhow::{Context, bail};

use wattstream_engine::ports::Producer;

use crate::archive;
use crate::cli::ReplayArgs;
use crate::pipeline::Pipeline;

/// Records that go to the log together: one sync pays for all of them.
const CHUNK_RECORDS: usize = 5_000;

/// Rebuilds a new data folder from an archive.
pub(crate) fn replay(args: &ReplayArgs) -> anyhow::Result<()> {
    if args.data_dir.exists() {
        bail!("{} exists already: replay rebuilds into a new folder", args.data_dir.display());
    }
    let records = rebuild(&args.from, &args.data_dir, args.shards)?;
    anstream::eprintln!("{records} records replayed into {}", args.data_dir.display());
    Ok(())
}

/// Puts every record of the archive in `from` through a pipeline in `data_dir`. Returns how many there were.
pub(super) fn rebuild(from: &Path, data_dir: &Path, shards: Option<u32>) -> anyhow::Result<u64> {
    let pipeline = Pipeline::open(data_dir, shards)?;
    let append = async |chunk| Ok(pipeline.store().append(chunk).await?);
    let records = pipeline
        .block_on(archive::send_records(from, CHUNK_RECORDS, append))
        .with_context(|| format!("reading the archive in {}", from.display()))?;
    pipeline.finish()?;
    Ok(records)
}
