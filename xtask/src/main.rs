//! The project's own verbs, run as `cargo xtask <verb>`. What must always hold: a verb works on a fresh clone with no
//! argument; it writes to stderr only; it exits with 0 when all is well and with 1 when anything is not.

mod fences;
mod local_aws;
mod steps;
mod tidy;
mod workspace;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::bail;
use clap::{Parser, Subcommand, builder::PossibleValuesParser};

use crate::{
    steps::{Outcome, SkipPolicy, TEST_STEPS, Verdict},
    workspace::Workspace,
};

/// The project's own verbs.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run every check, in order, up to the first that fails. Under WATTSTREAM_REQUIRE_ALL=1 a check that cannot run
    /// here is a failure.
    Test {
        /// Run these checks only.
        #[arg(value_parser = PossibleValuesParser::new(TEST_STEPS.iter().map(|step| step.name)))]
        only: Vec<String>,
    },
    /// AWS on this machine, for the tests and for looking around.
    LocalAws {
        #[command(subcommand)]
        verb: LocalAwsVerb,
    },
    /// Prove which crates stay apart.
    Fences,
    /// Check the rules of style that no compiler knows.
    Tidy,
}

#[derive(Subcommand)]
enum LocalAwsVerb {
    /// Install what the tests need, by name and in the versions of shared/test-env/local-aws, unless it is there already.
    Install,
    /// Start every server on a free port of the loopback, say where, and stop them at Ctrl-C.
    Up,
}

fn main() -> ExitCode {
    match run(&CommandLine::parse().verb) {
        Ok(code) => code,
        Err(error) => {
            // A closed stderr leaves nowhere to tell it; the exit code still says it.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: &Verb) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::of_this_tool();
    match verb {
        Verb::Test { only } => {
            let selected =
                TEST_STEPS.iter().filter(|step| only.is_empty() || only.iter().any(|name| name == step.name));
            let verdict = steps::run_in_order(selected, &workspace, skip_policy(), &mut io::stderr())?;
            Ok(if verdict == Verdict::Passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Verb::LocalAws { verb } => {
            if let Outcome::Skipped(why) = local_aws::install(&workspace)? {
                bail!("{why}");
            }
            match verb {
                LocalAwsVerb::Install => Ok(ExitCode::SUCCESS),
                LocalAwsVerb::Up => local_aws::up(&mut io::stderr()).map(|()| ExitCode::SUCCESS),
            }
        }
        Verb::Fences => fences::check(&workspace).map(|()| ExitCode::SUCCESS),
        Verb::Tidy => tidy::check(&workspace).map(|()| ExitCode::SUCCESS),
    }
}

/// A variable rather than a flag, because tests that may skip themselves read it too.
fn skip_policy() -> SkipPolicy {
    if wattstream_test_env::everything_is_required() { SkipPolicy::Failure } else { SkipPolicy::Allowed }
}
