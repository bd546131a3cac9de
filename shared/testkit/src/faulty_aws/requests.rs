//! What was asked, in the order of its arrival, and what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

use bytes::Bytes;

use super::fault::FaultKind;
use super::operation::Operation;

/// One request of a client. A client that tries again makes another.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it asked for.
    pub operation: Operation,
    /// Its body, as the client sent it: what a test counts and measures.
    pub body: Bytes,
    /// How many entries it has; one when it is no batch.
    pub entries: usize,
    /// How many of its entries the service behind was asked for: all of them, a part of a batch, or none.
    pub forwarded: usize,
    /// What went wrong with it.
    pub fault: Option<FaultKind>,
    /// The status that the client was answered with; none when it was left without an answer, or still is.
    pub status: Option<u16>,
}

/// A place between two requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub(super) usize);

impl Mark {
    /// Before the first request.
    pub const START: Self = Self(0);
}

/// Some requests, in the order of their arrival.
#[derive(Clone, Debug, Default)]
pub struct Requests(pub Vec<Request>);

impl Requests {
    /// Those of one operation.
    pub fn of<'a>(&'a self, operation: &'a Operation) -> impl Iterator<Item = &'a Request> {
        self.0.iter().filter(move |request| request.operation == *operation)
    }

    /// How many there are of an operation.
    pub fn count(&self, operation: &Operation) -> usize {
        self.of(operation).count()
    }

    /// How many there are of each operation.
    pub fn counts(&self) -> BTreeMap<Operation, usize> {
        let mut counts = BTreeMap::new();
        for request in &self.0 {
            *counts.entry(request.operation.clone()).or_default() += 1;
        }
        counts
    }

    /// The bytes of all bodies.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|request| request.body.len()).sum()
    }

    /// Which faults they had.
    pub fn coverage(&self) -> Coverage {
        let mut coverage = Coverage::default();
        for request in &self.0 {
            coverage.operations.insert(request.operation.clone());
            if let Some(fault) = request.fault {
                *coverage.fired.entry((fault, request.operation.clone())).or_default() += 1;
            }
        }
        coverage
    }
}

/// Which kinds of fault have happened to which operations.
///
/// It prints as a table for the output of a test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    operations: BTreeSet<Operation>,
    fired: BTreeMap<(FaultKind, Operation), u64>,
}

impl Coverage {
    /// How often that happened to this operation.
    pub fn fired(&self, kind: FaultKind, operation: &Operation) -> u64 {
        self.fired.get(&(kind, operation.clone())).copied().unwrap_or(0)
    }

    /// What could have happened to these operations and has not. A test that demands all of it compares with nothing.
    pub fn missing<'a>(
        &self,
        operations: impl IntoIterator<Item = &'a Operation>,
    ) -> Vec<(FaultKind, Operation)> {
        let pairs = operations.into_iter().flat_map(|operation| {
            let kinds = FaultKind::ALL.into_iter().filter(|kind| kind.applies_to(operation));
            kinds.map(|kind| (kind, operation.clone()))
        });
        pairs.filter(|pair| !self.fired.contains_key(pair)).collect()
    }

    /// The kinds that could have happened to any of the operations that were asked for, and have happened to none.
    pub fn kinds_missing(&self) -> Vec<FaultKind> {
        let could_happen =
            |kind: &FaultKind| self.operations.iter().any(|operation| kind.applies_to(operation));
        let has_fired = |kind: FaultKind| self.fired.keys().any(|(fired, _)| *fired == kind);
        FaultKind::ALL.into_iter().filter(could_happen).filter(|kind| !has_fired(*kind)).collect()
    }
}

impl Display for Coverage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for ((kind, operation), times) in &self.fired {
            writeln!(f, "{times:6} {operation:30} {kind:?}", operation = operation.to_string())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faulty_aws::operation::Service;

    fn request(operation: Operation, fault: Option<FaultKind>) -> Request {
        Request { operation, body: Bytes::from_static(b"{}"), entries: 1, forwarded: 1, fault, status: None }
    }

    #[test]
    fn requests_are_counted_by_operation() {
        let requests = Requests(vec![
            request(Operation::QUERY, None),
            request(Operation::PUT_RECORDS, None),
            request(Operation::QUERY, None),
        ]);
        assert_eq!(requests.count(&Operation::QUERY), 2);
        let counts = BTreeMap::from([(Operation::QUERY, 2), (Operation::PUT_RECORDS, 1)]);
        assert_eq!(requests.counts(), counts);
        assert_eq!(requests.bytes(), 6);
    }

    #[test]
    fn coverage_knows_what_is_missing_and_what_cannot_happen() {
        let publish = Operation::new(Service::Sns, "Publish");
        let kinds = FaultKind::ALL.into_iter().filter(|kind| kind.applies_to(&publish));
        let mut requests: Vec<_> = kinds.map(|kind| request(publish.clone(), Some(kind))).collect();
        let all = Requests(requests.clone()).coverage();
        assert_eq!(all.missing([&publish]), []);
        assert_eq!(all.kinds_missing(), []);
        assert_eq!(all.fired(FaultKind::CutBody, &publish), 1);

        requests.retain(|request| request.fault != Some(FaultKind::CutBody));
        requests.push(request(Operation::PUT_RECORDS, None));
        let some = Requests(requests).coverage();
        assert_eq!(some.missing([&publish]), [(FaultKind::CutBody, publish)]);
        assert_eq!(some.kinds_missing(), [FaultKind::CutBody, FaultKind::Partial, FaultKind::EveryEntry]);
    }
}
