//! A package of Node.js in this repository. What must always hold: its dependencies are those of its lock file, or its tests do not run;
//! what is installed already costs nothing; no script of a dependency runs.

use std::{fs, path::PathBuf, process::Command};

use anyhow::Context;

use crate::{
    packages::{self, NODE, NPM},
    steps::Outcome,
    workspace::{Workspace, run},
};

/// The lock file of what was installed, beside it: npm itself keeps it in another form.
const INSTALLED: &str = "node_modules/.installed-package-lock.json";

pub(crate) struct NodePackage {
    pub(crate) folder: PathBuf,
}

impl NodePackage {
    /// The package in this folder of the repository.
    pub(crate) fn at(workspace: &Workspace, folder: &str) -> Self {
        Self { folder: workspace.root.join(folder) }
    }

    /// Brings its dependencies, unless those of its lock file are there. Skipped where Node.js is missing.
    pub(crate) fn install(&self) -> anyhow::Result<Outcome> {
        if let Some(missing) = packages::missing(&[NODE, NPM]) {
            return Ok(Outcome::Skipped(missing));
        }
        let read = |name| {
            let path = self.folder.join(name);
            fs::read(&path).with_context(|| path.display().to_string())
        };
        let wanted = read("package-lock.json")?;
        if read(INSTALLED).is_ok_and(|installed| installed == wanted) {
            return Ok(Outcome::Passed);
        }
        packages::install_npm_packages(&self.folder)?;
        fs::write(self.folder.join(INSTALLED), wanted)?;
        Ok(Outcome::Passed)
    }

    /// Installs it, and runs its tests.
    pub(crate) fn check(&self) -> anyhow::Result<Outcome> {
        if let Outcome::Skipped(why) = self.install()? {
            return Ok(Outcome::Skipped(why));
        }
        run(Command::new("npm").arg("test").current_dir(&self.folder))?;
        Ok(Outcome::Passed)
    }
}
