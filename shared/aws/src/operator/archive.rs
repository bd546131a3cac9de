//! The archive that Firehose writes, as an object store.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use wattstream_engine::{Error, Kind, Result};

use super::Operator;

const OPENING: &str = "opening the archive in S3";

impl Operator {
    /// The objects of `bucket` below `prefix`, which is the folder that holds `raw/`.
    pub fn archive(&self, bucket: &str, prefix: &str) -> Result<Arc<dyn ObjectStore>> {
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&self.access.region)
            .with_credentials(self.credentials.clone())
            .with_http_connector(self.http.clone());
        if let Some(endpoint) = &self.endpoints.s3 {
            builder = builder.with_endpoint(endpoint).with_allow_http(true);
        }
        let objects = builder.build().map_err(|error| Error::new(Kind::Broken, OPENING, error))?;
        let prefix = Path::parse(prefix.trim_matches('/'))
            .map_err(|error| Error::new(Kind::Reject, OPENING, error))?;
        Ok(Arc::new(PrefixStore::new(objects, prefix)))
    }
}
