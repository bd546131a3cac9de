//! Pages that end early.

use bytes::Bytes;
use serde_json::Value;

/// A request for a page, made to ask for no more than this.
pub(super) fn at_most(limit: u32, body: &[u8]) -> Option<Bytes> {
    let mut request: Value = serde_json::from_slice(body).ok()?;
    let asked = request.get("Limit").and_then(Value::as_u64);
    let limit = u64::from(limit.max(1));
    request.as_object_mut()?.insert("Limit".to_owned(), asked.map_or(limit, |asked| asked.min(limit)).into());
    Some(request.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit_of(limit: u32, body: &str) -> Value {
        serde_json::from_slice::<Value>(&at_most(limit, body.as_bytes()).unwrap()).unwrap()["Limit"].clone()
    }

    #[test]
    fn a_page_is_never_longer_than_was_asked_for() {
        assert_eq!(limit_of(3, r#"{"TableName":"t"}"#), 3);
        assert_eq!(limit_of(3, r#"{"TableName":"t","Limit":10}"#), 3);
        assert_eq!(limit_of(3, r#"{"TableName":"t","Limit":1}"#), 1);
        assert_eq!(limit_of(0, r#"{"TableName":"t"}"#), 1);
        assert_eq!(at_most(3, b"no JSON"), None);
    }
}
