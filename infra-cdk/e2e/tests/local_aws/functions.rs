//! The functions to deploy: those of a folder that the environment names, or the binaries that the tests were built with.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names a folder with FUNCTION/bootstrap for each function; `cargo xtask e2e --functions DIR` sets it.
const FOLDER: &str = "WATTSTREAM_E2E_FUNCTIONS";

const FUNCTIONS: [&str; 4] = ["stream-consumer", "silent-sites", "query-api", "simulator"];

/// The folder of the functions; made in `scratch`, unless the environment names one.
pub(crate) fn staged(scratch: &Path) -> PathBuf {
    if let Some(folder) = env::var_os(FOLDER) {
        return folder.into();
    }
    let folder = scratch.join("functions");
    for function in FUNCTIONS {
        let target = folder.join(function).join("bootstrap");
        fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
        strip(&built(function), &target);
    }
    folder
}

/// A binary of the workspace, which cargo puts beside the tests.
pub(crate) fn built(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the test knows its own path");
    let profile = test.ancestors().nth(2).expect("a test is in the folder `deps` of its profile");
    let binary = profile.join(name);
    assert!(binary.exists(), "{} is not built; `cargo xtask e2e` builds it with the test", binary.display());
    binary
}

/// Most of a test's binary is what debuggers want, and each function is zipped, uploaded and unpacked.
fn strip(binary: &Path, target: &Path) {
    let output = Command::new("strip").arg("-o").args([target, binary]).output();
    let output = output.expect("strip is there: it comes with the linker");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The architecture that functions on this machine have, in the CDK app's words.
pub(crate) fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}
