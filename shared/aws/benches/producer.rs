//! What an append costs its caller: packing, the request with its base64, its signature, and the answer.
//!
//! The stream is a web server on a thread of its own that takes everything and does nothing. So this is the work of the
//! producer on one core and not the limit of a stream, which takes 1,000 records and 1 MB a second and shard. It is counted
//! in processor time, so that other work on the machine does not count; where that is not known, in time by the clock.

use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use wattstream_aws::{Clients, KinesisProducer, LocalEndpoints, Packing, ProducerSettings};
use wattstream_engine::ports::{NewRecord, Producer};

const READINGS: usize = 10_000;

/// Sites, and the packing of their readings.
const CASES: [(usize, Packing); 3] =
    [(100, Packing::Aggregated), (100, Packing::Plain), (READINGS, Packing::Aggregated)];

/// The processor time of this thread, from the kernel's own account, or the time by the clock.
#[derive(Clone, Copy, Debug)]
enum Stopwatch {
    Processor(Duration),
    Clock(Instant),
}

impl Stopwatch {
    fn start() -> Self {
        processor_time().map_or_else(|| Self::Clock(Instant::now()), Self::Processor)
    }

    fn elapsed(self) -> Duration {
        match self {
            Self::Processor(begun) => processor_time().unwrap_or_default().saturating_sub(begun),
            Self::Clock(begun) => begun.elapsed(),
        }
    }
}

fn processor_time() -> Option<Duration> {
    let account = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    account.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// The readings of one append, site by site at each instant.
fn readings(sites: usize) -> Vec<NewRecord> {
    let reading = |number: usize| {
        let (site, minute) = (number % sites, number / sites);
        let json = format!(
            "{{\"site_id\":\"site-{site:05}-pv-farm\",\"timestamp\":\"2025-06-20T{:02}:{:02}:00Z\",\
             \"energy_generated_kwh\":12.34,\"energy_consumed_kwh\":8.{site}}}",
            minute / 60,
            minute % 60
        );
        NewRecord { partition_key: format!("site-{site:05}-pv-farm"), data: Bytes::from(json) }
    };
    (0..READINGS).map(reading).collect()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Starts the server; its URL.
fn start_server() -> String {
    let (address, started) = std::sync::mpsc::channel();
    thread::spawn(move || {
        runtime().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            address.send(listener.local_addr().expect("an address")).expect("somebody waits for it");
            loop {
                let (connection, _) = listener.accept().await.expect("a connection");
                tokio::spawn(serve(connection));
            }
        });
    });
    format!("http://{}", started.recv().expect("the server starts"))
}

/// Takes requests until the client goes away.
async fn serve(connection: TcpStream) -> Option<()> {
    const ENTRY: &str = r#"{"SequenceNumber":"49590338271490256608559692538361571095921575989136588898","ShardId":"shardId-000000000000"}"#;
    let mut connection = BufReader::with_capacity(1 << 20, connection);
    let (mut line, mut body) = (String::new(), Vec::new());
    loop {
        let mut length = 0;
        loop {
            line.clear();
            connection.read_line(&mut line).await.ok().filter(|&bytes| bytes > 0)?;
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().ok()?;
                }
                None if line.trim().is_empty() => break,
                _ => {}
            }
        }
        body.resize(length, 0);
        connection.read_exact(&mut body).await.ok()?;
        let key = b"\"PartitionKey\"";
        let entries = vec![ENTRY; body.windows(key.len()).filter(|window| window == key).count()].join(",");
        let answer = format!("{{\"FailedRecordCount\":0,\"Records\":[{entries}]}}");
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length:";
        connection.write_all(format!("{head} {}\r\n\r\n{answer}", answer.len()).as_bytes()).await.ok()?;
    }
}

fn append(criterion: &mut Criterion) {
    let runtime = runtime();
    let clients = runtime.block_on(Clients::of_local_aws(&LocalEndpoints::all_at(start_server())));
    let mut group = criterion.benchmark_group("append");
    group.throughput(Throughput::Elements(READINGS as u64));
    group.sample_size(20);
    for (sites, packing) in CASES {
        let settings = ProducerSettings { packing, ..ProducerSettings::default() };
        let producer = KinesisProducer::new(&clients, "readings", settings);
        let readings = readings(sites);
        group.bench_function(format!("{packing:?}, {sites} sites"), |bencher| {
            bencher.iter_custom(|appends| {
                let append = |_| {
                    let readings = readings.clone();
                    let begun = Stopwatch::start();
                    runtime.block_on(producer.append(readings)).expect("everything is taken");
                    begun.elapsed()
                };
                (0..appends).map(append).sum()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, append);
criterion_main!(benches);
