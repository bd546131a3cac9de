//! The checkout that this tool belongs to, and the commands it runs there. What must always hold: a command is shown
//! before it runs, so that a person can run it alone; cargo sees the same environment as from a shell.

use std::{
    env,
    ffi::OsStr,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};

/// The checkout.
pub(crate) struct Workspace {
    /// Its folder.
    pub(crate) root: PathBuf,
}

impl Workspace {
    /// The workspace that holds this very package.
    pub(crate) fn of_this_tool() -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self { root: package.parent().unwrap_or(package).to_owned() }
    }

    /// A cargo command in the workspace's folder. The variables that `cargo run` sets for this tool are taken away
    /// again: build scripts that watch them, such as ring's, would run anew after each change between shell and xtask.
    pub(crate) fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root).args(arguments);
        for (name, _) in env::vars_os().filter(|(name, _)| is_set_by_cargo_run(name)) {
            command.env_remove(name);
        }
        command
    }

    /// Whether `cargo SUBCOMMAND` is there to be run.
    pub(crate) fn has_cargo_subcommand(&self, subcommand: &str) -> bool {
        output(&mut self.cargo([subcommand, "--version"])).is_ok()
    }
}

/// Runs the command with its output on this process's own streams.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    writeln!(io::stderr(), "    $ {}", shown(command))?;
    let status = command.stdin(Stdio::null()).status().with_context(|| shown(command))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs the command and returns what it wrote to stdout.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| shown(command))?;
    if !output.status.success() {
        bail!(
            "`{}` ended with {}:\n{}",
            shown(command),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("the output of `{}`", shown(command)))
}

fn is_set_by_cargo_run(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// The command as a person would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_else(|| command.get_program());
    let set = command.get_envs().filter_map(|(name, value)| {
        Some(format!("{}='{}'", name.to_string_lossy(), value?.to_string_lossy()))
    });
    let words =
        std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy().into_owned());
    set.chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_a_person_would_type_it() {
        let mut command = Command::new("/some/where/cargo");
        command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").env_remove("CARGO_PKG_NAME");
        assert_eq!(shown(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }

    #[test]
    fn a_command_that_fails_is_an_error_that_shows_it() {
        let workspace = Workspace::of_this_tool();
        let error = run(&mut workspace.cargo(["no-such-subcommand"])).unwrap_err().to_string();
        assert!(error.starts_with("`cargo no-such-subcommand` ended with"), "{error}");
        assert!(!workspace.has_cargo_subcommand("no-such-subcommand"));
    }
}
