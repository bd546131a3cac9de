//! The checks of what is on AWS, as `wattstream-aws` makes them.

use wattstream_aws::doctor::{self, Check, Outcome, StackNames};

use super::{Finding, Status};
use crate::cli::StackArgs;

pub(super) fn findings(args: &StackArgs) -> anyhow::Result<Vec<Finding>> {
    let names = names_of(args.clone());
    crate::aws::block_on(async |environment| {
        let checks = doctor::examine(&environment, &names).await;
        Ok(checks.into_iter().map(finding_of).collect())
    })
}

fn names_of(args: StackArgs) -> StackNames {
    StackNames {
        stream: args.stream,
        readings_table: args.readings_table,
        hours_table: args.hours_table,
        sites_table: args.sites_table,
        shards_table: args.shards_table,
        alerts_table: args.alerts_table,
        silences_table: args.silences_table,
        alerts_topic_arn: args.alerts_topic_arn,
        dead_letters_queue_url: args.queue_url,
        on_failure_queue_url: args.on_failure_queue_url,
    }
}

fn finding_of(Check { subject, outcome }: Check) -> Finding {
    let (status, detail, mend) = match outcome {
        Outcome::Passed { detail } => (Status::Passed, detail, None),
        Outcome::Failed { detail, mend } => (Status::Failed, detail, Some(mend)),
        Outcome::Skipped { detail } => (Status::Skipped, detail, None),
    };
    Finding { subject, status, detail, mend }
}
