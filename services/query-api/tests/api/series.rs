//! Series: steps of the calendar, gaps, sums, limits.

use axum::http::StatusCode;
use proptest::prelude::*;
use serde_json::{Value, json};
use wattstream_domain::Timestamp;

use crate::harness::{Api, at, line};

const START: &str = "2025-06-20T00:00:00Z";

fn minutes_later(minutes: i64) -> Timestamp {
    at(START).saturating_add_ms(minutes * 60_000)
}

/// An API that a site has sent readings to: minutes after the start, milliwatt-hours. The instants are sent in this order.
async fn api_with(readings: impl IntoIterator<Item = (i64, i64)>) -> Api {
    let api = Api::new();
    let kwh = |milliwatt_hours: i64| format!("{milliwatt_hours}e-6");
    let lines: Vec<String> = readings
        .into_iter()
        .map(|(minute, energy)| line("home-01", &minutes_later(minute).to_string(), &kwh(energy), "0.000001"))
        .collect();
    for lines in lines.chunks(1_000) {
        let receipt = api.post("/readings", lines.join("\n")).await.ok();
        assert_eq!(receipt["rejected"], 0, "{receipt}");
    }
    api
}

/// A reading every quarter of an hour.
async fn quarters(count: i64) -> Api {
    api_with((0..count).map(|index| (15 * index, 1_000_000))).await
}

fn points(series: &Value) -> Vec<(String, Value, u64)> {
    let points = series["points"].as_array().unwrap().iter();
    points
        .map(|point| {
            let start = point["start"].as_str().unwrap()[5..16].to_owned();
            (start, point["energy_generated_kwh"].clone(), point["records"].as_u64().unwrap())
        })
        .collect()
}

fn shape(series: &Value) -> (&str, usize) {
    (series["resolution"].as_str().unwrap(), series["points"].as_array().unwrap().len())
}

#[tokio::test]
async fn hours_are_at_equal_steps_and_one_without_readings_is_null() {
    let api = api_with([(0, 1), (15, 2), (180, -4), (190, 1)]).await;
    let series = api.get("/series/home-01?resolution=hour").await.ok();
    let expected = [
        ("06-20T00:00", json!(0.000_003), 2),
        ("06-20T01:00", Value::Null, 0),
        ("06-20T02:00", Value::Null, 0),
        ("06-20T03:00", json!(-0.000_003), 2),
    ];
    assert_eq!(points(&series), expected.map(|(start, energy, records)| (start.to_owned(), energy, records)));
    let [_, gap, _, open] = &series["points"].as_array().unwrap()[..] else { panic!("{series}") };
    assert_eq!((&gap["energy_consumed_kwh"], &gap["net_energy_kwh"]), (&Value::Null, &Value::Null));
    assert_eq!((&open["net_energy_kwh"], &open["anomalies"]), (&json!(-0.000_005), &json!(1)));
    assert_eq!(
        (&series["start"], &series["end"]),
        (&json!("2025-06-20T00:00:00.000Z"), &json!("2025-06-20T04:00:00.000Z"))
    );
}

#[tokio::test]
async fn a_range_is_widened_to_whole_steps_and_reaches_beyond_the_readings() {
    let api = api_with([(0, 1), (90, 2)]).await;
    let asked = "start=2025-06-19T22:30:00Z&end=2025-06-20T02:00:00.001Z&resolution=hour";
    let series = api.get(&format!("/series/home-01?{asked}")).await.ok();
    let records: Vec<_> = points(&series).into_iter().map(|(start, _, records)| (start, records)).collect();
    let expected =
        [("06-19T22:00", 0), ("06-19T23:00", 0), ("06-20T00:00", 1), ("06-20T01:00", 1), ("06-20T02:00", 0)];
    assert_eq!(records, expected.map(|(start, records)| (start.to_owned(), records)));
    assert_eq!(
        (&series["start"], &series["end"]),
        (&json!("2025-06-19T22:00:00.000Z"), &json!("2025-06-20T03:00:00.000Z"))
    );
}

#[tokio::test]
async fn days_and_months_are_those_of_utc_and_hold_the_open_hour() {
    // The last quarter of June and the first of July.
    let api = api_with([(10 * 1_440, 1), (11 * 1_440 - 15, 2), (11 * 1_440, 4), (11 * 1_440 + 15, 8)]).await;
    let of = async |resolution: &str| {
        points(&api.get(&format!("/series/home-01?resolution={resolution}")).await.ok())
            .into_iter()
            .map(|(start, energy, _)| (start, energy))
            .collect::<Vec<_>>()
    };
    let [june, july] = [json!(0.000_003), json!(0.000_012)];
    assert_eq!(
        of("day").await,
        [("06-30T00:00".to_owned(), june.clone()), ("07-01T00:00".to_owned(), july.clone())]
    );
    assert_eq!(of("month").await, [("06-01T00:00".to_owned(), june), ("07-01T00:00".to_owned(), july)]);
}

#[tokio::test]
async fn raw_points_are_the_readings_and_each_gap_has_one_null_point() {
    // A reading every quarter, then none for an hour, then one that is 7 minutes late, which is no gap.
    let kept = (0..12).map(|index| (15 * index, 1));
    let api = api_with(kept.chain([(165 + 60, 2), (165 + 82, 3), (165 + 104, 4)])).await;
    let series = api.get("/series/home-01?resolution=raw&start=2025-06-20T02:30:00Z").await.ok();
    let expected = [
        ("06-20T02:30", json!(0.000_001), 1),
        ("06-20T02:45", json!(0.000_001), 1),
        ("06-20T03:00", Value::Null, 0),
        ("06-20T03:45", json!(0.000_002), 1),
        ("06-20T04:07", json!(0.000_003), 1),
        ("06-20T04:29", json!(0.000_004), 1),
    ];
    let expected: Vec<_> =
        expected.into_iter().map(|(at, energy, records)| (at.to_owned(), energy, records)).collect();
    assert_eq!(points(&series), expected, "22 minutes are not more than one and a half of 15");
}

#[tokio::test]
async fn auto_is_the_finest_resolution_with_at_most_2000_points() {
    let api = quarters(2_000).await;
    assert_eq!(shape(&api.get("/series/home-01").await.ok()), ("raw", 2_000));
    api.post("/readings", line("home-01", &minutes_later(30_000).to_string(), "1", "0")).await.ok();
    assert_eq!(shape(&api.get("/series/home-01").await.ok()), ("hour", 501));
    let day = api.get("/series/home-01?start=2025-06-21&end=2025-06-22").await.ok();
    assert_eq!(shape(&day), ("raw", 96));
}

#[tokio::test]
async fn a_long_range_of_many_readings_is_summed_over_days() {
    let api = api_with((0..2_100).map(|hour| (60 * hour, 1_000_000))).await;
    assert_eq!(shape(&api.get("/series/home-01").await.ok()), ("day", 88));
    assert_eq!(shape(&api.get("/series/home-01?resolution=hour").await.ok()), ("hour", 2_100));
    assert_eq!(shape(&api.get("/series/home-01?resolution=raw").await.ok()), ("raw", 2_100));
}

#[tokio::test]
async fn more_points_than_an_answer_may_have_are_refused_with_the_resolution_that_fits() {
    let api = quarters(10).await;
    let most = api.get("/series/home-01?resolution=hour&end=2026-08-10T16:00:00Z").await.ok();
    assert_eq!(shape(&most), ("hour", 10_000));
    let cases = [
        ("resolution=hour&end=2026-08-10T16:00:00.001Z", "10001 points", "resolution=day"),
        ("resolution=hour&start=1971-01-01", "points", "resolution=month"),
        ("resolution=day&start=1971-01-01", "19895 points", "resolution=month"),
    ];
    for (query, points, fits) in cases {
        let answer = api.get(&format!("/series/home-01?{query}")).await;
        assert_eq!(
            (answer.status, &*answer.problem()),
            (StatusCode::BAD_REQUEST, "range-too-long"),
            "{query}"
        );
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(points) && detail.contains(fits) && detail.contains("10000"), "{detail}");
    }
}

#[tokio::test]
async fn more_readings_than_an_answer_may_have_are_refused() {
    let api = api_with((0..10_001).map(|minute| (minute, 1))).await;
    let answer = api.get("/series/home-01?resolution=raw").await;
    assert_eq!(answer.problem(), "range-too-long");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("more than 10000 points") && detail.contains("resolution=hour"), "{detail}");
    assert_eq!(
        shape(&api.get("/series/home-01?resolution=raw&start=2025-06-20T00:01:00Z").await.ok()),
        ("raw", 10_000)
    );
}

#[tokio::test]
async fn a_range_without_readings_says_what_the_site_has() {
    let api = api_with([(0, 1), (15, 1)]).await;
    for query in ["start=2026-01-01", "end=2025-01-01", "start=2025-06-20&end=2025-06-20&resolution=hour"] {
        let series = api.get(&format!("/series/home-01?{query}")).await.ok();
        assert_eq!(series["points"], json!([]), "{query}");
        assert_eq!(series["first_seen"], "2025-06-20T00:00:00.000Z");
        assert_eq!(series["last_seen"], "2025-06-20T00:15:00.000Z");
    }
    let empty = api.get("/series/home-01?resolution=day&start=2026-01-01&end=2026-01-03").await.ok();
    assert_eq!(points(&empty), ["01-01T00:00", "01-02T00:00"].map(|at| (at.to_owned(), Value::Null, 0)));
}

#[tokio::test]
async fn all_sites_together_are_summed_and_counted() {
    let api = Api::with(&[
        ("a", "2025-06-20T00:00:00Z", "1", "0.5"),
        ("a", "2025-06-20T03:00:00Z", "-2", "0"),
        ("b", "2025-06-20T00:30:00Z", "4", "0"),
        ("b", "2025-06-21T00:30:00Z", "8", "0"),
    ])
    .await;
    let of = async |query: &str| -> Vec<(Value, u64, u64)> {
        let series = api.get(&format!("/series?{query}")).await.ok();
        assert_eq!(series["as_of"], Value::Null);
        let points = series["points"].as_array().unwrap().iter();
        let count = |point: &Value, name: &str| point[name].as_u64().unwrap();
        points
            .map(|point| (point["net_energy_kwh"].clone(), count(point, "sites"), count(point, "anomalies")))
            .collect()
    };
    let hours = of("resolution=hour&end=2025-06-20T04:00:00Z").await;
    assert_eq!(hours, [(json!(4.5), 2, 0), (Value::Null, 0, 0), (Value::Null, 0, 0), (json!(-2), 1, 1)]);
    assert_eq!(of("").await.len(), 25, "auto takes hours");
    let days = of("resolution=day&start=2025-06-19&end=2025-06-22").await;
    assert_eq!(days, [(Value::Null, 0, 0), (json!(2.5), 2, 1), (json!(8), 1, 0)]);
    assert_eq!(of("resolution=month").await, [(json!(10.5), 2, 1)]);
    assert_eq!(Api::new().get("/series").await.ok()["points"], json!([]));
}

#[tokio::test]
async fn a_fleet_that_has_to_be_added_up_is_so_within_limits() {
    let api = quarters(4).await;
    api.memory.answer_from_snapshots();
    let answer = api.get("/series?start=2024-01-01&end=2025-01-01").await;
    assert_eq!((answer.status, &*answer.problem()), (StatusCode::BAD_REQUEST, "range-too-long"));
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("200001 hours") && detail.contains("GET /series/{site_id}"), "{detail}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// In any order, late and revised: whatever the resolution, the points add up to the totals of the site.
    #[test]
    fn the_points_of_every_resolution_add_up_to_the_totals(
        readings in prop::collection::vec((0..6_000_i64, -5..1_000_i64), 1..120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let api = api_with(readings.iter().map(|(index, energy)| (15 * index, *energy))).await;
            let totals = api.get("/sites/home-01").await.ok();
            for resolution in ["raw", "hour", "day", "month"] {
                let series = api.get(&format!("/series/home-01?resolution={resolution}")).await.ok();
                let sum = |name: &str| -> f64 {
                    let points = series["points"].as_array().unwrap().iter();
                    points.filter_map(|point| point[name].as_f64()).sum()
                };
                for name in
                    ["energy_generated_kwh", "energy_consumed_kwh", "net_energy_kwh", "records", "anomalies"]
                {
                    // Far less than a milliwatt-hour, which is what could be missing.
                    let difference = (sum(name) - totals[name].as_f64().unwrap()).abs();
                    assert!(difference < 1e-8, "{resolution} {name}: {difference}");
                }
            }
        });
    }
}
