//! Decimal digits, written from the right into a buffer.
//!
//! Instants, energies and sequence numbers are printed for every reading that is stored, and the general formatting of the
//! standard library costs more than all else that happens to one.
//!
//! What must always hold: what is written is ASCII digits, so a buffer of ASCII stays text.

/// Writes the last two digits of `number` at `start`.
#[inline]
pub(crate) fn write_pair(out: &mut [u8], start: usize, number: u64) {
    out[start] = digit(number / 10 % 10);
    out[start + 1] = digit(number % 10);
}

/// Fills `out` with the last digits of `number`, zeros before them.
#[inline]
pub(crate) fn fill(out: &mut [u8], mut number: u64) {
    for place in out.rchunks_mut(2) {
        let pair = number % 100;
        number /= 100;
        let [.., ones] = place else { continue };
        *ones = digit(pair % 10);
        if let [tens, _] = place {
            *tens = digit(pair / 10);
        }
    }
}

/// Writes `number` without leading zeros at the end of `out`, which has room for it; returns where it begins.
#[inline]
pub(crate) fn write_before(out: &mut [u8], mut number: u64) -> usize {
    let mut start = out.len();
    loop {
        start -= 1;
        out[start] = digit(number % 10);
        number /= 10;
        if number == 0 {
            return start;
        }
    }
}

/// As [`write_before`], of a number that may not fit into a `u64`.
pub(crate) fn write_wide_before(out: &mut [u8], number: u128) -> usize {
    // One of 20 digits may not fit, one of 19 does.
    const LOW_END: u128 = 10_u128.pow(19);
    let low = u64::try_from(number % LOW_END).unwrap_or_default();
    if number < LOW_END {
        return write_before(out, low);
    }
    let split = out.len() - 19;
    fill(&mut out[split..], low);
    write_wide_before(&mut out[..split], number / LOW_END)
}

/// The text of a buffer that digits and other ASCII were written into.
#[inline]
pub(crate) fn text(ascii: &[u8]) -> &str {
    std::str::from_utf8(ascii).expect("digits are ASCII")
}

#[allow(clippy::cast_possible_truncation, reason = "it is below ten")]
const fn digit(value: u64) -> u8 {
    b'0' + value as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn digits_are_those_that_the_standard_library_prints(number: u64) {
            let mut out = [b' '; 20];
            let start = write_before(&mut out, number);
            prop_assert_eq!(text(&out[start..]), number.to_string());
            fill(&mut out, number);
            prop_assert_eq!(text(&out), format!("{number:020}"));
            fill(&mut out[..3], number);
            prop_assert_eq!(text(&out[..3]), format!("{:03}", number % 1_000));
        }
    }

    #[test]
    fn zero_is_one_digit() {
        let mut out = [b' '; 3];
        assert_eq!((write_before(&mut out, 0), text(&out)), (2, "  0"));
    }
}
