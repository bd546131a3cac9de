//! The clients of the AWS services, set up once in a process.
//!
//! What must always hold: one HTTP stack with one connection pool for all of them; every time limit and every retry is set here and
//! not left to a default; an endpoint of the environment counts only where somebody has allowed it, so that a variable
//! that was left behind cannot send a fleet's readings elsewhere.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_kinesis::config::Credentials;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use crate::Environment;

/// Allows `AWS_ENDPOINT_URL` and its kin, for a local AWS.
const ALLOW_ENDPOINT_OVERRIDE: &str = "WATTSTREAM_ALLOW_ENDPOINT_OVERRIDE";
const ENDPOINT_VARIABLES: &str = "AWS_ENDPOINT_URL";

/// The longest that a connection may take: AWS answers from the same region within a few milliseconds.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest that one attempt may take. A `GetRecords` of 10 MiB takes a few seconds; everything else milliseconds.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest that a request may take with its attempts.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(12);
/// How often a request is tried that AWS refused as a whole. Entries that it sent back are sent again by `batches`.
const ATTEMPTS_MAX: u32 = 3;
/// The longest wait between two attempts of one request.
const BACKOFF_MAX: Duration = Duration::from_secs(2);
const BACKOFF_FIRST: Duration = Duration::from_millis(50);

/// The region and the account that a local AWS is asked for.
const LOCAL_REGION: Region = Region::from_static("us-east-1");
const LOCAL_NAME: &str = "local";

/// A client of each service. Cheap to clone: clones share connections and credentials.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Tables and queries.
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    /// The stream.
    pub(crate) kinesis: aws_sdk_kinesis::Client,
    /// Alerts.
    pub(crate) sns: aws_sdk_sns::Client,
    /// Dead letters.
    pub(crate) sqs: aws_sdk_sqs::Client,
}

/// Where the services of a local AWS answer; they need not be one program.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LocalEndpoints {
    pub dynamodb: String,
    pub kinesis: String,
    pub sns: String,
    pub sqs: String,
}

impl LocalEndpoints {
    /// One program for all of them.
    pub fn all_at(url: impl Into<String>) -> Self {
        let url = url.into();
        Self { dynamodb: url.clone(), kinesis: url.clone(), sns: url.clone(), sqs: url }
    }
}

/// Why there can be no clients.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing says which region.
    #[error("no AWS region is configured: set AWS_REGION, or a region in the profile that AWS_PROFILE names")]
    NoRegion,
}

/// How this process reaches AWS.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) config: SdkConfig,
    #[cfg_attr(
        not(feature = "operator"),
        expect(dead_code, reason = "the clients have it in their configuration")
    )]
    pub(crate) region: String,
    /// Whether the endpoints of the environment count.
    pub(crate) is_override_allowed: bool,
}

impl Access {
    /// As the environment and the profile of this process configure it.
    pub(crate) async fn from_environment(environment: &Environment) -> Result<Self, ClientError> {
        let config = loader().load().await;
        let region = config.region().ok_or(ClientError::NoRegion)?.to_string();
        let is_override_allowed = environment.is_on(ALLOW_ENDPOINT_OVERRIDE);
        if !is_override_allowed {
            for variable in environment.names_beginning_with(ENDPOINT_VARIABLES) {
                tracing::warn!(variable, "Ignored; {ALLOW_ENDPOINT_OVERRIDE}=1 allows other endpoints.");
            }
        }
        Ok(Self { config, region, is_override_allowed })
    }
}

#[cfg(all(test, feature = "operator"))]
impl Access {
    /// All of a local AWS at one address.
    pub(crate) async fn of_local_aws(url: &str) -> Self {
        let credentials = Credentials::new(LOCAL_NAME, LOCAL_NAME, None, None, LOCAL_NAME);
        let loader = loader().region(LOCAL_REGION).credentials_provider(credentials).endpoint_url(url);
        Self { config: loader.load().await, region: LOCAL_REGION.to_string(), is_override_allowed: true }
    }
}

/// A client of an SDK crate with an [`Access`].
macro_rules! client {
    ($sdk:ident, $access:expr) => {{
        let mut builder = $sdk::config::Builder::from(&$access.config);
        if !$access.is_override_allowed {
            builder.set_endpoint_url(None);
        }
        $sdk::Client::from_conf(builder.build())
    }};
}
#[cfg(feature = "operator")]
pub(crate) use client;

impl Clients {
    /// Clients as the environment and the profile of this process configure them.
    pub async fn from_environment(environment: &Environment) -> Result<Self, ClientError> {
        Ok(Self::new(&Access::from_environment(environment).await?))
    }

    /// The region that they ask.
    pub fn region(&self) -> &str {
        self.kinesis.config().region().map_or("", Region::as_ref)
    }

    /// Clients of a local AWS, with the made-up credentials that one takes; everything else is as in production.
    pub async fn of_local_aws(endpoints: &LocalEndpoints) -> Self {
        let credentials = Credentials::new(LOCAL_NAME, LOCAL_NAME, None, None, LOCAL_NAME);
        let config = loader().region(LOCAL_REGION).credentials_provider(credentials).load().await;
        macro_rules! client_at {
            ($sdk:ident, $endpoint:expr) => {{
                let builder = $sdk::config::Builder::from(&config).endpoint_url($endpoint);
                $sdk::Client::from_conf(builder.build())
            }};
        }
        Self {
            dynamodb: client_at!(aws_sdk_dynamodb, &endpoints.dynamodb),
            kinesis: client_at!(aws_sdk_kinesis, &endpoints.kinesis),
            sns: client_at!(aws_sdk_sns, &endpoints.sns),
            sqs: client_at!(aws_sdk_sqs, &endpoints.sqs),
        }
    }

    pub(crate) fn new(access: &Access) -> Self {
        Self {
            dynamodb: client!(aws_sdk_dynamodb, access),
            kinesis: client!(aws_sdk_kinesis, access),
            sns: client!(aws_sdk_sns, access),
            sqs: client!(aws_sdk_sqs, access),
        }
    }
}

fn loader() -> ConfigLoader {
    let https =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(https)
        .timeout_config(timeouts())
        .retry_config(retries())
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(ATTEMPT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(ATTEMPTS_MAX)
        .with_initial_backoff(BACKOFF_FIRST)
        .with_max_backoff(BACKOFF_MAX)
}
