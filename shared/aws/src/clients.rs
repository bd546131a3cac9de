//! The clients of the AWS services, set up once in a process.
//!
//! What must always hold: one HTTP stack with one connection pool for all of them; every time limit and every retry is set here and
//! not left to a default; an endpoint of the environment counts only where somebody has allowed it, so that a variable
//! that was left behind cannot send a fleet's readings elsewhere.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use crate::Environment;

/// Allows `AWS_ENDPOINT_URL` and its kin, for a local AWS.
const ALLOW_ENDPOINT_OVERRIDE: &str = "WATTSTREAM_ALLOW_ENDPOINT_OVERRIDE";
const ENDPOINT_VARIABLES: &str = "AWS_ENDPOINT_URL";

/// The longest that a connection may take: AWS answers from the same region within a few milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest that one attempt may take. A `GetRecords` of 10 MiB takes a few seconds; everything else milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest that a request may take with its attempts.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(12);
/// How often a request is tried that AWS refused as a whole. Entries that it sent back are sent again by `batches`.
const ATTEMPTS_MAX: u32 = 3;
/// The longest wait between two attempts of one request.
const BACKOFF_MAX: Duration = Duration::from_secs(2);
const BACKOFF_FIRST: Duration = Duration::from_millis(50);

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

/// Why there can be no clients.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing says which region.
    #[error("no AWS region is configured: set AWS_REGION, or a region in the profile that AWS_PROFILE names")]
    NoRegion,
}

impl Clients {
    /// Clients as the environment and the profile of this process configure them.
    pub async fn from_environment(environment: &Environment) -> Result<Self, ClientError> {
        let config = load().await;
        if config.region().is_none() {
            return Err(ClientError::NoRegion);
        }
        let is_override_allowed = environment.is_on(ALLOW_ENDPOINT_OVERRIDE);
        if !is_override_allowed {
            for variable in environment.names_beginning_with(ENDPOINT_VARIABLES) {
                tracing::warn!(variable, "Ignored; {ALLOW_ENDPOINT_OVERRIDE}=1 allows other endpoints.");
            }
        }
        Ok(Self::new(&config, is_override_allowed))
    }

    fn new(config: &SdkConfig, is_override_allowed: bool) -> Self {
        macro_rules! client {
            ($sdk:ident) => {{
                let mut builder = $sdk::config::Builder::from(config);
                if !is_override_allowed {
                    builder.set_endpoint_url(None);
                }
                $sdk::Client::from_conf(builder.build())
            }};
        }
        Self {
            dynamodb: client!(aws_sdk_dynamodb),
            kinesis: client!(aws_sdk_kinesis),
            sns: client!(aws_sdk_sns),
            sqs: client!(aws_sdk_sqs),
        }
    }
}

async fn load() -> SdkConfig {
    let https =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(https)
        .timeout_config(timeouts())
        .retry_config(retries())
        .load()
        .await
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
