//! The contract of [`Alerts`].

use wattstream_domain::{Alert, Episode, Phase, Rule, Score, Silence, Subject};
use wattstream_engine::ports::{Alerts, Queries};

use crate::builders::{Site, at};

/// Runs the contract of [`Alerts`]. They are read back through [`Queries`].
pub async fn alerts<S: Alerts + Queries>(make: impl AsyncFn() -> S) {
    every_alert_has_an_answer(&make().await).await;
    an_id_is_there_once(&make().await).await;
    the_newest_alerts_come_first(&make().await).await;
    both_ends_of_a_silence_come_back(&make().await).await;
}

fn alert(site: &str, number: u64, minute: i64, phase: Phase) -> Alert {
    let episode = Episode {
        rule: Rule::ALL[usize::try_from(number).unwrap_or_default() % Rule::ALL.len()],
        number,
        opened_at: at(0),
        last_at: at(minute),
        readings: number + 2,
        score: Score(1_234),
        quiet_readings: 3,
    };
    Alert { site_id: Site::new(site).id, phase, at: at(minute), subject: Subject::Episode(episode) }
}

async fn publish(store: &impl Alerts, alerts: &[Alert]) {
    let results = store.publish(alerts).await;
    assert_eq!(results.len(), alerts.len(), "every alert has an answer");
    for (alert, result) in alerts.iter().zip(results) {
        result.unwrap_or_else(|error| panic!("{} was to be published: {error}", alert.id()));
    }
}

async fn every_alert_has_an_answer<S: Alerts + Queries>(store: &S) {
    publish(store, &[]).await;
    assert_eq!(store.newest_alerts(10).await.expect("alerts are read"), []);
    let opened = alert("home-01", 1, 15, Phase::Opened);
    let closed = alert("home-01", 1, 90, Phase::Closed);
    publish(store, &[opened.clone(), closed.clone()]).await;
    assert_eq!(store.newest_alerts(10).await.expect("alerts are read"), [closed, opened]);
}

async fn an_id_is_there_once<S: Alerts + Queries>(store: &S) {
    let (first, second) = (alert("home-01", 1, 15, Phase::Opened), alert("home-02", 1, 30, Phase::Opened));
    publish(store, &[first.clone(), first.clone()]).await;
    publish(store, &[second.clone(), first.clone()]).await;
    assert_eq!(store.newest_alerts(10).await.expect("alerts are read"), [second, first]);
}

async fn the_newest_alerts_come_first<S: Alerts + Queries>(store: &S) {
    let minutes = [30, 5, 600, 45, 5, 0];
    let alerts: Vec<_> =
        (1..).zip(minutes).map(|(number, minute)| alert("home-01", number, minute, Phase::Opened)).collect();
    publish(store, &alerts).await;
    for limit in 0..8 {
        let found = store.newest_alerts(limit).await.expect("alerts are read");
        let found: Vec<_> = found.iter().map(|alert| alert.at).collect();
        let mut newest = minutes.map(at);
        newest.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(found, newest[..limit.min(newest.len())], "the newest {limit}");
    }
}

async fn both_ends_of_a_silence_come_back<S: Alerts + Queries>(store: &S) {
    let silence = Silence { last_seen: at(0), interval_ms: 900_000, silent_at: at(90) };
    let (home, farm) = (Site::new("home-01").id, Site::new("pv:farm-01").id);
    let (opened, closed) = (silence.opened(home), silence.closed(home, at(120)));
    let (other, episode) = (silence.opened(farm), alert("home-01", 1, 100, Phase::Opened));
    publish(store, &[opened.clone(), other.clone(), episode.clone()]).await;
    publish(store, &[closed.clone(), opened.clone()]).await;
    let found = store.newest_alerts(10).await.expect("alerts are read");
    let (newer, mut older) = (found[..2].to_vec(), found[2..].to_vec());
    older.sort_by_key(|alert| alert.site_id);
    assert_eq!((newer, older), (vec![closed, episode], vec![opened, other]));
}
