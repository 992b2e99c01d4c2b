use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{TenantId, VaultId};
use crate::key::{OperatorKey, PublicKey};
use crate::ledger::{Given, Ledger, Outlet, Sink, SinkOptions, StoredLog, erase_again};
use crate::room::{Room, Tenant};
use crate::store::Which;
use crate::tlog::SignedCheckpoint;

/// A folder of sealed records. Opens none of them: it enrols tenants and writers and hands out what may do more.
///
/// Cheap to clone; every clone is the same vault. Several processes may have one vault open.
#[derive(Clone)]
pub struct Vault {
    pub(crate) room: Arc<Room>,
    ledger: Option<Arc<Ledger>>,
}

/// How to open a vault. An [`OperatorKey`] alone will do wherever this is asked for.
pub struct VaultOptions {
    pub(crate) operator: Arc<OperatorKey>,
    pub(crate) anchor: Option<PathBuf>,
    outlets: Vec<(SinkOptions, Box<dyn Outlet>)>,
}

impl VaultOptions {
    /// With the operator that made the vault.
    pub fn new(operator: impl Into<Arc<OperatorKey>>) -> Self {
        Self { operator: operator.into(), anchor: None, outlets: Vec::new() }
    }

    /// Keeps the ledgers' high-water marks in this file instead of the vault's folder. On another disk, out of reach of
    /// whoever can put an old copy of the folder back, they show that he did.
    #[must_use]
    pub fn anchor(mut self, file: impl Into<PathBuf>) -> Self {
        self.anchor = Some(file.into());
        self
    }

    /// Gives the heads of the ledgers to a sink, from now on and beside all work: a commit never waits for it. See
    /// [`Vault::sinks`] for how far it is.
    ///
    /// ```
    /// # use strongroom::*;
    /// # fn options(operator: OperatorKey, acme: TenantId) -> VaultOptions {
    /// VaultOptions::new(operator)
    ///     .sink("another disk", FolderSink::new("/mnt/heads"))
    ///     .sink(SinkOptions::new("acme's own").only(acme), |head: &LedgerHead| {
    ///         // With whatever client the program has, and a timeout.
    ///         post("https://ledger.acme.example/head", head.checkpoint.to_string())
    ///     })
    /// # }
    /// # fn post(_: &str, _: String) -> std::result::Result<(), SinkError> { Ok(()) }
    /// ```
    #[must_use]
    pub fn sink(self, options: impl Into<SinkOptions>, sink: impl Sink + 'static) -> Self {
        self.outlet(options.into(), Box::new(Given::new(sink)))
    }

    pub(crate) fn outlet(mut self, options: SinkOptions, outlet: Box<dyn Outlet>) -> Self {
        self.outlets.push((options, outlet));
        self
    }
}

impl<T: Into<Arc<OperatorKey>>> From<T> for VaultOptions {
    fn from(operator: T) -> Self {
        Self::new(operator)
    }
}

impl Vault {
    /// Makes a vault in a folder that is not there yet or empty.
    ///
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if the folder holds anything; else as the file system, and then
    /// the folder is not there.
    pub fn create(path: impl AsRef<Path>, options: impl Into<VaultOptions>) -> Result<Self> {
        let options = options.into();
        Room::create(path.as_ref(), &options.operator.public_key(), options.anchor.as_deref())?;
        Self::open(path, options)
    }

    /// Opens a vault. What processes that died had begun is concluded in the ledgers: `outcome.unknown`. What they were to
    /// erase is erased.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is none; [`WrongKey`](ErrorKind::WrongKey) if it is another operator's;
    /// [`Damaged`](ErrorKind::Damaged) if a part of it is missing (if it is the anchor, see
    /// [`open_to_restore`](Self::open_to_restore)); [`Unsupported`](ErrorKind::Unsupported) if a newer
    /// program made it; else as the file system.
    pub fn open(path: impl AsRef<Path>, options: impl Into<VaultOptions>) -> Result<Self> {
        let VaultOptions { operator, anchor, outlets } = options.into();
        let room = Room::open(path.as_ref(), anchor.as_deref())?;
        if room.store.operator()? != operator.public_key() {
            return Err(Error::new(ErrorKind::WrongKey, "opening a vault"));
        }
        let vault = Self::of(room, operator, outlets)?;
        let ledger = vault.ledger()?;
        // What cannot be concluded now, because the disk is full or the ledger was rolled back, is when it can; until
        // then a check names it, and everything else says for itself what keeps it from going on.
        let _ = ledger.recover();
        let _ = erase_again(&vault.room, false);
        // What the last process did not get out, and the others have not yet.
        ledger.publish_all()?;
        Ok(vault)
    }

    /// Opens a vault without any key: to check it, to read its heads, and to make room after a crash.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_to_check(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { room: Arc::new(Room::open(path.as_ref(), None)?), ledger: None })
    }

    /// The vault's id, part of every card and context.
    pub fn id(&self) -> VaultId {
        self.room.id
    }

    /// All tenants, in the order of their enrolment.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if a card or policy does not verify; else as the database.
    pub fn tenants(&self) -> Result<Vec<Tenant>> {
        self.room.tenants(Which::All)
    }

    /// The tenant of that id.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is none; else as [`tenants`](Self::tenants).
    pub fn tenant(&self, id: TenantId) -> Result<Tenant> {
        self.room.tenant(id)
    }

    /// The tenant that was enrolled under that name.
    ///
    /// # Errors
    /// As [`tenant`](Self::tenant).
    pub fn tenant_named(&self, name: &str) -> Result<Tenant> {
        let found = self.room.tenants(Which::Name(name))?.pop();
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a tenant up by name"))
    }

    /// The key of a tenant's open log: what the tenant pins, beside a checkpoint.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no such tenant; else as the database.
    pub fn log_key(&self, tenant: TenantId) -> Result<PublicKey> {
        Ok(self.open_log(tenant)?.row.key)
    }

    /// The head of a tenant's open log, as its last commit signed it. Nothing is signed now.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no such tenant; [`Tampered`](ErrorKind::Tampered) if the stored tree
    /// is not what was signed; [`Damaged`](ErrorKind::Damaged) if something of it is missing; else as the database.
    pub fn checkpoint(&self, tenant: TenantId) -> Result<SignedCheckpoint> {
        let log = self.open_log(tenant)?;
        let checkpoint = log.checkpoint()?;
        checkpoint.verify(&log.row.key)?;
        Ok(checkpoint)
    }

    pub(crate) fn open_log(&self, tenant: TenantId) -> Result<StoredLog<'_>> {
        let row = self.room.store.logs(tenant)?.pop();
        let row = row.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a tenant's ledger up"))?;
        Ok(StoredLog { store: &*self.room.store, row })
    }

    /// The ledgers, for who may write in them.
    pub(crate) fn ledger(&self) -> Result<&Arc<Ledger>> {
        let doing = "writing in a ledger of a vault that was opened without its operator's key";
        self.ledger.as_ref().ok_or_else(|| Error::new(ErrorKind::WrongKey, doing))
    }

    /// The vault of these stores, without concluding anything in its ledgers.
    pub(crate) fn of(
        room: Room,
        operator: Arc<OperatorKey>,
        outlets: Vec<(SinkOptions, Box<dyn Outlet>)>,
    ) -> Result<Self> {
        let room = Arc::new(room);
        let ledger = Ledger::new(Arc::clone(&room), operator, outlets)?;
        Ok(Self { room, ledger: Some(Arc::new(ledger)) })
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.id())
    }
}
