//! The whole pipeline as one process, and its command line.
//!
//! [`run`] does what a [`Cli`] asks; [`Pipeline`] is the one-machine composition of log, event source, processor, store
//! and archive, which every command that touches a data folder runs on.

mod archive;
#[cfg(feature = "aws")]
mod aws;
mod cli;
mod client;
mod commands;
mod input;
mod output;
mod pipeline;
mod signer;
mod stack;
mod stop;

use clap::CommandFactory;

pub use cli::Cli;
pub use pipeline::{AlertSettings, Pipeline};

use cli::Command;

/// Does what the command line asks, and returns when it is done.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command.unwrap_or(Command::Up(cli.up)) {
        Command::Up(args) => commands::up(&args),
        Command::Ingest(args) => commands::ingest(&args),
        Command::Replay(args) => commands::replay(&args),
        Command::Verify(args) => commands::verify(&args),
        Command::Detect(args) => commands::detect(&args),
        Command::Summary(args) => commands::summary(&args),
        Command::Records(args) => commands::records(&args),
        Command::Anomalies(args) => commands::anomalies(&args),
        Command::Doctor(args) => commands::doctor(&args),
        Command::DeadLetters(command) => commands::dead_letters(&command),
        Command::Charts(args) => commands::charts(&args),
        Command::Proxy(args) => commands::proxy(&args),
        Command::Tap(args) => commands::tap(&args),
        Command::Top(args) => commands::top(&args),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "wattstream", &mut std::io::stdout());
            Ok(())
        }
    }
}

/// The error of a command that would have to ask AWS.
#[cfg(not(feature = "aws"))]
fn without_aws(what: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "{what} need AWS, and this wattstream was built without it: build it with \
         `cargo install --path services/wattstream --features aws`"
    )
}
