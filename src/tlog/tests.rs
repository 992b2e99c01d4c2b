//! Trees, against two other implementations; the rest is in the modules.
#![allow(clippy::unwrap_used)]

mod limits;
mod notes;
mod subtrees;
mod texts;
mod vectors;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof as CtInclusion, RootHash};
use sha2::Sha256;
use tlog_tiles as tiles;

use super::merkle::*;
use super::verify::{verify_consistency, verify_inclusion};
use crate::error::{Error, ErrorKind, Result};

const SIZE: u64 = 140;

/// The hashes that each entry stored, and the root after each, from the empty one.
struct Log {
    stored: Vec<Vec<Hash>>,
    roots: Vec<Hash>,
}

fn entry(number: u64) -> Vec<u8> {
    format!("entry {number}").into_bytes()
}

fn log(size: u64) -> Log {
    let mut edge = Edge::default();
    let mut log = Log { stored: Vec::new(), roots: vec![edge.root()] };
    for number in 0..size {
        log.stored.push(edge.push(leaf_hash(&entry(number))));
        log.roots.push(edge.root());
    }
    log
}

impl Log {
    fn root(&self, size: u64) -> Hash {
        self.roots[size as usize]
    }

    fn leaf(&self, number: u64) -> Hash {
        self.stored[number as usize][0]
    }
}

impl Nodes for Log {
    fn nodes(&self, wanted: &[(u8, u64)]) -> Result<Vec<Hash>> {
        let find = |&(level, index): &(u8, u64)| {
            let (entry, at) = place(level, index);
            self.stored.get(usize::try_from(entry).ok()?)?.get(at).copied()
        };
        let missing = || Error::new(ErrorKind::Damaged, "finding a node");
        wanted.iter().map(find).collect::<Option<_>>().ok_or_else(missing)
    }
}

/// What tlog_tiles calls stored hashes: all of them, one entry's after another's.
impl tiles::HashReader for Log {
    fn read_hashes(&self, indexes: &[u64]) -> std::result::Result<Vec<tiles::Hash>, tiles::Error> {
        let flat = self.stored.concat();
        Ok(indexes.iter().map(|index| tiles::Hash(flat[*index as usize])).collect())
    }
}

fn theirs(proof: &[Hash]) -> Vec<tiles::Hash> {
    proof.iter().map(|hash| tiles::Hash(*hash)).collect()
}

fn ct_root(log: &Log, size: u64) -> RootHash<Sha256> {
    RootHash::new(log.root(size).into(), size)
}

/// Every proof that one fault has made of this one.
fn faulty(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut faulty = Vec::new();
    for at in 0..=proof.len() {
        for added in [[0x5A; 32], proof.get(at).copied().unwrap_or_default()] {
            let mut longer = proof.to_vec();
            longer.insert(at, added);
            faulty.push(longer);
        }
    }
    for at in 0..proof.len() {
        let (mut shorter, mut flipped) = (proof.to_vec(), proof.to_vec());
        shorter.remove(at);
        flipped[at][at] ^= 0x10;
        faulty.extend([shorter, flipped]);
    }
    faulty
}

#[test]
fn place_finds_every_node_and_nothing_is_stored_twice() {
    let log = log(600);
    for (number, own) in (0..).zip(&log.stored) {
        assert_eq!(own.len() as u32, 1 + u64::trailing_ones(number));
        let size = number + 1;
        let stored: usize = log.stored[..size as usize].iter().map(Vec::len).sum();
        assert_eq!(stored as u64, 2 * size - u64::from(size.count_ones()));
        assert_eq!(stored as u64, tiles::stored_hash_count(size));
    }
    for level in 0..10u8 {
        for index in 0..600 >> level {
            let leaves = (index << level)..((index + 1) << level);
            let mut whole = Edge::default();
            leaves.clone().for_each(|number| drop(whole.push(log.leaf(number))));
            assert_eq!(place(level, index), (leaves.end - 1, usize::from(level)));
            assert_eq!(log.nodes(&[(level, index)]).unwrap(), [whole.root()]);
            let flat = tiles::stored_hash_index(level, index) as usize;
            assert_eq!(log.stored.concat()[flat], whole.root());
        }
    }
    for (level, index) in [(64, 0), (255, 0), (0, u64::MAX), (63, 2), (1, u64::MAX / 2)] {
        assert_eq!(place(level, index).0, u64::MAX, "{level} {index}");
    }
}

#[test]
fn an_edge_taken_up_again_goes_on_as_if_it_had_never_been_put_down() {
    let log = log(SIZE);
    let mut edge = Edge::default();
    for size in 0..SIZE {
        let again = Edge::from_hashes(size, log.nodes(&Edge::wanted(size)).unwrap()).unwrap();
        assert_eq!(again, edge);
        assert_eq!((again.size(), again.root()), (size, log.root(size)));
        assert_eq!(edge.push(log.leaf(size)), log.stored[size as usize]);
    }
    assert!(Edge::from_hashes(6, vec![[0; 32]; 3]).is_err());
    assert!(Edge::from_hashes(u64::MAX, vec![[0; 32]; 64]).is_err());
}

#[test]
fn the_roots_are_those_of_others() {
    let log = log(SIZE);
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    assert_eq!(log.root(0), tiles::EMPTY_HASH.0);
    for size in 1..=SIZE {
        tree.push(entry(size - 1));
        assert_eq!(log.root(size)[..], tree.root().as_bytes()[..]);
        assert_eq!(log.root(size), tiles::tree_hash(size, &log).unwrap().0);
        assert_eq!(log.root(size), root(size, &log).unwrap());
    }
}

#[test]
fn every_inclusion_proof_is_the_one_that_others_make_and_accept() {
    let log = log(SIZE);
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=SIZE {
        tree.push(entry(size - 1));
        for index in 0..size {
            let proof = inclusion(index, size, &log).unwrap();
            assert_eq!(proof.concat(), tree.prove_inclusion(index as usize).as_bytes());
            assert_eq!(theirs(&proof), tiles::prove_record(size, index, &log).unwrap());
            verify_inclusion(&log.leaf(index), index, size, &proof, &log.root(size)).unwrap();
            let (ct, own) = (CtInclusion::try_from_bytes(proof.concat()).unwrap(), ct_root(&log, size));
            own.verify_inclusion(&entry(index), index, &ct).unwrap();
            let (root, leaf) = (tiles::Hash(log.root(size)), tiles::Hash(log.leaf(index)));
            tiles::check_record(&theirs(&proof), size, root, index, leaf).unwrap();
        }
        assert!(inclusion(size, size, &log).is_err());
    }
    assert!(inclusion(0, u64::MAX, &log).is_err());
    assert_eq!(inclusion(0, SIZE + 1, &log).unwrap_err().kind(), ErrorKind::Damaged);
}

/// Whether we take the proof of an entry, which the two others must do as well, or refuse as we do.
fn included(number: u64, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    let entry = entry(number);
    let ours = verify_inclusion(&leaf_hash(&entry), index, size, proof, root).is_ok();
    let leaf = tiles::record_hash(&entry);
    let theirs = tiles::check_record(&theirs(proof), size, tiles::Hash(*root), index, leaf).is_ok();
    let ct = CtInclusion::try_from_bytes(proof.concat()).unwrap();
    let ct = RootHash::<Sha256>::new((*root).into(), size).verify_inclusion(&entry, index, &ct).is_ok();
    assert!(ours == theirs && ours == ct, "{number} as {index} of {size}: {ours} {theirs} {ct}");
    ours
}

#[test]
fn an_inclusion_proof_with_a_fault_is_refused_by_us_and_by_others() {
    let log = log(SIZE);
    for size in 1..SIZE {
        for index in 0..size {
            let (proof, root) = (inclusion(index, size, &log).unwrap(), log.root(size));
            for other in faulty(&proof) {
                assert!(!included(index, index, size, &other, &root), "{index} of {size}");
            }
            assert!(!included((index + 1) % SIZE, index, size, &proof, &root));
            for other in [size - 1, size + 1] {
                assert!(!included(index, index, size, &proof, &log.root(other)));
                assert!(!included(index, index, other, &proof, &log.root(other)));
            }
            for other in [index ^ 1, index + 1, index.wrapping_sub(1), size, u64::MAX] {
                assert!(!included(index, other, size, &proof, &root), "{index} as {other} of {size}");
            }
            // Not every size that is wrong can be told from the root alone, which is why both are signed.
            for other in [size - 1, size + 1, size * 2, u64::MAX >> 1] {
                included(index, index, other, &proof, &root);
            }
        }
    }
}

#[test]
fn every_consistency_proof_is_the_one_that_others_make_and_accept() {
    let log = log(SIZE);
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for new in 1..=SIZE {
        tree.push(entry(new - 1));
        for old in 1..=new {
            let proof = consistency(old, new, &log).unwrap();
            assert_eq!(proof.concat(), tree.prove_consistency((new - old) as usize).as_bytes(), "{old} {new}");
            assert_eq!(theirs(&proof), tiles::prove_tree(new, old, &log).unwrap());
            verify_consistency(old, &log.root(old), new, &log.root(new), &proof).unwrap();
            let ct = ConsistencyProof::try_from_bytes(proof.concat()).unwrap();
            ct_root(&log, new).verify_consistency(&ct_root(&log, old), &ct).unwrap();
            let (before, after) = (tiles::Hash(log.root(old)), tiles::Hash(log.root(new)));
            tiles::check_tree(&theirs(&proof), new, after, old, before).unwrap();
        }
        assert!(consistency(new + 1, new, &log).is_err());
    }
    assert!(consistency(1, u64::MAX, &log).is_err());
}

/// Whether we take the proof, which the two others must do as well, or refuse as we do; but they refuse every proof from
/// the empty log.
fn added_to(old: u64, before: &Hash, new: u64, after: &Hash, proof: &[Hash]) -> bool {
    let ours = verify_consistency(old, before, new, after, proof).is_ok();
    let theirs = tiles::check_tree(&theirs(proof), new, tiles::Hash(*after), old, tiles::Hash(*before)).is_ok();
    let ct = ConsistencyProof::try_from_bytes(proof.concat()).unwrap();
    let [ct_old, ct_new] = [(before, old), (after, new)].map(|(root, n)| RootHash::<Sha256>::new((*root).into(), n));
    let ct = ct_new.verify_consistency(&ct_old, &ct).is_ok();
    let fits = if old == 0 { !theirs && !ct } else { ours == theirs && ours == ct };
    assert!(fits, "{old} to {new}: {ours} {theirs} {ct}");
    ours
}

#[test]
fn a_consistency_proof_with_a_fault_is_refused_by_us_and_by_others() {
    let log = log(SIZE);
    for new in 1..SIZE {
        for old in 1..=new {
            let proof = consistency(old, new, &log).unwrap();
            let (before, after) = (log.root(old), log.root(new));
            for other in faulty(&proof) {
                assert!(!added_to(old, &before, new, &after, &other), "{old} {new}");
            }
            assert!(!added_to(old, &[0; 32], new, &after, &proof) && !added_to(old, &before, new, &[0; 32], &proof));
            assert!(old == new || !added_to(old, &after, new, &before, &proof));
            assert!(!added_to(new + 1, &log.root(new + 1), new, &after, &proof));
            for other in [old - 1, old + 1] {
                assert!(!added_to(other, &log.root(other), new, &after, &proof) || (other == 0 && proof.is_empty()));
                assert!(other == new || !added_to(old, &log.root(other), new, &after, &proof));
            }
            for (old, new) in [(old - 1, new), (old + 1, new), (old, new + 1), (old, new - 1), (old, new * 2)] {
                added_to(old, &before, new, &after, &proof);
            }
        }
    }
}

#[test]
fn every_log_begins_with_the_empty_one_and_needs_no_proof_of_it() {
    let log = log(3);
    let (empty, three) = (log.root(0), log.root(3));
    assert_eq!(empty, empty_root());
    assert!(consistency(0, 3, &log).unwrap().is_empty());
    verify_consistency(0, &empty, 3, &three, &[]).unwrap();
    verify_consistency(0, &empty, 0, &empty, &[]).unwrap();
    assert!(verify_consistency(0, &three, 3, &three, &[]).is_err());
    assert!(verify_consistency(0, &empty, 0, &three, &[]).is_err());
    assert!(verify_consistency(0, &empty, 3, &three, &[three]).is_err());
    assert!(verify_inclusion(&three, 0, 0, &[], &three).is_err());
}

#[test]
fn another_number_of_nodes_than_was_asked_for_makes_no_proof_and_no_root() {
    struct Gives(fn(usize) -> usize);
    impl Nodes for Gives {
        fn nodes(&self, wanted: &[(u8, u64)]) -> Result<Vec<Hash>> {
            Ok(vec![[0; 32]; self.0(wanted.len())])
        }
    }
    for nodes in [Gives(|wanted| wanted - 1), Gives(|wanted| wanted + 1), Gives(|_| 0)] {
        assert_eq!(root(11, &nodes).unwrap_err().kind(), ErrorKind::Damaged);
        assert_eq!(inclusion(3, 11, &nodes).unwrap_err().kind(), ErrorKind::Damaged);
        assert_eq!(consistency(3, 11, &nodes).unwrap_err().kind(), ErrorKind::Damaged);
    }
    assert_eq!(root(0, &Gives(|_| 1)).unwrap(), empty_root());
}
