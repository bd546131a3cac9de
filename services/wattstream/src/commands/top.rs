//! `wattstream top`: how the pipeline is, once an interval; a view on a terminal, lines elsewhere.
//!
//! What must always hold: everything that is shown comes from the API; a process that is away is told of and asked again, never
//! an error; the terminal is left as it was found, whatever ends the command.

mod lines;
mod model;
mod prometheus;
mod sample;
mod screen;
mod view;

use std::io::IsTerminal;
use std::time::Duration;

use crate::cli::{Format, TopArgs};
use sample::Sampler;

/// How often a process is asked.
const EVERY_LOCAL: Duration = Duration::from_secs(1);
/// How often an API on AWS is asked: each question there is a request that somebody pays for.
const EVERY_REMOTE: Duration = Duration::from_secs(5);

/// Watches until somebody has seen enough.
pub(crate) fn top(args: &TopArgs) -> anyhow::Result<()> {
    let sampler = Sampler::new(args)?;
    let usual = if args.query.access.stack.is_some() { EVERY_REMOTE } else { EVERY_LOCAL };
    let every = args.interval.unwrap_or(usual);
    if std::io::stdout().is_terminal() && args.query.format == Format::Table {
        return screen::run(sampler, every);
    }
    lines::run(&sampler, every, args.query.format)
}
