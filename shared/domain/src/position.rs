//! Where a record stands in the stream.
//!
//! Positions are compared within one shard only: the numbers of different shards say nothing about order. So
//! [`Position`] has no `Ord`; [`Position::is_before`] answers for one shard.

use std::fmt;

use crate::digits;
use crate::mutant::{self, Mutant};

/// The number of a shard. Kinesis names its shards `shardId-` and twelve digits; the digits are the identity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u64);

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= PADDED_END {
            return write!(f, "shardId-{}", self.0);
        }
        let mut text = *b"shardId-000000000000";
        let (_, number) = text.split_at_mut("shardId-".len());
        digits::fill(number, self.0);
        f.write_str(digits::text(&text))
    }
}

/// The first number that Kinesis's twelve digits do not hold.
const PADDED_END: u64 = 10_u64.pow(12);

impl fmt::Debug for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for ShardId {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let digits =
            text.strip_prefix("shardId-").filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        digits.and_then(|digits| digits.parse().ok()).map(Self).ok_or(PositionError::ShardId)
    }
}

/// Why a text is not part of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PositionError {
    /// Not `shardId-` and digits.
    #[error("a shard id is shardId- and digits")]
    ShardId,
    /// Not a decimal of 1 to 129 digits without a leading zero.
    #[error("a sequence number is 0, or 1 to {SEQUENCE_NUMBER_DIGITS_MAX} digits that do not begin with 0")]
    SequenceNumber,
}

/// The most digits that Kinesis allows in a sequence number (`0|([1-9]\d{0,128})`).
pub const SEQUENCE_NUMBER_DIGITS_MAX: usize = 129;

const LIMBS: usize = 7;

/// A shard's sequence number, as big-endian limbs: 129 digits need 429 bits, of which 448 are here. Comparing the limbs
/// compares the numbers; comparing the decimals as texts would not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceNumber([u64; LIMBS]);

impl SequenceNumber {
    /// Zero, which stands before every record.
    pub const ZERO: Self = Self([0; LIMBS]);

    /// Its value as big-endian bytes without leading zeros.
    pub fn to_be_bytes(self) -> arrayvec::ArrayVec<u8, { LIMBS * 8 }> {
        self.0.iter().flat_map(|limb| limb.to_be_bytes()).skip_while(|&byte| byte == 0).collect()
    }

    /// The number with these big-endian bytes, or `None` when they are too many.
    pub fn from_be_bytes(bytes: &[u8]) -> Option<Self> {
        let mut padded = [0; LIMBS * 8];
        let start = padded.len().checked_sub(bytes.len())?;
        padded[start..].copy_from_slice(bytes);
        let mut limbs = [0; LIMBS];
        for (limb, chunk) in limbs.iter_mut().zip(padded.as_chunks::<8>().0) {
            *limb = u64::from_be_bytes(*chunk);
        }
        Some(Self(limbs))
    }

    /// Its value when that fits, as it always does for a log that counts its own records.
    pub fn to_u64(self) -> Option<u64> {
        let [high @ .., low] = self.0;
        (high == [0; LIMBS - 1]).then_some(low)
    }

    /// `self * factor + addend`, or `None` when it does not fit.
    fn mul_add(mut self, factor: u64, addend: u64) -> Option<Self> {
        let mut carry = u128::from(addend);
        for limb in self.0.iter_mut().rev() {
            let product = u128::from(*limb) * u128::from(factor) + carry;
            (*limb, carry) = split(product);
        }
        (carry == 0).then_some(self)
    }
}

/// The low 64 bits, and what is above them.
#[allow(clippy::cast_possible_truncation, reason = "the low bits are what is asked for")]
const fn split(wide: u128) -> (u64, u128) {
    (wide as u64, wide >> 64)
}

impl From<u64> for SequenceNumber {
    fn from(number: u64) -> Self {
        let mut limbs = [0; LIMBS];
        limbs[LIMBS - 1] = number;
        Self(limbs)
    }
}

/// Decimal digits that fit a `u64`.
const CHUNK_DIGITS: usize = 19;

impl std::str::FromStr for SequenceNumber {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let digits = text.as_bytes();
        let well_formed = (1..=SEQUENCE_NUMBER_DIGITS_MAX).contains(&digits.len())
            && digits.iter().all(u8::is_ascii_digit)
            && (digits.len() == 1 || digits[0] != b'0');
        if !well_formed {
            return Err(PositionError::SequenceNumber);
        }
        digits
            .chunks(CHUNK_DIGITS)
            .try_fold(Self::ZERO, |number, chunk| {
                let value = chunk.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
                let scale = (0..chunk.len()).fold(1, |scale, _| scale * 10);
                number.mul_add(scale, value)
            })
            .ok_or(PositionError::SequenceNumber)
    }
}

impl fmt::Display for SequenceNumber {
    /// Half limbs are divided by a power of ten again and again: in one machine word, and by a constant.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut halves = self.0.map(|limb| [limb >> 32, limb & u64::from(u32::MAX)]);
        let mut number = without_leading_zeros(halves.as_flattened_mut());
        let mut text = [b'0'; PRINTED_DIGITS_MAX];
        let mut start = text.len();
        while !number.is_empty() {
            let mut remainder = 0;
            for half in &mut *number {
                let dividend = (remainder << 32) | *half;
                *half = dividend / PRINTED_CHUNK;
                remainder = dividend % PRINTED_CHUNK;
            }
            digits::fill(&mut text[start - PRINTED_CHUNK_DIGITS..start], remainder);
            start -= PRINTED_CHUNK_DIGITS;
            number = without_leading_zeros(number);
        }
        let digits = digits::text(&text[start..]).trim_start_matches('0');
        f.write_str(if digits.is_empty() { "0" } else { digits })
    }
}

/// Decimal digits that are printed together, and their power of ten: it times 2^32 fits a `u64`.
const PRINTED_CHUNK_DIGITS: usize = 9;
const PRINTED_CHUNK: u64 = 10_u64.pow(9);
/// Room for the 135 digits of 448 bits.
const PRINTED_DIGITS_MAX: usize = 15 * PRINTED_CHUNK_DIGITS;

fn without_leading_zeros(number: &mut [u64]) -> &mut [u64] {
    let zeros = number.iter().take_while(|half| **half == 0).count();
    &mut number[zeros..]
}

impl fmt::Debug for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a record stands: its shard, its sequence number there, and its place inside that record when a producer
/// packed several into one (0 otherwise).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The shard that holds the record.
    pub shard: ShardId,
    /// The record's number in its shard.
    pub sequence: SequenceNumber,
    /// The place inside an aggregated record, from 0.
    pub sub_sequence: u64,
}

impl Position {
    /// Whether this stands before `other` in the same shard. Positions of different shards are not comparable: `false`.
    pub fn is_before(&self, other: &Self) -> bool {
        if mutant::is_planted(Mutant::StringSequences) {
            return self.shard == other.shard && self.to_string() < other.to_string();
        }
        let is_same_shard = self.shard == other.shard || mutant::is_planted(Mutant::ShardsCompared);
        is_same_shard && self.in_shard() < other.in_shard()
    }

    fn in_shard(&self) -> (SequenceNumber, u64) {
        let is_ignored = mutant::is_planted(Mutant::SubSequenceIgnored);
        (self.sequence, if is_ignored { 0 } else { self.sub_sequence })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.shard, self.sequence, self.sub_sequence)
    }
}

impl std::str::FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let mut parts = text.splitn(3, ':');
        let shard = parts.next().ok_or(PositionError::ShardId)?.parse()?;
        let sequence = parts.next().ok_or(PositionError::SequenceNumber)?.parse()?;
        let sub_sequence =
            parts.next().and_then(|digits| digits.parse().ok()).ok_or(PositionError::SequenceNumber)?;
        Ok(Self { shard, sequence, sub_sequence })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINESIS: &str = "49590338271490256608559692538361571095921575989136588898";

    proptest! {
        #[test]
        fn sequence_numbers_print_as_they_were_written(text in "0|[1-9][0-9]{0,128}") {
            let number: SequenceNumber = text.parse().unwrap();
            prop_assert_eq!(number.to_string(), text);
            prop_assert_eq!(SequenceNumber::from_be_bytes(&number.to_be_bytes()), Some(number));
        }

        #[test]
        fn sequence_numbers_order_by_length_and_then_by_digits(
            a in "0|[1-9][0-9]{0,128}", b in "0|[1-9][0-9]{0,128}",
        ) {
            let by_value = (a.len(), &a).cmp(&(b.len(), &b));
            prop_assert_eq!(a.parse::<SequenceNumber>().unwrap().cmp(&b.parse().unwrap()), by_value);
        }
    }

    #[test]
    fn the_largest_number_prints_whole() {
        let largest = SequenceNumber::from_be_bytes(&[u8::MAX; LIMBS * 8]).unwrap();
        assert_eq!(
            largest.to_string(), // 2^448 - 1
            "726838724295606890549323807888004534353641360687318060281490199180639288113397923326191050713763565560762521606266177933534601628614655"
        );
        assert_eq!(SequenceNumber::ZERO.to_string(), "0");
    }

    #[test]
    fn malformed_sequence_numbers_are_refused() {
        for text in ["", "01", "-1", "1e5", " 1", &"9".repeat(130)] {
            assert_eq!(text.parse::<SequenceNumber>(), Err(PositionError::SequenceNumber), "{text:?}");
        }
        assert_eq!(KINESIS.parse::<SequenceNumber>().unwrap().to_u64(), None);
    }

    #[test]
    fn positions_of_different_shards_are_not_compared() {
        let here = Position { shard: ShardId(0), sequence: 9.into(), sub_sequence: 0 };
        let there = Position { shard: ShardId(1), sequence: 10.into(), sub_sequence: 0 };
        assert!(!here.is_before(&there) && !there.is_before(&here));
        assert!(here.is_before(&Position { sub_sequence: 1, ..here }));
        assert!(here.is_before(&Position { sequence: 10.into(), ..here }));
        assert_eq!(here.to_string().parse(), Ok(here));
    }

    #[test]
    fn shard_ids_print_as_kinesis_names_them() {
        assert_eq!(ShardId(6).to_string(), "shardId-000000000006");
        assert_eq!("shardId-000000000006".parse(), Ok(ShardId(6)));
        assert_eq!(ShardId(999_999_999_999).to_string(), "shardId-999999999999");
        assert_eq!(ShardId(1_000_000_000_000).to_string(), "shardId-1000000000000");
        assert_eq!("shard-6".parse::<ShardId>(), Err(PositionError::ShardId));
        assert_eq!("shardId-+6".parse::<ShardId>(), Err(PositionError::ShardId));
    }
}
