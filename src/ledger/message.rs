use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::encoding::enc;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{RecordId, hex, unhex};
use crate::time::Timestamp;

const VERSION: u32 = 1;
/// Bytes of a message at the most.
pub(crate) const MAX_MESSAGE: usize = 64 * 1024;
/// Bytes of an actor, purpose or basis at the most.
pub(crate) const MAX_TEXT: usize = 1024;

/// What an entry tells of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An agreement with a third party is over: nothing goes under it any more.
    AgreementRevoked,
    /// An agreement with a third party is in force, signed by it and the tenant.
    AgreementSigned,
    /// The tenant's card has a successor.
    CardChanged,
    /// Custodians showed on a record made for it that they can still open what an order asks for.
    CustodiansDrilled,
    /// The disk was full; what could not be stored was refused, until [`Recovered`](Self::Recovered).
    Degraded,
    /// A third party says that it deleted what it had been sent, or why not.
    DeletionAnswered,
    /// Records were to be erased and are under a legal hold: they are erased when it ends.
    DeletionDeferred,
    /// Records were erased: their keys no longer exist.
    Erased,
    /// Records are about to be erased: from here on nothing keeps them.
    ErasureAuthorised,
    /// Records must not be erased as long as a matter lasts.
    HoldPlaced,
    /// Somebody says that a matter is over, and somebody else has to confirm it.
    HoldReleaseProposed,
    /// A matter is over: its holds end. What they had put off is erased unless another stands.
    HoldReleased,
    /// Records came in. One entry for each commit.
    Ingested,
    /// The log ends here; another goes on.
    LogClosed,
    /// The log begins. Names the operator, the tenant's card and policy, and the log before it.
    LogOpened,
    /// The tenant was told of an order.
    NoticeGiven,
    /// A quorum of custodians approved, and what they hold for these records or epochs was combined.
    OrderApproved,
    /// An order is over.
    OrderClosed,
    /// The tenant agreed to an order.
    OrderConsented,
    /// All records of an order were given to its authority.
    OrderDisclosed,
    /// What an approval began was stopped: some of it may have been given out, none of it as a whole.
    OrderFailed,
    /// The records were found that an order is about.
    OrderFound,
    /// Records are about to be given to an authority. Has the digest of what is given.
    OrderProducing,
    /// An order to disclose came in.
    OrderReceived,
    /// An order was reviewed: what came of it, and why.
    OrderReviewed,
    /// What an entry began has no outcome: its process died.
    OutcomeUnknown,
    /// The tenant's disclosure policy has a successor.
    PolicyChanged,
    /// A record is about to be read, by one who asked for an entry each time.
    Read,
    /// Third parties were asked to delete what they had been sent.
    RecipientsTold,
    /// There is space again.
    Recovered,
    /// The log begins where an old copy of the one before it was put back. Names what [`LogOpened`](Self::LogOpened)
    /// does, what is left of the log before, what that had grown to, and the reason, as its `basis`.
    Restored,
    /// A subject's interactions are not to be handed on.
    Restricted,
    /// A subject's interactions may be handed on again.
    RestrictionLifted,
    /// A reading session is over.
    SessionClosed,
    /// A reading session begins.
    SessionOpened,
    /// Records are about to be sent to a third party. Names the agreement, and has the digest of what is sent.
    TransferAuthorised,
    /// All that was authorised was given out.
    TransferCompleted,
    /// It was stopped: some of it may have been given out, none of it as a whole.
    TransferFailed,
    /// What a third party must promise, and who may be one, was stated anew by the tenant.
    TransferPolicyChanged,
    /// A third party signed that it received what was sent.
    TransferReceipted,
    /// Something was to be sent to a third party, and was not: says why.
    TransferRefused,
    /// A writer may write for this tenant.
    WriterEnrolled,
    /// A writer may no longer write.
    WriterRetired,
    /// A kind of a later version.
    Other(String),
}

pub(crate) const KINDS: [(Kind, &str); 43] = [
    (Kind::AgreementRevoked, "agreement.revoked"),
    (Kind::AgreementSigned, "agreement.signed"),
    (Kind::CardChanged, "card.changed"),
    (Kind::CustodiansDrilled, "custodians.drilled"),
    (Kind::Degraded, "degraded"),
    (Kind::DeletionAnswered, "deletion.answered"),
    (Kind::DeletionDeferred, "deletion.deferred"),
    (Kind::Erased, "erased"),
    (Kind::ErasureAuthorised, "erasure.authorised"),
    (Kind::HoldPlaced, "hold.placed"),
    (Kind::HoldReleaseProposed, "hold.release.proposed"),
    (Kind::HoldReleased, "hold.released"),
    (Kind::Ingested, "ingested"),
    (Kind::LogClosed, "log.closed"),
    (Kind::LogOpened, "log.opened"),
    (Kind::NoticeGiven, "notice.given"),
    (Kind::OrderApproved, "order.approved"),
    (Kind::OrderClosed, "order.closed"),
    (Kind::OrderConsented, "order.consented"),
    (Kind::OrderDisclosed, "order.disclosed"),
    (Kind::OrderFailed, "order.failed"),
    (Kind::OrderFound, "order.found"),
    (Kind::OrderProducing, "order.producing"),
    (Kind::OrderReceived, "order.received"),
    (Kind::OrderReviewed, "order.reviewed"),
    (Kind::OutcomeUnknown, "outcome.unknown"),
    (Kind::PolicyChanged, "policy.changed"),
    (Kind::Read, "read"),
    (Kind::RecipientsTold, "recipients.told"),
    (Kind::Recovered, "recovered"),
    (Kind::Restored, "restored"),
    (Kind::Restricted, "restricted"),
    (Kind::RestrictionLifted, "restriction.lifted"),
    (Kind::SessionClosed, "session.closed"),
    (Kind::SessionOpened, "session.opened"),
    (Kind::TransferAuthorised, "transfer.authorised"),
    (Kind::TransferCompleted, "transfer.completed"),
    (Kind::TransferFailed, "transfer.failed"),
    (Kind::TransferPolicyChanged, "transfer.policy.changed"),
    (Kind::TransferReceipted, "transfer.receipted"),
    (Kind::TransferRefused, "transfer.refused"),
    (Kind::WriterEnrolled, "writer.enrolled"),
    (Kind::WriterRetired, "writer.retired"),
];

impl Kind {
    fn parse(text: &str) -> Self {
        let known = KINDS.iter().find(|(_, name)| *name == text);
        known.map_or_else(|| Self::Other(text.to_owned()), |(kind, _)| kind.clone())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match KINDS.iter().find(|(kind, _)| kind == self) {
            Some((_, name)) => f.write_str(name),
            None => match self {
                Self::Other(name) => f.write_str(name),
                _ => f.write_str("unknown"),
            },
        }
    }
}

/// A set of records, by number and digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordSet {
    /// How many.
    pub count: u64,
    /// Of what was ingested, over the digests of the record headers; of what was read, over the records' ids.
    pub digest: [u8; 32],
}

impl RecordSet {
    /// `H(ENC("record-set"; digests of the record headers, ascending))`.
    pub fn of_headers(digests: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self::over("record-set", digests.into_iter().collect())
    }

    /// `H(ENC("id-set"; ids, ascending, each once))`.
    pub fn of_ids(ids: impl IntoIterator<Item = RecordId>) -> Self {
        Self::over("id-set", ids.into_iter().map(|id| *id.as_bytes()).collect())
    }

    fn over<const N: usize>(label: &str, mut members: Vec<[u8; N]>) -> Self {
        members.sort_unstable();
        members.dedup();
        let fields: Vec<&[u8]> = members.iter().map(|member| &member[..]).collect();
        Self { count: members.len() as u64, digest: Sha256::digest(enc(label, &fields)).into() }
    }
}

/// An entry in words: one line of JSON, whose exact bytes the ledger's leaf is a hash of. SPEC "Message".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The log's origin.
    pub log: String,
    /// The entry's number in the log, from 0.
    pub seq: u64,
    /// When, by the clock of the process that wrote it.
    pub time: Timestamp,
    /// What happened.
    pub kind: Kind,
    /// Who did it, in the tenant's words, or which machine.
    pub actor: String,
    /// On what grounds, if they were given.
    pub basis: Option<String>,
    /// What for, if it was given.
    pub purpose: Option<String>,
    /// Which records it concerns.
    pub records: Option<RecordSet>,
    /// SHA-256 of the document that it speaks of: a card, a policy.
    pub payload: Option<[u8; 32]>,
    /// The number of the entry that it concludes, if that is in the same log; else its `details` say where it is.
    pub refers: Option<u64>,
    /// More, by name.
    pub details: BTreeMap<String, String>,
    /// Random, so that nobody can test a guess of a message against its leaf.
    pub nonce: [u8; 32],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u32,
    log: String,
    seq: u64,
    time: String,
    kind: String,
    actor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    basis: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    records: Option<WireSet>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refers: Option<u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<String, String>,
    nonce: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSet {
    count: u64,
    digest: String,
}

impl Message {
    /// The line, with the line feed that ends it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let wire = Wire {
            version: VERSION,
            log: self.log.clone(),
            seq: self.seq,
            time: self.time.to_string(),
            kind: self.kind.to_string(),
            actor: self.actor.clone(),
            basis: self.basis.clone(),
            purpose: self.purpose.clone(),
            records: self.records.map(|set| WireSet { count: set.count, digest: hex(&set.digest) }),
            payload: self.payload.map(|digest| hex(&digest)),
            refers: self.refers,
            details: self.details.clone(),
            nonce: hex(&self.nonce),
        };
        // Strings, numbers and maps of strings always serialise.
        let mut line = serde_json::to_vec(&wire).unwrap_or_else(|_| unreachable!("strings and numbers"));
        line.push(b'\n');
        line
    }

    /// Parses a line. Only what [`to_bytes`](Self::to_bytes) writes is accepted, to the byte.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is no message; [`Unsupported`](ErrorKind::Unsupported) if it is one of a
    /// later version.
    pub fn from_bytes(line: &[u8]) -> Result<Self> {
        let doing = "parsing a ledger's message";
        let bad = || Error::new(ErrorKind::Tampered, doing);
        if line.len() > MAX_MESSAGE {
            return Err(bad());
        }
        // serde_json's errors quote what they stumble over: they are not passed on.
        let Ok(wire) = serde_json::from_slice::<Wire>(line) else {
            #[derive(Deserialize)]
            struct Version {
                version: u32,
            }
            let later = serde_json::from_slice::<Version>(line).is_ok_and(|v| v.version > VERSION);
            return Err(Error::new(if later { ErrorKind::Unsupported } else { ErrorKind::Tampered }, doing));
        };
        if wire.version != VERSION {
            let kind = if wire.version > VERSION { ErrorKind::Unsupported } else { ErrorKind::Tampered };
            return Err(Error::new(kind, doing));
        }
        let digest = |text: &str| unhex(text).and_then(|b| <[u8; 32]>::try_from(b).ok()).ok_or_else(bad);
        let set = |set: WireSet| Ok(RecordSet { count: set.count, digest: digest(&set.digest)? });
        let message = Self {
            log: wire.log,
            seq: wire.seq,
            time: wire.time.parse().map_err(|_| bad())?,
            kind: Kind::parse(&wire.kind),
            actor: wire.actor,
            basis: wire.basis,
            purpose: wire.purpose,
            records: wire.records.map(set).transpose()?,
            payload: wire.payload.as_deref().map(digest).transpose()?,
            refers: wire.refers,
            details: wire.details,
            nonce: digest(&wire.nonce)?,
        };
        if message.to_bytes() == line { Ok(message) } else { Err(bad()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            log: "sigsum.org/v1/tree/00".into(),
            seq: 7,
            time: Timestamp::from_unix_ms(1_710_605_360_701),
            kind: Kind::Ingested,
            actor: "a \"writer\"\u{1}é".into(),
            basis: None,
            purpose: Some("quality".into()),
            records: Some(RecordSet::of_headers([[2; 32], [1; 32]])),
            payload: Some([9; 32]),
            refers: Some(3),
            details: BTreeMap::from([("b".into(), "2".into()), ("a".into(), "1".into())]),
            nonce: [5; 32],
        }
    }

    #[test]
    fn a_message_parses_back_and_every_other_spelling_of_it_is_refused() {
        let message = message();
        let line = message.to_bytes();
        assert_eq!(Message::from_bytes(&line).unwrap(), message);
        assert_eq!(line.iter().filter(|b| **b == b'\n').count(), 1);
        let text = String::from_utf8(line.clone()).unwrap();
        for other in [
            text.trim_end().to_owned(),
            text.replace(":7,", ": 7,"),
            text.replace("\"purpose\":\"quality\",", "\"purpose\":\"quality\",\"more\":1,"),
            text.replace("0505", "0A05"),
            text.replace("\"seq\":7", "\"seq\":7,\"seq\":7"),
            format!("{text}\n"),
        ] {
            assert_ne!(other, text);
            assert_eq!(Message::from_bytes(other.as_bytes()).unwrap_err().kind(), ErrorKind::Tampered, "{other}");
        }
        let later = text.replace("\"version\":1", "\"version\":2");
        assert_eq!(Message::from_bytes(later.as_bytes()).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn every_kind_has_one_name_and_unknown_ones_survive() {
        for (kind, name) in KINDS {
            assert_eq!((kind.to_string().as_str(), Kind::parse(name)), (name, kind));
        }
        assert_eq!(Kind::parse("teleported").to_string(), "teleported");
    }

    #[test]
    fn a_set_has_one_digest_in_every_order() {
        assert_eq!(RecordSet::of_headers([[1; 32], [2; 32]]), RecordSet::of_headers([[2; 32], [1; 32], [2; 32]]));
        assert_ne!(RecordSet::of_headers([]).digest, RecordSet::of_ids([]).digest);
    }
}
