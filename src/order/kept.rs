//! What a notice leaves with the entry that tells of it.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::withheld::GagKey;
use crate::encoding::codec;
use crate::error::Result;
use crate::secret::Plain;

/// The topic of the papers that are kept of notices.
pub(crate) const NOTICE: &str = "notice";
const VERSION: u16 = 1;
const MAX: u64 = 1 << 20;
const WHAT: &str = "what is kept of a notice";

/// A notice as it was given, with the key of what was withheld until then.
#[derive(Serialize, Deserialize)]
pub(crate) struct Notified {
    /// The order, as a signed note.
    pub(crate) order: String,
    /// The notice, as a signed note.
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

    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        codec::encode_versioned(VERSION, self, MAX, WHAT)
    }

    pub(crate) fn decode(bytes: &Plain) -> Result<Self> {
        codec::decode_versioned(VERSION, bytes, MAX, WHAT)
    }
}
