//! The manifests of our own crates, as `cargo metadata` reads them.

use anyhow::Context;
use serde::Deserialize;

use crate::workspace::{Workspace, output};

/// Our crates and what each names as a dependency.
#[derive(Deserialize)]
pub(crate) struct Manifests {
    packages: Vec<Manifest>,
}

#[derive(Deserialize)]
struct Manifest {
    name: String,
    dependencies: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    /// `dev`, `build`, or null for the ordinary ones.
    kind: Option<String>,
}

/// That one crate names another.
#[derive(Clone, Copy)]
pub(crate) struct Dependency<'a> {
    /// Ours.
    pub(crate) of: &'a str,
    /// The other.
    pub(crate) name: &'a str,
}

impl Manifests {
    /// Asks cargo.
    pub(crate) fn read(workspace: &Workspace) -> anyhow::Result<Self> {
        Self::parse(&output(&mut workspace.cargo(["metadata", "--no-deps", "--format-version", "1"]))?)
    }

    /// Reads the JSON of `cargo metadata`.
    pub(crate) fn parse(json: &str) -> anyhow::Result<Self> {
        serde_json::from_str(json).context("the output of cargo metadata")
    }

    /// Whether a crate of this name is ours.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.packages.iter().any(|package| package.name == name)
    }

    /// Every dependency that more than tests have, optional ones included.
    pub(crate) fn dependencies_outside_tests(&self) -> impl Iterator<Item = Dependency<'_>> {
        self.packages.iter().flat_map(|package| {
            let entries = package.dependencies.iter().filter(|entry| entry.kind.as_deref() != Some("dev"));
            entries.map(|entry| Dependency { of: &package.name, name: &entry.name })
        })
    }
}
