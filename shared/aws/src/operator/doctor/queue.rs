//! What a queue of dead letters must be like.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;

/// The longest that SQS keeps a message: 14 days.
const RETENTION_S_MAX: u32 = 14 * 24 * 3_600;

/// How a queue is mended.
pub(super) const MEND: &str = "deploy the stack, or `aws sqs set-queue-attributes --queue-url URL --attributes \
                               '{\"MessageRetentionPeriod\":\"1209600\",\"RedrivePolicy\":\"\"}'`";

/// What is wrong with a queue that has these attributes.
pub(super) fn faults(attributes: &HashMap<QueueAttributeName, String>) -> Vec<String> {
    let mut faults = Vec::new();
    let retention = attributes.get(&QueueAttributeName::MessageRetentionPeriod);
    if retention.and_then(|seconds| seconds.parse().ok()) != Some(RETENTION_S_MAX) {
        let seconds = retention.map_or("an unknown number of", String::as_str);
        faults
            .push(format!("it keeps messages for {seconds} s, not for the {RETENTION_S_MAX} s that it can"));
    }
    if attributes.get(&QueueAttributeName::RedrivePolicy).is_some_and(|policy| !policy.is_empty()) {
        faults.push("it has a redrive policy, which takes letters away after a number of looks".to_owned());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(attributes: &[(QueueAttributeName, &str)]) -> HashMap<QueueAttributeName, String> {
        attributes.iter().map(|(name, value)| (name.clone(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_queue_that_keeps_everything_as_long_as_it_can_has_no_fault() {
        assert_eq!(faults(&queue(&[(QueueAttributeName::MessageRetentionPeriod, "1209600")])), [""; 0]);
    }

    #[test]
    fn a_queue_that_loses_letters_is_told_of() {
        let short = queue(&[
            (QueueAttributeName::MessageRetentionPeriod, "345600"),
            (QueueAttributeName::RedrivePolicy, r#"{"maxReceiveCount":3}"#),
        ]);
        let [retention, policy] = &faults(&short)[..] else { panic!("two faults") };
        assert!(retention.contains("345600 s") && policy.contains("redrive policy"));
        assert_eq!(faults(&queue(&[])).len(), 1);
    }
}
