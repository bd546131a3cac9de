//! The page in `services/query-api/web`: its types and style, its pure parts, its committed bundle, and the page itself in a real browser
//! over the real process. What must always hold: the process is the one that the other tests were built with; what cannot be had
//! here is a skip that says how to mend it.

use std::process::Command;

use crate::{
    node_package::NodePackage,
    packages::{self, CHROMIUM},
    steps::Outcome,
    workspace::{Workspace, run},
};

const PACKAGE: &str = "services/query-api/web";

/// The binary, for the tests.
const BINARY: &str = "WATTSTREAM_BIN";

/// Series of real sites, beside the checkout; the page is driven over a year of them.
const SERIES: &str = "../shared/data/energy/faults";

/// Checks the sources, the bundle, and then the page.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let package = NodePackage::at(workspace, PACKAGE);
    // The checks that need no browser: types and style, the pure parts, and whether the committed bundle is what the sources build.
    if let Outcome::Skipped(why) = package.check()? {
        return Ok(Outcome::Skipped(why));
    }
    if let Some(missing) = packages::missing(&[CHROMIUM]) {
        return Ok(Outcome::Skipped(format!("the page was not driven in a browser; {missing}")));
    }
    if !workspace.root.join(SERIES).try_exists()? {
        return Ok(Outcome::Skipped(
            "the page was not driven in a browser; the series of real sites are not beside this checkout, in ../shared/data"
                .to_owned(),
        ));
    }
    // The whole workspace with its tests is named, so that the process is built as the other tests have built it.
    run(&mut workspace.cargo([
        "build",
        "--locked",
        "--workspace",
        "--all-features",
        "--lib",
        "--bins",
        "--tests",
    ]))?;
    let binary = workspace.root.join("target/debug/wattstream");
    run(Command::new("npm").args(["run", "drive"]).env(BINARY, binary).current_dir(package.folder))?;
    Ok(Outcome::Passed)
}
