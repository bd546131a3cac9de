//! The golden event is the example of the AWS Lambda guide ("Using AWS Lambda with Amazon Kinesis"). What a person may
//! change in it by hand is a table; what a machine may send is a property.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value as Json, json};

use super::*;
use crate::reject::Reason;

const GOLDEN: &str = include_str!("../../golden/kinesis_event.json");
const NUMBER: &str = "49590338271490256608559692538361571095921575989136588898";

/// What is done to a record.
type Change = fn(&mut Json);

fn records(event: &str) -> Result<Vec<EventRecord>, EventError> {
    parse(event.as_bytes()).map(|event| event.into_records().collect())
}

/// A sound record with a small number.
fn record(number: u64) -> Json {
    json!({
        "eventID": format!("shardId-000000000006:{number}"),
        "kinesis": {
            "sequenceNumber": number.to_string(),
            "partitionKey": "home-01",
            "approximateArrivalTimestamp": 1_545_084_650.5,
            "data": BASE64_STANDARD.encode(format!("payload {number}")),
        },
    })
}

/// Three records of which `change` changed the second.
fn event_with(change: impl FnOnce(&mut Json)) -> String {
    let mut odd = record(2);
    change(&mut odd);
    json!({ "Records": [record(1), odd, record(3)] }).to_string()
}

/// The second of three records, whose neighbours are as if it were sound.
fn odd_record_of(event: &str) -> EventRecord {
    let all = records(event).unwrap();
    let [before, odd, after] = &all[..] else { panic!("three records came: {all:?}") };
    for (sound, payload) in [(before, "payload 1"), (after, "payload 3")] {
        assert_eq!((&sound.data[..], &sound.fault), (payload.as_bytes(), &None));
    }
    odd.clone()
}

#[test]
fn the_golden_event_is_read() {
    let event = parse(GOLDEN.trim_end().as_bytes()).unwrap();
    assert_eq!((event.shard(), event.len()), (ShardId(6), 1));
    let expected = EventRecord {
        sequence: NUMBER.parse().unwrap(),
        partition_key: "1".into(),
        arrival: Timestamp::from_unix_ms(1_545_084_650_987).unwrap(),
        data: Bytes::from("Hello, this is a test."),
        fault: None,
    };
    assert_eq!(event.into_records().collect::<Vec<_>>(), [expected]);
}

#[test]
fn blanks_orders_of_fields_unknown_fields_and_escapes_make_no_difference() {
    let golden = records(GOLDEN).unwrap();
    let value: Json = serde_json::from_str(GOLDEN).unwrap();
    let mut unknown = value.clone();
    unknown["window"] = json!({ "start": "2020-07-30T17:00:00Z", "end": "2020-07-30T17:05:00Z" });
    unknown["state"] = json!({});
    unknown["Records"][0]["kinesis"]["encryptionType"] = json!("KMS");
    unknown["Records"][0]["nested"] = json!([{ "kinesis": null, "data": "x" }]);
    let same = [
        GOLDEN.trim_end().to_owned(),
        // serde_json sorts the fields.
        value.to_string(),
        serde_json::to_string_pretty(&value).unwrap(),
        unknown.to_string(),
        GOLDEN.replace(r#""partitionKey":"1""#, r#""partition\u004bey" : "\u0031""#),
        GOLDEN.replace("SGVsbG8s", r"S\u0047VsbG8s"),
        GOLDEN.replace("eventID", r"event\u0049D"),
        GOLDEN.replace("1545084650.987", "1.545084650987E9"),
        // Whoever divides in doubles and prints every digit.
        GOLDEN.replace("1545084650.987", "1545084650.9869999886"),
    ];
    for event in same {
        assert_eq!(records(&event).unwrap(), golden, "{event}");
    }
}

#[test]
fn arrivals_are_read_from_their_digits() {
    let cases = [
        ("0", Some(0)),
        ("1545084650", Some(1_545_084_650_000)),
        ("1545084650.9", Some(1_545_084_650_900)),
        ("1545084650.09", Some(1_545_084_650_090)),
        ("1545084650.001", Some(1_545_084_650_001)),
        ("4102444799.999", Some(4_102_444_799_999)),
        ("4102444800", None),
        ("1545084650987", None),
        ("-1", None),
        ("\"1545084650.987\"", None),
        ("true", None),
    ];
    for (text, unix_ms) in cases {
        let event = GOLDEN.replace("1545084650.987", text);
        let [record] = &records(&event).unwrap()[..] else { panic!("one record came") };
        let read = record.fault.is_none().then(|| record.arrival.unix_ms());
        assert_eq!(read, unix_ms, "{text}");
    }
}

#[test]
fn a_record_that_cannot_be_read_is_set_aside_as_it_came_and_costs_its_neighbours_nothing() {
    let cases: &[(Change, &str)] = &[
        (
            |record| record["kinesis"]["data"] = json!("SGVsb%8="),
            "data of record 1 of the event, `SGVsb%8=`, is not Base64 (Invalid symbol 37, offset 5.): see what changes \
             events between the stream and the function",
        ),
        (
            |record| record["kinesis"]["data"] = json!("SGVsb"),
            "data of record 1 of the event, `SGVsb`, is not Base64",
        ),
        (
            |record| record["kinesis"]["data"] = json!(["SGVs"]),
            "data of record 1 of the event, `[\"SGVs\"]`, is not a string",
        ),
        (|record| record["kinesis"]["data"] = Json::Null, "data of record 1 of the event is missing"),
        (|record| record["kinesis"] = json!("none"), "data of record 1 of the event is missing"),
        (|record| record["kinesis"] = json!([2, "k", 1, ""]), "data of record 1 of the event is missing"),
    ];
    for (change, detail) in cases {
        let mut changed = record(2);
        change(&mut changed);
        let odd = odd_record_of(&event_with(change));
        let fault = odd.fault.unwrap();
        assert_eq!(fault.reason, Reason::EnvelopeInvalid);
        assert!(fault.detail.starts_with(detail), "{detail}\n{}", fault.detail);
        assert_eq!(odd.sequence, 2.into());
        assert_eq!(odd.data, changed.to_string(), "all that came is kept");
    }
}

#[test]
fn a_record_without_a_readable_key_or_arrival_keeps_its_payload() {
    let cases: &[(Change, &str, &str)] = &[
        (
            |record| record["kinesis"]["partitionKey"] = json!(7),
            "partitionKey of record 1 of the event, `7`,",
            "",
        ),
        (
            |record| record["kinesis"]["approximateArrivalTimestamp"] = json!("2018-12-17T22:10:50Z"),
            "approximateArrivalTimestamp of record 1 of the event, `2018-12-17T22:10:50Z`, is not a number",
            "home-01",
        ),
    ];
    for (change, detail, key) in cases {
        let odd = odd_record_of(&event_with(change));
        assert!(odd.fault.as_ref().unwrap().detail.starts_with(detail), "{odd:?}");
        assert_eq!((&odd.data[..], &odd.partition_key[..]), (&b"payload 2"[..], *key));
        assert_eq!(odd.arrival.unix_ms(), 1_545_084_650_500, "that of its neighbour");
    }
}

#[test]
fn a_field_that_stands_twice_does_not_count() {
    let twice = event_with(|_| ()).replacen(r#""partitionKey""#, r#""data":"","partitionKey""#, 2);
    let all = records(&twice).unwrap();
    let missing =
        |record: &EventRecord| record.fault.as_ref().map(|fault| fault.detail.contains("stands twice"));
    assert_eq!(all.iter().map(missing).collect::<Vec<_>>(), [Some(true), Some(true), None]);
    assert_eq!(all[0].sequence, 1.into(), "its event id has it as well");
}

#[test]
fn one_of_the_two_places_of_number_and_shard_is_enough() {
    for change in [
        (|record: &mut Json| record["kinesis"]["sequenceNumber"] = json!("two")) as Change,
        |record| record["kinesis"]["sequenceNumber"] = Json::Null,
        |record| record["eventID"] = json!("none"),
        |record| record["eventID"] = Json::Null,
        |record| record["eventID"] = json!("shardId-6:2"),
    ] {
        let odd = odd_record_of(&event_with(change));
        assert_eq!((odd.sequence, odd.fault, &odd.data[..]), (2.into(), None, &b"payload 2"[..]));
    }
}

#[test]
fn an_event_of_which_nothing_can_be_said_is_refused_with_the_place_and_the_remedy() {
    let of = |records: &[Json]| json!({ "Records": records }).to_string();
    let with = |change: Change| event_with(change);
    let nameless = json!({ "kinesis": { "sequenceNumber": "1", "data": "" } });
    let cases = [
        (String::new(), "the event is not JSON: EOF"),
        ("{\"Records\":[".to_owned(), "the event is not JSON: EOF"),
        ("{\"Records\":[]}x".to_owned(), "the event is not JSON: trailing characters at line 1 column 15"),
        (of(&[record(1)]).replace("]}", ",]}"), "the event is not JSON: "),
        (of(&[record(1)]).replace("home-01", "home\n01"), "the event is not JSON: control character"),
        ("[]".to_owned(), "the event has no list `Records`"),
        ("{}".to_owned(), "the event has no list `Records`"),
        ("{\"Records\":{}}".to_owned(), "the event has no list `Records`"),
        ("{\"Records\":[],\"Records\":[]}".to_owned(), "the event has no list `Records`"),
        (
            "{\"Records\":[ ]}".to_owned(),
            "the event has no list `Records`, or an empty one: invoke the function",
        ),
        (
            of(&[json!(1)]),
            "record 0 of the event has neither a sequenceNumber nor an eventID with one: invoke",
        ),
        (
            with(|record| *record = json!({ "eventID": "shardId-000000000006" })),
            "record 1 of the event has neither a sequenceNumber nor an eventID with one",
        ),
        (of(&[nameless]), "no record of the event has an eventID that names its shard"),
        (
            with(|record| record["eventID"] = json!("shardId-000000000007:2")),
            "record 1 of the event is of shardId-000000000007, those before it of shardId-000000000006",
        ),
        (
            of(&[record(2), record(1)]),
            "record 1 of the event has number 1, not above 2 of the record before it",
        ),
        (of(&[record(9), record(10), record(10)]), "record 2 of the event has number 10, not above 10"),
    ];
    for (event, message) in cases {
        let error = records(&event).unwrap_err().to_string();
        assert!(error.starts_with(message), "{event}\n{message}\n{error}");
    }
    assert_eq!(parse(b"{\"Records\":\xff").unwrap_err(), EventError::NotUtf8(11));
}

/// What a record is rendered from.
#[derive(Clone, Debug)]
struct Sent {
    step: u64,
    key: String,
    arrival_ms: i64,
    data: Vec<u8>,
    form: Form,
}

/// How a record is written.
#[derive(Clone, Debug)]
struct Form {
    /// The order of the fields, one a place.
    outer: Vec<usize>,
    inner: Vec<usize>,
    blanks: &'static str,
    is_escaped: bool,
    has_unknown_fields: bool,
}

fn forms() -> impl Strategy<Value = Form> {
    let order = |fields: usize| Just((0..fields).collect::<Vec<_>>()).prop_shuffle();
    let blanks = prop::sample::select(vec!["", "", " ", "\n\t "]);
    (order(4), order(6), blanks, any::<bool>(), any::<bool>()).prop_map(
        |(outer, inner, blanks, is_escaped, has_unknown_fields)| Form {
            outer,
            inner,
            blanks,
            is_escaped,
            has_unknown_fields,
        },
    )
}

/// Records in several forms, of which most follow one of their own form, as in an event of Lambda.
fn sent() -> impl Strategy<Value = Vec<Sent>> {
    let content = (1..u64::MAX / 100, "\\PC{1,12}|[a-z]{3,9}", 0..4_102_444_800_000_i64, any::<Vec<u8>>());
    let records = prop::collection::vec((content, any::<Index>()), 1..20);
    (records, prop::collection::vec(forms(), 1..3)).prop_map(|(records, forms)| {
        let sent = |((step, key, arrival_ms, data), form): ((u64, String, i64, Vec<u8>), Index)| Sent {
            step,
            key,
            arrival_ms,
            data,
            form: form.get(&forms).clone(),
        };
        records.into_iter().map(sent).collect()
    })
}

impl Form {
    fn string(&self, text: &str) -> String {
        if !self.is_escaped {
            return Json::from(text).to_string();
        }
        let escaped: Vec<_> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        format!("\"{}\"", escaped.concat())
    }

    fn object(&self, order: &[usize], fields: &[(&str, String)]) -> String {
        let blanks = self.blanks;
        let known = order.iter().filter_map(|&place| fields.get(place));
        let mut written: Vec<String> = known
            .map(|(name, value)| format!("{blanks}{}{blanks}:{blanks}{value}{blanks}", self.string(name)))
            .collect();
        if self.has_unknown_fields {
            written.insert(0, r#""unknown":{"data":["x",{"eventID":"\"}"}]}"#.to_owned());
        }
        format!("{{{}}}", written.join(","))
    }

    fn record(&self, sent: &Sent, number: u64) -> String {
        let (seconds, ms) = (sent.arrival_ms / 1_000, sent.arrival_ms % 1_000);
        let inner = [
            ("partitionKey", self.string(&sent.key)),
            ("sequenceNumber", self.string(&number.to_string())),
            ("data", self.string(&BASE64_STANDARD.encode(&sent.data))),
            ("approximateArrivalTimestamp", format!("{seconds}.{ms:03}")),
            ("kinesisSchemaVersion", self.string("1.0")),
        ];
        let outer = [
            ("kinesis", self.object(&self.inner, &inner)),
            ("eventID", self.string(&format!("shardId-000000000006:{number}"))),
            ("eventSource", self.string("aws:kinesis")),
        ];
        self.object(&self.outer, &outer)
    }
}

fn render(sent: &[Sent]) -> String {
    let mut number = 0;
    let written = sent.iter().map(|sent| {
        number += sent.step;
        sent.form.record(sent, number)
    });
    format!("{{\"Records\":[{}]}}", written.collect::<Vec<_>>().join(","))
}

/// What the event means when every record is read by the general parser.
fn parse_without_templates(event: &[u8]) -> Result<Vec<EventRecord>, EventError> {
    let text = std::str::from_utf8(event).map_err(|error| EventError::NotUtf8(error.valid_up_to()))?;
    let mut assembly = Assembly::default();
    let list = format!("[{}]", find_records(text)?);
    let listed = serde_json::from_str::<Vec<&RawValue>>(&list).unwrap();
    if listed.is_empty() {
        return Err(EventError::NoRecords);
    }
    for (index, record) in listed.into_iter().enumerate() {
        assembly.push(&Fields::read(record.get(), index)?, 1)?;
    }
    assembly.finish().map(|event| event.into_records().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn what_was_sent_is_read_whatever_form_it_was_written_in(sent in sent()) {
        let event = render(&sent);
        let read = records(&event).unwrap();
        prop_assert_eq!(read.len(), sent.len());
        let mut number = 0;
        for (read, sent) in read.iter().zip(&sent) {
            number += sent.step;
            prop_assert_eq!(read.sequence, number.into());
            prop_assert_eq!(&read.partition_key[..], &sent.key[..]);
            prop_assert_eq!(read.arrival.unix_ms(), sent.arrival_ms);
            prop_assert_eq!(&read.data[..], &sent.data[..]);
            prop_assert_eq!(&read.fault, &None);
        }
    }

    #[test]
    fn any_bytes_have_an_outcome(bytes in any::<Vec<u8>>(), text in "[\\[\\]{}:,\"\\\\ a-z0-9]{0,40}") {
        let _ = parse(&bytes);
        let _ = parse(format!("{{\"Records\":[{text}]}}").as_bytes());
    }

    /// A few bytes changed or lost anywhere, of which many leave an event that is still JSON.
    #[test]
    fn a_damaged_event_means_what_the_general_parser_says(
        sent in sent(),
        damages in prop::collection::vec((any::<Index>(), any::<bool>(), any::<u8>()), 1..4),
    ) {
        let mut event = render(&sent).into_bytes();
        for (place, is_lost, byte) in damages {
            let place = place.index(event.len());
            if is_lost {
                event.remove(place);
            } else {
                event[place] = byte;
            }
        }
        let read = parse(&event).map(|event| event.into_records().collect::<Vec<_>>());
        prop_assert_eq!(read, parse_without_templates(&event));
    }
}
