//! Shamir secret sharing over GF(2^8) of 32-byte secrets (the AES polynomial 0x11B; shares at x = 1..N).
//!
//! Too few shares, or a wrong one, combine to a wrong secret without any sign: every share has a commitment beside it,
//! checked before combining.

use std::convert::Infallible;

use getrandom::rand_core::{TryCryptoRng, TryRng};
use vsss_rs::Gf256;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};
use crate::id::random;
use crate::secret::Secret;

/// Cuts `secret` into `count` shares, any `threshold` of which give it back. Share `i` (from 0) lies at x = i + 1.
pub(crate) fn split(secret: &Secret, threshold: u8, count: u8) -> Result<Vec<Secret>> {
    let doing = "sharing a secret";
    // The splitter draws one 64-bit word or less per coefficient.
    let mut pool = Pool(Zeroizing::new(vec![0; 32 * 8 * usize::from(threshold)]));
    random(&mut pool.0)?;
    let shares = Gf256::split_bytes(threshold.into(), count.into(), secret.expose_secret(), &mut pool);
    let shares = shares.map(|s| s.into_iter().map(Zeroizing::new).collect::<Vec<_>>());
    let shares = shares.map_err(|_| Error::new(ErrorKind::InvalidInput, doing))?;
    shares
        .iter()
        .map(|s| Secret::from_slice(&s[1..]).ok_or_else(|| Error::new(ErrorKind::InvalidInput, doing)))
        .collect()
}

/// Combines shares given with their x. The caller has checked each against its commitment.
pub(crate) fn combine(shares: &[(u8, &Secret)]) -> Result<Secret> {
    let rows: Vec<Vec<u8>> = shares.iter().map(|(x, y)| [&[*x][..], y.expose_secret()].concat()).collect();
    let rows = Zeroizing::new(rows);
    let secret = Gf256::combine_bytes(&*rows).map(Zeroizing::new);
    let secret = secret.ok().and_then(|s| Secret::from_slice(&s));
    secret.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "combining shares"))
}

/// Random bytes drawn in one call to the system and handed out by the word: a call per coefficient would cost more
/// than the sharing. Falls back to the system when empty.
struct Pool(Zeroizing<Vec<u8>>);

impl TryRng for Pool {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut word = [0; 4];
        self.try_fill_bytes(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [0; 8];
        self.try_fill_bytes(&mut word)?;
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        if let Some(from) = self.0.len().checked_sub(out.len()) {
            out.copy_from_slice(&self.0[from..]);
            self.0.truncate(from);
        } else if let Err(error) = random(out) {
            // The trait has no way to say it, and shares from anything but randomness would be worse than stopping.
            panic!("{error}: the system stopped giving randomness");
        }
        Ok(())
    }
}

impl TryCryptoRng for Pool {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_threshold_of_the_shares_gives_the_secret_and_one_fewer_does_not() {
        let secret = Secret::generate().unwrap();
        let shares = split(&secret, 3, 5).unwrap();
        let at = |x: usize| (x as u8 + 1, &shares[x]);
        for (a, b, c) in [(0, 1, 2), (0, 2, 4), (4, 3, 1), (2, 3, 4)] {
            assert_eq!(combine(&[at(a), at(b), at(c)]).unwrap().expose_secret(), secret.expose_secret());
        }
        assert_ne!(combine(&[at(0), at(1)]).unwrap().expose_secret(), secret.expose_secret());
    }

    /// The field by its definition: carry-less product modulo x^8 + x^4 + x^3 + x + 1.
    fn mul(mut a: u16, mut b: u16) -> u8 {
        let mut product = 0;
        while b > 0 {
            if b & 1 == 1 {
                product ^= a;
            }
            a <<= 1;
            if a & 0x100 != 0 {
                a ^= 0x11B;
            }
            b >>= 1;
        }
        product as u8
    }

    #[test]
    fn the_library_multiplies_in_the_aes_field_everywhere() {
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                assert_eq!((Gf256(a) * Gf256(b)).0, mul(a.into(), b.into()), "{a} * {b}");
            }
        }
    }

    #[test]
    fn coefficients_take_every_value_so_that_too_few_shares_tell_nothing() {
        // One share of a 2-of-2 splitting of zero is c·1: if any coefficient were impossible, a share would rule out a
        // secret. 256 × 32 draws miss any of 256 values with a probability under 10^-11.
        let zero = Secret::from_slice(&[0; 32]).unwrap();
        let mut seen = [0u32; 256];
        for _ in 0..256 {
            split(&zero, 2, 2).unwrap()[0].expose_secret().iter().for_each(|b| seen[usize::from(*b)] += 1);
        }
        assert!(seen.iter().all(|n| *n > 0), "{seen:?}");
    }
}
