//! Opening: once at a time, only what this version wrote, never with another number of shards.

use super::*;
use crate::fixture::{Fixture, at, site};
use wattstream_domain::SiteState;
use wattstream_engine::ports::{Commit, Tables};

fn message(result: Result<Store, OpenError>) -> String {
    result.expect_err("opening is refused").to_string()
}

#[tokio::test]
async fn what_was_written_is_there_when_the_store_is_opened_again() {
    let mut fixture = Fixture::with_shards(1);
    let state = SiteState { duplicates: 7, ..SiteState::new(site("home-01")) };
    fixture.append("home-01", "a reading").await;
    let commit = Commit { state: &state, expected_version: 0 };
    assert!(fixture.store().commit(&[commit]).await.is_empty());

    fixture.reopen();

    assert_eq!(fixture.log(0).await[0].data, "a reading");
    let found = fixture.store().snapshots(&[state.site_id]).await.unwrap();
    assert_eq!(found[0].as_ref().map(|found| (&found.state, found.version)), Some((&state, 1)));
}

#[test]
fn a_second_opening_is_refused_and_names_the_folder() {
    let mut fixture = Fixture::with_shards(2);
    let second = Store::open(fixture.dir(), fixture.settings(None));
    assert!(matches!(second, Err(OpenError::InUse { .. })));
    assert!(
        message(second).starts_with(&format!("{} is in use by another process", fixture.dir().display()))
    );

    let clone = fixture.store().clone();
    fixture.close();
    assert!(Store::open(fixture.dir(), fixture.settings(None)).is_err(), "a handle is still alive");
    drop(clone);
    assert!(Store::open(fixture.dir(), fixture.settings(None)).is_ok());
}

#[test]
fn the_count_of_shards_is_fixed_when_the_store_is_created() {
    let mut fixture = Fixture::with_shards(3);
    fixture.close();
    let other = message(Store::open(fixture.dir(), fixture.settings(Some(5))));
    assert!(other.contains("has 3 shards, not 5"), "{other}");
    for shards in [None, Some(3)] {
        assert_eq!(
            Store::open(fixture.dir(), fixture.settings(shards)).unwrap().shard_count(),
            3,
            "{shards:?}"
        );
    }
    for shards in [0, SHARDS_MAX + 1] {
        let refused = message(Store::open(fixture.dir(), fixture.settings(Some(shards))));
        assert_eq!(refused, format!("a store has 1 to 256 shards, not {shards}"));
    }
}

#[test]
fn a_new_store_has_the_default_shards_unless_told_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let new = dir.path().join("deep/inside");
    assert!(!Store::exists(&new));
    let settings = StoreSettings { shards: None, clock: Arc::new(|| at(0)) };
    assert_eq!(Store::open(&new, settings).unwrap().shard_count(), SHARDS_DEFAULT as usize);
    assert!(Store::exists(&new) && !Store::exists(dir.path()));
}

#[test]
fn a_store_of_another_format_is_refused() {
    let mut fixture = Fixture::with_shards(1);
    fixture.store().keyspaces().meta.insert(META_FORMAT, 9_u32.to_be_bytes()).unwrap();
    fixture.close();
    let refused = message(Store::open(fixture.dir(), fixture.settings(None)));
    assert!(refused.contains("has format 9, this version reads format 3"), "{refused}");

    fs::write(fixture.dir().join("store/version"), b"FJL\x02").unwrap();
    let refused = message(Store::open(fixture.dir(), fixture.settings(None)));
    assert!(refused.contains("has format 2 of fjall"), "{refused}");
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let settings = StoreSettings { shards: None, clock: Arc::new(|| at(0)) };
    let refused = message(Store::open(&file, settings));
    assert!(refused.starts_with(&format!("{} cannot be used: ", file.display())), "{refused}");
}

#[cfg(unix)]
#[test]
fn nobody_but_the_owner_enters_the_folders() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let new = dir.path().join("new");
    fs::create_dir_all(new.join(ARCHIVE_DIR)).unwrap();
    fs::set_permissions(new.join(ARCHIVE_DIR), fs::Permissions::from_mode(0o755)).unwrap();
    let settings = StoreSettings { shards: None, clock: Arc::new(|| at(0)) };
    let store = Store::open(&new.join("data"), settings.clone()).unwrap();
    drop(Store::open(&new, settings).unwrap());

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&new.join("data")), 0o700);
    assert_eq!(mode(store.archive_dir()), 0o700);
    assert_eq!(mode(&new.join(STORE_DIR)), 0o700);
    assert_eq!(mode(&new.join(ARCHIVE_DIR)), 0o700, "rights that were there before are taken");
}
