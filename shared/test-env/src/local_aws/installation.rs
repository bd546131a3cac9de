//! Where the local AWS is installed, and whether it is what this commit wants. What must always hold: an installation
//! counts only when it was finished and was made from exactly these pins; it is one folder, which can be thrown away.
//!
//! The folder holds the pins themselves, a virtual environment of Python, node_modules, and a mark that is written last.
//! `cargo xtask local-aws install` fills it.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};

/// Overrides where the installation is, for the installer and the tests alike.
const FOLDER: &str = "WATTSTREAM_LOCAL_AWS";

/// What to install and what to start it with, by file name.
const PINS: &[(&str, &str)] = &[
    ("requirements.txt", include_str!("../../local-aws/requirements.txt")),
    ("constraints.txt", include_str!("../../local-aws/constraints.txt")),
    ("package.json", include_str!("../../local-aws/package.json")),
    ("package-lock.json", include_str!("../../local-aws/package-lock.json")),
    (LOOPBACK, include_str!("../../local-aws/loopback.cjs")),
];

const LOOPBACK: &str = "loopback.cjs";

/// Tells that the installer came to its end.
const FINISHED: &str = "finished";

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

/// A folder that holds the pins, for an installer to work in.
#[derive(Debug)]
pub struct Unfinished {
    folder: PathBuf,
}

impl Installation {
    /// The installation in this folder, if it is finished and was made from the pins of this commit.
    pub fn find(folder: PathBuf) -> Result<Self, NotInstalled> {
        let installation = Self { folder };
        match installation.defect() {
            None => Ok(installation),
            Some(why) => Err(NotInstalled { folder: installation.folder, why }),
        }
    }

    fn defect(&self) -> Option<String> {
        if !self.folder.join(FINISHED).exists() {
            return Some("it was never installed, or not to the end".to_owned());
        }
        let is_other = |(name, text): &&(&str, &str)| {
            fs::read_to_string(self.folder.join(name)).map_or(true, |installed| installed != *text)
        };
        if let Some((name, _)) = PINS.iter().find(is_other) {
            return Some(format!("it was made from another {name}"));
        }
        // The interpreter in a virtual environment is a link, which an upgrade of the system leaves dangling.
        let needed = [self.interpreter(), self.kinesis_local()];
        let missing = needed.iter().find(|path| !path.exists())?;
        Some(format!("{} is gone", missing.display()))
    }

    /// Starts anew: an empty folder but for the pins.
    pub fn begin(folder: PathBuf) -> io::Result<Unfinished> {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&folder)?,
        }
        for (name, text) in PINS {
            fs::write(folder.join(name), text)?;
        }
        Ok(Unfinished { folder })
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
        self.folder.join(VIRTUAL_ENVIRONMENT).join("bin/python")
    }

    pub(super) fn kinesis_local(&self) -> PathBuf {
        self.folder.join("node_modules/kinesis-local/main.js")
    }

    pub(super) fn kinesis_local_certificate(&self) -> PathBuf {
        self.folder.join("node_modules/kinesis-local/server.json")
    }

    pub(super) fn loopback(&self) -> PathBuf {
        self.folder.join(LOOPBACK)
    }
}

const VIRTUAL_ENVIRONMENT: &str = "venv";

impl Unfinished {
    /// Where npm finds its package.json, and makes its node_modules.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the virtual environment belongs.
    pub fn virtual_environment(&self) -> PathBuf {
        self.folder.join(VIRTUAL_ENVIRONMENT)
    }

    /// What pip installs there.
    pub fn requirements(&self) -> PathBuf {
        self.folder.join("requirements.txt")
    }

    /// Marks it as finished, and looks whether everything is there.
    pub fn finish(self) -> io::Result<Installation> {
        fs::write(self.folder.join(FINISHED), "")?;
        Installation::find(self.folder).map_err(io::Error::other)
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
