use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::encoding::{Fields, enc};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{hex, unhex};
use crate::secret::Secret;

/// An Ed25519 public key (RFC 8032) that is not one of the weak ones.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Takes an encoded public key.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is no point or of small order, so that a signature could fit
    /// any message.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self> {
        match VerifyingKey::from_bytes(&bytes) {
            Ok(key) if !key.is_weak() => Ok(Self(bytes)),
            _ => Err(Error::new(ErrorKind::InvalidInput, "checking an Ed25519 public key")),
        }
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Checks a signature strictly: canonical, no small-order points.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; 64], doing: &'static str) -> Result<()> {
        let verified =
            VerifyingKey::from_bytes(&self.0).and_then(|k| k.verify_strict(message, &Signature::from_bytes(signature)));
        verified.map_err(|e| Error::new(ErrorKind::Tampered, doing).because(e))
    }
}

impl fmt::Display for PublicKey {
    /// 64 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl FromStr for PublicKey {
    type Err = Error;

    /// Parses what [`Display`](fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self> {
        let bytes = unhex(text).and_then(|bytes| bytes.try_into().ok());
        Self::from_bytes(bytes.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "parsing an Ed25519 public key"))?)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// Public keys, found by their SHA-256.
#[derive(Clone, Default)]
pub(crate) struct VerifierKeys(std::collections::HashMap<[u8; 32], PublicKey>);

impl VerifierKeys {
    pub(crate) fn add(&mut self, key: PublicKey) {
        self.0.insert(<sha2::Sha256 as sha2::Digest>::digest(key.as_bytes()).into(), key);
    }

    pub(crate) fn of(&self, hash: &[u8; 32]) -> Option<PublicKey> {
        self.0.get(hash).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8; 32], &PublicKey)> {
        self.0.iter()
    }
}

/// A secret signing key beside its public one, so that a signature costs no computation of the latter. Born in its box,
/// wiped when dropped.
pub(crate) struct Signing(Box<SigningKey>);

impl Signing {
    pub(crate) fn from_seed(seed: &Secret) -> Self {
        Self(Box::new(SigningKey::from_bytes(seed.expose_secret())))
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// `ENC("signed"; body, signature)`: how cards, policies and epoch headers are stored.
pub(crate) fn signed(body: &[u8], signature: &[u8; 64]) -> Vec<u8> {
    enc("signed", &[body, signature])
}

/// Takes a signed statement apart. The caller must still verify.
pub(crate) fn split_signed(bytes: &[u8]) -> Result<(&[u8], [u8; 64])> {
    let mut fields = Fields::of("signed", bytes)?;
    let (body, signature) = (fields.bytes()?, fields.array()?);
    fields.end()?;
    Ok((body, signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weak_key_is_refused_and_signatures_agree_with_ring() {
        let mut identity_point = [0; 32];
        identity_point[0] = 1;
        assert!(PublicKey::from_bytes(identity_point).is_err());

        let seed = Secret::generate().unwrap();
        let ring = ring::signature::Ed25519KeyPair::from_seed_unchecked(seed.expose_secret()).unwrap();
        let ours = Signing::from_seed(&seed);
        assert_eq!(ring.sign(b"m").as_ref(), ours.sign(b"m"));
        ours.public_key().verify(b"m", &ours.sign(b"m"), "x").unwrap();
        assert!(ours.public_key().verify(b"n", &ours.sign(b"m"), "x").is_err());
    }
}
