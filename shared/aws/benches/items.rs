//! What a reading's way into DynamoDB costs: items that are written as JSON, beside the SDK's maps of attributes in the same
//! run.
//!
//! A thousand readings without findings, as a batch of a shard brings them; divide the time by a thousand. `put` sends them over
//! loopback to a server of this process that answers at once, forty requests of 25: the time holds HTTP, signatures and
//! the server too, which are the same for both.

use std::collections::HashMap;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wattstream_aws::{Clients, DynamoDb, LocalEndpoints, TableNames, reading_item};
use wattstream_domain::{
    Energy, Guard, Measure, Position, Row, RowWrite, SequenceNumber, ShardId, Timestamp, Version,
};
use wattstream_engine::ports::Tables;

const READINGS: u64 = 1_000;
const BATCH: usize = 25;
const START_MS: u64 = 1_750_377_600_000;
/// A sequence number of Kinesis but for its last digits.
const SEQUENCE: &str = "4959033827149025660855969253836157109592157598913";

fn energy(milliwatt_hours: u64) -> Energy {
    let milliwatt_hours = i64::try_from(milliwatt_hours).expect("in range");
    Energy::from_milliwatt_hours(milliwatt_hours).expect("in range")
}

fn row(number: u64) -> Row {
    let at_ms = i64::try_from(START_MS + number * 300_000).expect("in range");
    let sequence: SequenceNumber = format!("{SEQUENCE}{number:07}").parse().expect("a sequence number");
    Row {
        site_id: format!("site-alpha-pv-farm-{:02}", number % 100).parse().expect("a site id"),
        timestamp: Timestamp::from_unix_ms(at_ms).expect("in range"),
        version: Version {
            measure: Measure { generated: energy(12_000_000 + number * 1_000), consumed: energy(8_900_000) },
            findings: Vec::new(),
            position: Position { shard: ShardId(0), sequence, sub_sequence: 0 },
            revision: 0,
        },
        before: None,
    }
}

/// A reading as the SDK wants it.
fn map_item(row: &Row) -> HashMap<String, AttributeValue> {
    let Version { measure, position, .. } = &row.version;
    HashMap::from([
        ("site_id".to_owned(), AttributeValue::S(row.site_id.to_string())),
        ("timestamp".to_owned(), AttributeValue::S(row.timestamp.to_string())),
        ("energy_generated_kwh".to_owned(), AttributeValue::N(measure.generated.to_string())),
        ("energy_consumed_kwh".to_owned(), AttributeValue::N(measure.consumed.to_string())),
        ("net_energy_kwh".to_owned(), AttributeValue::N(measure.net().to_string())),
        ("anomaly".to_owned(), AttributeValue::Bool(row.version.is_anomalous())),
        ("position".to_owned(), AttributeValue::S(position.to_string())),
    ])
}

fn put_request(row: &Row) -> WriteRequest {
    let put = PutRequest::builder().set_item(Some(map_item(row))).build().expect("an item was given");
    WriteRequest::builder().put_request(put).build()
}

async fn put_maps(client: &aws_sdk_dynamodb::Client, rows: &[RowWrite]) {
    let requests = rows.chunks(BATCH).map(|rows| {
        let puts = rows.iter().map(|write| put_request(&write.row)).collect();
        client.batch_write_item().request_items("readings", puts).send()
    });
    let answers = futures::future::join_all(requests).await;
    assert!(answers.iter().all(Result::is_ok));
}

/// The address of a server that takes everything.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(&stream));
        }
    });
    url
}

/// Answers every request of a connection, until its other end closes it.
fn answer(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut requests = BufReader::new(stream.try_clone()?);
    let (mut line, mut body) = (String::new(), Vec::new());
    loop {
        let mut length = 0;
        loop {
            line.clear();
            if requests.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line == "\r\n" {
                break;
            }
        }
        body.resize(length, 0);
        requests.read_exact(&mut body)?;
        stream.write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 23\r\n\r\n{\"UnprocessedItems\":{}}",
        )?;
    }
}

fn items(criterion: &mut Criterion) {
    let rows: Vec<Row> = (0..READINGS).map(row).collect();
    let mut group = criterion.benchmark_group("items");
    group.throughput(Throughput::Elements(READINGS));
    let mut out = Vec::new();
    group.bench_function("written", |bencher| {
        bencher.iter(|| {
            out.clear();
            for row in &rows {
                reading_item(black_box(row), &mut out);
            }
            black_box(out.len())
        });
    });
    group.bench_function("maps", |bencher| {
        bencher.iter(|| rows.iter().map(|row| map_item(black_box(row)).len()).sum::<usize>());
    });
    group.finish();
}

fn put(criterion: &mut Criterion) {
    let rows: Vec<RowWrite> =
        (0..READINGS).map(|number| RowWrite { row: row(number), guard: Guard::Any }).collect();
    let url = serve();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let clients = runtime.block_on(Clients::of_local_aws(&LocalEndpoints::all_at(&url)));
    let tables = DynamoDb::new(&clients, TableNames::with_prefix(""));
    let https = aws_smithy_http_client::Builder::new()
        .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
            aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring,
        ))
        .build_https();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(https)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .endpoint_url(url)
        .build();
    let sdk = aws_sdk_dynamodb::Client::from_conf(config);
    let mut group = criterion.benchmark_group("put");
    group.throughput(Throughput::Elements(READINGS));
    group.bench_function("written", |bencher| {
        bencher.iter(|| assert!(runtime.block_on(tables.put_rows(black_box(&rows))).is_empty()));
    });
    group.bench_function("maps", |bencher| {
        bencher.iter(|| runtime.block_on(put_maps(&sdk, black_box(&rows))));
    });
    group.finish();
}

criterion_group!(benches, items, put);
criterion_main!(benches);
