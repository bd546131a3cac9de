//! The checks of what is on AWS, as `wattstream-aws` makes them.

use wattstream_aws::doctor::{self, Check, Outcome, StackNames};

use super::{Finding, Status};
use crate::cli::StackArgs;
use crate::stack::{Stack, StackError};

pub(super) fn findings(args: &StackArgs) -> anyhow::Result<Vec<Finding>> {
    let names = names_of(args.clone())?;
    crate::aws::block_on(async |environment| {
        let checks = doctor::examine(&environment, &names).await;
        Ok(checks.into_iter().map(finding_of).collect())
    })
}

/// What the flags name, and what the outputs of the stack name where they name nothing.
fn names_of(args: StackArgs) -> Result<StackNames, StackError> {
    let stack = args.stack.as_deref().map(Stack::read).transpose()?;
    let or = |named: Option<String>, output: fn(&Stack) -> &String| {
        named.or_else(|| stack.as_ref().map(|stack| output(stack).clone()))
    };
    Ok(StackNames {
        stream: or(args.stream, |stack| &stack.stream_name),
        readings_table: or(args.readings_table, |stack| &stack.readings_table),
        hours_table: or(args.hours_table, |stack| &stack.hours_table),
        sites_table: or(args.sites_table, |stack| &stack.sites_table),
        shards_table: or(args.shards_table, |stack| &stack.shards_table),
        alerts_table: or(args.alerts_table, |stack| &stack.alerts_table),
        silences_table: or(args.silences_table, |stack| &stack.silences_table),
        alerts_topic_arn: or(args.alerts_topic_arn, |stack| &stack.alerts_topic_arn),
        dead_letters_queue_url: or(args.queue_url, |stack| &stack.dead_letters_queue_url),
        on_failure_queue_url: or(args.on_failure_queue_url, |stack| &stack.on_failure_queue_url),
    })
}

fn finding_of(Check { subject, outcome }: Check) -> Finding {
    let (status, detail, mend) = match outcome {
        Outcome::Passed { detail } => (Status::Passed, detail, None),
        Outcome::Failed { detail, mend } => (Status::Failed, detail, Some(mend)),
        Outcome::Skipped { detail } => (Status::Skipped, detail, None),
    };
    Finding { subject, status, detail, mend }
}
