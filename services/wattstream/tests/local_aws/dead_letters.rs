//! Dead letters in queues: payloads and batches, through to the stream, and what is lost on the way.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use wattstream_aws::{KinesisProducer, ProducerSettings, SqsDeadLetters};
use wattstream_domain::{Position, ShardId, Timestamp};
use wattstream_engine::ports::{DeadLetters, NewRecord, Producer};
use wattstream_engine::{Cause, DeadLetter, StreamRecord};
use wattstream_wire::{Reason, deaggregate};

use crate::stand::{RETENTION_S, Stand, json_of};

const STREAM: &str = "readings";
const STREAM_ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/readings";

/// A stream with readings, a queue of dead letters and one of failed batches.
struct Queues {
    stand: Stand,
    letters: String,
    on_failure: String,
}

impl Queues {
    fn start() -> Option<Self> {
        let stand = Stand::start()?;
        stand.create_stream(STREAM, 2);
        let keeps_long = || json!({ "MessageRetentionPeriod": RETENTION_S });
        let letters = stand.create_queue("dead-letters", &keeps_long());
        let on_failure = stand.create_queue("failed-batches", &keeps_long());
        Some(Self { stand, letters, on_failure })
    }

    /// Three readings each of some sites, packed as the producer packs them.
    async fn append_readings(&self) -> Vec<(ShardId, StreamRecord)> {
        let producer = KinesisProducer::new(&self.stand.clients().await, STREAM, ProducerSettings::default());
        for hour in 0..3 {
            let records = (0..8).flat_map(|site| [reading(site, hour, 0), reading(site, hour, 30)]);
            producer.append(records.collect()).await.expect("readings are taken");
        }
        self.stand.records(STREAM).await
    }

    fn arguments<'a>(&'a self, verb: &[&'a str]) -> Vec<&'a str> {
        let queues =
            ["--queue-url", &self.letters, "--on-failure-queue-url", &self.on_failure, "--format", "json"];
        [&["dead-letters"], verb, &queues].concat()
    }

    fn list(&self) -> Vec<Value> {
        let Value::Array(entries) = json_of(self.stand.run_ok(&self.arguments(&["list"]))) else {
            panic!("a list is an array")
        };
        entries
    }
}

fn reading(site: u32, hour: u32, minute: u32) -> NewRecord {
    let data = format!(
        "{{\"site_id\":\"home-{site:02}\",\"timestamp\":\"2025-06-20T{hour:02}:{minute:02}:00Z\",\
         \"energy_generated_kwh\":1.5,\"energy_consumed_kwh\":0.5}}"
    );
    NewRecord { partition_key: format!("home-{site:02}"), data: data.into() }
}

/// What Lambda reports of the records from the first to the last of these.
fn report(shard: ShardId, records: &[&StreamRecord]) -> Value {
    let (first, last) = (records.first().expect("records"), records.last().expect("records"));
    json!({
        "requestContext": {
            "requestId": "1", "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:stream-consumer",
            "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 4,
        },
        "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
        "version": "1.0",
        "timestamp": "2026-11-20T00:00:00.000Z",
        "KinesisBatchInfo": {
            "shardId": shard.to_string(),
            "startSequenceNumber": first.sequence.to_string(),
            "endSequenceNumber": last.sequence.to_string(),
            "approximateArrivalOfFirstRecord": first.arrival.to_string(),
            "approximateArrivalOfLastRecord": last.arrival.to_string(),
            "batchSize": records.len(),
            "streamArn": STREAM_ARN,
        },
    })
}

fn letter(payload: &[u8]) -> DeadLetter {
    DeadLetter {
        position: Position { shard: ShardId(0), sequence: 42.into(), sub_sequence: 0 },
        arrival: Timestamp::from_unix_ms(1_750_377_600_000).expect("an instant"),
        cause: Cause::Rejected(Reason::NotUtf8),
        detail: "byte 0 is not UTF-8".to_owned(),
        payload: Bytes::copy_from_slice(payload),
    }
}

fn of_shard(records: &[(ShardId, StreamRecord)], shard: ShardId) -> Vec<&StreamRecord> {
    records.iter().filter(|(of, _)| *of == shard).map(|(_, record)| record).collect()
}

fn payloads<'a>(records: impl IntoIterator<Item = &'a StreamRecord>) -> Vec<Bytes> {
    let payloads = records.into_iter().map(|record| deaggregate(&record.data).expect("a record of ours"));
    payloads.flat_map(|payloads| payloads.as_slice().to_vec()).collect()
}

/// The payloads of each site, in their order.
fn by_site(payloads: Vec<Bytes>) -> BTreeMap<Bytes, Vec<Bytes>> {
    let mut sites: BTreeMap<Bytes, Vec<Bytes>> = BTreeMap::new();
    for payload in payloads {
        sites.entry(payload.slice(..23)).or_default().push(payload);
    }
    sites
}

#[tokio::test]
async fn payloads_and_batches_are_listed_shown_and_put_back_on_the_stream() {
    let Some(queues) = Queues::start() else { return };
    let before = queues.append_readings().await;
    let shard = before[0].0;
    let of_one = of_shard(&before, shard);
    // Not the first record and not the last: what is beside a batch stays where it is.
    let batch = &of_one[1..of_one.len() - 1];
    assert!(
        batch.iter().any(|record| record.data.starts_with(b"\xf3\x89\x9a\xc2")),
        "aggregates are among them"
    );
    queues.stand.send(&queues.on_failure, &report(shard, batch));
    let unreadable = b"\xff\xfe{";
    let clients = queues.stand.clients().await;
    SqsDeadLetters::new(&clients, &queues.letters)
        .put(&[letter(unreadable)])
        .await
        .expect("a letter is kept");

    let batch_id = format!("{shard}:{}..{}", batch[0].sequence, batch[batch.len() - 1].sequence);
    let list = queues.list();
    let shown: Vec<_> = list.iter().map(|entry| (&entry["kind"], &entry["id"], &entry["reason"])).collect();
    let expected = [
        (json!("batch"), json!(batch_id), json!("retry_attempts_exhausted")),
        (json!("payload"), json!("shardId-000000000000:42:0"), json!("not_utf8")),
    ];
    assert_eq!(shown, expected.each_ref().map(|(kind, id, reason)| (kind, id, reason)), "the newest first");
    assert_eq!((&list[0]["records"], &list[0]["invocations"]), (&json!(batch.len()), &json!(4)));
    let table_arguments = queues.arguments(&["list"]);
    let table = queues.stand.run_ok(&table_arguments[..table_arguments.len() - 2]);
    assert!(
        table.contains("a batch of arn:aws:kinesis:") && table.contains("byte 0 is not UTF-8"),
        "{table}"
    );

    let shown = queues.stand.run(&queues.arguments(&["show", "shardId-000000000000:42:0"]));
    assert_eq!(shown.stdout, unreadable);
    let shown = queues.stand.run_ok(&queues.arguments(&["show", &batch_id]));
    let lines: Vec<_> = shown.lines().map(|line| Bytes::copy_from_slice(line.as_bytes())).collect();
    assert_eq!(lines, payloads(batch.iter().copied()), "a payload a line, in the order of the shard");
    assert_eq!(queues.list().len(), 2, "a look takes nothing away");

    let nowhere = queues.stand.run(&queues.arguments(&["redrive"]));
    let told = String::from_utf8_lossy(&nowhere.stderr);
    assert!(nowhere.status.code() == Some(1) && told.contains("--stream NAME"), "{told}");
    queues.stand.run_ok(&queues.arguments(&["redrive", "--stream", STREAM]));

    let after = queues.stand.records(STREAM).await;
    let added = after.iter().filter(|(of, record)| {
        !before.iter().any(|(other, known)| of == other && known.sequence == record.sequence)
    });
    let mut added = payloads(added.map(|(_, record)| record));
    let index =
        added.iter().position(|payload| &payload[..] == unreadable).expect("the letter is on the stream");
    added.remove(index);
    assert_eq!(
        by_site(added),
        by_site(payloads(batch.iter().copied())),
        "every payload once, each site in order"
    );
    assert_eq!(queues.list(), Vec::<Value>::new());
    queues.stand.run_ok(&queues.arguments(&["redrive", "--stream", STREAM]));
    assert_eq!(queues.stand.records(STREAM).await.len(), after.len(), "nothing is left to redrive");
}

#[tokio::test]
async fn what_the_stream_no_longer_has_is_told_exactly_and_its_report_stays_until_it_is_purged() {
    let Some(queues) = Queues::start() else { return };
    let before = queues.append_readings().await;
    let shard = before[0].0;
    let of_one = of_shard(&before, shard);
    // As a batch looks whose first two records were trimmed: its first number is lower than any that is there.
    let mut trimmed = report(shard, &of_one[..2]);
    trimmed["KinesisBatchInfo"]["startSequenceNumber"] = json!("17");
    trimmed["KinesisBatchInfo"]["batchSize"] = json!(4);
    trimmed["KinesisBatchInfo"]["approximateArrivalOfFirstRecord"] = json!("2026-11-01T00:00:00.000Z");
    let trimmed_id = format!("{shard}:17..{}", of_one[1].sequence);
    // And one whose shard has expired.
    let mut expired = report(ShardId(77), &of_one[..2]);
    expired["KinesisBatchInfo"]["batchSize"] = json!(500);
    let expired_id = format!("shardId-000000000077:{}..{}", of_one[0].sequence, of_one[1].sequence);
    queues.stand.send(&queues.on_failure, &trimmed);
    queues.stand.send(&queues.on_failure, &expired);

    let redriven = queues.stand.run(&queues.arguments(&["redrive"]));
    let told = String::from_utf8_lossy(&redriven.stderr);
    assert!(redriven.status.code() == Some(1) && told.contains("in the archive"), "{told}");
    let Value::Array(mut lost) = json_of(&redriven.stdout) else { panic!("an array") };
    lost.sort_by_key(|entry| entry["id"].to_string());
    let expected = [
        json!({
            "id": trimmed_id, "shard": shard.to_string(), "records": 2,
            "first": "17", "after": null, "from_arrived_at": "2026-11-01T00:00:00.000Z",
            "last": null, "before": of_one[0].sequence.to_string(), "to_arrived_at": of_one[0].arrival.to_string(),
        }),
        json!({
            "id": expired_id, "shard": "shardId-000000000077", "records": 500,
            "first": of_one[0].sequence.to_string(), "after": null,
            "from_arrived_at": of_one[0].arrival.to_string(),
            "last": of_one[1].sequence.to_string(), "before": null,
            "to_arrived_at": of_one[1].arrival.to_string(),
        }),
    ];
    assert_eq!(lost, expected);
    let added = queues.stand.records(STREAM).await.len() - before.len();
    assert!(added > 0, "what is there of the trimmed batch is on the stream again");

    assert_eq!(queues.list().len(), 2, "the reports of what is lost stay");
    queues.stand.run_ok(&queues.arguments(&["purge", &expired_id]));
    let left: Vec<_> = queues.list().iter().map(|entry| entry["id"].clone()).collect();
    assert_eq!(left, [json!(trimmed_id)]);
    let unknown = queues.stand.run(&queues.arguments(&["purge", &expired_id]));
    assert_eq!(unknown.status.code(), Some(1));
    queues.stand.run_ok(&queues.arguments(&["purge"]));
    assert!(queues.list().is_empty());
}

#[tokio::test]
async fn a_batch_of_a_stream_that_is_not_there_is_an_error_and_nothing_is_taken_for_lost() {
    let Some(queues) = Queues::start() else { return };
    let before = queues.append_readings().await;
    let mut elsewhere = report(before[0].0, &of_shard(&before, before[0].0));
    for arn in [
        "arn:aws:kinesis:eu-west-1:000000000000:stream/readings",
        "arn:aws:kinesis:us-east-1:111111111111:stream/readings",
    ] {
        elsewhere["KinesisBatchInfo"]["streamArn"] = json!(arn);
        queues.stand.send(&queues.on_failure, &elsewhere);
    }
    let redriven = queues.stand.run(&queues.arguments(&["redrive"]));
    let told = String::from_utf8_lossy(&redriven.stderr);
    for why in
        ["another region than us-east-1", "use the credentials of its account", "2 of the dead letters"]
    {
        assert!(redriven.status.code() == Some(1) && told.contains(why), "{told}");
    }
    assert!(redriven.stdout.is_empty());
    assert_eq!(queues.list().len(), 2);
}
