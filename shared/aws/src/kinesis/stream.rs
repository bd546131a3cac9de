//! [`KinesisStream`]: shards, and records by polling.
//!
//! An iterator is a place in a shard that lives for five minutes. The one that a read ends with is kept, so that the next
//! read from there needs no other; any other read asks for a new one.
//!
//! What must always hold: the caller's position decides what is read, never what is remembered here; no call is made out
//! of turn ([`Pace`]); an answer that lacks something ends neither a shard nor a record.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::error::SdkError;
use aws_sdk_kinesis::operation::get_records::{GetRecordsError, GetRecordsOutput};
use aws_sdk_kinesis::operation::get_shard_iterator::{GetShardIteratorError, GetShardIteratorOutput};
use aws_sdk_kinesis::types::{Record, ShardIteratorType};
use bytes::Bytes;
use tokio::time::{Instant, sleep_until};
use wattstream_domain::{SequenceNumber, ShardId, Timestamp};
use wattstream_engine::ports::{Shard, ShardRead, Stream};
use wattstream_engine::{Error, Kind, Result, StreamRecord};

use super::pace::{Pace, Polling};
use crate::error::{classify, malformed};
use crate::{Clients, deadline};

/// The most records of one `GetRecords`.
const RECORDS_MAX: usize = 10_000;

const LISTING: &str = "listing the shards of the Kinesis stream";
const LOCATING: &str = "finding the place to read from in a Kinesis shard";
const READING: &str = "reading a Kinesis shard";

/// The reading end of a Kinesis stream.
#[derive(Debug)]
pub struct KinesisStream {
    client: aws_sdk_kinesis::Client,
    stream_name: String,
    polling: Polling,
    readers: Mutex<HashMap<ShardId, Reader>>,
}

/// What is remembered of a shard.
#[derive(Clone, Debug)]
struct Reader {
    pace: Pace,
    place: Option<Place>,
}

/// An iterator, and the record after which it goes on.
#[derive(Clone, Debug)]
struct Place {
    after: Option<SequenceNumber>,
    iterator: String,
}

/// Where reading begins in a shard.
#[derive(Clone, Copy, Debug)]
enum Start {
    Oldest,
    At(SequenceNumber),
    After(SequenceNumber),
}

/// What one `GetRecords` brought.
#[derive(Debug)]
pub(super) struct RecordPage {
    pub(super) records: Vec<StreamRecord>,
    /// The iterator behind them; none at the end of a closed shard.
    pub(super) next: Option<String>,
    /// Whether there was nothing behind them at that moment.
    pub(super) is_newest: bool,
}

impl KinesisStream {
    /// The stream of this name. Other paces than the default are for a local AWS.
    pub fn new(clients: &Clients, stream_name: impl Into<String>, polling: Polling) -> Self {
        let stream_name = stream_name.into();
        Self { client: clients.kinesis.clone(), stream_name, polling, readers: Mutex::default() }
    }
}

impl Stream for KinesisStream {
    async fn shards(&self) -> Result<Vec<Shard>> {
        let shards = deadline::keep(LISTING, Box::pin(self.list_shards())).await?;
        // A shard that has expired is never read again.
        self.readers().retain(|id, _| shards.iter().any(|shard| shard.id == *id));
        Ok(shards)
    }

    async fn read(&self, shard: ShardId, after: Option<SequenceNumber>, limit: usize) -> Result<ShardRead> {
        if limit == 0 {
            return Ok(ShardRead { records: Vec::new(), is_end: false });
        }
        let read = self.read_once(shard, after, limit.min(RECORDS_MAX));
        deadline::keep(READING, Box::pin(read)).await
    }

    async fn wait(&self, shard: ShardId) {
        let end = self.reader(shard, |reader| reader.pace.end_of_wait(Instant::now(), self.polling));
        sleep_until(end.min(deadline::of_this_call())).await;
    }
}

impl KinesisStream {
    async fn list_shards(&self) -> Result<Vec<Shard>> {
        let mut shards = Vec::new();
        // A page after the first is named by its token alone.
        let mut request = self.client.list_shards().stream_name(&self.stream_name);
        loop {
            let page = request.send().await.map_err(|error| classify(LISTING, error))?;
            for shard in page.shards() {
                shards.push(shard_of(shard)?);
            }
            match page.next_token() {
                Some(token) => request = self.client.list_shards().next_token(token),
                None => return Ok(shards),
            }
        }
    }

    async fn read_once(
        &self,
        shard: ShardId,
        after: Option<SequenceNumber>,
        limit: usize,
    ) -> Result<ShardRead> {
        let kept = self.reader(shard, |reader| reader.place.clone().filter(|place| place.after == after));
        let is_kept = kept.is_some();
        let start = after.map_or(Start::Oldest, Start::After);
        let iterator = match kept {
            Some(place) => place.iterator,
            None => self.iterator(shard, start).await?,
        };
        let answer = match self.get_records(shard, &iterator, limit).await {
            Err(error) if is_kept && is_expired(&error) => {
                let iterator = self.iterator(shard, start).await?;
                self.get_records(shard, &iterator, limit).await
            }
            answer => answer,
        };
        let answer = answer.map_err(|error| classify(READING, error))?;
        let read = ShardRead { is_end: is_end(&answer)?, records: records_of(&answer)? };
        self.reader(shard, |reader| reader.note(after, &read, &answer));
        Ok(read)
    }

    async fn iterator(&self, shard: ShardId, start: Start) -> Result<String> {
        iterator_of(self.ask_for_iterator(shard, start).await.map_err(|error| classify(LOCATING, error))?)
    }

    /// The ARN of the stream that is reached by its name.
    pub(super) async fn arn(&self) -> Result<String> {
        let request = self.client.describe_stream_summary().stream_name(&self.stream_name);
        let answer = Box::pin(request.send()).await.map_err(|error| classify(LOCATING, error))?;
        let summary = answer.stream_description_summary();
        let arn = summary.map(|summary| summary.stream_arn().to_owned()).filter(|arn| !arn.is_empty());
        arn.ok_or_else(|| malformed(LOCATING, "the answer has no ARN"))
    }

    /// An iterator from the record `at` on, in a shard that is there. When Kinesis does not know that number any more, one
    /// from the oldest record on.
    pub(super) async fn iterator_at(&self, shard: ShardId, at: SequenceNumber) -> Result<String> {
        match self.ask_for_iterator(shard, Start::At(at)).await {
            Err(error) if is_unknown_number(&error) => self.iterator(shard, Start::Oldest).await,
            answer => iterator_of(answer.map_err(|error| classify(LOCATING, error))?),
        }
    }

    async fn ask_for_iterator(
        &self,
        shard: ShardId,
        start: Start,
    ) -> std::result::Result<GetShardIteratorOutput, SdkError<GetShardIteratorError>> {
        let (kind, sequence) = match start {
            Start::Oldest => (ShardIteratorType::TrimHorizon, None),
            Start::At(sequence) => (ShardIteratorType::AtSequenceNumber, Some(sequence)),
            Start::After(sequence) => (ShardIteratorType::AfterSequenceNumber, Some(sequence)),
        };
        let request =
            self.client.get_shard_iterator().stream_name(&self.stream_name).shard_id(shard.to_string());
        let sequence = sequence.map(|sequence| sequence.to_string());
        request.shard_iterator_type(kind).set_starting_sequence_number(sequence).send().await
    }

    /// What is at an iterator, in its turn.
    pub(super) async fn page(&self, shard: ShardId, iterator: &str) -> Result<RecordPage> {
        let answer = self.get_records(shard, iterator, RECORDS_MAX).await;
        let answer = answer.map_err(|error| classify(READING, error))?;
        let is_end = is_end(&answer)?;
        let behind_ms = answer.millis_behind_latest();
        Ok(RecordPage {
            records: records_of(&answer)?,
            is_newest: behind_ms
                .ok_or_else(|| malformed(READING, "the answer does not say how far behind it is"))?
                == 0,
            next: answer.next_shard_iterator.filter(|_| !is_end),
        })
    }

    async fn get_records(
        &self,
        shard: ShardId,
        iterator: &str,
        limit: usize,
    ) -> std::result::Result<GetRecordsOutput, SdkError<GetRecordsError>> {
        sleep_until(self.reader(shard, |reader| reader.pace.turn(Instant::now(), self.polling))).await;
        let limit = i32::try_from(limit).expect("at most RECORDS_MAX");
        let request = self.client.get_records().shard_iterator(iterator).limit(limit);
        request.customize().config_override(once()).send().await
    }

    fn reader<T>(&self, shard: ShardId, work: impl FnOnce(&mut Reader) -> T) -> T {
        let new = || Reader { pace: Pace::new(Instant::now()), place: None };
        work(self.readers().entry(shard).or_insert_with(new))
    }

    fn readers(&self) -> MutexGuard<'_, HashMap<ShardId, Reader>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn note(&mut self, after: Option<SequenceNumber>, read: &ShardRead, answer: &GetRecordsOutput) {
        let after = read.records.last().map(|record| record.sequence).or(after);
        let iterator = answer.next_shard_iterator().map(str::to_owned);
        self.place = iterator.map(|iterator| Place { after, iterator });
        if answer.millis_behind_latest().unwrap_or_default() > 0 {
            self.pace.hurry();
        }
    }
}

/// The caller repeats a read in its turn; what the SDK repeated would be out of it.
fn once() -> aws_sdk_kinesis::config::Builder {
    aws_sdk_kinesis::Config::builder().retry_config(RetryConfig::disabled())
}

fn is_expired(error: &SdkError<GetRecordsError>) -> bool {
    error.as_service_error().is_some_and(GetRecordsError::is_expired_iterator_exception)
}

fn iterator_of(answer: GetShardIteratorOutput) -> Result<String> {
    let iterator = answer.shard_iterator.filter(|iterator| !iterator.is_empty());
    iterator.ok_or_else(|| malformed(LOCATING, "the answer has no iterator"))
}

fn is_unknown_number(error: &SdkError<GetShardIteratorError>) -> bool {
    error
        .as_service_error()
        .is_some_and(|error| error.is_invalid_argument_exception() || error.is_resource_not_found_exception())
}

fn shard_of(shard: &aws_sdk_kinesis::types::Shard) -> Result<Shard> {
    let parents = [shard.parent_shard_id(), shard.adjacent_parent_shard_id()];
    Ok(Shard {
        id: shard_id(shard.shard_id())?,
        parents: parents.into_iter().flatten().map(shard_id).collect::<Result<_>>()?,
    })
}

fn shard_id(name: &str) -> Result<ShardId> {
    name.parse().map_err(|error| Error::new(Kind::Broken, LISTING, format!("{name:?}: {error}")))
}

/// An end is believed only when the answer names the shards after it, as the Kinesis Client Library has it: an answer that
/// was cut off has no next iterator either, and to take it for the end would skip the rest of the shard.
fn is_end(answer: &GetRecordsOutput) -> Result<bool> {
    match (answer.next_shard_iterator(), answer.child_shards()) {
        (Some(""), _) | (None, []) => {
            Err(malformed(READING, "the answer has neither a next iterator nor child shards"))
        }
        (next, _) => Ok(next.is_none()),
    }
}

fn records_of(answer: &GetRecordsOutput) -> Result<Vec<StreamRecord>> {
    answer.records().iter().map(record_of).collect()
}

fn record_of(record: &Record) -> Result<StreamRecord> {
    let sequence = record.sequence_number();
    let arrival_ms =
        record.approximate_arrival_timestamp().and_then(|arrival| arrival.to_millis().ok()).unwrap_or(-1);
    Ok(StreamRecord {
        sequence: sequence
            .parse()
            .map_err(|error| malformed(READING, format!("a record's number is {sequence:?}: {error}")))?,
        partition_key: record.partition_key().unwrap_or_default().into(),
        arrival: Timestamp::from_unix_ms(arrival_ms)
            .ok_or_else(|| malformed(READING, format!("record {sequence} has no arrival time")))?,
        data: Bytes::copy_from_slice(record.data().as_ref()),
        fault: None,
    })
}

#[cfg(test)]
mod tests;
