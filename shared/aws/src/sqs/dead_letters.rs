//! [`SqsDeadLetters`]: the queue of dead letters.
//!
//! What must always hold: a letter was put when SQS has shown an id for each of its messages; an error means that some may be
//! there, and to put it again changes nothing for its readers.
//!
//! What cannot hold on SQS: a removed message may be delivered once more, and a look may miss what another process is
//! looking at. So a letter may come back; to redrive it twice is harmless, because the log recognises what it has folded.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry, SendMessageBatchResultEntry};
use wattstream_domain::Position;
use wattstream_engine::ports::{DeadLetterAdmin, DeadLetters};
use wattstream_engine::{DeadLetter, Error, Kind, Result};

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

/// Dead letters in a queue.
#[derive(Debug)]
pub struct SqsDeadLetters {
    queue: Queue,
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
        let (letters, incomplete) = deadline::keep(READING, self.open(Mailbox::after(after, limit))).await?;
        for letter in incomplete.iter().take(INCOMPLETE_TOLD_MAX) {
            tracing::warn!(position = %letter.position, "A dead letter is not shown: {letter}.");
        }
        Ok(letters)
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
            let (letters, incomplete) = self.open(Mailbox::only(position)).await?;
            match incomplete.into_iter().next() {
                Some(incomplete) => Err(Error::new(Kind::Retry, READING, incomplete)),
                None => Ok(letters.into_iter().next()),
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

impl SqsDeadLetters {
    /// Fills a box from the whole queue and opens it.
    async fn open(&self, mut mailbox: Mailbox) -> Result<(Vec<DeadLetter>, Vec<Incomplete>)> {
        let mut foreign = Foreign::default();
        let view = |body: &str, sent_ms| {
            if let Some((head, index, piece)) = foreign.sort_out(LetterPart::read(body)) {
                mailbox.add(head, index, piece, sent_ms);
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
        Ok(mailbox.open())
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
            let hint = "the queue is too long to be looked through at once, and not all of them were found: try again, or \
                        remove letters that come first";
            return Err(Error::new(Kind::Retry, REMOVING, hint));
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

/// Messages that are no dead letters. They are left where they are.
#[derive(Debug, Default)]
struct Foreign {
    messages: usize,
    error: Option<PartError>,
}

impl Foreign {
    fn sort_out<T>(&mut self, part: std::result::Result<T, PartError>) -> Option<T> {
        part.inspect_err(|_| self.messages += 1).map_err(|error| self.error = Some(error)).ok()
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
