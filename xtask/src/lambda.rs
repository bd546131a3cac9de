//! `cargo xtask lambda`: the Lambda functions, built for Amazon Linux 2023 whatever this machine runs, and put where the CDK
//! app looks for them: `target/lambda/<function>/bootstrap`. What must always hold: a binary asks for no newer C library than
//! Lambda has, which is looked up in the binary itself; no toolchain is downloaded.

use std::{
    env,
    ffi::OsString,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};
use clap::ValueEnum;
use wattstream_test_env::pinned::Pins;

use crate::{
    packages::{self, PYTHON},
    workspace::{Workspace, output, run},
};

/// A function, and how cargo finds it.
pub(crate) struct Function {
    /// The name of its binary, and of its folder.
    pub(crate) name: &'static str,
    package: &'static str,
    /// The package's feature that makes it a function; none where it is nothing else.
    feature: Option<&'static str>,
}

/// Every function of the CDK app.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function { name: "stream-consumer", package: "wattstream-stream-consumer", feature: None },
    Function { name: "silent-sites", package: "wattstream-silent-sites", feature: None },
    Function { name: "query-api", package: "wattstream-query-api", feature: Some("lambda") },
    Function { name: "simulator", package: "wattstream-simulator", feature: Some("lambda") },
];

/// What a function runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Arch {
    /// Graviton: what every stage deploys.
    Arm64,
    /// What most machines can run, and a local AWS here.
    #[value(name = "x86_64")]
    X86_64,
}

/// The C library of Amazon Linux 2023, as its minor version.
const GLIBC_MINOR_MAX: u32 = 34;

/// cargo-lambda, and zig for its linker and C library.
const PINS: Pins = Pins {
    files: &[("requirements.txt", include_str!("../lambda/requirements.txt"))],
    needed: &["venv/bin/python", "venv/bin/cargo-lambda"],
};

/// Builds these functions, or all where none is named, and tells what came of it.
pub(crate) fn build(
    workspace: &Workspace,
    arch: Arch,
    names: &[String],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    insist_on_target(arch.target())?;
    let tools = workspace.root.join("target/cargo-lambda");
    packages::install(PINS, tools.clone(), &[PYTHON], |unfinished| {
        packages::install_python_packages(unfinished.folder())
    })?
    .insist()?;
    let functions: Vec<_> = FUNCTIONS
        .iter()
        .filter(|function| names.is_empty() || names.iter().any(|name| name == function.name))
        .collect();
    let folder = workspace.root.join("target/lambda");
    run(&mut cargo_lambda(workspace, &tools, arch, &functions, &folder)?)?;
    for function in functions {
        let binary = folder.join(function.name).join("bootstrap");
        let bytes = fs::read(&binary).with_context(|| binary.display().to_string())?;
        insist_on_glibc(function.name, &bytes)?;
        let (whole, tenth) = (bytes.len() / 1_000_000, bytes.len() / 100_000 % 10);
        writeln!(out, "    {} {whole}.{tenth} MB", binary.display())?;
    }
    Ok(())
}

impl Arch {
    fn target(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::X86_64 => "x86_64-unknown-linux-gnu",
        }
    }
}

/// cargo-lambda would ask rustup for a missing target; whether to download a toolchain is for a person to say.
fn insist_on_target(target: &str) -> anyhow::Result<()> {
    let folder = output(Command::new("rustc").args(["--print", "target-libdir", "--target"]).arg(target))?;
    if !Path::new(folder.trim()).is_dir() {
        bail!(
            "this toolchain has no standard library for {target}; `rustup target add {target}` brings it, and \
             `--arch x86_64` builds what this machine can run"
        );
    }
    Ok(())
}

fn cargo_lambda(
    workspace: &Workspace,
    tools: &Path,
    arch: Arch,
    functions: &[&Function],
    folder: &Path,
) -> anyhow::Result<Command> {
    let target = format!("{}.2.{GLIBC_MINOR_MAX}", arch.target());
    let mut command = workspace.cargo(["lambda", "build", "--locked", "--profile", "function"]);
    // Without --skip-target-check it runs `rustup target add`.
    command.args(["--skip-target-check", "--target", &target]).arg("--lambda-dir").arg(folder);
    for function in functions {
        command.args(["--package", function.package, "--bin", function.name]);
        if let Some(feature) = function.feature {
            command.arg("--features").arg(format!("{}/{feature}", function.package));
        }
    }
    // cargo finds cargo-lambda there, and cargo-lambda finds Python with zig.
    command.env("PATH", with_first(tools.join("venv/bin"))?);
    Ok(command)
}

fn with_first(folder: PathBuf) -> anyhow::Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(std::iter::once(folder).chain(env::split_paths(&path)))?)
}

/// A binary that asks for a newer C library starts nowhere in Lambda.
fn insist_on_glibc(function: &str, binary: &[u8]) -> anyhow::Result<()> {
    match glibc_minor(binary) {
        Some(minor) if minor <= GLIBC_MINOR_MAX => Ok(()),
        Some(minor) => {
            bail!("{function} asks for glibc 2.{minor}, and Amazon Linux 2023 has 2.{GLIBC_MINOR_MAX}")
        }
        None => bail!("{function} asks for no version of glibc: it is no program for Amazon Linux"),
    }
}

/// The newest version of glibc of which a binary wants a symbol; they are named `GLIBC_2.34`.
fn glibc_minor(binary: &[u8]) -> Option<u32> {
    const MARK: &[u8] = b"GLIBC_2.";
    let after_mark = binary.windows(MARK.len()).zip(MARK.len()..).filter(|(window, _)| *window == MARK);
    let minor = |at: usize| {
        let digits = binary[at..].iter().take_while(|byte| byte.is_ascii_digit());
        digits
            .fold(None, |number: Option<u32>, digit| Some(number.unwrap_or(0) * 10 + u32::from(digit - b'0')))
    };
    after_mark.filter_map(|(_, at)| minor(at)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_glibc_that_a_binary_asks_for_is_found() {
        assert_eq!(glibc_minor(b"\x7fELF\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.2.5\0GLIBC_PRIVATE"), Some(34));
        assert_eq!(glibc_minor(b"GLIBC_2."), None);
        assert!(insist_on_glibc("simulator", b"GLIBC_2.34\0").is_ok());
        let error = insist_on_glibc("simulator", b"GLIBC_2.34\0GLIBC_2.36\0").unwrap_err().to_string();
        assert_eq!(error, "simulator asks for glibc 2.36, and Amazon Linux 2023 has 2.34");
        assert!(insist_on_glibc("simulator", b"#!/bin/sh").is_err());
    }

    #[test]
    fn a_target_that_is_not_there_is_named_with_what_brings_it() {
        if cfg!(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")) {
            insist_on_target(Arch::X86_64.target()).unwrap();
        }
        // rustc knows it, and nobody ships a standard library for it.
        let error = insist_on_target("mips-unknown-linux-gnu").unwrap_err().to_string();
        assert!(error.contains("`rustup target add mips-unknown-linux-gnu`"), "{error}");
    }
}
