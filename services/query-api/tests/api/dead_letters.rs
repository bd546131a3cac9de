//! Dead letters are listed, shown, sent again and thrown away, page by page.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::harness::{Api, line, request};

async fn with_rejects(payloads: &[&[u8]]) -> Api {
    let api = Api::new();
    let body = payloads.join(&b'\n');
    let ndjson = [("content-type", "application/x-ndjson")];
    api.ask(request(Method::POST, "/readings", &ndjson, Body::from(body))).await.ok();
    api.memory.pass_ms(1_000);
    api
}

fn ids(page: &Value) -> Vec<&str> {
    let letters = page["dead_letters"].as_array().unwrap().iter();
    letters.map(|letter| letter["id"].as_str().unwrap().split(':').nth(1).unwrap()).collect()
}

#[tokio::test]
async fn a_letter_tells_its_reason_and_gives_its_payload_back_byte_for_byte() {
    let payload = b"\xff\x00\x1b[31m not a reading";
    let api = with_rejects(&[payload]).await;
    for address in ["/dead-letters", "/dead-letters/shardId-000000000000:1:0"] {
        let answer = api.get(address).await.ok();
        let letter = answer.get("dead_letters").map_or(&answer, |letters| &letters[0]);
        assert_eq!(letter["id"], "shardId-000000000000:1:0");
        assert_eq!(letter["reason"], "not_utf8");
        assert_eq!(letter["arrived_at"], "2025-06-21T00:00:00.000Z");
        assert_eq!(letter["payload_bytes"], payload.len());
        assert_eq!(BASE64_STANDARD.decode(letter["payload_base64"].as_str().unwrap()).unwrap(), payload);
        assert!(!letter["detail"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_list_shows_the_beginning_of_a_long_payload_and_the_letter_all_of_it() {
    let payload = vec![b'x'; 100_000];
    let api = with_rejects(&[&payload]).await;
    let listed = &api.get("/dead-letters").await.ok()["dead_letters"][0];
    assert_eq!(
        BASE64_STANDARD.decode(listed["payload_base64"].as_str().unwrap()).unwrap(),
        payload[..65_536]
    );
    let shown = api.get("/dead-letters/shardId-000000000000:1:0").await.ok();
    assert_eq!(BASE64_STANDARD.decode(shown["payload_base64"].as_str().unwrap()).unwrap(), payload);
}

#[tokio::test]
async fn the_pages_hold_every_letter_once() {
    let api = with_rejects(&[b"1", b"2", b"3"]).await;
    let first = api.get("/dead-letters?limit=2").await.ok();
    assert_eq!(ids(&first), ["1", "2"]);
    let next = first["next"].as_str().unwrap();
    let second = api.get(&format!("/dead-letters?limit=2&cursor={next}")).await.ok();
    assert_eq!((ids(&second), &second["next"]), (vec!["3"], &Value::Null));
}

#[tokio::test]
async fn a_redriven_letter_is_in_the_log_again_and_out_of_the_box() {
    let api = with_rejects(&[b"1", b"2"]).await;
    let swept = api.post("/dead-letters/shardId-000000000000:1:0/redrive", "").await.ok();
    assert_eq!(swept, json!({"dead_letters": 1, "next": null}));
    let log: Vec<_> = api.memory.log().into_iter().map(|(_, data)| data).collect();
    assert_eq!(log, ["1", "2", "1"]);
    assert_eq!(ids(&api.get("/dead-letters").await.ok()), ["2", "3"]);
}

#[tokio::test]
async fn to_redrive_everything_comes_to_an_end_even_when_everything_is_rejected_again() {
    let api = with_rejects(&[b"1", b"2", b"3"]).await;
    let (mut redriven, mut cursor) = (0, String::new());
    for _ in 0..10 {
        let swept = api.post(&format!("/dead-letters/redrive?limit=1{cursor}"), "").await.ok();
        redriven += swept["dead_letters"].as_u64().unwrap();
        let Some(next) = swept["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!((redriven, api.memory.log().len()), (3, 6));
    assert_eq!(ids(&api.get("/dead-letters").await.ok()), ["4", "5", "6"]);
}

#[tokio::test]
async fn a_letter_stays_in_the_box_when_the_log_does_not_take_it() {
    let api = with_rejects(&[b"1"]).await;
    api.memory.set_fault(crate::memory::Fault::Fails(wattstream_engine::Kind::Retry));
    assert_eq!(api.post("/dead-letters/redrive", "").await.status, StatusCode::SERVICE_UNAVAILABLE);
    api.memory.set_fault(crate::memory::Fault::None);
    assert_eq!(ids(&api.get("/dead-letters").await.ok()), ["1"]);
}

#[tokio::test]
async fn purged_letters_are_gone_and_younger_ones_stay() {
    let api = with_rejects(&[b"1", b"2"]).await;
    api.delete("/dead-letters/shardId-000000000000:1:0").await.ok();
    assert_eq!(ids(&api.get("/dead-letters").await.ok()), ["2"]);
    api.post("/readings", "3").await.ok();
    assert_eq!(api.delete("/dead-letters?until=2025-06-21T00:00:01Z").await.ok()["dead_letters"], 1);
    assert_eq!(ids(&api.get("/dead-letters").await.ok()), ["3"]);
}

#[tokio::test]
async fn a_letter_that_is_not_there_is_a_problem() {
    let api = with_rejects(&[b"1"]).await;
    for id in ["shardId-000000000000:9:0", "1", "shardId-000000000000:x:0"] {
        for answer in [
            api.get(&format!("/dead-letters/{id}")).await,
            api.delete(&format!("/dead-letters/{id}")).await,
            api.post(&format!("/dead-letters/{id}/redrive"), "").await,
        ] {
            assert_eq!(
                (answer.status, &*answer.problem()),
                (StatusCode::NOT_FOUND, "unknown-dead-letter"),
                "{id}"
            );
        }
    }
}

#[tokio::test]
async fn a_mended_reading_is_posted_and_its_letter_purged() {
    let api = with_rejects(&[b"{}"]).await;
    api.post("/readings", line("home-01", "2025-06-20T00:00:00Z", "1", "1")).await.ok();
    api.delete("/dead-letters/shardId-000000000000:1:0").await.ok();
    assert_eq!(api.get("/summary").await.ok()["totals"]["records"], 1);
    assert!(ids(&api.get("/dead-letters").await.ok()).is_empty());
}
