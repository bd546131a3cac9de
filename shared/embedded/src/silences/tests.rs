//! Open silences are there after a restart, and damage is named.

use super::*;
use crate::fixture::{Fixture, START_MS, at, site};
use wattstream_domain::Silence;

fn open(site_id: &str, is_announced: bool) -> OpenSilence {
    let silence = Silence {
        last_seen: at(START_MS),
        interval_ms: 900_000,
        silent_at: at(START_MS).saturating_add_ms(5_400_000),
    };
    OpenSilence { site_id: site(site_id), silence, is_announced }
}

#[tokio::test]
async fn open_silences_are_there_after_a_restart() {
    let mut fixture = Fixture::with_shards(1);
    let [gone, told, untold] = [open("a", true), open("b", true), open("c", false)];
    fixture.store().put_silences(&[gone, told, untold]).await.unwrap();
    fixture.store().remove_silences(&[gone]).await.unwrap();
    fixture.reopen();
    assert_eq!(fixture.store().open_silences().await.unwrap(), [told, untold]);
}

#[tokio::test]
async fn bytes_that_are_no_silence_are_named() {
    let fixture = Fixture::with_shards(1);
    let silences = &fixture.store().keyspaces().silences;
    for (key, value, named) in [
        (b"no key of ours".to_vec(), &b""[..], "in silences"),
        (key(&open("a", true)), &b"\xff"[..], "open silence"),
    ] {
        silences.insert(&key, value).unwrap();
        let error = fixture.store().open_silences().await.unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
        silences.remove(&key).unwrap();
    }
}
