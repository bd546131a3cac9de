//! The local AWS of the tests: installed from PyPI and npm into the target folder, and started for a person who wants to
//! look around. What must always hold: pip and npm find their registries in the machine's own configuration; what is
//! there already costs nothing; an installation that was broken off is begun anew.

use std::{
    fs::File,
    io::Write,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

use anyhow::{Context, bail};
use wattstream_test_env::local_aws::{
    ACCESS_KEY_ID, Installation, Program, REGION, SECRET_ACCESS_KEY, Server, folder,
};

use crate::{
    steps::Outcome,
    workspace::{Workspace, run},
};

/// A program that the installation begins with.
struct Tool {
    /// Succeeds where the tool is as it must be.
    probe: &'static [&'static str],
    /// What is missing otherwise.
    name: &'static str,
    debian_packages: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        probe: &["python3", "-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"],
        name: "Python 3.11 or later with venv",
        debian_packages: "python3 python3-venv",
    },
    Tool { probe: &["node", "--version"], name: "Node.js", debian_packages: "nodejs" },
    Tool { probe: &["npm", "--version"], name: "npm", debian_packages: "npm" },
];

/// Installs what is not there yet. Skipped where a tool is missing that this machine would have to bring.
pub(crate) fn install(_: &Workspace) -> anyhow::Result<Outcome> {
    if Installation::find(folder()).is_ok() {
        return Ok(Outcome::Passed);
    }
    let missing: Vec<_> = TOOLS.iter().filter(|tool| !succeeds(tool.probe)).collect();
    if !missing.is_empty() {
        return Ok(Outcome::Skipped(how_to_mend(&missing)));
    }
    // Worktrees may share a target folder, and with it the installation.
    let _lock = lock()?;
    if Installation::find(folder()).is_err() {
        fill()?;
    }
    Ok(Outcome::Passed)
}

fn lock() -> anyhow::Result<File> {
    let path = folder().with_extension("lock");
    let in_path = || path.display().to_string();
    path.parent().map_or(Ok(()), std::fs::create_dir_all).with_context(in_path)?;
    let file = File::create(&path).with_context(in_path)?;
    file.lock().with_context(in_path)?;
    Ok(file)
}

fn fill() -> anyhow::Result<()> {
    let unfinished = Installation::begin(folder()).with_context(|| folder().display().to_string())?;
    let environment = unfinished.virtual_environment();
    run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    // Wheels only: nothing is compiled, and no script of a package runs.
    let quietly = ["--quiet", "--no-input", "--disable-pip-version-check"];
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--only-binary", ":all:"]).args(quietly);
    run(pip.arg("--requirement").arg(unfinished.requirements()))?;
    let quietly = ["--no-audit", "--no-fund", "--no-update-notifier"];
    let mut npm = Command::new("npm");
    run(npm.args(["ci", "--ignore-scripts"]).args(quietly).current_dir(unfinished.folder()))?;
    unfinished.finish()?;
    Ok(())
}

fn succeeds(probe: &[&str]) -> bool {
    let Some((program, arguments)) = probe.split_first() else { return false };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn how_to_mend(missing: &[&Tool]) -> String {
    let names: Vec<_> = missing.iter().map(|tool| tool.name).collect();
    let packages: Vec<_> = missing.iter().map(|tool| tool.debian_packages).collect();
    format!(
        "missing here: {}; on Debian, `apt-get install {}` mends it",
        names.join(", "),
        packages.join(" ")
    )
}

/// Starts every server and tells where each answers, until Ctrl-C ends this process and them with it, or one of them
/// ends by itself.
pub(crate) fn up(out: &mut dyn Write) -> anyhow::Result<()> {
    let installation = Installation::find(folder())?;
    let servers = Program::ALL.map(|program| Server::start(&installation, program));
    let servers = servers.into_iter().collect::<Result<Vec<_>, _>>()?;
    out.write_all(greeting(&servers).as_bytes())?;
    let (ended, first_end) = mpsc::channel();
    for mut server in servers {
        let ended = ended.clone();
        thread::spawn(move || ended.send(server.wait()));
    }
    bail!("{}", first_end.recv()??)
}

/// Where each server answers, and what makes a shell's AWS tools and SDKs talk to them.
fn greeting(servers: &[Server]) -> String {
    let url_of = |program| servers.iter().find(|server| server.program() == program).map_or("", Server::url);
    let line = |server: &Server| {
        let program = server.program();
        format!("{:<14} {}  {}\n", program.to_string(), server.url(), program.services())
    };
    let lines: Vec<_> = servers.iter().map(line).collect();
    format!(
        "{}\nexport AWS_ENDPOINT_URL={} AWS_ENDPOINT_URL_KINESIS={}\n\
         export AWS_ACCESS_KEY_ID={ACCESS_KEY_ID} AWS_SECRET_ACCESS_KEY={SECRET_ACCESS_KEY}\n\
         export AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION}\n\n\
         Ctrl-C ends them all.\n",
        lines.concat(),
        url_of(Program::Ministack),
        url_of(Program::KinesisLocal),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_named_with_the_package_that_brings_it() {
        let away = Tool { probe: &["no-such-program"], name: "Node.js", debian_packages: "nodejs" };
        let too_old = Tool { probe: &["false"], name: "Python", debian_packages: "python3 python3-venv" };
        let here = Tool { probe: &["true"], name: "true", debian_packages: "coreutils" };
        let missing: Vec<_> =
            [&away, &here, &too_old].into_iter().filter(|tool| !succeeds(tool.probe)).collect();
        let told = how_to_mend(&missing);
        assert_eq!(
            told,
            "missing here: Node.js, Python; on Debian, `apt-get install nodejs python3 python3-venv` mends it"
        );
    }
}
