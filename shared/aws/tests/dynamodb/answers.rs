//! Answers that a local DynamoDB does not give: parts of batches that come back, throttling, faults, silence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::time::Instant;
use wattstream_aws::deadline::within;
use wattstream_domain::{Guard, OpenSilence, Row, RowWrite, ShardId, Silence, SiteId, Timestamp};
use wattstream_engine::Kind;
use wattstream_engine::ports::{
    Alerts, Commit, InstanceId, RowQuery, RowRange, SITES_EXACT_MAX, ShardMark, Silences, Sites, Tables,
};
use wattstream_testkit::{Site, at, position};

use crate::server::{Answer, Request, Server};
use crate::signature;
use crate::store::tables_at;

/// The table of readings that [`tables_at`] asks for.
const READINGS: &str = "test-readings";

fn site_with(readings: i64) -> Site {
    (0..readings).fold(Site::new("home-01"), |site, index| site.sends(15 * index, 1, 1))
}

fn writes(site: &Site, guard: Guard) -> Vec<RowWrite> {
    site.rows.values().map(|row| RowWrite { row: row.clone(), guard }).collect()
}

fn item_of(row: &Row) -> Value {
    let mut json = Vec::new();
    wattstream_aws::reading_item(row, &mut json);
    serde_json::from_slice(&json).expect("an item is JSON")
}

/// The puts of a BatchWriteItem to the readings.
fn puts(request: &Request) -> Vec<Value> {
    request.body["RequestItems"][READINGS].as_array().cloned().unwrap_or_default()
}

/// The timestamps of these puts.
fn timestamps(puts: &[Value]) -> Vec<&str> {
    puts.iter().filter_map(|put| put["PutRequest"]["Item"]["timestamp"]["S"].as_str()).collect()
}

fn sent_back(puts: &[Value]) -> Answer {
    if puts.is_empty() {
        return Answer::ok(json!({"UnprocessedItems": {}}));
    }
    Answer::ok(json!({"UnprocessedItems": {READINGS: puts}}))
}

fn everything(site_id: SiteId) -> RowRange {
    RowRange { site_id, timestamps: Timestamp::MIN..=Timestamp::MAX }
}

#[tokio::test]
async fn items_that_a_batch_sends_back_are_sent_again_and_no_others() {
    let server = Server::start(|request, before| {
        let puts = puts(request);
        sent_back(if before == 0 { &puts[3..5] } else { &[] })
    })
    .await;
    let site = site_with(30);
    let failures = tables_at(&server.url).await.put_rows(&writes(&site, Guard::Any)).await;
    assert!(failures.is_empty(), "{failures:?}");
    let requests = server.requests();
    let sizes: BTreeSet<usize> = requests.iter().map(|request| puts(request).len()).collect();
    assert_eq!((requests.len(), sizes), (3, BTreeSet::from([2, 5, 25])));
    let (first, again) = (puts(&requests[0]), puts(&requests[2]));
    assert_eq!(timestamps(&again), timestamps(&first[3..5]));
    let sent: BTreeSet<String> = requests.iter().flat_map(puts).map(|put| put.to_string()).collect();
    let expected = site.rows.values().map(|row| json!({"PutRequest": {"Item": item_of(row)}}).to_string());
    assert_eq!(sent, expected.collect(), "every row was sent as its item");
}

#[tokio::test]
async fn items_that_were_never_sent_make_an_answer_worthless() {
    let stranger = item_of(&Site::new("stranger").sends(0, 1, 1).rows[&at(0)]);
    let server = Server::start(move |_, before| {
        let back = [json!({"PutRequest": {"Item": stranger}})];
        sent_back(if before == 0 { &back } else { &[] })
    })
    .await;
    let failures = tables_at(&server.url).await.put_rows(&writes(&site_with(2), Guard::Any)).await;
    assert!(failures.is_empty(), "{failures:?}");
    let sizes: Vec<usize> = server.requests().iter().map(|request| puts(request).len()).collect();
    assert_eq!(sizes, [2, 2]);
}

#[tokio::test]
async fn an_answer_without_what_every_answer_has_counts_for_nothing() {
    let server = Server::start(|request, before| match (before, request.operation.as_str()) {
        (0, _) => Answer::ok(json!({})),
        (_, "BatchWriteItem") => sent_back(&[]),
        (_, "BatchGetItem") => Answer::ok(json!({"Responses": {}})),
        _ => Answer::ok(json!({"Items": []})),
    })
    .await;
    let (tables, site) = (tables_at(&server.url).await, site_with(1));
    assert!(tables.put_rows(&writes(&site, Guard::Any)).await.is_empty());
    assert_eq!(tables.snapshots(&[site.id]).await.expect("an answer"), [None]);
    assert_eq!(tables.rows(&[everything(site.id)]).await.expect("an answer"), [vec![]]);
    for operation in ["BatchWriteItem", "BatchGetItem", "Query"] {
        assert_eq!(server.count(operation), 2, "{operation}");
    }
}

#[tokio::test]
async fn a_request_is_repeated_whole_and_its_signature_holds_every_time() {
    let server = Server::start(|_, before| match before {
        0 => Answer::error(500, "InternalServerError"),
        _ => sent_back(&[]),
    })
    .await;
    let failures = tables_at(&server.url).await.put_rows(&writes(&site_with(3), Guard::Any)).await;
    assert!(failures.is_empty(), "{failures:?}");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].bytes, requests[1].bytes);
    assert_eq!(puts(&requests[0]).len(), 3);
    for request in &requests {
        assert_eq!(request.headers["content-length"], request.bytes.len().to_string());
        signature::verify(request);
    }
}

#[tokio::test]
async fn throttling_is_sat_out() {
    let server = Server::start(|_, before| match before {
        0..5 => Answer::error(400, "ProvisionedThroughputExceededException"),
        _ => sent_back(&[]),
    })
    .await;
    let failures = tables_at(&server.url).await.put_rows(&writes(&site_with(2), Guard::Any)).await;
    assert!(failures.is_empty(), "{failures:?}");
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn what_is_throttled_until_the_deadline_is_a_failure_to_be_tried_later() {
    let server = Server::start(|request, _| sent_back(&puts(request))).await;
    let tables = tables_at(&server.url).await;
    let deadline = Instant::now() + Duration::from_millis(500);
    let failures = within(deadline, tables.put_rows(&writes(&site_with(2), Guard::Any))).await;
    let kinds: Vec<Kind> = failures.values().map(wattstream_engine::Error::kind).collect();
    assert_eq!(kinds, [Kind::Retry]);
    assert!(server.requests().len() > 1);
}

#[tokio::test]
async fn silence_is_given_up_at_the_deadline_by_every_call() {
    let server = Server::start(|_, _| Answer::Never).await;
    let tables = tables_at(&server.url).await;
    let site = site_with(2);
    let deadline = Instant::now() + Duration::from_millis(300);
    let mark = ShardMark { shard: ShardId(0), sequence: 1.into(), instance: InstanceId("i".into()) };
    let commits = [Commit { state: &site.state, expected_version: 0 }];
    let guarded = writes(&site, Guard::Unchanged(None));
    let (rows, marked, read, committed, sites) = within(deadline, async {
        tokio::join!(
            tables.put_rows(&guarded),
            tables.put_shard_mark(&mark),
            tables.shard_mark(ShardId(0)),
            tables.commit(&commits),
            tables.sites(),
        )
    })
    .await;
    let kinds = [rows[&site.id].kind(), committed[&site.id].kind(), marked.unwrap_err().kind()];
    assert_eq!(kinds, [Kind::Retry; 3]);
    assert_eq!([read.unwrap_err().kind(), sites.unwrap_err().kind()], [Kind::Retry; 2]);
}

/// The write went through, its answer did not arrive, and the SDK's own repetition met it.
#[tokio::test]
async fn a_conditional_write_whose_answer_was_lost_is_a_conflict() {
    let server = Server::start(|_, before| match before {
        0 => Answer::error(500, "InternalServerError"),
        _ => Answer::error(400, "ConditionalCheckFailedException"),
    })
    .await;
    let site = site_with(1);
    let failures = tables_at(&server.url).await.put_rows(&writes(&site, Guard::Unchanged(None))).await;
    assert_eq!(failures[&site.id].kind(), Kind::Conflict);
    assert_eq!(server.count("PutItem"), 2);
}

#[tokio::test]
async fn conditions_say_what_was_read() {
    let server = Server::start(|_, _| Answer::ok(json!({}))).await;
    let tables = tables_at(&server.url).await;
    let site = site_with(1);
    assert!(tables.put_rows(&writes(&site, Guard::Unchanged(None))).await.is_empty());
    assert!(tables.put_rows(&writes(&site, Guard::Unchanged(Some(position(3, 7))))).await.is_empty());
    for expected_version in [0, 4] {
        assert!(tables.commit(&[Commit { state: &site.state, expected_version }]).await.is_empty());
    }
    let conditions: Vec<Value> = server
        .requests()
        .into_iter()
        .map(|request| {
            let of = |member: &str| request.body[member].clone();
            json!([
                of("ConditionExpression"),
                of("ExpressionAttributeNames"),
                of("ExpressionAttributeValues")
            ])
        })
        .collect();
    let expected = [
        json!(["attribute_not_exists(#attribute)", {"#attribute": "position"}, null]),
        json!(["#attribute = :expected", {"#attribute": "position"}, {":expected": {"S": "shardId-000000000003:7:0"}}]),
        json!(["attribute_not_exists(#attribute)", {"#attribute": "version"}, null]),
        json!(["#attribute = :expected", {"#attribute": "version"}, {":expected": {"N": "4"}}]),
    ];
    assert_eq!(conditions, expected);
}

#[tokio::test]
async fn a_refusal_for_good_is_not_repeated() {
    let server = Server::start(|_, _| Answer::error(400, "ValidationException")).await;
    let site = site_with(30);
    let failures = tables_at(&server.url).await.put_rows(&writes(&site, Guard::Any)).await;
    assert_eq!(failures[&site.id].kind(), Kind::Broken);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn of_several_failures_of_a_site_the_telling_one_is_reported() {
    let server = Server::start(|request, _| match request.operation.as_str() {
        "PutItem" => Answer::error(400, "ConditionalCheckFailedException"),
        _ => sent_back(&puts(request)),
    })
    .await;
    let site = site_with(2);
    let mut rows = writes(&site, Guard::Any);
    rows[0].guard = Guard::Unchanged(None);
    let tables = tables_at(&server.url).await;
    let deadline = Instant::now() + Duration::from_millis(200);
    for _ in 0..2 {
        let failures = within(deadline, tables.put_rows(&rows)).await;
        assert_eq!(failures[&site.id].kind(), Kind::Conflict);
        rows.reverse();
    }
}

#[tokio::test]
async fn sixteen_requests_of_a_call_are_in_flight_together_and_no_more() {
    let barrier = Arc::new(Barrier::new(16));
    let server = Server::start(move |_, _| Answer::Together(Arc::clone(&barrier))).await;
    let site = site_with(32);
    let failures = tables_at(&server.url).await.put_rows(&writes(&site, Guard::Unchanged(None))).await;
    assert!(failures.is_empty(), "{failures:?}");
    assert_eq!((server.count("PutItem"), server.in_flight_max()), (32, 16));
}

#[tokio::test]
async fn keys_that_were_put_off_are_asked_for_again() {
    let server = Server::start(|request, before| {
        let asked = &request.body["RequestItems"]["test-sites"]["Keys"];
        let put_off = if before == 0 { json!({"test-sites": {"Keys": [asked[1]]}}) } else { json!({}) };
        Answer::ok(json!({"Responses": {"test-sites": []}, "UnprocessedKeys": put_off}))
    })
    .await;
    let sites = ["a", "b", "c"].map(|name| Site::new(name).id);
    let snapshots = tables_at(&server.url).await.snapshots(&sites).await.expect("an answer");
    assert_eq!(snapshots, [None, None, None]);
    let asked: Vec<Value> =
        server.requests().iter().map(|request| request.body["RequestItems"]["test-sites"].clone()).collect();
    let key = |name: &str| json!({"site_id": {"S": name}});
    assert_eq!(asked[0], json!({"Keys": [key("a"), key("b"), key("c")], "ConsistentRead": true}));
    assert_eq!(asked[1], json!({"Keys": [key("b")], "ConsistentRead": true}));
    assert_eq!(asked.len(), 2);
}

#[tokio::test]
async fn pages_are_followed_through_empty_ones_to_the_end() {
    let site = site_with(2);
    let rows: Vec<Row> = site.rows.values().cloned().collect();
    let items: Vec<Value> = rows.iter().map(item_of).collect();
    let server = Server::start(move |_, before| {
        Answer::ok(match before {
            0 => json!({"Items": [items[0]], "LastEvaluatedKey": {"n": {"N": "1"}}}),
            1 => json!({"Items": [], "LastEvaluatedKey": {"n": {"N": "2"}}}),
            _ => json!({"Items": [items[1]]}),
        })
    })
    .await;
    let found = tables_at(&server.url).await.rows(&[everything(site.id)]).await.expect("rows are read");
    assert_eq!(found, [rows]);
    let starts: Vec<Value> =
        server.requests().iter().map(|request| request.body["ExclusiveStartKey"].clone()).collect();
    assert_eq!(starts, [Value::Null, json!({"n": {"N": "1"}}), json!({"n": {"N": "2"}})]);
    assert!(server.requests().iter().all(|request| request.body["ConsistentRead"] == json!(true)));
}

/// A server that keeps the items of sites, and has no readings.
async fn server_of_sites() -> Server {
    let sites: Mutex<BTreeMap<String, Value>> = Mutex::default();
    let key = |item: &Value| item["site_id"]["S"].as_str().unwrap_or_default().to_owned();
    Server::start(move |request, _| {
        let mut sites = sites.lock().expect("a script does not panic");
        let body = &request.body;
        Answer::ok(match request.operation.as_str() {
            "PutItem" => {
                sites.insert(key(&body["Item"]), body["Item"].clone());
                json!({})
            }
            "BatchGetItem" => {
                let keys = body["RequestItems"]["test-sites"]["Keys"].as_array().expect("keys");
                let found: Vec<&Value> = keys.iter().filter_map(|asked| sites.get(&key(asked))).collect();
                json!({"Responses": {"test-sites": found}})
            }
            _ if body["IndexName"] == "fleet" => {
                let fleet = &body["ExpressionAttributeValues"][":partition"];
                json!({"Items": sites.values().filter(|item| item["fleet"] == *fleet).collect::<Vec<_>>()})
            }
            _ => json!({"Items": []}),
        })
    })
    .await
}

#[tokio::test]
async fn the_tails_of_at_most_five_hundred_sites_are_read() {
    let server = server_of_sites().await;
    let tables = tables_at(&server.url).await;
    let names = (0..=SITES_EXACT_MAX).map(|number| format!("site-{number:03}"));
    let mut states: Vec<_> = names.map(|name| Site::new(&name).sends(0, 1, 1).state).collect();
    let last = states.pop().expect("a site beyond the limit");
    let tails = || {
        let requests = server.requests();
        requests.iter().filter(|request| request.body["TableName"] == READINGS).count()
    };
    let commits: Vec<_> = states.iter().map(|state| Commit { state, expected_version: 0 }).collect();
    assert!(tables.commit(&commits).await.is_empty());
    assert_eq!(tables.sites().await.expect("states are read"), Sites::exact(states.clone()));
    assert_eq!((tails(), server.count("BatchGetItem")), (SITES_EXACT_MAX, SITES_EXACT_MAX / 100));

    assert!(tables.commit(&[Commit { state: &last, expected_version: 0 }]).await.is_empty());
    states.push(last);
    assert_eq!(tables.sites().await.expect("states are read"), Sites { states, is_exact: false });
    assert_eq!(tails(), SITES_EXACT_MAX, "the snapshots alone are read");
}

#[tokio::test]
async fn a_range_that_holds_nothing_is_not_asked_for() {
    let server = Server::start(|_, _| Answer::error(400, "ValidationException")).await;
    let site = site_with(1);
    let tables = tables_at(&server.url).await;
    let backwards = RowRange { site_id: site.id, timestamps: at(15)..=at(0) };
    assert_eq!(tables.rows(&[backwards]).await.expect("an answer"), [vec![]]);
    let query = RowQuery { site_id: site.id, start: at(0), end: at(0), anomalous_only: true, limit: 5 };
    assert_eq!(tables.row_page(query).await.expect("an answer").entries, []);
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_page_asks_for_one_item_more_than_it_returns() {
    let server = Server::start(|_, _| Answer::ok(json!({"Items": []}))).await;
    let tables = tables_at(&server.url).await;
    let query = RowQuery {
        site_id: Site::new("home-01").id,
        start: at(0),
        end: at(15),
        anomalous_only: true,
        limit: 5,
    };
    tables.row_page(query).await.expect("an answer");
    let asked = &server.requests()[0].body;
    let of = |member: &str| asked[member].clone();
    assert_eq!(
        [of("Limit"), of("IndexName"), of("ConsistentRead")],
        [json!(6), json!("anomalies"), json!(false)]
    );
    assert_eq!(asked["ExpressionAttributeValues"][":last"]["S"], "2025-06-20T00:14:59.999Z");
}

#[tokio::test]
async fn a_damaged_item_is_broken_and_names_what_is_wrong() {
    let site = site_with(1);
    let mut item = item_of(&site.rows[&at(0)]);
    item["energy_generated_kwh"] = json!({"N": "1.2345678"});
    let server = Server::start(move |_, _| Answer::ok(json!({"Items": [item]}))).await;
    let error = tables_at(&server.url).await.rows(&[everything(site.id)]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Broken);
    assert!(error.to_string().contains("energy_generated_kwh: Some(N(\"1.2345678\"))"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_alert_of_each_id_is_put_once_and_every_one_has_an_answer() {
    let alerts = Site::new("home-01").sends(0, -5, 0).sends(15, 1, 99_000_000).state.outbox.alerts;
    let first = alerts[0].clone();
    let server = Server::start(|_, _| Answer::error(400, "ValidationException")).await;
    let outcomes = tables_at(&server.url).await.publish(&[first.clone(), first]).await;
    let kinds: Vec<Kind> = outcomes.into_iter().map(|outcome| outcome.unwrap_err().kind()).collect();
    assert_eq!(kinds, [Kind::Broken; 2]);
    let batch = &server.requests()[0].body["RequestItems"]["test-alerts"];
    assert_eq!(batch.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_removal_that_came_back_is_sent_again_and_names_each_place_once() {
    let silence = Silence { last_seen: at(0), interval_ms: 900_000, silent_at: at(90) };
    let open = |name: &str| OpenSilence { site_id: Site::new(name).id, silence, is_announced: true };
    let server = Server::start(|request, before| {
        let entries = request.body["RequestItems"]["test-silences"].as_array().expect("entries");
        let sent_back = if before == 0 { &entries[..1] } else { &[] };
        let tables: Vec<_> = sent_back.iter().map(|entry| ("test-silences", json!([entry]))).collect();
        Answer::ok(json!({"UnprocessedItems": BTreeMap::from_iter(tables)}))
    })
    .await;
    let silences = [open("home-01"), open("home-02"), open("home-01")];
    tables_at(&server.url).await.remove_silences(&silences).await.expect("they are removed");
    let asked = server.requests().into_iter().map(|request| {
        let entries = request.body["RequestItems"]["test-silences"].clone();
        let key = |entry: &Value| entry["DeleteRequest"]["Key"]["silence_after"]["S"].to_string();
        entries.as_array().expect("entries").iter().map(key).collect::<Vec<_>>()
    });
    let [first, second] = ["home-01", "home-02"].map(|site| format!("\"{site}#2025-06-20T00:00:00.000Z\""));
    assert_eq!(asked.collect::<Vec<_>>(), [vec![first.clone(), second], vec![first]]);
}
