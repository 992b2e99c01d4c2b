/// The least padded length of a part, in bytes.
pub const MIN_PADDED: u64 = 1024;

/// The length that a part of `len` bytes is padded to: `max(1 KiB, Padmé(len))`.
///
/// Padmé (Nikitin et al., PETS 2019, algorithm 1) keeps as many leading bits of the length as its bit length has
/// bits, so it reveals O(log log len) bits and costs at most 12 %, less as parts grow.
///
/// ```
/// use strongroom::encoding::padded_len;
/// assert_eq!(padded_len(0), 1024);
/// assert_eq!(padded_len(1025), 1088);
/// assert_eq!(padded_len(30_000_001), 30_408_704);
/// ```
pub fn padded_len(len: u64) -> u64 {
    if len <= MIN_PADDED {
        return MIN_PADDED;
    }
    let exponent = len.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1 << (exponent - kept)) - 1;
    // Parts are limited to 2^52 bytes, so this cannot overflow for any that is stored.
    len.saturating_add(mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_never_shortens_is_idempotent_and_costs_at_most_an_eighth() {
        for len in (1..100_000).chain((17..40).flat_map(|e| [(1 << e) - 1, 1 << e, (1 << e) + 1])) {
            let padded = padded_len(len);
            assert!(padded >= len, "{len}");
            assert_eq!(padded_len(padded), padded, "{len}");
            assert!(len <= MIN_PADDED || padded - len <= len / 8, "{len} -> {padded}");
        }
    }
}
