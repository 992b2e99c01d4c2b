//! What is kept of transfers, sealed beside the entries that tell of them.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::wish::Wish;
use crate::encoding::codec;
use crate::error::Result;
use crate::id::RecordId;
use crate::time::Timestamp;

/// Topic of what became of a transfer.
pub(crate) const TOPIC: &str = "transfer";
/// Topic of what a transfer held.
pub(crate) const RECORDS: &str = "transfer-records";
const VERSION: u16 = 1;
const MAX: u64 = 16 << 20;
const WHAT: &str = "what is kept of a transfer";

/// What an entry says of a transfer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    Authorised(Box<Authorised>),
    Completed { at: Timestamp },
    Failed { at: Timestamp, reason: String },
    Refused { at: Timestamp, agreement: [u8; 16], recipient: Option<String>, purpose: String, reason: String },
    Receipted { at: Timestamp, note: String },
}

/// What was authorised.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Authorised {
    pub(crate) at: Timestamp,
    pub(crate) agreement: [u8; 16],
    /// SHA-256 of the agreement's text.
    pub(crate) hash: [u8; 32],
    pub(crate) recipient: String,
    /// The recipient's age key.
    pub(crate) key: String,
    pub(crate) purpose: String,
    pub(crate) records: u64,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) left_out: u64,
    pub(crate) restricted: u64,
    /// SHA-256 of `transfer.json`.
    pub(crate) payload: [u8; 32],
    pub(crate) receipt_by: Timestamp,
    pub(crate) keep_until: Timestamp,
    /// The transfer that it repeats.
    pub(crate) again: Option<[u8; 16]>,
}

/// What a transfer held.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) wish: Wish,
    pub(crate) records: Vec<HeldRecord>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldRecord {
    pub(crate) record: RecordId,
    /// What the recipient calls it.
    pub(crate) name: RecordId,
    /// Numbers of the parts that went.
    pub(crate) parts: Vec<u16>,
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    codec::encode_versioned(VERSION, value, MAX, WHAT)
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    codec::decode_versioned(VERSION, bytes, MAX, WHAT)
}
