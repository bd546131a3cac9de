//! Sizes by the rules of the guide, and what requests of each form cost.

use serde_json::json;

use super::*;

fn size(item: &Value) -> Option<u64> {
    item_bytes(item.as_object().expect("an item is an object"))
}

fn of(operation: &Operation, body: &Value, indexes: &[Index]) -> BTreeMap<String, WriteUnits> {
    of_request(operation, body.to_string().as_bytes(), indexes)
}

fn anomalies(projection: Projection) -> Index {
    Index {
        table: "readings".to_owned(),
        keys: vec!["site_id".to_owned(), "anomaly_at".to_owned()],
        projection,
    }
}

#[test]
fn an_item_is_its_names_and_its_values() {
    let table = [
        (json!({}), 0),
        (json!({ "name": { "S": "text" } }), 4 + 4),
        (json!({ "größe": { "S": "é" } }), 7 + 2),
        (json!({ "b": { "B": "AAAA" } }), 1 + 3),
        (json!({ "yes": { "BOOL": true }, "nil": { "NULL": true } }), 3 + 1 + 3 + 1),
        (json!({ "l": { "L": [] } }), 1 + 3),
        (json!({ "l": { "L": [{ "S": "ab" }, { "N": "7" }] } }), 1 + 3 + (1 + 2) + (1 + 2)),
        (json!({ "m": { "M": { "key": { "S": "ab" } } } }), 1 + 3 + (1 + 3 + 2)),
        (json!({ "s": { "SS": ["ab", "c"] }, "n": { "NS": ["12", "3"] } }), 1 + 3 + 1 + 2 + 2),
        (json!({ "s": { "BS": ["AAAA"] } }), 1 + 3),
    ];
    for (item, bytes) in table {
        assert_eq!(size(&item), Some(bytes), "{item}");
    }
}

#[test]
fn a_number_takes_a_byte_for_two_digits_and_one_more() {
    let table =
        [("0", 1), ("7", 2), ("12", 2), ("123", 3), ("-12.5", 3), ("0.0012", 2), ("1200", 2), ("1.5E2", 2)];
    for (number, bytes) in table {
        assert_eq!(size(&json!({ "": { "N": number } })), Some(bytes), "{number}");
    }
    assert_eq!(size(&json!({ "": { "N": "9".repeat(38) } })), Some(20));
}

#[test]
fn what_is_not_dynamodbs_form_has_no_size() {
    for item in
        [json!({ "a": "text" }), json!({ "a": { "S": 1 } }), json!({ "a": { "X": "" } }), json!({ "a": {} })]
    {
        assert_eq!(size(&item), None, "{item}");
    }
}

#[test]
fn a_put_costs_a_unit_for_each_kib_begun() {
    let put = |value_bytes: usize| {
        let body = json!({ "TableName": "t", "Item": { "k": { "S": "x".repeat(value_bytes) } } });
        of(&Operation::PUT_ITEM, &body, &[])["t"].table
    };
    assert_eq!([put(1), put(1023), put(1024), put(2047), put(2048)], [1, 1, 2, 2, 3]);
}

#[test]
fn a_batch_costs_what_its_items_cost_in_each_table() {
    let put = |value: &str| json!({ "PutRequest": { "Item": { "k": { "S": value } } } });
    let body = json!({ "RequestItems": {
        "readings": [put("a"), put("b"), put(&"c".repeat(1024))],
        "hours": [put("a"), { "DeleteRequest": { "Key": { "k": { "S": "b" } } } }],
    }});
    let units = of(&Operation::BATCH_WRITE_ITEM, &body, &[]);
    assert_eq!(units["readings"], WriteUnits { table: 4, indexes: 0, unknown: 0 });
    assert_eq!(units["hours"], WriteUnits { table: 1, indexes: 0, unknown: 1 });
    assert_eq!(units.into_values().sum::<WriteUnits>(), WriteUnits { table: 5, indexes: 0, unknown: 1 });
}

#[test]
fn a_sparse_index_costs_only_for_items_that_have_its_keys() {
    let put = |item: Value| json!({ "TableName": "readings", "Item": item });
    let ordinary = put(json!({ "site_id": { "S": "a" }, "timestamp": { "S": "t" } }));
    let big = "x".repeat(1024);
    let anomalous =
        put(json!({ "site_id": { "S": "a" }, "anomaly_at": { "S": "t" }, "findings": { "S": big } }));
    let all = [anomalies(Projection::All)];
    assert_eq!(of(&Operation::PUT_ITEM, &ordinary, &all)["readings"].indexes, 0);
    assert_eq!(of(&Operation::PUT_ITEM, &anomalous, &all)["readings"].indexes, 2);
    let keys = [anomalies(Projection::Only(vec!["site_id".to_owned(), "anomaly_at".to_owned()]))];
    assert_eq!(of(&Operation::PUT_ITEM, &anomalous, &keys)["readings"].indexes, 1);
    let elsewhere = [Index { table: "other".to_owned(), ..anomalies(Projection::All) }];
    assert_eq!(of(&Operation::PUT_ITEM, &anomalous, &elsewhere)["readings"].indexes, 0);
}

#[test]
fn a_transaction_costs_twice_and_an_update_is_only_counted() {
    let item = json!({ "site_id": { "S": "a" }, "anomaly_at": { "S": "t" } });
    let body = json!({ "TransactItems": [
        { "Put": { "TableName": "readings", "Item": item } },
        { "Update": { "TableName": "readings", "Key": {} } },
    ]});
    let units = of(&Operation::TRANSACT_WRITE_ITEMS, &body, &[anomalies(Projection::All)]);
    assert_eq!(units["readings"], WriteUnits { table: 2, indexes: 2, unknown: 1 });
}

#[test]
fn requests_add_up_by_table() {
    let put = |table: &str| Request {
        operation: Operation::PUT_ITEM,
        body: json!({ "TableName": table, "Item": { "k": { "S": "a" } } }).to_string().into(),
        entries: 1,
        forwarded: 1,
        fault: None,
        status: Some(200),
    };
    let requests = [put("readings"), put("hours"), put("readings")];
    let one = WriteUnits { table: 1, ..WriteUnits::default() };
    let two = WriteUnits { table: 2, ..WriteUnits::default() };
    let expected = BTreeMap::from([("readings".to_owned(), two), ("hours".to_owned(), one)]);
    assert_eq!(of_requests(&requests, &[]), expected);
}

#[test]
fn whatever_is_no_write_costs_nothing() {
    let body = json!({ "TableName": "t", "Item": {} });
    for operation in [Operation::QUERY, Operation::PUT_RECORDS, Operation::BATCH_GET_ITEM] {
        assert_eq!(of(&operation, &body, &[]), BTreeMap::new(), "{operation}");
    }
    assert_eq!(of_request(&Operation::PUT_ITEM, b"no JSON", &[]), BTreeMap::new());
}
