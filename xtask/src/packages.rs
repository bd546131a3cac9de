//! Packages of PyPI and npm, installed into folders that can be thrown away. What must always hold: pip and npm find their
//! registries in the machine's own configuration; versions are pinned, and no script of a package runs; what is there
//! already costs nothing; an installation that was broken off is begun anew.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context;
use wattstream_test_env::pinned::{Pins, Unfinished};

use crate::{steps::Outcome, workspace::run};

/// A program that an installation begins with, or that runs what was installed.
pub(crate) struct Tool {
    /// Succeeds where the tool is as it must be.
    probe: &'static [&'static str],
    /// What is missing otherwise.
    name: &'static str,
    debian_packages: &'static str,
}

pub(crate) const PYTHON: Tool = Tool {
    probe: &["python3", "-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"],
    name: "Python 3.11 or later with venv",
    debian_packages: "python3 python3-venv",
};

pub(crate) const NODE: Tool = Tool {
    probe: &["node", "-e", "process.exit(Number(process.versions.node.split('.')[0]) < 20 ? 1 : 0)"],
    name: "Node.js 20 or later",
    debian_packages: "nodejs",
};

/// The browser that the page is driven in.
pub(crate) const CHROMIUM: Tool =
    Tool { probe: &["/usr/bin/chromium", "--version"], name: "Chromium", debian_packages: "chromium" };

pub(crate) const NPM: Tool = Tool { probe: &["npm", "--version"], name: "npm", debian_packages: "npm" };

/// What of these is missing on this machine, and how to mend it.
pub(crate) fn missing(tools: &[Tool]) -> Option<String> {
    let missing: Vec<_> = tools.iter().filter(|tool| !succeeds(tool.probe)).collect();
    if missing.is_empty() {
        return None;
    }
    let names: Vec<_> = missing.iter().map(|tool| tool.name).collect();
    let packages: Vec<_> = missing.iter().map(|tool| tool.debian_packages).collect();
    Some(format!(
        "missing here: {}; on Debian, `apt-get install {}` mends it",
        names.join(", "),
        packages.join(" ")
    ))
}

fn succeeds(probe: &[&str]) -> bool {
    let Some((program, arguments)) = probe.split_first() else { return false };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Has a folder filled from its pins, unless it is already. Skipped where a tool is missing that this machine would have to
/// bring.
pub(crate) fn install(
    pins: Pins,
    folder: PathBuf,
    tools: &[Tool],
    fill: impl FnOnce(&Unfinished) -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    if pins.defect_of(&folder).is_none() {
        return Ok(Outcome::Passed);
    }
    if let Some(missing) = missing(tools) {
        return Ok(Outcome::Skipped(missing));
    }
    // Worktrees may share a target folder, and with it the installation.
    let _lock = lock(&folder)?;
    if pins.defect_of(&folder).is_some() {
        let place = folder.display().to_string();
        let unfinished = pins.begin(folder).with_context(|| place.clone())?;
        fill(&unfinished)?;
        unfinished.finish().context(place)?;
    }
    Ok(Outcome::Passed)
}

fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.with_extension("lock");
    let in_path = || path.display().to_string();
    path.parent().map_or(Ok(()), fs::create_dir_all).with_context(in_path)?;
    let file = File::create(&path).with_context(in_path)?;
    file.lock().with_context(in_path)?;
    Ok(file)
}

/// Makes the virtual environment `venv` of a folder, with what the folder's requirements.txt names. Wheels only: nothing is
/// compiled.
pub(crate) fn install_python_packages(folder: &Path) -> anyhow::Result<()> {
    let environment = folder.join("venv");
    run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let quietly = ["--quiet", "--no-input", "--disable-pip-version-check"];
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--only-binary", ":all:"]).args(quietly);
    run(pip.arg("--requirement").arg(folder.join("requirements.txt")))
}

/// Makes the node_modules of a folder, exactly as its package-lock.json says.
pub(crate) fn install_npm_packages(folder: &Path) -> anyhow::Result<()> {
    let quietly = ["--no-audit", "--no-fund", "--no-update-notifier"];
    run(Command::new("npm").args(["ci", "--ignore-scripts"]).args(quietly).current_dir(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_named_with_the_package_that_brings_it() {
        let away = Tool { probe: &["no-such-program"], name: "Node.js", debian_packages: "nodejs" };
        let too_old = Tool { probe: &["false"], name: "Python", debian_packages: "python3 python3-venv" };
        let here = Tool { probe: &["true"], name: "true", debian_packages: "coreutils" };
        assert_eq!(
            missing(&[away, here, too_old]).as_deref(),
            Some(
                "missing here: Node.js, Python; on Debian, `apt-get install nodejs python3 python3-venv` mends it"
            )
        );
        assert_eq!(missing(&[]), None);
    }

    #[test]
    fn a_folder_is_filled_once_and_again_when_its_pins_change() {
        const OLD: Pins = Pins { files: &[("pins", "a==1")], needed: &["package"] };
        const NEW: Pins = Pins { files: &[("pins", "a==2")], needed: &["package"] };
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("tools");
        let mut fills = Vec::new();
        for pins in [OLD, OLD, NEW] {
            let fill = |unfinished: &Unfinished| {
                fills.push(fs::read_to_string(unfinished.folder().join("pins"))?);
                Ok(fs::write(unfinished.folder().join("package"), "")?)
            };
            assert!(matches!(install(pins, folder.clone(), &[], fill), Ok(Outcome::Passed)));
        }
        assert_eq!(fills, ["a==1", "a==2"]);
    }

    #[test]
    fn nothing_is_begun_where_a_tool_is_missing() {
        const PINS: Pins = Pins { files: &[], needed: &[] };
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("tools");
        let away = Tool { probe: &["no-such-program"], name: "Node.js", debian_packages: "nodejs" };
        let outcome = install(PINS, folder.clone(), &[away], |_| panic!("nothing to fill it with")).unwrap();
        assert!(matches!(outcome, Outcome::Skipped(why) if why.contains("Node.js")));
        assert!(!folder.exists());
    }
}
