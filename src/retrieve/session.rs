use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use super::record::{Record, SlotWindow};
use crate::epoch::{EpochHeader, EpochReader, Walk};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, RecordId, TenantId};
use crate::key::Opener;
use crate::store::RecordRow;
use crate::vault::{Room, Vault};

/// Who reads, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    actor: String,
    purpose: String,
}

impl Access {
    /// An actor as the tenant's systems call them, and the purpose in the tenant's words.
    pub fn new(actor: impl Into<String>, purpose: impl Into<String>) -> Self {
        Self { actor: actor.into(), purpose: purpose.into() }
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
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if the tenant is not enrolled; [`WrongKey`](ErrorKind::WrongKey) if the key is
    /// not that of its card; [`InvalidInput`](ErrorKind::InvalidInput) without actor or purpose.
    pub fn session(&self, tenant: TenantId, opener: impl Opener + 'static, access: Access) -> Result<TenantSession> {
        if access.actor.trim().is_empty() || access.purpose.trim().is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "opening a session without an actor and a purpose"));
        }
        if self.tenant(tenant)?.card.recipient() != opener.recipient() {
            return Err(Error::new(ErrorKind::WrongKey, "opening a tenant's session"));
        }
        let room = Arc::clone(&self.0);
        Ok(TenantSession { room, tenant, opener: Box::new(opener), access, epochs: RwLock::default() })
    }
}

/// The reading side of one tenant. Opens each epoch once and keeps at most 16 KiB of keys for it, wiped when dropped.
///
/// Share it among threads by reference.
pub struct TenantSession {
    pub(crate) room: Arc<Room>,
    pub(crate) tenant: TenantId,
    opener: Box<dyn Opener>,
    access: Access,
    epochs: RwLock<HashMap<EpochId, Arc<EpochReader>>>,
}

/// Where somebody is who reads many records.
pub(super) struct Places {
    walks: HashMap<EpochId, Option<Walk>>,
    slots: SlotWindow,
}

impl Places {
    pub(super) fn new() -> Self {
        Self { walks: HashMap::new(), slots: SlotWindow::many() }
    }
}

impl TenantSession {
    /// The tenant.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Who reads, and what for.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Opens a record's head. Its parts are opened when they are read.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if this tenant has no such record, whoever else may;
    /// [`Erased`](ErrorKind::Erased) if it had; [`Tampered`](ErrorKind::Tampered) if a byte is not what was sealed
    /// here; [`Damaged`](ErrorKind::Damaged) if something of it is missing; else as the database.
    pub fn read(&self, record: RecordId) -> Result<Record> {
        let row = self.room.store.record(self.tenant, record)?;
        self.open(row.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a record up"))?)
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
    pub(super) fn open_next(&self, row: RecordRow, places: &mut Places) -> Result<Record> {
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
        let bytes = self.room.store.epoch(epoch)?;
        let bytes = bytes.ok_or_else(|| Error::new(ErrorKind::Damaged, "looking a record's epoch up"))?;
        let header = EpochHeader::from_bytes(&bytes)?;
        if (header.vault(), header.tenant(), header.epoch()) != (self.room.id, self.tenant, epoch) {
            return Err(Error::new(ErrorKind::Tampered, "placing an epoch"));
        }
        if !self.room.store.writer_is_enrolled(&header.writer())? {
            return Err(Error::new(ErrorKind::Tampered, "checking that an epoch's writer was enrolled"));
        }
        let reader = Arc::new(EpochReader::open(header, &*self.opener)?);
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(epochs.entry(epoch).or_insert(reader)))
    }
}

impl fmt::Debug for TenantSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { room, tenant, opener: _, access: _, epochs: _ } = self;
        write!(f, "TenantSession({tenant} of {})", room.id)
    }
}
