//! `EXP` and `EXT` of the specification: the two halves of HKDF (RFC 5869) over SHA-512.
//!
//! Written out because the common HKDF interfaces refuse a pseudo-random key shorter than the hash, which chunked
//! encryption and the ratchet both use (uniform 32-byte keys, as RFC 5869 section 3.3 allows).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// HKDF-Expand: fills `out`, at most 255 × 64 bytes.
pub(crate) fn expand(prk: &[u8; 32], info: &[&[u8]], out: &mut [u8]) {
    expand_keyed(&hmac(prk), info, out);
}

fn expand_keyed(keyed: &Hmac<Sha512>, info: &[&[u8]], out: &mut [u8]) {
    let mut block = Zeroizing::new([0u8; 64]);
    for (i, part) in out.chunks_mut(64).enumerate() {
        let mut mac = keyed.clone();
        if i > 0 {
            mac.update(&block[..]);
        }
        for piece in info {
            mac.update(piece);
        }
        mac.update(&[i as u8 + 1]);
        block.copy_from_slice(&mac.finalize().into_bytes());
        part.copy_from_slice(&block[..part.len()]);
    }
}

/// `EXP(k, info)`: the first 32 bytes of HKDF-Expand.
pub(crate) fn exp(key: &Secret, info: &[u8]) -> Secret {
    Secret::from_fn(|out| expand(key.expose_secret(), &[info], out))
}

/// Two of one key, which is taken up once for both.
pub(crate) fn exp_both(key: &Secret, infos: [&[u8]; 2]) -> [Secret; 2] {
    let keyed = hmac(key.expose_secret());
    infos.map(|info| Secret::from_fn(|out| expand_keyed(&keyed, &[info], out)))
}

/// `EXP(EXT(salt, ikm), info)`: extract and expand. The whole 64-byte extract is the expand's key.
pub(crate) fn exp_ext(salt: &Secret, ikm: &Secret, info: &[u8]) -> Secret {
    let mut extract = hmac(salt.expose_secret());
    extract.update(ikm.expose_secret());
    let mut prk = Zeroizing::new([0u8; 64]);
    prk.copy_from_slice(&extract.finalize().into_bytes());
    let mut mac = hmac(&prk[..]);
    mac.update(info);
    mac.update(&[1]);
    Secret::from_fn(|out| out.copy_from_slice(&mac.finalize().into_bytes()[..32]))
}

fn hmac(key: &[u8]) -> Hmac<Sha512> {
    // HMAC takes keys of any length: `new_from_slice` never fails.
    <Hmac<Sha512> as KeyInit>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes any key"))
}

#[cfg(test)]
mod tests {
    use ring::hkdf;

    use super::*;

    struct Len(usize);
    impl hkdf::KeyType for Len {
        fn len(&self) -> usize {
            self.0
        }
    }

    #[test]
    fn both_halves_agree_with_an_independent_hkdf() {
        let (salt, ikm) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        let mut expected = [0; 76];
        let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA512, ikm.expose_secret());
        prk.expand(&[b"a", b"bc"], Len(76)).unwrap().fill(&mut expected).unwrap();
        let mut ours = [0; 76];
        expand(ikm.expose_secret(), &[b"abc"], &mut ours);
        assert_eq!(ours, expected);
        let [one, other] = exp_both(&ikm, [b"abc", b"d"]);
        assert_eq!(one.expose_secret(), &expected[..32]);
        assert_eq!(other.expose_secret(), exp(&ikm, b"d").expose_secret());

        let prk = hkdf::Salt::new(hkdf::HKDF_SHA512, salt.expose_secret()).extract(ikm.expose_secret());
        let mut expected = [0; 32];
        prk.expand(&[b"info"], Len(32)).unwrap().fill(&mut expected).unwrap();
        assert_eq!(exp_ext(&salt, &ikm, b"info").expose_secret(), &expected);
    }
}
