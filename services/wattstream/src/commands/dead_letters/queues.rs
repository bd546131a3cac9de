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
use wattstream_engine::{DeadLetter, StreamRecord};
use wattstream_wire::on_failure::DiscardedBatch;
use wattstream_wire::{append_archive_record, deaggregate, decode_reading};

use crate::archive::record_of;
use crate::cli::{DeadLettersCommand, Format};
use crate::output;

use id::LetterId;

/// Payloads that go on the stream together. What one call brings there is taken out of the queue when a later one fails.
const APPEND_PAYLOADS_MAX: usize = 5_000;

/// Lists, shows, redrives or purges what is in the queues at `urls`.
pub(super) fn dead_letters(command: &DeadLettersCommand, urls: &[&str]) -> anyhow::Result<()> {
    crate::aws::block_on(async |environment| {
        let clients = Clients::from_environment(&environment).await?;
        let desk = Desk::open(clients, urls).await?;
        let format = command.place().query.format;
        match command {
            DeadLettersCommand::List(_) => Ok(listing::print(&desk.contents, format)?),
            DeadLettersCommand::Show { id, .. } => desk.show(&id.parse()?).await,
            DeadLettersCommand::Redrive { id, stream, .. } => {
                desk.select(id.as_deref())?.redrive(stream.as_deref(), format).await
            }
            DeadLettersCommand::Purge { id, .. } => desk.select(id.as_deref())?.purge().await,
        }
    })
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
    async fn open(clients: Clients, urls: &[&str]) -> anyhow::Result<Self> {
        let queues: Vec<_> = urls.iter().map(|url| SqsDeadLetters::new(&clients, *url)).collect();
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
        let mut lost = Vec::new();
        for (queue, QueueContents { letters, batches }) in self.queues.iter().zip(&self.contents) {
            if let Some(stream) = stream.filter(|_| !letters.is_empty()) {
                let producer = KinesisProducer::new(&self.clients, stream, ProducerSettings::default());
                redrive_letters(&producer, queue, letters).await?;
            }
            for batch in batches {
                let reread = redrive_batch(&self.clients, batch).await?;
                let id = LetterId::of_batch(batch);
                anstream::eprintln!("{id}: {} records are on the stream again", reread.records);
                if reread.lost.is_empty() {
                    queue.remove_batches(std::slice::from_ref(batch)).await?;
                } else {
                    lost.extend(reread.lost.into_iter().map(|range| (id, range)));
                }
            }
        }
        if lost.is_empty() {
            return Ok(());
        }
        output::print(&listing::lost_entries(&lost), listing::LOST_COLUMNS, format)?;
        bail!(
            "the streams no longer have all of it: what is listed is lost to them. Its bytes are in the archive, in the \
             folders of the hours of arrival; `wattstream dead-letters purge ID` removes a report that was seen to"
        )
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

/// Puts payloads on the stream, in the order of their positions, and removes those that it has taken, all of them or not.
async fn redrive_letters(
    producer: &impl Producer,
    queue: &SqsDeadLetters,
    letters: &[DeadLetter],
) -> anyhow::Result<()> {
    let (mut taken, mut outcome) = (0, Ok(()));
    for chunk in letters.chunks(APPEND_PAYLOADS_MAX) {
        let records = chunk.iter().map(|letter| record_of(letter.payload.clone())).collect();
        outcome = producer.append(records).await;
        if outcome.is_err() {
            break;
        }
        taken += chunk.len();
    }
    queue.remove_dead_letters(&positions_of(&letters[..taken])).await?;
    anstream::eprintln!("{taken} dead letters are on the stream again");
    Ok(outcome?)
}

async fn redrive_batch(clients: &Clients, batch: &DiscardedBatch) -> anyhow::Result<Reread> {
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
