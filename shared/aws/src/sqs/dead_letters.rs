//! [`SqsDeadLetters`]: the queue of dead letters.
//!
//! What must always hold: a letter was put when SQS has shown an id for each of its messages; an error means that some may be
//! there, and to put it again changes nothing for its readers.
//!
//! What cannot hold on SQS: a removed message may be delivered once more, and a look may miss what another process is
//! looking at. So a letter may come back; to redrive it twice is harmless, because the log recognises what it has folded.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry, SendMessageBatchResultEntry};
use wattstream_domain::{Position, SequenceNumber, ShardId};
use wattstream_engine::ports::{DeadLetterAdmin, DeadLetters};
use wattstream_engine::{DeadLetter, Error, Kind, Result};
use wattstream_wire::on_failure::{self, DiscardedBatch};

use super::letter_parts::{LetterHead, LetterPart, MESSAGE_BYTES_MAX, PartError, parts_of};
use super::mailbox::{Incomplete, LetterKey, Mailbox, key_of};
use super::peek::{Extent, Fate, Queue, outcomes_of};
use crate::batches::{Limits, send_all};
use crate::error::classify;
use crate::{Clients, deadline};

/// `SendMessageBatch` takes 10 messages, and as many bytes as one message may have.
const SEND_BATCH: Limits = Limits { entries: 10, bytes: MESSAGE_BYTES_MAX, in_flight: 4 };

/// The most payload bytes that a read holds. A page of ordinary letters has a few hundred KiB; letters of a megabyte are
/// read in part, and the others when those are gone.
const READ_BYTES_MAX: usize = 128 * 1_024 * 1_024;

/// The most letters of which a part is missing that one read tells of.
const INCOMPLETE_TOLD_MAX: usize = 10;

const KEEPING: &str = "keeping dead letters in the SQS queue";
const READING: &str = "reading dead letters from the SQS queue";
const REMOVING: &str = "removing dead letters from the SQS queue";
const NOT_ALL_FOUND: &str = "the queue is too long to be looked through at once, and not all of them were found: try again, \
                             or remove letters that come first";

/// Dead letters in a queue.
#[derive(Debug)]
pub struct SqsDeadLetters {
    queue: Queue,
}

/// Everything in a queue that is to be dealt with.
#[derive(Debug, Default)]
pub struct QueueContents {
    /// Payloads that were set aside, in the order of their positions.
    pub letters: Vec<DeadLetter>,
    /// Batches that Lambda gave up, in no order: of reports on the same records the newest one.
    pub batches: Vec<DiscardedBatch>,
}

/// What tells one batch from another.
type BatchKey = (String, ShardId, SequenceNumber, SequenceNumber);

fn batch_key(batch: &DiscardedBatch) -> BatchKey {
    (batch.stream_arn.clone(), batch.shard, batch.first, batch.last)
}

impl SqsDeadLetters {
    /// The queue at this URL: a standard queue without a redrive policy, which keeps messages as long as it can (14 days).
    pub fn new(clients: &Clients, queue_url: impl Into<String>) -> Self {
        Self { queue: Queue::new(clients, queue_url) }
    }

    /// One page of dead letters in the order of their positions, after the letter at `after`: the reading half of
    /// [`Queries::dead_letter_page`](wattstream_engine::ports::Queries::dead_letter_page). It looks through the whole queue, up to
    /// [`PEEK_MESSAGES_MAX`](crate::PEEK_MESSAGES_MAX); what lies beyond shows when letters before it are gone.
    pub async fn page(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>> {
        let opened = deadline::keep(READING, self.open(Mailbox::after(after, limit))).await?;
        tell_of(&opened.incomplete);
        Ok(opened.letters)
    }

    /// The letters, and the reports of an event source on batches that it gave up. As with a page, what lies beyond
    /// [`PEEK_MESSAGES_MAX`](crate::PEEK_MESSAGES_MAX) messages shows when others are gone.
    pub async fn contents(&self) -> Result<QueueContents> {
        let opened = deadline::keep(READING, self.open(Mailbox::after(None, usize::MAX))).await?;
        tell_of(&opened.incomplete);
        Ok(QueueContents { letters: opened.letters, batches: opened.batches })
    }

    /// Removes every report on these batches; one that is not there is no error.
    pub async fn remove_batches(&self, batches: &[DiscardedBatch]) -> Result<()> {
        let wanted: HashSet<BatchKey> = batches.iter().map(batch_key).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        deadline::keep(REMOVING, self.remove_reports(&wanted)).await
    }
}

fn tell_of(incomplete: &[Incomplete]) {
    for letter in incomplete.iter().take(INCOMPLETE_TOLD_MAX) {
        tracing::warn!(position = %letter.position, "A dead letter is not shown: {letter}.");
    }
}

impl DeadLetters for SqsDeadLetters {
    async fn put(&self, letters: &[DeadLetter]) -> Result<()> {
        let messages: Vec<_> = letters.iter().flat_map(messages_of).collect();
        let deadline = deadline::of_this_call();
        let send = send_all(&messages, SEND_BATCH, Message::bytes, |messages| self.send_batch(messages));
        deadline::within(deadline, send).await.into_iter().collect()
    }
}

impl DeadLetterAdmin for SqsDeadLetters {
    async fn dead_letter(&self, position: Position) -> Result<Option<DeadLetter>> {
        deadline::keep(READING, async {
            let opened = self.open(Mailbox::only(position)).await?;
            match opened.incomplete.into_iter().next() {
                Some(incomplete) => Err(Error::new(Kind::Retry, READING, incomplete)),
                None => Ok(opened.letters.into_iter().next()),
            }
        })
        .await
    }

    async fn remove_dead_letters(&self, positions: &[Position]) -> Result<()> {
        if positions.is_empty() {
            return Ok(());
        }
        deadline::keep(REMOVING, self.remove(positions)).await
    }
}

/// What a look through the whole queue found.
struct Opened {
    letters: Vec<DeadLetter>,
    incomplete: Vec<Incomplete>,
    batches: Vec<DiscardedBatch>,
}

impl SqsDeadLetters {
    /// Fills a box from the whole queue and opens it.
    async fn open(&self, mut mailbox: Mailbox) -> Result<Opened> {
        let (mut foreign, mut batches) = (Foreign::default(), HashMap::new());
        let view = |body: &str, sent_ms| {
            match LetterPart::read(body) {
                Ok((head, index, piece)) => mailbox.add(head, index, piece, sent_ms),
                Err(error) => match on_failure::parse(body.as_bytes()) {
                    Ok(batch) => keep_newest(&mut batches, batch),
                    Err(_) => foreign.note(error),
                },
            }
            if mailbox.bytes() > READ_BYTES_MAX { Fate::PutBackAndEnd } else { Fate::PutBack }
        };
        let extent = self.queue.look(view).await?;
        if extent == Extent::Part {
            tracing::warn!(
                "Not all of the dead letters were looked at: redrive or purge some of them, and look again."
            );
        }
        foreign.tell();
        let (letters, incomplete) = mailbox.open();
        Ok(Opened { letters, incomplete, batches: batches.into_values().collect() })
    }

    async fn remove_reports(&self, wanted: &HashSet<BatchKey>) -> Result<()> {
        let mut found = HashSet::new();
        let view = |body: &str, _| {
            let key = on_failure::parse(body.as_bytes()).ok().map(|batch| batch_key(&batch));
            match key.filter(|key| wanted.contains(key)) {
                Some(key) => {
                    found.insert(key);
                    Fate::Remove
                }
                None => Fate::PutBack,
            }
        };
        let extent = self.queue.look(view).await?;
        if extent == Extent::Part && found.len() < wanted.len() {
            return Err(Error::new(Kind::Retry, REMOVING, NOT_ALL_FOUND));
        }
        Ok(())
    }

    async fn remove(&self, positions: &[Position]) -> Result<()> {
        let mut wanted: BTreeMap<LetterKey, Found> =
            positions.iter().map(|position| (key_of(position), Found::default())).collect();
        let view = |body: &str, _| {
            let part = LetterPart::read(body).ok();
            let found = part.and_then(|(head, index, _)| {
                wanted.get_mut(&key_of(&head.position)).map(|found| found.note(&head, index))
            });
            if found.is_some() { Fate::Remove } else { Fate::PutBack }
        };
        let extent = self.queue.look(view).await?;
        if extent == Extent::Part && !wanted.values().all(Found::is_whole) {
            return Err(Error::new(Kind::Retry, REMOVING, NOT_ALL_FOUND));
        }
        Ok(())
    }

    async fn send_batch(&self, messages: Vec<&Message>) -> Result<Vec<Result<()>>> {
        let count = messages.len();
        let entries = messages.into_iter().enumerate().map(|(index, message)| message.to_entry(index));
        let request = self.queue.client().send_message_batch().queue_url(self.queue.url());
        let request = request.set_entries(Some(entries.collect()));
        let answer = Box::pin(request.send()).await.map_err(|error| classify(KEEPING, error))?;
        let taken = answer.successful().iter().filter(|entry| !entry.message_id().is_empty());
        Ok(outcomes_of(KEEPING, count, taken.map(SendMessageBatchResultEntry::id), answer.failed()))
    }
}

/// The parts of one letter that were found.
#[derive(Debug, Default)]
struct Found {
    parts: usize,
    seen: BTreeSet<usize>,
}

impl Found {
    fn note(&mut self, head: &LetterHead, index: usize) {
        self.parts = head.parts;
        self.seen.insert(index);
    }

    fn is_whole(&self) -> bool {
        !self.seen.is_empty() && self.seen.len() == self.parts
    }
}

/// Of several reports on the same records the newest is kept, without the event that only a bucket gets.
fn keep_newest(batches: &mut HashMap<BatchKey, DiscardedBatch>, batch: DiscardedBatch) {
    let key = batch_key(&batch);
    if batches.get(&key).is_none_or(|known| known.at < batch.at) {
        batches.insert(key, DiscardedBatch { event: None, ..batch });
    }
}

/// Messages that are neither dead letters nor reports on batches. They are left where they are.
#[derive(Debug, Default)]
struct Foreign {
    messages: usize,
    error: Option<PartError>,
}

impl Foreign {
    fn note(&mut self, error: PartError) {
        self.messages += 1;
        self.error = Some(error);
    }

    fn tell(&self) {
        if let Some(error) = &self.error {
            let messages = self.messages;
            tracing::warn!(messages, %error, "Messages in the queue of dead letters are none.");
        }
    }
}

/// A message as SQS takes it.
#[derive(Clone, Debug)]
struct Message {
    body: String,
    attributes: [(&'static str, String); 2],
}

const STRING: &str = "String";

fn messages_of(letter: &DeadLetter) -> Vec<Message> {
    let message = |part: LetterPart| Message {
        body: part.to_body(),
        attributes: [
            ("reason", letter.cause.code().to_owned()),
            ("shard", letter.position.shard.to_string()),
        ],
    };
    parts_of(letter).into_iter().map(message).collect()
}

impl Message {
    /// Its share of a request.
    fn bytes(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| name.len() + STRING.len() + value.len());
        self.body.len() + attributes.sum::<usize>()
    }

    /// The id tells the entries of one request apart.
    fn to_entry(&self, id: usize) -> SendMessageBatchRequestEntry {
        let attribute = |value: &String| {
            let value = MessageAttributeValue::builder().data_type(STRING).string_value(value);
            value.build().expect("the type is set")
        };
        let attributes: HashMap<_, _> =
            self.attributes.iter().map(|(name, value)| ((*name).to_owned(), attribute(value))).collect();
        SendMessageBatchRequestEntry::builder()
            .id(id.to_string())
            .message_body(&self.body)
            .set_message_attributes(Some(attributes))
            .build()
            .expect("id and body are set")
    }
}

#[cfg(test)]
mod tests;
