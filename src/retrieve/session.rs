use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::record::{Record, SlotWindow};
use super::veil::Known;
use crate::epoch::{EpochReader, Walk};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, RecordId, TenantId};
use crate::key::{Opener, PublicKey};
use crate::ledger::{Begun, Kind, Ledger, Receipt, RecordSet, Recorded, Signer, Tell, Told, check_text};
use crate::room::Room;
use crate::store::{Act, Op, RecordRow};
use crate::vault::Vault;

/// Who reads, what for, and on what grounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    actor: String,
    purpose: String,
    basis: Option<String>,
    each: bool,
}

impl Access {
    /// An actor as the tenant's systems call them, and the purpose in the tenant's words. The ledger tells both.
    pub fn new(actor: impl Into<String>, purpose: impl Into<String>) -> Self {
        Self { actor: actor.into(), purpose: purpose.into(), basis: None, each: false }
    }

    /// On what grounds: a consent, a contract, an article of law.
    #[must_use]
    pub fn basis(mut self, basis: impl Into<String>) -> Self {
        self.basis = Some(basis.into());
        self
    }

    /// Has an entry of its own for every record, durable before anything of the record is given out. Without it, the
    /// ledger tells of the session when it begins, and of what it read when it ends.
    #[must_use]
    pub fn each_read(mut self) -> Self {
        self.each = true;
        self
    }

    /// Who reads.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// What for.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }
}

impl Vault {
    /// Opens the reading side of a tenant with the tenant's secret key, or whatever door leads to it.
    ///
    /// The ledger has said so, durably, before this returns, and says what was read when the session is
    /// [closed](TenantSession::close) or dropped. If its process dies, the ledger says that nobody knows.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if the tenant is not enrolled; [`WrongKey`](ErrorKind::WrongKey) if the key is
    /// not that of its card; [`InvalidInput`](ErrorKind::InvalidInput) without actor or purpose, or with one of more than
    /// 1,024 bytes or with control characters; [`RolledBack`](ErrorKind::RolledBack) if the ledger is behind what it was;
    /// else as the disk.
    pub fn session(&self, tenant: TenantId, opener: impl Opener + 'static, access: Access) -> Result<TenantSession> {
        check_text(&access.actor, "opening a session without an actor that a ledger can name")?;
        check_text(&access.purpose, "opening a session without a purpose that a ledger can name")?;
        if let Some(basis) = &access.basis {
            check_text(basis, "opening a session on grounds that a ledger cannot name")?;
        }
        let card = self.tenant(tenant)?.card;
        if card.recipient() != opener.recipient() {
            return Err(Error::new(ErrorKind::WrongKey, "opening a tenant's session"));
        }
        let opener: Arc<dyn Opener> = Arc::new(opener);
        // Asked for a signature of nothing: whether it signs at all, and as whom.
        let signs = opener.sign(&[]).is_some_and(|(key, _)| key == card.public_key());
        let signing = signs.then(|| card.public_key());
        let (room, ledger) = (Arc::clone(&self.room), Arc::clone(self.ledger()?));
        let lease = Lease { ledger, tenant, access, opener: Arc::clone(&opener), signing, opened: None };
        TenantSession::leased(room, opener, lease)
    }
}

/// The reading side of one tenant. Opens each epoch once and keeps at most 16 KiB of keys for it, wiped when dropped.
///
/// Share it among threads by reference.
pub struct TenantSession {
    pub(crate) room: Arc<Room>,
    pub(crate) tenant: TenantId,
    /// The identity of the card in force, then those of former cards.
    openers: Vec<Arc<dyn Opener>>,
    epochs: RwLock<HashMap<EpochId, Arc<EpochReader>>>,
    /// Records of which something was given out.
    given: Mutex<HashSet<RecordId>>,
    pub(super) veils: Known,
    lease: Lease,
}

/// What the ledger knows of a session: that it was opened, by whom, and that it is not closed yet.
struct Lease {
    ledger: Arc<Ledger>,
    tenant: TenantId,
    access: Access,
    opener: Arc<dyn Opener>,
    /// The tenant's own key, if its keeper signs with it.
    signing: Option<PublicKey>,
    opened: Option<Recorded>,
}

impl Lease {
    fn tell(&self, kind: Kind) -> Tell {
        let mut tell = Tell::new(kind, self.access.actor.clone());
        tell.purpose = Some(self.access.purpose.clone());
        tell.basis.clone_from(&self.access.basis);
        tell.refers = self.opened.as_ref().map(|opened| (opened.receipt.log(), opened.receipt.seq()));
        tell
    }

    fn signer(&self) -> Signer {
        let Some(key) = self.signing else { return self.ledger.own_signer() };
        let opener = Arc::clone(&self.opener);
        // One that signed before and does not now gives an entry that does not verify, which an audit names.
        Signer { key, sign: Box::new(move |bytes| opener.sign(bytes).map_or([0; 64], |(_, signature)| signature)) }
    }

    fn append(&self, tell: Tell, act: Act) -> Result<Recorded> {
        self.ledger.append(self.tenant, tell, self.signer(), act, Vec::new())
    }
}

/// Where somebody is who reads many records.
pub(crate) struct Places {
    walks: HashMap<EpochId, Option<Walk>>,
    slots: SlotWindow,
}

impl Places {
    pub(crate) fn new() -> Self {
        Self { walks: HashMap::new(), slots: SlotWindow::many() }
    }
}

impl TenantSession {
    fn leased(room: Arc<Room>, opener: Arc<dyn Opener>, mut lease: Lease) -> Result<Self> {
        // A crash from here on leaves an act without an outcome, which the next process concludes.
        lease.opened = Some(lease.append(lease.tell(Kind::SessionOpened), Act::Begin("session"))?);
        // Nothing is given out while the mark of what was said about it could still be lost.
        room.anchor.sync()?;
        let (tenant, openers) = (lease.tenant, vec![opener]);
        Ok(Self {
            room,
            tenant,
            openers,
            epochs: RwLock::default(),
            given: Mutex::default(),
            veils: Known::default(),
            lease,
        })
    }

    /// Adds the identity of a card that has a successor: it opens what was sealed before.
    #[must_use]
    pub fn with_former(mut self, opener: impl Opener + 'static) -> Self {
        self.openers.push(Arc::new(opener));
        self
    }

    /// Ends the session: the ledger tells how many records it read, and their digest, [`RecordSet::of_ids`]. Dropping a
    /// session does the same, without telling whether it could.
    ///
    /// # Errors
    /// As the disk. Then the ledger will say that nobody knows what was read.
    pub fn close(mut self) -> Result<Receipt> {
        let closed = self.conclude()?;
        closed
            .map(|recorded| Receipt::clone(&recorded.receipt))
            .ok_or_else(|| Error::new(ErrorKind::Io, "closing a session that was not opened"))
    }

    fn conclude(&mut self) -> Result<Option<Recorded>> {
        let Some(opened) = &self.lease.opened else { return Ok(None) };
        let ids = std::mem::take(&mut *self.given.lock().unwrap_or_else(PoisonError::into_inner));
        let mut tell = self.lease.tell(Kind::SessionClosed);
        tell.records = Told::Set(RecordSet::of_ids(ids));
        let act = Act::End(opened.log, opened.receipt.seq());
        let closed = self.lease.append(tell, act)?;
        self.lease.opened = None;
        Ok(Some(closed))
    }

    /// What an entry says that this session writes: who, what for, and in which session.
    pub(crate) fn tell(&self, kind: Kind) -> Tell {
        let mut tell = self.lease.tell(kind);
        match tell.refers.take() {
            Some((_, opened)) => tell.detail("session", opened),
            None => tell,
        }
    }

    /// Writes an entry, durably: what releases something needs it.
    pub(crate) fn record(&self, tell: Tell, act: Act) -> Result<Recorded> {
        let recorded = self.lease.append(tell, act)?;
        // Nothing is given out while the mark of what was said about it could still be lost.
        self.room.anchor.sync()?;
        Ok(recorded)
    }

    /// What an entry began, until its end is told.
    pub(crate) fn begun(&self, recorded: Recorded) -> Begun {
        Begun::new(&self.lease.ledger, recorded)
    }

    /// Says of what this process left without an end that nobody knows it.
    pub(crate) fn conclude_left(&self) {
        self.lease.ledger.conclude_left();
    }

    /// Writes an entry that neither begins nor ends anything, durably, and gives its receipt.
    pub(crate) fn say(&self, tell: Tell) -> Result<Receipt> {
        self.record(tell, Act::None).map(|recorded| Receipt::clone(&recorded.receipt))
    }

    /// As [`say`](Self::say), with what it tells of.
    pub(crate) fn say_with(&self, ops: Vec<Op>, tell: Tell) -> Result<Receipt> {
        let recorded = self.record_all(vec![(ops, tell, Act::None)])?.pop();
        let recorded = recorded.ok_or_else(|| Error::new(ErrorKind::Io, "appending to a ledger"))?;
        Ok(Receipt::clone(&recorded.receipt))
    }

    /// Writes entries in one commit, durably, each behind what it tells of.
    pub(crate) fn record_all(&self, entries: Vec<(Vec<Op>, Tell, Act)>) -> Result<Vec<Recorded>> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let entries = entries.into_iter().map(|(ops, tell, act)| (ops, tell, self.lease.signer(), act)).collect();
        let recorded = self.lease.ledger.append_all(self.tenant, entries)?;
        self.room.anchor.sync()?;
        Ok(recorded)
    }

    /// Erases what the entry of that log and number lets be erased, and says so. Nothing if another has meanwhile.
    pub(crate) fn carry_out(&self, entry: (i64, u64)) -> Result<Option<Receipt>> {
        let erased = self.lease.ledger.erase(self.tenant, entry, self.tell(Kind::Erased), self.lease.signer())?;
        Ok(erased.map(|recorded| Receipt::clone(&recorded.receipt)))
    }

    /// The identity, of the card in force or a former one, that signs as this key.
    pub(crate) fn opener_signing_as(&self, key: &PublicKey) -> Option<&dyn Opener> {
        let signs = |opener: &&Arc<dyn Opener>| opener.sign(&[]).is_some_and(|(own, _)| own == *key);
        self.openers.iter().find(signs).map(|opener| &**opener)
    }

    /// The identity of the card in force.
    pub(crate) fn opener(&self) -> &dyn Opener {
        &*self.lease.opener
    }

    /// The identity of the card in force, then those of former cards.
    pub(crate) fn openers(&self) -> impl Iterator<Item = &dyn Opener> {
        self.openers.iter().map(|opener| &**opener)
    }

    /// The operator whose vault it is.
    pub(crate) fn operator(&self) -> PublicKey {
        self.lease.ledger.operator.public_key()
    }

    /// Whose signature the entries of this session bear.
    pub(crate) fn signs_as(&self) -> PublicKey {
        self.lease.signer().key
    }

    /// The receipt of the entry that tells of this session.
    pub fn receipt(&self) -> Option<&Receipt> {
        self.lease.opened.as_ref().map(|opened| &*opened.receipt)
    }

    /// Notes that something of these records is given out, in the ledger first if that was asked for.
    pub(crate) fn give_all<'r>(&self, records: impl Iterator<Item = &'r Record>) -> Result<()> {
        let ids: Vec<RecordId> = records.map(Record::id).collect();
        if self.lease.access.each && !ids.is_empty() {
            let each = |id: &RecordId| {
                let mut tell = self.lease.tell(Kind::Read).detail("record", id);
                tell.records = Told::Set(RecordSet::of_ids([*id]));
                (Vec::new(), tell, self.lease.signer(), Act::None)
            };
            self.lease.ledger.append_all(self.tenant, ids.iter().map(each).collect())?;
            self.room.anchor.sync()?;
        }
        self.given.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
        Ok(())
    }

    /// The tenant.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Who reads, and what for.
    pub fn access(&self) -> &Access {
        &self.lease.access
    }

    /// Opens a record's head. Its parts are opened when they are read.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if this tenant has no such record, whoever else may;
    /// [`Erased`](ErrorKind::Erased) if it had; [`Tampered`](ErrorKind::Tampered) if a byte is not what was sealed
    /// here; [`Damaged`](ErrorKind::Damaged) if something of it is missing; else as the database.
    pub fn read(&self, record: RecordId) -> Result<Record> {
        let row = self.room.store.record(self.tenant, record)?;
        let record = self.open(row.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a record up"))?)?;
        self.give_all([&record].into_iter())?;
        Ok(record)
    }

    pub(super) fn open(&self, row: RecordRow) -> Result<Record> {
        let chain = |epoch, seq| {
            let epoch = self.epoch(epoch)?;
            let key = epoch.message_key(seq)?;
            Ok((epoch, key))
        };
        Record::open(row, &self.room, self.tenant, chain, &mut SlotWindow::one())
    }

    /// As [`open`](Self::open), for one who opens many in the order of their commits and keeps `places` between them.
    pub(crate) fn open_next(&self, row: RecordRow, places: &mut Places) -> Result<Record> {
        let chain = |epoch, seq| {
            let epoch = self.epoch(epoch)?;
            let key = epoch.next_message_key(seq, places.walks.entry(epoch.header.epoch()).or_default())?;
            Ok((epoch, key))
        };
        Record::open(row, &self.room, self.tenant, chain, &mut places.slots)
    }

    pub(super) fn knows(&self, epoch: EpochId) -> bool {
        self.epochs.read().unwrap_or_else(PoisonError::into_inner).contains_key(&epoch)
    }

    pub(crate) fn epoch(&self, epoch: EpochId) -> Result<Arc<EpochReader>> {
        if let Some(reader) = self.epochs.read().unwrap_or_else(PoisonError::into_inner).get(&epoch) {
            return Ok(Arc::clone(reader));
        }
        let header = self.room.epoch(self.tenant, epoch)?;
        let mut opened = Err(Error::new(ErrorKind::WrongKey, "opening an epoch"));
        for opener in &self.openers {
            opened = EpochReader::open(header.clone(), &**opener);
            // Another identity's, as long as there is one.
            if !opened.as_ref().is_err_and(|e| e.kind() == ErrorKind::WrongKey) {
                break;
            }
        }
        let reader = Arc::new(opened?);
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(epochs.entry(epoch).or_insert(reader)))
    }
}

impl fmt::Debug for TenantSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { room, tenant, openers: _, epochs: _, given: _, veils: _, lease: _ } = self;
        write!(f, "TenantSession({tenant} of {})", room.id)
    }
}

impl Drop for TenantSession {
    fn drop(&mut self) {
        // What cannot be said now is said when the process is gone: `outcome.unknown`.
        let _ = self.conclude();
    }
}
