//! Sites: their pages, and all that is known of one.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};
use wattstream_domain::OpenSilence;

use crate::harness::{Api, at, silence};

/// Ten readings of a site, one a quarter of an hour, the last of them below zero.
async fn api() -> Api {
    let instants: Vec<String> =
        (0..10).map(|n| format!("2025-06-20T{:02}:{:02}:00Z", n / 4, n % 4 * 15)).collect();
    let mut readings: Vec<_> = instants.iter().map(|at| ("home-01", at.as_str(), "0.2", "0.1")).collect();
    readings[9].2 = "-1";
    readings.extend(["home-02", "pv-farm-01"].map(|site| (site, instants[0].as_str(), "1", "2")));
    Api::with(&readings).await
}

fn ids(page: &Value) -> Vec<&str> {
    page["sites"].as_array().unwrap().iter().map(|site| site["site_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn sites_come_page_by_page_in_the_order_of_their_ids() {
    let api = api().await;
    let first = api.get("/sites?limit=2").await;
    assert_eq!(ids(&first.ok()), ["home-01", "home-02"]);
    let link = first.header(header::LINK).strip_suffix(r#">; rel="next""#).unwrap();
    let second = api.get(link.strip_prefix('<').unwrap()).await;
    assert_eq!((ids(&second.ok()), &second.ok()["next"]), (vec!["pv-farm-01"], &Value::Null));
    assert_eq!(second.header(header::LINK), "");
    assert_eq!(ids(&Api::new().get("/sites").await.ok()), [""; 0]);
}

#[tokio::test]
async fn a_search_finds_a_part_of_an_id_and_its_cursor_belongs_to_it() {
    let api = api().await;
    assert_eq!(ids(&api.get("/sites?search=-01").await.ok()), ["home-01", "pv-farm-01"]);
    assert_eq!(ids(&api.get("/sites?search=HOME").await.ok()), ["home-01", "home-02"]);
    assert_eq!(ids(&api.get("/sites?search=attic").await.ok()), [""; 0]);
    let page = api.get("/sites?search=-01&limit=1").await.ok();
    let cursor = page["next"].as_str().unwrap();
    let next = api.get(&format!("/sites?search=-01&limit=1&cursor={cursor}")).await.ok();
    assert_eq!(ids(&next), ["pv-farm-01"]);
    let foreign = api.get(&format!("/sites?search=home&cursor={cursor}")).await;
    assert_eq!((foreign.status, &*foreign.problem()), (StatusCode::BAD_REQUEST, "cursor-invalid"));
}

#[tokio::test]
async fn a_site_tells_all_that_is_known_of_it() {
    let api = api().await;
    let site = api.get("/sites/home-01").await.ok();
    let list = api.get("/sites?limit=1").await.ok();
    for (name, value) in list["sites"][0].as_object().unwrap() {
        assert_eq!(&site[name], value, "the list and the site say the same of {name}");
    }
    assert_eq!((&site["records"], &site["anomalies"]), (&json!(10), &json!(1)));
    assert_eq!(site["energy_generated_kwh"], 0.8);
    assert_eq!(site["first_seen"], "2025-06-20T00:00:00.000Z");
    assert_eq!(site["last_seen"], "2025-06-20T02:15:00.000Z");
    assert_eq!((&site["interval_ms"], &site["silent_since"]), (&json!(900_000), &Value::Null));
    let [episode] = &site["open_episodes"].as_array().unwrap()[..] else { panic!("{site}") };
    assert_eq!((&episode["rule"], &episode["severity"]), (&json!("negative_energy"), &json!("error")));
    assert_eq!(
        (&episode["opened_at"], &episode["readings"]),
        (&json!("2025-06-20T02:15:00.000Z"), &json!(1))
    );
    let reading = &site["last_reading"];
    assert_eq!((&reading["energy_generated_kwh"], &reading["anomaly"]), (&json!(-1), &json!(true)));
    assert_eq!(api.get("/sites/home-02").await.ok()["interval_ms"], Value::Null);
}

#[tokio::test]
async fn a_site_is_silent_until_it_speaks_again() {
    let api = Api::with(&[("home-01", "2025-06-20T00:00:00Z", "1", "1")]).await;
    let open =
        |name: &str| OpenSilence { site_id: name.parse().unwrap(), silence: silence(), is_announced: true };
    api.memory.fall_silent(open("home-0"));
    assert_eq!(api.get("/sites/home-01").await.ok()["silent_since"], Value::Null, "another site's silence");
    api.memory.fall_silent(open("home-01"));
    for site in [&api.get("/sites/home-01").await.ok(), &api.get("/sites").await.ok()["sites"][0]] {
        assert_eq!(site["silent_since"], "2025-06-20T01:30:00.000Z");
    }
    assert_eq!(silence().last_seen, at("2025-06-20T00:00:00Z"));
    let line = crate::harness::line("home-01", "2025-06-20T02:00:00Z", "1", "1");
    api.post("/readings", line).await.ok();
    assert_eq!(api.get("/sites/home-01").await.ok()["silent_since"], Value::Null);
}

#[tokio::test]
async fn an_unknown_site_is_told_near_names() {
    let answer = api().await.get("/sites/home-1").await;
    assert_eq!((answer.status, &*answer.problem()), (StatusCode::NOT_FOUND, "unknown-site"));
    assert_eq!(answer.json()["near"], json!(["home-01", "home-02"]));
}
