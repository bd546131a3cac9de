//! What the function costs besides its work: how long it takes to start, how large it is, and how much memory a batch of
//! 10,000 readings takes.
//!
//! `cargo build --profile function -p wattstream-stream-consumer && cargo bench -p wattstream-consumer-bench --bench function`,
//! after `cargo xtask local-aws install`.
//!
//! The start is that of the process until it asks for its first invocation, on this machine. Lambda adds what it takes to
//! fetch the function and to make its environment.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use wattstream_aws::{DynamoDb, LocalAws, LocalEndpoints, TableNames};
use wattstream_domain::ShardId;
use wattstream_engine::{Batch, StreamRecord};
use wattstream_testkit::lambda::{Function, FunctionSettings, batch_reply, kinesis_event};
use wattstream_testkit::{at, local_aws, payload, reading};
use wattstream_wire::{AGGREGATE_BYTES_MAX, Aggregator};

/// Starts that are measured.
const STARTS: usize = 30;

/// Batches, each of a hundred aggregates of a hundred readings.
const BATCHES: i64 = 10;
const SITES: u64 = 100;
const READINGS_PER_SITE: i64 = 100;

const TIMEOUT: Duration = Duration::from_mins(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let binary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/function/stream-consumer");
    let how = "build it first: cargo build --profile function -p wattstream-stream-consumer";
    let size = binary.metadata().with_context(|| format!("{}: {how}", binary.display()))?.len();
    let server =
        local_aws::ministack().context("install the local AWS first: cargo xtask local-aws install")?;
    let settings = settings(binary, server.url()).await?;
    let mut starts = starts(&settings).await?;
    starts.sort_unstable();
    let memory = memory(settings).await?;
    print(size, &starts, &memory);
    Ok(())
}

async fn settings(binary: PathBuf, url: &str) -> anyhow::Result<FunctionSettings> {
    let aws = LocalAws::at(&LocalEndpoints::all_at(url)).await;
    let tables = TableNames::with_prefix("wattstream-");
    DynamoDb::new(aws.clients(), tables.clone()).create_tables().await?;
    let topic_arn = aws.create_topic("alerts").await?;
    let queue_url = aws.create_queue("dead-letters").await?;
    let others = [
        ("WATTSTREAM_ALERTS_TOPIC_ARN", topic_arn.as_str()),
        ("WATTSTREAM_DEAD_LETTERS_QUEUE_URL", &queue_url),
        ("WATTSTREAM_ALLOW_ENDPOINT_OVERRIDE", "1"),
        ("AWS_ENDPOINT_URL", url),
        ("AWS_REGION", local_aws::REGION),
        ("AWS_ACCESS_KEY_ID", local_aws::ACCESS_KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", local_aws::SECRET_ACCESS_KEY),
    ];
    let all = tables.variables().into_iter().chain(others);
    let variables = all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(FunctionSettings { binary, variables, timeout: TIMEOUT })
}

/// The durations of starts, each of a new process.
async fn starts(settings: &FunctionSettings) -> anyhow::Result<Vec<Duration>> {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let function = Function::new(settings.clone());
        // What is no event ends the invocation with an error, and does nothing.
        ensure!(function.invoke("{}").await.is_err(), "an event without records is an error");
        starts.extend(function.starts());
    }
    Ok(starts)
}

/// The peaks of one process after each batch, in bytes.
async fn memory(settings: FunctionSettings) -> anyhow::Result<Vec<u64>> {
    let function = Function::new(settings);
    let mut peaks = Vec::new();
    for number in 0..BATCHES {
        let response = function.invoke(kinesis_event(&batch(number)?)).await?;
        ensure!(batch_reply(&response)?.failures.is_empty(), "every reading is taken");
        peaks.extend(function.memory_peaks());
    }
    Ok(peaks)
}

fn batch(number: i64) -> anyhow::Result<Batch> {
    let record = |site: u64| {
        let name = format!("site-{site:03}-pv-farm");
        let mut aggregator = Aggregator::new(AGGREGATE_BYTES_MAX);
        for reading_number in 0..READINGS_PER_SITE {
            let minute = 5 * (number * READINGS_PER_SITE + reading_number);
            let generated = 1_200_000 + (minute * 7) % 40_000;
            aggregator.push(&name, &payload(&reading(&name, minute, generated, 800_000)))?;
        }
        Ok(StreamRecord {
            sequence: (u64::try_from(number)? * SITES + site + 1).into(),
            partition_key: name.as_str().into(),
            arrival: at(number),
            data: aggregator.finish(),
            fault: None,
        })
    };
    let records = (0..SITES).map(record).collect::<anyhow::Result<_>>()?;
    Ok(Batch { shard: ShardId(0), records })
}

#[expect(clippy::print_stdout, reason = "this is the program's result")]
fn print(size: u64, starts: &[Duration], memory: &[u64]) {
    let ms = |place: usize| starts[place].as_secs_f64() * 1_000.0;
    println!("binary: {size} bytes");
    println!(
        "start to first poll, {STARTS} starts: median {:.1} ms, best {:.1} ms, worst {:.1} ms",
        ms(starts.len() / 2),
        ms(0),
        ms(starts.len() - 1)
    );
    let mib: Vec<_> = memory.iter().map(|bytes| bytes / (1_024 * 1_024)).collect();
    println!("peak memory after each batch of 10,000 readings, in MiB: {mib:?}");
}
