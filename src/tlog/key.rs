use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::key::PublicKey;

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The text itself, as a log does with its checkpoint (C2SP signed-note, type 0x01).
    Log,
    /// That it saw the checkpoint, and when (C2SP tlog-cosignature v1, type 0x04).
    Cosigner,
}

impl KeyKind {
    const fn code(self) -> u8 {
        match self {
            Self::Log => 1,
            Self::Cosigner => 4,
        }
    }
}

/// A named Ed25519 key that signs notes. Written as C2SP signed-note has it: `name+id+base64(type || key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: PublicKey,
}

impl VerifierKey {
    /// The key under that name.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if a note cannot carry the name.
    pub fn new(name: impl Into<String>, kind: KeyKind, key: PublicKey) -> Result<Self> {
        let name = name.into();
        if !is_name(&name) {
            return Err(Error::new(ErrorKind::InvalidInput, "naming a key that signs notes"));
        }
        Ok(Self { name, kind, key })
    }

    /// The name that its signatures bear.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The key itself.
    pub fn public_key(&self) -> PublicKey {
        self.key
    }

    /// The first four bytes of `H(name || 0x0A || type || key)`.
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.kind, &self.key)
    }
}

pub(super) fn key_id(name: &str, kind: KeyKind, key: &PublicKey) -> [u8; 4] {
    let hash = Sha256::new_with_prefix(name).chain_update([b'\n', kind.code()]).chain_update(key.as_bytes()).finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// Not empty, without spaces and plus signs.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[self.kind.code()], &self.key.as_bytes()[..]].concat());
        write!(f, "{}+{}+{key}", self.name, crate::id::hex(&self.id()))
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (name, rest) = text.split_once('+')?;
            let (id, key) = rest.split_once('+')?;
            let key = STANDARD.decode(key).ok()?;
            let (code, key) = key.split_first()?;
            let kind = [KeyKind::Log, KeyKind::Cosigner].into_iter().find(|kind| kind.code() == *code)?;
            let key = PublicKey::from_bytes(key.try_into().ok()?).ok()?;
            let this = Self::new(name, kind, key).ok()?;
            (crate::id::hex(&this.id()) == id).then_some(this)
        };
        parse().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "parsing a verifier key"))
    }
}

/// An Ed25519 public key as a line of OpenSSH's.
pub fn openssh(key: &PublicKey) -> String {
    let mut bytes = Vec::with_capacity(51);
    for field in [&b"ssh-ed25519"[..], key.as_bytes()] {
        bytes.extend_from_slice(&(field.len() as u32).to_be_bytes());
        bytes.extend_from_slice(field);
    }
    format!("ssh-ed25519 {}\n", STANDARD.encode(bytes))
}

/// The Ed25519 public key in a line of OpenSSH's, whatever the comment behind it.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) if it is no such line, or the key is a weak one.
pub fn from_openssh(line: &str) -> Result<PublicKey> {
    let parse = || {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let mut words = line.splitn(3, ' ');
        let (kind, blob) = (words.next()?, STANDARD.decode(words.next()?).ok()?);
        let key = blob.strip_prefix(b"\0\0\0\x0bssh-ed25519\0\0\0\x20").filter(|_| kind == "ssh-ed25519")?;
        PublicKey::from_bytes(key.try_into().ok()?).ok().filter(|_| !line.contains('\n'))
    };
    parse().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "parsing a key of OpenSSH's"))
}

/// An Ed25519 public key as SubjectPublicKeyInfo (RFC 8410) in PEM.
pub fn pem(key: &PublicKey) -> String {
    const PREFIX: [u8; 12] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00];
    let der = STANDARD.encode([&PREFIX[..], key.as_bytes()].concat());
    format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n")
}
