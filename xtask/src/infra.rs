//! The CDK app in `infra-cdk`: its packages, its own tests, and its templates under cfn-lint. What must always hold: every template that
//! the app can make is checked, and not only those of one stage.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use wattstream_test_env::local_aws::{self, Installation};

use crate::{
    packages::{self, NODE, NPM},
    steps::Outcome,
    workspace::{Workspace, run},
};

/// What was installed, beside it: npm itself keeps the lock file in another form.
const INSTALLED: &str = "node_modules/.installed-package-lock.json";

/// Brings the packages of the app, unless those of its lock file are there. Skipped where Node.js is missing.
pub(crate) fn install(workspace: &Workspace) -> anyhow::Result<Outcome> {
    if let Some(missing) = packages::missing(&[NODE, NPM]) {
        return Ok(Outcome::Skipped(missing));
    }
    let folder = folder(workspace);
    let read = |name| fs::read(folder.join(name)).with_context(|| folder.join(name).display().to_string());
    let wanted = read("package-lock.json")?;
    if read(INSTALLED).is_ok_and(|installed| installed == wanted) {
        return Ok(Outcome::Passed);
    }
    packages::install_npm_packages(&folder)?;
    fs::write(folder.join(INSTALLED), wanted)?;
    Ok(Outcome::Passed)
}

/// Runs the tests of the app, and cfn-lint over all of its templates.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<Outcome> {
    if let Outcome::Skipped(why) = install(workspace)? {
        return Ok(Outcome::Skipped(why));
    }
    // It begins with the templates of every variant, and leaves them, as `npm run synth:all` does.
    run(&mut npm(workspace, ["test"]))?;
    // It is among the Python packages of the local AWS.
    match Installation::find(local_aws::folder()) {
        Ok(installation) => lint(installation.python_program("cfn-lint"), &folder(workspace)),
        Err(missing) => Ok(Outcome::Skipped(format!("cfn-lint is missing: {missing}"))),
    }
}

/// Which templates there are and which rules do not count, `.cfnlintrc` says. A pattern of it that no file matches is an error.
fn lint(mut cfn_lint: Command, folder: &Path) -> anyhow::Result<Outcome> {
    run(cfn_lint.args(["--non-zero-exit-code", "error"]).current_dir(folder))?;
    Ok(Outcome::Passed)
}

fn npm<'a>(workspace: &Workspace, arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder(workspace));
    command
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("infra-cdk")
}
