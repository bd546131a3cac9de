//! Whether everything that wattstream needs on AWS is there, and as it must be.
//!
//! What must always hold: nothing is changed; every check has an outcome, and one that failed says how to mend it; a check that
//! could not be made is never taken for one that passed.

mod queue;
mod table;

use aws_sdk_sqs::types::QueueAttributeName;
use wattstream_engine::{Error, Kind};

use super::Operator;
use super::bootstrap::{BOOTSTRAP_PARAMETER, BootstrapError};
use crate::dynamodb::{TableDefinition, TableNames, table_definitions};
use crate::error::{classify, malformed};
use crate::{ClientError, Environment};

/// The oldest bootstrap stack that the CDK deploys with: `MIN_BOOTSTRAP_STACK_VERSION` of its `DefaultStackSynthesizer`.
const BOOTSTRAP_VERSION_MIN: u32 = 6;

/// What `ACTIVE` is to streams and tables.
const ACTIVE: &str = "ACTIVE";

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is.
    pub subject: String,
    /// What was found.
    pub outcome: Outcome,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is as it must be.
    Passed {
        /// What is there.
        detail: String,
    },
    /// It is not.
    Failed {
        /// What is wrong.
        detail: String,
        /// How to mend it.
        mend: String,
    },
    /// Nobody looked.
    Skipped {
        /// Why.
        detail: String,
    },
}

/// What the resources of a stack are called. A name that is not there is a failed check, unless none is there at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackNames {
    /// The Kinesis stream.
    pub stream: Option<String>,
    /// The DynamoDB table of readings.
    pub readings_table: Option<String>,
    /// The table of hours.
    pub hours_table: Option<String>,
    /// The table of sites.
    pub sites_table: Option<String>,
    /// The table of shards.
    pub shards_table: Option<String>,
    /// The table of alerts.
    pub alerts_table: Option<String>,
    /// The table of open silences.
    pub silences_table: Option<String>,
    /// The SNS topic of alerts.
    pub alerts_topic_arn: Option<String>,
    /// The SQS queue of dead letters.
    pub dead_letters_queue_url: Option<String>,
    /// The SQS queue to which Lambda reports batches that it gave up; none when it is that of dead letters.
    pub on_failure_queue_url: Option<String>,
}

/// A resource and the variable that names it.
struct Named<'a> {
    subject: &'static str,
    name: Option<&'a str>,
    variable: &'static str,
}

/// Looks at everything, in the order in which it is to be mended.
pub async fn examine(environment: &Environment, names: &StackNames) -> Vec<Check> {
    let operator = match Operator::from_environment(environment).await {
        Ok(operator) => operator,
        Err(ClientError::NoRegion) => {
            let mend = "set AWS_REGION, or a region in the profile that AWS_PROFILE names";
            let region = Check::new("region", Outcome::failed("no AWS region is configured", mend));
            return vec![region, Check::new("all else", Outcome::skipped("nobody knows where to ask"))];
        }
    };
    let region = Outcome::passed(operator.access.region.clone());
    let credentials = operator.credentials().await;
    let is_known = matches!(credentials, Outcome::Passed { .. });
    let mut checks = vec![Check::new("region", region), Check::new("credentials", credentials)];
    if is_known {
        checks.push(Check::new("CDK bootstrap", operator.bootstrap().await));
        checks.extend(operator.stack(names).await);
    } else {
        checks.push(Check::new("all else", Outcome::skipped("there are no credentials to ask with")));
    }
    checks
}

impl Operator {
    async fn credentials(&self) -> Outcome {
        let answer = self.sts.get_caller_identity().send().await;
        match answer.map_err(|error| classify("asking STS who this is", error)) {
            Ok(identity) => {
                let (arn, account) = (identity.arn().unwrap_or("?"), identity.account().unwrap_or("?"));
                Outcome::passed(format!("{arn} of account {account}"))
            }
            Err(error) => Outcome::failed(
                error.to_string(),
                "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; a profile that signs in with SSO goes as \
                 `eval \"$(aws configure export-credentials --format env)\"`",
            ),
        }
    }

    async fn bootstrap(&self) -> Outcome {
        let mend = format!("run `npx cdk bootstrap` for this account and {}", self.access.region);
        match self.bootstrap_version().await {
            Ok(version) if version >= BOOTSTRAP_VERSION_MIN => Outcome::passed(format!("version {version}")),
            Ok(version) => Outcome::failed(
                format!("version {version}, and the CDK needs {BOOTSTRAP_VERSION_MIN} or later"),
                mend,
            ),
            Err(error @ BootstrapError::NotBootstrapped) => Outcome::failed(error.to_string(), mend),
            Err(error) => Outcome::failed(
                error.to_string(),
                format!("allow ssm:GetParameter on {BOOTSTRAP_PARAMETER}, and look again"),
            ),
        }
    }

    async fn stack(&self, names: &StackNames) -> Vec<Check> {
        if *names == StackNames::default() {
            let why = "no resource is named: set WATTSTREAM_STREAM and so on, as the functions have them, or --stream and \
                       so on";
            return vec![Check::new("the stack", Outcome::skipped(why))];
        }
        let [stream, tables @ .., topic, dead_letters, on_failure] = names.resources();
        let mut checks = vec![stream.check(async |name| self.stream(name).await).await];
        let definitions = table_definitions(&names.tables());
        for (named, definition) in tables.into_iter().zip(&definitions) {
            checks.push(named.check(async |_| self.table(definition).await).await);
        }
        checks.push(topic.check(async |arn| self.topic(arn).await).await);
        checks.push(dead_letters.check(async |url| self.queue(url).await).await);
        if on_failure.name.is_some_and(|url| dead_letters.name != Some(url)) {
            checks.push(on_failure.check(async |url| self.queue(url).await).await);
        }
        checks
    }

    async fn stream(&self, name: &str) -> Result<Outcome, Error> {
        const ASKING: &str = "asking for the stream (kinesis:DescribeStreamSummary)";
        let request = self.clients.kinesis.describe_stream_summary().stream_name(name);
        let answer = Box::pin(request.send()).await.map_err(|error| classify(ASKING, error))?;
        let summary = answer
            .stream_description_summary
            .ok_or_else(|| malformed(ASKING, "the answer has no summary"))?;
        let status = summary.stream_status().as_str();
        if status != ACTIVE {
            return Ok(Outcome::failed(
                format!("{name} is {status}"),
                "wait until it is ACTIVE, and look again",
            ));
        }
        let (shards, hours) = (summary.open_shard_count(), summary.retention_period_hours());
        Ok(Outcome::passed(format!(
            "{name} is ACTIVE, has {shards} open shards and keeps records for {hours} h"
        )))
    }

    async fn table(&self, definition: &TableDefinition) -> Result<Outcome, Error> {
        const ASKING: &str = "asking for the table (dynamodb:DescribeTable)";
        let name = &definition.name;
        let request = self.clients.dynamodb.describe_table().table_name(name);
        let answer = Box::pin(request.send()).await.map_err(|error| classify(ASKING, error))?;
        let table = answer.table.ok_or_else(|| malformed(ASKING, "the answer has no table"))?;
        let seen = table::SeenTable::from(&table);
        let differences = table::differences(definition, &seen);
        if differences.is_empty() {
            return Ok(Outcome::passed(format!("{name} is ACTIVE, with the key {}", seen.key)));
        }
        let mend = "deploy the stack, and wait until it is ACTIVE; a key cannot be changed: replay the archive into a new table";
        Ok(Outcome::failed(format!("{name}: {}", differences.join("; ")), mend))
    }

    async fn topic(&self, arn: &str) -> Result<Outcome, Error> {
        const ASKING: &str = "asking for the topic (sns:GetTopicAttributes)";
        let request = self.clients.sns.get_topic_attributes().topic_arn(arn);
        let answer = Box::pin(request.send()).await.map_err(|error| classify(ASKING, error))?;
        let attributes = answer.attributes.unwrap_or_default();
        let subscriptions = attributes.get("SubscriptionsConfirmed").map_or("0", String::as_str);
        Ok(Outcome::passed(format!("{arn}, with {subscriptions} subscriptions")))
    }

    async fn queue(&self, url: &str) -> Result<Outcome, Error> {
        const ASKING: &str = "asking for the queue (sqs:GetQueueAttributes)";
        let request = self.clients.sqs.get_queue_attributes().queue_url(url);
        let request = request.attribute_names(QueueAttributeName::All);
        let answer = Box::pin(request.send()).await.map_err(|error| classify(ASKING, error))?;
        let attributes = answer.attributes.unwrap_or_default();
        let faults = queue::faults(&attributes);
        if faults.is_empty() {
            let messages = attributes.get(&QueueAttributeName::ApproximateNumberOfMessages);
            let messages = messages.map_or("?", String::as_str);
            return Ok(Outcome::passed(format!("{url}, with about {messages} messages")));
        }
        Ok(Outcome::failed(format!("{url}: {}", faults.join("; ")), queue::MEND))
    }
}

impl StackNames {
    /// Everything that has a name: the stream, the tables in the order of their definitions, the topic and the queues.
    fn resources(&self) -> [Named<'_>; 10] {
        let named = |subject, name: &'static str, value| Named { subject, name: value, variable: name };
        [
            named("stream", "WATTSTREAM_STREAM", self.stream.as_deref()),
            named("table of readings", "WATTSTREAM_READINGS_TABLE", self.readings_table.as_deref()),
            named("table of hours", "WATTSTREAM_HOURS_TABLE", self.hours_table.as_deref()),
            named("table of sites", "WATTSTREAM_SITES_TABLE", self.sites_table.as_deref()),
            named("table of shards", "WATTSTREAM_SHARDS_TABLE", self.shards_table.as_deref()),
            named("table of alerts", "WATTSTREAM_ALERTS_TABLE", self.alerts_table.as_deref()),
            named("table of silences", "WATTSTREAM_SILENCES_TABLE", self.silences_table.as_deref()),
            named("topic of alerts", "WATTSTREAM_ALERTS_TOPIC_ARN", self.alerts_topic_arn.as_deref()),
            named(
                "queue of dead letters",
                "WATTSTREAM_DEAD_LETTERS_QUEUE_URL",
                self.dead_letters_queue_url.as_deref(),
            ),
            named(
                "queue of failed batches",
                "WATTSTREAM_ON_FAILURE_QUEUE_URL",
                self.on_failure_queue_url.as_deref(),
            ),
        ]
    }

    fn tables(&self) -> TableNames {
        let name = |name: &Option<String>| name.clone().unwrap_or_default();
        TableNames {
            readings: name(&self.readings_table),
            hours: name(&self.hours_table),
            sites: name(&self.sites_table),
            shards: name(&self.shards_table),
            alerts: name(&self.alerts_table),
            silences: name(&self.silences_table),
        }
    }
}

impl Named<'_> {
    async fn check(&self, look: impl AsyncFnOnce(&str) -> Result<Outcome, Error>) -> Check {
        let variable = self.variable;
        let Some(name) = self.name else {
            let mend =
                format!("set {variable} to its name, as the functions have it, or name it with the flag");
            return Check::new(self.subject, Outcome::failed("nobody says what it is called", mend));
        };
        let outcome = look(name).await.unwrap_or_else(|error| {
            let mend = match error.kind() {
                Kind::Retry => "look again".to_owned(),
                _ => format!(
                    "deploy the stack in this region; or allow what was asked; or set {variable} right"
                ),
            };
            Outcome::failed(format!("{name}: {error}"), mend)
        });
        Check::new(self.subject, outcome)
    }
}

impl Check {
    fn new(subject: &str, outcome: Outcome) -> Self {
        Self { subject: subject.to_owned(), outcome }
    }
}

impl Outcome {
    fn passed(detail: impl Into<String>) -> Self {
        Self::Passed { detail: detail.into() }
    }

    fn failed(detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Failed { detail: detail.into(), mend: mend.into() }
    }

    fn skipped(detail: impl Into<String>) -> Self {
        Self::Skipped { detail: detail.into() }
    }
}
