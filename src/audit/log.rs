use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::epoch::Walk;
use crate::error::{Error, ErrorKind, Result};
use crate::id::EpochId;
use crate::key::{PublicKey, VerifierKeys};
use crate::ledger::{EntryPlace, Message, Receipt, StoredLog, Succession};
use crate::order::Withheld;
use crate::retrieve::{SlotWindow, TenantSession, Veil, Veils, withheld};
use crate::secret::Secret;
use crate::store::EntryRow;
use crate::tlog::{Leaf, Policy, SignedCheckpoint};

/// One of a tenant's ledgers, as its session reads it.
pub struct TenantLog<'s> {
    pub(super) session: &'s TenantSession,
    pub(super) stored: StoredLog<'s>,
    actors: OnceLock<VerifierKeys>,
    /// Whose cosignatures its head bears.
    pub(super) policy: Option<Policy>,
}

/// An entry of a ledger.
#[derive(Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Its number, from 0.
    pub seq: u64,
    /// What the tree is made of.
    pub leaf: Leaf,
    /// What it says.
    pub state: State,
}

/// What can be said of an entry's message.
#[derive(Debug)]
#[non_exhaustive]
pub enum State {
    /// It opened to these bytes, and they are a message.
    Open(Vec<u8>, Box<Message>),
    /// Its key was shredded. That there was an entry stays.
    Shredded,
    /// It does not open although its key is there, or is no message.
    Unreadable(Error),
    /// The operator says, and signed, that the tenant must not read it before a day.
    Withheld(Box<Withheld>),
}

/// Where somebody is who opens many entries.
#[derive(Default)]
pub(super) struct Reading {
    walks: HashMap<EpochId, Option<Walk>>,
    slots: Option<SlotWindow>,
    veils: Option<Arc<Veils>>,
}

impl TenantSession {
    /// The tenant's ledgers, the oldest first: the last is the open one.
    ///
    /// # Errors
    /// As the database.
    pub fn logs(&self) -> Result<Vec<TenantLog<'_>>> {
        let rows = self.room.store.logs(self.tenant)?.into_iter();
        let log = |row| TenantLog {
            session: self,
            stored: StoredLog { store: &*self.room.store, row },
            actors: OnceLock::new(),
            policy: None,
        };
        Ok(rows.map(log).collect())
    }

    /// The tenant's open ledger.
    ///
    /// # Errors
    /// As the database.
    pub fn log(&self) -> Result<TenantLog<'_>> {
        self.logs()?.pop().ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a tenant's ledger up"))
    }
}

impl TenantLog<'_> {
    /// The key that signs its checkpoints.
    pub fn key(&self) -> PublicKey {
        self.stored.row.key
    }

    /// 1 for a tenant's first, and one more for each successor; more than one more for one that goes on after a restore.
    pub fn generation(&self) -> u32 {
        self.stored.row.generation
    }

    /// How many entries it had when it was looked up.
    pub fn size(&self) -> u64 {
        self.stored.row.size
    }

    /// Its head, verified, with the lines that others signed under it if they signed this one.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if the stored tree is not what was signed; else as the database.
    pub fn checkpoint(&self) -> Result<SignedCheckpoint> {
        let checkpoint = self.stored.checkpoint()?;
        checkpoint.verify(&self.key())?;
        Ok(checkpoint)
    }

    /// The ledger up to the newest head that as many witnesses have signed as the policy asks for: [`checkpoint`](Self::checkpoint)
    /// is that head, and receipts, exports and pages are of it. Entries that came since are left out.
    ///
    /// # Errors
    /// [`Unwitnessed`](ErrorKind::Unwitnessed) if there is no such head yet; [`WrongKey`](ErrorKind::WrongKey) if the policy
    /// is of another log; else as the database.
    pub fn witnessed(self, policy: Policy) -> Result<Self> {
        let Self { session, stored, actors, policy: _ } = self;
        let stored = stored.witnessed(&policy)?;
        let none = || Error::new(ErrorKind::Unwitnessed, "looking for a head that witnesses have signed");
        Ok(Self { session, stored: stored.ok_or_else(none)?, actors, policy: Some(policy) })
    }

    /// At most `limit` entries from number `from` on.
    ///
    /// # Errors
    /// As the database. What does not open is in the entry.
    pub fn entries(&self, from: u64, limit: usize) -> Result<Vec<Entry>> {
        let rows = self.rows(from, limit)?;
        let mut reading = Reading::default();
        rows.into_iter().map(|row| self.open(row, &mut reading)).collect()
    }

    /// The receipt of an entry: its message, and the proof against the head.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no such entry, or nobody knows the key that signed it;
    /// [`Erased`](ErrorKind::Erased) if its message was shredded; [`Refused`](ErrorKind::Refused) if it is withheld;
    /// [`Tampered`](ErrorKind::Tampered) if it does not open.
    pub fn receipt(&self, seq: u64) -> Result<Receipt> {
        let entry = self.entries(seq, 1)?.pop().filter(|entry| entry.seq == seq && seq < self.size());
        let entry = entry.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a ledger's entry up"))?;
        let actor = self.actors()?.of(&entry.leaf.key_hash);
        let actor = actor.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking up who signed a ledger's entry"))?;
        match entry.state {
            State::Open(message, _) => {
                Ok(Receipt::new(message, self.stored.proof(seq, entry.leaf)?, actor, self.key()))
            }
            State::Shredded => Err(Error::new(ErrorKind::Erased, "reading a ledger's entry whose key was shredded")),
            State::Unreadable(error) => Err(error),
            State::Withheld(entry) => Err(withheld(&entry)),
        }
    }

    /// What its first entry says of the log with that key, if it goes on where an old copy of that one was put back: the
    /// entry is in this log, its actor signed it, and what it says is signed by the key.
    pub(crate) fn succession(&self, before: &PublicKey) -> Result<Option<Succession>> {
        if !self.stored.row.restored {
            return Ok(None);
        }
        let verified = self.receipt(0).and_then(|receipt| receipt.verify(&self.key()));
        let message = match verified {
            Ok(message) => message,
            Err(e) => match e.kind() {
                ErrorKind::Damaged
                | ErrorKind::Erased
                | ErrorKind::NotFound
                | ErrorKind::Refused
                | ErrorKind::Tampered
                | ErrorKind::Unsupported
                | ErrorKind::WrongKey => return Ok(None),
                _ => return Err(e),
            },
        };
        let all = Succession::all(&message);
        Ok(all.into_iter().find(|succession| succession.verify(before, &message.log).is_ok()))
    }

    /// Every key that may have signed an entry: the operator's, the writers', the tenant's own.
    pub(super) fn actors(&self) -> Result<&VerifierKeys> {
        if let Some(keys) = self.actors.get() {
            return Ok(keys);
        }
        let store = &self.session.room.store;
        let mut keys = VerifierKeys::default();
        keys.add(store.operator()?);
        store.writers()?.into_iter().for_each(|key| keys.add(key));
        self.session.room.statements(self.session.tenant)?.cards.iter().for_each(|card| keys.add(card.public_key()));
        Ok(self.actors.get_or_init(|| keys))
    }

    pub(super) fn rows(&self, from: u64, limit: usize) -> Result<Vec<EntryRow>> {
        let left = usize::try_from(self.size().saturating_sub(from)).unwrap_or(usize::MAX);
        self.session.room.store.entries(self.stored.row.n, from, limit.min(left))
    }

    pub(super) fn open(&self, row: EntryRow, reading: &mut Reading) -> Result<Entry> {
        let (seq, leaf) = (row.seq, Leaf::from_bytes(&row.leaf));
        let veils = match &reading.veils {
            Some(veils) => Arc::clone(veils),
            None => Arc::clone(reading.veils.insert(self.session.veils()?)),
        };
        let opened = match veils.of(&self.key(), seq) {
            Veil::None => self.message(row, None, reading),
            Veil::Lifted(key) => self.message(row, Some(key), reading),
            // What is sealed for the tenant is not withheld, whoever says so.
            Veil::Withheld(withheld) => match self.message(row, None, reading) {
                Ok(bytes) => Ok(bytes),
                Err(_) => return Ok(Entry { seq, leaf, state: State::Withheld(Box::new(withheld.clone())) }),
            },
        };
        let opened = opened.and_then(|bytes| {
            let message = Message::from_bytes(&bytes)?;
            Ok((bytes, message))
        });
        let state = match opened {
            Ok((bytes, message)) => State::Open(bytes, Box::new(message)),
            Err(e) => match e.kind() {
                ErrorKind::Erased => State::Shredded,
                ErrorKind::Tampered | ErrorKind::Damaged | ErrorKind::WrongKey | ErrorKind::Unsupported => {
                    State::Unreadable(e)
                }
                _ => return Err(e),
            },
        };
        Ok(Entry { seq, leaf, state })
    }

    fn message(&self, row: EntryRow, veil: Option<Secret>, reading: &mut Reading) -> Result<Vec<u8>> {
        let session = self.session;
        let slots = reading.slots.get_or_insert_with(SlotWindow::many);
        let shred = slots.read(&session.room, row.slot)?;
        let key = match veil {
            Some(key) => key,
            None => {
                let epoch = session.epoch(row.epoch)?;
                epoch.next_message_key(row.chain, reading.walks.entry(row.epoch).or_default())?
            }
        };
        let (vault, tenant, log) = (session.room.id, session.tenant, self.key());
        let place = EntryPlace { vault, tenant, epoch: row.epoch, chain: row.chain, log, seq: row.seq };
        place.open(&key, &shred, row.message)
    }
}

impl fmt::Debug for TenantLog<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantLog(generation {}, {} entries)", self.generation(), self.size())
    }
}
