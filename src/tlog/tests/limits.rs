//! Logs as large as numbers allow, and numbers that no log can have.

use super::super::*;
use crate::error::{ErrorKind, Result};

const SIZES: [u64; 9] =
    [(1 << 63) - 1, (1 << 63) - 2, 1 << 62, (1 << 62) + 1, (1 << 62) - 1, 0x5555_5555_5555_5555, 3 << 40, 6, 1];

/// A log whose leaves are all alike: so are its nodes of one level.
struct Alike;

impl Nodes for Alike {
    fn nodes(&self, wanted: &[(u8, u64)]) -> Result<Vec<Hash>> {
        let node = |level| (0..level).fold(leaf_hash(b""), |hash, _| node_hash(&hash, &hash));
        Ok(wanted.iter().map(|(level, _)| node(*level)).collect())
    }
}

#[test]
fn the_largest_logs_prove_what_small_ones_do() {
    for size in SIZES {
        let head = root(size, &Alike).unwrap();
        for index in [0, 1, size / 3, size / 2, size - 1].into_iter().filter(|index| *index < size) {
            let proof = inclusion(index, size, &Alike).unwrap();
            assert!(proof.len() <= 63);
            verify_inclusion(&leaf_hash(b""), index, size, &proof, &head).unwrap();
            assert!(verify_inclusion(&leaf_hash(b"x"), index, size, &proof, &head).is_err());
        }
        for old in SIZES.into_iter().chain([size / 3]).filter(|old| *old <= size) {
            let (before, proof) = (root(old, &Alike).unwrap(), consistency(old, size, &Alike).unwrap());
            verify_consistency(old, &before, size, &head, &proof).unwrap();
            assert!(verify_consistency(old, &[0; 32], size, &head, &proof).is_err());
        }
        let edge = Edge::from_hashes(size, Alike.nodes(&Edge::wanted(size)).unwrap()).unwrap();
        assert_eq!(edge.root(), head);
        let mut longer = edge.clone();
        assert_eq!(longer.push(leaf_hash(b"")).len(), 1 + size.trailing_ones() as usize);
    }
}

#[test]
fn no_numbers_and_no_length_of_a_proof_make_anything_panic() {
    let numbers = [0, 1, 2, 3, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, u64::MAX - 1, u64::MAX];
    for (first, second) in numbers.into_iter().flat_map(|a| numbers.map(|b| (a, b))) {
        for len in [0, 1, 2, 62, 63, 64, 65, 127, 128, 200] {
            let proof = vec![[7; 32]; len];
            let _ = verify_inclusion(&[1; 32], first, second, &proof, &[2; 32]);
            let _ = verify_consistency(first, &[1; 32], second, &[2; 32], &proof);
            let _ = verify_subtree(first..second, &[1; 32], u64::MAX, &[2; 32], &proof);
        }
        let too_large = second > i64::MAX as u64;
        let proved = inclusion(first, second, &Alike).map_err(|e| e.kind());
        assert_eq!(proved.is_err(), too_large || first >= second);
        assert!(proved.is_ok() || proved == Err(ErrorKind::InvalidInput));
        assert_eq!(consistency(first, second, &Alike).is_err(), too_large || first > second);
        root(second, &Alike).unwrap();
    }
    for (level, index) in (0..=255).flat_map(|level| numbers.map(|index| (level, index))) {
        let (entry, position) = place(level, index);
        assert_eq!(position, usize::from(level));
        assert!(entry == u64::MAX || entry + 1 == (index + 1) << level);
    }
}
