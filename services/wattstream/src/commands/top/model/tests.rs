//! What the model says of the samples that it has seen.

use super::super::sample::{Finding, Fleet, Pipeline, Readiness, Shard};
use super::*;

/// A sample of a process at a second, which has read so many readings, with anomalies at these minutes, the newest first.
pub(in super::super) fn sample(at_s: u64, readings: u64, minutes: &[u32]) -> Sample {
    let shard = |id: &str, lag_ms, records| Shard { id: id.to_owned(), lag_ms, records };
    let shards = vec![
        shard("shardId-000000000000", 4, readings / 2),
        shard("shardId-000000000001", 1_520, readings - readings / 2),
    ];
    Sample {
        at: Duration::from_secs(at_s),
        fleet: Fleet { sites: 12, readings: readings + 3_456, anomalies: 7 },
        pipeline: Part::There(Pipeline { records: readings + 5, rejected: 5, silent_sites: 1, shards }),
        readiness: Readiness { is_ready: true, detail: "stream: the slowest shard is 4 ms behind".into() },
        dead_letters: Part::There(5),
        anomalies: minutes.iter().map(|&minute| anomaly(minute)).collect(),
    }
}

/// What an API on AWS says.
pub(in super::super) fn sample_on_aws(at_s: u64, readings: u64) -> Sample {
    Sample {
        pipeline: Part::Absent,
        dead_letters: Part::Absent,
        readiness: Readiness { is_ready: true, detail: "tables: answer; stream: takes records".into() },
        ..sample(at_s, readings, &[5])
    }
}

fn anomaly(minute: u32) -> Anomaly {
    Anomaly {
        site_id: format!("site-{minute:02}"),
        timestamp: format!("2025-06-20T10:{minute:02}:00.000Z"),
        energy_generated_kwh: -1.25,
        energy_consumed_kwh: 0.5,
        findings: vec![Finding { rule: "negative_energy".into(), score: 2.5 }],
    }
}

fn model(events: impl IntoIterator<Item = Event>) -> Model {
    let mut model = Model::new("http://127.0.0.1:8080");
    events.into_iter().for_each(|event| model.evolve(event));
    model
}

#[test]
fn a_rate_is_what_came_between_two_samples() {
    let two = model([Event::Sampled(sample(0, 100, &[])), Event::Sampled(sample(2, 150, &[]))]);
    assert_eq!(two.rates, [25.0]);
    let rates: Vec<_> = two.shards.iter().map(|shard| shard.records_per_s).collect();
    assert_eq!(rates, [Some(12.5), Some(12.5)]);
    assert_eq!(model([Event::Sampled(sample(0, 100, &[]))]).rate, None);
}

#[test]
fn without_metrics_the_rate_is_that_of_the_tables() {
    let two = model([Event::Sampled(sample_on_aws(0, 100)), Event::Sampled(sample_on_aws(5, 200))]);
    assert_eq!((two.rate, two.shards.len()), (Some(20.0), 0));
}

#[test]
fn a_process_that_began_anew_has_no_rate_until_its_second_sample() {
    let mut model = model([Event::Sampled(sample(0, 100, &[])), Event::Sampled(sample(1, 3, &[]))]);
    assert_eq!(model.rate, None);
    assert!(model.shards.iter().all(|shard| shard.records_per_s.is_none()));
    model.evolve(Event::Sampled(sample(2, 13, &[])));
    assert_eq!(model.rate, Some(10.0));
}

#[test]
fn a_miss_keeps_what_was_seen_and_the_next_sample_ends_it() {
    let mut model = model([Event::Sampled(sample(0, 100, &[])), Event::Missed("no answer".into())]);
    assert!(model.missed.is_some() && model.sample.is_some());
    model.evolve(Event::Sampled(sample(4, 500, &[])));
    assert_eq!((model.missed.is_none(), model.rate), (true, Some(100.0)));
}

#[test]
fn a_pause_holds_everything_still() {
    let mut model = model([Event::Sampled(sample(0, 100, &[])), Event::Key(Key::Pause)]);
    model.evolve(Event::Sampled(sample(1, 200, &[1])));
    model.evolve(Event::Missed("no answer".into()));
    assert!(model.rates.is_empty() && model.anomalies().is_empty() && model.missed.is_none());
    model.evolve(Event::Key(Key::Pause));
    model.evolve(Event::Sampled(sample(4, 500, &[1])));
    assert_eq!(model.rate, Some(100.0));
}

#[test]
fn the_mark_stays_on_its_anomaly_while_newer_ones_come_and_never_leaves_the_list() {
    let mut model = model([Event::Sampled(sample(0, 1, &[3, 2, 1])), Event::Key(Key::Down(1))]);
    model.evolve(Event::Sampled(sample(1, 2, &[5, 4, 3, 2, 1])));
    assert_eq!(model.anomalies()[model.selected].site_id, "site-02");
    model.evolve(Event::Key(Key::Down(9)));
    assert_eq!(model.selected, 4);
    model.evolve(Event::Sampled(sample(2, 3, &[6])));
    assert_eq!(model.selected, 0);
    // The newest stays the newest.
    model.evolve(Event::Sampled(sample(3, 4, &[7, 6])));
    model.evolve(Event::Key(Key::Up(3)));
    assert_eq!(model.selected, 0);
}

#[test]
fn no_more_rates_are_kept_than_a_screen_can_show() {
    let samples = (0..RATES_MAX as u64 + 10).map(|second| Event::Sampled(sample(second, second * 2, &[])));
    assert_eq!(model(samples).rates.len(), RATES_MAX);
}
