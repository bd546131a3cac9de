//! What there is in an account, by type of resource.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// What `inventory.py` has found.
#[derive(Debug, Deserialize)]
pub(crate) struct Inventory {
    /// The names of the resources of each type that is listed.
    resources: BTreeMap<String, BTreeSet<String>>,
    /// Types that have no list of their own, because they come and go with another.
    parts: BTreeMap<String, String>,
}

impl Inventory {
    /// Makes sure that a list exists for each type, and that each list shows what was deployed: one that is blind would find
    /// nothing left over either.
    pub(crate) fn insist_on_each_of(&self, types: &BTreeSet<String>, before: &Self) {
        let mut blind = Vec::new();
        for kind in types {
            let listed = self.parts.get(kind).unwrap_or(kind);
            match self.resources.get(listed) {
                None => blind.push(format!("{kind} has no list: write one in inventory.py")),
                Some(names) if before.resources.get(listed) == Some(names) => {
                    blind.push(format!("{kind} is deployed, and its list is what it was before: {names:?}"));
                }
                Some(_) => {}
            }
        }
        assert!(blind.is_empty(), "{}", blind.join("\n"));
    }

    /// Makes sure that nothing is there but what was there before, and what is declared to be kept.
    pub(crate) fn insist_on_nothing_but(&self, before: &Self, kept: &BTreeSet<String>) {
        let mut left = Vec::new();
        for (kind, names) in &self.resources {
            let was_there = before.resources.get(kind).cloned().unwrap_or_default();
            let is_declared = |name: &&String| kept.iter().any(|kept| names_the_same(kept, name));
            let new = names.difference(&was_there).filter(|name| !is_declared(name));
            left.extend(new.map(|name| format!("{kind} {name}")));
        }
        assert!(left.is_empty(), "cdk destroy has left behind:\n{}", left.join("\n"));
    }
}

/// CloudFormation knows a resource by its name, its ARN or its URL, whichever `Ref` gives.
fn names_the_same(physical_id: &str, name: &str) -> bool {
    physical_id == name
        || physical_id.ends_with(&format!(":{name}"))
        || physical_id.ends_with(&format!("/{name}"))
}

#[cfg(test)]
fn planted(names: &[&str]) -> Inventory {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    Inventory {
        resources: BTreeMap::from([("AWS::SQS::Queue".to_owned(), names)]),
        parts: BTreeMap::from([("AWS::SQS::QueuePolicy".to_owned(), "AWS::SQS::Queue".to_owned())]),
    }
}

#[test]
fn what_was_there_before_and_what_is_declared_may_be_left() {
    let kept = BTreeSet::from(["http://localhost:1/000000000000/kept".to_owned()]);
    planted(&["mine", "kept"]).insist_on_nothing_but(&planted(&["mine"]), &kept);
}

#[test]
#[should_panic(expected = "cdk destroy has left behind:\nAWS::SQS::Queue left")]
fn anything_else_that_is_left_is_named() {
    planted(&["mine", "left"]).insist_on_nothing_but(&planted(&["mine"]), &BTreeSet::new());
}

#[test]
#[should_panic(expected = "AWS::SQS::QueuePolicy is deployed, and its list is what it was before")]
fn a_list_that_shows_nothing_of_what_was_deployed_is_found_out() {
    let types = BTreeSet::from(["AWS::SQS::QueuePolicy".to_owned()]);
    planted(&["mine"]).insist_on_each_of(&types, &planted(&["mine"]));
}

#[test]
#[should_panic(expected = "AWS::Budgets::Budget has no list")]
fn a_type_that_nobody_lists_is_found_out() {
    let types = BTreeSet::from(["AWS::Budgets::Budget".to_owned()]);
    planted(&["mine", "new"]).insist_on_each_of(&types, &planted(&["mine"]));
}
