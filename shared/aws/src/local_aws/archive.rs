//! The archive in S3 against ministack: the contract that one in a folder keeps.

use std::process::Command;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use wattstream_embedded::Archive;
use wattstream_testkit::contract::{self, WrittenArchive};
use wattstream_testkit::local_aws;
use wattstream_wire::ArchiveEntry;

use super::new_name;
use crate::operator::Operator;

/// The archive below a prefix of a bucket of its own.
struct Bucket(Arc<dyn ObjectStore>);

impl Bucket {
    async fn create(url: &str, mut python: Command) -> Self {
        let name = new_name();
        let script = "import boto3, sys; boto3.client('s3', endpoint_url=sys.argv[1]).create_bucket(Bucket=sys.argv[2])";
        let created = python.args(["-c", script, url, &name]).status().expect("Python runs");
        assert!(created.success(), "a bucket is made");
        Self(Operator::of_local_aws(url).await.archive(&name, "fleet").expect("an archive"))
    }
}

impl WrittenArchive for Bucket {
    async fn put(&self, key: &str, object: Vec<u8>) {
        self.0.put(&Path::from(key), object.into()).await.expect("an object is put");
    }

    async fn lines(&self) -> Vec<String> {
        let archive = Archive::new(Arc::clone(&self.0));
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
async fn the_archive_keeps_its_contract() {
    let Some(server) = local_aws::ministack() else { return };
    let python = || local_aws::python().expect("Python was there when the server started");
    contract::archive(async || Bucket::create(server.url(), python()).await).await;
}
