//! The stores of a vault's folder, and what they say of tenants.

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::epoch::EpochHeader;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, TenantId, VaultId};
use crate::key::{CardHash, DisclosurePolicy, PolicyHash, PublicKey, TenantCard};
use crate::store::{
    Anchor, FileObjects, FileSlots, Leases, Objects, Reserve, Slots, SqliteStore, StatementRows, Store, TenantRow,
    Which,
};

/// The stores of a vault, and who is writing in them.
pub(crate) struct Room {
    pub(crate) id: VaultId,
    pub(crate) store: Box<dyn Store>,
    pub(crate) objects: Box<dyn Objects>,
    pub(crate) slots: Box<dyn Slots>,
    pub(crate) leases: Leases,
    pub(crate) anchor: Arc<Anchor>,
    pub(crate) reserve: Reserve,
}

/// What the operator knows of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// The name that it was enrolled under.
    pub name: String,
    /// The card in force, as the vault has it. Ingest trusts the pin in its own configuration, not this.
    pub card: TenantCard,
    /// The disclosure policy in force, as the vault has it.
    pub policy: DisclosurePolicy,
}

/// Every card and disclosure policy that a tenant had, each verified as the successor of the one before.
pub(crate) struct Statements {
    pub(crate) cards: Vec<TenantCard>,
    pub(crate) policies: Vec<DisclosurePolicy>,
}

impl Room {
    /// Makes the folder of a vault. `anchor` is where its high-water marks go if not into it.
    pub(crate) fn create(path: &Path, operator: &PublicKey, anchor: Option<&Path>) -> Result<()> {
        let doing = "creating a vault";
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
            Anchor::create(anchor.unwrap_or(&layout.anchor()))?;
            SqliteStore::create(&layout.database(), id, operator)?;
            Reserve::new(layout.reserve()).hold()?;
            File::open(&draft).and_then(|f| f.sync_all()).map_err(failed)?;
            fs::rename(&draft, path).map_err(failed)?;
            File::open(parent).and_then(|f| f.sync_all()).map_err(failed)
        })();
        if built.is_err() {
            let _ = fs::remove_dir_all(&draft);
        }
        built
    }

    pub(crate) fn open(path: &Path, anchor: Option<&Path>) -> Result<Self> {
        Self::open_with(path, |own| Anchor::open(anchor.unwrap_or(own)))
    }

    /// Opens a folder whose anchor may be lost.
    pub(crate) fn open_to_restore(path: &Path, anchor: Option<&Path>) -> Result<Self> {
        Self::open_with(path, |own| Anchor::open_or_lost(anchor.unwrap_or(own)))
    }

    fn open_with(path: &Path, anchor: impl FnOnce(&Path) -> Result<Anchor>) -> Result<Self> {
        let layout = Layout(path.to_owned());
        if !layout.database().try_exists().map_err(|e| Error::from_io(e, "opening a vault"))? {
            return Err(Error::new(ErrorKind::NotFound, "opening a vault"));
        }
        let anchor = Arc::new(anchor(&layout.anchor())?);
        let store = SqliteStore::open(&layout.database(), Arc::clone(&anchor))?;
        for folder in [layout.objects(), layout.live()] {
            if !folder.is_dir() {
                return Err(Error::new(ErrorKind::Damaged, "opening a vault that lacks a folder"));
            }
        }
        Ok(Self {
            id: store.vault()?,
            store: Box::new(store),
            objects: Box::new(FileObjects::new(layout.objects())),
            slots: Box::new(FileSlots::open(&layout.shred())?),
            leases: Leases::new(layout.live()),
            anchor,
            reserve: Reserve::new(layout.reserve()),
        })
    }

    pub(crate) fn tenant(&self, id: TenantId) -> Result<Tenant> {
        let found = self.tenants(Which::Id(id))?.pop();
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a tenant up"))
    }

    pub(crate) fn tenants(&self, which: Which<'_>) -> Result<Vec<Tenant>> {
        let rows = self.store.tenants(which)?.into_iter();
        rows.map(|TenantRow { tenant: id, name, card, policy }| {
            let card = TenantCard::from_bytes(&card)?;
            let policy = DisclosurePolicy::from_bytes(&policy, &card)?;
            if (card.vault(), card.tenant()) != (self.id, id) {
                return Err(Error::new(ErrorKind::Tampered, "reading a tenant's card"));
            }
            Ok(Tenant { id, name, card, policy })
        })
        .collect()
    }

    /// The tenant as it is now, if card and policy follow from those that `known` has.
    ///
    /// # Errors
    /// `CardMismatch` if they do not.
    pub(crate) fn successor(&self, known: &Tenant) -> Result<Tenant> {
        self.follow(known.id, known.card.hash(), known.policy.hash())
    }

    /// The tenant as it is now, if the card and policy in force are these or follow from them.
    ///
    /// # Errors
    /// `CardMismatch` if they do not; `NotFound` if there is no such tenant.
    pub(crate) fn follow(&self, id: TenantId, card: CardHash, policy: PolicyHash) -> Result<Tenant> {
        let mismatch =
            || Error::new(ErrorKind::CardMismatch, "comparing a tenant's card and policy with the pinned ones");
        let name = self.store.tenants(Which::Id(id))?.pop().map(|row| row.name);
        let name = name.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a tenant up"))?;
        let Statements { mut cards, mut policies } = self.statements(id).map_err(|e| match e.kind() {
            // What does not even verify is certainly not what was pinned, nor does it follow from it.
            ErrorKind::Tampered => mismatch().because(e),
            _ => e,
        })?;
        let known = cards.iter().any(|c| c.hash() == card) && policies.iter().any(|p| p.hash() == policy);
        match (cards.pop(), policies.pop()) {
            (Some(card), Some(policy)) if known && policy.is_signed_by(&card) => Ok(Tenant { id, name, card, policy }),
            _ => Err(mismatch()),
        }
    }

    /// The header of an epoch of a tenant's records.
    ///
    /// # Errors
    /// `Damaged` if there is none; `Tampered` if it is not of this place, or its writer was never enrolled here.
    pub(crate) fn epoch(&self, tenant: TenantId, epoch: EpochId) -> Result<EpochHeader> {
        let bytes = self.store.epoch(epoch)?;
        let bytes = bytes.ok_or_else(|| Error::new(ErrorKind::Damaged, "looking a record's epoch up"))?;
        let header = EpochHeader::from_bytes(&bytes)?;
        if (header.vault(), header.tenant(), header.epoch()) != (self.id, tenant, epoch) {
            return Err(Error::new(ErrorKind::Tampered, "placing an epoch"));
        }
        if !self.store.writer_is_enrolled(&header.writer())? {
            return Err(Error::new(ErrorKind::Tampered, "checking that an epoch's writer was enrolled"));
        }
        Ok(header)
    }

    /// What was begun in a tenant's ledgers and is still going on: the log's key and the number of the entry. What a dead
    /// process began is none.
    pub(crate) fn going_on(&self, tenant: TenantId) -> Result<HashSet<(PublicKey, u64)>> {
        let (logs, mut begun) = (self.store.logs(tenant)?, HashSet::new());
        for act in self.store.acts()?.into_iter().filter(|act| act.tenant == tenant) {
            if let Some(log) = logs.iter().find(|log| log.n == act.log)
                && self.leases.is_live(act.epoch)?
            {
                begun.insert((log.key, act.seq));
            }
        }
        Ok(begun)
    }

    /// A tenant's statements of all versions.
    ///
    /// # Errors
    /// `Tampered` unless each card is signed by the key of the one before, and each policy by the card of its time.
    pub(crate) fn statements(&self, tenant: TenantId) -> Result<Statements> {
        let bad = || Error::new(ErrorKind::Tampered, "following a tenant's cards and policies");
        let StatementRows { cards, policies } = self.store.statements(tenant)?;
        let cards = cards.iter().map(|bytes| TenantCard::from_bytes(bytes)).collect::<Result<Vec<_>>>()?;
        let first = cards.first().ok_or_else(bad)?;
        if first.version() != 1 || (first.vault(), first.tenant()) != (self.id, tenant) {
            return Err(bad());
        }
        cards.windows(2).try_for_each(|pair| pair[1].verify_succession(&pair[0]))?;
        let mut verified: Vec<DisclosurePolicy> = Vec::with_capacity(policies.len());
        for (card, bytes) in &policies {
            let card = (*card as usize).checked_sub(1).and_then(|at| cards.get(at)).ok_or_else(bad)?;
            let policy = DisclosurePolicy::from_bytes(bytes, card)?;
            match verified.last() {
                Some(before) => policy.verify_succession(before)?,
                None if policy.version() == 1 => {}
                None => return Err(bad()),
            }
            verified.push(policy);
        }
        if verified.is_empty() { Err(bad()) } else { Ok(Statements { cards, policies: verified }) }
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

    fn anchor(&self) -> PathBuf {
        self.0.join("anchor")
    }

    fn reserve(&self) -> PathBuf {
        self.0.join("reserve")
    }
}
