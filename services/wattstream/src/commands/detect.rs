//! `wattstream detect`: the engine's detector over files, for benchmarks and for trying out.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use anyhow::Context;
use serde::Deserialize;
use wattstream_domain::{
    Outcome, Position, Reading, Record, Score, SequenceNumber, ShardId, SiteFold, SiteId, SiteRows, SiteState,
};
use wattstream_wire::decode_reading;

use crate::cli::DetectArgs;
use crate::input::{Input, Progress};

/// The score of a line that no rule needs to look at.
const REJECTED_SCORE: Score = Score::MAX;

/// The fields that name a line in the output, as they were written.
#[derive(Default, Deserialize)]
struct Names {
    #[serde(default)]
    site_id: String,
    #[serde(default)]
    timestamp: String,
}

/// Writes `site_id,timestamp,score,flag,rule` for every line, in the order of the input. Repeated readings and rejected
/// lines are flagged too: they are what the first rules of every meter data system look for.
pub(crate) fn detect(args: &DetectArgs) -> anyhow::Result<()> {
    let progress = Progress::over(&args.files);
    let mut output = csv::Writer::from_writer(create(args)?);
    output.write_record(["site_id", "timestamp", "score", "flag", "rule"])?;
    let mut sites: HashMap<SiteId, SiteFold> = HashMap::new();
    let mut sequence = 0;
    for file in &args.files {
        let mut input = Input::open(file, &progress)?;
        while let Some(line) = input.next_line()? {
            sequence += 1;
            progress.set_readings(sequence);
            let (score, rules) = match decode_reading(&line.payload) {
                Ok(reading) => judge(&mut sites, reading, sequence),
                Err(reject) => (REJECTED_SCORE, reject.reason.code().to_owned()),
            };
            let Names { site_id, timestamp } = serde_json::from_slice(&line.payload).unwrap_or_default();
            let flag = if rules.is_empty() { "0" } else { "1" };
            output.write_record([&site_id, &timestamp, &score.to_string(), flag, &rules])?;
        }
    }
    progress.finish();
    output.flush().context("writing the scores")
}

fn create(args: &DetectArgs) -> anyhow::Result<Box<dyn Write>> {
    if args.output.as_os_str() == "-" {
        return Ok(Box::new(io::stdout().lock()));
    }
    let file =
        File::create(&args.output).with_context(|| format!("cannot write {}", args.output.display()))?;
    Ok(Box::new(BufWriter::new(file)))
}

/// The score of a reading, and the names of the rules that flag it, joined by `+`; empty when none does.
fn judge(sites: &mut HashMap<SiteId, SiteFold>, reading: Reading, sequence: u64) -> (Score, String) {
    let Reading { site_id, timestamp, .. } = reading;
    let fold = sites
        .entry(site_id)
        .or_insert_with(|| SiteFold::new(SiteState::new(site_id), SiteRows::new(site_id)));
    let position = Position { shard: ShardId(0), sequence: SequenceNumber::from(sequence), sub_sequence: 0 };
    let (outcome, score) = fold.fold(&Record { position, reading });
    match outcome {
        Outcome::Duplicate => (Score::THRESHOLD, "duplicate".to_owned()),
        Outcome::Revision => (score.max(Score::THRESHOLD), "revision".to_owned()),
        Outcome::InOrder | Outcome::Late | Outcome::AlreadyFolded => {
            let rules: Vec<_> = fold.findings(timestamp).iter().map(|finding| finding.rule.name()).collect();
            (score, rules.join("+"))
        }
    }
}
