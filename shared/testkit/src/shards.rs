//! A sharded stream in memory: even hash ranges, splits and merges.
//!
//! What must always hold: a shard's numbers go up; every key has exactly one open shard; parents stand before their
//! children.

use std::ops::RangeInclusive;

use md5::{Digest, Md5};
use wattstream_domain::{SequenceNumber, ShardId, Timestamp};
use wattstream_engine::StreamRecord;
use wattstream_engine::ports::{NewRecord, Shard, ShardRead};

/// How the records of every shard are numbered. All shards use the same numbers, so that whoever compares the numbers of
/// two shards is soon wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// The number before the first.
    pub base: SequenceNumber,
    /// The distance from one to the next.
    pub step: u64,
}

impl Default for Numbers {
    /// 1, 2, 3.
    fn default() -> Self {
        Self { base: SequenceNumber::ZERO, step: 1 }
    }
}

impl Numbers {
    /// The number of the record at `index`, counted from 0.
    pub fn number(&self, index: usize) -> SequenceNumber {
        let offset = self.step * (index as u64 + 1);
        add(self.base, offset)
    }
}

/// Schoolbook addition over the bytes, from the lowest.
fn add(number: SequenceNumber, addend: u64) -> SequenceNumber {
    let mut bytes = vec![0; size_of::<u64>() + 1];
    bytes.extend_from_slice(&number.to_be_bytes());
    let mut carry = u128::from(addend);
    for byte in bytes.iter_mut().rev() {
        let sum = u128::from(*byte) + carry;
        *byte = sum.to_be_bytes()[15];
        carry = sum >> 8;
    }
    let significant = bytes.iter().position(|&byte| byte != 0).unwrap_or(bytes.len());
    SequenceNumber::from_be_bytes(&bytes[significant..]).expect("a test stays far below 129 digits")
}

/// One shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardLog {
    /// Its number.
    pub id: ShardId,
    /// The shards that it continues.
    pub parents: Vec<ShardId>,
    /// The hashes of the keys that it holds.
    pub hashes: RangeInclusive<u128>,
    /// Its records.
    pub records: Vec<StreamRecord>,
    /// Whether it takes no more.
    pub is_closed: bool,
}

/// The shards of a stream, parents before their children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shards {
    all: Vec<ShardLog>,
    numbers: Numbers,
    next_id: u64,
    /// The arrival of the next record. It moves on by a millisecond with every record.
    pub now: Timestamp,
}

impl Shards {
    /// A stream of `count` shards over even hash ranges, at least one.
    pub fn even(count: u64, numbers: Numbers, now: Timestamp) -> Self {
        let mut shards = Self { all: Vec::new(), numbers, next_id: 0, now };
        let width = u128::MAX / u128::from(count.max(1));
        for index in 0..u128::from(count.max(1)) {
            let is_last = index + 1 == u128::from(count.max(1));
            let end = if is_last { u128::MAX } else { (index + 1) * width - 1 };
            shards.open(Vec::new(), index * width..=end);
        }
        shards
    }

    /// The shards, parents before their children.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &ShardLog> {
        self.all.iter()
    }

    /// The shard with this number, unless it has expired.
    pub fn get(&self, id: ShardId) -> Option<&ShardLog> {
        self.all.iter().find(|shard| shard.id == id)
    }

    /// The open shard that takes this key.
    pub fn shard_of(&self, partition_key: &str) -> ShardId {
        self.open_shard(partition_key).id
    }

    /// Appends a record to the shard of its key.
    pub fn append(&mut self, record: NewRecord) -> ShardId {
        let arrival = self.now;
        self.now = self.now.saturating_add_ms(1);
        let id = self.shard_of(&record.partition_key);
        let numbers = self.numbers;
        let shard = self.get_mut(id);
        let sequence = numbers.number(shard.records.len());
        let partition_key = record.partition_key.into();
        shard.records.push(StreamRecord { sequence, partition_key, arrival, data: record.data, fault: None });
        id
    }

    /// Closes an open shard and opens two children, each over half of its hashes.
    pub fn split(&mut self, id: ShardId) -> [ShardId; 2] {
        let shard = self.get_mut(id);
        shard.is_closed = true;
        let (start, end) = shard.hashes.clone().into_inner();
        let middle = start + (end - start) / 2;
        [self.open(vec![id], start..=middle), self.open(vec![id], middle + 1..=end)]
    }

    /// Closes an open shard and its open neighbour, and opens one child over the hashes of both. `None` when it has no
    /// neighbour.
    pub fn merge(&mut self, id: ShardId) -> Option<ShardId> {
        let end = *self.get(id)?.hashes.end();
        let next = end.checked_add(1)?;
        let neighbour = self.all.iter().find(|shard| !shard.is_closed && *shard.hashes.start() == next)?;
        let (neighbour, hashes) = (neighbour.id, *self.get(id)?.hashes.start()..=*neighbour.hashes.end());
        for closed in [id, neighbour] {
            self.get_mut(closed).is_closed = true;
        }
        Some(self.open(vec![id, neighbour], hashes))
    }

    /// Forgets a shard, as a stream does when its retention is over.
    pub fn expire(&mut self, id: ShardId) {
        self.all.retain(|shard| shard.id != id);
    }

    /// The shards as the port lists them.
    pub fn list(&self) -> Vec<Shard> {
        self.all.iter().map(|shard| Shard { id: shard.id, parents: shard.parents.clone() }).collect()
    }

    /// At most `limit` records of a shard after `after`; `None` when there is no such shard.
    pub fn read(&self, id: ShardId, after: Option<SequenceNumber>, limit: usize) -> Option<ShardRead> {
        let shard = self.get(id)?;
        let start = shard.records.partition_point(|record| Some(record.sequence) <= after);
        let records: Vec<_> = shard.records[start..].iter().take(limit).cloned().collect();
        let is_end = shard.is_closed && start + records.len() == shard.records.len();
        Some(ShardRead { records, is_end })
    }

    fn open(&mut self, parents: Vec<ShardId>, hashes: RangeInclusive<u128>) -> ShardId {
        let id = ShardId(self.next_id);
        self.next_id += 1;
        self.all.push(ShardLog { id, parents, hashes, records: Vec::new(), is_closed: false });
        id
    }

    fn open_shard(&self, partition_key: &str) -> &ShardLog {
        let hash = u128::from_be_bytes(Md5::digest(partition_key).into());
        let mut open = self.all.iter().filter(|shard| !shard.is_closed);
        open.find(|shard| shard.hashes.contains(&hash)).expect("the open shards hold every hash")
    }

    fn get_mut(&mut self, id: ShardId) -> &mut ShardLog {
        self.all.iter_mut().find(|shard| shard.id == id).expect("the shard was found before")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at;
    use bytes::Bytes;

    fn new_record(key: &str) -> NewRecord {
        NewRecord { partition_key: key.to_owned(), data: Bytes::from_static(b"{}") }
    }

    #[test]
    fn numbers_carry_over_the_border_of_their_digits() {
        let base: SequenceNumber = "9".repeat(55).parse().unwrap();
        let numbers = Numbers { base, step: 3 };
        assert_eq!(numbers.number(0).to_string(), format!("1{}2", "0".repeat(54)));
        assert_eq!(Numbers::default().number(9).to_string(), "10");
    }

    #[test]
    fn a_key_goes_to_the_children_of_its_shard_once_that_is_closed() {
        let mut shards = Shards::even(2, Numbers::default(), at(0));
        let first = shards.append(new_record("home-01"));
        let children = shards.split(first);
        let second = shards.append(new_record("home-01"));
        assert!(children.contains(&second));
        assert_eq!(shards.get(second).unwrap().parents, [first]);
        let merged = shards.merge(children[0]).unwrap();
        assert_eq!(shards.append(new_record("home-01")), merged);
        assert!(shards.read(first, None, 10).unwrap().is_end);
        assert!(!shards.read(merged, None, 10).unwrap().is_end);
    }

    #[test]
    fn every_key_has_a_shard_whatever_their_count() {
        for count in 1..9 {
            let shards = Shards::even(count, Numbers::default(), at(0));
            let found: Vec<_> = (0..50).map(|key| shards.shard_of(&key.to_string())).collect();
            assert!(found.iter().all(|shard| shard.0 < count), "{count} shards: {found:?}");
        }
    }
}
