use std::path::Path;
use std::str::FromStr;

use ring::hmac;
use zeroize::Zeroizing;

use super::keyfile;
use super::signing::{PublicKey, Signing};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

const PREFIX: &str = "strongroom-writer-key-";

/// What an ingest process holds: an Ed25519 seed that signs its epochs, and a key that turns idempotency keys into
/// tokens. It opens nothing. Keep it in the process's own configuration, never in the vault's folder.
///
/// Several processes that must recognise each other's idempotency keys use [`sibling`](Self::sibling)s.
pub struct WriterKey {
    seed: Secret,
    signing: Signing,
    dedup: Secret,
}

impl WriterKey {
    /// A new writer.
    ///
    /// # Errors
    /// [`Io`](ErrorKind::Io) if the system gives no randomness.
    pub fn generate() -> Result<Self> {
        Ok(Self::from_secrets(Secret::generate()?, Secret::generate()?))
    }

    pub(crate) fn from_secrets(seed: Secret, dedup: Secret) -> Self {
        let signing = Signing::from_seed(&seed);
        Self { seed, signing, dedup }
    }

    /// Another writer, with a signing key of its own, that recognises the same idempotency keys.
    ///
    /// # Errors
    /// [`Io`](ErrorKind::Io) if the system gives no randomness.
    pub fn sibling(&self) -> Result<Self> {
        let dedup = Secret::from_fn(|d| d.copy_from_slice(self.dedup.expose_secret()));
        Ok(Self::from_secrets(Secret::generate()?, dedup))
    }

    /// The key that checks its epochs' signatures; [`Vault::enrol_writer`](crate::Vault::enrol_writer) takes it.
    pub fn public_key(&self) -> PublicKey {
        self.signing.public_key()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message)
    }

    /// `HMAC-SHA256(dedup key, message)`.
    pub(crate) fn token(&self, message: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.dedup.expose_secret());
        let mut token = [0; 32];
        token.copy_from_slice(hmac::sign(&key, message).as_ref());
        token
    }

    /// The secret as text, `STRONGROOM-WRITER-KEY-1…`: the one way to take it out of memory.
    pub fn expose_secret(&self) -> Zeroizing<String> {
        let both = Zeroizing::new([*self.seed.expose_secret(), *self.dedup.expose_secret()].concat());
        keyfile::text(PREFIX, &both)
    }

    /// Reads a file that [`write_file`](Self::write_file) wrote.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is no such file; else as the file system.
    pub fn read_file(path: impl AsRef<Path>) -> Result<Self> {
        keyfile::read(path.as_ref(), "reading a writer key file")?.trim().parse()
    }

    /// Writes the secret to a new file that only its owner can read, synced.
    ///
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if the file is there; else as the file system.
    pub fn write_file(&self, path: impl AsRef<Path>) -> Result<()> {
        keyfile::write(path.as_ref(), &self.expose_secret(), "writing a writer key file")
    }
}

impl FromStr for WriterKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::new(ErrorKind::InvalidInput, "parsing a writer key");
        let both = keyfile::parse(PREFIX, text).ok_or_else(bad)?;
        let (seed, dedup) = both.split_at_checked(32).ok_or_else(bad)?;
        let (seed, dedup) = Secret::from_slice(seed).zip(Secret::from_slice(dedup)).ok_or_else(bad)?;
        Ok(Self::from_secrets(seed, dedup))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_survives_its_text_and_a_sibling_shares_only_the_tokens() {
        let writer = WriterKey::generate().unwrap();
        let back: WriterKey = writer.expose_secret().parse().unwrap();
        assert_eq!(back.public_key(), writer.public_key());
        let sibling = writer.sibling().unwrap();
        assert_ne!(sibling.public_key(), writer.public_key());
        assert_eq!(sibling.token(b"x"), back.token(b"x"));
        assert_ne!(WriterKey::generate().unwrap().token(b"x"), back.token(b"x"));
    }
}
