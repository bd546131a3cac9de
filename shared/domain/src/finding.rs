//! What detection says about a reading.
//!
//! A [`Score`] is an integer, so that it is the same on every platform; [`Score::THRESHOLD`] is where each rule begins
//! to flag, whatever the rule.

use std::fmt;

use crate::Energy;

/// A check of the metering world that a reading can fail. The order is the order in which findings are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// An energy below zero (negative consumption check).
    NegativeEnergy,
    /// An energy far beyond the site's decayed maximum (high/low limit; gross range).
    HighLimit,
    /// One value repeated for longer than the site ever does (repeated value; flat line).
    RepeatedValue,
    /// More time since the last reading than the site's own interval (missing quantity; gap check).
    MissingInterval,
}

impl Rule {
    /// Every rule, in order.
    pub const ALL: [Self; 4] =
        [Self::NegativeEnergy, Self::HighLimit, Self::RepeatedValue, Self::MissingInterval];

    /// The name that tables, alerts and queries use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NegativeEnergy => "negative_energy",
            Self::HighLimit => "high_limit",
            Self::RepeatedValue => "repeated_value",
            Self::MissingInterval => "missing_interval",
        }
    }

    /// The rule with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// Its place in [`Rule::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// How far the reading can still be used.
    pub const fn severity(self) -> Severity {
        match self {
            Self::NegativeEnergy | Self::HighLimit => Severity::Error,
            Self::RepeatedValue | Self::MissingInterval => Severity::Warning,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How far a reading with a finding can still be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Usable, worth a look.
    Warning,
    /// In need of a substitute.
    Error,
}

impl Severity {
    /// The name that tables, alerts and queries use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// How strongly a rule speaks, in thousandths of its threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(pub u32);

impl Score {
    /// Nothing to remark.
    pub const ZERO: Self = Self(0);
    /// From here on the rule flags.
    pub const THRESHOLD: Self = Self(1_000);
    /// The strongest that is told apart.
    pub const MAX: Self = Self(1_000_000);

    /// `measured` as a share of `threshold`, at most [`Score::MAX`]. A threshold of 0 or less gives no score.
    pub fn of(measured: i128, threshold: i128) -> Self {
        if threshold <= 0 || measured <= 0 {
            return Self::ZERO;
        }
        let thousandths = measured.saturating_mul(1_000) / threshold;
        Self(u32::try_from(thousandths).unwrap_or(u32::MAX).min(Self::MAX.0))
    }

    /// Whether the rule flags.
    pub fn is_flag(self) -> bool {
        self >= Self::THRESHOLD
    }
}

impl fmt::Display for Score {
    /// Multiples of the threshold: `1.250`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

/// Which energy of a reading is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// `energy_generated_kwh`.
    Generated,
    /// `energy_consumed_kwh`.
    Consumed,
}

impl Channel {
    /// Both, in the order of the reading.
    pub const ALL: [Self; 2] = [Self::Generated, Self::Consumed];

    /// The name that tables, alerts and queries use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Consumed => "consumed",
        }
    }
}

/// One remark about one reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check that it failed.
    pub rule: Rule,
    /// The energy that failed it; none when the rule is about time.
    pub channel: Option<Channel>,
    /// How clearly it failed.
    pub score: Score,
    /// The nearest energy that the rule would have let pass, when the rule knows one.
    pub expected: Option<Energy>,
}
