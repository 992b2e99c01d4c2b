use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::checkpoint::{Checkpoint, SignedCheckpoint, origin_of};
use super::leaf::Leaf;
use super::merkle::Hash;
use super::verify::verify_inclusion;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{hex, unhex};
use crate::key::PublicKey;

const TLOG_PROOF: &str = "c2sp.org/tlog-proof@v1";
/// Hashes of a proof, bytes of its text, at the most.
const MAX_PATH: usize = 63;
const MAX_TEXT: usize = 256 * 1024;
/// The highest number in a text.
const MAX_NUMBER: u64 = i64::MAX as u64;

/// That a log includes an entry: its leaf, the way from there to the root, and the signed root.
#[derive(Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The entry's leaf.
    pub leaf: Leaf,
    /// The entry's number.
    pub index: u64,
    /// Siblings, from the leaf's up.
    pub path: Vec<Hash>,
    /// The head that the way leads to.
    pub checkpoint: SignedCheckpoint,
}

impl fmt::Debug for InclusionProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { leaf, index, path, checkpoint } = self;
        write!(f, "InclusionProof({leaf:?}, entry {index}, {} hashes, {checkpoint:?})", path.len())
    }
}

impl InclusionProof {
    /// Checks everything: the log's signature, the way from the leaf to the root, the message, and its actor's signature.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if one of them does not hold.
    pub fn verify(&self, message: &[u8], actor: &PublicKey, log: &PublicKey) -> Result<()> {
        self.leaf.verify(message, actor)?;
        let Checkpoint { origin: _, size, root } = self.checkpoint.verify(log)?;
        verify_inclusion(&self.leaf.hash(), self.index, *size, &self.path, root)
    }

    /// As C2SP tlog-proof has it. The leaf is not in it: whoever verifies makes it from the message and the actor's
    /// signature.
    pub fn to_tlog_proof(&self) -> String {
        let path: String = self.path.iter().map(|hash| format!("{}\n", STANDARD.encode(hash))).collect();
        format!("{TLOG_PROOF}\nindex {}\n{path}\n{}", self.index, self.checkpoint)
    }

    /// Parses a C2SP tlog-proof of a leaf.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is none. Nothing is verified.
    pub fn from_tlog_proof(text: &str, leaf: Leaf) -> Result<Self> {
        let parse = || {
            let (proof, checkpoint) = text.split_once("\n\n").filter(|_| text.len() <= MAX_TEXT)?;
            let mut lines = proof.split('\n').peekable();
            lines.next().filter(|line| *line == TLOG_PROOF)?;
            if let Some(extra) = lines.next_if(|line| line.starts_with("extra ")) {
                STANDARD.decode(&extra["extra ".len()..]).ok()?;
            }
            let index = number(lines.next()?.strip_prefix("index ")?)?;
            let path = lines.map(|line| STANDARD.decode(line).ok()?.try_into().ok()).collect::<Option<Vec<Hash>>>()?;
            let checkpoint = checkpoint.parse().ok()?;
            (path.len() <= MAX_PATH).then_some(Self { leaf, index, path, checkpoint })
        };
        parse().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "parsing a tlog-proof"))
    }

    /// As Sigsum has it, version 2. `log` is the key whose signature the checkpoint bears; cosignatures of keys that are
    /// not named by their hash have no place in it and are left out.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the checkpoint has no signature of that key, or another origin than
    /// [`origin_of`] it: Sigsum knows no other.
    pub fn to_sigsum_proof(&self, log: &PublicKey) -> Result<String> {
        let Checkpoint { origin, size, root } = self.checkpoint.checkpoint();
        let signature = self.checkpoint.log_signature(log).filter(|_| *origin == origin_of(log));
        let signature = signature.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "writing a Sigsum proof"))?;
        let mut text = format!(
            "version=2\nlog={}\nleaf={} {}\n\nsize={size}\nroot_hash={}\nsignature={}\n",
            hex(&Sha256::digest(log.as_bytes())),
            hex(&self.leaf.key_hash),
            hex(&self.leaf.signature),
            hex(root),
            hex(&signature)
        );
        // Two of one key are refused, so of two names that end with it the first is taken.
        let mut named = Vec::new();
        for (name, bytes) in self.checkpoint.cosignatures() {
            let key_hash = name.rsplit('/').next().filter(|hash| array::<32>(hash).is_some() && !named.contains(hash));
            let timed = bytes.split_first_chunk::<8>().filter(|(_, signature)| signature.len() == 64);
            let timed = timed.map(|(time, signature)| (u64::from_be_bytes(*time), signature));
            if let (Some(key_hash), Some((time, signature))) = (key_hash, timed.filter(|(time, _)| *time <= MAX_NUMBER))
            {
                named.push(key_hash);
                text.push_str(&format!("cosignature={key_hash} {time} {}\n", hex(signature)));
            }
        }
        // A tree of one leaf has no way to go.
        if *size > 1 {
            text.push_str(&format!("\nleaf_index={}\n", self.index));
            self.path.iter().for_each(|hash| text.push_str(&format!("node_hash={}\n", hex(hash))));
        }
        Ok(text)
    }

    /// Parses a Sigsum proof, version 2, of a message in `log`. Its cosignatures are passed over: they do not name their
    /// signers as a checkpoint does.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is none, or of another log. Nothing is verified.
    pub fn from_sigsum_proof(text: &str, message: &[u8], log: &PublicKey) -> Result<Self> {
        let parse = || {
            let body = text.strip_suffix('\n').filter(|_| text.len() <= MAX_TEXT)?;
            let mut sections = body.split("\n\n");
            let (head, tree, way) = (sections.next()?, sections.next()?, sections.next());
            let mut head = head.split('\n');
            let mut field = |name: &str| head.next()?.strip_prefix(name)?.strip_prefix('=');
            field("version").filter(|version| *version == "2")?;
            field("log").filter(|hash| *hash == hex(&Sha256::digest(log.as_bytes())))?;
            let (key_hash, signature) = field("leaf")?.split_once(' ')?;
            let leaf = Leaf { checksum: [0; 32], signature: array(signature)?, key_hash: array(key_hash)? };
            let mut tree_lines = tree.split('\n');
            let mut field = |name: &str| tree_lines.next()?.strip_prefix(name)?.strip_prefix('=');
            let (size, root) = (number(field("size")?)?, array(field("root_hash")?)?);
            let signature = array(field("signature")?)?;
            let mut named = Vec::new();
            for line in tree_lines {
                let key_hash = cosigner(line).filter(|key_hash| !named.contains(key_hash))?;
                named.push(key_hash);
            }
            if head.next().is_some() {
                return None;
            }
            let (mut index, mut path) = (0, Vec::new());
            if let Some(way) = way {
                let mut lines = way.split('\n');
                index = number(lines.next()?.strip_prefix("leaf_index=")?)?;
                path = lines.map(|line| array(line.strip_prefix("node_hash=")?)).collect::<Option<_>>()?;
            }
            let fits =
                sections.next().is_none() && path.len() <= MAX_PATH && way.is_none() == (size == 1) && index < size;
            let checkpoint = Checkpoint { origin: origin_of(log), size, root };
            let checkpoint = SignedCheckpoint::from_signature(checkpoint, log, signature);
            let checksum = Sha256::digest(Sha256::digest(message)).into();
            fits.then_some(Self { leaf: Leaf { checksum, ..leaf }, index, path, checkpoint })
        };
        parse().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "parsing a Sigsum proof"))
    }
}

/// Whose cosignature a line of Sigsum's is, if it has key hash, time and signature.
fn cosigner(line: &str) -> Option<[u8; 32]> {
    let mut words = line.strip_prefix("cosignature=")?.split(' ');
    let (key_hash, time, signature) = (words.next()?, words.next()?, words.next()?);
    let (key_hash, _, _): (_, u64, [u8; 64]) = (array(key_hash)?, number(time)?, array(signature)?);
    words.next().is_none().then_some(key_hash)
}

/// A decimal number as it is written: no sign, no leading zero.
fn number(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|n| n.to_string() == text && *n <= MAX_NUMBER)
}

fn array<const N: usize>(text: &str) -> Option<[u8; N]> {
    unhex(text)?.try_into().ok()
}
