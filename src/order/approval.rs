use std::fmt;

use zeroize::Zeroizing;

use super::request::{OrderRequest, Stage};
use crate::encoding::{Fields, enc};
use crate::epoch::EpochHeader;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, hex};
use crate::index::IndexKey;
use crate::key::{DisclosurePolicy, Identity, Opener, PolicyHash, PublicKey, Recipient, signed, split_signed};
use crate::record::RecordHeader;
use crate::seal::{Place, RecordKey};
use crate::secret::Secret;
use crate::shares;
use crate::time::Timestamp;

const LABEL: &str = "order-approval";
/// Bytes of an approval at the most.
const MAX: usize = 8 << 20;
/// Bytes of a share in an approval: whether it is there, and the share.
pub(super) const ITEM: usize = 1 + 32;

/// The file that a custodian sends back: its shares of what a request lists, opened, and sealed to the request's one-time
/// key; signed. SPEC 14.3.
#[derive(Clone, PartialEq, Eq)]
pub struct Approval {
    request: [u8; 32],
    recipient: Recipient,
    key: PublicKey,
    given: Timestamp,
    sealed: Vec<u8>,
    body: Vec<u8>,
    signature: [u8; 64],
}

/// Why an approval does not count, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApprovalFault {
    /// It is of another request: another order, another revision, another stage, or one that was made anew.
    OtherRequest(PublicKey),
    /// It was given after the request had expired, or comes after it.
    Expired(PublicKey),
    /// The one whom it names as its custodian did not sign it.
    Forged(PublicKey),
    /// A custodian who has one among the others already.
    Repeated(PublicKey),
    /// Nobody who is a custodian of the records.
    Stranger(PublicKey),
    /// A share in it is not the one that was sealed to its custodian, or is not there: for this record or epoch.
    WrongShare(PublicKey, String),
    /// Fewer custodians approved than the policy in force for this record or epoch asks for: so many, of so many.
    TooFew(String, u8, u8),
}

impl fmt::Display for ApprovalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherRequest(who) => write!(f, "the approval of custodian {who} is of another request"),
            Self::Expired(who) => write!(f, "the approval of custodian {who} came after the request had expired"),
            Self::Forged(who) => write!(f, "custodian {who} did not sign the approval that bears that name"),
            Self::Repeated(who) => write!(f, "custodian {who} approved twice"),
            Self::Stranger(who) => write!(f, "{who} is no custodian of these records"),
            Self::WrongShare(who, what) => {
                write!(f, "custodian {who} gave a share of {what} that is not the one that was sealed to it")
            }
            Self::TooFew(what, have, need) => {
                write!(f, "only {have} of the {need} custodians who must approve {what} did")
            }
        }
    }
}

impl std::error::Error for ApprovalFault {}

impl Approval {
    /// Seals `shares`, one [`ITEM`] for each item of the request, and signs.
    pub(super) fn new(request: &OrderRequest, custodian: &dyn Opener, shares: &[u8], given: Timestamp) -> Result<Self> {
        let (hash, recipient) = (request.hash(), custodian.recipient().clone());
        let wrong = || Error::new(ErrorKind::WrongKey, "signing an approval with a key that does not sign");
        // Asked for a signature of nothing: as whom it signs.
        let (key, _) = custodian.sign(&[]).ok_or_else(wrong)?;
        let sealed = crate::key::seal(request.to(), &info(&hash, &recipient), shares)?;
        let fields: [&[u8]; 5] =
            [&hash, &recipient.to_field(), key.as_bytes(), &given.unix_ms().to_be_bytes(), &sealed];
        let body = enc(LABEL, &fields);
        let (_, signature) = custodian.sign(&body).ok_or_else(wrong)?;
        key.verify(&body, &signature, "verifying an approval's new signature")?;
        Ok(Self { request: hash, recipient, key, given, sealed, body, signature })
    }

    /// Parses an approval. Who signed it, and what for, is verified where it is used.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is none; [`TooLarge`](ErrorKind::TooLarge) above 8 MiB.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX {
            return Err(Error::new(ErrorKind::TooLarge, "parsing an approval"));
        }
        let (body, signature) = split_signed(bytes)?;
        let mut f = Fields::of(LABEL, body)?;
        let this = Self {
            request: f.array()?,
            recipient: Recipient::from_field(f.bytes()?)?,
            key: PublicKey::from_bytes(f.array()?)?,
            given: Timestamp::from_unix_ms(i64::from_be_bytes(f.array()?)),
            sealed: f.bytes()?.to_vec(),
            body: body.to_vec(),
            signature,
        };
        f.end()?;
        Ok(this)
    }

    /// The file's content.
    pub fn to_bytes(&self) -> Vec<u8> {
        signed(&self.body, &self.signature)
    }

    /// The request that it is of, by its SHA-256.
    pub fn request(&self) -> [u8; 32] {
        self.request
    }

    /// The key that it says it is signed with.
    pub fn custodian(&self) -> PublicKey {
        self.key
    }

    /// When it was given, by the custodian's clock.
    pub fn given(&self) -> Timestamp {
        self.given
    }
}

impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Approval(of {}, by {})", hex(&self.request), self.key)
    }
}

pub(crate) fn info(request: &[u8; 32], custodian: &Recipient) -> Vec<u8> {
    enc("order-approval-share", &[request, &custodian.to_field()])
}

/// What a quorum opened.
pub(crate) enum Combined {
    Index(Vec<(EpochId, IndexKey)>),
    Records(Vec<(RecordHeader, RecordKey)>),
}

impl OrderRequest {
    /// Verifies approvals and combines their shares. All must be good: whoever is to blame is named, and nothing is opened.
    ///
    /// # Errors
    /// The fault, of the first approval that has one, or that there are too few; else why nothing can be opened at all.
    pub(crate) fn combine(
        &self,
        approvals: &[Approval],
        one_time: &Identity,
        now: Timestamp,
    ) -> Result<std::result::Result<Combined, ApprovalFault>> {
        let sealed = self.sealed_under()?;
        let mut given: Vec<(&Approval, Zeroizing<Vec<u8>>)> = Vec::new();
        for approval in approvals {
            match self.open(approval, &sealed, one_time, now)? {
                Ok(_) if given.iter().any(|(before, _)| self.same(before, approval)) => {
                    return Ok(Err(ApprovalFault::Repeated(approval.key)));
                }
                Ok(shares) => given.push((approval, shares)),
                Err(fault) => return Ok(Err(fault)),
            }
        }
        let (mut index, mut records) = (Vec::new(), Vec::new());
        for (at, (epoch, policy)) in sealed.into_iter().enumerate() {
            let shares: Vec<(u8, Secret)> = given
                .iter()
                .filter_map(|(approval, shares)| {
                    let number = policy.number_of(&approval.recipient, &approval.key)?;
                    Some((number, Secret::from_slice(shares.get(at * ITEM + 1..(at + 1) * ITEM)?)?))
                })
                .collect();
            let (have, need) = (shares.len() as u8, policy.threshold());
            if have < need || need == 0 {
                return Ok(Err(ApprovalFault::TooFew(self.name(at), have, need)));
            }
            let numbered: Vec<(u8, &Secret)> = shares.iter().map(|(number, share)| (*number, share)).collect();
            let key = shares::combine(&numbered)?;
            match self.stage() {
                Stage::Find => index.push((epoch.epoch(), IndexKey::new(key))),
                Stage::Open | Stage::Drill => {
                    let header = self.records.get(at).ok_or_else(bad)?;
                    records.push((header.clone(), RecordKey::from_dek(Place::of(header), key)));
                }
            }
        }
        Ok(Ok(match self.stage() {
            Stage::Find => Combined::Index(index),
            Stage::Open | Stage::Drill => Combined::Records(records),
        }))
    }

    /// The shares of one approval, each compared with its commitment.
    fn open(
        &self,
        approval: &Approval,
        sealed_under: &[(&EpochHeader, &DisclosurePolicy)],
        one_time: &Identity,
        now: Timestamp,
    ) -> Result<std::result::Result<Zeroizing<Vec<u8>>, ApprovalFault>> {
        let Approval { request, recipient, key, given, sealed, body, signature } = approval;
        if *request != self.hash() {
            return Ok(Err(ApprovalFault::OtherRequest(*key)));
        }
        if !self.policies.values().any(|policy| policy.number_of(recipient, key).is_some()) {
            return Ok(Err(ApprovalFault::Stranger(*key)));
        }
        if key.verify(body, signature, "verifying an approval's signature").is_err() {
            return Ok(Err(ApprovalFault::Forged(*key)));
        }
        if now >= self.expires() || *given >= self.expires() {
            return Ok(Err(ApprovalFault::Expired(*key)));
        }
        let whole = |what: &str| ApprovalFault::WrongShare(*key, what.to_owned());
        let (enc, ciphertext) = match sealed.split_at_checked(one_time.recipient().suite().enc_len()) {
            Some(parts) => parts,
            None => return Ok(Err(whole("all of it"))),
        };
        let Ok(shares) = one_time.open(enc, &info(request, recipient), ciphertext) else {
            return Ok(Err(whole("all of it")));
        };
        if shares.len() != self.items() * ITEM {
            return Ok(Err(whole("all of it")));
        }
        for (at, (item, (epoch, policy))) in shares.chunks_exact(ITEM).zip(sealed_under).enumerate() {
            let Some(number) = policy.number_of(recipient, key) else {
                continue;
            };
            let share = Secret::from_slice(&item[1..]).ok_or_else(bad)?;
            let right = match self.stage() {
                Stage::Find => epoch.is_index_share(number, &share),
                Stage::Open | Stage::Drill => {
                    let header = self.records.get(at).ok_or_else(bad)?;
                    let commitment = header.shares.get(usize::from(number) - 1).map(|(commitment, _)| *commitment);
                    commitment == Some(Place::of(header).share_commitment(number, &share))
                }
            };
            if item[0] != 1 || !right {
                return Ok(Err(whole(&self.name(at))));
            }
        }
        Ok(Ok(shares))
    }

    /// No policy names anybody under either key twice. Who has one of two keys anew since another policy answers with each
    /// pair, and each counts for what was sealed under its policy alone.
    fn same(&self, a: &Approval, b: &Approval) -> bool {
        a.key == b.key && a.recipient == b.recipient
    }

    /// What item `at` is, for people.
    fn name(&self, at: usize) -> String {
        match self.stage() {
            Stage::Find => self.epochs().nth(at).map_or_else(String::new, |epoch| format!("epoch {epoch}")),
            Stage::Open | Stage::Drill => {
                self.records.get(at).map_or_else(String::new, |header| format!("record {}", header.record))
            }
        }
    }

    /// The policies that ask for a custodian with these keys.
    pub(super) fn policies_of(&self, recipient: &Recipient, key: &PublicKey) -> Vec<PolicyHash> {
        let of = |(hash, policy): (&PolicyHash, &DisclosurePolicy)| policy.number_of(recipient, key).map(|_| *hash);
        self.policies.iter().filter_map(of).collect()
    }
}

fn bad() -> Error {
    Error::new(ErrorKind::Tampered, "combining the shares of custodians")
}
