//! The credentials of the SDK's chain (environment, profile, role), as object_store asks for them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_sdk_kinesis::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use tokio::sync::Mutex;

use crate::error::Chain;

/// How long before their end credentials are renewed, so that no request is signed with some that end under way.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// Credentials, kept until shortly before they end: the chain may have to ask another machine for them.
#[derive(Debug)]
pub(super) struct SdkCredentials {
    provider: Option<SharedCredentialsProvider>,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    credential: Arc<AwsCredential>,
    ends: Option<SystemTime>,
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
enum CredentialsError {
    #[error("the chain of credentials is empty")]
    NoProvider,
    #[error("{0}")]
    Provider(Chain),
}

impl SdkCredentials {
    pub(super) fn new(provider: Option<SharedCredentialsProvider>) -> Self {
        Self { provider, kept: Mutex::default() }
    }

    async fn ask(&self) -> Result<Credentials, CredentialsError> {
        let provider = self.provider.as_ref().ok_or(CredentialsError::NoProvider)?;
        let credentials = provider.provide_credentials().await;
        credentials.map_err(|error| CredentialsError::Provider(Chain::of(&error)))
    }
}

#[async_trait]
impl CredentialProvider for SdkCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| is_fresh(kept.ends, SystemTime::now())) {
            return Ok(Arc::clone(&kept.credential));
        }
        let source =
            |error| object_store::Error::Generic { store: "AWS credentials", source: Box::new(error) };
        let credentials = self.ask().await.map_err(source)?;
        let credential = Arc::new(AwsCredential {
            key_id: credentials.access_key_id().to_owned(),
            secret_key: credentials.secret_access_key().to_owned(),
            token: credentials.session_token().map(str::to_owned),
        });
        *kept = Some(Kept { credential: Arc::clone(&credential), ends: credentials.expiry() });
        Ok(credential)
    }
}

/// Whether credentials that end then may still be used now.
fn is_fresh(ends: Option<SystemTime>, now: SystemTime) -> bool {
    ends.is_none_or(|ends| ends > now + RENEW_BEFORE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_renewed_before_they_end() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_377_600);
        assert!(is_fresh(None, now));
        assert!(is_fresh(Some(now + RENEW_BEFORE + Duration::from_secs(1)), now));
        assert!(!is_fresh(Some(now + RENEW_BEFORE), now));
        assert!(!is_fresh(Some(now - RENEW_BEFORE), now));
    }

    #[tokio::test]
    async fn the_chain_is_asked_once_while_credentials_last() {
        let credentials = Credentials::new("key", "secret", Some("token".to_owned()), None, "test");
        let provider = SdkCredentials::new(Some(SharedCredentialsProvider::new(credentials)));
        let (first, second) =
            (provider.get_credential().await.unwrap(), provider.get_credential().await.unwrap());
        assert!(Arc::ptr_eq(&first, &second));
        let AwsCredential { key_id, secret_key, token } = &*first;
        assert_eq!((&key_id[..], &secret_key[..], token.as_deref()), ("key", "secret", Some("token")));
        let error = SdkCredentials::new(None).get_credential().await.unwrap_err().to_string();
        assert!(error.contains("the chain of credentials is empty"), "{error}");
    }
}
