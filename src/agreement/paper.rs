//! What the parties write to each other after a transfer.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::contract::Agreement;
use super::terms::is_writable;
use crate::document::wire;
use crate::document::{Document, Signed, VERSION, documents};
use crate::document::{is_readable, words};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{random, unhex};
use crate::key::PublicKey;
use crate::time::Timestamp;

/// Transfers of one request, and records of them all together, at the most.
const MAX_TRANSFERS: usize = 1_000;
const MAX_RECORDS: usize = 5_000;
/// Bytes of a reason or note at the most.
const MAX_TEXT: usize = 1_024;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Receipt {
    document: String,
    version: u32,
    #[serde(with = "wire::hex")]
    agreement: [u8; 32],
    #[serde(with = "wire::key")]
    recipient_key: PublicKey,
    log: String,
    seq: u64,
    #[serde(with = "wire::hex")]
    payload: [u8; 32],
    #[serde(with = "wire::text")]
    received: Timestamp,
}

impl Document for Receipt {
    const NAME: &'static str = "delivery-receipt";
    const WHAT: &'static str = "a delivery receipt";

    fn fault(&self) -> Option<&'static str> {
        if !is_origin(&self.log) || self.seq > i64::MAX as u64 {
            return Some("entry");
        }
        (!is_writable(self.received)).then_some("time")
    }

    fn signers(&self) -> Vec<(&'static str, PublicKey)> {
        vec![("recipient", self.recipient_key)]
    }
}

/// That a recipient has received a transfer whole. Signed by the recipient. A signed note (SPEC 12.5).
#[derive(Clone, PartialEq, Eq)]
pub struct DeliveryReceipt(Signed<Receipt>);

documents! { DeliveryReceipt DeletionRequest DeletionAcknowledgement }

impl DeliveryReceipt {
    /// A receipt, not yet signed, for the transfer that entry number `seq` of the log of that origin authorised. `payload`
    /// is SHA-256 of the package's `transfer.json`.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the origin, number or time cannot be so.
    pub fn new(
        agreement: &Agreement,
        log: impl Into<String>,
        seq: u64,
        payload: [u8; 32],
        received: Timestamp,
    ) -> Result<Self> {
        Signed::new(Receipt {
            document: Receipt::NAME.to_owned(),
            version: VERSION,
            agreement: agreement.hash(),
            recipient_key: agreement.recipient().key(),
            log: log.into(),
            seq,
            payload,
            received,
        })
        .map(Self)
    }

    /// Checks that the recipient of `agreement` signed it for a transfer under that agreement.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not so.
    pub fn verify(&self, agreement: &Agreement) -> Result<()> {
        let paper = &self.0.document;
        expect((paper.agreement, paper.recipient_key) == (agreement.hash(), agreement.recipient().key()))?;
        self.0.verify()
    }

    /// The hash of the agreement.
    pub fn agreement(&self) -> [u8; 32] {
        self.0.document.agreement
    }

    /// The origin of the tenant's log.
    pub fn log(&self) -> &str {
        &self.0.document.log
    }

    /// The number of the entry that authorised the transfer.
    pub fn seq(&self) -> u64 {
        self.0.document.seq
    }

    /// SHA-256 of the package's `transfer.json`.
    pub fn payload(&self) -> [u8; 32] {
        self.0.document.payload
    }

    /// When it was received, by the recipient's clock.
    pub fn received(&self) -> Timestamp {
        self.0.document.received
    }
}

/// What of a transfer is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transferred {
    /// The origin of the tenant's log.
    pub log: String,
    /// The number of the entry that authorised the transfer.
    pub seq: u64,
    /// The records, by the UUIDs that the recipient knows them by, in lower case with hyphens. All, if it is empty.
    pub records: BTreeSet<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    document: String,
    version: u32,
    #[serde(with = "wire::hex")]
    id: [u8; 16],
    #[serde(with = "wire::hex")]
    agreement: [u8; 32],
    #[serde(with = "wire::key")]
    tenant_key: PublicKey,
    #[serde(with = "wire::key")]
    recipient_key: PublicKey,
    transfers: Vec<Transferred>,
    #[serde(with = "wire::text")]
    issued: Timestamp,
    #[serde(with = "wire::text")]
    due: Timestamp,
    reason: String,
}

impl Document for Request {
    const NAME: &'static str = "deletion-request";
    const WHAT: &'static str = "a deletion request";

    fn fault(&self) -> Option<&'static str> {
        let transfers = &self.transfers;
        let places = transfers.iter().map(|of| (&of.log, of.seq));
        let sound = |of: &Transferred| {
            is_origin(&of.log) && of.seq <= i64::MAX as u64 && of.records.iter().all(|record| is_uuid(record))
        };
        let records: usize = transfers.iter().map(|of| of.records.len()).sum();
        [
            ("transfers", (1..=MAX_TRANSFERS).contains(&transfers.len()) && transfers.iter().all(sound)),
            ("transfers", places.is_sorted_by(|one, next| one < next)),
            ("records", records <= MAX_RECORDS),
            ("times", self.issued <= self.due && is_writable(self.issued) && is_writable(self.due)),
            ("reason", is_readable(&self.reason, MAX_TEXT)),
        ]
        .into_iter()
        .find_map(|(member, sound)| (!sound).then_some(member))
    }

    fn signers(&self) -> Vec<(&'static str, PublicKey)> {
        vec![("tenant", self.tenant_key)]
    }
}

/// That a recipient is to delete what it received. Signed by the tenant. A signed note (SPEC 12.5).
#[derive(Clone, PartialEq, Eq)]
pub struct DeletionRequest(Signed<Request>);

impl DeletionRequest {
    /// A request under a random id, not yet signed, to the recipient of `agreement`, which is the newest revision: its
    /// transfers may have been made under earlier ones. To be done before `due`; the reason is of 1 to 1,024 bytes.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if there is no transfer, there are more than 1,000 or one twice, records
    /// are no UUIDs or more than 5,000, it is due before it is issued, or the reason is empty, too long or unreadable;
    /// [`TooLarge`](ErrorKind::TooLarge) above 256 KiB; [`Io`](ErrorKind::Io) if the system gives no randomness.
    pub fn new(
        agreement: &Agreement,
        transfers: Vec<Transferred>,
        issued: Timestamp,
        due: Timestamp,
        reason: impl Into<String>,
    ) -> Result<Self> {
        let mut id = [0; 16];
        random(&mut id)?;
        Self::with_id(id, agreement, transfers, issued, due, reason)
    }

    pub(crate) fn with_id(
        id: [u8; 16],
        agreement: &Agreement,
        mut transfers: Vec<Transferred>,
        issued: Timestamp,
        due: Timestamp,
        reason: impl Into<String>,
    ) -> Result<Self> {
        transfers.sort();
        Signed::new(Request {
            document: Request::NAME.to_owned(),
            version: VERSION,
            id,
            agreement: agreement.hash(),
            tenant_key: agreement.tenant_key(),
            recipient_key: agreement.recipient().key(),
            transfers,
            issued,
            due,
            reason: reason.into(),
        })
        .map(Self)
    }

    /// Checks that the tenant of `agreement` signed it to the recipient of that agreement.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not so.
    pub fn verify(&self, agreement: &Agreement) -> Result<()> {
        let paper = &self.0.document;
        let parties = (paper.agreement, paper.tenant_key, paper.recipient_key);
        expect(parties == (agreement.hash(), agreement.tenant_key(), agreement.recipient().key()))?;
        self.0.verify()
    }

    /// Random.
    pub fn id(&self) -> [u8; 16] {
        self.0.document.id
    }

    /// The hash of the agreement.
    pub fn agreement(&self) -> [u8; 32] {
        self.0.document.agreement
    }

    /// The key of the recipient who is asked.
    pub fn recipient_key(&self) -> PublicKey {
        self.0.document.recipient_key
    }

    /// What is to be deleted, ascending by log and number.
    pub fn transfers(&self) -> &[Transferred] {
        &self.0.document.transfers
    }

    /// When it was written.
    pub fn issued(&self) -> Timestamp {
        self.0.document.issued
    }

    /// When it must be done.
    pub fn due(&self) -> Timestamp {
        self.0.document.due
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.0.document.reason
    }
}

words! {
    /// What became of a deletion request.
    DeletionResult {
        /// Everything was deleted.
        Deleted = "deleted",
        /// Some of it was.
        Partly = "partly",
        /// Nothing was.
        Refused = "refused",
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Acknowledgement {
    document: String,
    version: u32,
    #[serde(with = "wire::hex")]
    request: [u8; 16],
    #[serde(with = "wire::hex")]
    request_hash: [u8; 32],
    #[serde(with = "wire::key")]
    recipient_key: PublicKey,
    #[serde(with = "wire::text")]
    done: Timestamp,
    result: DeletionResult,
    note: String,
}

impl Document for Acknowledgement {
    const NAME: &'static str = "deletion-acknowledgement";
    const WHAT: &'static str = "a deletion acknowledgement";

    fn fault(&self) -> Option<&'static str> {
        // Who did not do all that was asked says why.
        let silent = self.note.is_empty() && self.result == DeletionResult::Deleted;
        let note = silent || is_readable(&self.note, MAX_TEXT);
        [("time", is_writable(self.done)), ("note", note)]
            .into_iter()
            .find_map(|(member, sound)| (!sound).then_some(member))
    }

    fn signers(&self) -> Vec<(&'static str, PublicKey)> {
        vec![("recipient", self.recipient_key)]
    }
}

/// What a recipient did about a [`DeletionRequest`]. Signed by the recipient. A signed note (SPEC 12.5).
#[derive(Clone, PartialEq, Eq)]
pub struct DeletionAcknowledgement(Signed<Acknowledgement>);

impl DeletionAcknowledgement {
    /// An answer, not yet signed. The note is of at most 1,024 bytes, and may be empty only where all was deleted.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the note is missing, too long or unreadable, or the time cannot be so.
    pub fn new(
        request: &DeletionRequest,
        done: Timestamp,
        result: DeletionResult,
        note: impl Into<String>,
    ) -> Result<Self> {
        Signed::new(Acknowledgement {
            document: Acknowledgement::NAME.to_owned(),
            version: VERSION,
            request: request.id(),
            request_hash: request.hash(),
            recipient_key: request.recipient_key(),
            done,
            result,
            note: note.into(),
        })
        .map(Self)
    }

    /// Checks that whoever was asked by `request` signed it as the answer to that request.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not so.
    pub fn verify(&self, request: &DeletionRequest) -> Result<()> {
        let paper = &self.0.document;
        let answered = (paper.request, paper.request_hash, paper.recipient_key);
        expect(answered == (request.id(), request.hash(), request.recipient_key()))?;
        self.0.verify()
    }

    /// The id of the request.
    pub fn request(&self) -> [u8; 16] {
        self.0.document.request
    }

    /// The hash of the request.
    pub fn request_hash(&self) -> [u8; 32] {
        self.0.document.request_hash
    }

    /// When it was done, by the recipient's clock.
    pub fn done(&self) -> Timestamp {
        self.0.document.done
    }

    /// What was done.
    pub fn result(&self) -> DeletionResult {
        self.0.document.result
    }

    /// What the recipient says about it.
    pub fn note(&self) -> &str {
        &self.0.document.note
    }
}

fn expect(so: bool) -> Result<()> {
    if so { Ok(()) } else { Err(Error::new(ErrorKind::Tampered, "verifying what a paper of a transfer refers to")) }
}

/// Readable and without spaces, as the name under a checkpoint is.
fn is_origin(text: &str) -> bool {
    is_readable(text, 255) && !text.contains(|c: char| c.is_whitespace() || c == '+')
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && unhex(&groups.concat()).is_some()
}
