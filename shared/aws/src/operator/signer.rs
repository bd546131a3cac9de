//! Signatures for requests to the API behind API Gateway, whose authorizer is IAM: the command line is a client like any other,
//! and proves with them who asks.
//!
//! What must always hold: a signature covers the method, the address and the body as they go over the wire; credentials are
//! those of the SDK's own chain, and are asked for again before they end.

use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_kinesis::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;

use super::credentials::SdkCredentials;
use crate::Environment;
use crate::clients::{Access, ClientError};
use crate::error::Chain;

/// What API Gateway is called in a signature.
const SERVICE: &str = "execute-api";

/// Where credentials come from, for the SDK's log.
const SOURCE: &str = "the chain of the SDK";

/// Signs requests as whoever the environment and the profile of this process say.
#[derive(Debug)]
pub struct RequestSigner {
    credentials: Arc<SdkCredentials>,
    region: String,
}

/// Why a request could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// Nobody is there to sign as.
    #[error("there are no credentials: {0}")]
    NoCredentials(String),
    /// What should be signed is no request.
    #[error("{0}")]
    Unsignable(String),
}

/// The headers that make a request a signed one, by name.
pub type SignatureHeaders = Vec<(&'static str, String)>;

/// An access key of somebody, or of a session of theirs.
#[derive(Clone)]
pub struct AccessKey {
    /// Its name.
    pub id: String,
    /// What nobody else knows.
    pub secret: String,
    /// What comes with a key that ends by itself.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl RequestSigner {
    /// As the environment and the profile of this process configure it.
    pub async fn from_environment(environment: &Environment) -> Result<Self, ClientError> {
        let Access { config, region, .. } = Access::from_environment(environment).await?;
        Ok(Self { credentials: Arc::new(SdkCredentials::new(config.credentials_provider())), region })
    }

    /// The headers for a request to `url`, which goes out just as it is given here.
    pub async fn sign(&self, method: &str, url: &str, body: &[u8]) -> Result<SignatureHeaders, SignError> {
        let credential = self.credentials.get_credential().await;
        let credential =
            credential.map_err(|error| SignError::NoCredentials(Chain::of(&error).to_string()))?;
        let AwsCredential { key_id, secret_key, token } = &*credential;
        let key = AccessKey { id: key_id.clone(), secret: secret_key.clone(), session_token: token.clone() };
        key.sign(&self.region, SystemTime::now(), (method, url, body))
    }
}

impl AccessKey {
    /// The headers for a request of this method, to this address, with this body, which an API in `region` takes for some minutes
    /// from `time` on.
    pub fn sign(
        &self,
        region: &str,
        time: SystemTime,
        (method, url, body): (&str, &str, &[u8]),
    ) -> Result<SignatureHeaders, SignError> {
        let unsignable = |error: &(dyn std::error::Error + 'static)| {
            SignError::Unsignable(format!("{method} {url}: {}", Chain::of(error)))
        };
        let Self { id, secret, session_token } = self;
        let identity = Credentials::new(id, secret, session_token.clone(), None, SOURCE).into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(SERVICE)
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| unsignable(&error))?
            .into();
        let request = SignableRequest::new(method, url, std::iter::empty(), SignableBody::Bytes(body))
            .map_err(|error| unsignable(&error))?;
        let signed = sign(request, &params).map_err(|error| unsignable(&error))?;
        let (headers, _parameters) = signed.into_parts().0.into_parts();
        Ok(headers.into_iter().map(|header| (header.name(), header.value().to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key() -> AccessKey {
        let [id, secret, token] = ["AKIDEXAMPLE", "secret", "token"].map(str::to_owned);
        AccessKey { id, secret, session_token: Some(token) }
    }

    fn authorization(url: &str, body: &[u8]) -> String {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_377_600);
        let headers = key().sign("eu-west-1", time, ("GET", url, body)).unwrap();
        let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["x-amz-date", "authorization", "x-amz-security-token"]);
        headers.into_iter().find(|(name, _)| *name == "authorization").unwrap().1
    }

    #[test]
    fn a_signature_is_for_one_service_region_address_and_body() {
        let url = "https://abc.execute-api.eu-west-1.amazonaws.com/records/site:1?start=now-24h";
        let one = authorization(url, b"");
        assert!(one.contains("Credential=AKIDEXAMPLE/20250620/eu-west-1/execute-api/aws4_request"), "{one}");
        assert!(one.contains("SignedHeaders=host;"), "{one}");
        assert_eq!(one, authorization(url, b""));
        assert_ne!(one, authorization(&url.replace("24h", "25h"), b""));
        assert_ne!(one, authorization(url, b"other"));
    }

    #[test]
    fn a_key_does_not_tell_its_secret() {
        let told = format!("{:?}", key());
        assert!(
            told.contains("AKIDEXAMPLE") && !told.contains("secret") && !told.contains("token"),
            "{told}"
        );
    }

    #[test]
    fn what_is_no_address_is_not_signed() {
        let error = key().sign("eu-west-1", SystemTime::now(), ("GET", "not an address", b""));
        assert!(error.unwrap_err().to_string().contains("GET not an address"));
    }
}
