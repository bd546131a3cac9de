//! Batches in JSON: of DynamoDB, Kinesis and SQS.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Cut, Refusal, taken_by};
use crate::faulty_aws::operation::{Operation, Service};

/// How a batch request holds its entries, and how its answer tells of those that were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `RequestItems`: a list for each table; the rest comes back as `UnprocessedItems`.
    Writes,
    /// `RequestItems`: `Keys` for each table; the rest comes back as `UnprocessedKeys`.
    Gets,
    /// `Records`, answered for in place.
    Records,
    /// `Entries`, answered for by their ids as `Successful` or `Failed`.
    Entries,
}

impl Form {
    fn of(operation: &Operation) -> Option<Self> {
        match (operation.service, operation.name.as_ref()) {
            (Service::DynamoDb, "BatchWriteItem") => Some(Self::Writes),
            (Service::DynamoDb, "BatchGetItem") => Some(Self::Gets),
            (Service::Kinesis, "PutRecords") => Some(Self::Records),
            (Service::Sqs, "SendMessageBatch" | "DeleteMessageBatch") => Some(Self::Entries),
            _ => None,
        }
    }

    /// The lists that the entries are in.
    fn lists(self, request: &mut Value) -> Vec<&mut Vec<Value>> {
        let holders: Vec<&mut Value> = match self {
            Self::Records => request.get_mut("Records").into_iter().collect(),
            Self::Entries => request.get_mut("Entries").into_iter().collect(),
            Self::Writes | Self::Gets => {
                let tables = request.get_mut("RequestItems").and_then(Value::as_object_mut);
                let tables = tables.into_iter().flat_map(Map::values_mut);
                if self == Self::Writes {
                    tables.collect()
                } else {
                    tables.filter_map(|table| table.get_mut("Keys")).collect()
                }
            }
        };
        holders.into_iter().filter_map(Value::as_array_mut).collect()
    }

    /// The request with only those entries, and without tables that have none left.
    fn with_entries(self, request: &Value, mut is_wanted: impl FnMut(usize) -> bool) -> Value {
        let mut request = request.clone();
        let mut index = 0;
        for list in self.lists(&mut request) {
            list.retain(|_| {
                index += 1;
                is_wanted(index - 1)
            });
        }
        if let Some(tables) = request.get_mut("RequestItems").and_then(Value::as_object_mut) {
            tables.retain(|_, table| !list_of(table).is_some_and(Vec::is_empty));
        }
        request
    }
}

/// A table's entries in a request: it is a list, or has one.
fn list_of(table: &Value) -> Option<&Vec<Value>> {
    table.as_array().or_else(|| table.get("Keys")?.as_array())
}

pub(super) fn entries(operation: &Operation, body: &[u8]) -> Option<usize> {
    let form = Form::of(operation)?;
    let mut request = serde_json::from_slice(body).ok()?;
    Some(form.lists(&mut request).iter().map(|list| list.len()).sum())
}

pub(super) fn cut(operation: &Operation, body: &[u8], mask: u32) -> Option<Cut> {
    let form = Form::of(operation)?;
    let request: Value = serde_json::from_slice(body).ok()?;
    let is_taken = taken_by(mask, entries(operation, body)?);
    if is_taken.is_empty() {
        return None;
    }
    let asked = form.with_entries(&request, |entry| is_taken[entry]);
    let given_back = form.with_entries(&request, |entry| !is_taken[entry]);
    let rest = Rest { form, service: operation.service, given_back };
    Some(Cut { asked: bytes_of(&asked), is_taken, rest: super::Rest::Json(rest) })
}

fn bytes_of(document: &Value) -> Bytes {
    document.to_string().into()
}

/// The entries that are given back.
#[derive(Debug)]
pub(super) struct Rest {
    form: Form,
    service: Service,
    /// The request with these entries only.
    given_back: Value,
}

impl Rest {
    pub(super) fn answer(&self, is_taken: &[bool], of_service: &[u8]) -> Option<Bytes> {
        let mut answer: Value = serde_json::from_slice(of_service).ok()?;
        match self.form {
            Form::Writes => self.add_tables(answer.as_object_mut()?, "UnprocessedItems")?,
            Form::Gets => self.add_tables(answer.as_object_mut()?, "UnprocessedKeys")?,
            Form::Records => self.add_records(&mut answer, is_taken)?,
            Form::Entries => self.add_failed(answer.as_object_mut()?, is_taken)?,
        }
        Some(bytes_of(&answer))
    }

    /// DynamoDB calls it an error.
    pub(super) fn answer_to_none(&self, is_taken: &[bool]) -> Option<Bytes> {
        let of_nothing: &[u8] = match self.form {
            Form::Writes | Form::Gets => return None,
            Form::Records => br#"{"FailedRecordCount":0,"Records":[]}"#,
            Form::Entries => br#"{"Successful":[],"Failed":[]}"#,
        };
        self.answer(is_taken, of_nothing)
    }

    /// Adds to what the service itself may not have processed.
    fn add_tables(&self, answer: &mut Map<String, Value>, unprocessed: &str) -> Option<()> {
        let all = answer.entry(unprocessed).or_insert_with(|| json!({})).as_object_mut()?;
        for (table, given_back) in self.given_back.get("RequestItems")?.as_object()? {
            let Some(of_table) = all.get_mut(table) else {
                all.insert(table.clone(), given_back.clone());
                continue;
            };
            let of_table = if of_table.is_array() { of_table } else { of_table.get_mut("Keys")? };
            of_table.as_array_mut()?.extend(list_of(given_back)?.iter().cloned());
        }
        Some(())
    }

    fn add_records(&self, answer: &mut Value, is_taken: &[bool]) -> Option<()> {
        let failed = answer.get("FailedRecordCount").and_then(Value::as_u64).unwrap_or(0);
        let given_back = is_taken.iter().filter(|is_taken| !**is_taken).count();
        answer["FailedRecordCount"] = json!(failed + given_back as u64);
        let records = answer.get_mut("Records")?.as_array_mut()?;
        for (index, _) in is_taken.iter().enumerate().filter(|(_, is_taken)| !**is_taken) {
            if index > records.len() {
                return None;
            }
            let refusal = Refusal::of_entry(self.service, index);
            records.insert(index, json!({ "ErrorCode": refusal.code, "ErrorMessage": refusal.message }));
        }
        (records.len() == is_taken.len()).then_some(())
    }

    fn add_failed(&self, answer: &mut Map<String, Value>, is_taken: &[bool]) -> Option<()> {
        let failed = answer.entry("Failed").or_insert_with(|| json!([])).as_array_mut()?;
        let indexes = is_taken.iter().enumerate().filter(|(_, is_taken)| !**is_taken).map(|(index, _)| index);
        for (entry, index) in self.given_back.get("Entries")?.as_array()?.iter().zip(indexes) {
            let refusal = Refusal::of_entry(self.service, index);
            failed.push(json!({
                "Id": entry.get("Id")?,
                "SenderFault": refusal.is_senders_fault,
                "Code": refusal.code,
                "Message": refusal.message,
            }));
        }
        Some(())
    }
}
