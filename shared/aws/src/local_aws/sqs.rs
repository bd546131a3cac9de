//! The queue of dead letters against ministack, and moto for a second opinion.

use serde_json::json;
use wattstream_domain::Position;
use wattstream_engine::ports::{DeadLetterAdmin, DeadLetters, GivenUpCondition};
use wattstream_engine::{Cause, DeadLetter, Kind, Result};
use wattstream_testkit::contract::{self, LetterPages};
use wattstream_testkit::{at, local_aws, position};

use super::new_name;
use crate::{Clients, LocalAws, LocalEndpoints, SqsDeadLetters};

impl LetterPages for SqsDeadLetters {
    async fn letter_page(&self, after: Option<Position>, limit: usize) -> Result<Vec<DeadLetter>> {
        self.page(after, limit).await
    }
}

/// A queue of its own, and the clients and the URL to reach it by.
async fn new_queue(url: &str) -> (Clients, String) {
    let aws = LocalAws::at(&LocalEndpoints::all_at(url)).await;
    let queue_url = aws.create_queue(&new_name()).await.expect("a queue is made");
    (aws.clients().clone(), queue_url)
}

async fn new_letters(url: &str) -> SqsDeadLetters {
    let (clients, queue_url) = new_queue(url).await;
    SqsDeadLetters::new(&clients, queue_url)
}

#[tokio::test]
async fn dead_letters_keep_their_contract() {
    let Some(server) = local_aws::ministack() else { return };
    contract::dead_letters(async || new_letters(server.url()).await).await;
    contract::dead_letter_admin(async || new_letters(server.url()).await).await;
}

#[tokio::test]
async fn dead_letters_keep_their_contract_on_moto() {
    let Some(server) = local_aws::moto() else { return };
    contract::dead_letters(async || new_letters(server.url()).await).await;
    contract::dead_letter_admin(async || new_letters(server.url()).await).await;
}

fn letter(sequence: u64, payload_bytes: usize) -> DeadLetter {
    DeadLetter {
        position: position(0, sequence),
        arrival: at(1),
        cause: Cause::GivenUp(GivenUpCondition::RecordAgeExceeded),
        detail: "it was delivered in vain".to_owned(),
        payload: (0..=u8::MAX).cycle().take(payload_bytes).collect::<Vec<_>>().into(),
    }
}

#[tokio::test]
async fn the_largest_record_of_a_stream_comes_back_in_parts_and_goes_with_all_of_them() {
    let Some(server) = local_aws::ministack() else { return };
    let letters = new_letters(server.url()).await;
    let (largest, small) = (letter(1, 10 * 1_024 * 1_024), letter(2, 3));
    letters.put(&[largest.clone(), small.clone()]).await.expect("letters are kept");
    assert!(letters.page(None, 10).await.expect("letters are read") == [largest.clone(), small.clone()]);
    letters.remove_dead_letters(&[largest.position]).await.expect("a letter is removed");
    assert_eq!(letters.page(None, 10).await.expect("letters are read"), [small]);
}

#[tokio::test]
async fn a_letter_of_which_a_part_is_gone_is_an_error_where_it_is_asked_for_and_can_be_removed() {
    let Some(server) = local_aws::ministack() else { return };
    let (clients, url) = new_queue(server.url()).await;
    let letters = SqsDeadLetters::new(&clients, &url);
    let large = letter(1, 1_000_000);
    letters.put(std::slice::from_ref(&large)).await.expect("a letter is kept");
    let received = clients.sqs.receive_message().queue_url(&url).send().await.expect("a message");
    let handle = received.messages()[0].receipt_handle().expect("a handle");
    clients.sqs.delete_message().queue_url(&url).receipt_handle(handle).send().await.expect("it is deleted");

    assert_eq!(letters.page(None, 10).await.expect("letters are read"), []);
    let error = letters.dead_letter(large.position).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Retry);
    assert!(error.to_string().contains("of 2 of the dead letter at shardId-000000000000:1:0"), "{error}");

    letters.put(std::slice::from_ref(&large)).await.expect("a letter is kept again");
    assert!(letters.dead_letter(large.position).await.expect("it is whole again") == Some(large.clone()));
    letters.remove_dead_letters(&[large.position]).await.expect("it is removed");
    assert_eq!(letters.dead_letter(large.position).await.expect("it is gone"), None);
}

#[tokio::test]
async fn messages_of_others_stay_where_they_are() {
    let Some(server) = local_aws::ministack() else { return };
    let (clients, url) = new_queue(server.url()).await;
    let letters = SqsDeadLetters::new(&clients, &url);
    clients.sqs.send_message().queue_url(&url).message_body("{}").send().await.expect("a message is sent");
    letters.put(&[letter(1, 3)]).await.expect("a letter is kept");
    assert_eq!(letters.page(None, 10).await.expect("letters are read"), [letter(1, 3)]);
    letters.remove_dead_letters(&[position(0, 1)]).await.expect("a letter is removed");
    let left = clients.sqs.receive_message().queue_url(&url).send().await.expect("messages");
    assert_eq!(left.messages().iter().map(|message| message.body().unwrap()).collect::<Vec<_>>(), ["{}"]);
}

/// A report of Lambda on a batch, given up at so many minutes.
fn report(last: u64, minute: i64) -> String {
    let document = json!({
        "requestContext": { "condition": "RecordAgeExceeded", "approximateInvokeCount": 1 },
        "timestamp": at(minute).to_string(),
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000001",
            "startSequenceNumber": "7",
            "endSequenceNumber": last.to_string(),
            "streamArn": "arn:aws:kinesis:us-east-1:000000000000:stream/readings",
        },
    });
    document.to_string()
}

#[tokio::test]
async fn reports_on_batches_are_read_beside_letters_and_go_with_all_that_say_the_same() {
    let Some(server) = local_aws::ministack() else { return };
    let (clients, url) = new_queue(server.url()).await;
    let letters = SqsDeadLetters::new(&clients, &url);
    letters.put(&[letter(1, 3)]).await.expect("a letter is kept");
    for body in [report(9, 1), report(9, 2), report(11, 3)] {
        clients.sqs.send_message().queue_url(&url).message_body(body).send().await.expect("a report is sent");
    }

    let contents = letters.contents().await.expect("the queue is read");
    assert_eq!(contents.letters, [letter(1, 3)]);
    let mut batches = contents.batches;
    batches.sort_by_key(|batch| batch.last);
    let ends: Vec<_> = batches.iter().map(|batch| (batch.last, batch.at)).collect();
    assert_eq!(
        ends,
        [(9.into(), Some(at(2))), (11.into(), Some(at(3)))],
        "the newest of those that say the same"
    );

    letters.remove_batches(&batches[..1]).await.expect("reports are removed");
    let contents = letters.contents().await.expect("the queue is read");
    assert_eq!(contents.batches, batches[1..]);
    assert_eq!(contents.letters, [letter(1, 3)]);
}
