use std::ops::Range;

use super::merkle::{Hash, empty_root, node_hash};
use crate::error::{Error, ErrorKind, Result};

/// Checks an inclusion proof (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// [`Tampered`](ErrorKind::Tampered) if it does not lead to the root.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> Result<()> {
    if inclusion_root(leaf, index, size, proof) == Some(*root) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Tampered, "verifying that a log includes an entry"))
}

/// The root that an inclusion proof leads to; nothing if it has more or fewer hashes than one of that place and size.
pub(crate) fn inclusion_root(leaf: &Hash, index: u64, size: u64, proof: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return None;
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
    (last == 0).then_some(hash)
}

/// Checks a consistency proof (RFC 9162 section 2.1.4.2).
///
/// # Errors
/// [`Tampered`](ErrorKind::Tampered) if it does not lead to both roots.
pub fn verify_consistency(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> Result<()> {
    if old == new && old_root != new_root {
        return Err(inconsistent());
    }
    verify_subtree(0..old, old_root, new, new_root, proof)
}

/// Checks that a range of a log's first `size` leaves makes a tree with `subtree_root`: consistency, if it begins with the
/// first leaf, and inclusion, if it is of one (draft-ietf-plants-merkle-tree-certs, "Verifying a Subtree Consistency
/// Proof"). The range begins at a multiple of the least power of two that is not below its length.
///
/// # Errors
/// [`Tampered`](ErrorKind::Tampered) if the proof does not lead to both roots.
pub fn verify_subtree(leaves: Range<u64>, subtree_root: &Hash, size: u64, root: &Hash, proof: &[Hash]) -> Result<()> {
    let holds = |fits: bool| if fits { Ok(()) } else { Err(inconsistent()) };
    let Range { start, end } = leaves;
    if start > end || end > size {
        return Err(inconsistent());
    }
    if start == end {
        return holds(proof.is_empty() && *subtree_root == empty_root());
    }
    let block = (end - start).checked_next_power_of_two();
    if !block.map_or(start == 0, |block| start % block == 0) {
        return Err(inconsistent());
    }
    let (mut first, mut node, mut last) = (start, end - 1, size - 1);
    // Up to the last perfect subtree, or the whole one if that is one of the tree's nodes.
    while first != node && (node == last || node & 1 == 1) {
        (first, node, last) = (first >> 1, node >> 1, last >> 1);
    }
    // The whole one is known, so the proof leaves it out.
    let (known, rest) = if first == node {
        (*subtree_root, proof)
    } else {
        let (known, rest) = proof.split_first().ok_or_else(inconsistent)?;
        (*known, rest)
    };
    let (mut old_hash, mut new_hash) = (known, known);
    for sibling in rest {
        if last == 0 {
            return Err(inconsistent());
        }
        if node & 1 == 1 || node == last {
            if first < node {
                old_hash = node_hash(sibling, &old_hash);
            }
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                (first, node, last) = (first >> 1, node >> 1, last >> 1);
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (first, node, last) = (first >> 1, node >> 1, last >> 1);
    }
    holds(last == 0 && old_hash == *subtree_root && new_hash == *root)
}

fn inconsistent() -> Error {
    Error::new(ErrorKind::Tampered, "verifying that a log was only added to")
}
