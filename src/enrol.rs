//! Enrol: tenants and writers come, change their keys, and go, each by an entry in the ledgers.

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::id::TenantId;
use crate::key::{DisclosurePolicy, Identity, PublicKey, TenantCard, TenantPin};
use crate::ledger::{Kind, Ledger, Marks, Receipt, Signer, Tell};
use crate::room::Tenant;
use crate::store::{Act, Change, Follows, Op, Which};
use crate::time::Timestamp;
use crate::vault::Vault;

const OPERATOR: &str = "operator";

impl Vault {
    /// Enrols a tenant by what it signed, and opens its ledger. Give the pin to the ingest processes on a way that does
    /// not lead through this vault, and the log's key and first checkpoint to the tenant.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the name is empty, longer than 256 bytes or holds control
    /// characters, or if the card is for another vault or a successor; [`Tampered`](ErrorKind::Tampered) if the policy is
    /// not signed by the card's tenant; [`AlreadyExists`](ErrorKind::AlreadyExists) if the tenant or the name is enrolled.
    pub fn enrol(&self, name: &str, card: &TenantCard, policy: &DisclosurePolicy) -> Result<TenantPin> {
        if name.is_empty() || name.len() > 256 || name.contains(char::is_control) {
            return Err(Error::new(ErrorKind::InvalidInput, "checking a tenant's name"));
        }
        if card.vault() != self.id() || card.version() != 1 || policy.version() != 1 {
            return Err(Error::new(ErrorKind::InvalidInput, "enrolling a tenant with a card that is not for this"));
        }
        // From bytes again: what is enrolled is what every later reader will verify.
        let card = TenantCard::from_bytes(&card.to_bytes())?;
        let policy = DisclosurePolicy::from_bytes(&policy.to_bytes(), &card)?;
        let (id, name, ledger) = (card.tenant(), name.to_owned(), self.ledger()?);
        // Where an old copy of the vault was put back, the tenant may have been enrolled before, and its first ledger too.
        let lost = if self.room.anchor.has_ends()? { Some(Marks::read(&self.room)?.lost_of(id)) } else { None };
        let lost = lost.as_deref();
        let known = lost.unwrap_or_default().iter().map(|lag| lag.generation).max().unwrap_or(0);
        let generation = if lost.is_some() { Ledger::fresh_generation(known)? } else { 1 };
        let lost = lost.unwrap_or_default();
        let key = ledger.log_key(id, generation);
        let (kind, follows) = match lost {
            [] => (Kind::LogOpened, Follows::Nothing),
            _ => (Kind::Restored, Follows::Forgotten),
        };
        let ops = vec![
            Op::EnrolTenant { tenant: id, name: name.clone(), card: card.to_bytes(), policy: policy.to_bytes() },
            Op::OpenLog { tenant: id, generation, key, follows },
        ];
        let mut tell = self.log_opened(kind, &card, &policy)?.detail("generation", generation);
        if !lost.is_empty() {
            tell.details.extend(ledger.successions(lost, &key)?);
        }
        tell.payload = Some(Sha256::digest(card.to_bytes()).into());
        let pin = TenantPin::of(&card, &policy);
        let recorded = ledger.open_first(Tenant { id, name, card, policy }, tell, ops)?;
        if !lost.is_empty() {
            // After a crash here a check says that the old ledgers are not there, until somebody restores again.
            ledger.end(lost.iter().filter_map(|lag| Some((lag.log, lag.mark?))), Some(recorded.log))?;
        }
        Ok(pin)
    }

    /// What the first entry of a log says.
    pub(crate) fn log_opened(&self, kind: Kind, card: &TenantCard, policy: &DisclosurePolicy) -> Result<Tell> {
        let operator = self.ledger()?.operator.public_key();
        let tell = Tell::new(kind, OPERATOR).detail("operator", operator).detail("tenant", card.tenant());
        let tell = tell.detail("vault", self.id()).detail("card", card.hash()).detail("policy", policy.hash());
        Ok(tell.detail("tenant-key", card.public_key()))
    }

    /// Enrols a writer for the vault; again does no harm. A tenant's ledger names it when it first writes for that tenant.
    ///
    /// # Errors
    /// As the database.
    pub fn enrol_writer(&self, writer: PublicKey) -> Result<()> {
        self.room.store.commit(Change(vec![Op::EnrolWriter { writer, at: Timestamp::now() }]))?;
        Ok(())
    }

    /// Retires a writer: whatever it seals from now on is refused. Every ledger that names it says so.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if it is not enrolled, or retired already.
    pub fn retire_writer(&self, writer: PublicKey) -> Result<()> {
        let ledger = self.ledger()?;
        if writer == ledger.operator.public_key() {
            return Err(Error::new(ErrorKind::InvalidInput, "retiring the operator itself"));
        }
        let tenants = self.room.store.tenants(Which::All)?.into_iter().map(|row| row.tenant);
        let admitted: Vec<TenantId> = tenants
            .filter_map(|tenant| match self.room.store.is_admitted(tenant, &writer) {
                Ok(true) => Some(Ok(tenant)),
                Ok(false) => None,
                Err(e) => Some(Err(e)),
            })
            .collect::<Result<_>>()?;
        // Retired first: after a crash between this and an entry it can write nothing, and its entries stay verifiable.
        self.room.store.commit(Change(vec![Op::RetireWriter { writer, at: Timestamp::now() }]))?;
        for tenant in admitted {
            let tell = Tell::new(Kind::WriterRetired, OPERATOR).detail("writer", writer);
            let _ = ledger.append(tenant, tell, ledger.own_signer(), Act::None, Vec::new())?;
        }
        Ok(())
    }

    /// Lets a writer that is enrolled write for a tenant, with an entry, if it may not yet.
    pub(crate) fn admit(&self, tenant: TenantId, writer: PublicKey) -> Result<()> {
        if self.room.store.is_admitted(tenant, &writer)? {
            return Ok(());
        }
        let ledger = self.ledger()?;
        let tell = Tell::new(Kind::WriterEnrolled, OPERATOR).detail("writer", writer);
        let ops = vec![Op::AdmitWriter { tenant, writer }];
        match ledger.append(tenant, tell, ledger.own_signer(), Act::None, ops) {
            Ok(_) => Ok(()),
            // Another process was faster, or it is retired: the commit of what it writes will tell.
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// Puts a tenant's next disclosure policy in force. What is sealed from now on is sealed under it, also by processes
    /// that run.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it does not follow the one in force or is not signed by the tenant;
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if somebody else was faster.
    pub fn change_policy(&self, policy: &DisclosurePolicy) -> Result<Receipt> {
        let tenant = self.tenant(policy.tenant())?;
        policy.verify_succession(&tenant.policy)?;
        let policy = DisclosurePolicy::from_bytes(&policy.to_bytes(), &tenant.card)?;
        let versions = (policy.version(), tenant.card.version(), policy.to_bytes());
        let ops = vec![Op::Succeed { tenant: tenant.id, card: None, policy: versions }];
        let mut tell = Tell::new(Kind::PolicyChanged, OPERATOR).detail("policy", policy.hash());
        tell.payload = Some(Sha256::digest(policy.to_bytes()).into());
        self.told(tenant.id, tell, ops)
    }

    /// Puts a tenant's next card in force, and the policy that its new key signed. What is sealed from now on is sealed
    /// to it. The old identity stays needed for what was sealed before:
    /// [`TenantSession::with_former`](crate::TenantSession::with_former).
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if card or policy do not follow those in force;
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if somebody else was faster.
    pub fn change_card(&self, card: &TenantCard, policy: &DisclosurePolicy) -> Result<Receipt> {
        let tenant = self.tenant(card.tenant())?;
        let card = TenantCard::from_bytes(&card.to_bytes())?;
        card.verify_succession(&tenant.card)?;
        let policy = DisclosurePolicy::from_bytes(&policy.to_bytes(), &card)?;
        policy.verify_succession(&tenant.policy)?;
        let successors = (policy.version(), card.version(), policy.to_bytes());
        let ops =
            vec![Op::Succeed { tenant: tenant.id, card: Some((card.version(), card.to_bytes())), policy: successors }];
        let tell = Tell::new(Kind::CardChanged, OPERATOR).detail("card", card.hash()).detail("policy", policy.hash());
        let mut tell = tell.detail("tenant-key", card.public_key());
        tell.payload = Some(Sha256::digest(card.to_bytes()).into());
        self.told(tenant.id, tell, ops)
    }

    /// The card and policy that follow a tenant's, under a new identity: for [`change_card`](Self::change_card).
    ///
    /// # Errors
    /// [`WrongKey`](ErrorKind::WrongKey) if `old` is not the identity of the card in force.
    pub fn next_card(&self, id: TenantId, old: &Identity, new: &Identity) -> Result<(TenantCard, DisclosurePolicy)> {
        let tenant = self.tenant(id)?;
        let card = tenant.card.successor(old, new)?;
        let policy =
            tenant.policy.successor(&card, tenant.policy.threshold(), tenant.policy.custodians().to_vec(), new)?;
        Ok((card, policy))
    }

    /// Closes a tenant's log and opens its successor under a new key, in one commit: each names the other.
    ///
    /// # Errors
    /// As the database.
    pub fn rotate_log(&self, id: TenantId) -> Result<Receipt> {
        let (ledger, tenant) = (self.ledger()?, self.tenant(id)?);
        let closing = self.open_log(id)?.row;
        let generation = closing.generation + 1;
        let key = ledger.log_key(id, generation);
        let close = Tell::new(Kind::LogClosed, OPERATOR).detail("successor", crate::tlog::origin_of(&key));
        let open = self.log_opened(Kind::LogOpened, &tenant.card, &tenant.policy)?.detail("generation", generation);
        let open = self.with_writers(open, closing.n)?;
        let follows = Follows::Open(closing.generation);
        let begin = vec![Op::OpenLog { tenant: id, generation, key, follows }];
        let entries = vec![
            (Vec::new(), close.detail("successor-key", key), ledger.own_signer(), Act::None),
            (begin, open, ledger.own_signer(), Act::None),
        ];
        let last = ledger.append_all(id, entries)?.pop();
        last.map(|recorded| Receipt::clone(&recorded.receipt))
            .ok_or_else(|| Error::new(ErrorKind::Io, "opening a tenant's next ledger"))
    }

    /// Adds the writers of the log before.
    pub(crate) fn with_writers(&self, tell: Tell, before: i64) -> Result<Tell> {
        let writers: Vec<String> = self.room.store.admitted(before)?.iter().map(ToString::to_string).collect();
        Ok(if writers.is_empty() { tell } else { tell.detail("writers", writers.join(" ")) })
    }

    fn told(&self, tenant: TenantId, tell: Tell, ops: Vec<Op>) -> Result<Receipt> {
        let ledger = self.ledger()?;
        let signer: Signer = ledger.own_signer();
        Ok(Receipt::clone(&ledger.append(tenant, tell, signer, Act::None, ops)?.receipt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{OperatorKey, Suite};

    #[test]
    fn a_change_that_is_refused_after_its_first_entry_leaves_neither_an_entry_nor_a_mark() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(dir.path().join("v"), OperatorKey::generate().unwrap()).unwrap();
        let identity = Identity::generate_for(Suite::X25519).unwrap();
        let card = TenantCard::new(vault.id(), TenantId::generate().unwrap(), &identity);
        let policy = DisclosurePolicy::none(&card, &identity).unwrap();
        let tenant = vault.enrol("t", &card, &policy).unwrap().tenant;
        let ledger = vault.ledger().unwrap();
        let entry = |act| (Vec::new(), Tell::new(Kind::Recovered, OPERATOR), ledger.own_signer(), act);
        let refused = ledger.append_all(tenant, vec![entry(Act::None), entry(Act::End(1, 77))]);
        assert_eq!(refused.err().unwrap().kind(), ErrorKind::NotFound);
        assert_eq!(vault.checkpoint(tenant).unwrap().checkpoint().size, 1);
        let _ = ledger.append_all(tenant, vec![entry(Act::None)]).unwrap();
        assert_eq!(vault.checkpoint(tenant).unwrap().checkpoint().size, 2);
        let report = vault.check().unwrap();
        assert!(report.is_clean(), "{report}");
    }
}
