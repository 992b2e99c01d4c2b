//! Every fault of every store, once as "it failed" and once as "it happened, but we were not told".

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, RecordId, TenantId, VaultId};
use crate::index::Token;
use crate::key::{DisclosurePolicy, Identity, OperatorKey, PublicKey, Suite, TenantCard, TenantPin, WriterKey};
use crate::record::{Channel, Draft, PartKind};
use crate::retrieve::Access;
use crate::room::Room;
use crate::secret::Secret;
use crate::store::*;
use crate::stream::ReadAt;
use crate::vault::Vault;

#[test]
fn whatever_call_fails_the_vault_is_as_it_was_and_a_sweep_leaves_it_clean() {
    for told in [true, false] {
        let World { dir: _dir, path, vault, identity, pin, writer } = World::new();
        let count = || vault.check().unwrap().records;

        let mut failures = 0;
        for calls in 0.. {
            let before = count();
            let fuse = Arc::new(Fuse { left: AtomicI64::new(calls), told });
            let faulty = faulty(&path, &fuse);
            let ingested = faulty.ingestor(&pin, Arc::clone(&writer)).and_then(|i| {
                i.ingest_batch(vec![draft(&[1; 3000]), draft(&[2; 100_000]), draft(&[3; 700_000])]).map(|_| drop(i))
            });
            drop(faulty);
            match ingested {
                Ok(()) => {
                    assert_eq!(count(), before + 3);
                    break;
                }
                Err(error) if error.kind() == ErrorKind::OutcomeUnknown => {
                    assert!(!told, "a failure that was told is never an unknown outcome");
                    assert!([before, before + 3].contains(&count()));
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
                    assert_eq!(count(), before, "call {calls}");
                }
            }
            failures += 1;
            let report = vault.check().unwrap();
            assert!(report.is_sound(), "call {calls}: {report}");
            vault.sweep().unwrap();
            let report = vault.check().unwrap();
            assert!(report.is_clean(), "call {calls}: {report}");
        }
        assert!(failures > 7, "only {failures} calls could fail");
        let session = vault.session(pin.tenant, identity, Access::new("t", "t")).unwrap();
        assert!(session.check().unwrap().is_clean());
    }
}

#[test]
fn after_an_unknown_outcome_nothing_that_may_be_named_is_removed() {
    let World { dir: _dir, path, vault, identity, pin, writer } = World::new();

    let fuse = Arc::new(Fuse { left: AtomicI64::new(i64::MAX), told: false });
    let faulty = faulty(&path, &fuse);
    let ingestor = faulty.ingestor(&pin, writer).unwrap();
    ingestor.ingest(draft(b"before")).unwrap();
    // The last call of an ingest is the commit of its rows: a long part takes an object's create and finish, the
    // folder's sync, and that.
    fuse.left.store(3, Ordering::SeqCst);
    let unknown = ingestor.ingest(draft(&[7; 700_000])).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::OutcomeUnknown);
    drop(ingestor);
    let session = vault.session(pin.tenant, identity, Access::new("t", "t")).unwrap();
    let report = session.check().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.records, 2, "it was committed, and is whole");
}

/// A vault with a tenant and a writer.
struct World {
    dir: tempfile::TempDir,
    path: PathBuf,
    vault: Vault,
    identity: Arc<Identity>,
    pin: TenantPin,
    writer: Arc<WriterKey>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v");
        let vault = Vault::create(&path, operator()).unwrap();
        let identity = Arc::new(Identity::generate_for(Suite::X25519).unwrap());
        let card = TenantCard::new(vault.id(), TenantId::generate().unwrap(), &identity);
        let pin = vault.enrol("t", &card, &DisclosurePolicy::none(&card, &identity).unwrap()).unwrap();
        let writer = Arc::new(WriterKey::generate().unwrap());
        vault.enrol_writer(writer.public_key()).unwrap();
        Self { dir, path, vault, identity, pin, writer }
    }
}

fn draft(content: &[u8]) -> Draft<'_> {
    Draft::new(Channel::Voice).part(PartKind::Audio, "audio/x", content)
}

/// Counts calls that change something; when it reaches zero, that call fails.
struct Fuse {
    left: AtomicI64,
    told: bool,
}

impl Fuse {
    fn burn<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.left.fetch_sub(1, Ordering::SeqCst) != 0 {
            return call();
        }
        if !self.told {
            call()?;
        }
        Err(Error::new(ErrorKind::Io, "doing what a test lets fail"))
    }
}

fn operator() -> Arc<OperatorKey> {
    Arc::new(OperatorKey::from_secret(Secret::from_fn(|s| *s = [0x51; 32])))
}

fn faulty(path: &Path, fuse: &Arc<Fuse>) -> Vault {
    let anchor = Arc::new(Anchor::open(&path.join("anchor")).unwrap());
    let store = SqliteStore::open(&path.join("vault.db"), Arc::clone(&anchor)).unwrap();
    let room = Room {
        id: store.vault().unwrap(),
        store: Box::new(Faulty(store, Arc::clone(fuse))),
        objects: Box::new(Faulty(FileObjects::new(path.join("objects")), Arc::clone(fuse))),
        slots: Box::new(Faulty(FileSlots::open(&path.join("shred")).unwrap(), Arc::clone(fuse))),
        leases: Leases::new(path.join("live")),
        anchor,
        reserve: Reserve::new(path.join("reserve")),
    };
    Vault::with_room(Arc::new(room), operator())
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
        committed.map_err(|e| match self.1.told {
            true => e,
            // What the contract says of a commit that may have happened.
            false => Error::new(ErrorKind::OutcomeUnknown, "committing").because(e),
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
    fn idempotent(&self, tenant: TenantId, token: &[u8; 16]) -> Result<Option<([u8; 16], RecordId)>> {
        self.0.idempotent(tenant, token)
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
