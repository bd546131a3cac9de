//! Packing loses nothing, keeps the order of every key, and never mixes keys.

use proptest::prelude::*;
use wattstream_wire::{Payloads, deaggregate};

use super::*;

const RECORD_BYTES_MAX: usize = 1_024 * 1_024;

fn record(key: &str, data: impl Into<Bytes>) -> NewRecord {
    NewRecord { partition_key: key.to_owned(), data: data.into() }
}

fn pack(packing: Packing, records: &[NewRecord]) -> Vec<KeyQueue> {
    packing.pack(records.to_vec(), RECORD_BYTES_MAX)
}

fn an_aggregate() -> Bytes {
    let mut aggregator = Aggregator::default();
    aggregator.push("other", b"inner").unwrap();
    aggregator.finish()
}

fn unpacked(record: &Bytes) -> Payloads {
    deaggregate(record).unwrap()
}

#[test]
fn payloads_of_a_key_share_a_record_and_a_lone_payload_stays_as_it_is() {
    let records = [record("b", "1"), record("a", "2"), record("b", "3"), record("b", "4")];
    let queues = pack(Packing::Aggregated, &records);
    assert_eq!(queues.iter().map(|queue| queue.partition_key.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(queues[1].records, ["2"]);
    assert_eq!(queues[0].records.len(), 1);
    assert_eq!(
        unpacked(&queues[0].records[0]),
        Payloads::Aggregate(vec!["1".into(), "3".into(), "4".into()])
    );
}

#[test]
fn without_aggregation_each_payload_is_a_record() {
    let records = [record("a", "1"), record("b", "2"), record("a", "3")];
    let queues = pack(Packing::Plain, &records);
    assert_eq!(queues[0].records, ["1", "3"]);
    assert_eq!(queues[1].records, ["2"]);
}

#[test]
fn a_payload_that_is_an_aggregate_keeps_a_record_of_its_own_and_its_place() {
    let records = [record("a", "1"), record("a", "2"), record("a", an_aggregate()), record("a", "3")];
    let records = &pack(Packing::Aggregated, &records)[0].records;
    assert_eq!(unpacked(&records[0]), Payloads::Aggregate(vec!["1".into(), "2".into()]));
    assert_eq!(records.range(1..).cloned().collect::<Vec<_>>(), [an_aggregate(), "3".into()]);
}

#[test]
fn a_payload_beyond_an_aggregate_keeps_a_record_of_its_own() {
    let large = vec![b'x'; AGGREGATE_BYTES_DEFAULT];
    let records = [record("a", "1"), record("a", large.clone()), record("a", "2"), record("a", "3")];
    let records = &pack(Packing::Aggregated, &records)[0].records;
    assert_eq!(records.len(), 3);
    assert_eq!((&records[0][..], &records[1][..]), (&b"1"[..], &large[..]));
    assert_eq!(unpacked(&records[2]), Payloads::Aggregate(vec!["2".into(), "3".into()]));
}

fn payload() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from),
        1 => (0..2 * AGGREGATE_BYTES_DEFAULT).prop_map(|bytes| Bytes::from(vec![b'x'; bytes])),
        1 => Just(an_aggregate()),
    ]
}

proptest! {
    #[test]
    fn what_is_packed_is_unpacked_key_by_key_and_in_order(
        records in prop::collection::vec(("[a-c]", payload()), 0..40),
        record_bytes_max in 210_usize..120_000,
        packing in prop_oneof![Just(Packing::Plain), Just(Packing::Aggregated)],
    ) {
        let records: Vec<_> = records
            .into_iter()
            .map(|(key, data)| record(&key, data))
            .filter(|record| record.partition_key.len() + record.data.len() <= record_bytes_max)
            .collect();
        for queue in packing.pack(records.clone(), record_bytes_max) {
            let mut found = Vec::new();
            for data in &queue.records {
                prop_assert!(queue.partition_key.len() + data.len() <= record_bytes_max);
                match deaggregate(data).unwrap() {
                    // What came as an aggregate is one payload.
                    Payloads::Aggregate(_) if *data == an_aggregate() => found.push(data.clone()),
                    Payloads::Aggregate(payloads) => {
                        prop_assert!(payloads.len() > 1 && data.len() <= AGGREGATE_BYTES_DEFAULT);
                        found.extend(payloads);
                    }
                    Payloads::Plain(payload) => found.push(payload),
                }
            }
            let sent: Vec<_> = records
                .iter()
                .filter(|record| record.partition_key == queue.partition_key)
                .map(|record| record.data.clone())
                .collect();
            prop_assert_eq!(found, sent);
        }
    }
}
