use ring::hmac;
use zeroize::Zeroizing;

use super::keyfile::keyfile;
use super::signing::{PublicKey, Signing};
use crate::error::Result;
use crate::secret::Secret;

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
    /// [`Io`](crate::ErrorKind::Io) if the system gives no randomness.
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
    /// [`Io`](crate::ErrorKind::Io) if the system gives no randomness.
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

    fn to_secrets(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([*self.seed.expose_secret(), *self.dedup.expose_secret()].concat())
    }

    fn parse_secrets(secrets: &[u8]) -> Option<Self> {
        let (seed, dedup) = secrets.split_at_checked(32)?;
        Some(Self::from_secrets(Secret::from_slice(seed)?, Secret::from_slice(dedup)?))
    }
}

keyfile!(WriterKey, "STRONGROOM-WRITER-KEY-", "a writer key");

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
