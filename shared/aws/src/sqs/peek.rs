//! A look at all messages of a queue. SQS has none: who receives a message hides it from everybody else for a while. So all
//! of them are received and then made visible again, except those that are to be removed.
//!
//! What must always hold:
//! - Each message is shown once, though it may be delivered several times.
//! - A look is bounded: in messages, in time, and by what its viewer can hold. It says whether it saw everything.
//! - What was received is put back also when the look fails. What cannot be put back comes back by itself.
//!
//! Two looks at once, of two processes, each see a part of the queue. The queue must not have a redrive policy of its own: a
//! look counts as a delivery.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, ChangeMessageVisibilityBatchResultEntry,
    DeleteMessageBatchRequestEntry, DeleteMessageBatchResultEntry, Message, MessageSystemAttributeName,
};
use futures::future::join_all;
use tokio::sync::Mutex;
use tokio::time::Instant;
use wattstream_engine::{Error, Kind, Result};

use crate::batches::{Limits, send_all};
use crate::error::{Refusal, classify, malformed, refused};
use crate::{Clients, deadline};

/// The most messages that one look takes in.
pub const PEEK_MESSAGES_MAX: usize = 10_000;

/// The most messages of one `ReceiveMessage`.
const RECEIVE_MESSAGES_MAX: usize = 10;
/// How long a `ReceiveMessage` waits for the first message, in seconds. One that waits asks all servers of the queue; one that
/// does not asks some of them, and finds nothing where there is something.
const RECEIVE_WAIT_S: i32 = 1;
/// The most `ReceiveMessage` in flight, in a queue that has many messages.
const RECEIVERS_MAX: usize = 16;
/// How long a message stays hidden when it cannot be put back, in seconds: longer than any look.
const HIDDEN_S: i32 = 60;
/// What is left of the call's time when the last `ReceiveMessage` is sent: for its answer, and to put everything back.
const PUT_BACK_TIME: Duration = Duration::from_secs(5);

/// The batches that change messages take 10; their entries are handles of a few hundred bytes.
const CHANGES: Limits = Limits { entries: 10, bytes: usize::MAX, in_flight: 8 };

const RECEIVING: &str = "looking through the SQS queue";
const PUTTING_BACK: &str = "putting messages back into the SQS queue";
const REMOVING: &str = "removing messages from the SQS queue";

/// A queue.
#[derive(Debug)]
pub(super) struct Queue {
    client: aws_sdk_sqs::Client,
    url: String,
    /// One look at a time: a second one would find nothing.
    turn: Mutex<()>,
}

/// What becomes of a message that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    PutBack,
    Remove,
    /// It is put back, and the look ends.
    PutBackAndEnd,
}

/// Whether a look has seen every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Everything,
    Part,
}

/// The messages that are hidden by this look: the newest handle of each, by the id of the message.
#[derive(Debug, Default)]
struct Taken(HashMap<String, (String, Fate)>);

impl Queue {
    pub(super) fn new(clients: &Clients, url: impl Into<String>) -> Self {
        Self { client: clients.sqs.clone(), url: url.into(), turn: Mutex::new(()) }
    }

    pub(super) fn client(&self) -> &aws_sdk_sqs::Client {
        &self.client
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Shows every message to `view`, its body and the time at which it was sent, in milliseconds since 1970. Removes those of
    /// which it says so.
    pub(super) async fn look(&self, mut view: impl FnMut(&str, i64) -> Fate + Send) -> Result<Extent> {
        let _turn = self.turn.lock().await;
        let mut taken = Taken::default();
        let extent = self.receive_all(&mut taken, &mut view).await;
        let (remove, put_back) = taken.sort();
        let removed = self.remove(remove).await;
        self.put_back(put_back).await;
        removed.and(extent)
    }

    async fn receive_all(
        &self,
        taken: &mut Taken,
        view: &mut (impl FnMut(&str, i64) -> Fate + Send),
    ) -> Result<Extent> {
        let deadline = deadline::of_this_call();
        let is_late = || Instant::now() + PUT_BACK_TIME >= deadline;
        if is_late() {
            return Err(Error::bare(Kind::Retry, "looking through the SQS queue in too little time"));
        }
        let mut receivers = 1;
        loop {
            let answers = join_all((0..receivers).map(|_| self.receive())).await;
            let is_plenty = answers.iter().flatten().all(|messages| messages.len() == RECEIVE_MESSAGES_MAX);
            match taken.note_all(answers, view)? {
                Round { new: 0, .. } => return Ok(Extent::Everything),
                Round { is_enough: false, .. } if taken.0.len() < PEEK_MESSAGES_MAX && !is_late() => {}
                Round { .. } => return Ok(Extent::Part),
            }
            receivers = if is_plenty { (2 * receivers).min(RECEIVERS_MAX) } else { 1 };
        }
    }

    async fn receive(&self) -> Result<Vec<Message>> {
        let request = self.client.receive_message().queue_url(&self.url);
        let request = request
            .max_number_of_messages(count(RECEIVE_MESSAGES_MAX))
            .wait_time_seconds(RECEIVE_WAIT_S)
            .visibility_timeout(HIDDEN_S)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
        let answer = Box::pin(request.send()).await.map_err(|error| classify(RECEIVING, error))?;
        Ok(answer.messages.unwrap_or_default())
    }

    async fn remove(&self, handles: Vec<String>) -> Result<()> {
        let outcomes = send_all(&handles, CHANGES, |_| 0, |handles| self.delete_batch(handles)).await;
        outcomes.into_iter().collect()
    }

    async fn delete_batch(&self, handles: Vec<&String>) -> Result<Vec<Result<()>>> {
        let count = handles.len();
        let entry = |(index, handle): (usize, &String)| {
            let entry =
                DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(handle);
            entry.build().expect("id and handle are set")
        };
        let entries = handles.into_iter().enumerate().map(entry).collect();
        let request = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = Box::pin(request.send()).await.map_err(|error| classify(REMOVING, error))?;
        let taken = answer.successful().iter().map(DeleteMessageBatchResultEntry::id);
        Ok(outcomes_of(REMOVING, count, taken, answer.failed()))
    }

    /// Makes messages visible again. That this fails is told and is no failure of the look.
    async fn put_back(&self, handles: Vec<String>) {
        let outcomes = send_all(&handles, CHANGES, |_| 0, |handles| self.show_batch(handles)).await;
        let failures: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
        if let Some(error) = failures.first() {
            let messages = failures.len();
            tracing::warn!(messages, hidden_s = HIDDEN_S, %error, "Messages that were looked at stay hidden for a while.");
        }
    }

    async fn show_batch(&self, handles: Vec<&String>) -> Result<Vec<Result<()>>> {
        let count = handles.len();
        let entry = |(index, handle): (usize, &String)| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(handle).visibility_timeout(0).build().expect("id and handle are set")
        };
        let entries = handles.into_iter().enumerate().map(entry).collect();
        let request = self.client.change_message_visibility_batch().queue_url(&self.url);
        let request = request.set_entries(Some(entries));
        let answer = Box::pin(request.send()).await.map_err(|error| classify(PUTTING_BACK, error))?;
        let taken = answer.successful().iter().map(ChangeMessageVisibilityBatchResultEntry::id);
        Ok(outcomes_of(PUTTING_BACK, count, taken, answer.failed()))
    }
}

/// What some requests in flight together brought.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    /// Messages that were not seen before.
    new: usize,
    is_enough: bool,
}

impl Taken {
    /// Notes the messages of every answer, and only then tells of one that failed: they are hidden and must be put back.
    fn note_all(
        &mut self,
        answers: Vec<Result<Vec<Message>>>,
        view: &mut impl FnMut(&str, i64) -> Fate,
    ) -> Result<Round> {
        let mut round = Round::default();
        let mut outcome = Ok(());
        for answer in answers {
            match answer {
                Ok(messages) => messages.into_iter().for_each(|message| self.note(message, view, &mut round)),
                Err(error) => outcome = Err(error),
            }
        }
        outcome.map(|()| round)
    }

    fn note(&mut self, message: Message, view: &mut impl FnMut(&str, i64) -> Fate, round: &mut Round) {
        let (Some(id), Some(handle)) = (message.message_id, message.receipt_handle) else { return };
        if let Some((newest, _)) = self.0.get_mut(&id) {
            *newest = handle;
            return;
        }
        let sent =
            message.attributes.as_ref().and_then(|all| all.get(&MessageSystemAttributeName::SentTimestamp));
        let sent_ms = sent.and_then(|ms| ms.parse().ok()).unwrap_or_default();
        let fate = view(message.body.as_deref().unwrap_or_default(), sent_ms);
        round.new += 1;
        round.is_enough |= fate == Fate::PutBackAndEnd;
        self.0.insert(id, (handle, fate));
    }

    /// The handles of those to be removed, and of those to be put back.
    fn sort(self) -> (Vec<String>, Vec<String>) {
        let (remove, put_back): (Vec<_>, Vec<_>) =
            self.0.into_values().partition(|(_, fate)| *fate == Fate::Remove);
        let handles = |sorted: Vec<(String, Fate)>| sorted.into_iter().map(|(handle, _)| handle).collect();
        (handles(remove), handles(put_back))
    }
}

/// The outcome of each entry of a batch whose ids are their places.
pub(super) fn outcomes_of<'a>(
    doing: &'static str,
    count: usize,
    taken: impl Iterator<Item = &'a str>,
    failed: &[BatchResultErrorEntry],
) -> Vec<Result<()>> {
    let missing = || Err(malformed(doing, "the answer does not tell of every entry"));
    let mut outcomes: Vec<Result<()>> = std::iter::repeat_with(missing).take(count).collect();
    let failures = failed.iter().map(|entry| {
        let (code, message) = (entry.code(), entry.message());
        let refusal = Refusal { code, message, is_senders_fault: entry.sender_fault() };
        (entry.id(), Err(refused(doing, refusal)))
    });
    for (id, outcome) in taken.map(|id| (id, Ok(()))).chain(failures) {
        if let Some(place) = id.parse().ok().and_then(|index: usize| outcomes.get_mut(index)) {
            *place = outcome;
        }
    }
    outcomes
}

fn count(messages: usize) -> i32 {
    i32::try_from(messages).expect("at most 10")
}

#[cfg(test)]
mod tests;
