//! From the bytes of a batch to the records of its sites, and the letters that nobody can read.

use bytes::Bytes;
use hashbrown::HashMap;
use wattstream_domain::{Position, Record, ShardId, SiteId};
use wattstream_wire::{Payloads, Reject, deaggregate, decode_reading};

use crate::{Batch, Cause, DeadLetter, StreamRecord};

/// A batch that has been looked at.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    /// The readable records by site, the sites in the order of their first record.
    pub(super) sites: Vec<SiteRecords>,
    /// The payloads that are no readings, in order.
    pub(super) letters: Vec<DeadLetter>,
}

/// The records of one site in a batch, in order; never empty.
#[derive(Debug)]
pub(super) struct SiteRecords {
    /// The site.
    pub(super) site_id: SiteId,
    /// Its records.
    pub(super) records: Vec<Record>,
}

impl SiteRecords {
    /// Where the site's share of the batch begins.
    pub(super) fn first(&self) -> Position {
        self.records[0].position
    }
}

/// Reads every payload of a batch, those inside of aggregates included.
pub(super) fn decode(batch: &Batch) -> Decoded {
    let mut decoded = Decoded::default();
    let mut index_by_site: HashMap<SiteId, usize> = HashMap::new();
    for record in &batch.records {
        match payloads(record) {
            Err(reject) => {
                decoded.letters.push(rejected(letter(batch.shard, record, 0, record.data.clone()), reject));
            }
            Ok(payloads) => {
                for (sub_sequence, payload) in payloads.iter() {
                    match decode_reading(payload) {
                        Ok(reading) => {
                            let position = position(batch.shard, record, sub_sequence);
                            let index = *index_by_site.entry(reading.site_id).or_insert_with(|| {
                                decoded
                                    .sites
                                    .push(SiteRecords { site_id: reading.site_id, records: Vec::new() });
                                decoded.sites.len() - 1
                            });
                            decoded.sites[index].records.push(Record { position, reading });
                        }
                        Err(reject) => {
                            let letter = letter(batch.shard, record, sub_sequence, payload.clone());
                            decoded.letters.push(rejected(letter, reject));
                        }
                    }
                }
            }
        }
    }
    decoded
}

/// What a record carries, or why nobody can read it.
pub(super) fn payloads(record: &StreamRecord) -> Result<Payloads, Reject> {
    match &record.fault {
        Some(fault) => Err(Reject::clone(fault)),
        None => deaggregate(&record.data),
    }
}

fn position(shard: ShardId, record: &StreamRecord, sub_sequence: u64) -> Position {
    Position { shard, sequence: record.sequence, sub_sequence }
}

/// A letter of a payload, with a cause that its caller replaces.
pub(super) fn letter(shard: ShardId, record: &StreamRecord, sub_sequence: u64, payload: Bytes) -> DeadLetter {
    DeadLetter {
        position: position(shard, record, sub_sequence),
        arrival: record.arrival,
        cause: Cause::EngineFailed,
        detail: String::new(),
        payload,
    }
}

fn rejected(letter: DeadLetter, reject: Reject) -> DeadLetter {
    DeadLetter { cause: Cause::Rejected(reject.reason), detail: reject.detail, ..letter }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wattstream_wire::Reason;
    use wattstream_wire::kinesis_event;

    #[test]
    fn a_record_that_came_damaged_is_set_aside_with_its_reason_and_its_neighbours_are_read() {
        let reading = "eyJzaXRlX2lkIjoiaG9tZS0wMSIsInRpbWVzdGFtcCI6IjIwMjUtMDYtMjBUMDA6MDA6MDBaIiwiZW5lcmd5X2dlbmVyYXRlZF9rd2giOjEsImVuZXJneV9jb25zdW1lZF9rd2giOjJ9";
        let record = |number: u64, data: &str| {
            format!(
                r#"{{"eventID":"shardId-000000000006:{number}","kinesis":{{"sequenceNumber":"{number}","partitionKey":"home-01","approximateArrivalTimestamp":1545084650.987,"data":"{data}"}}}}"#
            )
        };
        let damaged = record(2, "%");
        let event = format!(r#"{{"Records":[{},{damaged},{}]}}"#, record(1, reading), record(3, reading));

        let decoded = decode(&Batch::from(kinesis_event::parse(event.as_bytes()).unwrap()));

        let [letter] = &decoded.letters[..] else { panic!("one letter: {:?}", decoded.letters) };
        let second = Position { shard: ShardId(6), sequence: 2.into(), sub_sequence: 0 };
        assert_eq!((letter.position, letter.cause), (second, Cause::Rejected(Reason::EnvelopeInvalid)));
        assert_eq!(letter.payload, damaged);
        let [home] = &decoded.sites[..] else { panic!("one site: {:?}", decoded.sites) };
        let read: Vec<_> = home.records.iter().map(|record| record.position.sequence).collect();
        assert_eq!(read, [1.into(), 3.into()]);
    }
}
