//! [`KinesisProducer`]: appends in rounds of `PutRecords`.
//!
//! `PutRecords` promises no order among its entries, and an entry that it refuses comes back behind those that it took. So
//! each round sends the first outstanding record of every partition key, again and again until it is taken, and only then
//! the next round begins.
//!
//! What must always hold:
//! - At most one record of a partition key is in flight. A key whose record fails for good stops there.
//! - An append without an error has a sequence number for each record. A success that does not show one is a failure.
//! - A record that no stream takes is a [`Kind::Reject`] before anything is sent.
//!
//! What cannot hold on Kinesis: a request that timed out may still be applied, even after its repetition. So a record can
//! be in its shard twice, and the second time behind a later one of its key. The engine knows a duplicate by its values.

use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{
    PutRecordsRequestEntry, PutRecordsResultEntry, StreamDescriptionSummary, StreamStatus,
};
use bytes::Bytes;
use tokio::time::Instant;
use wattstream_engine::ports::{NewRecord, Producer};
use wattstream_engine::{Error, Kind, Result};

use super::packing::{KeyQueue, Packing};
use crate::batches::{Limits, send_all};
use crate::error::{Refusal, classify, malformed, refused};
use crate::{Clients, deadline};

/// The longest record, its partition key included, that a stream takes unless an operator raises its limit
/// (`MaxRecordSizeInKiB`).
pub const RECORD_BYTES_MAX_DEFAULT: usize = 1_024 * 1_024;

/// The longest that the API takes and an operator may set.
pub const RECORD_BYTES_LIMIT: usize = 10 * 1_024 * 1_024;

/// The longest partition key, in characters.
const PARTITION_KEY_CHARS_MAX: usize = 256;

/// `PutRecords` takes 500 records and 10 MiB with their keys. The requests of a round hold different keys, so they may be
/// in flight together.
const PUT_RECORDS: Limits = Limits { entries: 500, bytes: 10 * 1_024 * 1_024, in_flight: 4 };

const APPENDING: &str = "appending to the Kinesis stream";
const CHECKING: &str = "asking for the status of the Kinesis stream";

/// What a producer is made with.
#[derive(Clone, Copy, Debug)]
pub struct ProducerSettings {
    /// How payloads become records.
    pub packing: Packing,
    /// The longest record that the stream takes, its partition key included; at most [`RECORD_BYTES_LIMIT`].
    pub record_bytes_max: usize,
}

impl Default for ProducerSettings {
    fn default() -> Self {
        Self { packing: Packing::default(), record_bytes_max: RECORD_BYTES_MAX_DEFAULT }
    }
}

/// The writing end of a Kinesis stream. A clone is another handle of the same.
#[derive(Clone, Debug)]
pub struct KinesisProducer {
    client: aws_sdk_kinesis::Client,
    stream_name: String,
    settings: ProducerSettings,
}

impl KinesisProducer {
    /// A producer for the stream of this name.
    pub fn new(clients: &Clients, stream_name: impl Into<String>, settings: ProducerSettings) -> Self {
        let record_bytes_max = settings.record_bytes_max.min(RECORD_BYTES_LIMIT);
        let settings = ProducerSettings { record_bytes_max, ..settings };
        Self { client: clients.kinesis.clone(), stream_name: stream_name.into(), settings }
    }
}

impl KinesisProducer {
    /// Asks whether the stream is there and takes records. An error says why it does not.
    pub async fn check(&self) -> Result<()> {
        deadline::keep(CHECKING, async {
            let request = self.client.describe_stream_summary().stream_name(&self.stream_name);
            let answer = Box::pin(request.send()).await.map_err(|error| classify(CHECKING, error))?;
            let summary = answer.stream_description_summary();
            match summary.map(StreamDescriptionSummary::stream_status) {
                Some(StreamStatus::Active | StreamStatus::Updating) => Ok(()),
                status => Err(malformed(CHECKING, format!("its status is {status:?}"))),
            }
        })
        .await
    }
}

impl Producer for KinesisProducer {
    async fn append(&self, records: Vec<NewRecord>) -> Result<()> {
        let ProducerSettings { packing, record_bytes_max } = self.settings;
        records.iter().try_for_each(|record| check(record, record_bytes_max))?;
        let queues = packing.pack(records, record_bytes_max);
        // Not `deadline::keep`, which would drop what is known of single records: every request ends by the deadline.
        let deadline = deadline::of_this_call();
        deadline::within(deadline, self.send_in_rounds(queues, deadline)).await
    }
}

/// Why a record cannot be taken in.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error("a partition key has 1 to {PARTITION_KEY_CHARS_MAX} characters, this one has {0}")]
    PartitionKey(usize),
    #[error(
        "the stream takes records of at most {bytes_max} bytes with their partition key, this one has {bytes}: split \
         it, or raise the stream's MaxRecordSizeInKiB and the producer's setting"
    )]
    TooLarge { bytes: usize, bytes_max: usize },
}

fn check(record: &NewRecord, bytes_max: usize) -> Result<()> {
    let reject = |error| Err(Error::new(Kind::Reject, APPENDING, error));
    let bytes = record.partition_key.len() + record.data.len();
    match record.partition_key.chars().count() {
        chars if !(1..=PARTITION_KEY_CHARS_MAX).contains(&chars) => reject(RecordError::PartitionKey(chars)),
        _ if bytes > bytes_max => reject(RecordError::TooLarge { bytes, bytes_max }),
        _ => Ok(()),
    }
}

impl KinesisProducer {
    async fn send_in_rounds(&self, mut queues: Vec<KeyQueue>, deadline: Instant) -> Result<()> {
        let mut failures: Vec<Error> = Vec::new();
        let mut is_first = true;
        while !queues.is_empty() {
            if !is_first && Instant::now() >= deadline {
                failures.push(Error::bare(Kind::Retry, "appending more than there was time for"));
                break;
            }
            is_first = false;
            let heads: Vec<_> = queues.iter_mut().filter_map(take_head).collect();
            let outcomes = send_all(&heads, PUT_RECORDS, bytes_of, |entries| self.put(entries)).await;
            let mut outcomes = outcomes.into_iter();
            queues.retain(|queue| match outcomes.next() {
                Some(Ok(())) => !queue.records.is_empty(),
                Some(Err(error)) => {
                    failures.push(error);
                    false
                }
                None => false,
            });
        }
        summarize(failures)
    }

    async fn put(&self, entries: Vec<&PutRecordsRequestEntry>) -> Result<Vec<Result<()>>> {
        let entries = entries.into_iter().cloned().collect();
        let request = self.client.put_records().stream_name(&self.stream_name).set_records(Some(entries));
        let answer = request.send().await.map_err(|error| classify(APPENDING, error))?;
        Ok(answer.records().iter().map(outcome_of).collect())
    }
}

fn take_head(queue: &mut KeyQueue) -> Option<PutRecordsRequestEntry> {
    let data: Bytes = queue.records.pop_front()?;
    let entry = PutRecordsRequestEntry::builder()
        .partition_key(&queue.partition_key)
        .data(Blob::new(data))
        .build()
        .expect("data and partition key are set");
    Some(entry)
}

fn bytes_of(entry: &PutRecordsRequestEntry) -> usize {
    entry.partition_key().unwrap_or_default().len() + entry.data().as_ref().len()
}

fn outcome_of(entry: &PutRecordsResultEntry) -> Result<()> {
    let code = entry.error_code().filter(|code| !code.is_empty());
    match (code, entry.sequence_number()) {
        (Some(code), _) => {
            Err(refused(APPENDING, Refusal { code, message: entry.error_message(), is_senders_fault: true }))
        }
        (None, Some(sequence)) if !sequence.is_empty() => Ok(()),
        (None, _) => Err(malformed(APPENDING, "an entry of the answer has no sequence number")),
    }
}

/// The error of an append: what will not mend itself comes before what may.
fn summarize(mut failures: Vec<Error>) -> Result<()> {
    failures.sort_by_key(|error| error.kind() == Kind::Retry);
    let keys = failures.len();
    let Some(worst) = failures.into_iter().next() else { return Ok(()) };
    let kind = worst.kind();
    Err(Error::new(kind, APPENDING, format!("{keys} partition keys failed, one of them {worst}")))
}

#[cfg(test)]
mod tests;
