//! A look shows every message once and leaves the queue as it was.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as SyncMutex};

use serde_json::{Value, json};

use super::*;
use crate::fake_aws::{Answer, FakeAws, Request};

/// A queue whose messages are their own ids and bodies.
#[derive(Debug, Default)]
struct Waiting {
    /// Whether each is hidden, and how often it was received.
    messages: BTreeMap<String, (bool, usize)>,
    /// The requests that fail, by their place among all of their kind, from 1.
    failing_receives: Vec<usize>,
    receives: usize,
    /// Whether every message is delivered twice in an answer.
    is_doubling: bool,
    /// Whether the first entry of each batch is refused once.
    is_refusing: bool,
    has_refused: bool,
}

impl Waiting {
    fn of(count: usize) -> Self {
        let messages = (0..count).map(|number| (format!("m{number:05}"), (false, 0))).collect();
        Self { messages, ..Self::default() }
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let asked = request.json();
        match request.operation.as_str() {
            "ReceiveMessage" => self.receive(&asked),
            "DeleteMessageBatch" => self.batch(&asked, |messages, id| {
                messages.remove(id);
            }),
            "ChangeMessageVisibilityBatch" => self.batch(&asked, |messages, id| {
                messages.get_mut(id).unwrap().0 = false;
            }),
            other => panic!("{other} was asked for"),
        }
    }

    fn receive(&mut self, asked: &Value) -> Answer {
        self.receives += 1;
        if self.failing_receives.contains(&self.receives) {
            return Answer::Error(400, "AccessDeniedException");
        }
        let limit = usize::try_from(asked["MaxNumberOfMessages"].as_u64().unwrap()).unwrap();
        let mut found = Vec::new();
        for (id, (is_hidden, times)) in &mut self.messages {
            if found.len() < limit && !*is_hidden {
                (*is_hidden, *times) = (true, *times + 1);
                let copies = if self.is_doubling && found.len() + 2 <= limit { 2 } else { 1 };
                for copy in 0..copies {
                    // As in SQS, an older handle is no good any more.
                    let handle = format!("{id}/{}", *times * 10 + copy);
                    *times += copy;
                    let sent = json!({"SentTimestamp": "1750377600123"});
                    found.push(
                        json!({"MessageId": id, "ReceiptHandle": handle, "Body": id, "Attributes": sent}),
                    );
                }
            }
        }
        Answer::Json(json!({"Messages": found}))
    }

    fn batch(&mut self, asked: &Value, apply: impl Fn(&mut BTreeMap<String, (bool, usize)>, &str)) -> Answer {
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in asked["Entries"].as_array().unwrap() {
            let id = &entry["Id"];
            let message = entry["ReceiptHandle"].as_str().unwrap().split('/').next().unwrap();
            if self.is_refusing && !self.has_refused {
                self.has_refused = true;
                failed.push(json!({"Id": id, "Code": "InternalError", "SenderFault": false}));
            } else {
                apply(&mut self.messages, message);
                successful.push(json!({"Id": id}));
            }
        }
        Answer::Json(json!({"Successful": successful, "Failed": failed}))
    }

    fn hidden(&self) -> usize {
        self.messages.values().filter(|(is_hidden, _)| *is_hidden).count()
    }
}

async fn queue_of(messages: Waiting) -> (FakeAws, Queue, Arc<SyncMutex<Waiting>>) {
    let messages = Arc::new(SyncMutex::new(messages));
    let shared = Arc::clone(&messages);
    let server = FakeAws::start(move |request| shared.lock().unwrap().answer(&request)).await;
    let queue = Queue::new(&server.clients().await, "http://localhost/queue");
    (server, queue, messages)
}

/// The messages that a look shows, and its outcome.
async fn seen(queue: &Queue, fate: impl Fn(&str) -> Fate + Send + Sync) -> (Vec<String>, Result<Extent>) {
    let mut seen = Vec::new();
    let view = |body: &str, sent_ms| {
        assert_eq!(sent_ms, 1_750_377_600_123);
        seen.push(body.to_owned());
        fate(body)
    };
    let extent = queue.look(view).await;
    seen.sort_unstable();
    (seen, extent)
}

fn names(count: usize) -> Vec<String> {
    Waiting::of(count).messages.into_keys().collect()
}

#[tokio::test]
async fn a_look_shows_every_message_once_and_puts_all_of_them_back() {
    for count in [0, 1, 10, 11, 537] {
        let messages = Waiting { is_doubling: count % 2 == 1, ..Waiting::of(count) };
        let (_server, queue, messages) = queue_of(messages).await;
        for _ in 0..2 {
            let (seen, extent) = seen(&queue, |_| Fate::PutBack).await;
            assert_eq!(seen, names(count));
            assert_eq!(extent.unwrap(), Extent::Everything);
            assert_eq!(messages.lock().unwrap().hidden(), 0);
        }
        assert_eq!(messages.lock().unwrap().messages.len(), count);
    }
}

#[tokio::test]
async fn messages_to_be_removed_are_removed_and_the_others_stay() {
    let (_server, queue, messages) = queue_of(Waiting { is_refusing: true, ..Waiting::of(35) }).await;
    let fate = |body: &str| if body.ends_with('3') { Fate::Remove } else { Fate::PutBack };
    seen(&queue, fate).await.1.unwrap();
    let messages = messages.lock().unwrap();
    let mut left = names(35);
    left.retain(|name| !name.ends_with('3'));
    assert_eq!(messages.messages.keys().cloned().collect::<Vec<_>>(), left);
    assert!(messages.has_refused);
    assert_eq!(messages.hidden(), 0);
}

#[tokio::test]
async fn a_look_ends_when_its_viewer_has_enough() {
    let (_server, queue, messages) = queue_of(Waiting::of(200)).await;
    let fate = |body: &str| if body == "m00015" { Fate::PutBackAndEnd } else { Fate::PutBack };
    let (seen, extent) = seen(&queue, fate).await;
    assert_eq!(extent.unwrap(), Extent::Part);
    assert!(seen.len() >= 16 && seen.len() < 200, "{} were seen", seen.len());
    assert_eq!(messages.lock().unwrap().hidden(), 0);
}

#[tokio::test]
async fn a_look_ends_at_its_limit() {
    let (_server, queue, messages) = queue_of(Waiting::of(PEEK_MESSAGES_MAX + 200)).await;
    let (seen, extent) = seen(&queue, |_| Fate::PutBack).await;
    assert_eq!(extent.unwrap(), Extent::Part);
    assert!((PEEK_MESSAGES_MAX..PEEK_MESSAGES_MAX + 200).contains(&seen.len()));
    assert_eq!(messages.lock().unwrap().hidden(), 0);
}

#[tokio::test]
async fn what_was_received_is_put_back_also_when_the_look_fails() {
    let (_server, queue, messages) =
        queue_of(Waiting { failing_receives: vec![4], ..Waiting::of(200) }).await;
    let (seen, extent) = seen(&queue, |_| Fate::PutBack).await;
    assert_eq!(extent.unwrap_err().kind(), Kind::Broken);
    assert!(!seen.is_empty());
    assert_eq!(messages.lock().unwrap().hidden(), 0);
}

#[tokio::test]
async fn two_looks_of_one_process_do_not_hide_messages_from_each_other() {
    let (_server, queue, _messages) = queue_of(Waiting::of(50)).await;
    let looks = tokio::join!(seen(&queue, |_| Fate::PutBack), seen(&queue, |_| Fate::PutBack));
    assert_eq!((looks.0.0, looks.1.0), (names(50), names(50)));
}

#[tokio::test]
async fn a_look_without_the_time_to_put_messages_back_takes_none() {
    let (_server, queue, messages) = queue_of(Waiting::of(5)).await;
    let soon = Instant::now() + PUT_BACK_TIME / 2;
    let (seen, extent) = deadline::within(soon, seen(&queue, |_| Fate::PutBack)).await;
    assert_eq!(extent.unwrap_err().kind(), Kind::Retry);
    assert_eq!((seen.len(), messages.lock().unwrap().receives), (0, 0));
}
