//! The contract of the ports, run against the store.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wattstream_domain::Timestamp;
use wattstream_embedded::{Archive, Store, StoreSettings};
use wattstream_testkit::contract::{self, WrittenArchive};
use wattstream_wire::ArchiveEntry;

/// A folder of its own under `dir`, which is not there yet.
fn new_folder(dir: &Path) -> PathBuf {
    static FOLDERS: AtomicU64 = AtomicU64::new(0);
    dir.join(FOLDERS.fetch_add(1, Ordering::Relaxed).to_string())
}

fn new_store(dir: &Path) -> Store {
    let settings = StoreSettings { shards: Some(3), clock: Arc::new(|| Timestamp::MIN) };
    Store::open(&new_folder(dir), settings).expect("an empty folder becomes a store")
}

macro_rules! contracts {
    ($($port:ident)*) => {$(
        #[tokio::test]
        async fn $port() {
            let dir = tempfile::tempdir().unwrap();
            contract::$port(async || new_store(dir.path())).await;
        }
    )*};
}

contracts! {
    tables stream stream_wakes checkpoints dead_letters dead_letter_admin alerts silences queries fleet_queries
    live_queries live_feed
}

/// An archive in a folder.
struct Folder(PathBuf);

impl Folder {
    fn create(path: PathBuf) -> Self {
        fs::create_dir(&path).expect("a folder is made");
        Self(path)
    }
}

impl WrittenArchive for Folder {
    async fn put(&self, key: &str, object: Vec<u8>) {
        let file = self.0.join(key);
        fs::create_dir_all(file.parent().expect("a key has a folder")).expect("a folder is made");
        fs::write(file, object).expect("an object is put");
    }

    async fn lines(&self) -> Vec<String> {
        let archive = Archive::local(&self.0).expect("an archive");
        let mut lines = Vec::new();
        for key in archive.keys().await.expect("keys") {
            let mut object = archive.open(&key).await.expect("an object");
            while let Some(entry) = object.next_entry().expect("an entry") {
                let ArchiveEntry::Record(line) = entry else { panic!("{entry:?} in {key}") };
                lines.push(String::from_utf8(line.to_vec()).expect("a line is text"));
            }
        }
        lines
    }
}

#[tokio::test]
async fn archive() {
    let dir = tempfile::tempdir().expect("a folder");
    contract::archive(async || Folder::create(new_folder(dir.path()))).await;
}
