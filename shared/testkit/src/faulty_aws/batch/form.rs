//! Batches of SNS: a form as the request, XML as the answer.
//!
//! A field of entry 1 is `PublishBatchRequestEntries.member.1.Id`. The entries that are asked of the service are numbered
//! from 1 again, without a gap.

use std::collections::BTreeMap;

use bytes::Bytes;
use form_urlencoded::Serializer;

use super::{Cut, Refusal, taken_by};
use crate::faulty_aws::operation::{Operation, Service};

const ENTRY: &str = "PublishBatchRequestEntries.member.";

/// A request: its entries in their order, each as its fields, and the fields beside them.
#[derive(Debug, Default)]
struct Form {
    beside: Vec<(String, String)>,
    entries: BTreeMap<usize, Vec<(String, String)>>,
}

impl Form {
    fn of(operation: &Operation, body: &[u8]) -> Option<Self> {
        if *operation != Operation::PUBLISH_BATCH {
            return None;
        }
        let mut form = Self::default();
        for (field, value) in form_urlencoded::parse(body) {
            let of_entry = field.strip_prefix(ENTRY).and_then(|rest| rest.split_once('.'));
            match of_entry.and_then(|(number, field)| Some((number.parse().ok()?, field))) {
                Some((number, field)) => {
                    form.entries.entry(number).or_default().push((field.to_owned(), value.into_owned()));
                }
                None => form.beside.push((field.into_owned(), value.into_owned())),
            }
        }
        Some(form)
    }

    fn to_body(&self, is_taken: &[bool]) -> Bytes {
        let mut body = Serializer::new(String::new());
        body.extend_pairs(&self.beside);
        let taken = self.entries.values().zip(is_taken).filter(|(_, is_taken)| **is_taken);
        for (number, (fields, _)) in (1..).zip(taken) {
            let numbered = fields.iter().map(|(field, value)| (format!("{ENTRY}{number}.{field}"), value));
            body.extend_pairs(numbered);
        }
        body.finish().into()
    }
}

pub(super) fn entries(operation: &Operation, body: &[u8]) -> Option<usize> {
    Some(Form::of(operation, body)?.entries.len())
}

pub(super) fn cut(operation: &Operation, body: &[u8], mask: u32) -> Option<Cut> {
    let form = Form::of(operation, body)?;
    let is_taken = taken_by(mask, form.entries.len());
    if is_taken.is_empty() {
        return None;
    }
    let mut failed = String::new();
    for (index, fields) in form.entries.values().enumerate().filter(|(index, _)| !is_taken[*index]) {
        let (_, id) = fields.iter().find(|(field, _)| field == "Id")?;
        failed.push_str(&failed_member(id, index));
    }
    let asked = form.to_body(&is_taken);
    Some(Cut { asked, is_taken, rest: super::Rest::Form(Rest { failed }) })
}

/// An entry that was not taken. Ids are letters, digits, `-` and `_`: nothing that XML would have to escape.
fn failed_member(id: &str, index: usize) -> String {
    let Refusal { code, message, is_senders_fault } = Refusal::of_entry(Service::Sns, index);
    format!(
        "<member><Id>{id}</Id><Code>{code}</Code><Message>{message}</Message>\
         <SenderFault>{is_senders_fault}</SenderFault></member>"
    )
}

/// The entries that are given back, as members of a list.
#[derive(Debug)]
pub(super) struct Rest {
    failed: String,
}

impl Rest {
    pub(super) fn answer(&self, of_service: &[u8]) -> Option<Bytes> {
        let of_service = std::str::from_utf8(of_service).ok()?;
        let result = content(of_service, "PublishBatchResult")?;
        let successful = content(result, "Successful").unwrap_or_default();
        let failed = content(result, "Failed").unwrap_or_default();
        Some(self.document(successful, failed))
    }

    pub(super) fn answer_to_none(&self) -> Bytes {
        self.document("", "")
    }

    fn document(&self, successful: &str, failed: &str) -> Bytes {
        let given_back = &self.failed;
        format!(
            "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
             <Failed>{failed}{given_back}</Failed><Successful>{successful}</Successful></PublishBatchResult>\
             <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></PublishBatchResponse>",
            crate::faulty_aws::refusal::REQUEST_ID
        )
        .into()
    }
}

/// What is between the tags of the first element of that name. `None` when there is none, or an empty one in one tag.
fn content<'a>(document: &'a str, element: &str) -> Option<&'a str> {
    let (_, after) = document.split_once(&format!("<{element}>"))?;
    let (content, _) = after.split_once(&format!("</{element}>"))?;
    Some(content)
}
