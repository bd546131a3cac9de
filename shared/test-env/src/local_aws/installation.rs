//! Where the local AWS is installed, and what it is made from. What must always hold: what [`Pins`] holds; no program sees a
//! setting of this process.
//!
//! The folder holds the pins, a virtual environment of Python and node_modules. `cargo xtask local-aws install` fills it.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};
use crate::pinned::Pins;

/// Overrides where the installation is, for the installer and the tests alike.
const FOLDER: &str = "WATTSTREAM_LOCAL_AWS";

/// What to install and what to start it with.
pub const PINS: Pins = Pins {
    files: &[
        ("requirements.txt", include_str!("../../local-aws/requirements.txt")),
        ("constraints.txt", include_str!("../../local-aws/constraints.txt")),
        ("package.json", include_str!("../../local-aws/package.json")),
        ("package-lock.json", include_str!("../../local-aws/package-lock.json")),
        (LOOPBACK, include_str!("../../local-aws/loopback.cjs")),
        (START_MINISTACK, include_str!("../../local-aws/start_ministack.py")),
    ],
    needed: &[INTERPRETER, KINESIS_LOCAL],
};

const LOOPBACK: &str = "loopback.cjs";
const START_MINISTACK: &str = "start_ministack.py";
const INTERPRETER: &str = "venv/bin/python";
const KINESIS_LOCAL: &str = "node_modules/kinesis-local/main.js";
const KINESIS_LOCAL_CERTIFICATE: &str = "node_modules/kinesis-local/server.json";

/// Where the installation belongs: in the workspace's target folder, unless `WATTSTREAM_LOCAL_AWS` names another.
pub fn folder() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = package.ancestors().nth(2).unwrap_or(package);
    let target = || env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = env::var_os(FOLDER).map_or_else(|| Path::new(&target()).join("local-aws"), PathBuf::from);
    workspace.join(folder)
}

/// There is no installation, or it is not the one that is wanted.
#[derive(Debug, thiserror::Error)]
#[error("no local AWS in {}: {why}; `cargo xtask local-aws install` mends it", folder.display())]
pub struct NotInstalled {
    folder: PathBuf,
    why: String,
}

/// An installation that is whole.
#[derive(Debug)]
pub struct Installation {
    folder: PathBuf,
}

impl Installation {
    /// The installation in this folder, if it is finished and was made from the pins of this commit.
    pub fn find(folder: PathBuf) -> Result<Self, NotInstalled> {
        match PINS.defect_of(&folder) {
            None => Ok(Self { folder }),
            Some(why) => Err(NotInstalled { folder, why }),
        }
    }

    /// A program of the Python packages, such as cfn-lint.
    pub fn python_program(&self, name: &str) -> Command {
        let mut command = self.python();
        // The program's first line may name an interpreter that was elsewhere when it was installed.
        command.arg(self.interpreter().with_file_name(name));
        command
    }

    /// Python with boto3 and aws_kinesis_agg, with credentials, and without this process's other settings.
    pub fn python(&self) -> Command {
        let mut command = without_settings(&self.interpreter());
        command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY);
        command.env("AWS_DEFAULT_REGION", REGION).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// A folder for one server. It lies in the installation and not in the system's: a process that is killed leaves it
    /// behind.
    pub(super) fn scratch(&self) -> io::Result<TempDir> {
        let folder = self.folder.join("scratch");
        fs::create_dir_all(&folder)?;
        TempDir::new_in(folder)
    }

    pub(super) fn interpreter(&self) -> PathBuf {
        self.folder.join(INTERPRETER)
    }

    pub(super) fn kinesis_local(&self) -> PathBuf {
        self.folder.join(KINESIS_LOCAL)
    }

    pub(super) fn kinesis_local_certificate(&self) -> PathBuf {
        self.folder.join(KINESIS_LOCAL_CERTIFICATE)
    }

    pub(super) fn loopback(&self) -> PathBuf {
        self.folder.join(LOOPBACK)
    }

    pub(super) fn start_ministack(&self) -> PathBuf {
        self.folder.join(START_MINISTACK)
    }
}

/// A command that knows where programs are and nothing else, so that a developer's settings for Python, Node or AWS
/// change nothing.
pub(super) fn without_settings(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(env::vars_os().filter(|(name, _)| name == "PATH"));
    command
}

#[cfg(test)]
mod tests;
