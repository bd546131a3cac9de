//! `doctor --aws` on a stand that has everything, and on one of which things are missing.

use std::process::Output;

use serde_json::{Value, json};

use crate::stand::{RETENTION_S, Stand, json_of};

/// The variables that name the resources of a stand, and their values.
struct Names(Vec<(&'static str, String)>);

impl Names {
    fn without(&self, variable: &str) -> Self {
        Self(self.0.iter().filter(|(name, _)| *name != variable).cloned().collect())
    }

    fn with(&self, variable: &'static str, value: &str) -> Self {
        let mut names = self.without(variable);
        names.0.push((variable, value.to_owned()));
        names
    }
}

async fn complete(stand: &Stand) -> Names {
    stand.create_stream("readings-stream", 2);
    stand.create_tables("ws-").await;
    let topic = stand.call("sns", "create_topic", &json!({ "Name": "alerts" }));
    let keeps_long = || json!({ "MessageRetentionPeriod": RETENTION_S });
    stand.call(
        "ssm",
        "put_parameter",
        &json!({ "Name": "/cdk-bootstrap/hnb659fds/version", "Value": "28", "Type": "String" }),
    );
    Names(vec![
        ("WATTSTREAM_STREAM", "readings-stream".to_owned()),
        ("WATTSTREAM_READINGS_TABLE", "ws-readings".to_owned()),
        ("WATTSTREAM_HOURS_TABLE", "ws-hours".to_owned()),
        ("WATTSTREAM_SITES_TABLE", "ws-sites".to_owned()),
        ("WATTSTREAM_SHARDS_TABLE", "ws-shards".to_owned()),
        ("WATTSTREAM_ALERTS_TABLE", "ws-alerts".to_owned()),
        ("WATTSTREAM_SILENCES_TABLE", "ws-silences".to_owned()),
        ("WATTSTREAM_ALERTS_TOPIC_ARN", topic["TopicArn"].as_str().expect("an ARN").to_owned()),
        ("WATTSTREAM_DEAD_LETTERS_QUEUE_URL", stand.create_queue("dead-letters", &keeps_long())),
        ("WATTSTREAM_ON_FAILURE_QUEUE_URL", stand.create_queue("failed-batches", &keeps_long())),
    ])
}

fn doctor(stand: &Stand, names: &Names, flags: &[&str]) -> Output {
    let mut command = stand.wattstream(&[&["doctor", "--aws"], flags].concat());
    command.envs(names.0.iter().map(|(name, value)| (name, value)));
    command.output().expect("the program starts")
}

/// The one check that failed, when nothing else has.
fn the_failure(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let checks = json_of(&output.stdout);
    let failed: Vec<_> =
        checks.as_array().expect("an array").iter().filter(|check| check["status"] == "failed").collect();
    let [failure] = failed[..] else { panic!("one check fails: {checks:#}") };
    assert!(failure["mend"].as_str().is_some_and(|mend| !mend.is_empty()), "{failure:#}");
    failure.clone()
}

#[tokio::test]
async fn a_complete_stand_is_in_order_and_what_is_missing_is_named() {
    let Some(stand) = Stand::start() else { return };
    let names = complete(&stand).await;
    let healthy = doctor(&stand, &names, &[]);
    let told = String::from_utf8_lossy(&healthy.stdout);
    assert_eq!(healthy.status.code(), Some(0), "{told}\n{}", String::from_utf8_lossy(&healthy.stderr));
    assert_eq!(told.lines().count(), 13, "{told}");
    assert!(told.lines().all(|line| line.starts_with('✓')), "{told}");
    for part in ["us-east-1", "000000000000", "version 28", "has 2 open shards and keeps records for 24 h"] {
        assert!(told.contains(part), "{part}: {told}");
    }

    let failure = |names: &Names| the_failure(&doctor(&stand, names, &["--format", "json"]));
    for (variable, check) in [
        ("WATTSTREAM_STREAM", "stream"),
        ("WATTSTREAM_HOURS_TABLE", "table of hours"),
        ("WATTSTREAM_ALERTS_TOPIC_ARN", "topic of alerts"),
        ("WATTSTREAM_DEAD_LETTERS_QUEUE_URL", "queue of dead letters"),
    ] {
        let unnamed = failure(&names.without(variable));
        assert_eq!(unnamed["check"], check);
        assert!(unnamed["mend"].as_str().is_some_and(|mend| mend.contains(variable)), "{unnamed:#}");
    }
    for (variable, value, check) in [
        ("WATTSTREAM_STREAM", "nowhere", "stream"),
        ("WATTSTREAM_SITES_TABLE", "nowhere", "table of sites"),
        ("WATTSTREAM_ALERTS_TOPIC_ARN", "arn:aws:sns:us-east-1:000000000000:nowhere", "topic of alerts"),
        ("WATTSTREAM_READINGS_TABLE", "ws-hours", "table of readings"),
    ] {
        let absent = failure(&names.with(variable, value));
        assert_eq!(absent["check"], check);
        assert!(absent["detail"].as_str().is_some_and(|detail| detail.contains(value)), "{absent:#}");
    }
    let short = stand.create_queue("short", &json!({ "MessageRetentionPeriod": "345600" }));
    let forgetful = failure(&names.with("WATTSTREAM_ON_FAILURE_QUEUE_URL", &short));
    assert_eq!(forgetful["check"], "queue of failed batches");
    assert!(forgetful["detail"].as_str().is_some_and(|detail| detail.contains("345600 s")), "{forgetful:#}");

    stand.call("ssm", "delete_parameter", &json!({ "Name": "/cdk-bootstrap/hnb659fds/version" }));
    let bare = failure(&names);
    assert_eq!(bare["check"], "CDK bootstrap");
    assert!(bare["mend"].as_str().is_some_and(|mend| mend.contains("cdk bootstrap")), "{bare:#}");
}

#[test]
fn without_names_the_account_is_looked_at_and_the_stack_is_not() {
    let Some(stand) = Stand::start() else { return };
    let output = doctor(&stand, &Names(Vec::new()), &["--format", "json"]);
    assert_eq!(the_failure(&output)["check"], "CDK bootstrap");
    let checks = json_of(&output.stdout);
    assert_eq!(checks[3]["status"], "skipped");
}

#[test]
fn without_a_region_nothing_else_is_asked() {
    let Some(stand) = Stand::start() else { return };
    let mut command = stand.wattstream(&["doctor", "--aws", "--format", "json"]);
    command.env_remove("AWS_REGION").env("AWS_EC2_METADATA_DISABLED", "true");
    let output = command.output().expect("the program starts");
    assert_eq!(the_failure(&output)["check"], "region");
}
