//! Every alert has an outcome, whatever SNS answers.

use std::sync::{Arc, Mutex};

use wattstream_domain::{Episode, Phase, Rule, Score, Subject};
use wattstream_engine::Kind;
use wattstream_testkit::at;

use super::*;
use crate::fake_aws::{Answer, FakeAws};

fn alert(number: u64) -> Alert {
    let episode = Episode {
        rule: Rule::NegativeEnergy,
        number,
        opened_at: at(0),
        last_at: at(15),
        readings: 2,
        score: Score(1_250),
        quiet_readings: 0,
    };
    Alert {
        site_id: "home-01".parse().unwrap(),
        phase: Phase::Opened,
        at: at(15),
        subject: Subject::Episode(episode),
    }
}

/// What becomes of an entry.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Taken,
    Throttled,
    Invalid,
    /// A success without the id of a message.
    Nameless,
    Forgotten,
}

fn answer(fates: &[Fate]) -> Answer {
    let (mut taken, mut failed) = (String::new(), String::new());
    for (id, fate) in fates.iter().enumerate() {
        match fate {
            Fate::Taken => taken += &success(id, "message"),
            Fate::Nameless => taken += &success(id, ""),
            Fate::Throttled => failed += &failure(id, "InternalError", false),
            Fate::Invalid => failed += &failure(id, "InvalidParameter", true),
            Fate::Forgotten => {}
        }
    }
    Answer::Xml(format!(
        "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
         <Successful>{taken}</Successful><Failed>{failed}</Failed></PublishBatchResult></PublishBatchResponse>"
    ))
}

fn success(id: usize, message_id: &str) -> String {
    format!("<member><Id>{id}</Id><MessageId>{message_id}</MessageId></member>")
}

fn failure(id: usize, code: &str, is_senders_fault: bool) -> String {
    format!(
        "<member><Id>{id}</Id><Code>{code}</Code><Message>no</Message><SenderFault>{is_senders_fault}</SenderFault></member>"
    )
}

/// A topic with these answers, and the bodies of its requests.
async fn topic(answers: Vec<Answer>) -> (FakeAws, SnsAlerts, Arc<Mutex<Vec<String>>>) {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&bodies);
    let mut answers = answers.into_iter();
    let server = FakeAws::start(move |request| {
        log.lock().unwrap().push(String::from_utf8(request.body).unwrap());
        answers.next().unwrap_or(Answer::Error(400, "NotInTheScript"))
    })
    .await;
    let topic = SnsAlerts::new(&server.clients().await, "arn:aws:sns:us-east-1:000000000000:alerts");
    (server, topic, bodies)
}

fn sent(body: &str) -> usize {
    body.matches(".Subject=").count()
}

#[tokio::test]
async fn alerts_that_come_back_are_sent_again_and_the_others_are_not() {
    use Fate::{Forgotten, Invalid, Nameless, Taken, Throttled};
    let script = vec![
        answer(&[Taken, Throttled, Invalid, Nameless, Forgotten]),
        answer(&[Taken, Throttled, Taken]),
        answer(&[Taken]),
    ];
    let (_server, topic, bodies) = topic(script).await;
    let alerts: Vec<_> = (1..=5).map(alert).collect();
    let outcomes = topic.publish(&alerts).await;
    let kinds: Vec<_> = outcomes.into_iter().map(|outcome| outcome.map_err(|error| error.kind())).collect();
    assert_eq!(kinds, [Ok(()), Ok(()), Err(Kind::Broken), Ok(()), Ok(())]);
    let bodies = bodies.lock().unwrap();
    assert_eq!(bodies.iter().map(|body| sent(body)).collect::<Vec<_>>(), [5, 3, 1]);
    assert!(bodies[2].contains("home-01%2F4%2F"), "the fourth was left: {}", bodies[2]);
}

#[tokio::test]
async fn eleven_alerts_take_two_requests() {
    let script = vec![answer(&[Fate::Taken; 10]), answer(&[Fate::Taken; 10])];
    let (_server, topic, bodies) = topic(script).await;
    let alerts: Vec<_> = (1..=11).map(alert).collect();
    assert!(topic.publish(&alerts).await.iter().all(Result::is_ok));
    let mut counts: Vec<_> = bodies.lock().unwrap().iter().map(|body| sent(body)).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 10]);
    assert!(topic.publish(&[]).await.is_empty());
    assert_eq!(bodies.lock().unwrap().len(), 2);
}

#[test]
fn a_subject_is_short_printable_ascii_that_begins_with_something_visible() {
    let longest = Alert { site_id: "s".repeat(64).parse().unwrap(), ..alert(1) };
    assert_eq!(Message::of(&alert(1)).subject, "home-01: negative_energy opened");
    assert!(Message::of(&longest).subject.ends_with(" negative_energy opened"), "nothing of it is cut off");
    assert_eq!(subject_line("  a\nb\u{7f}ä "), "a?b?? ");
    assert_eq!(subject_line(&"x".repeat(200)), "x".repeat(SUBJECT_CHARS_MAX));
}

#[test]
fn a_message_has_the_document_of_its_alert_and_attributes_to_filter_by() {
    let entry = Message::of(&alert(7)).to_entry(3);
    assert_eq!(entry.message(), encode_alert_message(&alert(7)));
    let attribute = |name: &str| entry.message_attributes().unwrap()[name].string_value().unwrap();
    let found = ["site_id", "rule", "severity", "phase"].map(attribute);
    assert_eq!(found, ["home-01", "negative_energy", "error", "opened"]);
}
