//! The version of the CDK's bootstrap stack: the parameter that `cdk deploy` itself reads.
//!
//! SSM's SDK would take longer to build than all of ours, for one request. So it is signed by object_store, which is there, and
//! sent as it stands on the wire.

use object_store::CredentialProvider;
use object_store::aws::AwsAuthorizer;
use object_store::client::{HttpRequest, HttpService};
use serde::Deserialize;
use serde_json::json;

use super::Operator;
use crate::error::Chain;

/// The parameter that the bootstrap of the CDK's standard qualifier leaves.
pub(super) const BOOTSTRAP_PARAMETER: &str = "/cdk-bootstrap/hnb659fds/version";

/// What SSM calls a parameter that is not there.
const NOT_FOUND: &str = "ParameterNotFound";

/// Why there is no version.
#[derive(Debug, thiserror::Error)]
pub(super) enum BootstrapError {
    #[error("{BOOTSTRAP_PARAMETER} is not there")]
    NotBootstrapped,
    #[error("SSM refused to tell {BOOTSTRAP_PARAMETER}: {0}")]
    Refused(String),
    #[error("SSM could not be asked for {BOOTSTRAP_PARAMETER}: {0}")]
    Unreachable(String),
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Parameter")]
    parameter: Parameter,
}

#[derive(Deserialize)]
struct Parameter {
    #[serde(rename = "Value")]
    value: String,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "__type")]
    code: String,
    #[serde(alias = "Message", default)]
    message: String,
}

impl Operator {
    /// The version of the bootstrap stack in this account and region.
    pub(super) async fn bootstrap_version(&self) -> Result<u32, BootstrapError> {
        let unreachable = |error: &(dyn std::error::Error + 'static)| {
            BootstrapError::Unreachable(Chain::of(error).to_string())
        };
        let mut request = self.parameter_request().map_err(|error| unreachable(&*error))?;
        let credential = self.credentials.get_credential().await.map_err(|error| unreachable(&error))?;
        let signer = AwsAuthorizer::new(&credential, "ssm", &self.access.region);
        signer.try_authorize(&mut request, None).map_err(|error| unreachable(&error))?;
        let answer = self.http.call(request).await.map_err(|error| unreachable(&error))?;
        let is_success = answer.status().is_success();
        let body = answer.into_body().bytes().await.map_err(|error| unreachable(&error))?;
        read_answer(is_success, &body)
    }

    fn parameter_request(&self) -> Result<HttpRequest, Box<dyn std::error::Error>> {
        let endpoint = match &self.endpoints.ssm {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://ssm.{}.amazonaws.com", self.access.region),
        };
        let mut request = HttpRequest::new(json!({ "Name": BOOTSTRAP_PARAMETER }).to_string().into());
        *request.method_mut() = "POST".parse()?;
        *request.uri_mut() = format!("{endpoint}/").parse()?;
        let headers = request.headers_mut();
        headers.insert("content-type", "application/x-amz-json-1.1".parse()?);
        headers.insert("x-amz-target", "AmazonSSM.GetParameter".parse()?);
        Ok(request)
    }
}

fn read_answer(is_success: bool, body: &[u8]) -> Result<u32, BootstrapError> {
    if is_success {
        let answer: Option<Answer> = serde_json::from_slice(body).ok();
        let version = answer.and_then(|answer| answer.parameter.value.parse().ok());
        return version.ok_or_else(|| BootstrapError::Refused("its answer holds no version".to_owned()));
    }
    match serde_json::from_slice(body) {
        Ok(Refusal { code, .. }) if code.ends_with(NOT_FOUND) => Err(BootstrapError::NotBootstrapped),
        Ok(Refusal { code, message }) => Err(BootstrapError::Refused(format!("{code}: {message}"))),
        Err(_) => Err(BootstrapError::Refused(String::from_utf8_lossy(body).into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_ssm_is_a_version_or_says_why_there_is_none() {
        let version =
            br#"{"Parameter":{"Name":"/cdk-bootstrap/hnb659fds/version","Type":"String","Value":"28"}}"#;
        assert_eq!(read_answer(true, version).unwrap(), 28);
        let told = |is_success, body: &str| read_answer(is_success, body.as_bytes()).unwrap_err().to_string();
        assert!(told(false, r#"{"__type":"com.amazonaws.ssm#ParameterNotFound"}"#).ends_with("is not there"));
        let denied =
            r#"{"__type":"AccessDeniedException","Message":"not authorized to perform: ssm:GetParameter"}"#;
        assert!(told(false, denied).contains("AccessDeniedException: not authorized"));
        assert!(told(false, "Bad Gateway").contains("Bad Gateway"));
        assert!(told(true, r#"{"Parameter":{"Value":"new"}}"#).contains("no version"));
    }
}
