//! `wattstream dead-letters`: what could not be processed, wherever it was set aside.

mod process;
#[cfg(feature = "aws")]
mod queues;

use crate::cli::DeadLettersCommand;

/// Lists, shows, redrives or purges dead letters.
pub(crate) fn dead_letters(command: &DeadLettersCommand) -> anyhow::Result<()> {
    let urls = command.place().queues.urls();
    if urls.is_empty() {
        return process::dead_letters(command);
    }
    #[cfg(feature = "aws")]
    return queues::dead_letters(command, &urls);
    #[cfg(not(feature = "aws"))]
    Err(crate::without_aws("the queues of dead letters"))
}
