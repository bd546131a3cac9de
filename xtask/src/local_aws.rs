//! The local AWS of the tests: installed from PyPI and npm into the target folder, and started for a person who wants to
//! look around.

use std::{io::Write, sync::mpsc, thread};

use anyhow::bail;
use wattstream_test_env::local_aws::{
    ACCESS_KEY_ID, Installation, PINS, Program, REGION, SECRET_ACCESS_KEY, Server, folder,
};

use crate::{
    packages::{self, NODE, NPM, PYTHON},
    steps::Outcome,
    workspace::Workspace,
};

/// Installs what is not there yet.
pub(crate) fn install(_: &Workspace) -> anyhow::Result<Outcome> {
    packages::install(PINS, folder(), &[PYTHON, NODE, NPM], |unfinished| {
        packages::install_python_packages(unfinished.folder())?;
        packages::install_npm_packages(unfinished.folder())
    })
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
