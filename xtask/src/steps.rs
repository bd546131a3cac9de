//! The checks of `cargo xtask test`, as a table, and what runs it. What must always hold: each step says its name and
//! how long it took; the first failure ends the run and the summary names it, what was skipped and what was not run; a
//! skip is never silent, and under [`SkipPolicy::Failure`] it is a failure.

use std::{
    io::{self, Write},
    time::Instant,
};

use anyhow::bail;

use crate::{
    dashboard, e2e, fences, infra, local_aws,
    node_package::NodePackage,
    schemathesis, tidy,
    workspace::{Workspace, run},
};

/// One check.
pub(crate) struct Step {
    /// A word, for the command line and the summary.
    pub(crate) name: &'static str,
    /// Runs it; an error is a failure.
    pub(crate) run: fn(&Workspace) -> anyhow::Result<Outcome>,
}

/// How a step ended that did not fail.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It ran and found nothing wrong.
    Passed,
    /// It could not run here, and how that can be mended.
    Skipped(String),
}

impl Outcome {
    /// An error when it was skipped: what was asked for by name has to run.
    pub(crate) fn insist(self) -> anyhow::Result<()> {
        match self {
            Self::Passed => Ok(()),
            Self::Skipped(why) => bail!("{why}"),
        }
    }
}

/// What a skip means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SkipPolicy {
    /// Named in the summary, and no more.
    Allowed,
    /// As bad as a failed check.
    Failure,
}

/// How the whole run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No step failed.
    Passed,
    /// A step failed, or was skipped where that is a failure.
    Failed,
}

/// Every check, cheapest first where the order is free. A new check is a line here and a function below.
pub(crate) const TEST_STEPS: &[Step] = &[
    Step { name: "fmt", run: fmt },
    Step { name: "tidy", run: |workspace| tidy::check(workspace).map(|()| Outcome::Passed) },
    Step { name: "clippy", run: clippy },
    Step { name: "fences", run: |workspace| fences::check(workspace).map(|()| Outcome::Passed) },
    Step { name: "local-aws", run: local_aws::install },
    Step { name: "schemathesis", run: schemathesis::install },
    Step { name: "infra", run: infra::check },
    Step { name: "pages", run: pages },
    Step { name: "tests", run: tests },
    Step { name: "dashboard", run: dashboard::check },
    Step { name: "e2e", run: |workspace| e2e::check(workspace, None) },
    Step { name: "real-data", run: real_data },
    Step { name: "mutants", run: mutants },
    Step { name: "doc-tests", run: doc_tests },
    Step { name: "docs", run: docs },
    Step { name: "deny", run: deny },
];

fn fmt(workspace: &Workspace) -> anyhow::Result<Outcome> {
    run(&mut workspace.cargo(["fmt", "--all", "--check"]))?;
    Ok(Outcome::Passed)
}

fn clippy(workspace: &Workspace) -> anyhow::Result<Outcome> {
    run(&mut workspace.cargo([
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]))?;
    Ok(Outcome::Passed)
}

/// The pages that a model writes, the picture, and the workflows.
fn pages(workspace: &Workspace) -> anyhow::Result<Outcome> {
    NodePackage::at(workspace, "docs/model").check()
}

/// All but the end-to-end test, which is a step of its own.
fn tests(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let scope = ["--locked", "--workspace", "--exclude", e2e::PACKAGE, "--all-features"];
    let runner: &[&str] = if workspace.has_cargo_subcommand("nextest") {
        &["nextest", "run"]
    } else {
        // A test runs an example, which cargo builds by itself only where no kinds of targets are named.
        run(&mut workspace.cargo(["build", "--examples"].iter().chain(&scope).copied()))?;
        &["test", "--lib", "--bins", "--tests"]
    };
    run(&mut workspace.cargo(runner.iter().chain(&scope).copied()))?;
    Ok(Outcome::Passed)
}

/// The tests on real series pass without them, and say so where nobody sees it; this step says it aloud.
fn real_data(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let series = workspace.root.join("../shared/data/energy/replay");
    if series.try_exists()? {
        return Ok(Outcome::Passed);
    }
    Ok(Outcome::Skipped(
        "the series of real sites are not beside this checkout, in ../shared/data".to_owned(),
    ))
}

/// Each planted bug must be noticed by the properties of the crate that it is planted in. The flag changes every crate, so it
/// has a target folder of its own.
fn mutants(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let of_engine = ["--package", "wattstream-engine", "--test", "mutants", "--test", "panics"];
    let of_embedded = ["--package", "wattstream-embedded", "--lib"];
    run_with_mutants(workspace, &of_engine, &[])?;
    run_with_mutants(workspace, &of_embedded, &["an_answer_before_the_sync_is_caught"])?;
    Ok(Outcome::Passed)
}

fn run_with_mutants(workspace: &Workspace, targets: &[&str], filter: &[&str]) -> anyhow::Result<()> {
    let folder = ["--target-dir", "target/mutants"];
    let words = ["test", "--locked"].iter().chain(targets).chain(&folder).chain(&["--", "--nocapture"]);
    let mut command = workspace.cargo(words.chain(filter).copied());
    run(command.env("RUSTFLAGS", "--cfg wattstream_mutants"))
}

fn doc_tests(workspace: &Workspace) -> anyhow::Result<Outcome> {
    run(&mut workspace.cargo(["test", "--locked", "--workspace", "--all-features", "--doc"]))?;
    Ok(Outcome::Passed)
}

fn docs(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let mut command = workspace.cargo(["doc", "--locked", "--no-deps", "--workspace", "--all-features"]);
    run(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::Passed)
}

/// Licences, banned crates and sources. Advisories need a database from the network and are left out, so that the same
/// commit gives the same verdict tomorrow.
fn deny(workspace: &Workspace) -> anyhow::Result<Outcome> {
    if !workspace.has_cargo_subcommand("deny") {
        return Ok(Outcome::Skipped(
            "cargo-deny is missing; `cargo install cargo-deny --locked` mends it".to_owned(),
        ));
    }
    let checks = ["check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
    run(&mut workspace.cargo(["deny", "--locked"].into_iter().chain(checks)))?;
    Ok(Outcome::Passed)
}

/// Runs the steps up to the first failure and writes a summary to `out`.
pub(crate) fn run_in_order<'a>(
    steps: impl IntoIterator<Item = &'a Step>,
    workspace: &Workspace,
    skips: SkipPolicy,
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    let begun = Instant::now();
    let steps: Vec<_> = steps.into_iter().collect();
    let mut summary = Summary::default();
    for (index, step) in steps.iter().enumerate() {
        writeln!(out, "[{}/{}] {}", index + 1, steps.len(), step.name)?;
        let step_begun = Instant::now();
        let result = match (step.run)(workspace) {
            Ok(Outcome::Skipped(why)) if skips == SkipPolicy::Failure => {
                Err(format!("a skip counts as a failure here: {why}"))
            }
            Ok(outcome) => Ok(outcome),
            Err(error) => Err(format!("{error:#}")),
        };
        writeln!(out, "    {} in {:.1} s", word(&result), step_begun.elapsed().as_secs_f64())?;
        match result {
            Ok(Outcome::Passed) => summary.passed += 1,
            Ok(Outcome::Skipped(why)) => summary.skipped.push((step.name, why)),
            Err(why) => {
                summary.failed = Some((step.name, why));
                summary.not_run = steps[index + 1..].iter().map(|step| step.name).collect();
                break;
            }
        }
    }
    summary.write(out, begun.elapsed().as_secs_f64())?;
    Ok(if summary.failed.is_some() { Verdict::Failed } else { Verdict::Passed })
}

fn word(result: &Result<Outcome, String>) -> &'static str {
    match result {
        Ok(Outcome::Passed) => "passed",
        Ok(Outcome::Skipped(_)) => "SKIPPED",
        Err(_) => "FAILED",
    }
}

#[derive(Default)]
struct Summary {
    passed: usize,
    skipped: Vec<(&'static str, String)>,
    failed: Option<(&'static str, String)>,
    not_run: Vec<&'static str>,
}

impl Summary {
    fn write(&self, out: &mut dyn Write, seconds: f64) -> io::Result<()> {
        writeln!(out)?;
        for (name, why) in &self.skipped {
            writeln!(out, "SKIPPED {name}: {why}")?;
        }
        if let Some((name, why)) = &self.failed {
            writeln!(out, "FAILED {name}: {why}")?;
            writeln!(out, "    once mended, `cargo xtask test {name}` runs it alone")?;
        }
        if !self.not_run.is_empty() {
            writeln!(out, "NOT RUN {}", self.not_run.join(", "))?;
        }
        let (passed, skipped, failed) = (self.passed, self.skipped.len(), usize::from(self.failed.is_some()));
        writeln!(out, "{passed} passed, {skipped} skipped, {failed} failed in {seconds:.1} s")
    }
}

#[cfg(test)]
mod tests;
