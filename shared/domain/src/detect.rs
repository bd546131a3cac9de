//! Detection: what is odd about a reading, given what its site usually does.
//!
//! [`Detector::judge`] looks, [`Detector::learn`] remembers; judging never changes the detector, so a late reading is
//! judged without being learned from. Everything is integer arithmetic over a state of constant size: the same log
//! gives the same findings on every platform. A flagged value is learned from slowly, so that a fault does not become
//! normal at once, yet a site that really changed is accepted in the end.
//!
//! Each rule is a type of its own with `judge` and `learn`; a new rule is a new type, a field here and a line in
//! [`Detector::judge`].

mod cadence;
mod high_limit;
mod repeated_value;

pub use cadence::Cadence;
pub use high_limit::HighLimit;
pub use repeated_value::RepeatedValue;

use crate::{Channel, Energy, Finding, Measure, Rule, Score};

/// How long a site is watched before rules that compare it with its own past begin to flag: most of a day, so that
/// a day's worth of backfill is enough.
pub const WARM_UP_MS: i64 = 20 * crate::HOUR_MS;

/// What is remembered of a site's habits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detector {
    /// How often it reports.
    pub cadence: Cadence,
    /// How long it has been watched, in milliseconds, up to [`WARM_UP_MS`].
    pub watched_ms: i64,
    /// The habits of its generation.
    pub generated: Meter,
    /// The habits of its consumption.
    pub consumed: Meter,
}

/// What is remembered of one energy channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    /// How high it goes.
    pub high_limit: HighLimit,
    /// How long it repeats itself.
    pub repeated_value: RepeatedValue,
}

/// What the rules say about one reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The rules that flag it, in the order of [`Rule::ALL`], at most one finding a rule.
    pub findings: Vec<Finding>,
    /// The strongest score of any rule, flagged or not.
    pub score: Score,
}

/// What one rule says about one value: how strongly, and the nearest value it would have let pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How strongly the rule speaks.
    pub score: Score,
    /// The nearest energy that would have passed, when the rule knows one.
    pub expected: Option<Energy>,
}

impl Detector {
    /// Judges a measure that came `elapsed_ms` after the newest reading before it; `None` when it is the site's first
    /// or out of order, where the rules about order have nothing to say.
    pub fn judge(&self, measure: &Measure, elapsed_ms: Option<i64>) -> Judgement {
        let mut judgement = Judgement::default();
        judgement.add(Rule::NegativeEnergy, worst(|c| negative_energy(c.of(measure), self.meter(c))));
        if self.is_warm() {
            judgement.add(Rule::HighLimit, worst(|c| self.meter(c).high_limit.judge(c.of(measure))));
        }
        if let Some(elapsed_ms) = elapsed_ms {
            if self.is_warm() {
                judgement
                    .add(Rule::RepeatedValue, worst(|c| self.meter(c).repeated_value.judge(c.of(measure))));
            }
            let verdict = Verdict { score: self.cadence.judge(elapsed_ms), expected: None };
            judgement.add(Rule::MissingInterval, (verdict, None));
        }
        judgement
    }

    /// Remembers an in-order measure and what was found in it.
    pub fn learn(&mut self, measure: &Measure, elapsed_ms: Option<i64>, findings: &[Finding]) {
        let elapsed_ms = elapsed_ms.unwrap_or(0);
        let is_warm = self.is_warm();
        for channel in Channel::ALL {
            let is_high = findings.iter().any(|f| f.rule == Rule::HighLimit && f.channel == Some(channel));
            let meter = self.meter_mut(channel);
            meter.high_limit.learn(channel.of(measure), elapsed_ms, is_high);
            meter.repeated_value.learn(channel.of(measure), is_warm);
        }
        if elapsed_ms > 0 {
            self.cadence.learn(elapsed_ms);
            self.watched_ms = (self.watched_ms + elapsed_ms.min(WARM_UP_MS)).min(WARM_UP_MS);
        }
    }

    fn is_warm(&self) -> bool {
        self.watched_ms >= WARM_UP_MS
    }

    fn meter(&self, channel: Channel) -> &Meter {
        match channel {
            Channel::Generated => &self.generated,
            Channel::Consumed => &self.consumed,
        }
    }

    fn meter_mut(&mut self, channel: Channel) -> &mut Meter {
        match channel {
            Channel::Generated => &mut self.generated,
            Channel::Consumed => &mut self.consumed,
        }
    }
}

impl Judgement {
    fn add(&mut self, rule: Rule, (verdict, channel): (Verdict, Option<Channel>)) {
        self.score = self.score.max(verdict.score);
        if verdict.score.is_flag() {
            self.findings.push(Finding { rule, channel, score: verdict.score, expected: verdict.expected });
        }
    }
}

impl Channel {
    /// This channel's energy of a measure.
    pub const fn of(self, measure: &Measure) -> Energy {
        match self {
            Self::Generated => measure.generated,
            Self::Consumed => measure.consumed,
        }
    }
}

/// The channel that fails a rule more clearly; generation when both are alike.
fn worst(judge: impl Fn(Channel) -> Verdict) -> (Verdict, Option<Channel>) {
    let (generated, consumed) = (judge(Channel::Generated), judge(Channel::Consumed));
    if consumed.score > generated.score {
        (consumed, Some(Channel::Consumed))
    } else {
        (generated, Some(Channel::Generated))
    }
}

/// Any energy below zero fails, the more clearly the larger it is beside what the meter usually shows.
fn negative_energy(energy: Energy, meter: &Meter) -> Verdict {
    if !energy.is_negative() {
        return Verdict::default();
    }
    let magnitude =
        Score::of(-i128::from(energy.milliwatt_hours()), i128::from(meter.high_limit.peak_milliwatt_hours));
    let score = Score((Score::THRESHOLD.0 + magnitude.0).min(Score::MAX.0));
    Verdict { score, expected: Some(Energy::ZERO) }
}

#[cfg(test)]
mod tests;
