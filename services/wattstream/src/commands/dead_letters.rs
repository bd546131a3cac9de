//! `wattstream dead-letters`: what could not be processed, wherever it was set aside.

mod process;
#[cfg(feature = "aws")]
mod queues;

use crate::cli::DeadLettersCommand;

/// Lists, shows, redrives or purges dead letters.
pub(crate) fn dead_letters(command: &DeadLettersCommand) -> anyhow::Result<()> {
    let place = command.place();
    if place.queues.is_named() || place.query.access.stack.is_some() {
        return in_queues(command);
    }
    process::dead_letters(command)
}

#[cfg(feature = "aws")]
fn in_queues(command: &DeadLettersCommand) -> anyhow::Result<()> {
    queues::dead_letters(command)
}

#[cfg(not(feature = "aws"))]
fn in_queues(_command: &DeadLettersCommand) -> anyhow::Result<()> {
    Err(crate::without_aws("the queues of dead letters"))
}
