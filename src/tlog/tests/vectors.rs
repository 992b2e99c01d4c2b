//! The proofs of transparency-dev's merkle, good and bad.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::{Hash, verify_consistency, verify_inclusion, verify_subtree};

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn vectors(folder: &str) -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/merkle").join(folder);
    let parse =
        |path: PathBuf| (path.display().to_string(), serde_json::from_slice(&fs::read(&path).unwrap()).unwrap());
    files(&root).into_iter().map(parse).collect()
}

/// What is not even a hash is refused before it comes to us.
fn hash(text: &Value) -> Option<Hash> {
    STANDARD.decode(text.as_str()?).ok()?.try_into().ok()
}

/// Some roots are words that must be equal: they become hashes, equal ones equal ones.
fn word(text: &Value) -> Hash {
    hash(text).unwrap_or_else(|| Sha256::digest(text.to_string()).into())
}

fn hashes(list: &Value) -> Option<Vec<Hash>> {
    list.as_array().into_iter().flatten().map(hash).collect()
}

fn included(vector: &Value, index: u64, size: u64) -> Option<()> {
    let (leaf, root, proof) = (hash(&vector["leafHash"])?, hash(&vector["root"])?, hashes(&vector["proof"])?);
    verify_inclusion(&leaf, index, size, &proof, &root).ok()
}

fn consistent(vector: &Value, old: u64, new: u64) -> Option<()> {
    let (before, after, proof) = (word(&vector["root1"]), word(&vector["root2"]), hashes(&vector["proof"])?);
    verify_consistency(old, &before, new, &after, &proof).ok()
}

fn judge(name: &str, vector: &Value, verdict: Option<()>) {
    // They call a proof from the empty tree useless; C2SP allows it, and so do we.
    let useless = name.ends_with("size1-is-zero-and-size2-is-not-zero.json");
    let refused = vector["wantErr"].as_bool().unwrap() && !useless;
    assert_eq!(verdict.is_none(), refused, "{name}: {}", vector["desc"]);
}

#[test]
fn every_inclusion_proof_is_judged_as_it_should_be() {
    let vectors = vectors("inclusion");
    assert_eq!(vectors.len(), 98);
    for (name, vector) in vectors {
        let number = |field: &str| vector[field].as_u64().unwrap();
        judge(&name, &vector, included(&vector, number("leafIdx"), number("treeSize")));
    }
}

#[test]
fn every_consistency_proof_is_judged_as_it_should_be() {
    let vectors = vectors("consistency");
    assert_eq!(vectors.len(), 98);
    for (name, vector) in vectors {
        let number = |field: &str| vector[field].as_u64().unwrap();
        judge(&name, &vector, consistent(&vector, number("size1"), number("size2")));
    }
}

/// A leaf in a subtree is a leaf in a tree of its own, if the subtree is one (draft-ietf-plants-merkle-tree-certs).
#[test]
fn every_inclusion_proof_of_a_subtree_is_judged_as_it_should_be() {
    let vectors = vectors("subtreeinclusion");
    assert_eq!(vectors.len(), 204);
    for (name, vector) in vectors {
        let number = |field: &str| vector[field].as_u64().unwrap();
        let (index, start, end) = (number("leafIdx"), number("start"), number("end"));
        let size = end
            .checked_sub(start)
            .filter(|size| size.checked_next_power_of_two().is_some_and(|whole| start % whole == 0));
        let verdict = size.and_then(|size| included(&vector, index.checked_sub(start)?, size));
        judge(&name, &vector, verdict);
    }
}

#[test]
fn every_consistency_proof_of_a_subtree_is_judged_as_it_should_be() {
    let vectors = vectors("subtreeconsistency");
    assert_eq!(vectors.len(), 118);
    for (name, vector) in vectors {
        let number = |field: &str| vector[field].as_u64().unwrap();
        let (part, whole) = (word(&vector["root1"]), word(&vector["root2"]));
        let verdict = hashes(&vector["proof"]).and_then(|proof| {
            verify_subtree(number("start")..number("end"), &part, number("size"), &whole, &proof).ok()
        });
        judge(&name, &vector, verdict);
    }
}
