//! `top` where there is no terminal: a line a sample on stdout, for logs and programs. A process that is away is told of on
//! stderr, once until it is back; in JSON each line says whether it is.

use std::io::{self, Write};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::model::{Event, Model};
use super::sample::{DEAD_LETTERS_COUNTED_MAX, Sampler};
use crate::cli::Format;

/// The columns of a CSV line.
const COLUMNS: &[&str] =
    &["sites", "readings", "readings_per_s", "lag_ms", "anomalies", "rejected", "dead_letters", "is_ready"];

/// Prints until the reader of stdout has had enough.
pub(super) fn run(sampler: &Sampler, every: Duration, format: Format) -> anyhow::Result<()> {
    let mut model = Model::new(sampler.target());
    let mut out = anstream::stdout();
    if format == Format::Csv {
        writeln!(out, "{}", COLUMNS.join(","))?;
    }
    loop {
        let next = Instant::now() + every;
        let was_away = model.missed.is_some();
        model.evolve(match sampler.take() {
            Ok(sample) => Event::Sampled(sample),
            Err(error) => Event::Missed(error.to_string()),
        });
        match (&model.missed, was_away) {
            (Some(why), false) => anstream::eprintln!("{why}; asking again every {} s", every.as_secs_f64()),
            (None, true) => anstream::eprintln!("{} answers again", model.target),
            _ => {}
        }
        write_line(&mut out, &model, format)?;
        sleep(next.saturating_duration_since(Instant::now()));
    }
}

fn write_line(out: &mut impl Write, model: &Model, format: Format) -> io::Result<()> {
    let figures = figures(model);
    match (format, &model.missed) {
        (Format::Json, _) => writeln!(out, "{figures}")?,
        (_, Some(_)) => {}
        (Format::Csv, None) => {
            let cells: Vec<_> = COLUMNS.iter().map(|column| text(&figures[*column])).collect();
            writeln!(out, "{}", cells.join(","))?;
        }
        (Format::Table, None) => writeln!(out, "{}", sentence(&figures))?,
    }
    out.flush()
}

/// The newest sample as an object; what is not known is null.
fn figures(model: &Model) -> Value {
    let sample = model.sample.as_ref().filter(|_| model.missed.is_none());
    let pipeline = sample.and_then(|sample| sample.pipeline.there());
    let shards = pipeline.map(|_| {
        let shard = |shard: &super::model::ShardRate| {
            json!({ "id": shard.id, "lag_ms": shard.lag_ms, "records_per_s": shard.records_per_s })
        };
        model.shards.iter().map(shard).collect::<Vec<_>>()
    });
    json!({
        "error": model.missed,
        "is_ready": sample.map(|sample| sample.readiness.is_ready),
        "sites": sample.map(|sample| sample.fleet.sites),
        "readings": sample.map(|sample| sample.fleet.readings),
        "readings_per_s": sample.and(model.rate),
        "anomalies": sample.map(|sample| sample.fleet.anomalies),
        "lag_ms": pipeline.map(super::sample::Pipeline::lag_ms),
        "rejected": pipeline.map(|pipeline| pipeline.rejected),
        "dead_letters": sample.and_then(|sample| sample.dead_letters.there()),
        "shards": shards,
    })
}

fn sentence(figures: &Value) -> String {
    let known = |name: &str, words: &str| match &figures[name] {
        Value::Null => None,
        value => Some(format!("{}{words}", text(value))),
    };
    let rate = figures["readings_per_s"].as_f64().map(|rate| format!("{rate:.1}/s"));
    let letters = figures["dead_letters"].as_u64().map(|letters| {
        format!("{} dead letters", super::view::at_most(letters, DEAD_LETTERS_COUNTED_MAX as u64))
    });
    let lag = figures["lag_ms"].as_u64().map(|lag_ms| format!("lag {lag_ms} ms"));
    let parts = [
        known("sites", " sites"),
        known("readings", " readings"),
        rate,
        known("anomalies", " anomalies"),
        lag,
        known("rejected", " rejected"),
        letters,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::tests::{sample, sample_on_aws};
    use super::*;

    fn line(events: impl IntoIterator<Item = Event>, format: Format) -> String {
        let mut model = Model::new("http://127.0.0.1:8080");
        events.into_iter().for_each(|event| model.evolve(event));
        let mut out = Vec::new();
        write_line(&mut out, &model, format).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn two() -> [Event; 2] {
        [Event::Sampled(sample(0, 100, &[])), Event::Sampled(sample(2, 150, &[]))]
    }

    #[test]
    fn a_line_has_what_is_known_and_leaves_out_what_is_not() {
        assert_eq!(
            line(two(), Format::Table),
            "12 sites  3606 readings  25.0/s  7 anomalies  lag 1520 ms  5 rejected  5 dead letters\n"
        );
        let first = line([Event::Sampled(sample_on_aws(0, 10))], Format::Table);
        assert_eq!(first, "12 sites  3466 readings  7 anomalies\n");
        assert_eq!(line(two(), Format::Csv), "12,3606,25.0,1520,7,5,5,true\n");
    }

    #[test]
    fn in_json_a_process_that_is_away_is_a_line_with_the_error_and_no_stale_figures() {
        let events = two().into_iter().chain([Event::Missed("no answer".into())]);
        let away: Value = serde_json::from_str(&line(events, Format::Json)).unwrap();
        assert_eq!((&away["error"], &away["sites"]), (&json!("no answer"), &Value::Null));
        let there: Value = serde_json::from_str(&line(two(), Format::Json)).unwrap();
        assert_eq!(there["shards"][1]["records_per_s"], json!(12.5));
        assert_eq!(line(two().into_iter().chain([Event::Missed("x".into())]), Format::Table), "");
    }
}
