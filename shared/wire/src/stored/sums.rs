//! The sums of an hour, read past the rest of it: a curve of a year is nine thousand hours, and the general decoder allocates for each.
//!
//! What must always hold: what is read here is what the general decoder reads of the same bytes. Bytes that are not laid out as we
//! write them, damaged ones among them, are left to it. Damage in what is passed by (least and most, the position) is not seen.

use wattstream_domain::{EnergySum, Sums};

use super::message;

/// Field number and wire type in front of a value, of numbers up to 15.
/// Source: <https://protobuf.dev/programming-guides/encoding/>.
const fn number(field: u8) -> u8 {
    field << 3
}

/// The same, in front of a length and so many bytes.
const fn bytes(field: u8) -> u8 {
    field << 3 | 2
}

/// The sums of an encoded hour; `None` when it is not laid out as we write it.
pub(super) fn read(mut hour: &[u8]) -> Option<Sums> {
    let mut totals = taken_bytes(&mut hour, bytes(1))??;
    Some(Sums {
        records: taken_number(&mut totals, number(1))?,
        anomalies: taken_number(&mut totals, number(2))?,
        generated: sum(taken_bytes(&mut totals, bytes(3))??)?,
        consumed: sum(taken_bytes(&mut totals, bytes(4))??)?,
    })
    .filter(|_| totals.is_empty() && hour.first() == Some(&bytes(2)))
}

/// The sum of an encoded spread. Zero has no bytes, and so no field.
fn sum(mut spread: &[u8]) -> Option<EnergySum> {
    message::sum(taken_bytes(&mut spread, bytes(1))?.unwrap_or_default()).ok()
}

/// The number that comes next, when it is that of the field; one of zero is left out.
fn taken_number(message: &mut &[u8], key: u8) -> Option<u64> {
    if message.first() != Some(&key) {
        return Some(0);
    }
    *message = &message[1..];
    varint(message)
}

/// The bytes that come next, `Some(None)` when they are not those of the field.
#[allow(clippy::option_option, reason = "not there, and not to be read, are two things")]
fn taken_bytes<'a>(message: &mut &'a [u8], key: u8) -> Option<Option<&'a [u8]>> {
    if message.first() != Some(&key) {
        return Some(None);
    }
    *message = &message[1..];
    let length = usize::try_from(varint(message)?).ok()?;
    message.split_off(..length).map(Some)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = *bytes.split_off_first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            // The tenth byte has one bit left.
            return (shift < 63 || byte <= 1).then_some(number);
        }
    }
    None
}
