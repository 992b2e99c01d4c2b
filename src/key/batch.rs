//! Ed25519 signatures, many at once (RFC 8032; the equation is that of section 5.1.7 without its cofactor).
//!
//! A signature `(R, s)` of `M` by `A` verifies if `s B = R + h A`, where `h = SHA-512(R || A || M)`. Instead of one such
//! equation for each, one is verified that sums them up, each times a random `z` of 128 bits: a sum is a fifth of the work.

use std::collections::HashMap;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, IsIdentity, VartimeMultiscalarMul};
use sha2::{Digest, Sha512};

use super::signing::PublicKey;
use crate::id::random;

/// Fewer than these are faster verified one by one.
const FEW: usize = 48;
/// Bytes of randomness for each point: its factor, and a bit for each of the halves that it may be in.
const FACTOR: usize = 16;
const HALVES: usize = 2;

/// A signature, and of what and by whom it is said to be.
pub(crate) struct Claim {
    pub(crate) key: PublicKey,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: [u8; 64],
}

impl Claim {
    fn verify(&self) -> bool {
        self.key.verify(&self.message, &self.signature, "verifying a signature").is_ok()
    }
}

/// Whether each signature verifies, strictly, as it would alone: if those of a batch do not together, it is halved until
/// the guilty ones stand alone.
pub(crate) fn verify_all(claims: &[Claim]) -> Vec<bool> {
    if claims.len() < FEW {
        return claims.iter().map(Claim::verify).collect();
    }
    if holds(claims).is_some() {
        return vec![true; claims.len()];
    }
    let (first, second) = claims.split_at(claims.len() / 2);
    [verify_all(first), verify_all(second)].concat()
}

/// Something if every signature verifies. Nothing may also mean that one has a key of mixed order, or that there is no
/// randomness.
///
/// Whoever forges a signature must guess `z`. The holder of a key can do one thing more: add a point of small order to `R`
/// or to the key. The sum then still holds with a chance of at least 1 in 8 where the single equation does not, so that an
/// audit would be clean and a receipt still be refused by whoever verifies it alone. He could not have it say anything that he
/// might not have signed properly, but he could dispute it afterwards. So no point may have such a part. To show that of
/// each would cost as much as to verify its signature; instead, sums of random halves of the points are shown to have
/// none. One that has such a part spoils each of these sums with a chance of 1 in 2 at least, whatever the others are: 16 sums
/// miss it once in 65,536 times, drawn anew in each audit.
fn holds(claims: &[Claim]) -> Option<()> {
    let mut points = Vec::with_capacity(claims.len() + 2);
    let mut factors = Vec::with_capacity(claims.len() + 2);
    let (mut base, mut keys) = (Scalar::ZERO, HashMap::<PublicKey, Scalar>::new());
    let mut drawn = vec![0; claims.len() * FACTOR];
    random(&mut drawn).ok()?;
    for (claim, drawn) in claims.iter().zip(drawn.as_chunks::<FACTOR>().0) {
        let (r, s) = claim.signature.split_first_chunk::<32>()?;
        let s = Scalar::from_canonical_bytes(s.try_into().ok()?).into_option()?;
        let hash = Sha512::new_with_prefix(r).chain_update(claim.key.as_bytes()).chain_update(&claim.message);
        let h = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        let z = Scalar::from(u128::from_le_bytes(*drawn));
        base += z * s;
        *keys.entry(claim.key).or_insert(Scalar::ZERO) += z * h;
        // Of the points of small order only this one has no such part as is looked for below. A point that can be encoded in
        // two ways is of small order, or one whose logarithm nobody knows.
        points.push(CompressedEdwardsY(*r).decompress().filter(|point| !point.is_identity())?);
        factors.push(z);
    }
    for (key, factor) in keys {
        points.push(CompressedEdwardsY(*key.as_bytes()).decompress()?);
        factors.push(factor);
    }
    are_torsion_free(&points)?;
    points.push(ED25519_BASEPOINT_POINT);
    factors.push(-base);
    EdwardsPoint::vartime_multiscalar_mul(factors, points).is_identity().then_some(())
}

/// A byte drawn for a point says in which of eight sums it is. Points of equal bytes are summed up first.
fn are_torsion_free(points: &[EdwardsPoint]) -> Option<()> {
    let mut drawn = vec![0; points.len() * HALVES];
    random(&mut drawn).ok()?;
    drawn.chunks(points.len().max(1)).try_for_each(|bytes| {
        let mut equal = [EdwardsPoint::identity(); 256];
        for (point, byte) in points.iter().zip(bytes) {
            equal[usize::from(*byte)] += point;
        }
        (0..8)
            .all(|bit| {
                let half = (0..256).filter(|byte| byte >> bit & 1 == 1).map(|byte: usize| &equal[byte]);
                half.sum::<EdwardsPoint>().is_torsion_free()
            })
            .then_some(())
    })
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;

    use super::*;

    /// Signs as one who holds the key `secret B + stray` may, with `r B + odd` for R.
    fn sign(secret: Scalar, stray: EdwardsPoint, r: u64, odd: EdwardsPoint, message: &[u8]) -> Claim {
        let key = (EdwardsPoint::mul_base(&secret) + stray).compress().to_bytes();
        let r_point = (EdwardsPoint::mul_base(&Scalar::from(r)) + odd).compress().to_bytes();
        let hash = Sha512::new_with_prefix(r_point).chain_update(key).chain_update(message);
        let h = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&r_point);
        signature[32..].copy_from_slice((Scalar::from(r) + h * secret).as_bytes());
        Claim { key: PublicKey::from_bytes(key).unwrap(), message: message.to_vec(), signature }
    }

    fn none() -> EdwardsPoint {
        EIGHT_TORSION[0]
    }

    fn good(count: u64) -> Vec<Claim> {
        (0..count).map(|n| sign(Scalar::from(7 + n % 3), none(), 100 + n, none(), &n.to_be_bytes())).collect()
    }

    fn singly(claims: &[Claim]) -> Vec<bool> {
        claims.iter().map(Claim::verify).collect()
    }

    #[test]
    fn signatures_that_verify_alone_verify_together_without_being_looked_at_singly() {
        let claims = good(200);
        assert_eq!(holds(&claims), Some(()));
        assert_eq!(verify_all(&claims), [true; 200]);
        assert_eq!(verify_all(&claims[..3]), [true; 3]);
        assert!(verify_all(&[]).is_empty());
    }

    #[test]
    fn the_guilty_are_named_among_many() {
        let mut claims = good(300);
        claims[17].message.push(0);
        claims[200].signature[3] ^= 1;
        claims[299].key = claims[0].key;
        claims[250].signature[40] ^= 1;
        let bad: Vec<usize> = (0..300).zip(verify_all(&claims)).filter(|(_, good)| !good).map(|(n, _)| n).collect();
        assert_eq!(bad, [17, 200, 250, 299]);
        assert_eq!(verify_all(&claims), singly(&claims));
    }

    #[test]
    fn what_is_malformed_is_refused_as_it_is_alone() {
        const ORDER: [u8; 32] = [
            0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut claims = good(100);
        // s + the order of the group: the same number, said otherwise.
        let mut carry = 0;
        for (byte, order) in claims[1].signature[32..].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(order) + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        // R of small order, with the equation true.
        claims[2] = sign(Scalar::from(9u8), none(), 0, none(), b"neutral");
        // The neutral point in its second encoding.
        claims[3] = sign(Scalar::from(9u8), none(), 0, none(), b"neutral");
        claims[3].signature[31] = 0x80;
        let refused: Vec<usize> = (0..100).filter(|n| !verify_all(&claims)[*n]).collect();
        assert_eq!(refused, [1, 2, 3]);
        assert_eq!(singly(&claims), verify_all(&claims));
    }

    #[test]
    fn a_point_of_small_order_that_the_signer_added_is_found_also_where_two_cancel_out() {
        for (one, other) in [(1, 7), (4, 4), (2, 0), (3, 5)] {
            let mut claims = good(100);
            claims[10] = sign(Scalar::from(7u8), none(), 999, EIGHT_TORSION[one], b"odd");
            claims[90] = sign(Scalar::from(7u8), none(), 888, EIGHT_TORSION[other], b"odd too");
            assert!(!claims[10].verify());
            for _ in 0..20 {
                assert_eq!(verify_all(&claims), singly(&claims));
            }
        }
    }

    #[test]
    fn of_a_key_of_mixed_order_the_same_signatures_verify_as_alone() {
        let claims: Vec<Claim> =
            (0..200).map(|n| sign(Scalar::from(7u8), EIGHT_TORSION[1], 100 + n, none(), &n.to_be_bytes())).collect();
        let alone = singly(&claims);
        assert!(alone.contains(&true) && alone.contains(&false));
        assert_eq!(verify_all(&claims), alone);
    }
}
