//! An alert is kept once, and the newest come first.

use super::*;
use crate::fixture::{Fixture, START_MS, alert, at, site};
use wattstream_domain::Subject;

#[tokio::test]
async fn the_newest_alerts_of_all_sites_come_first() {
    let fixture = Fixture::with_shards(1);
    let alerts = [(3, "b"), (1, "a"), (2, "c"), (2, "a")].map(|(hour, site_id)| {
        alert(site(site_id), at(START_MS).saturating_add_ms(hour * 3_600_000), hour.cast_unsigned())
    });
    assert!(fixture.store().publish(&alerts).await.into_iter().all(|answer| answer.is_ok()));

    let newest_first = [0, 2, 3, 1].map(|index: usize| alerts[index].clone());
    assert_eq!(fixture.store().read_newest_alerts(9).unwrap(), newest_first);
    assert_eq!(fixture.store().read_newest_alerts(2).unwrap(), newest_first[..2]);
}

#[tokio::test]
async fn a_second_publication_of_one_id_changes_nothing() {
    let mut fixture = Fixture::with_shards(1);
    let first = alert(site("a"), at(START_MS), 1);
    let mut again = alert(site("a"), at(START_MS + 5), 1);
    let Subject::Episode(episode) = &mut again.subject else { panic!("{again:?}") };
    episode.readings = 99;
    assert_eq!(first.id(), again.id());

    assert_eq!(fixture.store().publish(&[first.clone(), again.clone()]).await.len(), 2);
    fixture.reopen();
    assert_eq!(fixture.store().publish(&[again]).await.len(), 1);
    assert_eq!(fixture.store().read_newest_alerts(9).unwrap(), [first]);
    assert!(fixture.store().publish(&[]).await.is_empty());
}
