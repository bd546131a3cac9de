//! The description of the API is what the API does.

use std::path::Path;

use axum::body::Body;
use axum::http::{Method, header};
use serde_json::Value;
use wattstream_query_api::{BODY_BYTES_MAX, BODY_RECORDS_MAX, REJECTS_LISTED_MAX};

use crate::harness::{Api, request, silence};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/openapi.json");

#[test]
fn the_description_is_the_golden_one() {
    let mut description = wattstream_query_api::openapi().to_pretty_json().unwrap();
    description.push('\n');
    if std::env::var_os("WATTSTREAM_UPDATE_GOLDEN").is_some() {
        std::fs::write(Path::new(GOLDEN), &description).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    assert!(
        description == golden,
        "the description of the API has changed; look at the change with WATTSTREAM_UPDATE_GOLDEN=1 and git diff"
    );
}

#[tokio::test]
async fn the_description_is_served() {
    let answer = Api::new().get("/openapi.json").await;
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/json");
    let served = answer.ok();
    assert_eq!(served, description());
    assert!(served["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[test]
fn the_described_limits_of_a_body_are_those_that_are_enforced() {
    let described = description()["paths"]["/readings"]["post"]["description"].to_string();
    assert!(described.contains(&format!("{} MiB", BODY_BYTES_MAX >> 20)), "{described}");
    assert!(described.contains(&format!("{},000 readings", BODY_RECORDS_MAX / 1_000)), "{described}");
    let rejects = description()["components"]["schemas"]["Receipt"]["properties"]["rejects"].to_string();
    assert!(rejects.contains(&format!("at most {REJECTS_LISTED_MAX}.")), "{rejects}");
}

/// Method, address, and what is described about them.
fn operations(description: &Value) -> Vec<(Method, String, Value)> {
    let paths = description["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter();
            operations.map(move |(method, operation)| {
                (method.to_uppercase().parse().unwrap(), path.clone(), operation.clone())
            })
        })
        .collect()
}

fn description() -> Value {
    serde_json::to_value(wattstream_query_api::openapi()).unwrap()
}

/// A new store for each question: some of them empty it.
async fn api() -> Api {
    let api =
        Api::with(&[("site", "2025-06-20T00:00:00Z", "-1", "1"), ("site", "2025-06-20T01:00:00Z", "2", "1")])
            .await;
    api.post("/readings", "not a reading").await.ok();
    api.memory.publish(silence().opened("site".parse().unwrap()));
    api
}

fn address(path: &str, query: &str) -> String {
    format!("{}{query}", path.replace("{site_id}", "site").replace("{id}", "shardId-000000000000:3:0"))
}

#[tokio::test]
async fn every_described_address_answers_as_it_is_described() {
    let description = description();
    let operations = operations(&description);
    assert_eq!(operations.len(), 21);
    for (method, path, operation) in operations {
        let body = if path == "/readings" { "x" } else { "" };
        let answer =
            api().await.ask(request(method.clone(), &address(&path, ""), &[], Body::from(body))).await;
        let described = &operation["responses"][answer.status.as_str()]["content"];
        let content_type = answer.header(header::CONTENT_TYPE).split(';').next().unwrap();
        let schema = &described[content_type]["schema"];
        assert!(!schema.is_null(), "{method} {path}: {} {content_type} is not described", answer.status);
        if content_type == "application/json" {
            assert_fits(&answer.json(), schema, &description, &format!("{method} {path}"));
        }
    }
}

#[tokio::test]
async fn every_described_parameter_is_taken() {
    for (method, path, operation) in operations(&description()) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] != "query" {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            let value = match parameter["schema"]["enum"].as_array().and_then(|choices| choices.last()) {
                Some(choice) => choice.as_str().unwrap(),
                None if name == "limit" => "1",
                None if name == "site_id" => "site",
                None => "now",
            };
            let query = format!("?{name}={value}");
            let answer =
                api().await.ask(request(method.clone(), &address(&path, &query), &[], Body::empty())).await;
            let is_taken =
                answer.status.is_success() || (name == "cursor" && answer.problem() == "cursor-invalid");
            assert!(is_taken, "{method} {path}{query}: {:?}", answer.body);
        }
    }
}

/// A value has the properties that its schema lists: all that are required, and no others.
fn assert_fits(value: &Value, schema: &Value, description: &Value, place: &str) {
    let reference = schema["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
    if let Some(reference) = reference {
        return assert_fits(value, description.pointer(reference).unwrap(), description, place);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let choice = choices.iter().find(|choice| is_meant(choice, value));
        return assert_fits(value, choice.unwrap_or_else(|| panic!("{place}: {value}")), description, place);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return assert_fits(value, &merged(parts, description), description, place);
    }
    assert!(is_of_type(value, &schema["type"]), "{place}: {value} is no {}", schema["type"]);
    if let (Some(properties), Some(object)) = (schema["properties"].as_object(), value.as_object()) {
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(object.contains_key(required.as_str().unwrap()), "{place}: no {required}");
        }
        for (name, value) in object {
            let schema = properties.get(name).unwrap_or_else(|| panic!("{place}: {name} is not described"));
            assert_fits(value, schema, description, &format!("{place}.{name}"));
        }
    }
    for (index, element) in value.as_array().into_iter().flatten().enumerate() {
        assert_fits(element, &schema["items"], description, &format!("{place}[{index}]"));
    }
}

/// Whether a choice is the one for this value: the null one, or that of its kind.
fn is_meant(choice: &Value, value: &Value) -> bool {
    let parts = choice["allOf"].as_array().into_iter().flatten();
    let mut kinds = parts.filter_map(|part| part["properties"]["kind"]["enum"][0].as_str());
    match kinds.next() {
        Some(kind) => value["kind"] == kind,
        None => (choice["type"] == "null") == value.is_null(),
    }
}

/// The parts of an object as one schema.
fn merged(parts: &[Value], description: &Value) -> Value {
    let (mut properties, mut required) = (serde_json::Map::new(), Vec::new());
    for part in parts {
        let reference = part["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
        let part = reference.map_or(part, |reference| description.pointer(reference).unwrap());
        let part = part["allOf"].as_array().map_or_else(|| part.clone(), |parts| merged(parts, description));
        properties.extend(part["properties"].as_object().unwrap().clone());
        required.extend(part["required"].as_array().into_iter().flatten().cloned());
    }
    serde_json::json!({ "type": "object", "properties": properties, "required": required })
}

fn is_of_type(value: &Value, types: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    };
    match types {
        Value::Array(types) => types.iter().any(|name| is(name.as_str().unwrap())),
        name => is(name.as_str().unwrap_or_else(|| panic!("no type for {value}"))),
    }
}
