//! Rows of a site: ranges, pages, cursors, unknown sites.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::harness::Api;

const DAY: [(&str, &str, &str, &str); 5] = [
    ("home-01", "2025-06-20T00:00:00Z", "1.5", "2"),
    ("home-01", "2025-06-20T06:00:00Z", "2", "2"),
    ("home-01", "2025-06-20T12:00:00Z", "-3", "2"),
    ("home-01", "2025-06-20T18:00:00Z", "2.25", "2"),
    ("home-02", "2025-06-20T12:00:00Z", "9", "9"),
];

fn instants(page: &Value) -> Vec<String> {
    let records = page["records"].as_array().unwrap().iter();
    records.map(|record| record["timestamp"].as_str().unwrap()[11..16].to_owned()).collect()
}

async fn follow(api: &Api, first: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(address) = next {
        let answer = api.get(&address).await;
        pages.push(instants(&answer.ok()));
        let link = answer.header(header::LINK).strip_suffix(r#">; rel="next""#);
        next = link.map(|link| link.strip_prefix('<').unwrap().to_owned());
        assert_eq!(next.is_some(), !answer.json()["next"].is_null());
    }
    pages
}

#[tokio::test]
async fn a_record_shows_its_energies_and_what_detection_found() {
    let api = Api::with(&DAY).await;
    let page = api.get("/records/home-01?start=2025-06-20T12:00:00Z&end=2025-06-20T18:00:00Z").await.ok();
    assert_eq!(page["site_id"], "home-01");
    assert_eq!(
        (&page["start"], &page["end"]),
        (&json!("2025-06-20T12:00:00.000Z"), &json!("2025-06-20T18:00:00.000Z"))
    );
    let [record] = &page["records"].as_array().unwrap()[..] else { panic!("{page}") };
    assert_eq!(record["timestamp"], "2025-06-20T12:00:00.000Z");
    assert_eq!(record["energy_generated_kwh"], -3);
    assert_eq!(record["energy_consumed_kwh"], 2);
    assert_eq!(record["net_energy_kwh"], -5);
    assert_eq!((&record["anomaly"], &record["revision"]), (&json!(true), &json!(0)));
    let finding = &record["findings"][0];
    assert_eq!((&finding["rule"], &finding["channel"]), (&json!("negative_energy"), &json!("generated")));
    assert_eq!((&finding["severity"], &finding["expected_kwh"]), (&json!("error"), &json!(0)));
    assert!(finding["score"].as_f64().unwrap() >= 1.0);
}

#[tokio::test]
async fn a_range_is_half_open_and_may_be_written_in_many_ways() {
    let api = Api::with(&DAY).await;
    let cases: [(&str, &[&str]); 9] = [
        ("", &["00:00", "06:00", "12:00", "18:00"]),
        ("start=2025-06-20&end=2025-06-21", &["00:00", "06:00", "12:00", "18:00"]),
        ("start_date=2025-06-20&end_date=2025-06-20", &[]),
        ("start=2025-06-20T06:00:00Z&end=2025-06-20T18:00:00Z", &["06:00", "12:00"]),
        ("start=2025-06-20T06:00:00.001Z", &["12:00", "18:00"]),
        ("start=2025-06-20T08:00:00%2B02:00", &["06:00", "12:00", "18:00"]),
        ("start=now-12h", &["12:00", "18:00"]),
        ("end=now-12h", &["00:00", "06:00"]),
        ("start=now", &[]),
    ];
    for (query, expected) in cases {
        assert_eq!(instants(&api.get(&format!("/records/home-01?{query}")).await.ok()), expected, "{query}");
    }
}

#[tokio::test]
async fn following_the_pages_gives_every_reading_once() {
    let api = Api::with(&DAY).await;
    for limit in 1..=5 {
        let pages = follow(&api, &format!("/records/home-01?limit={limit}&start=2025-06-20")).await;
        assert_eq!(pages.concat(), ["00:00", "06:00", "12:00", "18:00"], "{limit}");
        assert!(pages.iter().all(|page| page.len() <= limit), "{pages:?}");
    }
    assert_eq!(follow(&api, "/anomalies/home-01?limit=1").await.concat(), ["12:00"]);
}

#[tokio::test]
async fn a_relative_time_keeps_its_meaning_from_page_to_page() {
    let api = Api::with(&DAY).await;
    let first = api.get("/records/home-01?start=now-24h&end=now-6h&limit=1").await.ok();
    api.memory.pass_ms(12 * 3_600_000);
    let next = first["next"].as_str().unwrap();
    let second = api.get(&format!("/records/home-01?start=now-24h&end=now-6h&cursor={next}")).await.ok();
    assert_eq!(instants(&second), ["06:00", "12:00"]);
    assert_eq!((&second["start"], &second["end"]), (&first["start"], &first["end"]));
}

#[tokio::test]
async fn a_cursor_is_taken_by_its_own_question_only() {
    let api = Api::with(&DAY).await;
    let page = api.get("/records/home-01?limit=1&start=2025-06-20").await.ok();
    let cursor = page["next"].as_str().unwrap();
    assert!(
        api.get(&format!("/records/home-01?limit=3&start_date=2025-06-20&cursor={cursor}"))
            .await
            .status
            .is_success()
    );
    for foreign in [
        format!("/records/home-02?start=2025-06-20&cursor={cursor}"),
        format!("/anomalies/home-01?start=2025-06-20&cursor={cursor}"),
        format!("/records/home-01?start=2025-06-19&cursor={cursor}"),
        format!("/records/home-01?start=2025-06-20&end=now&cursor={cursor}"),
        format!("/records/home-01?cursor={cursor}"),
        format!("/records/home-01?start=2025-06-20&cursor={}", &cursor[1..]),
        format!("/records/home-01?start=2025-06-20&cursor={cursor}A"),
        "/records/home-01?cursor=".to_owned(),
        "/records/home-01?cursor=not%20base64".to_owned(),
    ] {
        let answer = api.get(&foreign).await;
        assert_eq!(
            (answer.status, &*answer.problem()),
            (StatusCode::BAD_REQUEST, "cursor-invalid"),
            "{foreign}"
        );
        assert_eq!(answer.json()["parameter"], "cursor");
    }
}

#[tokio::test]
async fn a_known_site_with_nothing_in_the_range_says_what_it_has() {
    let api = Api::with(&DAY).await;
    for address in ["/records/home-01?start=2025-07-01", "/anomalies/home-01?end=2025-06-20T12:00:00Z"] {
        let page = api.get(address).await.ok();
        assert_eq!((&page["records"], &page["next"]), (&json!([]), &Value::Null));
        assert_eq!(page["first_seen"], "2025-06-20T00:00:00.000Z");
        assert_eq!(page["last_seen"], "2025-06-20T18:00:00.000Z");
    }
    assert_eq!(api.get("/records/home-01").await.ok().get("first_seen"), None);
}

#[tokio::test]
async fn an_unknown_site_is_told_near_names() {
    let api = Api::with(&DAY).await;
    for address in ["/records/home-1", "/anomalies/home-1", "/records/HOME_01", "/records/home%2001"] {
        let answer = api.get(address).await;
        assert_eq!((answer.status, &*answer.problem()), (StatusCode::NOT_FOUND, "unknown-site"), "{address}");
        let problem = answer.json();
        assert_eq!(problem["near"], json!(["home-01", "home-02"]), "{address}");
        assert!(
            problem["detail"].as_str().unwrap().contains("Did you mean home-01 or home-02?"),
            "{problem}"
        );
    }
    let far = api.get("/records/zzz").await.json();
    assert_eq!(far.get("near"), None);
}

#[tokio::test]
async fn a_site_id_outside_the_alphabet_reaches_no_store() {
    let api = Api::with(&DAY).await;
    for id in ["home%2F01", "home-01%23x", "home-01%00", "%E2%80%AEhome", &"x".repeat(65), "..%2f..%2fetc"] {
        let answer = api.get(&format!("/records/{id}")).await;
        assert_eq!(answer.problem(), "unknown-site", "{id}");
        assert!(answer.json()["detail"].as_str().unwrap().contains("a site id has"), "{id}");
    }
}

#[tokio::test]
async fn a_page_holds_as_many_as_the_limit_and_the_limit_is_enforced() {
    let api = Api::with(&DAY).await;
    for limit in ["1", "10000"] {
        assert!(api.get(&format!("/records/home-01?limit={limit}")).await.status.is_success());
    }
    for limit in ["0", "10001", "-1", "ten", "1.5", "", "99999999999999999999999"] {
        let answer = api.get(&format!("/records/home-01?limit={limit}")).await;
        assert_eq!(
            (answer.status, &*answer.problem()),
            (StatusCode::BAD_REQUEST, "parameter-invalid"),
            "{limit}"
        );
        assert!(answer.json()["detail"].as_str().unwrap().contains("from 1 to 10000"), "{limit}");
    }
}
