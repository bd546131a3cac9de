//! From the bytes of a batch to the records of its sites, and the letters that nobody can read.

use bytes::Bytes;
use hashbrown::HashMap;
use wattstream_domain::{Position, Record, ShardId, SiteId};
use wattstream_wire::{Reject, deaggregate, decode_reading};

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
        match deaggregate(&record.data) {
            Err(reject) => {
                decoded.letters.push(rejected(letter(batch.shard, record, 0, record.data.clone()), reject))
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
