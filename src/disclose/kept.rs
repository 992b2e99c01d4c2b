//! What is kept of an order beside the entries that tell of it: for the operator under its own key, and for the tenant as it
//! reads the entry.

use serde::{Deserialize, Serialize};
use zeroize::ZeroizeOnDrop;

use crate::encoding::codec;
use crate::error::Result;
use crate::id::RecordId;
use crate::order::ReviewOutcome;
use crate::secret::Plain;
use crate::time::Timestamp;

/// The topic of what became of an order, for the tenant, once it may read it.
pub(super) const ORDER: &str = "order";
/// The same for the operator.
pub(super) const DESK: &str = "order-desk";

const VERSION: u16 = 1;
const MAX: u64 = 16 << 20;
const WHAT: &str = "what is kept of an order";

/// What an entry says of an order.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Step {
    Received {
        at: Timestamp,
        note: String,
        by: String,
    },
    Reviewed {
        at: Timestamp,
        outcome: ReviewOutcome,
        reason: String,
        by: String,
        note: Option<String>,
    },
    /// Its records are held.
    Preserved {
        at: Timestamp,
    },
    Consented {
        at: Timestamp,
        note: String,
    },
    /// A quorum approved: of finding records, or of opening them.
    Approved {
        at: Timestamp,
        opens: bool,
        request: [u8; 32],
        custodians: Vec<[u8; 32]>,
    },
    Found {
        at: Timestamp,
        records: Vec<RecordId>,
        unsearched: u64,
    },
    Producing(Box<Producing>),
    Disclosed {
        at: Timestamp,
        bytes: u64,
    },
    Failed {
        at: Timestamp,
        reason: String,
    },
    Noticed {
        at: Timestamp,
        note: String,
    },
    Closed {
        at: Timestamp,
        reason: String,
        by: String,
    },
}

/// What is about to be given out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Producing {
    pub(super) at: Timestamp,
    pub(super) profile: String,
    pub(super) records: Vec<RecordId>,
    pub(super) files: u64,
    pub(super) withheld: u64,
    pub(super) redacted: u64,
    /// SHA-256 of `disclosure.json`.
    pub(super) manifest: [u8; 32],
    /// A prefix, the first number, and how many.
    pub(super) bates: Option<(String, u64, u64)>,
}

/// What may open something once.
#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
pub(super) struct OneTime {
    /// The secret key, as age writes identities.
    pub(super) identity: String,
    /// Of a drill: SHA-256 of what the shares combine to.
    pub(super) check: Option<[u8; 32]>,
}

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Plain> {
    codec::encode_versioned(VERSION, value, MAX, WHAT).map(Plain::from)
}

pub(super) fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    codec::decode_versioned(VERSION, bytes, MAX, WHAT)
}
