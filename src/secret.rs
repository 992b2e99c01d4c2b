use std::ops::{Deref, DerefMut};

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::Result;
use crate::id::random;

/// 32 secret bytes in a box of their own, wiped when dropped. Cannot be printed, cloned or compared.
#[derive(ZeroizeOnDrop)]
pub(crate) struct Secret(Box<[u8; 32]>);

impl Secret {
    /// Born in its box from the system's random source.
    pub(crate) fn generate() -> Result<Self> {
        let mut secret = Self::zero();
        random(&mut secret.0[..])?;
        Ok(secret)
    }

    /// Born in its box, written by `fill`.
    pub(crate) fn from_fn(fill: impl FnOnce(&mut [u8; 32])) -> Self {
        let mut secret = Self::zero();
        fill(&mut secret.0);
        secret
    }

    /// A copy of `bytes`, or nothing if they are not 32.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        Some(Self::from_fn(|b| b.copy_from_slice(bytes)))
    }

    pub(crate) fn expose_secret(&self) -> &[u8; 32] {
        &self.0
    }

    fn zero() -> Self {
        Self(Box::new([0; 32]))
    }
}

/// Plaintext on its way, wiped when dropped. `Zeroizing<Vec<u8>>` wipes byte by byte, which takes longer than opening.
#[derive(Default)]
pub(crate) struct Plain(Vec<u8>);

impl From<Vec<u8>> for Plain {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Plain {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Plain {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        // A longer text may have been there.
        self.0.resize(self.0.capacity(), 0);
        self.0.as_mut_slice().zeroize();
    }
}

impl ZeroizeOnDrop for Plain {}
