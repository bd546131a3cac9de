//! What an operator asks of AWS, and no Lambda function does: the archive in S3, and whether everything is there.
//!
//! ```text
//!   archive ─► object_store ─┐
//!   doctor  ─► bootstrap ────┴─► http: signed by object_store, sent by the HTTP stack of the SDK
//!           └► STS, Kinesis, DynamoDB, SNS, SQS ─► their clients
//!   signer  ─► the headers that prove to API Gateway who asks
//! ```
//!
//! S3 and SSM have no client of the SDK here: object_store reads the one, and of the other a single parameter is asked.
//!
//! What must always hold: nothing here writes; credentials, region and endpoints are those of the SDK's own chain.

mod archive;
mod bootstrap;
mod credentials;
pub mod doctor;
mod http;
mod signer;

use std::sync::Arc;

use crate::clients::{Access, ClientError, client};
use crate::{Clients, Environment};

use credentials::SdkCredentials;
use http::SdkHttp;

pub use signer::{AccessKey, RequestSigner, SignError, SignatureHeaders};

/// AWS, as an operator sees it.
#[derive(Debug)]
pub struct Operator {
    access: Access,
    clients: Clients,
    sts: aws_sdk_sts::Client,
    http: SdkHttp,
    credentials: Arc<SdkCredentials>,
    /// The endpoints that the environment allows.
    endpoints: Endpoints,
}

/// Where services answer that are asked without a client of the SDK; AWS itself when nothing is said.
#[derive(Debug, Default)]
struct Endpoints {
    s3: Option<String>,
    ssm: Option<String>,
}

impl Operator {
    /// As the environment and the profile of this process configure it.
    pub async fn from_environment(environment: &Environment) -> Result<Self, ClientError> {
        let access = Access::from_environment(environment).await?;
        let endpoint = |variable| {
            let own = environment.optional(variable).map(str::to_owned);
            own.or_else(|| access.config.endpoint_url().map(str::to_owned))
                .filter(|_| access.is_override_allowed)
        };
        let endpoints =
            Endpoints { s3: endpoint("AWS_ENDPOINT_URL_S3"), ssm: endpoint("AWS_ENDPOINT_URL_SSM") };
        Ok(Self {
            clients: Clients::new(&access),
            sts: client!(aws_sdk_sts, access),
            http: SdkHttp::new(&access.config),
            credentials: Arc::new(SdkCredentials::new(access.config.credentials_provider())),
            endpoints,
            access,
        })
    }

    /// A local AWS, with the made-up credentials that one takes.
    #[cfg(test)]
    pub(crate) async fn of_local_aws(url: &str) -> Self {
        let access = Access::of_local_aws(url).await;
        Self {
            clients: Clients::new(&access),
            sts: client!(aws_sdk_sts, access),
            http: SdkHttp::new(&access.config),
            credentials: Arc::new(SdkCredentials::new(access.config.credentials_provider())),
            endpoints: Endpoints { s3: Some(url.to_owned()), ssm: Some(url.to_owned()) },
            access,
        }
    }
}
