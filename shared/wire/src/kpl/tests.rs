//! The golden vectors come from `golden/aggregate.py`, which shares no code with this module.

use proptest::prelude::*;

use super::*;
use crate::decode_reading;

fn golden() -> (Bytes, Bytes) {
    let mut lines = include_str!("../../golden/aggregate.hex").lines().map(|line| {
        let digits = line.as_bytes().as_chunks::<2>().0;
        digits
            .iter()
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    });
    (lines.next().unwrap(), lines.next().unwrap())
}

fn sealed(message: &[u8]) -> Bytes {
    [&AGGREGATE_MAGIC[..], message, &Md5::digest(message)].concat().into()
}

fn field(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
}

/// An aggregate of one key and these entries.
fn aggregate_of(entries: &[&[u8]]) -> Bytes {
    let records = entries.iter().flat_map(|entry| field(3, entry));
    sealed(&field(1, b"key").into_iter().chain(records).collect::<Vec<_>>())
}

fn rejected(record: &Bytes) -> (Reason, String) {
    let reject = deaggregate(record).unwrap_err();
    (reject.reason, reject.detail)
}

#[test]
fn golden_aggregates_are_taken_apart() {
    let (plain, full) = golden();
    let payloads = deaggregate(&plain).unwrap();
    let expected = [(0, &b"{\"a\":1}"[..]), (1, b"{\"b\":2}"), (2, b"")];
    assert_eq!(payloads.iter().map(|(sub, data)| (sub, &data[..])).collect::<Vec<_>>(), expected);
    assert_eq!(
        deaggregate(&full).unwrap().as_slice(),
        [Bytes::from(vec![b'x'; 200]), Bytes::from("{\"b\":2}")]
    );
}

#[test]
fn the_aggregator_writes_the_golden_aggregate() {
    let mut aggregator = Aggregator::default();
    for (key, payload) in [("site-alpha", "{\"a\":1}"), ("site-beta", "{\"b\":2}"), ("site-alpha", "")] {
        aggregator.push(key, payload.as_bytes()).unwrap();
    }
    assert_eq!(aggregator.finish(), golden().0);
}

#[test]
fn a_record_without_the_magic_number_is_one_payload() {
    for record in [&b""[..], b"{}", b"\xf3\x89\x9a", b"\xf3\x89\x9a\xc1 and more than twenty bytes"] {
        let record = Bytes::copy_from_slice(record);
        assert_eq!(deaggregate(&record), Ok(Payloads::Plain(record.clone())));
        assert_eq!(deaggregate(&record).unwrap().iter().collect::<Vec<_>>(), [(0, &record)]);
    }
}

#[test]
fn payloads_share_the_memory_of_the_record() {
    let (plain, _) = golden();
    let range = plain.as_ptr_range();
    assert!(
        deaggregate(&plain)
            .unwrap()
            .iter()
            .all(|(_, data)| data.is_empty() || range.contains(&data.as_ptr()))
    );
}

#[test]
fn an_aggregate_of_nothing_has_no_payloads() {
    for record in [sealed(b""), Aggregator::default().finish(), aggregate_of(&[])] {
        assert_eq!(deaggregate(&record), Ok(Payloads::Aggregate(vec![])));
    }
}

#[test]
fn each_damage_is_rejected_with_its_cause() {
    let entry = b"\x08\x00\x1a\x01x";
    let cases = [
        (Bytes::from_static(&AGGREGATE_MAGIC), "has 4 bytes"),
        (sealed(b"").slice(..19), "has 19 bytes"),
        (aggregate_of(&[entry]).slice(..25), "does not match its MD5"),
        (sealed(b"\x1a\x7f"), "is not an AggregatedRecord message"),
        (aggregate_of(&[entry, b"\x1a\x7f"]), "sub-record 1 of the KPL aggregate is not a Record message"),
        (aggregate_of(&[b"\x1a\x01x"]), "sub-record 0 of the KPL aggregate has no partition_key_index"),
        (aggregate_of(&[entry, entry, b"\x08\x00"]), "sub-record 2 of the KPL aggregate has no data"),
        (aggregate_of(&[b"\x08\x01\x1a\x01x"]), "names entry 1 of a partition_key_table of 1"),
        (
            aggregate_of(&[b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a\x01x"]),
            "names entry 18446744073709551615 of a partition_key_table of 1",
        ),
        (aggregate_of(&[b"\x08\x00\x10\x00\x1a\x01x"]), "names entry 0 of a explicit_hash_key_table of 0"),
    ];
    for (record, cause) in cases {
        let (reason, detail) = rejected(&record);
        assert_eq!(reason, Reason::AggregateInvalid, "{detail}");
        assert!(detail.contains(cause), "{detail:?} should say {cause:?}");
    }
}

#[test]
fn an_aggregate_inside_an_aggregate_is_rejected_and_its_neighbours_are_kept() {
    let mut aggregator = Aggregator::default();
    aggregator.push("a", b"before").unwrap();
    aggregator.push("a", &golden().0).unwrap();
    aggregator.push("a", b"after").unwrap();
    let payloads = deaggregate(&aggregator.finish()).unwrap();
    assert_eq!(payloads.as_slice(), [Bytes::from("before"), golden().0, Bytes::from("after")]);
    assert_eq!(decode_reading(&payloads.as_slice()[1]).unwrap_err().reason, Reason::AggregateInvalid);
}

#[test]
fn the_size_limit_holds_to_the_byte() {
    let of_bytes = |bytes: usize| {
        let mut aggregator = Aggregator::new(bytes);
        let payload = vec![b'x'; bytes - 35];
        aggregator.push("key", &payload).unwrap();
        aggregator.finish()
    };
    assert_eq!(of_bytes(AGGREGATE_BYTES_MAX).len(), AGGREGATE_BYTES_MAX);
    assert_eq!(deaggregate(&of_bytes(AGGREGATE_BYTES_MAX)).unwrap().as_slice().len(), 1);
    assert_eq!(rejected(&of_bytes(AGGREGATE_BYTES_MAX + 1)).0, Reason::TooLarge);
}

#[test]
fn a_hundred_thousand_payloads_are_taken_apart() {
    let mut aggregator = Aggregator::new(AGGREGATE_BYTES_MAX);
    for index in 0..100_000_u32 {
        aggregator.push("key", &index.to_le_bytes()[..3]).unwrap();
    }
    let payloads = deaggregate(&aggregator.finish()).unwrap();
    assert!(
        payloads
            .iter()
            .zip(0..100_000_u32)
            .all(|((sub, data), index)| { sub == u64::from(index) && data[..] == index.to_le_bytes()[..3] })
    );
}

#[test]
fn a_full_aggregator_takes_nothing_and_changes_nothing() {
    let mut aggregator = Aggregator::new(60);
    aggregator.push("first", b"0123456789").unwrap();
    let before = aggregator.bytes();
    assert_eq!(aggregator.push("second", b"0123456789"), Err(AggregateFull { payload_bytes: 10 }));
    assert_eq!(aggregator.bytes(), before);
    aggregator.push("second", b"").unwrap();
    assert_eq!(
        deaggregate(&aggregator.finish()).unwrap().as_slice(),
        [Bytes::from("0123456789"), Bytes::new()]
    );
}

proptest! {
    #[test]
    fn what_is_packed_is_unpacked(
        pushes in proptest::collection::vec(("[a-c]{1,2}|ä", proptest::collection::vec(any::<u8>(), 0..300)), 0..40),
        bytes_max in 20..4_000_usize,
    ) {
        let mut aggregator = Aggregator::new(bytes_max);
        let mut taken = Vec::new();
        for (key, payload) in pushes {
            if aggregator.push(&key, &payload).is_ok() {
                taken.push(Bytes::from(payload));
            }
        }
        prop_assert_eq!(aggregator.is_empty(), taken.is_empty());
        let bytes = aggregator.bytes();
        let record = aggregator.finish();
        prop_assert_eq!(record.len(), bytes);
        prop_assert!(record.len() <= bytes_max);
        prop_assert_eq!(deaggregate(&record), Ok(Payloads::Aggregate(taken)));
    }

    #[test]
    fn one_changed_byte_never_goes_unseen(index in 0..81_usize, flip in 1..=255_u8) {
        let mut record = golden().0.to_vec();
        let index = index % record.len();
        record[index] ^= flip;
        let record = Bytes::from(record);
        match deaggregate(&record) {
            Ok(payloads) => prop_assert!(index < AGGREGATE_MAGIC.len() && payloads == Payloads::Plain(record)),
            Err(reject) => prop_assert_eq!(reject.reason, Reason::AggregateInvalid),
        }
    }

    #[test]
    fn any_message_has_an_outcome(message in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = deaggregate(&sealed(&message));
    }

    #[test]
    fn any_entry_has_an_outcome(entry in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = deaggregate(&aggregate_of(&[&entry]));
    }
}
