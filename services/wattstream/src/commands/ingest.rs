//! `wattstream ingest`: files of readings into a data folder, or into a running process.

use std::path::Path;

use anyhow::{Context, anyhow};
use bytes::Bytes;
use serde::Deserialize;
use wattstream_embedded::OpenError;
use wattstream_engine::ports::NewRecord;
use wattstream_wire::decode_reading;

use crate::cli::{IngestArgs, URL_DEFAULT};
use crate::client::Client;
use crate::input::{Input, Line, Progress};
use crate::pipeline::{Pipeline, UNREADABLE_KEY};

/// Lines that go to the log together: one sync pays for all of them.
const CHUNK_LINES: usize = 5_000;
/// Bytes that go to the log together, well below the most that a request may have.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// Rejected lines that are named one by one; the rest is counted.
const REJECTS_NAMED_MAX: u64 = 20;

/// Reads files and puts every line on the stream. A line that is no reading is named and set aside.
pub(crate) fn ingest(args: &IngestArgs) -> anyhow::Result<()> {
    let progress = Progress::over(&args.files);
    let mut tally = Tally { progress: progress.clone(), accepted: 0, rejected: 0 };
    if args.url.is_some() || args.access.stack.is_some() {
        let client = Client::new(args.url.as_deref().unwrap_or(URL_DEFAULT), &args.access)?;
        each_chunk(args, &mut tally, |chunk| post(&client, chunk))?;
    } else {
        let pipeline = Pipeline::open(&args.data_dir, args.shards).map_err(hint_at_url)?;
        each_chunk(args, &mut tally, |chunk| pipeline.append(chunk))?;
        progress.print("Waiting until everything is in the tables and the archive.");
        pipeline.finish()?;
    }
    progress.finish();
    tally.report(args);
    Ok(())
}

/// A folder in use is most often that of a running process, which takes readings itself.
fn hint_at_url(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref() {
        Some(OpenError::InUse { .. }) => {
            anyhow!("{error}\nhint: a running wattstream takes readings with --url {URL_DEFAULT}")
        }
        _ => error,
    }
}

fn each_chunk(
    args: &IngestArgs,
    tally: &mut Tally,
    mut send: impl FnMut(Vec<NewRecord>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (mut chunk, mut chunk_bytes) = (Vec::with_capacity(CHUNK_LINES), 0);
    for file in &args.files {
        let mut input = Input::open(file, &tally.progress)?;
        while let Some(line) = input.next_line()? {
            chunk_bytes += line.payload.len();
            chunk.push(tally.count(file, line));
            if chunk.len() == CHUNK_LINES || chunk_bytes >= CHUNK_BYTES {
                send(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_LINES)))?;
                chunk_bytes = 0;
            }
        }
    }
    if chunk.is_empty() { Ok(()) } else { send(chunk) }
}

#[derive(Deserialize)]
struct Accepted {}

fn post(client: &Client, chunk: Vec<NewRecord>) -> anyhow::Result<()> {
    let mut body = Vec::new();
    for record in chunk {
        body.extend_from_slice(&record.data);
        body.push(b'\n');
    }
    let Accepted {} =
        client.post("/readings", &[], "application/x-ndjson", &body).context("sending readings")?;
    Ok(())
}

/// What has been read so far.
struct Tally {
    progress: Progress,
    accepted: u64,
    rejected: u64,
}

impl Tally {
    /// Looks at a line, names it when it is no reading, and makes it a record in any case: the consumer sets aside what
    /// it cannot read, and the archive keeps every byte.
    fn count(&mut self, file: &Path, line: Line) -> NewRecord {
        let partition_key = match decode_reading(&line.payload) {
            Ok(reading) => {
                self.accepted += 1;
                reading.site_id.to_string()
            }
            Err(reject) => {
                self.rejected += 1;
                if self.rejected <= REJECTS_NAMED_MAX {
                    let (file, line, code) = (file.display(), line.number, reject.reason.code());
                    self.progress.print(&format!("{file}:{line}: {code}: {reject}"));
                }
                UNREADABLE_KEY.to_owned()
            }
        };
        self.progress.set_readings(self.accepted);
        NewRecord { partition_key, data: Bytes::from(line.payload) }
    }

    fn report(&self, args: &IngestArgs) {
        let Self { accepted, rejected, .. } = self;
        if *rejected > REJECTS_NAMED_MAX {
            anstream::eprintln!("and {} more rejected lines", rejected - REJECTS_NAMED_MAX);
        }
        let place = args.url.clone().unwrap_or_else(|| args.data_dir.display().to_string());
        anstream::eprintln!("{accepted} readings accepted, {rejected} lines rejected, into {place}");
        if *rejected > 0 {
            anstream::eprintln!(
                "hint: wattstream dead-letters list shows the rejected lines of a running process"
            );
        }
    }
}
