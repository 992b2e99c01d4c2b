use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, RecordId, TenantId, VaultId};
use crate::index::Token;
use crate::key::{OperatorKey, PublicKey};
use crate::room::Room;
use crate::secret::Secret;
use crate::store::*;
use crate::stream::ReadAt;

/// Counts calls that change something; when it reaches zero, that call fails.
pub(super) struct Fuse {
    pub(super) left: AtomicI64,
    pub(super) fault: Fault,
}

/// How a call fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// It did nothing, and says so.
    Told,
    /// It did what it should, and says that it did not.
    Untold,
    /// The process dies before it.
    KilledBefore,
    /// The process dies behind it.
    KilledBehind,
}

impl Fuse {
    pub(super) fn new(calls: i64, fault: Fault) -> Arc<Self> {
        Arc::new(Self { left: AtomicI64::new(calls), fault })
    }

    fn burn<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.left.fetch_sub(1, Ordering::SeqCst) != 0 {
            return call();
        }
        if matches!(self.fault, Fault::Untold | Fault::KilledBehind) {
            call()?;
        }
        if matches!(self.fault, Fault::KilledBefore | Fault::KilledBehind) {
            std::process::abort();
        }
        Err(Error::new(ErrorKind::Io, "doing what a test lets fail"))
    }
}

pub(super) fn operator() -> Arc<OperatorKey> {
    Arc::new(OperatorKey::from_secret(Secret::from_fn(|s| *s = [0x51; 32])))
}

/// The stores of a vault's folder, behind a fuse.
pub(super) fn faulty(path: &Path, fuse: &Arc<Fuse>) -> Room {
    let anchor = Arc::new(Anchor::open(&path.join("anchor")).unwrap());
    let store = SqliteStore::open(&path.join("vault.db"), Arc::clone(&anchor)).unwrap();
    Room {
        id: store.vault().unwrap(),
        store: Box::new(Faulty(store, Arc::clone(fuse))),
        objects: Box::new(Faulty(FileObjects::new(path.join("objects")), Arc::clone(fuse))),
        slots: Box::new(Faulty(FileSlots::open(&path.join("shred")).unwrap(), Arc::clone(fuse))),
        leases: Leases::new(path.join("live")),
        anchor,
        reserve: Reserve::new(path.join("reserve")),
    }
}

/// A file of which all that was flushed is on the disk.
pub(super) struct Synced(pub(super) std::fs::File);

impl Write for Synced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

struct Faulty<T>(T, Arc<Fuse>);

impl<T: Objects> Objects for Faulty<T> {
    fn create(&self, name: ObjectName) -> Result<Box<dyn ObjectWriter>> {
        let writer = self.1.burn(|| self.0.create(name))?;
        Ok(Box::new(FaultyWriter(writer, Arc::clone(&self.1))))
    }
    fn sync(&self, epoch: EpochId) -> Result<()> {
        self.1.burn(|| self.0.sync(epoch))
    }
    fn open(&self, name: ObjectName) -> Result<Box<dyn ReadAt>> {
        self.0.open(name)
    }
    fn delete(&self, name: ObjectName) -> Result<()> {
        self.1.burn(|| self.0.delete(name))
    }
    fn list(&self, visit: &mut dyn FnMut(Found) -> Result<()>) -> Result<()> {
        self.0.list(visit)
    }
    fn delete_stray(&self, stray: &Path) -> Result<()> {
        self.0.delete_stray(stray)
    }
}

struct FaultyWriter(Box<dyn ObjectWriter>, Arc<Fuse>);

impl ObjectWriter for FaultyWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write(bytes)
    }
    fn finish(self: Box<Self>) -> Result<()> {
        let Self(writer, fuse) = *self;
        fuse.burn(|| writer.finish())
    }
}

impl<T: Slots> Slots for Faulty<T> {
    fn write(&self, start: u64, block: &[u8]) -> Result<()> {
        self.1.burn(|| self.0.write(start, block))
    }
    fn count(&self) -> Result<u64> {
        self.0.count()
    }
    fn read(&self, slot: u64) -> Result<Slot> {
        self.0.read(slot)
    }
    fn read_block(&self, start: u64, count: u64) -> Result<Zeroizing<Vec<u8>>> {
        self.0.read_block(start, count)
    }
    fn shred(&self, slots: &[u64]) -> Result<()> {
        self.1.burn(|| self.0.shred(slots))
    }
}

impl<T: Store> Store for Faulty<T> {
    fn commit(&self, change: Change) -> Result<Vec<Outcome>> {
        let committed = self.1.burn(|| self.0.commit(change));
        committed.map_err(|e| match self.1.fault {
            Fault::Told => e,
            // What the contract says of a commit that may have happened.
            _ => Error::new(ErrorKind::OutcomeUnknown, "committing").because(e),
        })
    }
    fn vault(&self) -> Result<VaultId> {
        self.0.vault()
    }
    fn tenants(&self, which: Which<'_>) -> Result<Vec<TenantRow>> {
        self.0.tenants(which)
    }
    fn writer_is_enrolled(&self, writer: &PublicKey) -> Result<bool> {
        self.0.writer_is_enrolled(writer)
    }
    fn epoch(&self, epoch: EpochId) -> Result<Option<Vec<u8>>> {
        self.0.epoch(epoch)
    }
    fn record(&self, tenant: TenantId, record: RecordId) -> Result<Option<RecordRow>> {
        self.0.record(tenant, record)
    }
    fn page(&self, tenant: TenantId, range: &PageRange, limit: usize) -> Result<Vec<RecordRow>> {
        self.0.page(tenant, range, limit)
    }
    fn epochs_of(&self, tenant: TenantId) -> Result<Vec<EpochId>> {
        self.0.epochs_of(tenant)
    }
    fn find(&self, tokens: &[(EpochId, Token)]) -> Result<Vec<Option<Spot>>> {
        self.0.find(tokens)
    }
    fn spots(&self, tenant: TenantId, range: &PageRange, limit: usize) -> Result<Vec<Spot>> {
        self.0.spots(tenant, range, limit)
    }
    fn count(&self, tenant: TenantId, range: &PageRange) -> Result<u64> {
        self.0.count(tenant, range)
    }
    fn records(&self, tenant: TenantId, numbers: &[i64]) -> Result<Vec<Option<RecordRow>>> {
        self.0.records(tenant, numbers)
    }
    fn body(&self, n: i64, part: u32) -> Result<Option<Vec<u8>>> {
        self.0.body(n, part)
    }
    fn bodies(&self, parts: &[(i64, u32)]) -> Result<Vec<Option<Vec<u8>>>> {
        self.0.bodies(parts)
    }
    fn idempotent(&self, tenant: TenantId, token: &[u8; 16]) -> Result<Option<Kept>> {
        self.0.idempotent(tenant, token)
    }
    fn erasure_of(&self, record: RecordId) -> Result<Option<ErasureRow>> {
        self.0.erasure_of(record)
    }
    fn erasure(&self, log: i64, seq: u64, n: i64, limit: usize) -> Result<Vec<ErasureRow>> {
        self.0.erasure(log, seq, n, limit)
    }
    fn erased(&self, before: Option<(i64, i64)>, limit: usize) -> Result<Vec<ErasureRow>> {
        self.0.erased(before, limit)
    }
    fn integrity(&self) -> Result<Vec<String>> {
        self.0.integrity()
    }
    fn epochs(&self) -> Result<Vec<EpochRow>> {
        self.0.epochs()
    }
    fn blocks(&self) -> Result<Vec<Block>> {
        self.0.blocks()
    }
    fn last_record(&self) -> Result<i64> {
        self.0.last_record()
    }
    fn all_records(&self, n: i64, limit: usize) -> Result<Vec<RecordRow>> {
        self.0.all_records(n, limit)
    }
    fn parts_of(&self, n: i64) -> Result<Vec<u32>> {
        self.0.parts_of(n)
    }
    fn orphan_parts(&self) -> Result<u64> {
        self.0.orphan_parts()
    }
    fn header(&self, record: RecordId) -> Result<Option<Vec<u8>>> {
        self.0.header(record)
    }
    fn operator(&self) -> Result<PublicKey> {
        self.0.operator()
    }
    fn statements(&self, tenant: TenantId) -> Result<StatementRows> {
        self.0.statements(tenant)
    }
    fn versions(&self, tenant: TenantId) -> Result<(u32, u32)> {
        self.0.versions(tenant)
    }
    fn writers(&self) -> Result<Vec<PublicKey>> {
        self.0.writers()
    }
    fn is_admitted(&self, tenant: TenantId, writer: &PublicKey) -> Result<bool> {
        self.0.is_admitted(tenant, writer)
    }
    fn admitted(&self, log: i64) -> Result<Vec<PublicKey>> {
        self.0.admitted(log)
    }
    fn logs(&self, tenant: TenantId) -> Result<Vec<LogRow>> {
        self.0.logs(tenant)
    }
    fn is_first_commit(&self, log: i64) -> Result<bool> {
        self.0.is_first_commit(log)
    }
    fn entries(&self, log: i64, from: u64, limit: usize) -> Result<Vec<EntryRow>> {
        self.0.entries(log, from, limit)
    }
    fn hashes(&self, log: i64, entries: &[u64]) -> Result<Vec<Option<Vec<u8>>>> {
        self.0.hashes(log, entries)
    }
    fn acts(&self) -> Result<Vec<ActRow>> {
        self.0.acts()
    }
    fn papers(&self, tenant: TenantId, topic: Option<&str>, n: i64, limit: usize) -> Result<Vec<PaperRow>> {
        self.0.papers(tenant, topic, n, limit)
    }
    fn last_paper(&self, tenant: TenantId, topic: &str) -> Result<i64> {
        self.0.last_paper(tenant, topic)
    }
    fn permission(&self, about: &[u8; 16]) -> Result<Option<crate::store::PermissionRow>> {
        self.0.permission(about)
    }
    fn next_number(&self, prefix: &str) -> Result<u64> {
        self.0.next_number(prefix)
    }
    fn epochs_between(&self, tenant: TenantId, times: (i64, i64)) -> Result<Vec<EpochId>> {
        self.0.epochs_between(tenant, times)
    }
    fn told(&self, tenant: TenantId, n: i64, limit: usize) -> Result<Vec<ToldRow>> {
        self.0.told(tenant, n, limit)
    }
    fn cosignatures(&self, log: i64, size: Option<u64>) -> Result<Vec<CosignatureRow>> {
        self.0.cosignatures(log, size)
    }

    fn note(&self, log: i64, size: u64) -> Result<Option<[u8; 64]>> {
        self.0.note(log, size)
    }
}
