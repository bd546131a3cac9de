//! The same list as JSON, as one JSON a line, and as CSV.

use axum::body::Body;
use axum::http::{Method, header};
use serde_json::Value;

use crate::harness::{Answer, Api, request};

/// Sites whose ids a spreadsheet would take for formulas, with anomalies and a gap.
async fn api() -> Api {
    Api::with(&[
        ("-1", "2025-06-20T00:00:00Z", "-1.5", "0.000001"),
        ("-1-1", "2025-06-20T00:00:00Z", "1", "2"),
        ("home-01", "2025-06-20T00:00:00Z", "100000000.000001", "0"),
        ("home-01", "2025-06-20T05:00:00Z", "-1", "0"),
    ])
    .await
}

/// Every list, and the member that has its rows.
const LISTS: [(&str, &str); 8] = [
    ("/summary", "sites"),
    ("/sites?limit=2", "sites"),
    ("/records/home-01?limit=1", "records"),
    ("/anomalies/home-01", "records"),
    ("/anomalies?limit=1", "anomalies"),
    ("/episodes", "episodes"),
    ("/series/home-01?resolution=hour", "points"),
    ("/series", "points"),
];

async fn get_as(api: &Api, path: &str, accept: &str) -> Answer {
    api.ask(request(Method::GET, path, &[("accept", accept)], Body::empty())).await
}

/// The rows of a CSV answer, each with a value for every column.
fn csv_rows(answer: &Answer) -> Vec<Vec<(String, String)>> {
    assert!(answer.text().ends_with("\r\n"), "{}", answer.text());
    let mut lines = answer.text().trim_end().split("\r\n").map(|line| line.split(',').map(str::to_owned));
    let header: Vec<String> = lines.next().unwrap().collect();
    let rows: Vec<Vec<String>> = lines.map(Iterator::collect).collect();
    assert!(rows.iter().all(|row| row.len() == header.len()), "{}", answer.text());
    rows.into_iter().map(|row| header.iter().cloned().zip(row).collect()).collect()
}

/// How a value stands in a cell: numbers digit by digit, texts guarded, lists as the names of their rules.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with('-') => format!("'{text}"),
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            list.iter().map(|entry| entry["rule"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
        }
        number => number.to_string(),
    }
}

#[tokio::test]
async fn the_rows_are_the_same_in_every_form() {
    let api = api().await;
    for (path, list) in LISTS {
        let json = api.get(path).await;
        let rows = json.ok()[list].as_array().unwrap().clone();
        assert!(!rows.is_empty(), "{path}");
        let separator = if path.contains('?') { '&' } else { '?' };
        for lines in [
            get_as(&api, path, "application/x-ndjson").await,
            api.get(&format!("{path}{separator}format=ndjson")).await,
        ] {
            assert_eq!(lines.header(header::CONTENT_TYPE), "application/x-ndjson", "{path}");
            let parsed: Vec<Value> =
                lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(parsed, rows, "{path}");
            assert!(json.text().contains(lines.text().lines().next().unwrap()), "digit by digit: {path}");
        }
        for csv in
            [get_as(&api, path, "text/csv").await, api.get(&format!("{path}{separator}format=csv")).await]
        {
            assert_eq!(csv.header(header::CONTENT_TYPE), "text/csv; charset=utf-8; header=present", "{path}");
            assert!(csv.header(header::VARY).contains("accept"), "{path}");
            let found = csv_rows(&csv);
            assert_eq!(found.len(), rows.len(), "{path}");
            for (row, cells) in rows.iter().zip(found) {
                for (column, found) in &cells {
                    let value = column.split('.').fold(row, |value, name| &value[name]);
                    let is_the_same = *found == cell(value)
                        || found.parse::<f64>().is_ok_and(|number| value.as_f64() == Some(number));
                    assert!(is_the_same, "{path} {column}: {found} is not {value}");
                }
                let described: Vec<&str> =
                    cells.iter().map(|(column, _)| column.split('.').next().unwrap()).collect();
                for member in row.as_object().unwrap().keys() {
                    assert!(described.contains(&member.as_str()), "{path}: no column for {member}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_next_page_is_asked_for_in_the_same_form() {
    let api = api().await;
    let first = api.get("/records/home-01?limit=1&format=csv").await;
    let link = first.header(header::LINK).strip_suffix(r#">; rel="next""#).unwrap();
    let second = api.get(link.strip_prefix('<').unwrap()).await;
    assert_eq!(second.header(header::CONTENT_TYPE), "text/csv; charset=utf-8; header=absent");
    assert_eq!(second.header(header::LINK), "");
    let whole = api.get("/records/home-01?format=csv").await;
    assert_eq!(
        format!("{}{}", first.text(), second.text()),
        whole.text(),
        "pages one after the other are one file"
    );
    assert_eq!(csv_rows(&whole)[1][1].1, "2025-06-20T05:00:00.000Z");
}

#[tokio::test]
async fn an_empty_list_has_no_lines_or_a_header_alone() {
    let api = Api::new();
    assert_eq!(api.get("/sites?format=ndjson").await.text(), "");
    assert!(csv_rows(&api.get("/sites?format=csv").await).is_empty());
}

#[tokio::test]
async fn an_energy_of_csv_keeps_every_digit() {
    let csv = api().await.get("/records/home-01?limit=1&format=csv").await;
    assert!(csv.text().contains(",100000000.000001,0,100000000.000001,"), "{}", csv.text());
}
