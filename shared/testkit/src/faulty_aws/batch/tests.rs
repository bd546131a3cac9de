//! Batches of every API are cut and their answers put together: each entry is asked for or given back.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A batch whose entries bear the names `<0>`, `<1>` and so on. Those of DynamoDB are in two tables.
fn batch(operation: &Operation, entries: usize) -> Vec<u8> {
    let names: Vec<String> = (0..entries).map(|index| format!("<{index}>")).collect();
    let (one, two) = names.split_at(entries / 2);
    let of_each =
        |names: &[String], entry: fn(&String) -> Value| -> Vec<Value> { names.iter().map(entry).collect() };
    let put = |name: &String| json!({ "PutRequest": { "Item": { "k": { "S": name } } } });
    let key = |name: &String| json!({ "k": { "S": name } });
    let keys = |names| json!({ "Keys": of_each(names, key), "ConsistentRead": true });
    let request = match operation.name.as_ref() {
        "BatchWriteItem" => json!({ "RequestItems": { "one": of_each(one, put), "two": of_each(two, put) } }),
        "BatchGetItem" => json!({ "RequestItems": { "one": keys(one), "two": keys(two) } }),
        "PutRecords" => {
            json!({ "StreamName": "s", "Records": of_each(&names, |name| json!({ "PartitionKey": name })) })
        }
        "PublishBatch" => return form(&names),
        _ => json!({ "QueueUrl": "q", "Entries": of_each(&names, |name| json!({ "Id": name })) }),
    };
    request.to_string().into()
}

fn form(names: &[String]) -> Vec<u8> {
    let mut form = form_urlencoded::Serializer::new(String::from("Action=PublishBatch&Version=2010-03-31"));
    for (number, name) in (1..).zip(names) {
        form.append_pair(&format!("PublishBatchRequestEntries.member.{number}.Id"), name);
        form.append_pair(&format!("PublishBatchRequestEntries.member.{number}.Message"), "a b&c");
    }
    form.finish().into()
}

/// What a service answers to a batch all of which it takes.
fn answer_to(operation: &Operation, request: &[u8]) -> Vec<u8> {
    let names = names_in(request);
    let of_each = |entry: fn(&usize) -> Value| -> Vec<Value> { names.iter().map(entry).collect() };
    let answer = match operation.name.as_ref() {
        "BatchWriteItem" => json!({ "UnprocessedItems": {} }),
        "BatchGetItem" => json!({ "Responses": {}, "UnprocessedKeys": {} }),
        "PutRecords" => {
            let records =
                of_each(|name| json!({ "SequenceNumber": name.to_string(), "ShardId": "shardId-0" }));
            json!({ "FailedRecordCount": 0, "Records": records })
        }
        "PublishBatch" => {
            let members = names.iter().map(|name| format!("<member><Id>{name}</Id></member>"));
            let members: String = members.collect();
            return format!(
                "<PublishBatchResponse><PublishBatchResult><Failed/><Successful>{members}</Successful>\
                 </PublishBatchResult></PublishBatchResponse>"
            )
            .into();
        }
        _ => json!({ "Successful": of_each(|name| json!({ "Id": name })) }),
    };
    answer.to_string().into()
}

/// The numbers in brackets, as JSON and forms write them.
fn names_in(body: &[u8]) -> Vec<usize> {
    let text = String::from_utf8(body.to_vec()).unwrap().replace("%3C", "<").replace("%3E", ">");
    let names = text.split('<').filter_map(|rest| rest.split_once('>')?.0.parse().ok());
    names.collect()
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

proptest! {
    #[test]
    fn every_entry_is_either_asked_for_or_given_back(entries in 1_usize..60, mask: u32, api in 0..Operation::BATCHES.len()) {
        let operation = &Operation::BATCHES[api];
        let request = batch(operation, entries);
        prop_assert_eq!(super::entries(operation, &request), entries);
        let cut = cut(operation, &request, mask).unwrap();
        let asked: BTreeSet<usize> = names_in(&cut.asked).into_iter().collect();
        prop_assert_eq!(asked.len(), cut.taken());
        prop_assert!(cut.taken() < entries);
        let is_taken = |entry: &usize| mask >> (entry % 32) & 1 == 1;
        let expected: BTreeSet<usize> = (0..entries).filter(is_taken).collect();
        prop_assert!(asked.is_subset(&expected));
        let given_back: BTreeSet<usize> = match cut.answer(&answer_to(operation, &cut.asked)) {
            Some(answer) if *operation == Operation::PUT_RECORDS => failed_places(&answer, &asked),
            Some(answer) => names_in(&answer).into_iter().collect(),
            None => return Err(TestCaseError::fail("the answer cannot be read")),
        };
        prop_assert!(asked.is_disjoint(&given_back));
        prop_assert!(asked.union(&given_back).copied().eq(0..entries));
    }
}

/// The places of the records that failed, once it is clear that each other place holds the answer to its own record.
fn failed_places(answer: &[u8], asked: &BTreeSet<usize>) -> BTreeSet<usize> {
    let answer = parsed(answer);
    let records = answer["Records"].as_array().unwrap().iter().enumerate();
    let (failed, taken): (Vec<_>, Vec<_>) =
        records.partition(|(_, record)| record.get("ErrorCode").is_some());
    assert_eq!(answer["FailedRecordCount"], failed.len());
    for ((place, record), asked) in taken.into_iter().zip(asked) {
        assert_eq!(place, *asked);
        assert_eq!(record["SequenceNumber"], place.to_string());
    }
    failed.into_iter().map(|(place, _)| place).collect()
}

#[test]
fn writes_come_back_as_unprocessed_items_of_their_tables() {
    let request = batch(&Operation::BATCH_WRITE_ITEM, 3);
    let cut = cut(&Operation::BATCH_WRITE_ITEM, &request, 0b010).unwrap();
    assert_eq!(parsed(&cut.asked)["RequestItems"].as_object().unwrap().keys().collect::<Vec<_>>(), ["two"]);
    let put = |name: &str| json!({ "PutRequest": { "Item": { "k": { "S": name } } } });
    let answer = parsed(&cut.answer(br#"{"UnprocessedItems":{}}"#).unwrap());
    assert_eq!(answer, json!({ "UnprocessedItems": { "one": [put("<0>")], "two": [put("<2>")] } }));
    assert!(cut.answer_to_none().is_none());
}

#[test]
fn what_the_service_itself_has_not_processed_stays_unprocessed() {
    let own = parsed(&batch(&Operation::BATCH_GET_ITEM, 4))["RequestItems"]["two"].clone();
    let request = batch(&Operation::BATCH_GET_ITEM, 4);
    let cut = cut(&Operation::BATCH_GET_ITEM, &request, 0b0111).unwrap();
    let of_service = json!({ "Responses": {}, "UnprocessedKeys": { "two": { "Keys": [own["Keys"][0]] } } });
    let answer = parsed(&cut.answer(of_service.to_string().as_bytes()).unwrap());
    assert_eq!(answer["UnprocessedKeys"], json!({ "two": { "Keys": own["Keys"] } }));
}

#[test]
fn keys_that_come_back_keep_what_was_asked_beside_them() {
    let request = batch(&Operation::BATCH_GET_ITEM, 2);
    let cut = cut(&Operation::BATCH_GET_ITEM, &request, 0b01).unwrap();
    let answer = parsed(&cut.answer(br#"{"Responses":{}}"#).unwrap());
    assert_eq!(
        answer["UnprocessedKeys"],
        json!({ "two": { "Keys": [{ "k": { "S": "<1>" } }], "ConsistentRead": true } })
    );
}

#[test]
fn messages_that_come_back_are_named_with_a_code_of_either_kind() {
    let request = batch(&Operation::SEND_MESSAGE_BATCH, 3);
    let cut = cut(&Operation::SEND_MESSAGE_BATCH, &request, 0b100).unwrap();
    let answer = parsed(&cut.answer(br#"{"Successful":[{"Id":"<2>"}]}"#).unwrap());
    let failed = |at: usize| {
        let failed = &answer["Failed"][at];
        (failed["Id"].clone(), failed["Code"].clone(), failed["SenderFault"].clone())
    };
    assert_eq!(failed(0), (json!("<0>"), json!("RequestThrottled"), json!(true)));
    assert_eq!(failed(1), (json!("<1>"), json!("InternalError"), json!(false)));
    assert_eq!(answer["Successful"], json!([{ "Id": "<2>" }]));
}

#[test]
fn messages_of_a_form_are_numbered_again() {
    let request = batch(&Operation::PUBLISH_BATCH, 3);
    let cut = cut(&Operation::PUBLISH_BATCH, &request, 0b110).unwrap();
    let asked: Vec<_> = form_urlencoded::parse(&cut.asked).into_owned().collect();
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        asked,
        [
            field("Action", "PublishBatch"),
            field("Version", "2010-03-31"),
            field("PublishBatchRequestEntries.member.1.Id", "<1>"),
            field("PublishBatchRequestEntries.member.1.Message", "a b&c"),
            field("PublishBatchRequestEntries.member.2.Id", "<2>"),
            field("PublishBatchRequestEntries.member.2.Message", "a b&c"),
        ]
    );
}

#[test]
fn messages_of_a_form_come_back_beside_those_that_the_service_has_failed() {
    let request = batch(&Operation::PUBLISH_BATCH, 2);
    let cut = cut(&Operation::PUBLISH_BATCH, &request, 0b01).unwrap();
    let of_service =
        b"<PublishBatchResponse><PublishBatchResult><Failed><member><Id>own</Id></member></Failed>\
                       <Successful/></PublishBatchResult></PublishBatchResponse>";
    let answer = String::from_utf8(cut.answer(of_service).unwrap().to_vec()).unwrap();
    let own_and_ours = "<Failed><member><Id>own</Id></member><member><Id><1></Id><Code>InternalError</Code>";
    assert!(answer.contains(own_and_ours), "{answer}");
    assert!(answer.contains("<Successful></Successful>"), "{answer}");
}

#[test]
fn a_mask_of_none_takes_none_where_that_is_a_success() {
    let request = batch(&Operation::PUT_RECORDS, 2);
    let cut = cut(&Operation::PUT_RECORDS, &request, 0).unwrap();
    assert_eq!(cut.taken(), 0);
    let answer = parsed(&cut.answer_to_none().unwrap());
    assert_eq!(answer["FailedRecordCount"], 2);
    assert_eq!(answer["Records"][0]["ErrorCode"], "ProvisionedThroughputExceededException");
    assert_eq!(answer["Records"][1]["ErrorCode"], "InternalFailure");
    let request = batch(&Operation::PUBLISH_BATCH, 1);
    let cut = super::cut(&Operation::PUBLISH_BATCH, &request, u32::MAX).unwrap();
    let answer = String::from_utf8(cut.answer_to_none().unwrap().to_vec()).unwrap();
    assert!(answer.contains("<Code>Throttled</Code>"), "{answer}");
}

#[test]
fn what_is_no_batch_or_cannot_be_read_is_not_cut() {
    assert!(cut(&Operation::PUT_ITEM, b"{}", 1).is_none());
    assert!(cut(&Operation::BATCH_WRITE_ITEM, b"no JSON", 1).is_none());
    assert!(cut(&Operation::PUT_RECORDS, br#"{"Records":[]}"#, 1).is_none());
    assert!(cut(&Operation::PUBLISH_BATCH, b"Action=PublishBatch", 1).is_none());
    assert_eq!(entries(&Operation::PUT_ITEM, b"{}"), 1);
    let request = batch(&Operation::PUT_RECORDS, 2);
    assert!(cut(&Operation::PUT_RECORDS, &request, 1).unwrap().answer(b"<html>").is_none());
}
