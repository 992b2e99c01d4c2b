use std::fmt;

use sha2::{Digest, Sha256};

use super::merkle::{Hash, leaf_hash};
use crate::error::{Error, ErrorKind, Result};
use crate::id::hex;
use crate::key::{Claim, PublicKey};

/// What an actor signs before the checksum.
const NAMESPACE: &[u8] = b"sigsum.org/v1/tree-leaf\0";

/// A Sigsum v1 leaf, 128 bytes: `H(H(message)) || Ed25519(actor, namespace || H(H(message))) || H(actor's public key)`.
/// <https://git.glasklar.is/sigsum/project/documentation/-/blob/main/log.md>
#[derive(Clone, PartialEq, Eq)]
pub struct Leaf {
    /// SHA-256 of SHA-256 of the message.
    pub checksum: Hash,
    /// The actor's signature.
    pub signature: [u8; 64],
    /// SHA-256 of the actor's public key.
    pub key_hash: Hash,
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Leaf({})", hex(&self.hash()))
    }
}

impl Leaf {
    /// The leaf of a message. `sign` gives the Ed25519 signature of what it is shown by `actor`.
    pub fn sign(message: &[u8], actor: &PublicKey, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Self {
        let checksum = checksum(message);
        Self { checksum, signature: sign(&signed(&checksum)), key_hash: Sha256::digest(actor.as_bytes()).into() }
    }

    /// As it is hashed and stored.
    pub fn to_bytes(&self) -> [u8; 128] {
        let mut bytes = [0; 128];
        bytes[..32].copy_from_slice(&self.checksum);
        bytes[32..96].copy_from_slice(&self.signature);
        bytes[96..].copy_from_slice(&self.key_hash);
        bytes
    }

    /// The leaf that has these bytes; whatever they are.
    pub fn from_bytes(bytes: &[u8; 128]) -> Self {
        let mut leaf = Self { checksum: [0; 32], signature: [0; 64], key_hash: [0; 32] };
        leaf.checksum.copy_from_slice(&bytes[..32]);
        leaf.signature.copy_from_slice(&bytes[32..96]);
        leaf.key_hash.copy_from_slice(&bytes[96..]);
        leaf
    }

    /// Its hash in the tree.
    pub fn hash(&self) -> Hash {
        leaf_hash(&self.to_bytes())
    }

    /// Whether this is the message.
    pub fn is_of(&self, message: &[u8]) -> bool {
        self.checksum == checksum(message)
    }

    /// Checks message and actor.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is another message, or another's, or the signature does not verify.
    pub fn verify(&self, message: &[u8], actor: &PublicKey) -> Result<()> {
        if !self.is_of(message) {
            return Err(Error::new(ErrorKind::Tampered, "comparing a message with its leaf"));
        }
        self.verify_actor(actor)
    }

    /// Checks the actor alone, for one who has not the message.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is another, or the signature does not verify.
    pub fn verify_actor(&self, actor: &PublicKey) -> Result<()> {
        let doing = "verifying the signature of a ledger's entry";
        if self.key_hash[..] != Sha256::digest(actor.as_bytes())[..] {
            return Err(Error::new(ErrorKind::Tampered, doing).because("it names another key"));
        }
        actor.verify(&signed(&self.checksum), &self.signature, doing)
    }

    /// What [`verify_actor`](Self::verify_actor) checks of an actor whose key's hash is the leaf's, to be verified with others.
    pub(crate) fn claim(&self, actor: PublicKey) -> Claim {
        Claim { key: actor, message: signed(&self.checksum), signature: self.signature }
    }
}

fn checksum(message: &[u8]) -> Hash {
    Sha256::digest(Sha256::digest(message)).into()
}

fn signed(checksum: &Hash) -> Vec<u8> {
    [NAMESPACE, checksum].concat()
}
