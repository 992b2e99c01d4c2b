//! Where entries are written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use super::erasure::ERASURE;
use super::keys::KeyRing;
use super::make::{Maker, Sealing, Slot};
use super::message::{Kind, MAX_TEXT, RecordSet};
use super::publisher::Publisher;
use super::queue::SinkStatus;
use super::receipt::Receipt;
use super::sink::{Outlet, SinkOptions, Source};
use crate::epoch::MessageKeys;
use crate::error::{Error, ErrorKind, Result};
use crate::id::TenantId;
use crate::key::{OperatorKey, PublicKey, WriterKey};
use crate::order::{Gag, WITHHELD};
use crate::period::{Drawn, FirstBlock, OpenEpoch, Period};
use crate::room::{Room, Tenant};
use crate::secret::{Plain, Secret};
use crate::store::{Act, ActRow, Append, Appended, Change, LogKeys, Make, Op, Outcome, Which};

/// Tenants whose epochs are kept open for further entries: each holds a file.
const MAX_DESKS: usize = 64;
/// The act that an entry begins which says that the disk is full.
const DEGRADED: &str = "degraded";
/// The detail by which a message names the papers that are kept with it.
pub(super) const PAPERS: &str = "papers";

/// The ledgers of a vault, as one process writes in them.
pub(crate) struct Ledger {
    pub(super) room: Arc<Room>,
    pub(crate) operator: Arc<OperatorKey>,
    /// The operator as the writer of its own epochs.
    pub(super) writer: Arc<WriterKey>,
    keys: Arc<KeyRing>,
    desks: Mutex<HashMap<TenantId, Arc<Mutex<Period>>>>,
    /// What this process began and will not tell the end of: the entry's log and number.
    left: Mutex<HashSet<(i64, u64)>>,
    publisher: Publisher,
}

/// What an entry says, but for its place and time.
pub(crate) struct Tell {
    pub(crate) kind: Kind,
    pub(crate) actor: String,
    pub(crate) basis: Option<String>,
    pub(crate) purpose: Option<String>,
    pub(crate) records: Told,
    pub(crate) payload: Option<[u8; 32]>,
    /// The entry that it concludes: the key of its log, and its number there.
    pub(crate) refers: Option<(PublicKey, u64)>,
    pub(crate) details: BTreeMap<String, String>,
    /// Documents that are kept with it. The message names their topics.
    pub(crate) papers: Vec<Paper>,
    /// What keeps the tenant from reading it until a day.
    pub(crate) gag: Option<Gag>,
}

/// A document that an entry speaks of: kept sealed.
pub(crate) struct Paper {
    /// Of what kind. In clear in the database.
    pub(crate) topic: &'static str,
    /// What it is about, by a random id. In clear in the database.
    pub(crate) about: Option<[u8; 16]>,
    pub(crate) bytes: Plain,
    pub(crate) reader: Reader,
}

/// Who reads a paper.
#[derive(Clone, Copy)]
pub(crate) enum Reader {
    /// The tenant, as it reads the entry.
    Tenant,
    /// The operator, and not the tenant.
    Operator,
}

/// The records that an entry tells of.
pub(crate) enum Told {
    None,
    /// Those that the same change adds. If it turns out to add none, there is no entry.
    Added,
    Set(RecordSet),
}

/// Whose signature an entry's leaf bears.
pub(crate) struct Signer {
    pub(crate) key: PublicKey,
    pub(crate) sign: Sign,
}

/// Gives the Ed25519 signature of what it is shown.
type Sign = Box<dyn FnOnce(&[u8]) -> [u8; 64] + Send>;

/// Proof that the ledger has said it, durably. What releases something takes one by value.
#[must_use]
pub(crate) struct Recorded {
    pub(crate) log: i64,
    pub(crate) receipt: Arc<Receipt>,
    /// While this is held, what the entry began does not look abandoned.
    _epoch: Arc<OpenEpoch>,
}

/// An entry on its way, to be told what became of it.
pub(crate) struct Waiting {
    drawn: Drawn,
    line: Line,
    actor: PublicKey,
}

/// The message, once its place is known.
pub(super) type Line = Arc<OnceLock<Vec<u8>>>;

impl Tell {
    pub(crate) fn new(kind: Kind, actor: impl Into<String>) -> Self {
        let (basis, purpose, payload, refers) = (None, None, None, None);
        Self {
            kind,
            actor: actor.into(),
            basis,
            purpose,
            records: Told::None,
            payload,
            refers,
            details: BTreeMap::new(),
            papers: Vec::new(),
            gag: None,
        }
    }

    /// Keeps a document with the entry, for the tenant.
    pub(crate) fn paper(mut self, topic: &'static str, about: Option<[u8; 16]>, bytes: impl Into<Plain>) -> Self {
        self.papers.push(Paper { topic, about, bytes: bytes.into(), reader: Reader::Tenant });
        self
    }

    /// Keeps a document with the entry, for the operator.
    pub(crate) fn own_paper(mut self, topic: &'static str, about: Option<[u8; 16]>, bytes: impl Into<Plain>) -> Self {
        self.papers.push(Paper { topic, about, bytes: bytes.into(), reader: Reader::Operator });
        self
    }

    pub(crate) fn detail(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.details.insert(name.to_owned(), value.to_string());
        self
    }
}

impl Signer {
    pub(crate) fn writer(writer: Arc<WriterKey>) -> Self {
        Self { key: writer.public_key(), sign: Box::new(move |bytes| writer.sign(bytes)) }
    }
}

/// Refuses texts for an entry that are too long for one, or would be read as something else.
pub(crate) fn check_text(text: &str, doing: &'static str) -> Result<()> {
    let fits = !text.trim().is_empty() && text.len() <= MAX_TEXT && !text.contains(char::is_control);
    if fits { Ok(()) } else { Err(Error::new(ErrorKind::InvalidInput, doing)) }
}

/// As much of a reason as a detail holds.
pub(crate) fn clip(reason: &str) -> String {
    reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(1000).collect()
}

impl Ledger {
    pub(crate) fn new(
        room: Arc<Room>,
        operator: Arc<OperatorKey>,
        outlets: Vec<(SinkOptions, Box<dyn Outlet>)>,
    ) -> Result<Self> {
        // Its tokens are never asked for: entries have no idempotency keys.
        let writer = Arc::new(WriterKey::from_secrets(operator.signing_seed(), Secret::generate()?));
        let known = RwLock::default();
        let keys = Arc::new(KeyRing { vault: room.id, operator: Arc::clone(&operator), known });
        let publisher = Publisher::start(Source { room: Arc::clone(&room), keys: Arc::clone(&keys) as _ }, outlets)?;
        Ok(Self { room, operator, writer, keys, desks: Mutex::default(), left: Mutex::default(), publisher })
    }

    /// Has the newest heads of all tenants brought out. Waits for nobody.
    ///
    /// # Errors
    /// As the database.
    pub(crate) fn publish_all(&self) -> Result<()> {
        if !self.publisher.is_idle() {
            self.publisher.tell(self.room.store.tenants(Which::All)?.into_iter().map(|row| row.tenant));
        }
        Ok(())
    }

    /// Has the newest head of a tenant brought out. Waits for nobody.
    pub(crate) fn publish(&self, tenant: TenantId) {
        self.publisher.tell([tenant]);
    }

    /// Waits for the sinks, at most so long, and gives how far each is then.
    pub(crate) fn flush(&self, timeout: Duration) -> Vec<SinkStatus> {
        self.publisher.flush(timeout)
    }

    /// Where heads are read to be given out.
    #[cfg(feature = "witness")]
    pub(crate) fn source(&self) -> &Arc<Source> {
        self.publisher.source()
    }

    pub(crate) fn sinks(&self) -> Vec<SinkStatus> {
        self.publisher.status()
    }

    /// Whom the leaf of an entry names if nobody else signs.
    pub(crate) fn own_signer(&self) -> Signer {
        Signer::writer(Arc::clone(&self.writer))
    }

    /// The key of a tenant's log.
    pub(crate) fn log_key(&self, tenant: TenantId, generation: u32) -> PublicKey {
        self.keys.log_key(tenant, generation).public_key()
    }

    /// Commits an entry together with `ops`, which come before it, and gives its receipt.
    pub(crate) fn append(
        &self,
        tenant: TenantId,
        tell: Tell,
        signer: Signer,
        act: Act,
        ops: Vec<Op>,
    ) -> Result<Recorded> {
        let mut recorded = self.append_all(tenant, vec![(ops, tell, signer, act)])?;
        recorded.pop().ok_or_else(|| Error::new(ErrorKind::Io, "appending to a ledger"))
    }

    /// As [`append`](Self::append), for several entries in one commit, in their order.
    pub(crate) fn append_all(
        &self,
        tenant: TenantId,
        entries: Vec<(Vec<Op>, Tell, Signer, Act)>,
    ) -> Result<Vec<Recorded>> {
        let drawn = self.spend(tenant, || {
            let desk = self.desk(tenant)?;
            let mut period = desk.lock().unwrap_or_else(PoisonError::into_inner);
            period.draw(&self.room, entries.iter().map(|_| 1))
        })?;
        let (mut change, mut waiting) = (Vec::new(), Vec::new());
        for ((ops, tell, signer, act), drawn) in entries.into_iter().zip(drawn) {
            change.extend(ops);
            let (op, wait) = self.entry(tenant, tell, signer, act, drawn, None)?;
            change.push(op);
            waiting.push(wait);
        }
        let outcomes = match self.commit(tenant, Change(change)) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                waiting.into_iter().for_each(|wait| wait.failed(&error));
                return Err(error);
            }
        };
        let appended = outcomes.into_iter().filter_map(|outcome| match outcome {
            Outcome::Appended(appended) => Some(appended),
            _ => None,
        });
        Ok(waiting.into_iter().zip(appended).filter_map(|(wait, appended)| wait.done(appended)).collect())
    }

    /// The operation that appends an entry sealed with `drawn`, and what to tell the outcome to. If `writer` is given,
    /// the log must have admitted it.
    pub(crate) fn entry(
        &self,
        tenant: TenantId,
        tell: Tell,
        signer: Signer,
        act: Act,
        drawn: Drawn,
        writer: Option<PublicKey>,
    ) -> Result<(Op, Waiting)> {
        let (slot, shred) = match drawn.slots.first() {
            Some((slot, shred)) => (Slot::At(*slot), Secret::from_fn(|s| s.copy_from_slice(shred.expose_secret()))),
            None => return Err(Error::new(ErrorKind::Io, "drawing a slot for an entry")),
        };
        let message_key = Secret::from_fn(|k| k.copy_from_slice(drawn.keys.tenant.expose_secret()));
        let sealing = Sealing { epoch: drawn.epoch.header.epoch(), chain: drawn.keys.seq, message_key, shred, slot };
        let (actor, line) = (signer.key, Line::default());
        let make = self.make(tenant, tell, signer, sealing, Arc::clone(&line));
        let op = Op::Append(Append { tenant, writer, make, keys: self.log_keys(), act });
        Ok((op, Waiting { drawn, line, actor }))
    }

    /// Enrols a tenant: everything that it is and the first entry of its first log, in one commit.
    pub(crate) fn open_first(&self, tenant: Tenant, tell: Tell, ops: Vec<Op>) -> Result<Recorded> {
        let id = tenant.id;
        let mut period = Period::new(tenant, Arc::clone(&self.writer));
        let (mut opening, stored) = period.prepare(&self.room, 1)?;
        let (MessageKeys { seq, tenant: message_key, .. }, block, shred): (_, Arc<FirstBlock>, _) = opening.draw()?;
        let epoch_id = opening.shared.header.epoch();
        let sealing = Sealing { epoch: epoch_id, chain: seq, message_key, shred, slot: Slot::FirstOf(block) };
        let signer = self.own_signer();
        let (actor, line) = (signer.key, Line::default());
        let make = self.make(id, tell, signer, sealing, Arc::clone(&line));
        let append = Op::Append(Append { tenant: id, writer: None, make, keys: self.log_keys(), act: Act::None });
        let change = ops.into_iter().chain(stored).chain([append]).collect();
        let outcomes = self.commit(id, Change(change))?;
        let epoch = Arc::clone(&opening.shared);
        // Not kept: whoever enrols a thousand tenants must not hold a thousand epochs open. Its other slots are wiped.
        period.install(opening);
        drop(period);
        match outcomes.into_iter().next_back() {
            Some(Outcome::Appended(Some(appended))) => Ok(recorded(*appended, line, actor, epoch)),
            _ => Err(Error::new(ErrorKind::Io, "opening a tenant's first ledger")),
        }
    }

    /// Commits a change of a tenant's, as what takes [space](Self::spend).
    pub(crate) fn commit(&self, tenant: TenantId, change: Change) -> Result<Vec<Outcome>> {
        let committed = self.spend(tenant, || self.room.store.commit(change));
        if committed.is_ok() {
            self.publish(tenant);
        }
        committed
    }

    /// Does what takes space of the disk. That it is full is told in the ledger, from the space that is set aside for that;
    /// until that much is free again, nothing else that takes any is done.
    ///
    /// # Errors
    /// `Full` as long as there is none; else those of `act`.
    pub(crate) fn spend<T>(&self, tenant: TenantId, act: impl FnOnce() -> Result<T>) -> Result<T> {
        if !self.room.reserve.is_held() {
            self.room.reserve.hold_again()?;
            self.say_recovered(tenant);
        }
        let done = act();
        if done.as_ref().is_err_and(|e| e.kind() == ErrorKind::Full) && self.room.reserve.release() {
            // After a crash here the space is free and the ledger has not said why: it will say that it recovered.
            let said = self.room.store.acts().unwrap_or_default();
            if !said.iter().any(|act| act.tenant == tenant && act.kind == DEGRADED) {
                self.say(tenant, Tell::new(Kind::Degraded, "operator"), Act::Begin(DEGRADED));
            }
        }
        done
    }

    /// Says so in every ledger that said that it was degraded, or in the tenant's if none could.
    fn say_recovered(&self, tenant: TenantId) {
        // What cannot be listed now is concluded when a vault is opened or swept.
        let mut degraded = self.room.store.acts().unwrap_or_default();
        degraded.retain(|act| act.kind == DEGRADED);
        if degraded.is_empty() {
            self.say(tenant, Tell::new(Kind::Recovered, "operator"), Act::None);
        }
        for act in degraded {
            let mut tell = Tell::new(Kind::Recovered, "operator");
            tell.refers = self.began(&act).ok().flatten();
            self.say(act.tenant, tell, Act::End(act.log, act.seq));
        }
    }

    /// Appends an entry if that is possible at all. It is about a fault, and the caller has the fault to tell.
    fn say(&self, tenant: TenantId, tell: Tell, act: Act) {
        let said = (|| {
            let drawn = {
                let desk = self.desk(tenant)?;
                let mut period = desk.lock().unwrap_or_else(PoisonError::into_inner);
                period.draw(&self.room, [1].into_iter())?.pop()
            };
            let drawn = drawn.ok_or_else(|| Error::new(ErrorKind::Io, "drawing keys for an entry"))?;
            let (op, wait) = self.entry(tenant, tell, self.own_signer(), act, drawn, None)?;
            match self.room.store.commit(Change(vec![op])) {
                Ok(_) => {
                    drop(wait.drawn.release());
                    self.publish(tenant);
                }
                Err(e) => wait.failed(&e),
            }
            Ok::<(), Error>(())
        })();
        let _ = said;
    }

    /// Leaves what this process began to be concluded as what a dead one began: it could not, or will not, tell the end.
    pub(crate) fn leave(&self, entry: (i64, u64)) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(entry);
    }

    /// Concludes what was [left](Self::leave), as far as that can be done now.
    pub(crate) fn conclude_left(&self) {
        let left = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        if left.is_empty() {
            return;
        }
        let Ok(acts) = self.room.store.acts() else {
            left.into_iter().for_each(|entry| self.leave(entry));
            return;
        };
        for act in acts.iter().filter(|act| left.contains(&(act.log, act.seq))) {
            if self.conclude(act).is_err() {
                self.leave((act.log, act.seq));
            }
        }
    }

    /// Concludes what dead processes began: nobody knows how far it came. An erasure is carried out. That the disk was full is
    /// over when there is space.
    pub(crate) fn recover(&self) -> Result<()> {
        self.conclude_left();
        let mut done = Ok(());
        for act in self.room.store.acts()? {
            if act.kind == ERASURE {
                // Whoever began it may be at it: twice does no harm. One that cannot be carried out keeps nobody else back.
                let told = Tell::new(Kind::Erased, "operator");
                done = done.and(self.erase(act.tenant, (act.log, act.seq), told, self.own_signer()).map(drop));
                continue;
            }
            if self.room.leases.is_live(act.epoch)? {
                continue;
            }
            if act.kind == DEGRADED {
                let reserve = &self.room.reserve;
                if reserve.is_held() || reserve.hold_again().is_ok() {
                    self.say_recovered(act.tenant);
                }
                continue;
            }
            done = done.and(self.conclude(&act));
        }
        done
    }

    /// Says of an act that nobody knows how far it came.
    fn conclude(&self, act: &ActRow) -> Result<()> {
        let began = if act.kind == WITHHELD { "disclosure" } else { &act.kind };
        let mut tell = Tell::new(Kind::OutcomeUnknown, "operator").detail("began", began);
        tell.refers = self.began(act)?;
        if act.kind == WITHHELD {
            // It must not be told of before the entry is that began it. Without what keeps that from the tenant nothing is said,
            // and nobody else is kept back.
            let Ok(Some(gag)) = self.gag_of(act.tenant, tell.refers) else { return Ok(()) };
            tell.gag = Some(gag);
        }
        match self.append(act.tenant, tell, self.own_signer(), Act::End(act.log, act.seq), Vec::new()) {
            Ok(_) => Ok(()),
            // Another process was faster.
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// The entry that began an act.
    fn began(&self, act: &ActRow) -> Result<Option<(PublicKey, u64)>> {
        let log = self.room.store.logs(act.tenant)?.into_iter().find(|row| row.n == act.log);
        Ok(log.map(|row| (row.key, act.seq)))
    }

    pub(crate) fn log_keys(&self) -> Arc<dyn LogKeys> {
        Arc::clone(&self.keys) as _
    }

    fn desk(&self, tenant: TenantId) -> Result<Arc<Mutex<Period>>> {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(desk) = desks.get(&tenant) {
            return Ok(Arc::clone(desk));
        }
        if desks.len() >= MAX_DESKS {
            desks.retain(|_, desk| Arc::strong_count(desk) > 1);
        }
        let period = Period::new(self.room.tenant(tenant)?, Arc::clone(&self.writer));
        let desk = Arc::new(Mutex::new(period));
        desks.insert(tenant, Arc::clone(&desk));
        Ok(desk)
    }

    fn make(&self, tenant: TenantId, tell: Tell, signer: Signer, sealing: Sealing, line: Line) -> Make {
        let (vault, operator) = (self.room.id, Arc::clone(&self.operator));
        let maker = Maker { vault, tenant, operator, tell, signer, sealing, line };
        Box::new(move |position| maker.make(position))
    }
}

impl Waiting {
    /// The entry was committed, or there was none to make.
    pub(crate) fn done(self, appended: Option<Box<Appended>>) -> Option<Recorded> {
        let (appended, epoch) = (appended?, Arc::clone(&self.drawn.epoch));
        drop(self.drawn.release());
        Some(recorded(*appended, self.line, self.actor, epoch))
    }

    /// The commit failed. What may be stored keeps its slot.
    pub(crate) fn failed(self, error: &Error) {
        if error.kind() == ErrorKind::OutcomeUnknown {
            drop(self.drawn.release());
        }
    }
}

fn recorded(appended: Appended, line: Line, actor: PublicKey, epoch: Arc<OpenEpoch>) -> Recorded {
    let Appended { log, key, proof } = appended;
    let message = line.get().cloned().unwrap_or_default();
    Recorded { log, receipt: Arc::new(Receipt { message, proof, actor, log: key }), _epoch: epoch }
}
