//! What is shown, and how it changes. What must always hold: it is pure: no clock, no terminal, no network; a rate is that
//! between two samples, and there is none across a restart of the process.

use std::collections::VecDeque;
use std::time::Duration;

use super::sample::{Anomaly, Part, Sample};

/// How many rates are kept: more than any terminal is wide.
const RATES_MAX: usize = 512;

/// What happened.
#[derive(Debug)]
pub(super) enum Event {
    Sampled(Sample),
    /// Nobody answered, or not what was asked; why.
    Missed(String),
    Key(Key),
}

/// What somebody asked for with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Pause,
    Help,
    /// By so many anomalies.
    Down(usize),
    Up(usize),
    First,
    Last,
}

/// Records a second, for what the view shows of a shard.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ShardRate {
    pub(super) id: String,
    pub(super) lag_ms: u64,
    pub(super) records_per_s: Option<f64>,
}

/// Everything that is shown.
#[derive(Debug)]
pub(super) struct Model {
    /// Where the figures are from.
    pub(super) target: String,
    pub(super) sample: Option<Sample>,
    /// Why the newest question has no answer, when it has none.
    pub(super) missed: Option<String>,
    /// Readings a second between the two newest samples.
    pub(super) rate: Option<f64>,
    /// Those of the past, the newest last.
    pub(super) rates: VecDeque<f64>,
    pub(super) shards: Vec<ShardRate>,
    /// The anomaly that is marked, by its place in the list.
    pub(super) selected: usize,
    pub(super) is_paused: bool,
    pub(super) is_help_open: bool,
}

impl Model {
    pub(super) fn new(target: &str) -> Self {
        Self {
            target: target.to_owned(),
            sample: None,
            missed: None,
            rate: None,
            rates: VecDeque::new(),
            shards: Vec::new(),
            selected: 0,
            is_paused: false,
            is_help_open: false,
        }
    }

    /// The model after an event.
    pub(super) fn evolve(&mut self, event: Event) {
        match event {
            // What is looked at stands still; the next sample after the pause has the rate over all of it.
            Event::Sampled(_) | Event::Missed(_) if self.is_paused => {}
            Event::Sampled(sample) => self.take(sample),
            Event::Missed(why) => self.missed = Some(why),
            Event::Key(key) => self.press(key),
        }
    }

    /// The newest anomalies that are known.
    pub(super) fn anomalies(&self) -> &[Anomaly] {
        self.sample.as_ref().map_or(&[], |sample| &sample.anomalies)
    }

    fn take(&mut self, sample: Sample) {
        let before = self.sample.take();
        self.rate = before
            .as_ref()
            .and_then(|before| rate(readings(before), readings(&sample), elapsed(before, &sample)));
        self.rates.extend(self.rate);
        self.rates.drain(..self.rates.len().saturating_sub(RATES_MAX));
        self.shards = shard_rates(before.as_ref(), &sample);
        self.selected = self.place_of_selected(before.as_ref(), &sample);
        self.sample = Some(sample);
        self.missed = None;
    }

    /// The marked anomaly stays marked when newer ones push it down; the newest stays the newest.
    fn place_of_selected(&self, before: Option<&Sample>, sample: &Sample) -> usize {
        let marked =
            before.and_then(|before| before.anomalies.get(self.selected)).filter(|_| self.selected > 0);
        let same = |marked: &Anomaly| {
            sample.anomalies.iter().position(|anomaly| {
                anomaly.site_id == marked.site_id && anomaly.timestamp == marked.timestamp
            })
        };
        let last = sample.anomalies.len().saturating_sub(1);
        marked.and_then(same).unwrap_or(self.selected).min(last)
    }

    fn press(&mut self, key: Key) {
        let last = self.anomalies().len().saturating_sub(1);
        match key {
            Key::Pause => self.is_paused = !self.is_paused,
            Key::Help => self.is_help_open = !self.is_help_open,
            Key::Down(by) => self.selected = (self.selected + by).min(last),
            Key::Up(by) => self.selected = self.selected.saturating_sub(by),
            Key::First => self.selected = 0,
            Key::Last => self.selected = last,
        }
    }
}

/// How many readings had been processed: by the consumer's own count where there is one, otherwise by the tables.
fn readings(sample: &Sample) -> u64 {
    sample
        .pipeline
        .there()
        .map_or(sample.fleet.readings, |pipeline| pipeline.records - pipeline.rejected.min(pipeline.records))
}

fn elapsed(before: &Sample, sample: &Sample) -> Duration {
    sample.at.saturating_sub(before.at)
}

/// What was counted a second; none when the counter began anew, as it does with the process.
#[expect(clippy::cast_precision_loss, reason = "a rate is for people")]
fn rate(before: u64, now: u64, elapsed: Duration) -> Option<f64> {
    let more = now.checked_sub(before)?;
    (!elapsed.is_zero()).then(|| more as f64 / elapsed.as_secs_f64())
}

fn shard_rates(before: Option<&Sample>, sample: &Sample) -> Vec<ShardRate> {
    let Part::There(pipeline) = &sample.pipeline else { return Vec::new() };
    let shard_before = |id: &str| {
        let before = before?;
        let shard = before.pipeline.there()?.shards.iter().find(|shard| shard.id == id)?;
        Some((shard.records, elapsed(before, sample)))
    };
    pipeline
        .shards
        .iter()
        .map(|shard| ShardRate {
            id: shard.id.clone(),
            lag_ms: shard.lag_ms,
            records_per_s: shard_before(&shard.id)
                .and_then(|(records, elapsed)| rate(records, shard.records, elapsed)),
        })
        .collect()
}

#[cfg(test)]
#[path = "model/tests.rs"]
pub(super) mod tests;
