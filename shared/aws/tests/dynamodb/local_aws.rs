//! The adapter against local ones: the contract of its ports, and what readers see of whole batches.

use wattstream_domain::{Outbox, Resolution, SiteState, Timestamp};
use wattstream_engine::ports::{Commit, Consumer, FleetQueries, FleetQuery, FleetSeries, Queries, Tables};
use wattstream_engine::{Batch, Processor, SnapshotPolicy, state_hash};
use wattstream_testkit::{MemoryStore, Site, at, contract, local_aws};

use crate::batches::{batch, settings, site};
use crate::store::Store;

macro_rules! tests_against {
    ($($program:ident)*) => {$(
        mod $program {
            use super::*;

            #[tokio::test]
            async fn tables_keep_their_contract() {
                let Some(aws) = local_aws::$program() else { return };
                contract::tables(async || Store::create(aws.url()).await).await;
            }

            #[tokio::test]
            async fn queries_keep_their_contract() {
                let Some(aws) = local_aws::$program() else { return };
                contract::queries(async || Store::create(aws.url()).await).await;
            }

            #[tokio::test]
            async fn fleet_queries_keep_their_contract() {
                let Some(aws) = local_aws::$program() else { return };
                contract::fleet_queries(async || Store::create(aws.url()).await).await;
            }

            #[tokio::test]
            async fn live_queries_keep_their_contract() {
                let Some(aws) = local_aws::$program() else { return };
                contract::live_queries(async || Store::create(aws.url()).await).await;
            }

            #[tokio::test]
            async fn alerts_keep_their_contract() {
                let Some(aws) = local_aws::$program() else { return };
                contract::alerts(async || Store::create(aws.url()).await).await;
            }

            #[tokio::test]
            async fn silences_keep_their_contract() {
                let Some(aws) = local_aws::$program() else { return };
                contract::silences(async || Store::create(aws.url()).await.tables).await;
            }

            #[tokio::test]
            async fn readers_see_what_was_folded() {
                let Some(aws) = local_aws::$program() else { return };
                super::readers_see_what_was_folded(aws.url()).await;
            }
        }
    )*};
}

tests_against! { ministack moto }

/// In order, late, again, revised, anomalous; hours close.
fn eventful_batches() -> Vec<Batch> {
    let busy = |minute, generated| (site(1), minute, generated, 1);
    let quiet = |minute| (site(2), minute, 7, 3);
    vec![
        batch(1, [busy(0, 5), quiet(0)]),
        batch(3, [busy(15, 6), busy(30, -7), quiet(15)]),
        batch(6, [busy(45, 5), busy(20, 3), busy(45, 5), quiet(30)]),
        batch(10, [busy(15, 9), busy(60, 4), quiet(45)]),
        batch(13, [busy(75, 4), busy(10, 1), quiet(60), quiet(75)]),
        batch(17, [busy(90, 4), busy(105, 4), quiet(90)]),
    ]
}

fn without_outbox(states: Vec<SiteState>) -> Vec<SiteState> {
    states.into_iter().map(|state| SiteState { outbox: Outbox::default(), ..state }).collect()
}

/// Promise P5, and the reader's side of rows as events: after every batch the states that are read are those of a store that
/// keeps one with each batch.
async fn readers_see_what_was_folded(url: &str) {
    let (store, memory, letters) = (Store::create(url).await, MemoryStore::default(), MemoryStore::default());
    let on_aws = Processor::new(
        store.tables.clone(),
        letters.clone(),
        letters.clone(),
        settings(SnapshotPolicy::WhenNeeded),
    );
    let on_one_machine =
        Processor::new(memory.clone(), letters.clone(), letters, settings(SnapshotPolicy::EveryBatch));
    for batch in eventful_batches() {
        for _ in 0..2 {
            assert_eq!(on_aws.consume(&batch).await.expect("a reply").failures, []);
            assert_eq!(on_one_machine.consume(&batch).await.expect("a reply").failures, []);
        }
        let expected = without_outbox(memory.sites().await.expect("states are read").states);
        assert_eq!(without_outbox(store.sites().await.expect("states are read").states), expected);
        for state in expected {
            let found = store.site(state.site_id).await.expect("a state is read");
            assert_eq!(without_outbox(Vec::from_iter(found)), [state]);
        }
    }
    let hash_on_aws = state_hash(&store).await.expect("a hash");
    assert_eq!(hash_on_aws, state_hash(&memory).await.expect("a hash"));
    assert_eq!(memory.sites().await.expect("states are read").states.len(), 2);
}

/// Two readings a century apart have a hundred years of hours between them, as far as anybody knows beforehand.
#[tokio::test]
async fn a_fleet_of_too_many_hours_is_refused_before_any_is_read() {
    let Some(aws) = local_aws::ministack() else { return };
    let store = Store::create(aws.url()).await;
    let site = Site::new("home-01").sends(0, 1, 1).sends(60 * 200_001, 1, 1);
    assert!(store.commit(&[Commit { state: &site.state, expected_version: 0 }]).await.is_empty());
    let query = FleetQuery { resolution: Resolution::Month, start: Timestamp::MIN, end: Timestamp::MAX };
    let answer = store.fleet_series(query).await.unwrap();
    assert_eq!(answer, FleetSeries::TooLong { site_hours: 200_002, site_hours_max: 200_000 });
    let most = FleetQuery { end: Resolution::Month.start_of(at(60 * 190_000)), ..query };
    assert!(matches!(store.fleet_series(most).await.unwrap(), FleetSeries::Sums { .. }));
}
