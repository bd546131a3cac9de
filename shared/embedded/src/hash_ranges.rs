//! Which shard a partition key belongs to: the one whose range of hashes holds its MD5, as Kinesis decides it.

use md5::{Digest, Md5};
use wattstream_domain::ShardId;

/// Even ranges over the 128-bit hashes: shard `i` of `n` begins at `i * 2^128 / n`, rounded down.
#[derive(Clone, Debug)]
pub(crate) struct HashRanges {
    /// The first hash of each shard, ascending; 0 for the first.
    starts: Vec<u128>,
}

impl HashRanges {
    /// `shards` ranges, at least one.
    pub(crate) fn even(shards: u32) -> Self {
        let shards = u128::from(shards.max(1));
        // 2^128 = quotient * shards + remainder, without computing 2^128.
        let (quotient, remainder) = match (u128::MAX / shards, u128::MAX % shards + 1) {
            (quotient, remainder) if remainder == shards => (quotient.wrapping_add(1), 0),
            undivided => undivided,
        };
        // For one shard the quotient wraps to 0, and its only start is 0 all the same.
        Self { starts: (0..shards).map(|i| i * quotient + i * remainder / shards).collect() }
    }

    /// The shards, ascending.
    pub(crate) fn shards(&self) -> impl Iterator<Item = ShardId> {
        (0..).map(ShardId).take(self.starts.len())
    }

    /// The shard of a partition key.
    pub(crate) fn shard_of(&self, partition_key: &str) -> ShardId {
        let hash = u128::from_be_bytes(Md5::digest(partition_key).into());
        let after = self.starts.partition_point(|&start| start <= hash);
        ShardId(after as u64 - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python: `max(i for i in range(n) if i * 2**128 // n <= int.from_bytes(md5(key).digest(), 'big'))`.
    const PYTHON: [(&str, [u64; 7]); 6] = [
        ("site-alpha-pv-farm-01", [0, 0, 0, 0, 1, 2, 15]),
        ("home-01", [0, 0, 0, 0, 0, 0, 1]),
        ("", [0, 1, 2, 3, 5, 13, 82]),
        ("a", [0, 0, 0, 0, 0, 0, 4]),
        ("plant:7", [0, 0, 1, 1, 3, 7, 44]),
        ("ä", [0, 1, 1, 2, 3, 8, 51]),
    ];

    #[test]
    fn shards_agree_with_an_independent_computation() {
        for (key, shards) in PYTHON {
            let found = [1, 2, 3, 4, 7, 16, 100].map(|count| HashRanges::even(count).shard_of(key).0);
            assert_eq!(found, shards, "{key:?}");
        }
    }

    #[test]
    fn ranges_begin_where_those_of_kinesis_do() {
        assert_eq!(HashRanges::even(1).starts, [0]);
        assert_eq!(HashRanges::even(2).starts, [0, 1 << 127]);
        // What `aws kinesis describe-stream` shows of a stream with three shards.
        let thirds = [
            0,
            113_427_455_640_312_821_154_458_202_477_256_070_485,
            226_854_911_280_625_642_308_916_404_954_512_140_970,
        ];
        assert_eq!(HashRanges::even(3).starts, thirds);
        // Python: [i * 2**128 // 7 for i in range(7)][1:3]
        let sevenths = HashRanges::even(7).starts;
        assert_eq!(sevenths[1], 48_611_766_702_991_209_066_196_372_490_252_601_636);
        assert_eq!(sevenths[6], 291_670_600_217_947_254_397_178_234_941_515_609_819);
    }

    #[test]
    fn every_count_of_shards_has_that_many_even_ranges() {
        for count in 1..=256 {
            let ranges = HashRanges::even(count);
            assert_eq!(ranges.shards().count(), count as usize);
            let widths = ranges.starts.windows(2).map(|pair| pair[1] - pair[0]);
            let (least, most) =
                widths.fold((u128::MAX, 0), |(least, most), width| (least.min(width), most.max(width)));
            assert!(count == 1 || most - least <= 1, "{count}");
        }
    }
}
