//! What a crate is built from, as `cargo tree` prints it. What must always hold: a line that is not understood is an
//! error, because a fence that cannot read proves nothing.

use anyhow::Context;

use crate::workspace::{Workspace, output};

/// The dependencies of a crate, or of all our crates, each below the one that brings it.
pub(crate) struct Tree {
    lines: Vec<Package>,
}

/// A line of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    /// 0 for ours.
    pub(crate) depth: usize,
    /// The crate's name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
}

impl Tree {
    /// What `package` is built from with its default features on any platform; without one, what the whole workspace
    /// and its tests are built from.
    pub(crate) fn read(workspace: &Workspace, package: Option<&str>) -> anyhow::Result<Self> {
        let scope = match package {
            Some(package) => vec!["--package", package, "--edges", "normal,build"],
            None => vec!["--workspace", "--edges", "normal,build,dev"],
        };
        let form = ["tree", "--target", "all", "--prefix", "depth", "--format", "{p}"];
        Self::parse(&output(&mut workspace.cargo(form.into_iter().chain(scope)))?)
    }

    /// Reads lines such as `2syn v3.0.10`; what follows the version (a path, `(proc-macro)`, `(*)`) is passed over. A
    /// crate's own dependencies are printed where it comes first, which is enough for the first path to each.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let lines = text.lines().filter(|line| !line.is_empty());
        let lines =
            lines.map(|line| parse_line(line).with_context(|| format!("a line of cargo tree: {line:?}")));
        Ok(Self { lines: lines.collect::<anyhow::Result<_>>()? })
    }

    /// For each crate that `wanted` picks, the first path from a crate of ours to it. What lies behind a picked crate
    /// is passed over: it goes when the crate goes.
    pub(crate) fn first_paths_to(&self, wanted: impl Fn(&Package) -> bool) -> Vec<String> {
        let mut path: Vec<&Package> = Vec::new();
        let mut found: Vec<(&Package, String)> = Vec::new();
        for package in &self.lines {
            path.truncate(package.depth);
            let is_behind_found = path.iter().any(|ancestor| is_among(&found, ancestor));
            path.push(package);
            if package.depth > 0 && !is_behind_found && wanted(package) && !is_among(&found, package) {
                found.push((package, shown(&path)));
            }
        }
        found.into_iter().map(|(_, path)| path).collect()
    }
}

fn is_among(found: &[(&Package, String)], package: &Package) -> bool {
    found.iter().any(|(other, _)| other.name == package.name && other.version == package.version)
}

fn shown(path: &[&Package]) -> String {
    let ours = path.first().map(|package| package.name.clone());
    let theirs = path.iter().skip(1).map(|package| format!("{} {}", package.name, package.version));
    ours.into_iter().chain(theirs).collect::<Vec<_>>().join(" -> ")
}

fn parse_line(line: &str) -> Option<Package> {
    let (depth, rest) = line.split_at(line.find(|byte: char| !byte.is_ascii_digit())?);
    let mut words = rest.split(' ');
    let name = words.next().filter(|name| !name.is_empty())?.to_owned();
    let version = words.next()?.strip_prefix('v')?.to_owned();
    Some(Package { depth: depth.parse().ok()?, name, version })
}
