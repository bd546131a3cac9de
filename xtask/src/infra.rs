//! The CDK app in `infra-cdk`: its own tests, and its templates under cfn-lint. What must always hold: every template that the app can
//! make is checked, and not only those of one stage.

use wattstream_test_env::local_aws::{self, Installation};

use crate::{
    node_package::NodePackage,
    steps::Outcome,
    workspace::{Workspace, run},
};

/// The app.
pub(crate) fn package(workspace: &Workspace) -> NodePackage {
    NodePackage::at(workspace, "infra-cdk")
}

/// Runs the tests of the app, and cfn-lint over all of its templates.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let package = package(workspace);
    // The tests begin with the templates of every variant, and leave them, as `npm run synth:all` does.
    if let Outcome::Skipped(why) = package.check()? {
        return Ok(Outcome::Skipped(why));
    }
    let installation = match Installation::find(local_aws::folder()) {
        Ok(installation) => installation,
        // cfn-lint is among its Python packages.
        Err(missing) => return Ok(Outcome::Skipped(format!("cfn-lint is missing: {missing}"))),
    };
    // Which templates there are and which rules do not count, `.cfnlintrc` says. A pattern of it that no file matches is an error.
    let mut cfn_lint = installation.python_program("cfn-lint");
    run(cfn_lint.args(["--non-zero-exit-code", "error"]).current_dir(package.folder))?;
    Ok(Outcome::Passed)
}
