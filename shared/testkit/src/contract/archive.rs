//! The contract of an archive of raw records: gzip lines by hour of arrival, as Firehose and the one-machine process write them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// An archive that somebody else writes into.
pub trait WrittenArchive {
    /// Puts an object under a key.
    fn put(&self, key: &str, object: Vec<u8>) -> impl Future<Output = ()>;

    /// The lines of all objects, as the archive reads them.
    fn lines(&self) -> impl Future<Output = Vec<String>>;
}

/// More objects than one page of a listing of S3 has (1,000).
const OBJECTS_MANY: u32 = 1_100;

/// A body that no reader holds in one piece.
const LINES_MANY: u32 = 60_000;

fn key(hour: u32, name: &str) -> String {
    format!("raw/year=2025/month=06/day=20/hour={hour:02}/{name}")
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

/// Runs the contract of an archive. `make` makes an empty one.
pub async fn archive<A: WrittenArchive>(make: impl AsyncFn() -> A) {
    let archive = make().await;
    assert_eq!(archive.lines().await, [] as [&str; 0], "an empty archive has no lines");
    objects_are_read_in_the_order_of_their_keys(&archive).await;
    what_stands_beside_is_left_alone(&archive).await;
    every_form_of_an_object_is_read(&make().await).await;
    long_listings_and_long_objects_are_read_whole(&make().await).await;
}

async fn objects_are_read_in_the_order_of_their_keys(archive: &impl WrittenArchive) {
    for (hour, name) in [(11, "a"), (9, "b"), (9, "a"), (10, "a")] {
        archive.put(&key(hour, name), gzip(&format!("{hour}{name}\n"))).await;
    }
    assert_eq!(archive.lines().await, ["9a", "9b", "10a", "11a"]);
}

async fn what_stands_beside_is_left_alone(archive: &impl WrittenArchive) {
    for beside in ["errors/year=2025/month=06/day=20/hour=09/x", "README", "raw/notes"] {
        archive.put(beside, b"not an object of the archive".to_vec()).await;
    }
    assert_eq!(archive.lines().await, ["9a", "9b", "10a", "11a"]);
}

/// Firehose may append members to one another. An object without a record has none.
async fn every_form_of_an_object_is_read(archive: &impl WrittenArchive) {
    let members = [gzip("one\ntwo\n"), gzip("three\n")].concat();
    archive.put(&key(1, "a-members"), members).await;
    archive.put(&key(1, "b-empty"), gzip("")).await;
    archive.put(&key(1, "c-after"), gzip("four\n")).await;
    assert_eq!(archive.lines().await, ["one", "two", "three", "four"]);
}

async fn long_listings_and_long_objects_are_read_whole(archive: &impl WrittenArchive) {
    let many: Vec<_> = (0..OBJECTS_MANY).map(|number| format!("{number:06}")).collect();
    for name in &many {
        archive.put(&key(2, name), gzip(&format!("{name}\n"))).await;
    }
    let long: Vec<_> = (0..LINES_MANY)
        .map(|number| format!("line {number} {:x}", u64::from(number) * 2_654_435_761))
        .collect();
    archive.put(&key(3, "long"), gzip(&(long.join("\n") + "\n"))).await;
    let lines = archive.lines().await;
    assert!(lines[..many.len()] == many[..], "every object of a long listing is read");
    assert!(lines[many.len()..] == long[..], "a long object is read whole");
}
