//! [`DiscardedStream`]: the records of a batch that Lambda gave up, read once more.
//!
//! The report has pointers only: a shard, and the numbers of the first and the last record. What must always hold: every
//! record between them that the stream still has is handed on, once and in order, and none beside them; what the stream no
//! longer has is told of. A stream that is not there at all is an error: it may be that of another region or account.

use wattstream_domain::ShardId;
use wattstream_engine::ports::{Producer, Stream};
use wattstream_engine::{Error, Kind, Result, StreamRecord};
use wattstream_wire::on_failure::DiscardedBatch;

use super::lost::{Found, LostRange, lost_ranges};
use super::stream::RecordPage;
use super::{KinesisProducer, KinesisStream, Polling, ProducerSettings};
use crate::{Clients, deadline};

/// How often a page is asked for that Kinesis refuses to give. Other readers of a shard take turns that are not ours: within
/// ten seconds one is free.
const PAGE_ATTEMPTS_MAX: u32 = 10;

const FINDING: &str = "finding the stream of a batch that was given up";
const READING: &str = "reading a batch that was given up from its stream";

/// The stream that a batch came from.
#[derive(Debug)]
pub struct DiscardedStream {
    stream: KinesisStream,
    producer: KinesisProducer,
}

/// What became of a batch that was read once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reread {
    /// The records that its stream still has.
    pub records: u64,
    /// Those that it no longer has.
    pub lost: Vec<LostRange>,
}

impl DiscardedStream {
    /// The stream that the report names, which must be of the region that the clients ask.
    pub fn of(clients: &Clients, batch: &DiscardedBatch) -> Result<Self> {
        let name = stream_name(&batch.stream_arn, clients.region())
            .map_err(|error| Error::new(Kind::Reject, FINDING, error))?;
        Ok(Self {
            stream: KinesisStream::new(clients, name, Polling::default()),
            producer: KinesisProducer::new(clients, name, ProducerSettings::default()),
        })
    }

    /// Its writing end.
    pub fn producer(&self) -> &impl Producer {
        &self.producer
    }

    /// Hands every record of the batch to `each_page`, as many at once as come together.
    pub async fn read(
        &self,
        batch: &DiscardedBatch,
        mut each_page: impl AsyncFnMut(Vec<StreamRecord>) -> Result<()>,
    ) -> Result<Reread> {
        let mut found = Found::default();
        let mut iterator = self.first_iterator(batch).await?;
        while let Some(here) = iterator {
            let RecordPage { mut records, next, is_newest } = self.page(batch.shard, &here).await?;
            let is_behind_batch = records.last().is_some_and(|record| record.sequence >= batch.last);
            records.retain(|record| (batch.first..=batch.last).contains(&record.sequence));
            found.note(&records);
            if !records.is_empty() {
                each_page(records).await?;
            }
            iterator = next.filter(|_| !is_behind_batch && !is_newest);
        }
        Ok(Reread { records: found.records, lost: lost_ranges(batch, &found) })
    }

    /// Where to begin; nowhere when the shard has expired.
    async fn first_iterator(&self, batch: &DiscardedBatch) -> Result<Option<String>> {
        // Requests go by name, and another account may have a stream of the same name, in which nothing of the batch is found.
        let reached = deadline::keep(FINDING, self.stream.arn()).await?;
        if reached != batch.stream_arn {
            let error = StreamArnError::Account { arn: batch.stream_arn.clone(), reached };
            return Err(Error::new(Kind::Reject, FINDING, error));
        }
        let shards = self.stream.shards().await?;
        if !shards.iter().any(|shard| shard.id == batch.shard) {
            return Ok(None);
        }
        let iterator = Box::pin(self.stream.iterator_at(batch.shard, batch.first));
        deadline::keep(READING, iterator).await.map(Some)
    }

    async fn page(&self, shard: ShardId, iterator: &str) -> Result<RecordPage> {
        let mut attempt = 1;
        loop {
            let page = deadline::keep(READING, Box::pin(self.stream.page(shard, iterator))).await;
            match page {
                Err(error) if error.kind() == Kind::Retry && attempt < PAGE_ATTEMPTS_MAX => {
                    attempt += 1;
                    self.stream.wait(shard).await;
                }
                page => return page,
            }
        }
    }
}

/// Why the stream of a report cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum StreamArnError {
    #[error(
        "{0:?} is not the ARN of a Kinesis stream, such as arn:aws:kinesis:us-east-1:123456789012:stream/readings"
    )]
    Form(String),
    #[error(
        "{arn} is a stream of another region than {region}, which is asked: set AWS_REGION to that of the stream"
    )]
    Region { arn: String, region: String },
    #[error(
        "{arn} is not the stream of that name that is reached, {reached}: use the credentials of its account"
    )]
    Account { arn: String, reached: String },
}

/// The name of the stream, when it is of this region.
fn stream_name<'a>(arn: &'a str, region: &str) -> std::result::Result<&'a str, StreamArnError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts[..] {
        ["arn", _, "kinesis", of, _, resource] if of == region => {
            resource.strip_prefix("stream/").ok_or_else(|| StreamArnError::Form(arn.to_owned()))
        }
        ["arn", _, "kinesis", _, _, _] => {
            Err(StreamArnError::Region { arn: arn.to_owned(), region: region.to_owned() })
        }
        _ => Err(StreamArnError::Form(arn.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_named_by_its_arn_in_its_own_region_alone() {
        let arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/readings";
        assert_eq!(stream_name(arn, "eu-central-1"), Ok("readings"));
        let error = stream_name(arn, "us-east-1").unwrap_err().to_string();
        assert!(error.contains("another region than us-east-1"), "{error}");
        for other in
            ["", "readings", "arn:aws:sqs:us-east-1:123456789012:readings", "arn:aws:kinesis:us-east-1:1:x/y"]
        {
            assert_eq!(stream_name(other, "us-east-1"), Err(StreamArnError::Form(other.to_owned())));
        }
    }
}
