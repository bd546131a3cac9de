//! The contract of [`Silences`].

use wattstream_domain::{OpenSilence, Silence};
use wattstream_engine::ports::Silences;

use crate::builders::{Site, at};

/// Runs the contract of [`Silences`].
pub async fn silences<S: Silences>(make: impl AsyncFn() -> S) {
    what_is_put_is_there_until_it_is_removed(&make().await).await;
    a_later_silence_of_a_site_is_another_one(&make().await).await;
    more_than_one_request_holds_are_kept(&make().await).await;
}

/// The silence of a site after its reading of a minute.
fn open(site: &str, minute: i64, is_announced: bool) -> OpenSilence {
    let silence = Silence { last_seen: at(minute), interval_ms: 900_000, silent_at: at(minute + 90) };
    OpenSilence { site_id: Site::new(site).id, silence, is_announced }
}

async fn put(store: &impl Silences, silences: &[OpenSilence]) {
    store.put_silences(silences).await.expect("silences are kept");
}

async fn remove(store: &impl Silences, silences: &[OpenSilence]) {
    store.remove_silences(silences).await.expect("silences are removed");
}

/// The silences that are kept, in the order of site and time.
async fn kept(store: &impl Silences) -> Vec<OpenSilence> {
    let mut silences = store.open_silences().await.expect("silences are read");
    silences.sort_by_key(|open| (open.site_id, open.silence.last_seen));
    silences
}

async fn what_is_put_is_there_until_it_is_removed(store: &impl Silences) {
    assert_eq!(kept(store).await, []);
    for none in [&[] as &[OpenSilence], &[open("home-01", 0, true)]] {
        remove(store, none).await;
    }
    put(store, &[]).await;
    assert_eq!(kept(store).await, []);
    let (home, farm) = (open("home-01", 0, false), open("pv:farm.01", -15, true));
    put(store, &[home, farm]).await;
    put(store, &[farm]).await;
    assert_eq!(kept(store).await, [home, farm]);
    // The place is named by site and newest reading; everything else is written over, or does not matter.
    let told = open("home-01", 0, true);
    put(store, &[told]).await;
    assert_eq!(kept(store).await, [told, farm]);
    remove(store, &[home]).await;
    assert_eq!(kept(store).await, [farm]);
    remove(store, &[home, farm]).await;
    assert_eq!(kept(store).await, []);
}

async fn a_later_silence_of_a_site_is_another_one(store: &impl Silences) {
    let [earlier, later] = [0, 600].map(|minute| open("home-01", minute, true));
    // Ids of which one is the beginning of the other are two sites.
    let [longer, shorter] = ["home-011", "home-0"].map(|site| open(site, 0, true));
    put(store, &[later, earlier, longer, shorter]).await;
    assert_eq!(kept(store).await, [shorter, earlier, later, longer]);
    remove(store, &[earlier]).await;
    assert_eq!(kept(store).await, [shorter, later, longer]);
}

/// The most silences that the watch hands over at once.
const SILENCES: usize = wattstream_engine::SILENCES_AT_ONCE_MAX;

async fn more_than_one_request_holds_are_kept(store: &impl Silences) {
    let silences: Vec<_> = (0..SILENCES).map(|site| open(&format!("home-{site:03}"), 0, false)).collect();
    put(store, &silences).await;
    assert_eq!(kept(store).await, silences);
    remove(store, &silences[1..]).await;
    assert_eq!(kept(store).await, silences[..1]);
}
