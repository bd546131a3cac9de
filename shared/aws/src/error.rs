//! What an error of the SDK means to the engine. This is the one place that knows AWS's error codes.
//!
//! What must always hold: whatever may have been applied is [`Kind::Retry`], because the engine's writes can all be
//! repeated; only what AWS has refused for good is anything else.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use wattstream_engine::{Error, Kind};

/// Somebody else wrote first.
const CONFLICTS: &[&str] = &["ConditionalCheckFailedException", "TransactionConflictException"];

/// AWS's own trouble, or too much at once. Everything with a status of 500 or more joins them.
const TRANSIENT: &[&str] = &[
    "ExpiredIteratorException",
    "ExpiredNextTokenException",
    "InternalFailure",
    "InternalServerError",
    "ItemCollectionSizeLimitExceededException",
    "KMS.ThrottlingException",
    "KMSThrottling",
    "KMSThrottlingException",
    "KmsThrottled",
    "LimitExceededException",
    "OverLimit",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "ResourceInUseException",
    "ServiceUnavailable",
    "SlowDown",
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// The error of a call that was `doing` something.
#[expect(clippy::needless_pass_by_value, reason = "it ends here, and by value it reads well in `map_err`")]
pub(crate) fn classify<E>(doing: &'static str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let kind = match &error {
        SdkError::ServiceError(refused) => {
            let status = refused.raw().status().as_u16();
            kind_of(refused.err().code().unwrap_or_default(), status)
        }
        SdkError::ConstructionFailure(_) => Kind::Broken,
        // A request that timed out, could not be sent, or whose answer could not be read.
        _ => Kind::Retry,
    };
    Error::new(kind, doing, Chain::of(&error))
}

/// What AWS says about one entry of a batch that it took in a part of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal<'a> {
    pub(crate) code: &'a str,
    pub(crate) message: Option<&'a str>,
    /// Whether AWS says that the entry itself is at fault.
    pub(crate) is_senders_fault: bool,
}

/// The error of an entry that was refused while `doing` something.
pub(crate) fn refused(doing: &'static str, refusal: Refusal<'_>) -> Error {
    let Refusal { code, message, is_senders_fault } = refusal;
    let kind = kind_of(code, if is_senders_fault { 400 } else { 500 });
    Error::new(kind, doing, format!("{code}: {}", message.unwrap_or("no message")))
}

/// The error of an answer that says success and does not show it. The request may have been applied.
pub(crate) fn malformed(doing: &'static str, what: impl Into<String>) -> Error {
    Error::new(Kind::Retry, doing, what.into())
}

/// What the caller does about an error code, of a whole call or of one entry of a batch.
pub(crate) fn kind_of(code: &str, status: u16) -> Kind {
    if CONFLICTS.contains(&code) {
        Kind::Conflict
    } else if status >= 500 || status == 429 || TRANSIENT.contains(&code) {
        Kind::Retry
    } else {
        Kind::Broken
    }
}

/// An error with what lies behind it in one line: the SDK's own text says "service error" and no more.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Chain(String);

impl Chain {
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Self {
        let mut texts: Vec<String> = Vec::new();
        let mut next = Some(error);
        while let Some(cause) = next {
            let text = cause.to_string();
            if texts.last() != Some(&text) {
                texts.push(text);
            }
            next = cause.source();
        }
        Self(texts.join(": "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_code_decides_what_the_caller_does() {
        let table = [
            ("ConditionalCheckFailedException", 400, Kind::Conflict),
            ("TransactionConflictException", 400, Kind::Conflict),
            ("ProvisionedThroughputExceededException", 400, Kind::Retry),
            ("ThrottlingException", 400, Kind::Retry),
            ("InternalServerError", 500, Kind::Retry),
            ("AnythingElse", 503, Kind::Retry),
            ("", 502, Kind::Retry),
            ("", 429, Kind::Retry),
            ("ValidationException", 400, Kind::Broken),
            ("AccessDeniedException", 400, Kind::Broken),
            ("ResourceNotFoundException", 400, Kind::Broken),
            ("", 403, Kind::Broken),
        ];
        for (code, status, kind) in table {
            assert_eq!(kind_of(code, status), kind, "{code} {status}");
        }
    }
}
