//! Schemathesis, which asks an API at random whether it is as it is described. `cargo xtask test schemathesis` brings it.
//!
//! What must always hold: it is the version of this commit, or a test that needs it says loudly that it went without.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::pinned::Pins;
use crate::skip;

/// What to install, and how it asks.
pub const PINS: Pins = Pins {
    files: &[
        ("requirements.txt", include_str!("../schemathesis/requirements.txt")),
        ("constraints.txt", include_str!("../schemathesis/constraints.txt")),
        ("wattstream_ndjson.py", include_str!("../schemathesis/wattstream_ndjson.py")),
        (SETTINGS, include_str!("../schemathesis/schemathesis.toml")),
    ],
    needed: &[PROGRAM],
};

const SETTINGS: &str = "schemathesis.toml";
const PROGRAM: &str = "venv/bin/schemathesis";
const INTERPRETER: &str = "venv/bin/python";

/// Where the installation belongs: in the workspace's target folder.
pub fn folder() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = package.ancestors().nth(2).unwrap_or(package);
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    workspace.join(target).join("schemathesis")
}

/// A run against the API whose description is at this address, in a folder for what it leaves behind. `None`, loudly, when it is not
/// installed.
pub fn against(description_url: &str, scratch: &Path) -> Option<Command> {
    let folder = folder();
    if let Some(why) = PINS.defect_of(&folder) {
        let place = folder.display();
        skip(&format!("no schemathesis in {place}: {why}; `cargo xtask test schemathesis` mends it"));
        return None;
    }
    let mut command = Command::new(folder.join(INTERPRETER));
    command.env_clear().envs(env::vars_os().filter(|(name, _)| name == "PATH"));
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("HOME", scratch).current_dir(scratch);
    command.env("PYTHONPATH", &folder).env("SCHEMATHESIS_HOOKS", "wattstream_ndjson");
    command.arg(folder.join(PROGRAM)).arg("--no-color").arg("--config-file").arg(folder.join(SETTINGS));
    command.args(["run", description_url]);
    Some(command)
}
