//! Bech32 (BIP 173) without the 90-character limit, as age uses it for keys.

use bech32::primitives::checksum::Checksum;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Fe1024, Hrp};
use zeroize::Zeroizing;

/// Bech32 with a code length that admits a post-quantum public key of 1,216 bytes. age lifts the limit too: the
/// checksum then only detects errors, it no longer corrects them.
enum Long {}

impl Checksum for Long {
    type MidstateRepr = u32;
    type CorrectionField = Fe1024;
    const ROOT_GENERATOR: Fe1024 = Bech32::ROOT_GENERATOR;
    const ROOT_EXPONENTS: core::ops::RangeInclusive<usize> = Bech32::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = 4096;
    const CHECKSUM_LENGTH: usize = Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [u32; 5] = Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: u32 = Bech32::TARGET_RESIDUE;
}

/// `hrp || "1" || data || checksum` in lower case.
pub(super) fn encode(hrp: &str, data: &[u8]) -> Zeroizing<String> {
    // The prefixes are constants of this crate and the longest data is a public key, so neither limit is reached.
    let hrp = Hrp::parse(hrp).unwrap_or_else(|_| unreachable!("a constant prefix"));
    Zeroizing::new(bech32::encode_lower::<Long>(hrp, data).unwrap_or_else(|_| unreachable!("at most 1,216 bytes")))
}

/// Prefix (lower-cased) and data, or nothing if the checksum, the case or the padding is wrong.
pub(super) fn decode(text: &str) -> Option<(String, Zeroizing<Vec<u8>>)> {
    let checked = CheckedHrpstring::new::<Long>(text).ok()?;
    let hrp = checked.hrp().to_lowercase();
    let data = Zeroizing::new(checked.byte_iter().collect::<Vec<u8>>());
    // Leftover bits must be zero and fewer than five: only what we would write ourselves is accepted.
    let canonical = encode(&hrp, &data);
    canonical.eq_ignore_ascii_case(text).then_some((hrp, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_well_formed() {
        Long::sanity_check();
    }

    #[test]
    fn a_changed_character_or_mixed_case_is_refused() {
        let text = encode("age", &[7; 32]).to_string();
        assert_eq!(&decode(&text).unwrap().1[..], &[7; 32]);
        let other = text.replace("age1", "age1q");
        assert!(decode(&other).is_none());
        assert!(decode(&format!("A{}", &text[1..])).is_none());
        assert!(decode(&text.to_uppercase()).is_some());
    }
}
