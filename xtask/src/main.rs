//! The project's own verbs, run as `cargo xtask <verb>`. What must always hold: a verb works on a fresh clone with no
//! argument; it writes to stderr only; it exits with 0 when all is well and with 1 when anything is not.

mod dashboard;
mod e2e;
mod fences;
mod infra;
mod lambda;
mod local_aws;
mod node_package;
mod packages;
mod schemathesis;
mod steps;
mod tidy;
mod workspace;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand, builder::PossibleValuesParser};

use crate::{
    lambda::{Arch, FUNCTIONS},
    steps::{SkipPolicy, TEST_STEPS, Verdict},
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
    /// Build the Lambda functions into target/lambda, for the CDK app to deploy. It takes minutes a function: whole programs
    /// are optimised.
    Lambda {
        /// What they run on: every stage deploys arm64, a local AWS on this machine needs x86_64.
        #[arg(long, value_enum, default_value_t = Arch::Arm64)]
        arch: Arch,
        /// Build these functions only.
        #[arg(value_parser = PossibleValuesParser::new(FUNCTIONS.iter().map(|function| function.name)))]
        functions: Vec<String>,
    },
    /// Deploy the CDK app into a local AWS, feed it, compare what its API answers, and take it down again.
    E2e {
        /// A folder with FUNCTION/bootstrap for each function, such as target/lambda after `cargo xtask lambda --arch x86_64`.
        /// Without it the binaries are those of the other tests, which are built in seconds and not optimised as a whole.
        #[arg(long, value_name = "DIR")]
        functions: Option<PathBuf>,
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
            local_aws::install(&workspace)?.insist()?;
            match verb {
                LocalAwsVerb::Install => Ok(ExitCode::SUCCESS),
                LocalAwsVerb::Up => local_aws::up(&mut io::stderr()).map(|()| ExitCode::SUCCESS),
            }
        }
        Verb::Lambda { arch, functions } => {
            lambda::build(&workspace, *arch, functions, &mut io::stderr()).map(|()| ExitCode::SUCCESS)
        }
        Verb::E2e { functions } => {
            local_aws::install(&workspace)?.insist()?;
            e2e::check(&workspace, functions.as_deref())?.insist().map(|()| ExitCode::SUCCESS)
        }
        Verb::Fences => fences::check(&workspace).map(|()| ExitCode::SUCCESS),
        Verb::Tidy => tidy::check(&workspace).map(|()| ExitCode::SUCCESS),
    }
}

/// A variable rather than a flag, because tests that may skip themselves read it too.
fn skip_policy() -> SkipPolicy {
    if wattstream_test_env::everything_is_required() { SkipPolicy::Failure } else { SkipPolicy::Allowed }
}
