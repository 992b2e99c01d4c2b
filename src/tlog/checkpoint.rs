use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::key::{KeyKind, VerifierKey, is_name, key_id};
use super::merkle::Hash;
use crate::error::{Error, ErrorKind, Result};
use crate::id::hex;
use crate::key::PublicKey;

/// Bytes of a signed checkpoint, and signatures under it, at the most.
const MAX_NOTE: usize = 64 * 1024;
const MAX_SIGNATURES: usize = 100;
/// What begins a signature's line: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// What a log is called, and its key: `sigsum.org/v1/tree/` and the hash of the key.
pub fn origin_of(log: &PublicKey) -> String {
    format!("sigsum.org/v1/tree/{}", hex(&Sha256::digest(log.as_bytes())))
}

/// The head of a log: how many entries it has, and the root over them (C2SP tlog-checkpoint).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// The root over their leaves.
    pub root: Hash,
}

impl Checkpoint {
    /// What is signed: three lines, and no extension.
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    fn parse(body: &str) -> Option<Self> {
        let mut lines = body.split('\n');
        let (origin, size, root, end) = (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
        let size = size.parse::<u64>().ok().filter(|n| *n <= i64::MAX as u64 && n.to_string() == size)?;
        let root = STANDARD.decode(root).ok()?.try_into().ok()?;
        let whole = end.is_empty() && lines.next().is_none() && is_name(origin);
        whole.then(|| Self { origin: origin.to_owned(), size, root })
    }
}

/// A checkpoint with signatures under it: its log's, and others' (C2SP signed-note).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl SignedCheckpoint {
    /// Signs a checkpoint as its log. `sign` gives the Ed25519 signature of what it is shown by `log`.
    pub fn sign(checkpoint: Checkpoint, log: &PublicKey, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Self {
        let signature = sign(checkpoint.body().as_bytes());
        Self::from_signature(checkpoint, log, signature)
    }

    /// Puts a log's signature under its checkpoint, without verifying it.
    pub fn from_signature(checkpoint: Checkpoint, log: &PublicKey, signature: [u8; 64]) -> Self {
        let name = checkpoint.origin.clone();
        let id = key_id(&name, KeyKind::Log, log);
        Self { checkpoint, signatures: vec![Signature { name, id, bytes: signature.to_vec() }] }
    }

    /// What it says. Nothing about who says so: see [`verify`](Self::verify).
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Checks the log's signature.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not there or does not verify.
    pub fn verify(&self, log: &PublicKey) -> Result<&Checkpoint> {
        let doing = "verifying a checkpoint's signature";
        let bad = || Error::new(ErrorKind::Tampered, doing);
        let signature = self.log_signature(log).ok_or_else(bad)?;
        log.verify(self.checkpoint.body().as_bytes(), &signature, doing)?;
        Ok(&self.checkpoint)
    }

    /// The signature that claims to be the log's.
    pub(crate) fn log_signature(&self, log: &PublicKey) -> Option<[u8; 64]> {
        let id = key_id(&self.checkpoint.origin, KeyKind::Log, log);
        let own = self.signatures.iter().find(|s| s.name == self.checkpoint.origin && s.id == id)?;
        own.bytes.as_slice().try_into().ok()
    }

    /// Adds a cosignature: that `key` saw this checkpoint at `time`, in seconds since 1970.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the key is no cosigner's.
    pub fn cosign(&mut self, key: &VerifierKey, time: u64, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Result<()> {
        if key.kind() != KeyKind::Cosigner {
            return Err(Error::new(ErrorKind::InvalidInput, "cosigning a checkpoint"));
        }
        let signature = sign(cosigned(&self.checkpoint, time).as_bytes());
        let bytes = [&time.to_be_bytes()[..], &signature].concat();
        self.signatures.push(Signature { name: key.name().to_owned(), id: key.id(), bytes });
        Ok(())
    }

    /// When `key` saw this checkpoint, in seconds since 1970, if it says so.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if a line under its name does not verify.
    pub fn cosigned_by(&self, key: &VerifierKey) -> Result<Option<u64>> {
        let doing = "verifying a cosignature";
        let own = self.signatures.iter().find(|s| s.name == key.name() && s.id == key.id());
        let Some(own) = own else { return Ok(None) };
        let bad = || Error::new(ErrorKind::Tampered, doing);
        let (time, signature) = own.bytes.split_first_chunk::<8>().ok_or_else(bad)?;
        let time = u64::from_be_bytes(*time);
        let signature = signature.try_into().map_err(|_| bad())?;
        key.public_key().verify(cosigned(&self.checkpoint, time).as_bytes(), &signature, doing)?;
        Ok(Some(time))
    }

    /// Adds lines that others signed, as they stand in a signed note: each ended by a line feed. All or none.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if they are no such lines.
    pub fn add_lines(&mut self, lines: &str) -> Result<()> {
        let parse = || lines.strip_suffix('\n')?.split('\n').map(Signature::parse).collect::<Option<Vec<_>>>();
        let mut more = self.clone();
        for signature in parse().ok_or_else(|| bad("parsing signatures of a checkpoint"))? {
            if !more.signatures.contains(&signature) {
                more.signatures.push(signature);
            }
        }
        // What is too much to be parsed again.
        if more.signatures.len() > MAX_SIGNATURES || more.to_string().len() > MAX_NOTE {
            return Err(bad("parsing signatures of a checkpoint"));
        }
        *self = more;
        Ok(())
    }

    /// The line of every signature but the log's own, with their names.
    pub fn others(&self) -> impl Iterator<Item = (&str, String)> {
        let others = self.signatures.iter().filter(|s| s.name != self.checkpoint.origin);
        others.map(|s| (s.name.as_str(), s.to_string()))
    }

    /// Name, key id, and what is behind it, of every signature but the log's own.
    pub(super) fn cosignatures(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let others = self.signatures.iter().filter(|s| s.name != self.checkpoint.origin);
        others.map(|s| (s.name.as_str(), &s.bytes[..]))
    }
}

/// What a cosigner signs.
fn cosigned(checkpoint: &Checkpoint, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{}", checkpoint.body())
}

impl Signature {
    fn parse(line: &str) -> Option<Self> {
        let (name, bytes) = line.strip_prefix(DASH)?.split_once(' ')?;
        let bytes = STANDARD.decode(bytes).ok()?;
        let (id, bytes) = bytes.split_first_chunk::<4>()?;
        (is_name(name) && !bytes.is_empty()).then(|| Self { name: name.to_owned(), id: *id, bytes: bytes.to_vec() })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{DASH}{} {}", self.name, STANDARD.encode([&self.id[..], &self.bytes].concat()))
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.checkpoint.body())?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl FromStr for SignedCheckpoint {
    type Err = Error;

    /// Parses a signed note whose text is a checkpoint without extension lines. Verifies nothing.
    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (body, signatures) = text.split_once("\n\n").filter(|_| text.len() <= MAX_NOTE)?;
            let checkpoint = Checkpoint::parse(&format!("{body}\n"))?;
            let lines = signatures.strip_suffix('\n')?;
            let signatures = lines.split('\n').map(Signature::parse).collect::<Option<Vec<_>>>()?;
            (signatures.len() <= MAX_SIGNATURES).then_some(Self { checkpoint, signatures })
        };
        parse().ok_or_else(|| bad("parsing a checkpoint"))
    }
}

fn bad(doing: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, doing)
}
