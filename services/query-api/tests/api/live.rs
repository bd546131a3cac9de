//! The readings as they come in: as a stream of events, and as the newest of them.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::Value;
use wattstream_engine::LIVE_FOLLOWERS_MAX;
use wattstream_engine::ports::LiveQueries;

use crate::harness::{Answer, Api, line, request};

const EVENTS: (&str, &str) = ("accept", "text/event-stream");

/// A stream of events that is being read.
struct Events {
    body: Body,
    text: String,
}

/// An event, or what stands in its place, with the fields as they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sent {
    event: String,
    id: String,
    data: String,
    retry: String,
    is_comment: bool,
}

impl Events {
    async fn open(api: &Api, path: &str, headers: &[(&str, &str)]) -> Self {
        let response =
            api.open(request(Method::GET, path, &[&[EVENTS], headers].concat(), Body::empty())).await;
        Self::of(response)
    }

    fn of(response: Response) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        assert!(!response.headers().contains_key(header::ETAG), "an answer that is not whole has no tag");
        assert_eq!(response.headers()[header::VARY], "accept");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next block; `None` when the stream has ended.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let sent = Sent::parse(block);
                self.text = rest.to_owned();
                return Some(sent);
            }
            let frame = self.body.frame().await?.unwrap();
            self.text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    /// The next event of a reading.
    async fn record(&mut self) -> Sent {
        let sent = self.next().await.unwrap();
        assert_eq!(sent.event, "record", "{sent:?}");
        sent
    }
}

impl Sent {
    fn parse(block: &str) -> Self {
        let mut sent = Self::default();
        for line in block.lines() {
            let (name, value) = line.split_once(':').unwrap();
            let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
            match name {
                "event" => sent.event = value,
                "id" => sent.id = value,
                "data" => sent.data = value,
                "retry" => sent.retry = value,
                "" => sent.is_comment = true,
                name => panic!("{name} is no field: {block}"),
            }
        }
        sent
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

async fn send(api: &Api, site: &str, timestamp: &str, generated: &str) {
    api.post("/readings", line(site, timestamp, generated, "1")).await.ok();
}

async fn get(api: &Api, path: &str, headers: &[(&str, &str)]) -> Answer {
    api.ask(request(Method::GET, path, headers, Body::empty())).await
}

/// The timestamps of the answer's readings, up to the minute.
fn minutes(answer: &Answer) -> Vec<String> {
    let records = answer.ok()["records"].as_array().unwrap().clone();
    let minute = |record: &Value| record["timestamp"].as_str().unwrap()[11..16].to_owned();
    records.iter().map(minute).collect()
}

#[tokio::test]
async fn without_a_wish_the_newest_readings_are_answered_the_newest_first() {
    let api = Api::new();
    assert_eq!(api.get("/live").await.text(), r#"{"records":[]}"#);
    for (site, minute) in [("a", "00:00"), ("b", "00:10"), ("a", "00:05")] {
        send(&api, site, &format!("2025-06-20T{minute}:00Z"), "2").await;
    }
    for accept in ["*/*", "application/json", "application/json, text/event-stream", ""] {
        let answer = get(&api, "/live", &[("accept", accept)]).await;
        assert_eq!(minutes(&answer), ["00:10", "00:05", "00:00"], "{accept}");
    }
    assert_eq!(minutes(&api.get("/live?site_id=a").await), ["00:05", "00:00"]);
    let records = api.get("/records/a?start=2025-06-20&end=2025-06-21").await.ok()["records"].clone();
    assert_eq!(api.get("/live?site_id=a").await.ok()["records"][0], records[1], "they are those of /records");
}

#[tokio::test]
async fn no_more_than_a_hundred_of_the_newest_readings_are_answered() {
    let api = Api::new();
    for minute in 0..101 {
        send(&api, "a", &format!("2025-06-20T{:02}:{:02}:00Z", minute / 60, minute % 60), "2").await;
    }
    let minutes = minutes(&api.get("/live").await);
    assert_eq!((minutes.len(), &*minutes[0], &*minutes[99]), (100, "01:40", "00:01"));
}

#[tokio::test]
async fn who_polls_is_told_when_there_is_nothing_new() {
    let api = Api::with(&[("a", "2025-06-20T00:00:00Z", "2", "1")]).await;
    let tag = api.get("/live").await.header(header::ETAG).to_owned();
    let known: &[(&str, &str)] = &[("if-none-match", &tag)];
    assert_eq!(get(&api, "/live", known).await.status, StatusCode::NOT_MODIFIED);
    send(&api, "a", "2025-06-20T00:00:00Z", "3").await;
    let revised = get(&api, "/live", known).await;
    assert_eq!(revised.ok()["records"][0]["revision"], 1);
}

#[tokio::test]
async fn a_stream_tells_of_new_late_and_revised_readings_as_the_records_have_them() {
    let api = Api::with(&[("a", "2025-06-20T01:00:00Z", "2", "1")]).await;
    let mut events = Events::open(&api, "/live", &[]).await;
    let beginning = events.next().await.unwrap();
    assert_eq!((&*beginning.retry, &*beginning.data), ("2000", ""));
    for (timestamp, generated) in
        [("2025-06-20T02:00:00Z", "2"), ("2025-06-20T00:00:00Z", "-4"), ("2025-06-20T02:00:00Z", "3")]
    {
        send(&api, "a", timestamp, generated).await;
        let path = format!("/records/a?start={timestamp}&limit=1");
        assert_eq!(events.record().await.json(), api.get(&path).await.ok()["records"][0]);
    }
}

#[tokio::test]
async fn a_stream_of_a_site_tells_of_no_other() {
    let api = Api::with(&[("a", "2025-06-20T00:00:00Z", "2", "1")]).await;
    let mut events = Events::open(&api, "/live?site_id=a", &[]).await;
    events.next().await.unwrap();
    send(&api, "b", "2025-06-20T00:00:00Z", "2").await;
    send(&api, "a", "2025-06-20T01:00:00Z", "2").await;
    assert_eq!(events.record().await.json()["site_id"], "a");
    let unknown = get(&api, "/live?site_id=c", &[EVENTS]).await;
    assert_eq!((unknown.status, &*unknown.problem()), (StatusCode::NOT_FOUND, "unknown-site"));
}

#[tokio::test]
async fn who_comes_back_misses_nothing_wherever_the_stream_was_cut_off() {
    let api = Api::new();
    let mut first = Events::open(&api, "/live", &[]).await;
    let mut ids = vec![first.next().await.unwrap().id];
    for hour in 0..3 {
        send(&api, "a", &format!("2025-06-20T0{hour}:00:00Z"), "2").await;
        ids.push(first.record().await.id);
    }
    drop(first);
    for (seen, id) in ids.iter().enumerate() {
        let by_header = Events::open(&api, "/live?after=other", &[("last-event-id", id)]).await;
        let by_parameter = Events::open(&api, &format!("/live?after={id}"), &[]).await;
        for mut events in [by_header, by_parameter] {
            assert_eq!(events.next().await.unwrap().id, *id);
            for id in &ids[seen + 1..] {
                assert_eq!(events.record().await.id, *id, "each event once, in its order");
            }
        }
    }
}

#[tokio::test]
async fn who_names_an_event_that_is_not_held_is_told_to_begin_anew() {
    let api = Api::new();
    for (hour, id) in ["", "nonsense", "0000000000000000-0", "\u{e9}"].into_iter().enumerate() {
        let mut events = Events::open(&api, "/live", &[("last-event-id", id)]).await;
        events.next().await.unwrap();
        let reset = events.next().await.unwrap();
        assert_eq!(reset.event, "reset", "{id}");
        assert!(reset.json()["reason"].as_str().unwrap().contains("Load what you show again"));
        send(&api, "a", &format!("2025-06-20T0{hour}:00:00Z"), "2").await;
        assert_eq!(events.record().await.json()["site_id"], "a", "the stream goes on from now");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_lives_on_beyond_the_time_of_a_request_with_a_heartbeat_every_15_s() {
    let api = Api::with_timeout(Duration::from_secs(1));
    let mut events = Events::open(&api, "/live", &[]).await;
    events.next().await.unwrap();
    let begin = tokio::time::Instant::now();
    for beat in 1..=3 {
        assert!(events.next().await.unwrap().is_comment);
        assert_eq!(begin.elapsed().as_secs(), 15 * beat);
    }
    send(&api, "a", "2025-06-20T00:00:00Z", "2").await;
    events.record().await;
}

#[tokio::test]
async fn a_stream_ends_when_the_process_is_about_to_stop() {
    let api = Api::new();
    let mut events = Events::open(&api, "/live", &[]).await;
    events.next().await.unwrap();
    api.memory.live_feed().unwrap().close();
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_stream_too_many_is_told_to_try_again() {
    let api = Api::new();
    let feed = api.memory.live_feed().unwrap();
    let followers: Vec<_> = (0..LIVE_FOLLOWERS_MAX).map(|_| feed.follow(None, None).unwrap()).collect();
    let refused = get(&api, "/live", &[EVENTS]).await;
    assert_eq!((refused.status, &*refused.problem()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert_eq!(api.get("/live").await.status, StatusCode::OK, "who polls is none of them");
    drop(followers);
    Events::open(&api, "/live", &[]).await;
}

#[tokio::test]
async fn a_form_that_is_not_there_is_refused() {
    let answer = get(&Api::new(), "/live", &[("accept", "text/csv")]).await;
    assert_eq!((answer.status, &*answer.problem()), (StatusCode::NOT_ACCEPTABLE, "not-acceptable"));
}

#[cfg(feature = "lambda")]
#[tokio::test]
async fn where_another_process_writes_the_tables_a_stream_is_refused_and_polling_is_answered() {
    let api = Api::without_feed();
    send(&api, "a", "2025-06-20T00:00:00Z", "2").await;
    let refused = get(&api, "/live", &[EVENTS]).await;
    assert_eq!((refused.status, &*refused.problem()), (StatusCode::NOT_ACCEPTABLE, "not-acceptable"));
    assert!(refused.json()["detail"].as_str().unwrap().contains("If-None-Match"));
    let polled = get(&api, "/live", &[("accept", "text/event-stream, application/json;q=0.5")]).await;
    assert_eq!(minutes(&polled), ["00:00"]);
}
