//! Dead letters in the queues of AWS: payloads that the stream consumer set aside, and reports of Lambda on batches that it
//! gave up.
//!
//! What must always hold: a message leaves its queue only after the stream has taken everything that it stands for, or
//! because somebody said so. A report of which records are lost stays: it is what tells of them.

mod id;
mod listing;

use std::io::Write;

use anyhow::{Context, bail};
use wattstream_aws::{
    Clients, DiscardedStream, KinesisProducer, LostRange, ProducerSettings, QueueContents, Reread,
    SqsDeadLetters,
};
use wattstream_domain::Position;
use wattstream_engine::ports::{DeadLetterAdmin, NewRecord, Producer};
use wattstream_engine::{DeadLetter, Kind, StreamRecord};
use wattstream_wire::on_failure::DiscardedBatch;
use wattstream_wire::{append_archive_record, deaggregate, decode_reading};

use crate::archive::record_of;
use crate::cli::{DeadLettersArgs, DeadLettersCommand, Format, QueueArgs};
use crate::output;
use crate::stack::{Stack, StackError};

use id::LetterId;

/// Payloads that go on the stream together. What one call brings there is taken out of the queue when a later one fails.
const APPEND_PAYLOADS_MAX: usize = 5_000;

/// Bytes of payloads that go on the stream together, a single larger payload apart. Payloads that name no site share a key and
/// with it a shard, which takes 1 MiB a second; a call has half a minute.
const APPEND_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Lists, shows, redrives or purges what is in queues.
pub(super) fn dead_letters(command: &DeadLettersCommand) -> anyhow::Result<()> {
    let place = Place::of(command.place())?;
    crate::aws::block_on(async |environment| {
        let clients = Clients::from_environment(&environment).await?;
        let desk = Desk::open(clients, &place.queue_urls).await?;
        let format = command.place().query.format;
        match command {
            DeadLettersCommand::List(_) => Ok(listing::print(&desk.contents, format)?),
            DeadLettersCommand::Show { id, .. } => desk.show(&id.parse()?).await,
            DeadLettersCommand::Redrive { id, stream, .. } => {
                let stream = stream.as_deref().or(place.stream.as_deref());
                desk.select(id.as_deref())?.redrive(stream, format).await
            }
            DeadLettersCommand::Purge { id, .. } => desk.select(id.as_deref())?.purge().await,
        }
    })
}

/// Which queues, and the stream that payloads go back to.
struct Place {
    queue_urls: Vec<String>,
    stream: Option<String>,
}

impl Place {
    fn of(args: &DeadLettersArgs) -> Result<Self, StackError> {
        if let Some(path) = &args.query.access.stack {
            let Stack { dead_letters_queue_url, on_failure_queue_url, stream_name, .. } = Stack::read(path)?;
            return Ok(Self {
                queue_urls: vec![dead_letters_queue_url, on_failure_queue_url],
                stream: Some(stream_name),
            });
        }
        let QueueArgs { queue_url, on_failure_queue_url } = args.queues.clone();
        let mut queue_urls: Vec<_> = queue_url.into_iter().chain(on_failure_queue_url).collect();
        queue_urls.dedup();
        Ok(Self { queue_urls, stream: None })
    }
}

/// The queues, and what was in them when they were opened. What comes later is left for later: a payload that is rejected
/// again comes back, and would be redriven for ever.
struct Desk {
    clients: Clients,
    queues: Vec<SqsDeadLetters>,
    /// Of each queue, in their order.
    contents: Vec<QueueContents>,
}

impl Desk {
    async fn open(clients: Clients, urls: &[String]) -> anyhow::Result<Self> {
        let queues: Vec<_> = urls.iter().map(|url| SqsDeadLetters::new(&clients, url)).collect();
        let mut contents = Vec::new();
        for (queue, url) in queues.iter().zip(urls) {
            contents.push(queue.contents().await.with_context(|| format!("looking through {url}"))?);
        }
        Ok(Self { clients, queues, contents })
    }

    /// Only what has this id; everything without one.
    fn select(mut self, id: Option<&str>) -> anyhow::Result<Self> {
        let Some(id) = id else { return Ok(self) };
        let wanted: LetterId = id.parse()?;
        for contents in &mut self.contents {
            contents.letters.retain(|letter| wanted == LetterId::of_letter(letter));
            contents.batches.retain(|batch| wanted == LetterId::of_batch(batch));
        }
        if self.letters().next().is_none() && self.batches().next().is_none() {
            return Err(unknown(&wanted));
        }
        Ok(self)
    }

    fn letters(&self) -> impl Iterator<Item = &DeadLetter> {
        self.contents.iter().flat_map(|contents| &contents.letters)
    }

    fn batches(&self) -> impl Iterator<Item = &DiscardedBatch> {
        self.contents.iter().flat_map(|contents| &contents.batches)
    }

    async fn show(&self, id: &LetterId) -> anyhow::Result<()> {
        // Bytes, not text: nothing is added and no colour is stripped.
        let mut out = std::io::stdout();
        if let Some(letter) = self.letters().find(|letter| *id == LetterId::of_letter(letter)) {
            out.write_all(&letter.payload)?;
            return Ok(out.flush()?);
        }
        let batch =
            self.batches().find(|batch| *id == LetterId::of_batch(batch)).ok_or_else(|| unknown(id))?;
        let mut lines = Vec::new();
        let reread = DiscardedStream::of(&self.clients, batch)?
            .read(batch, async |records| {
                let payloads = records.iter().flat_map(payloads_of);
                payloads.for_each(|record| append_archive_record(&record.data, &mut lines));
                Ok(())
            })
            .await?;
        out.write_all(&lines)?;
        out.flush()?;
        match &reread.lost[..] {
            [] => Ok(()),
            lost => bail!("the stream no longer has {}", list_of(lost)),
        }
    }

    async fn redrive(&self, stream: Option<&str>, format: Format) -> anyhow::Result<()> {
        if self.letters().next().is_some() && stream.is_none() {
            bail!("no stream is named that the payloads go to: --stream NAME, or WATTSTREAM_STREAM");
        }
        if self.letters().next().is_none() && self.batches().next().is_none() {
            anstream::eprintln!("no dead letters are there");
        }
        let mut course = Course::default();
        for (queue, QueueContents { letters, batches }) in self.queues.iter().zip(&self.contents) {
            if let Some(stream) = stream.filter(|_| !letters.is_empty()) {
                let producer = KinesisProducer::new(&self.clients, stream, ProducerSettings::default());
                redrive_letters(&producer, queue, letters, &mut course).await;
            }
            for batch in batches {
                self.redrive_batch(queue, batch, &mut course).await;
            }
        }
        course.conclude(format)
    }

    async fn redrive_batch(&self, queue: &SqsDeadLetters, batch: &DiscardedBatch, course: &mut Course) {
        let id = LetterId::of_batch(batch);
        let Some(reread) = course.note(append_batch(&self.clients, batch).await) else { return };
        anstream::eprintln!("{id}: {} records are on the stream again", reread.records);
        if reread.lost.is_empty() {
            course.note(queue.remove_batches(std::slice::from_ref(batch)).await.map_err(Into::into));
        } else {
            course.lost.extend(reread.lost.into_iter().map(|range| (id, range)));
        }
    }

    async fn purge(&self) -> anyhow::Result<()> {
        for (queue, QueueContents { letters, batches }) in self.queues.iter().zip(&self.contents) {
            queue.remove_dead_letters(&positions_of(letters)).await?;
            queue.remove_batches(batches).await?;
        }
        let (letters, batches) = (self.letters().count(), self.batches().count());
        anstream::eprintln!("{letters} dead letters and {batches} reports on batches deleted");
        Ok(())
    }
}

/// What a redrive has met. One letter or batch that cannot be redriven does not keep the others.
#[derive(Default)]
struct Course {
    lost: Vec<(LetterId, LostRange)>,
    errors: Vec<anyhow::Error>,
}

impl Course {
    fn note<T>(&mut self, outcome: anyhow::Result<T>) -> Option<T> {
        outcome.map_err(|error| self.errors.push(error)).ok()
    }

    /// Tells of everything that is lost and of everything that failed.
    fn conclude(self, format: Format) -> anyhow::Result<()> {
        let Self { lost, errors } = self;
        for error in &errors {
            anstream::eprintln!("{error:#}");
        }
        if !lost.is_empty() {
            output::print(&listing::lost_entries(&lost), listing::LOST_COLUMNS, format)?;
            bail!(
                "the streams no longer have all of it: what is listed is lost to them. Its bytes are in the archive, in the \
                 folders of the hours of arrival; `wattstream dead-letters purge ID` removes a report that was seen to"
            );
        }
        match errors.len() {
            0 => Ok(()),
            failed => bail!("{failed} of the dead letters stay where they are, for the reasons above"),
        }
    }
}

/// Puts payloads on the stream, in the order of their positions, and removes those that it has taken.
async fn redrive_letters(
    producer: &impl Producer,
    queue: &SqsDeadLetters,
    letters: &[DeadLetter],
    course: &mut Course,
) {
    let mut taken = 0;
    for chunk in chunks_of(letters) {
        for part in append_letters(producer, chunk, course).await {
            if course.note(queue.remove_dead_letters(&positions_of(part)).await.map_err(Into::into)).is_some()
            {
                taken += part.len();
            }
        }
    }
    anstream::eprintln!("{taken} dead letters are on the stream again");
}

/// Appends a chunk. When the stream refuses one of its letters for good, each is appended alone, so that the others go on.
/// Returns the runs that were taken.
async fn append_letters<'a>(
    producer: &impl Producer,
    chunk: &'a [DeadLetter],
    course: &mut Course,
) -> Vec<&'a [DeadLetter]> {
    let append = async |letters: &[DeadLetter]| {
        producer.append(letters.iter().map(|letter| record_of(letter.payload.clone())).collect()).await
    };
    match append(chunk).await {
        Ok(()) => return vec![chunk],
        Err(error) if error.kind() == Kind::Reject => {}
        Err(error) => {
            course.errors.push(error.into());
            return Vec::new();
        }
    }
    let mut taken = Vec::new();
    for letter in chunk {
        let outcome = append(std::slice::from_ref(letter)).await;
        let outcome = outcome.with_context(|| format!("redriving {}", LetterId::of_letter(letter)));
        if course.note(outcome).is_some() {
            taken.push(std::slice::from_ref(letter));
        }
    }
    taken
}

/// Runs of letters that one call can bring to the stream in its time.
fn chunks_of(letters: &[DeadLetter]) -> Vec<&[DeadLetter]> {
    let (mut chunks, mut rest) = (Vec::new(), letters);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |letter: &&DeadLetter| {
            bytes += letter.payload.len();
            bytes <= APPEND_BYTES_MAX
        };
        let length = rest.iter().take(APPEND_PAYLOADS_MAX).take_while(fits).count().max(1);
        let (chunk, more) = rest.split_at(length);
        chunks.push(chunk);
        rest = more;
    }
    chunks
}

async fn append_batch(clients: &Clients, batch: &DiscardedBatch) -> anyhow::Result<Reread> {
    let stream = DiscardedStream::of(clients, batch)?;
    let again = async |records: Vec<StreamRecord>| {
        let payloads: Vec<NewRecord> = records.iter().flat_map(payloads_of).collect();
        for chunk in payloads.chunks(APPEND_PAYLOADS_MAX) {
            stream.producer().append(chunk.to_vec()).await?;
        }
        Ok(())
    };
    let redriving = stream.read(batch, again).await;
    redriving.with_context(|| format!("redriving {}", LetterId::of_batch(batch)))
}

/// The payloads of a record, by their sites. An aggregate that cannot be taken apart goes as it is, and what names no site
/// with the key that it had: the consumer says what is wrong with it.
fn payloads_of(record: &StreamRecord) -> Vec<NewRecord> {
    let key_of = |payload: &[u8]| {
        decode_reading(payload)
            .map_or_else(|_| record.partition_key.to_string(), |reading| reading.site_id.to_string())
    };
    let payloads = deaggregate(&record.data);
    let payloads = match &payloads {
        Ok(payloads) => payloads.as_slice(),
        Err(_) => std::slice::from_ref(&record.data),
    };
    payloads.iter().map(|data| NewRecord { partition_key: key_of(data), data: data.clone() }).collect()
}

fn positions_of(letters: &[DeadLetter]) -> Vec<Position> {
    letters.iter().map(|letter| letter.position).collect()
}

fn list_of(lost: &[LostRange]) -> String {
    lost.iter().map(LostRange::to_string).collect::<Vec<_>>().join(", nor ")
}

fn unknown(id: &LetterId) -> anyhow::Error {
    anyhow::anyhow!(
        "no dead letter {id} is in the queues that were named; `wattstream dead-letters list` prints the ids"
    )
}
