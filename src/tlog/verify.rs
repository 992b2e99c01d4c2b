use super::merkle::{Hash, empty_root, node_hash};
use crate::error::{Error, ErrorKind, Result};

/// Checks an inclusion proof (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// [`Tampered`](ErrorKind::Tampered) if it does not lead to the root.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> Result<()> {
    let bad = || Error::new(ErrorKind::Tampered, "verifying that a log includes an entry");
    if index >= size {
        return Err(bad());
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(bad());
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(bad()) }
}

/// Checks a consistency proof (RFC 9162 section 2.1.4.2).
///
/// # Errors
/// [`Tampered`](ErrorKind::Tampered) if it does not lead to both roots.
pub fn verify_consistency(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> Result<()> {
    let bad = || Error::new(ErrorKind::Tampered, "verifying that a log was only added to");
    let holds = |fits: bool| if fits { Ok(()) } else { Err(bad()) };
    if old > new {
        return Err(bad());
    }
    if old == 0 {
        let empty = *old_root == empty_root() && (new > 0 || *new_root == empty_root());
        return holds(proof.is_empty() && empty);
    }
    if old == new {
        return holds(proof.is_empty() && old_root == new_root);
    }
    // A perfect old tree is its own first node, which the proof leaves out.
    let (first, rest) = if old.is_power_of_two() {
        (*old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or_else(bad)?;
        (*first, rest)
    };
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        (node, last) = (node >> 1, last >> 1);
    }
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in rest {
        if last == 0 {
            return Err(bad());
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    holds(last == 0 && old_hash == *old_root && new_hash == *new_root)
}
