//! Answers that the service behind was not asked for: above all refusals of a whole request, in the words and with the
//! status of each service.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

use super::operation::{Operation, Service};

/// The id of every request that the service behind was not asked, or not for all of it. It shows in the logs of a client.
pub(super) const REQUEST_ID: &str = "injected-by-faulty-aws";

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There are too many.
    Throttled,
    /// The service has failed.
    Error,
    /// The service is away.
    Unavailable,
    /// The shard iterator is too old.
    ExpiredIterator,
}

/// An error as its service names it.
#[derive(Debug, PartialEq, Eq)]
struct Words {
    status: StatusCode,
    /// Its name, with the name space that some have.
    code: &'static str,
    message: &'static str,
}

/// The answer to a request that is refused.
pub(super) fn refuse(operation: &Operation, refusal: Refusal) -> Response<Bytes> {
    let words = words(operation, refusal);
    let body = if speaks_json(operation.service) { words.to_json() } else { words.to_xml() };
    let mut response = respond(operation, words.status, body.into());
    if operation.service == Service::Sqs {
        let code = HeaderValue::try_from(words.to_query_error()).expect("an error code is plain text");
        response.headers_mut().insert("x-amzn-query-error", code);
    }
    response
}

/// An answer with this body, in the form that the service's answers have.
pub(super) fn respond(operation: &Operation, status: StatusCode, body: Bytes) -> Response<Bytes> {
    let content_type = match operation.service {
        Service::DynamoDb | Service::Sqs => "application/x-amz-json-1.0",
        Service::Kinesis => "application/x-amz-json-1.1",
        Service::Sns | Service::Other => "text/xml",
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert("x-amzn-requestid", HeaderValue::from_static(REQUEST_ID));
    response
}

fn speaks_json(service: Service) -> bool {
    matches!(service, Service::DynamoDb | Service::Kinesis | Service::Sqs)
}

/// Codes, texts and statuses are those of the services' models and of errors that people have met.
fn words(operation: &Operation, refusal: Refusal) -> Words {
    use Refusal::{Error, ExpiredIterator, Throttled, Unavailable};
    const MANY_REQUESTS: &str = "The level of configured provisioned throughput for the table was exceeded. Consider \
                                 increasing your provisioning level with the UpdateTable API.";
    const INTERNAL: &str =
        "The request processing has failed because of an unknown error, exception or failure.";
    let (status, code, message) = match (operation.service, refusal) {
        (Service::DynamoDb, Throttled) => {
            (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", MANY_REQUESTS)
        }
        (Service::DynamoDb, Error) => {
            (500, "com.amazonaws.dynamodb.v20120810#InternalServerError", "Internal server error")
        }
        (Service::Kinesis, Throttled) if is_on_data(operation) => {
            (400, "ProvisionedThroughputExceededException", "Rate exceeded for shard shardId-000000000000.")
        }
        (Service::Kinesis, Throttled) => (400, "LimitExceededException", "Rate exceeded for stream."),
        (Service::Sqs, Throttled) => (403, "com.amazonaws.sqs#RequestThrottled", "Request is throttled."),
        (Service::Sns | Service::Other, Throttled) => (400, "Throttling", "Rate exceeded"),
        (Service::Sns, Error) => (500, "InternalError", INTERNAL),
        (_, ExpiredIterator) => (400, "ExpiredIteratorException", "Iterator expired."),
        (_, Error) => (500, "InternalFailure", INTERNAL),
        (_, Unavailable) => (503, "ServiceUnavailable", "Service is unable to handle request."),
    };
    let status = StatusCode::from_u16(status).expect("the status of every error is a legal one");
    Words { status, code, message }
}

/// Whether a shard's throughput limits it, and not the rate of requests on the stream.
fn is_on_data(operation: &Operation) -> bool {
    matches!(operation.name.as_ref(), "PutRecord" | "PutRecords" | "GetRecords" | "GetShardIterator")
}

impl Words {
    fn to_json(&self) -> String {
        serde_json::json!({ "__type": self.code, "message": self.message }).to_string()
    }

    fn to_xml(&self) -> String {
        let Self { code, message, .. } = self;
        format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>{}</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>",
            self.blamed()
        )
    }

    /// The name that the error had in the query API, which clients of that age look for.
    fn to_query_error(&self) -> String {
        let (_, name) = self.code.rsplit_once('#').unwrap_or(("", self.code));
        format!("{name};{}", self.blamed())
    }

    fn blamed(&self) -> &'static str {
        if self.status.is_server_error() { "Receiver" } else { "Sender" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(operation: &Operation, refusal: Refusal) -> (u16, String) {
        let response = refuse(operation, refusal);
        (response.status().as_u16(), String::from_utf8(response.body().to_vec()).unwrap())
    }

    #[test]
    fn each_service_refuses_in_its_own_words() {
        let table = [
            (Operation::BATCH_WRITE_ITEM, 400, "#ProvisionedThroughputExceededException\""),
            (Operation::PUT_RECORDS, 400, "\"ProvisionedThroughputExceededException\""),
            (Operation::new(Service::Kinesis, "ListShards"), 400, "\"LimitExceededException\""),
            (Operation::SEND_MESSAGE_BATCH, 403, "#RequestThrottled\""),
            (Operation::PUBLISH_BATCH, 400, "<Code>Throttling</Code>"),
        ];
        for (operation, status, code) in table {
            let (answered, body) = text(&operation, Refusal::Throttled);
            assert_eq!(answered, status, "{operation}");
            assert!(body.contains(code), "{operation}: {body}");
        }
    }

    #[test]
    fn trouble_of_the_service_is_500_and_503() {
        for service in [Service::DynamoDb, Service::Kinesis, Service::Sns, Service::Sqs, Service::Other] {
            let operation = Operation::new(service, "Any");
            assert_eq!(text(&operation, Refusal::Error).0, 500);
            assert_eq!(text(&operation, Refusal::Unavailable).0, 503);
        }
    }

    #[test]
    fn sqs_says_its_code_in_a_header_too() {
        let response = refuse(&Operation::SEND_MESSAGE_BATCH, Refusal::Throttled);
        assert_eq!(response.headers()["x-amzn-query-error"], "RequestThrottled;Sender");
        let response = refuse(&Operation::SEND_MESSAGE_BATCH, Refusal::Error);
        assert_eq!(response.headers()["x-amzn-query-error"], "InternalFailure;Receiver");
    }
}
