//! Every record is in exactly one object, whatever moment the process died at.

use super::object::{End, build};
use super::*;
use crate::fixture::{Fixture, START_MS, at, record};
use crate::progress::Archived;
use crate::{ArchiveSettings, Archiver, Store};
use flate2::Compression;
use flate2::write::GzEncoder;
use object_store::chunked::ChunkedStore;
use object_store::memory::InMemory;
use proptest::prelude::*;
use std::time::Duration;
use wattstream_domain::{HOUR_MS, ShardId, Timestamp};
use wattstream_engine::ports::{Checkpoint, Checkpoints, Producer};
use wattstream_wire::{Aggregator, ArchiveEntry, ArchiveKey};

fn archive_of(store: &Store) -> Archive {
    Archive::local(store.archive_dir()).unwrap()
}

fn archiver(store: &Store, settings: ArchiveSettings) -> Archiver {
    Archiver::new(store.clone(), archive_of(store), settings)
}

/// Every record of an archive in the order of its keys, with the shard of its object.
async fn archived(archive: &Archive) -> Vec<(ShardId, String)> {
    let mut records = Vec::new();
    for key in archive.keys().await.unwrap() {
        let shard = key.parse::<ArchiveKey>().unwrap().shard();
        let mut object = archive.open(&key).await.unwrap();
        while let Some(entry) = object.next_entry().unwrap() {
            let ArchiveEntry::Record(bytes) = entry else { panic!("{entry:?} in {key}") };
            records.push((shard, String::from_utf8(bytes.to_vec()).unwrap()));
        }
    }
    records
}

/// The payloads of the whole log, shard by shard.
async fn logged(fixture: &Fixture) -> Vec<(ShardId, String)> {
    let mut records = Vec::new();
    for shard in fixture.store().log().shards() {
        let log = fixture.log(shard.0).await;
        records.extend(log.iter().map(|record| (shard, String::from_utf8(record.data.to_vec()).unwrap())));
    }
    records
}

/// Records by shard, in their order.
fn by_shard(mut records: Vec<(ShardId, String)>) -> Vec<(ShardId, String)> {
    records.sort_by_key(|(shard, _)| *shard);
    records
}

#[tokio::test]
async fn the_archive_holds_the_log_in_the_layout_of_firehose() {
    let fixture = Fixture::with_shards(2);
    for n in 0..20 {
        fixture.set_time(n * HOUR_MS / 7);
        fixture.append(&format!("key-{}", n % 5), format!(r#"{{"n":{n}}}"#)).await;
    }
    let archiver = archiver(fixture.store(), ArchiveSettings::default());
    let objects = archiver.flush().await.unwrap();

    let archive = archive_of(fixture.store());
    assert_eq!(by_shard(archived(&archive).await), logged(&fixture).await);
    let keys = archive.keys().await.unwrap();
    assert_eq!(keys.len() as u64, objects);
    assert!(
        keys[0].starts_with("raw/year=2025/month=06/day=20/hour=00/readings-1-2025-06-20-00-"),
        "{}",
        keys[0]
    );
    assert!(keys.iter().any(|key| key.contains("/hour=02/")), "an hour has objects of its own: {keys:?}");
    assert_eq!(archiver.flush().await.unwrap(), 0, "nothing is left to write");
}

#[tokio::test]
async fn an_object_is_due_by_age_by_number_and_when_the_hour_ends() {
    let settings =
        ArchiveSettings { age_max: Duration::from_mins(1), records_due: 4, ..ArchiveSettings::default() };
    let before_the_hour_ms = HOUR_MS - 10_000;
    let table = [
        ("young and few", 0, 3, 59_999, 0),
        ("old", 0, 3, 60_000, 1),
        ("many", 0, 4, 0, 1),
        ("the hour is not over", before_the_hour_ms, 3, HOUR_MS - 1, 0),
        ("the hour is over", before_the_hour_ms, 3, HOUR_MS, 1),
        ("a clock that went back", before_the_hour_ms, 3, 0, 0),
        ("nothing", 0, 0, HOUR_MS, 0),
    ];
    for (name, arrival_ms, records, now_ms, objects) in table {
        let fixture = Fixture::with_shards(1);
        fixture.set_time(arrival_ms);
        for _ in 0..records {
            fixture.append("a", "x").await;
        }
        let written = archiver(fixture.store(), settings).archive_due(at(START_MS + now_ms)).await.unwrap();
        assert_eq!(written, objects, "{name}");
    }
}

#[tokio::test]
async fn a_full_object_is_followed_by_another() {
    let fixture = Fixture::with_shards(1);
    let records = (0..100).map(|n| record("a", format!(r#"{{"n":{n:010}}}"#))).collect();
    fixture.store().append(records).await.unwrap();
    let settings = ArchiveSettings { object_bytes_max: 180, ..ArchiveSettings::default() };
    assert_eq!(archiver(fixture.store(), settings).flush().await.unwrap(), 10);
    assert_eq!(archived(&archive_of(fixture.store())).await, logged(&fixture).await);
}

#[tokio::test]
async fn aggregates_are_taken_apart_and_broken_ones_kept() {
    let fixture = Fixture::with_shards(1);
    let mut aggregator = Aggregator::new(1_000);
    for n in 0..3 {
        aggregator.push("a", format!("part {n}").as_bytes()).unwrap();
    }
    let aggregate = aggregator.finish();
    let broken = [&aggregate[..4], b"no message, no digest at all"].concat();
    for data in [b"plain".as_slice(), &aggregate, &broken, b"two\nlines"] {
        fixture.append("a", data).await;
    }
    archiver(fixture.store(), ArchiveSettings::default()).flush().await.unwrap();

    let archive = archive_of(fixture.store());
    let mut object = archive.open(&archive.keys().await.unwrap()[0]).await.unwrap();
    let expected: [&[u8]; 6] = [b"plain", b"part 0", b"part 1", b"part 2", &broken, b"two\nlines"];
    for bytes in expected {
        assert_eq!(object.next_entry().unwrap(), Some(ArchiveEntry::Record(bytes)));
    }
    assert_eq!(object.next_entry().unwrap(), None);
}

/// Where an archiver dies.
#[derive(Clone, Copy, Debug)]
enum Death {
    AfterThePlan,
    AfterTheObject,
}

/// Does what an archiver does for the next object, up to its death.
async fn archive_until(death: Death, store: &Store, object_bytes_max: usize) {
    let shard = ShardId(0);
    let archived = store.keyspaces().archived(shard).unwrap();
    let Some(object) =
        build(store, shard, archived.sequence, End::WhenFull { bytes: object_bytes_max }).unwrap()
    else {
        return;
    };
    let mut batch = store.batch_synced();
    let planned = Archived { planned: object.last_sequence, ..archived };
    store.keyspaces().stage_archived(&mut batch, shard, planned);
    batch.commit().unwrap();
    if let Death::AfterTheObject = death {
        archive_of(store).put(&object.key.to_string(), object.bytes).await.unwrap();
    }
}

#[tokio::test]
async fn an_archiver_that_starts_over_writes_the_same_object_again() {
    for death in [Death::AfterThePlan, Death::AfterTheObject] {
        let mut fixture = Fixture::with_shards(1);
        for n in 0..5 {
            fixture.append("a", format!("before {n}")).await;
        }
        archive_until(death, fixture.store(), usize::MAX).await;
        fixture.reopen();
        for n in 0..5 {
            fixture.append("a", format!("after {n}")).await;
        }
        // The second attempt has other limits: the end of the object is decided all the same.
        let settings = ArchiveSettings { object_bytes_max: 1, ..ArchiveSettings::default() };
        let archiver = archiver(fixture.store(), settings);
        assert_eq!(archiver.flush().await.unwrap(), 6, "{death:?}: one of five records, five of one");
        assert_eq!(archived(&archive_of(fixture.store())).await, logged(&fixture).await, "{death:?}");
    }
}

#[tokio::test]
async fn a_failed_write_is_made_good_by_the_next() {
    let fixture = Fixture::with_shards(1);
    let in_the_way = fixture.store().archive_dir().join("raw");
    std::fs::write(&in_the_way, "a file where a folder should be").unwrap();
    fixture.append("a", "first").await;
    let archiver = archiver(fixture.store(), ArchiveSettings::default());
    for _ in 0..2 {
        let error = archiver.flush().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Retry, "{error}");
    }
    assert_eq!(fixture.store().trim_log(Timestamp::MAX).await.unwrap(), 0);

    std::fs::remove_file(in_the_way).unwrap();
    fixture.append("a", "second").await;
    assert_eq!(archiver.flush().await.unwrap(), 2);
    assert_eq!(archived(&archive_of(fixture.store())).await, logged(&fixture).await);
}

#[tokio::test]
async fn archivers_of_one_store_take_turns() {
    let fixture = Fixture::with_shards(2);
    for n in 0..40 {
        fixture.append(&n.to_string(), n.to_string()).await;
    }
    let settings = ArchiveSettings { object_bytes_max: 9, ..ArchiveSettings::default() };
    let archivers: Vec<_> = (0..4).map(|_| archiver(fixture.store(), settings)).collect();
    let written = futures::future::join_all(archivers.iter().map(Archiver::flush)).await;
    assert!(written.iter().all(Result::is_ok), "{written:?}");
    assert_eq!(by_shard(archived(&archive_of(fixture.store())).await), logged(&fixture).await);
}

#[tokio::test]
async fn objects_of_others_are_left_out_and_a_cut_off_one_is_read_up_to_the_cut() {
    let fixture = Fixture::with_shards(1);
    for n in 0..1_000 {
        fixture.store().append(vec![record("a", format!("record {n} {}", n * 7_919 % 1_009))]).await.unwrap();
    }
    archiver(fixture.store(), ArchiveSettings::default()).flush().await.unwrap();
    let archive = archive_of(fixture.store());
    let keys = archive.keys().await.unwrap();
    let path = fixture.store().archive_dir().join(&keys[0]);
    std::fs::write(path.with_file_name("half-written.gz#1"), "staged").unwrap();
    std::fs::write(fixture.store().archive_dir().join("notes.txt"), "mine").unwrap();
    assert_eq!(archive.keys().await.unwrap(), keys);

    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let mut object = archive.open(&keys[0]).await.unwrap();
    let mut records = 0;
    let error = loop {
        match object.next_entry() {
            Ok(Some(ArchiveEntry::Record(bytes))) => {
                assert!(bytes.starts_with(format!("record {records} ").as_bytes()));
                records += 1;
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert!((100..1_000).contains(&records), "{records}");
    assert!(error.offset > 0 && error.to_string().contains("cannot be read past byte"), "{error}");
    assert!(archive.open("raw/none.gz").await.is_err());
}

/// Firehose joins records without line ends unless it is told otherwise, and a store over a network sends an object in chunks.
#[tokio::test]
async fn an_object_of_firehose_is_read_from_a_store_that_sends_it_in_chunks() {
    let gzip = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let object = [gzip("{\"a\":1}\n{\"b\":2}{\"c\":3}"), gzip("\n{\"d\":4}")].concat();
    let objects = InMemory::new();
    let hour = "raw/year=2025/month=06/day=20/hour=00";
    let key = format!("{hour}/readings-1-2025-06-20-00-04-59-0d0d2a6e-2a3c-4c58-9f4b-3f9a4d3c7f0e.ndjson.gz");
    objects.put(&ObjectPath::from(key.as_str()), object.into()).await.unwrap();
    let archive = Archive::new(Arc::new(ChunkedStore::new(Arc::new(objects), 7)));
    assert_eq!(archive.keys().await.unwrap(), [key.as_str()]);
    let mut object = archive.open(&key).await.unwrap();
    for expected in ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}", "{\"d\":4}"] {
        let entry = object.next_entry().unwrap();
        assert_eq!(entry, Some(ArchiveEntry::Record(expected.as_bytes())));
    }
    assert_eq!(object.next_entry().unwrap(), None);
}

#[derive(Clone, Debug)]
enum Step {
    Append(u8),
    Pass(i64),
    Archive { object_bytes_max: usize },
    Die(Death, usize),
    Trim,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..5_u8).prop_map(Step::Append),
        2 => (0..2 * HOUR_MS).prop_map(Step::Pass),
        1 => (1..60_usize).prop_map(|object_bytes_max| Step::Archive { object_bytes_max }),
        1 => (1..60_usize).prop_map(|bytes| Step::Die(Death::AfterThePlan, bytes)),
        1 => (1..60_usize).prop_map(|bytes| Step::Die(Death::AfterTheObject, bytes)),
        1 => Just(Step::Trim),
    ];
    proptest::collection::vec(step, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn every_record_is_archived_once_whenever_archivers_die(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut fixture = Fixture::with_shards(1);
            let (mut records, mut passed_ms) = (0_u64, 0);
            for step in steps {
                match step {
                    Step::Append(count) => {
                        for _ in 0..count {
                            records += 1;
                            fixture.append("a", format!("record {records}")).await;
                        }
                    }
                    Step::Pass(ms) => {
                        passed_ms += ms;
                        fixture.set_time(passed_ms);
                    }
                    Step::Archive { object_bytes_max } => {
                        let settings = ArchiveSettings { object_bytes_max, ..ArchiveSettings::default() };
                        archiver(fixture.store(), settings).archive_due(at(START_MS + passed_ms)).await.unwrap();
                    }
                    Step::Die(death, object_bytes_max) => {
                        // Only an archiver without a plan makes one.
                        let progress = fixture.store().keyspaces().archived(ShardId(0)).unwrap();
                        if progress.planned == progress.sequence {
                            archive_until(death, fixture.store(), object_bytes_max).await;
                        }
                        fixture.reopen();
                    }
                    Step::Trim => {
                        let consumed = Checkpoint::At(records.into());
                        fixture.store().put_checkpoint(ShardId(0), consumed).await.unwrap();
                        fixture.store().trim_log(Timestamp::MAX).await.unwrap();
                    }
                }
            }
            archiver(fixture.store(), ArchiveSettings::default()).flush().await.unwrap();
            let found: Vec<_> = archived(&archive_of(fixture.store())).await.into_iter().map(|(_, record)| record).collect();
            assert_eq!(found, (1..=records).map(|n| format!("record {n}")).collect::<Vec<_>>());
        });
    }
}
