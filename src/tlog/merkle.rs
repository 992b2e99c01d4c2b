//! RFC 6962 section 2.1: `H(0x00 || leaf)`, `H(0x01 || left || right)`, SHA-256.

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};

/// A SHA-256 digest: a leaf's, a node's, or a tree's.
pub type Hash = [u8; 32];

/// The hash of a leaf's bytes.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new_with_prefix([0]).chain_update(leaf).finalize().into()
}

/// The hash of two subtrees.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of a tree without leaves.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// Roots of perfect subtrees of a log. Node `(level, index)` covers the leaves from `index << level` up to and without
/// `(index + 1) << level`.
pub trait Nodes {
    /// The nodes that are asked for, in that order.
    ///
    /// # Errors
    /// Whatever keeps them from being had.
    fn nodes(&self, wanted: &[(u8, u64)]) -> Result<Vec<Hash>>;
}

/// Which entry of a log completes node `(level, index)`, and the place of the node among the hashes that the entry
/// completes. `u64::MAX` for nodes that no log can have.
pub fn place(level: u8, index: u64) -> (u64, usize) {
    let end = index.checked_add(1).and_then(|end| end.checked_mul(1u64.checked_shl(level.into())?));
    (end.map_or(u64::MAX, |end| end - 1), usize::from(level))
}

/// The perfect subtrees that a range of leaves falls into, from the left, where `start` is a multiple of the largest.
fn subtrees(start: u64, end: u64) -> Vec<(u8, u64)> {
    let (mut at, mut nodes) = (start, Vec::new());
    while at < end {
        // The largest that begins here and does not go too far.
        let level = (63 - (end - at).leading_zeros()).min(if at == 0 { 63 } else { at.trailing_zeros() });
        nodes.push((level as u8, at >> level));
        at += 1 << level;
    }
    nodes
}

/// The root over subtrees that [`subtrees`] gave.
fn fold(hashes: &[Hash]) -> Option<Hash> {
    let (last, rest) = hashes.split_last()?;
    Some(rest.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}

/// The root of the first `size` leaves.
///
/// # Errors
/// [`Damaged`](ErrorKind::Damaged) if `nodes` gives fewer than were asked for, or more; else those of `nodes`.
pub fn root(size: u64, nodes: &impl Nodes) -> Result<Hash> {
    if size == 0 {
        return Ok(empty_root());
    }
    gather(vec![subtrees(0, size)], nodes)?.pop().ok_or_else(missing)
}

/// Proofs are folded from groups of nodes, each of which becomes one hash.
fn gather(groups: Vec<Vec<(u8, u64)>>, nodes: &impl Nodes) -> Result<Vec<Hash>> {
    let wanted = groups.concat();
    let hashes = if wanted.is_empty() { Vec::new() } else { nodes.nodes(&wanted)? };
    if hashes.len() != wanted.len() {
        return Err(missing());
    }
    let mut rest = &hashes[..];
    let mut folded = |group: &Vec<(u8, u64)>| {
        let (own, after) = rest.split_at_checked(group.len())?;
        rest = after;
        fold(own)
    };
    let proof: Option<Vec<Hash>> = groups.iter().map(&mut folded).collect();
    proof.ok_or_else(missing)
}

fn missing() -> Error {
    Error::new(ErrorKind::Damaged, "building a proof from a log's tree")
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (63 - (size - 1).leading_zeros())
}

/// The proof that leaf `index` is among the first `size` (RFC 6962 section 2.1.1), from the leaf's sibling up.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) if it is not; else as [`root`].
pub fn inclusion(index: u64, size: u64, nodes: &impl Nodes) -> Result<Vec<Hash>> {
    if index >= size || size > i64::MAX as u64 {
        return Err(Error::new(ErrorKind::InvalidInput, "proving that a log includes an entry"));
    }
    let (mut start, mut end, mut groups) = (0, size, Vec::new());
    while end - start > 1 {
        let middle = start + split(end - start);
        let (sibling, inside) =
            if index < middle { ((middle, end), (start, middle)) } else { ((start, middle), (middle, end)) };
        groups.push(subtrees(sibling.0, sibling.1));
        (start, end) = inside;
    }
    groups.reverse();
    gather(groups, nodes)
}

/// The proof that the first `new` leaves begin with the first `old` (RFC 6962 section 2.1.2). Empty if `old` is 0 or
/// `new`.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) if `old` is larger; else as [`root`].
pub fn consistency(old: u64, new: u64, nodes: &impl Nodes) -> Result<Vec<Hash>> {
    if old > new || new > i64::MAX as u64 {
        return Err(Error::new(ErrorKind::InvalidInput, "proving that a log was only added to"));
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut start, mut end, mut groups) = (0, new, Vec::new());
    // Down to the subtree that ends where the old tree did.
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            groups.push(subtrees(middle, end));
            end = middle;
        } else {
            groups.push(subtrees(start, middle));
            start = middle;
        }
    }
    if start != 0 {
        groups.push(subtrees(start, end));
    }
    groups.reverse();
    gather(groups, nodes)
}

/// The right edge of a tree: what is needed to append to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    /// Roots of the maximal perfect subtrees, the largest first.
    hashes: Vec<Hash>,
}

impl Edge {
    /// The nodes that make up the edge of a tree of `size` leaves.
    pub fn wanted(size: u64) -> Vec<(u8, u64)> {
        subtrees(0, size)
    }

    /// The edge of a tree of `size` leaves from the nodes that are [`wanted`](Self::wanted).
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if there are more or fewer, or no log can have that size.
    pub fn from_hashes(size: u64, hashes: Vec<Hash>) -> Result<Self> {
        if hashes.len() != size.count_ones() as usize || size > i64::MAX as u64 {
            return Err(Error::new(ErrorKind::InvalidInput, "taking up a log's right edge"));
        }
        Ok(Self { size, hashes })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its root.
    pub fn root(&self) -> Hash {
        fold(&self.hashes).unwrap_or_else(empty_root)
    }

    /// Appends a leaf. Gives the hashes that it completes: its own, then the roots of the perfect subtrees that end with
    /// it, `1 + trailing_ones(index)` in all. A log stores them with the entry; [`place`] finds them again.
    pub fn push(&mut self, leaf: Hash) -> Vec<Hash> {
        let mut completed = vec![leaf];
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            // One bit of the size for every subtree.
            let Some(left) = self.hashes.pop() else { break };
            hash = node_hash(&left, &hash);
            completed.push(hash);
        }
        self.hashes.push(hash);
        self.size += 1;
        completed
    }
}
