//! Which requests have which fault.
//!
//! What must always hold: by chance, a fault is a function of the seed, the operation and the request's number among those of
//! its operation, so that what else runs beside changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use md5::{Digest, Md5};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::fault::{Fault, FaultKind};
use super::operation::Operation;

/// How long a slow answer takes by chance: long enough for many packets, short enough for many tests.
const SLOW_BODY: Duration = Duration::from_millis(200);

/// The longest that a short page is by chance.
const SHORT_PAGE_MAX: u32 = 5;

/// Of so many requests, a weight of a fault is the number that have it.
const REQUESTS: u32 = 1_000;

/// How often each kind of fault happens, in requests of a thousand.
///
/// ```
/// use wattstream_testkit::faulty_aws::{FaultKind, Weights};
///
/// // Each kind once in fifty requests, but no client is left waiting for its time limit.
/// let weights = Weights::each(20).with(FaultKind::SilenceAfter, 0);
/// # let _ = weights;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weights(BTreeMap<FaultKind, u32>);

impl Weights {
    /// No request fails.
    pub fn none() -> Self {
        Self::default()
    }

    /// Each kind of fault happens to so many requests of a thousand, of those that it can happen to.
    pub fn each(per_thousand: u32) -> Self {
        FaultKind::ALL.into_iter().fold(Self::none(), |weights, kind| weights.with(kind, per_thousand))
    }

    /// These weights, but that kind happens to so many requests of a thousand.
    pub fn with(mut self, kind: FaultKind, per_thousand: u32) -> Self {
        self.0.insert(kind, per_thousand);
        let sum: u32 = self.0.values().sum();
        assert!(
            sum <= REQUESTS,
            "{sum} of {REQUESTS} requests have a fault; lower the weights to {REQUESTS}"
        );
        self
    }

    /// The fault of request `number` of an operation, counted from 0, in the course that a seed stands for.
    pub fn fault(&self, seed: u64, operation: &Operation, number: u64) -> Option<Fault> {
        let mut random = random_of(seed, operation, number);
        let kind = self.kind_at(random.random_range(0..REQUESTS))?;
        let fault = match kind {
            FaultKind::Throttled => Fault::Throttled,
            FaultKind::Unavailable => Fault::Unavailable,
            FaultKind::ErrorBefore => Fault::ErrorBefore,
            FaultKind::ErrorAfter => Fault::ErrorAfter,
            FaultKind::ResetBefore => Fault::ResetBefore,
            FaultKind::ResetAfter => Fault::ResetAfter,
            FaultKind::SilenceAfter => Fault::SilenceAfter,
            FaultKind::CutBody => Fault::CutBody,
            FaultKind::SlowBody => Fault::SlowBody { over: SLOW_BODY },
            FaultKind::Partial => Fault::Partial { taken: random.random() },
            FaultKind::EveryEntry => Fault::Partial { taken: 0 },
            FaultKind::ShortPage => Fault::ShortPage { limit: random.random_range(1..=SHORT_PAGE_MAX) },
            FaultKind::ExpiredIterator => Fault::ExpiredIterator,
        };
        kind.applies_to(operation).then_some(fault)
    }

    /// The kind that a number below a thousand stands for.
    fn kind_at(&self, mut drawn: u32) -> Option<FaultKind> {
        for (kind, weight) in &self.0 {
            match drawn.checked_sub(*weight) {
                None => return Some(*kind),
                Some(left) => drawn = left,
            }
        }
        None
    }
}

/// Which requests fail.
#[derive(Debug, Default)]
pub(super) enum Plan {
    #[default]
    None,
    Script(BTreeMap<(Operation, u64), Fault>),
    Chance {
        seed: u64,
        weights: Weights,
    },
}

impl Plan {
    /// The fault of request `number` of an operation, counted from 0.
    pub(super) fn fault(&self, operation: &Operation, number: u64) -> Option<Fault> {
        match self {
            Self::None => None,
            Self::Script(faults) => faults.get(&(operation.clone(), number)).copied(),
            Self::Chance { seed, weights } => weights.fault(*seed, operation, number),
        }
    }
}

fn random_of(seed: u64, operation: &Operation, number: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&number.to_le_bytes());
    key[16..].copy_from_slice(&Md5::digest(operation.to_string()));
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seed: u64, weights: Weights) -> Plan {
        Plan::Chance { seed, weights }
    }

    fn faults(plan: &Plan, operation: &Operation) -> Vec<Option<Fault>> {
        (0..2_000).map(|number| plan.fault(operation, number)).collect()
    }

    #[test]
    fn chance_is_a_function_of_seed_operation_and_number() {
        let all = faults(&plan(1, Weights::each(50)), &Operation::PUT_RECORDS);
        assert_eq!(all, faults(&plan(1, Weights::each(50)), &Operation::PUT_RECORDS));
        assert_ne!(all, faults(&plan(2, Weights::each(50)), &Operation::PUT_RECORDS));
        assert_ne!(all, faults(&plan(1, Weights::each(50)), &Operation::SEND_MESSAGE_BATCH));
    }

    #[test]
    fn a_fault_happens_about_as_often_as_its_weight_says() {
        let weights = Weights::none().with(FaultKind::Throttled, 100).with(FaultKind::CutBody, 300);
        let all = faults(&plan(7, weights), &Operation::QUERY);
        let count = |fault| all.iter().filter(|drawn| **drawn == fault).count();
        assert!((150..=250).contains(&count(Some(Fault::Throttled))), "{all:?}");
        assert!((500..=700).contains(&count(Some(Fault::CutBody))), "{all:?}");
        assert_eq!(count(None) + count(Some(Fault::Throttled)) + count(Some(Fault::CutBody)), all.len());
    }

    #[test]
    fn a_kind_of_weight_zero_never_happens_and_nothing_happens_to_what_it_cannot_happen_to() {
        let weights = Weights::each(70).with(FaultKind::SilenceAfter, 0);
        let all = faults(&plan(3, weights), &Operation::PUT_ITEM);
        let cannot = |fault: &Fault| {
            matches!(
                fault,
                Fault::SilenceAfter
                    | Fault::Partial { .. }
                    | Fault::ShortPage { .. }
                    | Fault::ExpiredIterator
            )
        };
        assert!(!all.iter().flatten().any(cannot), "{all:?}");
        assert!(all.contains(&Some(Fault::SlowBody { over: SLOW_BODY })));
    }

    #[test]
    #[should_panic(expected = "lower the weights")]
    fn more_faults_than_requests_are_a_mistake() {
        let _ = Weights::each(200);
    }

    #[test]
    fn a_script_names_operations_and_numbers() {
        let script = Plan::Script(BTreeMap::from([((Operation::QUERY, 1), Fault::Throttled)]));
        let faults: Vec<_> = (0..3).map(|number| script.fault(&Operation::QUERY, number)).collect();
        assert_eq!(faults, [None, Some(Fault::Throttled), None]);
        assert_eq!(script.fault(&Operation::SCAN, 1), None);
    }
}
