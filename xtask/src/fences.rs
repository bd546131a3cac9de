//! Which crates stay apart, proven on what cargo resolves. What must always hold: a fence speaks of every platform,
//! not only of this one; a breach is told with the whole path from our crate to the one that must not be there; a
//! fence around a crate that no longer exists is an error, so that a rename cannot tear one down.

mod manifests;
mod tree;

use anyhow::{Context, bail};

use self::{
    manifests::Manifests,
    tree::{Package, Tree},
};
use crate::workspace::Workspace;

/// A rule on everything that a crate is built from, directly or not; what only its tests use is free.
struct Fence {
    /// What it is for, in a few words.
    name: &'static str,
    /// The crate inside the fence, with its default features; none means all crates of the workspace, tests included.
    around: Option<&'static str>,
    rule: Rule,
}

enum Rule {
    /// Nothing but these.
    Only(&'static [&'static str]),
    /// None of these: a name, or with a trailing `*` the beginning of `name version`.
    Never(&'static [&'static str]),
}

/// A rule on the manifests: who may name a crate among its dependencies; what only its tests use is free.
struct Owned {
    /// As in [`Rule::Never`], without a version.
    dependency: &'static str,
    by: &'static [&'static str],
    why: &'static str,
}

const FENCES: &[Fence] = &[
    Fence {
        name: "domain is pure: no I/O, no clock, no async",
        around: Some("wattstream-domain"),
        rule: Rule::Only(DOMAIN),
    },
    Fence { name: "domain has no serde", around: Some("wattstream-domain"), rule: Rule::Never(&["serde*"]) },
    Fence {
        name: "wire is pure: no I/O, no clock, no async",
        around: Some("wattstream-wire"),
        rule: Rule::Only(WIRE),
    },
    Fence {
        name: "the engine knows ports, not what is behind them",
        around: Some("wattstream-engine"),
        rule: Rule::Never(&["wattstream-embedded", "wattstream-aws", "fjall", "object_store", "aws-*"]),
    },
    Fence {
        name: "the query API knows ports, not what is behind them",
        around: Some("wattstream-query-api"),
        rule: Rule::Never(&["wattstream-embedded", "wattstream-aws", "fjall", "object_store", "aws-*"]),
    },
    Fence {
        name: "the adapters do not see each other",
        around: Some("wattstream-embedded"),
        rule: Rule::Never(&["wattstream-aws", "aws-*"]),
    },
    Fence {
        name: "the adapters do not see each other",
        around: Some("wattstream-aws"),
        rule: Rule::Never(&["wattstream-embedded", "fjall"]),
    },
    Fence {
        name: "the one-machine process builds without AWS",
        around: Some("wattstream"),
        rule: Rule::Never(&["wattstream-aws", "aws-*"]),
    },
    Fence {
        name: "one HTTP stack and one TLS stack, both current",
        around: None,
        rule: Rule::Never(&[
            "hyper 0.*",
            "rustls 0.20.*",
            "rustls 0.21.*",
            "aws-lc-*",
            "reqwest",
            "native-tls",
            "openssl",
            "openssl-sys",
        ]),
    },
];

/// What stands behind `thiserror` when it is built.
const DOMAIN: &[&str] =
    &["arrayvec", "proc-macro2", "quote", "syn", "thiserror", "thiserror-impl", "unicode-ident"];

/// Hashes, byte buffers, JSON and Protobuf, and what stands behind their macros when they are built.
const WIRE: &[&str] = &[
    "anyhow",
    "arrayvec",
    "base64",
    "block-buffer",
    "bytes",
    "bytestring",
    "cfg-if",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "digest",
    "either",
    "hybrid-array",
    "itertools",
    "itoa",
    "libc",
    "md-5",
    "memchr",
    "proc-macro2",
    "prost",
    "prost-derive",
    "quote",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "sha2",
    "syn",
    "thiserror",
    "thiserror-impl",
    "typenum",
    "unicode-ident",
    "wattstream-domain",
    "zmij",
];

const OWNED: &[Owned] = &[
    Owned {
        dependency: "wattstream-testkit",
        by: &[],
        why: "it is for tests: name it under [dev-dependencies]",
    },
    Owned {
        dependency: "wattstream-test-env",
        by: &["wattstream-testkit", "xtask"],
        why: "it is for tests: name it under [dev-dependencies]",
    },
    Owned {
        dependency: "metrics*",
        by: &["wattstream-telemetry"],
        why: "emit an event of wattstream_telemetry",
    },
    Owned { dependency: "tracing-subscriber", by: &["wattstream-telemetry"], why: "call init_logging" },
    Owned {
        dependency: "fjall",
        by: &["wattstream-embedded"],
        why: "go through the ports of wattstream-engine",
    },
    Owned {
        dependency: "aws-sdk-*",
        by: &["wattstream-aws"],
        why: "go through the ports of wattstream-engine",
    },
];

/// Crates that the design names and that are yet to come; their fences wait for them.
const TO_COME: &[&str] = &[];

/// Checks every fence and tells of all breaches together.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let manifests = Manifests::read(workspace)?;
    let mut breaches = owners_breached(&manifests, OWNED);
    for fence in FENCES {
        if is_to_come(fence, &manifests, TO_COME)? {
            continue;
        }
        let tree = Tree::read(workspace, fence.around).with_context(|| format!("fence: {}", fence.name))?;
        breaches.extend(breaches_of(fence, &tree));
    }
    if !breaches.is_empty() {
        bail!("{} fences are broken:\n{}", breaches.len(), breaches.join("\n"));
    }
    Ok(())
}

fn is_to_come(fence: &Fence, manifests: &Manifests, to_come: &[&str]) -> anyhow::Result<bool> {
    let Some(name) = fence.around.filter(|name| !manifests.has(name)) else {
        return Ok(false);
    };
    if !to_come.contains(&name) {
        bail!("the fence \"{}\" stands around {name}, which is no crate of this workspace", fence.name);
    }
    Ok(true)
}

/// One line for each crate that must not be there, with the first path that leads to it.
fn breaches_of(fence: &Fence, tree: &Tree) -> Vec<String> {
    let remedy = match fence.rule {
        Rule::Only(_) => "is not on the fence's list",
        Rule::Never(_) => "is banned there",
    };
    let paths = tree.first_paths_to(|package| fence.rule.forbids(package));
    paths.iter().map(|path| format!("- {}: the last of {path} {remedy}", fence.name)).collect()
}

impl Rule {
    fn forbids(&self, package: &Package) -> bool {
        match self {
            Self::Only(allowed) => !allowed.contains(&package.name.as_str()),
            Self::Never(banned) => {
                banned.iter().any(|pattern| matches(pattern, &package.name, &package.version))
            }
        }
    }
}

fn owners_breached(manifests: &Manifests, owned: &[Owned]) -> Vec<String> {
    let mut breaches = Vec::new();
    for dependency in manifests.dependencies_outside_tests() {
        for rule in owned.iter().filter(|rule| matches(rule.dependency, dependency.name, "")) {
            if !rule.by.contains(&dependency.of) {
                breaches
                    .push(format!("- {} may not depend on {}: {}", dependency.of, dependency.name, rule.why));
            }
        }
    }
    breaches
}

fn matches(pattern: &str, name: &str, version: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => format!("{name} {version}").starts_with(beginning),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests;
