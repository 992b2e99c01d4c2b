//! Judges a ledger's export with the crates `signed_note`, `tlog_tiles`, `ct-merkle` and `sigsum`. Argument: the export.
//! Every check is also made on a twin with something changed, which must be refused.

use base64::prelude::*;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use sha2::Sha256;
use signed_note::{Note, StandardVerifier, VerifierList};
use sigsum::{Policy, PublicKey, Signature, SigsumSignature};
use std::path::{Path, PathBuf};
use tlog_tiles::{
    Checkpoint, Error as TlogError, Hash, HashReader, Tile, TileHashReader, TileReader, check_record, check_tree,
    prove_tree, record_hash, stored_hash_index,
};

type Check<T = ()> = Result<T, String>;
type Leaf = [u8; 128];

fn main() {
    let export = PathBuf::from(std::env::args().nth(1).expect("the export's folder"));
    if let Err(complaint) = judge(&export) {
        eprintln!("interop-ledger: {complaint}");
        std::process::exit(1);
    }
}

fn judge(export: &Path) -> Check {
    let vkey = text(export, "log.vkey")?;
    let vkey = vkey.trim_end();
    let newest = read(export, "checkpoint")?;
    let head = open_note(&newest, vkey)?;
    refused("a changed checkpoint, by signed_note", altered(&newest, 2, |n| open_note(n, vkey)))?;
    println!("signed_note: the checkpoint of {} entries", head.size());

    let leaves = entries(export, head.size())?;
    tiles(export, &head, &leaves, None)?;
    let paths = paths(head.size());
    for path in [paths.first(), paths.last()].into_iter().flatten() {
        refused("a changed tile, by tlog_tiles", tiles(export, &head, &leaves, Some(path)))?;
    }
    println!("tlog_tiles: {} tiles and {} entries hash to it", paths.len(), leaves.len());

    let tree = rebuilt(&leaves, &head)?;
    let mut twin = leaves.clone();
    twin[leaves.len() / 2][40] ^= 1;
    refused("a changed entry, by ct-merkle", rebuilt(&twin, &head))?;
    println!("ct-merkle: {} entries hash to it", leaves.len());

    let policy = Policy::parse(&text(export, "policy.sigsum")?).map_err(said)?;
    let signers = signers(export)?;
    messages(export, &leaves, &signers)?;

    let (mut receipts, mut skipped) = (0, 0);
    let mut names: Vec<_> = std::fs::read_dir(export.join("receipts"))
        .map_err(said)?
        .filter_map(|f| Some(f.ok()?.path().with_extension("")))
        .collect();
    names.sort();
    names.dedup();
    for name in names {
        let message = std::fs::read(name.with_extension("json")).map_err(said)?;
        let proof = std::fs::read(name.with_extension("tlog-proof")).map_err(said)?;
        let seq: u64 = name.file_name().and_then(|n| n.to_str()?.parse().ok()).ok_or("a receipt's name")?;
        included(&proof, vkey, seq, &leaves, &tree, &head, export)?;
        let lines = proof.split(|b| *b == b'\n').count() - 1;
        for line in (0..lines).filter(|l| !blank(&proof, *l) && !by_another(&proof, *l, vkey)) {
            let twin = altered(&proof, line, |p| included(p, vkey, seq, &leaves, &tree, &head, export));
            refused(&format!("receipt {seq}, its tlog-proof's line {line} changed"), twin)?;
        }
        let proof = std::fs::read_to_string(name.with_extension("sigsum-proof")).map_err(said)?;
        if proof.split("\n\n").count() < 3 {
            // `sigsum` 0.3.0 reads no proof without a third block, `sigsum-verify` none with one, when the tree's size is 1.
            println!("SKIPPED for sigsum: receipt {seq} is against a tree of one entry");
            skipped += 1;
            continue;
        }
        judged(&proof, &message, &signers, &policy)?;
        refused(&format!("receipt {seq}, its message changed"), judged(&proof, &message[1..], &signers, &policy))?;
        for line in (0..proof.lines().count()).filter(|l| !blank(proof.as_bytes(), *l)) {
            if proof.lines().nth(line).is_some_and(|l| !l.starts_with("cosignature=")) {
                let twin = altered(proof.as_bytes(), line, |p| {
                    judged(std::str::from_utf8(p).map_err(said)?, &message, &signers, &policy)
                });
                refused(&format!("receipt {seq}, its sigsum-proof's line {line} changed"), twin)?;
            }
        }
        receipts += 1;
    }
    if receipts == 0 {
        return Err("no receipts".into());
    }
    println!("tlog_tiles, ct-merkle: {} receipts, and their checkpoints are the newest's past", receipts + skipped);
    println!("sigsum: {receipts} receipts");
    println!("refused: every line of each proof changed, by the crate that reads it");
    Ok(())
}

/// The checkpoint of a note that the log has signed, with its own name as the origin.
fn open_note(note: &[u8], vkey: &str) -> Check<Checkpoint> {
    let log = StandardVerifier::new(vkey).map_err(said)?;
    let note = Note::from_bytes(note).map_err(said)?;
    note.verify(&VerifierList::new(vec![Box::new(log)])).map_err(said)?;
    let head = Checkpoint::from_bytes(note.text()).map_err(said)?;
    same(vkey.split('+').next() == Some(head.origin()), "the origin is the key's name")?;
    same(head.extension().is_empty() && head.size() > 0, "a size and no extension")?;
    Ok(head)
}

/// Where the specification puts a tile: the crate's path has the height in it.
fn place(tile: &Tile) -> String {
    tile.path().replacen("tile/8/", "tile/", 1).replacen("tile/data/", "tile/entries/", 1)
}

fn paths(size: u64) -> Vec<String> {
    Tile::new_tiles(8, 0, size).iter().map(place).collect()
}

fn entries(export: &Path, size: u64) -> Check<Vec<Leaf>> {
    let mut leaves = Vec::new();
    for mut tile in Tile::new_tiles(8, 0, size).into_iter().filter(|t| t.level() == 0) {
        tile.set_is_data();
        let bundle = read(export, &place(&tile))?;
        same(bundle.len() == tile.width() as usize * 130, "a bundle's length")?;
        for entry in bundle.chunks(130) {
            same(entry[..2] == [0, 128], "an entry of 128 bytes")?;
            leaves.push(entry[2..].try_into().map_err(said)?);
        }
    }
    same(leaves.len() as u64 == size, "as many entries as the checkpoint says")?;
    Ok(leaves)
}

struct Tiles<'a> {
    export: &'a Path,
    twin: Option<&'a String>,
}

impl TileReader for Tiles<'_> {
    fn height(&self) -> u8 {
        8
    }
    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, TlogError> {
        let one = |tile: &Tile| {
            let mut hashes = read(self.export, &place(tile)).map_err(|_| TlogError::InvalidTile)?;
            if self.twin == Some(&place(tile)) {
                hashes[7] ^= 1;
            }
            if hashes.len() == tile.width() as usize * 32 { Ok(hashes) } else { Err(TlogError::InvalidTile) }
        };
        tiles.iter().map(one).collect()
    }
    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// All tiles are there, agree with the checkpoint, and hold the hashes of the entries.
fn tiles(export: &Path, head: &Checkpoint, leaves: &[Leaf], twin: Option<&String>) -> Check {
    let files = Tiles { export, twin };
    let reader = TileHashReader::new(head.size(), *head.hash(), &files);
    let places: Vec<_> = (0..head.size()).map(|i| stored_hash_index(0, i)).collect();
    let hashes = reader.read_hashes(&places).map_err(said)?;
    same(hashes.iter().zip(leaves).all(|(h, l)| *h == record_hash(l)), "the entries of the tiles")?;
    for tile in Tile::new_tiles(8, 0, head.size()) {
        let stored = files.read_tiles(&[tile]).map_err(said)?.remove(0);
        same(tile.read_data(&reader).map_err(said)? == stored, &tile.path())?;
    }
    Ok(())
}

fn rebuilt(leaves: &[Leaf], head: &Checkpoint) -> Check<MemoryBackedTree<Sha256, Leaf>> {
    let mut tree = MemoryBackedTree::new();
    leaves.iter().for_each(|leaf| tree.push(*leaf));
    same(tree.root() == root(head), "the root of the entries")?;
    Ok(tree)
}

fn root(head: &Checkpoint) -> RootHash<Sha256> {
    RootHash::new(head.hash().0.into(), head.size())
}

fn signers(export: &Path) -> Check<Vec<PublicKey>> {
    let mut keys = Vec::new();
    for file in std::fs::read_dir(export.join("keys")).map_err(said)? {
        let path = file.map_err(said)?.path();
        let line = std::fs::read_to_string(&path).map_err(said)?;
        let blob = line.split_whitespace().nth(1).and_then(|b| BASE64_STANDARD.decode(b).ok()).ok_or("a key's line")?;
        let raw = blob.strip_prefix(b"\0\0\0\x0bssh-ed25519\0\0\0 ".as_slice()).ok_or("an Ed25519 key")?;
        let key = PublicKey::from(<[u8; 32]>::try_from(raw).map_err(said)?);
        let hash = format!("{:x}", sigsum::Hash::new(&key));
        same(path.file_stem().is_some_and(|stem| stem == hash.as_str()), "a key file's name is its key's hash")?;
        keys.push(key);
    }
    Ok(keys)
}

/// Every message at hand is the one of its entry, and the entry is signed by a key at hand.
fn messages(export: &Path, leaves: &[Leaf], signers: &[PublicKey]) -> Check {
    let all = read(export, "messages.jsonl")?;
    let lines: Vec<_> = all.split_inclusive(|b| *b == b'\n').collect();
    same(lines.len() == leaves.len() && all.ends_with(b"\n"), "a line for every entry")?;
    let mut withheld = 0;
    for (line, leaf) in lines.iter().zip(leaves) {
        if line.len() == 1 {
            withheld += 1;
            continue;
        }
        signed_entry(line, leaf, signers)?;
        let mut twin = line.to_vec();
        twin[0] ^= 1;
        refused("a changed message", signed_entry(&twin, leaf, signers))?;
    }
    println!("sigsum: {} messages and their entries' signatures; {withheld} withheld", lines.len() - withheld);
    Ok(())
}

fn signed_entry(message: &[u8], leaf: &Leaf, signers: &[PublicKey]) -> Check {
    let checksum = sigsum::Hash::new(sigsum::Hash::new(message));
    same(checksum.as_ref() == &leaf[..32], "an entry's checksum")?;
    let key = signers.iter().find(|k| sigsum::Hash::new(k).as_ref() == &leaf[96..]).ok_or("an entry's key")?;
    let signature = Signature::from(<[u8; 64]>::try_from(&leaf[32..96]).map_err(said)?);
    let signed = [b"sigsum.org/v1/tree-leaf\0", checksum.as_ref()].concat();
    same(key.verify_signature(signed, &signature), "an entry's signature")
}

/// A C2SP tlog-proof of entry `seq`, against a checkpoint that the newest one extends.
fn included(
    proof: &[u8],
    vkey: &str,
    seq: u64,
    leaves: &[Leaf],
    tree: &MemoryBackedTree<Sha256, Leaf>,
    newest: &Checkpoint,
    export: &Path,
) -> Check {
    let proof = std::str::from_utf8(proof).map_err(said)?;
    let (lines, checkpoint) = proof.split_once("\n\n").ok_or("no empty line")?;
    let mut lines = lines.split('\n').peekable();
    same(lines.next() == Some("c2sp.org/tlog-proof@v1"), "the first line")?;
    let leaf = leaves.get(seq as usize).ok_or("no such entry")?;
    if let Some(extra) = lines.next_if(|l| l.starts_with("extra ")) {
        same(BASE64_STANDARD.decode(&extra[6..]).is_ok_and(|e| e == leaf), "the extra line is the entry")?;
    }
    same(lines.next() == Some(&format!("index {seq}")), "the index")?;
    let path: Vec<Hash> = lines.map(Hash::parse_hash).collect::<Result<_, _>>().map_err(said)?;
    let head = open_note(checkpoint.as_bytes(), vkey)?;

    let one = check_record(&path, head.size(), *head.hash(), seq, record_hash(leaf));
    let bytes = path.iter().flat_map(|h| h.0).collect();
    let other = root(&head).verify_inclusion(leaf, seq, &InclusionProof::try_from_bytes(bytes).map_err(said)?);
    same(one.is_ok() == other.is_ok(), "tlog_tiles and ct-merkle disagree")?;
    one.map_err(said)?;

    let files = Tiles { export, twin: None };
    let reader = TileHashReader::new(newest.size(), *newest.hash(), &files);
    let past = prove_tree(newest.size(), head.size(), &reader).map_err(said)?;
    check_tree(&past, newest.size(), *newest.hash(), head.size(), *head.hash()).map_err(said)?;
    let past: ConsistencyProof<Sha256> = tree.prove_consistency((newest.size() - head.size()) as usize);
    root(newest).verify_consistency(&root(&head), &past).map_err(said)
}

fn judged(proof: &str, message: &[u8], signers: &[PublicKey], policy: &Policy) -> Check {
    let proof = SigsumSignature::from_ascii(proof).map_err(said)?;
    sigsum::verify(&sigsum::Hash::new(message), &proof, signers, policy).map_err(said)
}

/// What `check` says of a copy in which one character near the end of a line is another one.
fn altered<T>(file: &[u8], line: usize, check: impl Fn(&[u8]) -> Check<T>) -> Check<T> {
    let mut lines: Vec<Vec<u8>> = file.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    let at = lines[line].len() - if lines[line].len() < 20 { 1 } else { 5 };
    lines[line][at] = if lines[line][at] == b'1' { b'2' } else { b'1' };
    check(&lines.join(&b'\n'))
}

fn blank(file: &[u8], line: usize) -> bool {
    file.split(|b| *b == b'\n').nth(line).is_none_or(<[u8]>::is_empty)
}

/// A signature line that another than the log has written: nobody here knows its key.
fn by_another(file: &[u8], line: usize, vkey: &str) -> bool {
    let line = String::from_utf8_lossy(file.split(|b| *b == b'\n').nth(line).unwrap_or_default()).into_owned();
    let name = vkey.split('+').next().unwrap_or_default();
    line.starts_with("— ") && !line.starts_with(&format!("— {name} "))
}

fn read(export: &Path, name: &str) -> Check<Vec<u8>> {
    std::fs::read(export.join(name)).map_err(|e| format!("{name}: {e}"))
}

fn text(export: &Path, name: &str) -> Check<String> {
    std::fs::read_to_string(export.join(name)).map_err(|e| format!("{name}: {e}"))
}

fn same(holds: bool, what: &str) -> Check {
    if holds { Ok(()) } else { Err(format!("does not hold: {what}")) }
}

fn refused<T>(what: &str, verdict: Check<T>) -> Check {
    if verdict.is_ok() { Err(format!("NOT REFUSED: {what}")) } else { Ok(()) }
}

fn said(complaint: impl std::fmt::Debug) -> String {
    format!("{complaint:?}")
}
