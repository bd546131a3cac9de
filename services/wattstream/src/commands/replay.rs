//! `wattstream replay`: every table, rebuilt from the raw bytes of an archive.

use std::path::Path;

use anyhow::{Context, bail};

use wattstream_engine::ports::Producer;

use crate::archive::{self, Listed};
use crate::cli::ReplayArgs;
use crate::pipeline::Pipeline;

/// Records that go to the log together: one sync pays for all of them.
const CHUNK_RECORDS: usize = 5_000;

/// Rebuilds a new data folder from an archive.
pub(crate) fn replay(args: &ReplayArgs) -> anyhow::Result<()> {
    if args.data_dir.exists() {
        bail!("{} exists already: replay rebuilds into a new folder", args.data_dir.display());
    }
    // Nothing is made for an archive that is not there.
    let archive = Listed::new(archive::open(&args.from)?)
        .with_context(|| format!("listing the archive in {}", args.from))?;
    if archive.is_empty() {
        bail!("{} holds no archive: --from names the folder that holds raw/", args.from);
    }
    let rebuilt = rebuild(&archive, &args.data_dir, args.shards);
    let records = rebuilt.with_context(|| format!("reading the archive in {}", args.from))?;
    anstream::eprintln!("{records} records replayed into {}", args.data_dir.display());
    Ok(())
}

/// Puts every record of an archive through a pipeline in `data_dir`. Returns how many there were.
pub(super) fn rebuild(archive: &Listed, data_dir: &Path, shards: Option<u32>) -> anyhow::Result<u64> {
    let pipeline = Pipeline::open(data_dir, shards)?;
    let append = async |chunk| Ok(pipeline.store().append(chunk).await?);
    let records = pipeline.block_on(archive::send_records(archive, CHUNK_RECORDS, append))?;
    pipeline.finish()?;
    Ok(records)
}
