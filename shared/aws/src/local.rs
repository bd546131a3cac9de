//! What a local AWS must have before wattstream can run on it: streams, queues and topics, for tests and for trying things
//! out. [`DynamoDb::create_tables`](crate::DynamoDb::create_tables) makes the tables. In the cloud the CDK app makes all of
//! it, with what a local AWS has no use for.
//!
//! What must always hold: when a call returns without an error, what it made can be used.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use aws_sdk_kinesis::types::{HashKeyRange, StreamStatus};
use aws_sdk_sqs::types::QueueAttributeName;
use tokio::time::sleep;
use wattstream_domain::ShardId;
use wattstream_engine::Result;

use crate::error::{classify, malformed};
use crate::{Clients, LocalEndpoints, deadline};

/// How often a stream is looked at that is being made or changed.
const LOOK_EVERY: Duration = Duration::from_millis(20);

const CREATING: &str = "creating a resource of a local AWS";
const RESHARDING: &str = "resharding a stream of a local AWS";
const RECEIVING: &str = "receiving messages of a local AWS";

/// A local AWS, which may be several programs.
#[derive(Clone, Debug)]
pub struct LocalAws {
    clients: Clients,
}

impl LocalAws {
    /// The local AWS that answers there.
    pub async fn at(endpoints: &LocalEndpoints) -> Self {
        Self { clients: Clients::of_local_aws(endpoints).await }
    }

    /// Its clients.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Makes a stream of so many shards.
    pub async fn create_stream(&self, name: &str, shards: u16) -> Result<()> {
        let request = self.clients.kinesis.create_stream().stream_name(name).shard_count(shards.into());
        Box::pin(request.send()).await.map_err(|error| classify(CREATING, error))?;
        Box::pin(self.until_active(name)).await
    }

    /// The open shards of a stream, and the hashes that each holds.
    pub async fn open_shards(&self, stream: &str) -> Result<BTreeMap<ShardId, RangeInclusive<u128>>> {
        let answer = self.clients.kinesis.list_shards().stream_name(stream).send().await;
        let answer = answer.map_err(|error| classify(RESHARDING, error))?;
        let is_open = |shard: &&aws_sdk_kinesis::types::Shard| {
            shard.sequence_number_range().is_some_and(|range| range.ending_sequence_number().is_none())
        };
        answer.shards().iter().filter(is_open).map(hashes_of).collect()
    }

    /// Splits a shard in the middle of its hashes.
    pub async fn split_shard(&self, stream: &str, shard: ShardId) -> Result<()> {
        let open = self.open_shards(stream).await?;
        let hashes = open.get(&shard).ok_or_else(|| malformed(RESHARDING, format!("{shard} is not open")))?;
        let middle = hashes.start() + (hashes.end() - hashes.start()) / 2 + 1;
        let request = self.clients.kinesis.split_shard().stream_name(stream);
        let request = request.shard_to_split(shard.to_string()).new_starting_hash_key(middle.to_string());
        request.send().await.map_err(|error| classify(RESHARDING, error))?;
        self.until_active(stream).await
    }

    /// Merges two shards that stand side by side.
    pub async fn merge_shards(&self, stream: &str, shard: ShardId, other: ShardId) -> Result<()> {
        let request = self.clients.kinesis.merge_shards().stream_name(stream);
        let request = request.shard_to_merge(shard.to_string()).adjacent_shard_to_merge(other.to_string());
        request.send().await.map_err(|error| classify(RESHARDING, error))?;
        self.until_active(stream).await
    }

    /// Makes a queue, and returns its URL.
    pub async fn create_queue(&self, name: &str) -> Result<String> {
        let answer = self.clients.sqs.create_queue().queue_name(name).send().await;
        let answer = answer.map_err(|error| classify(CREATING, error))?;
        answer.queue_url.ok_or_else(|| malformed(CREATING, "the queue has no URL"))
    }

    /// Makes a topic, and returns its ARN.
    pub async fn create_topic(&self, name: &str) -> Result<String> {
        let answer = self.clients.sns.create_topic().name(name).send().await;
        let answer = answer.map_err(|error| classify(CREATING, error))?;
        answer.topic_arn.ok_or_else(|| malformed(CREATING, "the topic has no ARN"))
    }

    /// Has the messages of a topic sent to a queue, or those of them that a filter policy lets through.
    pub async fn subscribe(&self, topic_arn: &str, queue_url: &str, filter: Option<&str>) -> Result<()> {
        let wanted = QueueAttributeName::QueueArn;
        let request = self.clients.sqs.get_queue_attributes().queue_url(queue_url);
        let answer = request.attribute_names(wanted.clone()).send().await;
        let attributes = answer.map_err(|error| classify(CREATING, error))?.attributes.unwrap_or_default();
        let queue_arn = attributes.get(&wanted).ok_or_else(|| malformed(CREATING, "the queue has no ARN"))?;
        let request = self.clients.sns.subscribe().topic_arn(topic_arn).protocol("sqs").endpoint(queue_arn);
        let request =
            filter.into_iter().fold(request, |request, filter| request.attributes("FilterPolicy", filter));
        request.send().await.map(drop).map_err(|error| classify(CREATING, error))
    }

    /// The bodies of the next messages of a queue, at most ten, which are then no longer there; none when none has come for a
    /// second.
    pub async fn take_messages(&self, queue_url: &str) -> Result<Vec<String>> {
        let sqs = &self.clients.sqs;
        let request = sqs.receive_message().queue_url(queue_url).max_number_of_messages(10);
        let answer = request.wait_time_seconds(1).send().await;
        let messages = answer.map_err(|error| classify(RECEIVING, error))?.messages.unwrap_or_default();
        for handle in messages.iter().filter_map(|message| message.receipt_handle()) {
            let request = sqs.delete_message().queue_url(queue_url).receipt_handle(handle);
            request.send().await.map_err(|error| classify(RECEIVING, error))?;
        }
        Ok(messages.into_iter().filter_map(|message| message.body).collect())
    }

    async fn until_active(&self, stream: &str) -> Result<()> {
        deadline::keep(CREATING, async {
            loop {
                let request = self.clients.kinesis.describe_stream_summary().stream_name(stream);
                let answer = request.send().await.map_err(|error| classify(CREATING, error))?;
                let status = answer.stream_description_summary.map(|summary| summary.stream_status);
                if status == Some(StreamStatus::Active) {
                    return Ok(());
                }
                sleep(LOOK_EVERY).await;
            }
        })
        .await
    }
}

fn hashes_of(shard: &aws_sdk_kinesis::types::Shard) -> Result<(ShardId, RangeInclusive<u128>)> {
    let id = shard.shard_id();
    let id = id.parse().map_err(|error| malformed(RESHARDING, format!("the shard {id:?}: {error}")))?;
    let range = shard.hash_key_range().and_then(|range: &HashKeyRange| {
        Some(range.starting_hash_key().parse().ok()?..=range.ending_hash_key().parse().ok()?)
    });
    Ok((id, range.ok_or_else(|| malformed(RESHARDING, format!("{id} has no range of hashes")))?))
}
