use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{Aes256Gcm, KeyInit};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{HEADER, MAX_CHUNKS, TAG};
use crate::error::{Error, ErrorKind, Result};
use crate::kdf::expand;
use crate::secret::Secret;

/// AES-256-GCM on one chunk, in place, tag apart.
pub(crate) trait Gcm: Sized {
    fn new(key: &[u8; 32]) -> Self;
    fn seal(&self, nonce: [u8; 12], chunk: &mut [u8]) -> Option<[u8; TAG]>;
    /// Leaves `chunk` opened, or in an unspecified state that is no plaintext if it returns `None`.
    fn open(&self, nonce: [u8; 12], chunk: &mut [u8], tag: &[u8; TAG]) -> Option<()>;
}

/// `ring`: fast, never wiped. For bodies, whose keys are derived for one message and never again.
pub(crate) struct Ring(LessSafeKey);

impl Gcm for Ring {
    fn new(key: &[u8; 32]) -> Self {
        // The key is 32 bytes long, which is all that `ring` checks.
        let key = UnboundKey::new(&AES_256_GCM, key).unwrap_or_else(|_| unreachable!("a 32-byte key"));
        Self(LessSafeKey::new(key))
    }

    fn seal(&self, nonce: [u8; 12], chunk: &mut [u8]) -> Option<[u8; TAG]> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_separate_tag(nonce, Aad::empty(), chunk).ok()?.as_ref().try_into().ok()
    }

    fn open(&self, nonce: [u8; 12], chunk: &mut [u8], tag: &[u8; TAG]) -> Option<()> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = ring::aead::Tag::from(*tag);
        self.0.open_in_place_separate_tag(nonce, Aad::empty(), tag, chunk, 0..).ok()?;
        Some(())
    }
}

/// `aes-gcm`: wipes its key schedule. For everything that wraps keys, and the oracle for [`Ring`] in tests.
pub(crate) struct Wiping(Aes256Gcm);

impl Gcm for Wiping {
    fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    fn seal(&self, nonce: [u8; 12], chunk: &mut [u8]) -> Option<[u8; TAG]> {
        let tag = self.0.encrypt_inout_detached(&nonce.into(), &[], InOutBuf::from(chunk)).ok()?;
        Some(tag.into())
    }

    fn open(&self, nonce: [u8; 12], chunk: &mut [u8], tag: &[u8; TAG]) -> Option<()> {
        self.0.decrypt_inout_detached(&nonce.into(), &[], InOutBuf::from(chunk), tag.into()).ok()
    }
}

/// `key || base nonce || commitment` of one message.
pub(crate) struct MessageCipher<C> {
    gcm: C,
    base_nonce: [u8; 12],
    commitment: [u8; 32],
}

impl<C: Gcm> MessageCipher<C> {
    pub(crate) fn derive(key: &Secret, salt: &[u8; 24], context: &[u8]) -> Self {
        let mut okm = Zeroizing::new([0; 32 + 12 + 32]);
        let info = [b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0", &salt[..], context];
        expand(key.expose_secret(), &info, &mut okm[..]);
        let mut this = Self { gcm: C::new(&Self::part(&okm[..32])), base_nonce: [0; 12], commitment: [0; 32] };
        this.base_nonce.copy_from_slice(&okm[32..44]);
        this.commitment.copy_from_slice(&okm[44..]);
        this
    }

    fn part(okm: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(okm);
        key
    }

    /// Derives from the salt in `header` and checks the commitment in it.
    pub(crate) fn check(key: &Secret, header: &[u8; HEADER], context: &[u8]) -> Result<Self> {
        let (salt, commitment) = header.split_first_chunk::<24>().unwrap_or_else(|| unreachable!("56 bytes"));
        let this = Self::derive(key, salt, context);
        if bool::from(this.commitment[..].ct_eq(commitment)) {
            Ok(this)
        } else {
            Err(Error::new(ErrorKind::Tampered, "checking the key commitment of a sealed stream"))
        }
    }

    pub(crate) fn commitment(&self) -> &[u8; 32] {
        &self.commitment
    }

    pub(crate) fn seal(&self, index: u64, chunk: &mut [u8]) -> Result<[u8; TAG]> {
        let nonce = self.nonce(index).ok_or_else(too_long)?;
        self.gcm.seal(nonce, chunk).ok_or_else(too_long)
    }

    pub(crate) fn open(&self, index: u64, chunk: &mut [u8], tag: &[u8; TAG]) -> Result<()> {
        let nonce = self.nonce(index).ok_or_else(too_long)?;
        self.gcm
            .open(nonce, chunk, tag)
            .ok_or_else(|| Error::new(ErrorKind::Tampered, "opening a chunk of a sealed stream"))
    }

    fn nonce(&self, index: u64) -> Option<[u8; 12]> {
        if index >= MAX_CHUNKS {
            return None;
        }
        let mut nonce = self.base_nonce;
        nonce[4..].iter_mut().zip(index.to_be_bytes()).for_each(|(n, i)| *n ^= i);
        Some(nonce)
    }
}

fn too_long() -> Error {
    Error::new(ErrorKind::TooLarge, "numbering a chunk of a sealed stream")
}
