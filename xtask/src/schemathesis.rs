//! Schemathesis for the tests: installed from PyPI into the target folder.

use wattstream_test_env::schemathesis::{PINS, folder};

use crate::{
    packages::{self, PYTHON},
    steps::Outcome,
    workspace::Workspace,
};

/// Installs what is not there yet.
pub(crate) fn install(_: &Workspace) -> anyhow::Result<Outcome> {
    packages::install(PINS, folder(), &[PYTHON], |unfinished| {
        packages::install_python_packages(unfinished.folder())
    })
}
