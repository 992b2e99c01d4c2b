//! What is kept of a gag with the entry that it begins at, and what a notice leaves with the entry that ends it.

use serde::{Deserialize, Serialize};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::withheld::{Gag, GagKey, GagSeals};
use crate::encoding::codec;
use crate::error::Result;
use crate::secret::Plain;
use crate::time::Timestamp;

/// The topic of the papers that are kept of notices.
pub(crate) const NOTICE: &str = "notice";
/// The topic of the papers, the operator's own, that are kept of gags.
pub(crate) const GAG: &str = "order-gag";
const VERSION: u16 = 1;
const MAX: u64 = 1 << 20;
const WHAT: &str = "what is kept of a notice";
const GAG_WHAT: &str = "what is kept of a gag";

/// A gag as the operator keeps it.
#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
struct Kept {
    key: [u8; 32],
    #[zeroize(skip)]
    until: Timestamp,
    #[zeroize(skip)]
    seals: GagSeals,
}

impl Gag {
    pub(crate) fn encode(&self) -> Result<Plain> {
        let (key, until, seals) = self.to_parts();
        codec::encode_versioned(VERSION, &Kept { key, until, seals }, MAX, GAG_WHAT).map(Plain::from)
    }

    pub(crate) fn decode(bytes: &Plain) -> Result<Self> {
        let mut kept: Kept = codec::decode_versioned(VERSION, bytes, MAX, GAG_WHAT)?;
        Ok(Self::from_parts(&kept.key, kept.until, std::mem::take(&mut kept.seals)))
    }
}

/// A notice as it was given, with the key of what was withheld until then.
#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
pub(crate) struct Notified {
    /// The order, as a signed note.
    #[zeroize(skip)]
    pub(crate) order: String,
    /// The notice, as a signed note.
    #[zeroize(skip)]
    pub(crate) notice: String,
    key: Option<[u8; 32]>,
}

impl Notified {
    pub(crate) fn new(order: String, notice: String, key: Option<&GagKey>) -> Self {
        Self { order, notice, key: key.map(|key| *key.as_bytes()) }
    }

    pub(crate) fn key(&self) -> Option<GagKey> {
        self.key.map(Zeroizing::new).and_then(|key| GagKey::from_slice(&key[..]))
    }

    pub(crate) fn encode(&self) -> Result<Plain> {
        codec::encode_versioned(VERSION, self, MAX, WHAT).map(Plain::from)
    }

    pub(crate) fn decode(bytes: &Plain) -> Result<Self> {
        codec::decode_versioned(VERSION, bytes, MAX, WHAT)
    }
}
