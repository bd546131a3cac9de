//! Trimming takes what is old, consumed and archived, and nothing else.

use super::*;
use crate::fixture::{Fixture, START_MS, at, record};
use crate::progress::Archived;
use proptest::prelude::*;
use wattstream_engine::ports::{Checkpoint, Checkpoints, Producer};

const SHARD: ShardId = ShardId(0);

/// One record a second, the first at the start.
async fn with_records(records: u64) -> Fixture {
    let fixture = Fixture::with_shards(1);
    for n in 0..records {
        fixture.set_time(1_000 * n.cast_signed());
        fixture.append("a", n.to_string()).await;
    }
    fixture
}

async fn set_progress(fixture: &Fixture, consumed: u64, archived: u64) {
    fixture.store().put_checkpoint(SHARD, Checkpoint::At(consumed.into())).await.unwrap();
    let mut batch = fixture.store().batch();
    let archived = Archived { sequence: archived, planned: archived };
    fixture.store().keyspaces().stage_archived(&mut batch, SHARD, archived);
    batch.commit().unwrap();
}

async fn first_sequence(fixture: &Fixture) -> Option<u64> {
    fixture.log(0).await.first().and_then(|record| record.sequence.to_u64())
}

#[tokio::test]
async fn nothing_is_trimmed_before_it_is_consumed_archived_and_old() {
    let table = [
        (0, 0, 10, 0),
        (5, 0, 10, 0),
        (0, 5, 10, 0),
        (5, 3, 10, 3),
        (3, 5, 10, 3),
        (5, 5, 2, 2),
        (5, 5, 0, 0),
        (5, 5, 10, 5),
    ];
    for (consumed, archived, old, expected) in table {
        let fixture = with_records(5).await;
        set_progress(&fixture, consumed, archived).await;
        let before = at(START_MS + 1_000 * old);
        assert_eq!(fixture.store().trim_log(before).await.unwrap(), expected, "{consumed} {archived} {old}");
        let left = (expected < 5).then_some(expected + 1);
        assert_eq!(first_sequence(&fixture).await, left, "{consumed} {archived} {old}");
        assert_eq!(fixture.store().trim_log(before).await.unwrap(), 0, "twice is once");
    }
}

#[tokio::test]
async fn a_trimmed_log_gives_no_sequence_number_twice() {
    let mut fixture = with_records(5).await;
    set_progress(&fixture, 5, 5).await;
    assert_eq!(fixture.store().trim_log(Timestamp::MAX).await.unwrap(), 5);
    fixture.set_time(0);
    fixture.reopen();
    fixture.append("a", "next").await;
    let log = fixture.log(0).await;
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].sequence, 6.into());
    assert_eq!(log[0].arrival, at(START_MS + 4_000), "arrivals do not go back either");
}

#[tokio::test]
async fn a_long_log_is_trimmed_in_several_batches() {
    let fixture = Fixture::with_shards(1);
    let records = TRIM_BATCH_RECORDS as u64 * 2 + 7;
    fixture.store().append((0..records).map(|n| record("a", n.to_string())).collect()).await.unwrap();
    set_progress(&fixture, records - 1, records).await;
    assert_eq!(fixture.store().trim_log(Timestamp::MAX).await.unwrap(), records - 1);
    assert_eq!(first_sequence(&fixture).await, Some(records));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_trimmed_was_done_with(
        steps in proptest::collection::vec((0_u64..=15, 0_u64..=15, 0_i64..=15, any::<bool>()), 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut fixture = with_records(15).await;
            let mut begin = 0;
            for (consumed, archived, old, reopens) in steps {
                set_progress(&fixture, consumed, archived).await;
                fixture.store().trim_log(at(START_MS + 1_000 * old)).await.unwrap();
                if reopens {
                    fixture.reopen();
                }
                begin = consumed.min(archived).min(old.cast_unsigned()).max(begin);
                let left: Vec<_> = fixture.log(0).await.iter().map(|record| record.sequence.to_u64().unwrap()).collect();
                assert_eq!(left, (begin + 1..=15).collect::<Vec<_>>());
            }
        });
    }
}
