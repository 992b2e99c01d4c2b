use zeroize::ZeroizeOnDrop;

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
