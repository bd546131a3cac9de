//! The examples in the description of the API. What must always hold: each is what the API answers to its request, over the readings
//! of a test (`tests/api/examples.rs`), which also writes the answers down.

use axum::http::Method;
use serde::Deserialize;
use serde_json::Value;
use utoipa::Modify;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Content, OpenApi, RefOr};

const EXAMPLES: &str = include_str!("examples.json");

/// A request and its answer.
#[derive(Deserialize)]
struct Example {
    /// The address that is described.
    path: String,
    /// The name that request and answer share.
    name: String,
    /// Method, path and query.
    request: String,
    /// The type of the request's body, when it has one.
    body_type: Option<String>,
    /// That body: a document, or a text.
    body: Option<Value>,
    /// The response that is described: a status, or `default` for a problem.
    status: String,
    /// The type of the answer.
    content_type: String,
    /// The answer: a document, or a text.
    answer: Value,
}

/// Puts the examples where they belong.
pub(crate) struct Examples;

impl Modify for Examples {
    fn modify(&self, openapi: &mut OpenApi) {
        let examples: Vec<Example> =
            serde_json::from_str(EXAMPLES).expect("the examples are a list of examples");
        for example in examples {
            let place = format!("{} {}", example.request, example.path);
            add(openapi, &example)
                .unwrap_or_else(|| panic!("the example {place} is of something that is not described"));
        }
    }
}

fn add(openapi: &mut OpenApi, example: &Example) -> Option<()> {
    let method: Method = example.request.split(' ').next()?.parse().ok()?;
    let operation = operation(openapi.paths.paths.get_mut(&example.path)?, &method)?;
    if let (Some(body_type), Some(body)) = (&example.body_type, &example.body) {
        let RefOr::T(request) = operation.request_body.as_mut()? else { return None };
        put(request.content.get_mut(body_type)?, &example.name, &example.request, body)?;
    }
    let RefOr::T(response) = operation.responses.responses.get_mut(&example.status)? else { return None };
    put(response.content.get_mut(&example.content_type)?, &example.name, &example.request, &example.answer)
}

fn operation<'a>(item: &'a mut PathItem, method: &Method) -> Option<&'a mut Operation> {
    match *method {
        Method::GET => item.get.as_mut(),
        Method::POST => item.post.as_mut(),
        Method::DELETE => item.delete.as_mut(),
        _ => None,
    }
}

fn put(content: &mut RefOr<Content>, name: &str, request: &str, value: &Value) -> Option<()> {
    let RefOr::T(content) = content else { return None };
    let example = ExampleBuilder::new().summary(request).value(Some(value.clone())).build();
    content.examples.insert(name.to_owned(), example.into());
    Some(())
}
