//! Which operation of which service a request is, from its head and its body.
//!
//! DynamoDB, Kinesis and SQS name it in the header `x-amz-target`, SNS in the field `Action` of a form. Whatever is neither,
//! such as S3, is [`Service::Other`] under the name of its method.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};

use hyper::http::request::Parts;

/// The service that a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Tables.
    DynamoDb,
    /// The stream.
    Kinesis,
    /// Notifications.
    Sns,
    /// Queues.
    Sqs,
    /// Any other.
    Other,
}

/// An operation of a service, such as `DynamoDb.BatchWriteItem`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// Whose it is.
    pub service: Service,
    /// What the service calls it.
    pub name: Cow<'static, str>,
}

impl Operation {
    /// Puts and deletes up to 25 items.
    pub const BATCH_WRITE_ITEM: Self = Self::known(Service::DynamoDb, "BatchWriteItem");
    /// Gets up to 100 items.
    pub const BATCH_GET_ITEM: Self = Self::known(Service::DynamoDb, "BatchGetItem");
    /// Puts an item, on a condition perhaps.
    pub const PUT_ITEM: Self = Self::known(Service::DynamoDb, "PutItem");
    /// Gets an item.
    pub const GET_ITEM: Self = Self::known(Service::DynamoDb, "GetItem");
    /// Reads a page of a partition.
    pub const QUERY: Self = Self::known(Service::DynamoDb, "Query");
    /// Reads a page of a table.
    pub const SCAN: Self = Self::known(Service::DynamoDb, "Scan");
    /// Writes up to 100 items or none.
    pub const TRANSACT_WRITE_ITEMS: Self = Self::known(Service::DynamoDb, "TransactWriteItems");
    /// Appends up to 500 records.
    pub const PUT_RECORDS: Self = Self::known(Service::Kinesis, "PutRecords");
    /// Reads a page of a shard.
    pub const GET_RECORDS: Self = Self::known(Service::Kinesis, "GetRecords");
    /// Sends up to ten messages.
    pub const SEND_MESSAGE_BATCH: Self = Self::known(Service::Sqs, "SendMessageBatch");
    /// Deletes up to ten messages.
    pub const DELETE_MESSAGE_BATCH: Self = Self::known(Service::Sqs, "DeleteMessageBatch");
    /// Publishes up to ten messages.
    pub const PUBLISH_BATCH: Self = Self::known(Service::Sns, "PublishBatch");

    /// Those whose entries are answered for one by one.
    pub const BATCHES: [Self; 6] = [
        Self::BATCH_WRITE_ITEM,
        Self::BATCH_GET_ITEM,
        Self::PUT_RECORDS,
        Self::SEND_MESSAGE_BATCH,
        Self::DELETE_MESSAGE_BATCH,
        Self::PUBLISH_BATCH,
    ];

    /// The operation of this service with this name.
    pub fn new(service: Service, name: impl Into<Cow<'static, str>>) -> Self {
        Self { service, name: name.into() }
    }

    const fn known(service: Service, name: &'static str) -> Self {
        Self { service, name: Cow::Borrowed(name) }
    }

    /// What a request asks for.
    pub(super) fn of(head: &Parts, body: &[u8]) -> Self {
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let named = target.and_then(of_target).or_else(|| of_form(body));
        named.unwrap_or_else(|| Self::new(Service::Other, head.method.as_str().to_owned()))
    }
}

fn of_target(target: &str) -> Option<Operation> {
    let (api, name) = target.split_once('.')?;
    let service = match api {
        "DynamoDB_20120810" => Service::DynamoDb,
        "Kinesis_20131202" => Service::Kinesis,
        "AmazonSQS" => Service::Sqs,
        _ => Service::Other,
    };
    Some(Operation::new(service, name.to_owned()))
}

/// The operation of a query API. Of those only SNS is spoken here; SQS has left it.
fn of_form(body: &[u8]) -> Option<Operation> {
    if !body.starts_with(b"Action=") && !body.windows(8).any(|window| window == b"&Action=") {
        return None;
    }
    let field = |name| form_urlencoded::parse(body).find(|(field, _)| field == name).map(|(_, value)| value);
    let service = match field("Version")?.as_ref() {
        "2010-03-31" => Service::Sns,
        _ => Service::Other,
    };
    Some(Operation::new(service, field("Action")?.into_owned()))
}

impl Display for Operation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}.{}", self.service, self.name)
    }
}

/// A service, or one operation of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// All of it.
    Service(Service),
    /// This alone.
    Operation(Operation),
}

impl Scope {
    pub(super) fn holds(&self, operation: &Operation) -> bool {
        match self {
            Self::Service(service) => *service == operation.service,
            Self::Operation(this) => this == operation,
        }
    }
}

impl From<Service> for Scope {
    fn from(service: Service) -> Self {
        Self::Service(service)
    }
}

impl From<Operation> for Scope {
    fn from(operation: Operation) -> Self {
        Self::Operation(operation)
    }
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn of(target: Option<&str>, body: &str) -> Operation {
        let mut request = Request::put("/");
        if let Some(target) = target {
            request = request.header("X-Amz-Target", target);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        Operation::of(&head, body.as_bytes())
    }

    #[test]
    fn an_operation_is_known_by_its_target_or_its_form() {
        assert_eq!(of(Some("DynamoDB_20120810.BatchWriteItem"), "{}"), Operation::BATCH_WRITE_ITEM);
        assert_eq!(of(Some("Kinesis_20131202.PutRecords"), "{}"), Operation::PUT_RECORDS);
        assert_eq!(of(Some("AmazonSQS.SendMessageBatch"), "{}"), Operation::SEND_MESSAGE_BATCH);
        assert_eq!(of(None, "Action=PublishBatch&Version=2010-03-31"), Operation::PUBLISH_BATCH);
        assert_eq!(of(None, "Version=2010-03-31&Action=PublishBatch"), Operation::PUBLISH_BATCH);
        assert_eq!(of(Some("Logs_20140328.PutLogEvents"), "{}").service, Service::Other);
        assert_eq!(of(None, "Action=Send&Version=2012-11-05"), Operation::new(Service::Other, "Send"));
    }

    #[test]
    fn anything_else_goes_by_its_method() {
        assert_eq!(of(None, "an object"), Operation::new(Service::Other, "PUT"));
        assert_eq!(of(None, "Action=only"), Operation::new(Service::Other, "PUT"));
    }

    #[test]
    fn a_scope_is_a_service_or_one_operation() {
        let publish = Operation::new(Service::Sns, "Publish");
        assert!(Scope::from(Service::Sns).holds(&publish) && !Scope::from(Service::Sqs).holds(&publish));
        assert!(Scope::from(publish.clone()).holds(&publish));
        assert!(!Scope::from(Operation::PUBLISH_BATCH).holds(&publish));
    }
}
