//! `cargo xtask e2e`: the whole system, deployed into a local AWS and taken down again. What must always hold: it runs the test that
//! `infra-cdk/e2e` holds, and nothing else; the functions are real binaries, either those that the tests have built already or
//! those that `cargo xtask lambda --arch x86_64` has made.
//!
//! The first are the default, because the profile of the second optimises whole programs and takes minutes a binary; the code
//! in them is the same.

use std::path::Path;

use anyhow::Context;

use crate::{
    infra,
    steps::Outcome,
    workspace::{Workspace, run},
};

/// The package of the test.
pub(crate) const PACKAGE: &str = "wattstream-e2e";

/// Its test, by the beginning of its name.
const TEST: &str = "the_deployed_app";

/// The folder of the functions, for the test.
const FUNCTIONS: &str = "WATTSTREAM_E2E_FUNCTIONS";

/// Runs it with the functions of a folder, or with those that the tests have built.
pub(crate) fn check(workspace: &Workspace, functions: Option<&Path>) -> anyhow::Result<Outcome> {
    if let Outcome::Skipped(why) = infra::package(workspace).install()? {
        return Ok(Outcome::Skipped(why));
    }
    // The whole workspace is named, so that it is built as the other tests have built it, with the functions among it.
    let scope = ["--locked", "--workspace", "--all-features"];
    let filter = format!("package({PACKAGE})");
    let words: &[&str] = if workspace.has_cargo_subcommand("nextest") {
        &["nextest", "run", "--no-capture", "--filterset", &filter]
    } else {
        &["test", "--test", "local_aws"]
    };
    let mut command = workspace.cargo(words.iter().chain(&scope).copied());
    if words[0] == "test" {
        command.args(["--", "--nocapture", TEST]);
    }
    if let Some(functions) = functions {
        let folder = functions.canonicalize().with_context(|| functions.display().to_string())?;
        command.env(FUNCTIONS, folder);
    }
    run(&mut command)?;
    Ok(Outcome::Passed)
}
