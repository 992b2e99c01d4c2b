use ring::digest::{Context, SHA256, SHA512};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::error::{Error, ErrorKind, Result};

/// What a part's producer says its bytes hash to. Checked while they are ingested, and kept in the head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ProducerDigest {
    /// SHA-256 (FIPS 180-4), 32 bytes.
    Sha256(Vec<u8>),
    /// SHA-512 (FIPS 180-4), 64 bytes; what vCon's `content_hash` carries.
    Sha512(Vec<u8>),
}

impl ProducerDigest {
    pub(crate) fn check_length(&self) -> Result<()> {
        let fits = match self {
            Self::Sha256(digest) => digest.len() == 32,
            Self::Sha512(digest) => digest.len() == 64,
        };
        if fits {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::InvalidInput, "checking the length of a producer's digest"))
        }
    }
}

/// The digests of a part's plaintext that somebody needs: hashing is the slowest pass over a long call.
pub(crate) struct Digests {
    /// For the idempotency key's comparison.
    content: Option<Context>,
    given: Option<(ProducerDigest, Option<Context>)>,
}

impl Digests {
    pub(crate) fn new(given: Option<&ProducerDigest>, content: bool) -> Self {
        let content = content.then(|| Context::new(&SHA256));
        let given = given.map(|given| match given {
            // One SHA-256 serves both.
            ProducerDigest::Sha256(_) if content.is_some() => (given.clone(), None),
            ProducerDigest::Sha256(_) => (given.clone(), Some(Context::new(&SHA256))),
            ProducerDigest::Sha512(_) => (given.clone(), Some(Context::new(&SHA512))),
        });
        Self { content, given }
    }

    pub(crate) fn update(&mut self, plain: &[u8]) {
        if let Some(content) = &mut self.content {
            content.update(plain);
        }
        if let Some((_, Some(context))) = &mut self.given {
            context.update(plain);
        }
    }

    /// The content digest if it was asked for.
    ///
    /// # Errors
    /// [`DigestMismatch`](ErrorKind::DigestMismatch) if the producer's digest is another.
    pub(crate) fn finish(self) -> Result<Option<[u8; 32]>> {
        let content = self.content.map(|c| c.finish());
        if let Some((given, context)) = self.given {
            let computed = context.map(Context::finish).or(content);
            let (ProducerDigest::Sha256(given) | ProducerDigest::Sha512(given)) = given;
            if !computed.is_some_and(|c| bool::from(c.as_ref().ct_eq(&given))) {
                return Err(Error::new(ErrorKind::DigestMismatch, "checking a part against its producer's digest"));
            }
        }
        Ok(content.and_then(|c| c.as_ref().try_into().ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_digest_passes_and_a_wrong_one_does_not_with_and_without_the_content_digest() {
        let right256 = ring::digest::digest(&SHA256, b"abc").as_ref().to_vec();
        let right512 = ring::digest::digest(&SHA512, b"abc").as_ref().to_vec();
        for content in [false, true] {
            for (given, wrong) in [
                (ProducerDigest::Sha256(right256.clone()), ProducerDigest::Sha256(vec![0; 32])),
                (ProducerDigest::Sha512(right512.clone()), ProducerDigest::Sha512(right256.clone())),
            ] {
                let mut digests = Digests::new(Some(&given), content);
                digests.update(b"a");
                digests.update(b"bc");
                assert_eq!(digests.finish().unwrap().map(Vec::from), content.then(|| right256.clone()));
                let mut digests = Digests::new(Some(&wrong), content);
                digests.update(b"abc");
                assert_eq!(digests.finish().unwrap_err().kind(), ErrorKind::DigestMismatch);
            }
        }
    }
}
