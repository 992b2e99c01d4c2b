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

/// Bytes of a signed checkpoint, and signatures under it, at the most. C2SP wants sixteen of any kind to be read, which are
/// of nearly 5 kB where they are of ML-DSA-87.
const MAX_NOTE: usize = 128 * 1024;
const MAX_SIGNATURES: usize = 100;
/// What begins a signature's line: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// What a log is called, and its key: `sigsum.org/v1/tree/` and the hash of the key.
pub fn origin_of(log: &PublicKey) -> String {
    format!("sigsum.org/v1/tree/{}", hex(&Sha256::digest(log.as_bytes())))
}

/// The head of a log: how many entries it has, and the root over them (C2SP tlog-checkpoint).
#[derive(Clone, PartialEq, Eq)]
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

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, size, root } = self;
        write!(f, "Checkpoint({origin}, {size}, {})", hex(root))
    }
}

/// A checkpoint with signatures under it: its log's, and others' (C2SP signed-note). No two are of one name and key id.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    signatures: Vec<Signature>,
}

impl fmt::Debug for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { checkpoint, signatures } = self;
        let names: Vec<&str> = signatures.iter().map(|signature| signature.name.as_str()).collect();
        write!(f, "SignedCheckpoint({checkpoint:?}, by {names:?})")
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) name: String,
    pub(super) id: [u8; 4],
    pub(super) bytes: Vec<u8>,
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

    /// Adds a cosignature: that `key` saw this checkpoint at `time`, in seconds since 1970. An earlier one of the key is
    /// replaced.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the key is no cosigner's, the time is too late to be written, or there
    /// are too many signatures of others.
    pub fn cosign(&mut self, key: &VerifierKey, time: u64, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Result<()> {
        if key.kind() != KeyKind::Cosigner || time > i64::MAX as u64 {
            return Err(bad("cosigning a checkpoint"));
        }
        let signature = sign(cosigned(&self.checkpoint, time).as_bytes());
        let bytes = [&time.to_be_bytes()[..], &signature].concat();
        let signature = Signature { name: key.name().to_owned(), id: key.id(), bytes };
        *self = self.with_one(signature).ok_or_else(|| bad("cosigning a checkpoint"))?;
        Ok(())
    }

    /// Takes from a cosigner's answer, which is of lines as they stand in a signed note, the line of `key`, if it
    /// verifies, and gives its time. An earlier one of the key is replaced; lines of others are passed over.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if there is none, or it does not verify;
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the answer is no such lines, or if there are too many signatures of others.
    pub fn take_cosignature(&mut self, answer: &str, key: &VerifierKey) -> Result<u64> {
        let absent = || Error::new(ErrorKind::Tampered, "looking for a cosignature in a cosigner's answer");
        let lines = Signature::parse_lines(answer).ok_or_else(|| bad("parsing a cosigner's answer"))?;
        let line = lines.into_iter().find(|s| s.name == key.name() && s.id == key.id()).ok_or_else(absent)?;
        let with = self.with_one(line).ok_or_else(|| bad("adding a cosignature to a checkpoint"))?;
        let time = with.cosigned_by(key)?.ok_or_else(absent)?;
        *self = with;
        Ok(time)
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

    /// Adds lines that others signed, as they stand in a signed note: each ended by a line feed. All or none, and none
    /// twice. Nothing is verified.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if they are no such lines, or a key has another line there already.
    pub fn add_lines(&mut self, lines: &str) -> Result<()> {
        let bad = || bad("parsing signatures of a checkpoint");
        let mut signatures = self.signatures.clone();
        for signature in Signature::parse_lines(lines).ok_or_else(bad)? {
            if !signatures.contains(&signature) {
                signatures.push(signature);
            }
        }
        *self = self.with(signatures).ok_or_else(bad)?;
        Ok(())
    }

    /// The same with that signature, in the place of one of the same key.
    fn with_one(&self, signature: Signature) -> Option<Self> {
        let mut signatures = self.signatures.clone();
        match signatures.iter().position(|other| other.is_of_the_key_of(&signature)) {
            Some(at) => signatures[at] = signature,
            None => signatures.push(signature),
        }
        self.with(signatures)
    }

    /// The same with these signatures, unless they are too many, of one key, or too long to be parsed again.
    fn with(&self, signatures: Vec<Signature>) -> Option<Self> {
        let with = Self { checkpoint: self.checkpoint.clone(), signatures };
        (are_readable(&with.signatures) && with.to_string().len() <= MAX_NOTE).then_some(with)
    }

    /// The line of a cosigner, with the line feed that ends it, and its time.
    pub(crate) fn line_of(&self, key: &VerifierKey) -> Option<(u64, String)> {
        let own = self.signatures.iter().find(|s| s.name == key.name() && s.id == key.id())?;
        Some((u64::from_be_bytes(*own.bytes.first_chunk()?), format!("{own}\n")))
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

/// Not too many, and no two of one name and key id: others go by the first, or refuse both.
pub(super) fn are_readable(signatures: &[Signature]) -> bool {
    let again = |(at, s): (usize, &Signature)| signatures[..at].iter().any(|other| other.is_of_the_key_of(s));
    signatures.len() <= MAX_SIGNATURES && !signatures.iter().enumerate().any(again)
}

impl Signature {
    pub(super) fn is_of_the_key_of(&self, other: &Self) -> bool {
        (&self.name, self.id) == (&other.name, other.id)
    }

    pub(super) fn parse_lines(lines: &str) -> Option<Vec<Self>> {
        lines.strip_suffix('\n').filter(|lines| lines.len() < MAX_NOTE)?.split('\n').map(Self::parse).collect()
    }

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
            let signatures = Signature::parse_lines(signatures)?;
            are_readable(&signatures).then_some(Self { checkpoint, signatures })
        };
        parse().ok_or_else(|| bad("parsing a checkpoint"))
    }
}

fn bad(doing: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, doing)
}
