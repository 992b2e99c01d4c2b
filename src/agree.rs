//! Agree: the tenant states what a third party must promise, and puts in force what one has promised.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::agreement::{Agreement, Field, Refusal, TransferPolicy};
use crate::encoding::codec;
use crate::error::{Error, ErrorKind, Result};
use crate::id::hex;
use crate::key::PublicKey;
use crate::ledger::{Kind, Receipt, check_text};
use crate::record::PartKind;
use crate::retrieve::{PaperPlace, TenantSession};
use crate::time::Timestamp;

const AGREEMENT: &str = "agreement";
const POLICY: &str = "transfer-policy";
const VERSION: u16 = 1;
const MAX: u64 = 1 << 20;

/// An agreement, and what became of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Standing {
    /// What was agreed, in its newest revision.
    pub agreement: Agreement,
    /// Since when this revision is in force.
    pub since: Timestamp,
    /// The ledger that tells of this revision, and the number of its entry.
    pub entry: (PublicKey, u64),
    /// When the tenant revoked it, and why.
    pub revoked: Option<(Timestamp, String)>,
    /// The entry that tells of that.
    pub revoked_entry: Option<(PublicKey, u64)>,
}

#[derive(Serialize, Deserialize)]
enum Said {
    Signed { at: Timestamp, note: String },
    Revoked { at: Timestamp, reason: String },
}

impl TenantSession {
    /// States what third parties must promise and of which classes they may be, from now on. Running transfers that it
    /// does not allow end at their next record.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not signed by the tenant, is of another, or does not follow the one in
    /// force; else as the disk.
    pub fn set_transfer_policy(&self, policy: &TransferPolicy) -> Result<Receipt> {
        let card = self.room.tenant(self.tenant)?.card;
        policy.verify(&card)?;
        let before = self.transfer_policy()?;
        match &before {
            Some(before) => policy.verify_succession(before)?,
            None if policy.revision() != 1 => {
                return Err(Error::new(ErrorKind::Tampered, "stating a transfer policy that follows an unknown one"));
            }
            None => {}
        }
        let note = policy.to_string();
        let mut tell = self.tell(Kind::TransferPolicyChanged).detail("version", policy.revision());
        tell.payload = Some(policy.hash());
        self.say(tell.paper(POLICY, None, note.into_bytes()))
    }

    /// The transfer policy in force, if the tenant has stated one. Without one, nothing is sent to anybody.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it does not verify; else as the database.
    pub fn transfer_policy(&self) -> Result<Option<TransferPolicy>> {
        let Some(paper) = self.papers(POLICY, PaperPlace::default())?.pop() else { return Ok(None) };
        let text = std::str::from_utf8(&paper.bytes);
        let policy: TransferPolicy =
            text.map_err(|_| Error::new(ErrorKind::Tampered, "reading a transfer policy"))?.parse()?;
        let cards = self.room.statements(self.tenant)?.cards;
        let card = cards.iter().find(|card| policy.verify(card).is_ok());
        card.ok_or_else(|| Error::new(ErrorKind::Tampered, "verifying a transfer policy"))?;
        Ok(Some(policy))
    }

    /// Puts an agreement in force that the recipient and the tenant have signed: the next revision of one that stands, or
    /// a new one.
    ///
    /// # Errors
    /// [`Refused`](ErrorKind::Refused) if a signature is missing, or the transfer policy does not allow it, with every
    /// reason; [`InvalidInput`](ErrorKind::InvalidInput) if it is of another tenant, operator or ledger, was revoked, or
    /// its recipient has a key of one with another name; [`Tampered`](ErrorKind::Tampered) if it does not follow the
    /// revision in force; else as the disk.
    pub fn agree(&self, agreement: &Agreement) -> Result<Receipt> {
        let doing = "putting an agreement in force";
        agreement.verify().map_err(|e| Error::new(ErrorKind::Refused, doing).because(e))?;
        let card = self.room.tenant(self.tenant)?.card;
        let logs = self.room.store.logs(self.tenant)?;
        let ours = (agreement.vault(), agreement.tenant(), agreement.tenant_key())
            == (self.room.id, self.tenant, card.public_key())
            && agreement.operator() == self.room.store.operator()?
            && logs.iter().any(|log| log.key == agreement.log());
        if !ours {
            return Err(Error::new(ErrorKind::InvalidInput, doing).because("it is of another tenant, vault or ledger"));
        }
        let policy = self.transfer_policy()?;
        let terms = agreement.terms();
        let first = terms.purposes.first().map_or("", String::as_str);
        // It may be agreed before its time.
        let then = Timestamp::now().max(terms.valid_from);
        let refusals = match &policy {
            Some(policy) => agreement.refusals(policy, first, &[], &[], then),
            None => return Err(refused(doing, "the tenant has stated no transfer policy")),
        };
        if !refusals.is_empty() {
            return Err(refused(doing, &told(&refusals)));
        }
        let mut known = Agreements::default();
        known.learn(self)?;
        match known.standing(&agreement.id()) {
            Some(standing) if standing.revoked.is_some() => {
                return Err(Error::new(ErrorKind::InvalidInput, doing).because("it was revoked: make a new one"));
            }
            Some(standing) => agreement.verify_succession(&standing.agreement)?,
            None if agreement.revision() != 1 => {
                return Err(Error::new(ErrorKind::InvalidInput, doing).because("the revisions before it are not known"));
            }
            None => {}
        }
        if known.has_twin(agreement) {
            let why = "its recipient has a key of one with another name, who would get the same pseudonyms";
            return Err(Error::new(ErrorKind::InvalidInput, doing).because(why));
        }
        let said = Said::Signed { at: Timestamp::now(), note: agreement.to_string() };
        let mut tell = self.tell(Kind::AgreementSigned).detail("agreement", hex(&agreement.id()));
        tell.payload = Some(agreement.hash());
        let tell = tell
            .detail("until", terms.valid_until)
            .detail("revision", agreement.revision())
            .detail("recipient", agreement.recipient().name());
        self.say(tell.paper(AGREEMENT, Some(agreement.id()), encode(&said)?))
    }

    /// Ends an agreement at once: running transfers under it end at their next record.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no such agreement; [`AlreadyExists`](ErrorKind::AlreadyExists) if it
    /// is revoked; [`InvalidInput`](ErrorKind::InvalidInput) for a reason that a ledger cannot tell; else as the disk.
    pub fn revoke_agreement(&self, id: [u8; 16], reason: &str) -> Result<Receipt> {
        check_text(reason, "revoking an agreement for a reason that a ledger cannot tell")?;
        let mut known = Agreements::default();
        known.learn(self)?;
        let standing = known.standing(&id).ok_or_else(|| Error::new(ErrorKind::NotFound, "looking an agreement up"))?;
        if standing.revoked.is_some() {
            return Err(Error::new(ErrorKind::AlreadyExists, "revoking an agreement that is revoked"));
        }
        let said = Said::Revoked { at: Timestamp::now(), reason: reason.to_owned() };
        let mut tell = self.tell(Kind::AgreementRevoked).detail("agreement", hex(&id)).detail("reason", reason);
        tell.payload = Some(standing.agreement.hash());
        self.say(tell.paper(AGREEMENT, Some(id), encode(&said)?))
    }

    /// Every agreement that was ever in force, in its newest revision, the oldest first.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if one does not open or verify; else as the database.
    pub fn agreements(&self) -> Result<Vec<Standing>> {
        let mut all: Vec<Standing> = self.agreed()?.into_iter().filter_map(|mut revisions| revisions.pop()).collect();
        all.sort_by_key(|standing| standing.since);
        Ok(all)
    }

    /// Every agreement that was ever in force, in all its revisions, the newest last.
    ///
    /// # Errors
    /// As [`agreements`](Self::agreements).
    pub(crate) fn agreed(&self) -> Result<Vec<Vec<Standing>>> {
        let mut known = Agreements::default();
        known.learn(self)?;
        Ok(known.of.into_values().collect())
    }

    /// Everything that stands against sending these kinds and fields under an agreement for a purpose, now; or what
    /// allows it.
    ///
    /// # Errors
    /// As the database. That it is not allowed is the inner error, with the reasons.
    pub(crate) fn permit(
        &self,
        id: &[u8; 16],
        purpose: &str,
        kinds: Option<&[PartKind]>,
        fields: Option<&[Field]>,
    ) -> Result<Result<Permit, String>> {
        // Before what it is compared with is read: what is said meanwhile has not been seen.
        let seen = self.seen()?;
        let mut agreements = Agreements::default();
        agreements.learn(self)?;
        let Some(standing) = agreements.standing(id) else { return Ok(Err("there is no such agreement".to_owned())) };
        let Some(policy) = self.transfer_policy()? else {
            return Ok(Err("the tenant has stated no transfer policy".to_owned()));
        };
        if let Some((at, _)) = &standing.revoked {
            return Ok(Err(format!("the agreement was revoked on {at}")));
        }
        let agreement = standing.agreement.clone();
        let (kinds, fields) = (kinds.unwrap_or_default(), fields.unwrap_or_default());
        let refusals = agreement.refusals(&policy, purpose, kinds, fields, Timestamp::now());
        if refusals.is_empty() { Ok(Ok(Permit { agreement, seen })) } else { Ok(Err(told(&refusals))) }
    }

    /// The last papers that say something of agreements.
    fn seen(&self) -> Result<[i64; 2]> {
        let store = &self.room.store;
        Ok([store.last_paper(self.tenant, AGREEMENT)?, store.last_paper(self.tenant, POLICY)?])
    }

    /// The revision of an agreement that has this hash, whatever became of it.
    pub(crate) fn agreement_of(&self, hash: &[u8; 32]) -> Result<Agreement> {
        let mut known = Agreements::default();
        known.learn(self)?;
        let found = known.of.into_values().flatten().map(|standing| standing.agreement).find(|a| a.hash() == *hash);
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking an agreement up"))
    }
}

/// That something may be sent now. Asked again before every record.
pub(crate) struct Permit {
    pub(crate) agreement: Agreement,
    seen: [i64; 2],
}

impl Permit {
    /// Whether what allowed it still does.
    ///
    /// # Errors
    /// `Refused` with the reason if it does not; else as the database.
    pub(crate) fn check(&mut self, session: &TenantSession, purpose: &str) -> Result<()> {
        let doing = "going on with a transfer";
        if Timestamp::now() >= self.agreement.terms().valid_until {
            return Err(refused(doing, "the agreement has expired"));
        }
        if session.seen()? != self.seen {
            let hash = self.agreement.hash();
            match session.permit(&self.agreement.id(), purpose, None, None)? {
                Ok(now) if now.agreement.hash() == hash => *self = now,
                Ok(_) => return Err(refused(doing, "the agreement has a newer revision")),
                Err(reason) => return Err(refused(doing, &reason)),
            }
        }
        Ok(())
    }
}

/// The agreements that stand or stood, by their ids, each with its revisions.
#[derive(Default)]
struct Agreements {
    of: HashMap<[u8; 16], Vec<Standing>>,
}

impl Agreements {
    fn learn(&mut self, session: &TenantSession) -> Result<()> {
        let bad = || Error::new(ErrorKind::Tampered, "reading an agreement");
        let cards = session.room.statements(session.tenant)?.cards;
        for paper in session.papers(AGREEMENT, PaperPlace::default())? {
            let id = paper.about.ok_or_else(bad)?;
            let said: Said = codec::decode_versioned(VERSION, &paper.bytes, MAX, "an agreement")?;
            match said {
                Said::Signed { at, note } => {
                    let agreement: Agreement = note.parse()?;
                    agreement.verify()?;
                    let ours = cards.iter().any(|card| card.public_key() == agreement.tenant_key());
                    if agreement.id() != id || agreement.tenant() != session.tenant || !ours {
                        return Err(bad());
                    }
                    self.signed(agreement, at, (paper.log, paper.seq));
                }
                Said::Revoked { at, reason } => {
                    self.revoked(&id, (at, reason), (paper.log, paper.seq)).ok_or_else(bad)?;
                }
            }
        }
        Ok(())
    }

    fn signed(&mut self, agreement: Agreement, since: Timestamp, entry: (PublicKey, u64)) {
        let revisions = self.of.entry(agreement.id()).or_default();
        // Whoever signed a revision while another revoked the agreement has not undone that.
        let last = revisions.last().map(|last| (last.revoked.clone(), last.revoked_entry));
        let (revoked, revoked_entry) = last.unwrap_or_default();
        revisions.push(Standing { agreement, since, entry, revoked, revoked_entry });
    }

    fn revoked(&mut self, id: &[u8; 16], why: (Timestamp, String), entry: (PublicKey, u64)) -> Option<()> {
        for standing in self.of.get_mut(id)? {
            standing.revoked = Some(why.clone());
            standing.revoked_entry = Some(entry);
        }
        Some(())
    }

    fn standing(&self, id: &[u8; 16]) -> Option<&Standing> {
        self.of.get(id)?.last()
    }

    /// Whether a recipient has a key that one of another name has or had. Two who agree on one age key would be given the
    /// same pseudonyms.
    fn has_twin(&self, agreement: &Agreement) -> bool {
        let own = agreement.recipient();
        let others = self.of.values().filter_map(|revisions| revisions.last());
        others.filter(|standing| standing.agreement.id() != agreement.id()).any(|standing| {
            let other = standing.agreement.recipient();
            let shared = own.recipient() == other.recipient() || own.key() == other.key();
            shared && own.name() != other.name()
        })
    }
}

fn encode(said: &Said) -> Result<Vec<u8>> {
    codec::encode_versioned(VERSION, said, MAX, "an agreement")
}

fn told(refusals: &[Refusal]) -> String {
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

pub(crate) fn refused(doing: &'static str, why: &str) -> Error {
    Error::new(ErrorKind::Refused, doing).because(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{Country, ProtectionProfile, RecipientCard, RecipientClass, Terms};
    use crate::id::{TenantId, VaultId};
    use crate::key::{Identity, Suite, TenantCard};

    #[test]
    fn a_revision_that_came_in_behind_a_revocation_is_revoked() {
        let [tenant, party] = [(); 2].map(|()| Identity::generate_for(Suite::X25519).unwrap());
        let card = TenantCard::new(VaultId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]), &tenant);
        let (class, country) = (RecipientClass::Affiliate, Country::new("DE").unwrap());
        let recipient = RecipientCard::new("Quality GmbH", class, &party, "x@example.com", country).unwrap();
        let (from, until) = (Timestamp::from_unix_ms(0), Timestamp::from_unix_ms(1));
        let terms = Terms::new(recipient, ProtectionProfile::weakest(), from, until).purpose("training");
        let terms = terms.kind(PartKind::Audio).retention_days(1).receipt_hours(1);
        let key = tenant.public_key();
        let first = Agreement::new(&card, key, key, terms.clone()).unwrap();
        let (id, second) = (first.id(), first.revise(terms).unwrap());
        let mut known = Agreements::default();
        known.signed(first, from, (key, 1));
        known.revoked(&id, (from, "a breach".to_owned()), (key, 2)).unwrap();
        // Two who were at it at the same time: neither saw the other.
        known.signed(second, from, (key, 3));
        let standing = known.standing(&id).unwrap();
        assert_eq!((standing.agreement.revision(), standing.revoked_entry), (2, Some((key, 2))));
        assert!(standing.revoked.is_some());
    }
}
