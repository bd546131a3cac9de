//! Anomalies and episodes of all sites: order, filters, pages.

use axum::http::header;
use serde_json::{Value, json};
use wattstream_domain::OpenSilence;

use crate::harness::{Api, at, line, silence};

/// Anomalies of two sites at the same instants. An episode ends with three good readings.
async fn api() -> Api {
    let hours: Vec<String> = (0..6).map(|hour| format!("2025-06-20T{hour:02}:00:00Z")).collect();
    let of = |site, index: usize, energy| (site, hours[index].as_str(), energy, "1");
    Api::with(&[
        of("a", 0, "-1"),
        of("a", 1, "-2"),
        of("a", 2, "1"),
        of("a", 3, "2"),
        of("a", 4, "1"),
        of("a", 5, "-3"),
        of("b.1", 0, "-1"),
        of("b.1", 5, "-1"),
    ])
    .await
}

async fn follow(api: &Api, first: &str, list: &str) -> Vec<Value> {
    let (mut entries, mut next) = (Vec::new(), Some(first.to_owned()));
    while let Some(address) = next {
        let answer = api.get(&address).await;
        entries.extend(answer.ok()[list].as_array().unwrap().clone());
        let link = answer.header(header::LINK).strip_suffix(r#">; rel="next""#);
        next = link.map(|link| link.strip_prefix('<').unwrap().to_owned());
        assert_eq!(next.is_some(), !answer.json()["next"].is_null());
    }
    entries
}

fn places(anomalies: &[Value]) -> Vec<String> {
    let place = |row: &Value| {
        format!("{} {}", &row["timestamp"].as_str().unwrap()[11..13], row["site_id"].as_str().unwrap())
    };
    anomalies.iter().map(place).collect()
}

#[tokio::test]
async fn the_anomalies_of_all_sites_come_newest_first_and_page_by_page() {
    let api = api().await;
    let all = ["05 b.1", "05 a", "01 a", "00 b.1", "00 a"];
    for limit in [1, 2, 3, 100] {
        assert_eq!(
            places(&follow(&api, &format!("/anomalies?limit={limit}"), "anomalies").await),
            all,
            "{limit}"
        );
    }
    let of =
        async |query: &str| places(&follow(&api, &format!("/anomalies?limit=1&{query}"), "anomalies").await);
    assert_eq!(of("start=2025-06-20T01:00:00Z&end=2025-06-20T05:00:00Z").await, ["01 a"]);
    assert_eq!(of("site_id=b.1").await, ["05 b.1", "00 b.1"]);
    assert_eq!(of("rule=negative_energy&severity=error").await, all);
    assert_eq!(of("rule=any&severity=any").await, all);
    assert_eq!(of("rule=high_limit").await, [""; 0]);
    assert_eq!(of("severity=warning").await, [""; 0]);
}

#[tokio::test]
async fn an_anomaly_is_the_record_of_its_site() {
    let api = api().await;
    let anomaly = api.get("/anomalies?limit=1").await.ok()["anomalies"][0].clone();
    let record = api.get("/anomalies/b.1?start=2025-06-20T05:00:00Z").await.ok()["records"][0].clone();
    assert_eq!(anomaly, record);
}

#[tokio::test]
async fn a_cursor_belongs_to_its_filter() {
    let api = api().await;
    let page = api.get("/anomalies?limit=1&rule=negative_energy").await.ok();
    let cursor = page["next"].as_str().unwrap();
    for foreign in ["rule=any", "rule=negative_energy&site_id=a", "rule=negative_energy&end=now"] {
        let answer = api.get(&format!("/anomalies?{foreign}&cursor={cursor}")).await;
        assert_eq!(answer.problem(), "cursor-invalid", "{foreign}");
    }
}

#[tokio::test]
async fn an_episode_is_listed_once_as_it_ended_or_as_it_is_now() {
    let api = api().await;
    for limit in [1, 2, 100] {
        let episodes = follow(&api, &format!("/episodes?limit={limit}"), "episodes").await;
        let told = |episode: &Value| {
            (
                episode["site_id"].as_str().unwrap().to_owned(),
                episode["opened_at"].as_str().unwrap()[11..13].to_owned(),
                episode["closed_at"].as_str().map(|at| at[11..13].to_owned()),
                episode["readings"].as_u64().unwrap(),
            )
        };
        let expected = [("a", "05", None, 1), ("a", "00", Some("04"), 2), ("b.1", "00", None, 2)];
        let expected = expected.map(|(site, opened, closed, readings)| {
            (site.to_owned(), opened.to_owned(), closed.map(str::to_owned), readings)
        });
        assert_eq!(episodes.iter().map(told).collect::<Vec<_>>(), expected, "{limit}");
    }
    let count =
        async |query: &str| follow(&api, &format!("/episodes?limit=1&{query}"), "episodes").await.len();
    assert_eq!((count("state=open").await, count("state=closed").await), (2, 1));
    assert_eq!((count("site_id=b.1").await, count("rule=high_limit").await), (1, 0));
    assert_eq!(count("start=2025-06-20T04:00:00Z&end=2025-06-20T05:00:00Z").await, 1);
}

#[tokio::test]
async fn a_silence_is_an_episode_without_readings_until_it_is_over() {
    let api = Api::with(&[("home-01", "2025-06-20T00:00:00Z", "1", "1")]).await;
    let (site_id, silence) = ("home-01".parse().unwrap(), silence());
    api.memory.publish(silence.opened(site_id));
    assert_eq!(api.get("/episodes").await.ok()["episodes"], json!([]), "nobody knows of it any more");
    api.memory.fall_silent(OpenSilence { site_id, silence, is_announced: true });
    let expected = json!({
        "kind": "silence", "site_id": "home-01", "rule": null, "severity": "error",
        "opened_at": "2025-06-20T01:30:00.000Z", "closed_at": null, "last_at": "2025-06-20T00:00:00.000Z",
        "readings": null, "score": null,
    });
    assert_eq!(api.get("/episodes").await.ok()["episodes"], json!([expected]));
    assert_eq!(api.get("/episodes?rule=negative_energy").await.ok()["episodes"], json!([]));
    api.memory.publish(silence.closed(site_id, at("2025-06-20T02:00:00Z")));
    let closed = api.get("/episodes?state=closed").await.ok();
    assert_eq!(closed["episodes"][0]["closed_at"], "2025-06-20T02:00:00.000Z");
}

#[tokio::test]
async fn a_filter_that_leaves_almost_everything_out_answers_in_bounded_steps() {
    let api = Api::new();
    let second = |n: i64| at("2025-06-20T00:00:00Z").saturating_add_ms(n * 1_000).to_string();
    let lines: Vec<String> = (0..10_050).map(|n| line("a", &second(n), "-1", "1")).collect();
    for lines in lines.chunks(5_000) {
        api.post("/readings", lines.join("\n")).await.ok();
    }
    let first = api.get("/anomalies?rule=high_limit").await.ok();
    assert_eq!(first["anomalies"], json!([]));
    let cursor = first["next"].as_str().unwrap();
    let second = api.get(&format!("/anomalies?rule=high_limit&cursor={cursor}")).await.ok();
    assert_eq!((&second["anomalies"], &second["next"]), (&json!([]), &Value::Null));
}
