use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{TenantId, VaultId};
use crate::key::{DisclosurePolicy, PublicKey, TenantCard, TenantPin};
use crate::store::{Change, FileObjects, FileSlots, Leases, Objects, Op, Slots, SqliteStore, Store, Which};
use crate::time::Timestamp;

/// A folder of sealed records. Holds no key: it enrols tenants and writers and hands out what may do more.
///
/// Cheap to clone; every clone is the same vault. Several processes may have one vault open.
#[derive(Clone)]
pub struct Vault(pub(crate) Arc<Room>);

/// The three stores of a vault, and who is writing in them.
pub(crate) struct Room {
    pub(crate) id: VaultId,
    pub(crate) store: Box<dyn Store>,
    pub(crate) objects: Box<dyn Objects>,
    pub(crate) slots: Box<dyn Slots>,
    pub(crate) leases: Leases,
}

/// What the operator knows of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// The name that it was enrolled under.
    pub name: String,
    /// Its card as the vault has it. Ingest trusts the pin in its own configuration, not this.
    pub card: TenantCard,
    /// Its disclosure policy as the vault has it.
    pub policy: DisclosurePolicy,
}

impl Vault {
    /// Makes a vault in a folder that is not there yet or empty.
    ///
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if the folder holds anything; else as the file system, and then
    /// the folder is not there.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let (path, doing) = (path.as_ref(), "creating a vault");
        let failed = |e| Error::from_io(e, doing);
        if fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Error::new(ErrorKind::AlreadyExists, doing));
        }
        let id = VaultId::generate()?;
        // Built beside its place and renamed: a crash leaves a folder of this name and nothing that looks like a vault.
        let draft = path.with_added_extension(format!("{}.new", id.to_hex()));
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(failed)?;
        let built = (|| {
            // Nobody but the operator has anything to do in it.
            fs::DirBuilder::new().mode(0o700).create(&draft).map_err(failed)?;
            let layout = Layout(draft.clone());
            fs::create_dir(layout.objects()).and_then(|()| fs::create_dir(layout.live())).map_err(failed)?;
            drop(FileSlots::create(&layout.shred())?);
            drop(SqliteStore::create(&layout.database(), id)?);
            File::open(&draft).and_then(|f| f.sync_all()).map_err(failed)?;
            fs::rename(&draft, path).map_err(failed)?;
            File::open(parent).and_then(|f| f.sync_all()).map_err(failed)
        })();
        if built.is_err() {
            let _ = fs::remove_dir_all(&draft);
        }
        built?;
        Self::open(path)
    }

    /// Opens a vault.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is none; [`Damaged`](ErrorKind::Damaged) if a part of it is missing;
    /// [`Unsupported`](ErrorKind::Unsupported) if a newer program made it; else as the file system.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let layout = Layout(path.as_ref().to_owned());
        if !layout.database().try_exists().map_err(|e| Error::from_io(e, "opening a vault"))? {
            return Err(Error::new(ErrorKind::NotFound, "opening a vault"));
        }
        let store = SqliteStore::open(&layout.database())?;
        for folder in [layout.objects(), layout.live()] {
            if !folder.is_dir() {
                return Err(Error::new(ErrorKind::Damaged, "opening a vault that lacks a folder"));
            }
        }
        Ok(Self(Arc::new(Room {
            id: store.vault()?,
            store: Box::new(store),
            objects: Box::new(FileObjects::new(layout.objects())),
            slots: Box::new(FileSlots::open(&layout.shred())?),
            leases: Leases::new(layout.live()),
        })))
    }

    /// The vault's id, part of every card and context.
    pub fn id(&self) -> VaultId {
        self.0.id
    }

    /// Enrols a tenant by what it signed. Give the pin to the ingest processes on a way that does not lead through
    /// this vault.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the name is empty, longer than 256 bytes or holds control
    /// characters, or if the card is for another vault; [`Tampered`](ErrorKind::Tampered) if the policy is not signed
    /// by the card's tenant; [`AlreadyExists`](ErrorKind::AlreadyExists) if the tenant or the name is enrolled.
    pub fn enrol(&self, name: &str, card: &TenantCard, policy: &DisclosurePolicy) -> Result<TenantPin> {
        if name.is_empty() || name.len() > 256 || name.contains(char::is_control) {
            return Err(Error::new(ErrorKind::InvalidInput, "checking a tenant's name"));
        }
        if card.vault() != self.id() {
            return Err(Error::new(ErrorKind::InvalidInput, "enrolling a tenant with a card for another vault"));
        }
        // From bytes again: what is enrolled is what every later reader will verify.
        let card = TenantCard::from_bytes(&card.to_bytes())?;
        let policy = DisclosurePolicy::from_bytes(&policy.to_bytes(), &card)?;
        let (tenant, name) = (card.tenant(), name.to_owned());
        let op = Op::EnrolTenant { tenant, name, card: card.to_bytes(), policy: policy.to_bytes() };
        self.0.store.commit(Change(vec![op]))?;
        Ok(TenantPin::of(&card, &policy))
    }

    /// Enrols a writer; again does no harm.
    ///
    /// # Errors
    /// As the database.
    pub fn enrol_writer(&self, writer: PublicKey) -> Result<()> {
        self.0.store.commit(Change(vec![Op::EnrolWriter { writer, at: Timestamp::now() }]))?;
        Ok(())
    }

    /// All tenants, in the order of their enrolment.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if a card or policy does not verify; else as the database.
    pub fn tenants(&self) -> Result<Vec<Tenant>> {
        self.look_up(Which::All)
    }

    /// The tenant of that id.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is none; else as [`tenants`](Self::tenants).
    pub fn tenant(&self, id: TenantId) -> Result<Tenant> {
        let found = self.look_up(Which::Id(id))?.pop();
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a tenant up"))
    }

    /// The tenant that was enrolled under that name.
    ///
    /// # Errors
    /// As [`tenant`](Self::tenant).
    pub fn tenant_named(&self, name: &str) -> Result<Tenant> {
        let found = self.look_up(Which::Name(name))?.pop();
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a tenant up by name"))
    }

    fn look_up(&self, which: Which<'_>) -> Result<Vec<Tenant>> {
        let rows = self.0.store.tenants(which)?.into_iter();
        rows.map(|row| {
            let card = TenantCard::from_bytes(&row.card)?;
            let policy = DisclosurePolicy::from_bytes(&row.policy, &card)?;
            if (card.vault(), card.tenant()) != (self.id(), row.tenant) {
                return Err(Error::new(ErrorKind::Tampered, "reading a tenant's card"));
            }
            Ok(Tenant { id: row.tenant, name: row.name, card, policy })
        })
        .collect()
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.id())
    }
}

/// The names in a vault's folder.
struct Layout(PathBuf);

impl Layout {
    fn database(&self) -> PathBuf {
        self.0.join("vault.db")
    }

    fn shred(&self) -> PathBuf {
        self.0.join("shred")
    }

    fn objects(&self) -> PathBuf {
        self.0.join("objects")
    }

    fn live(&self) -> PathBuf {
        self.0.join("live")
    }
}
