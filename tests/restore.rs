//! An old copy of a vault is put back, and its operator goes on with it.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{Owner, World, operator, text};
use strongroom::*;

/// A vault that is closed, so that its files can be exchanged.
struct Closed {
    _dir: tempfile::TempDir,
    path: PathBuf,
    writer: Arc<WriterKey>,
    acme: Owner,
    bolt: Owner,
}

impl Closed {
    fn new() -> Self {
        let World { dir, vault, writer, acme, bolt } = World::new();
        drop(vault);
        Self { path: dir.path().join("my.vault"), _dir: dir, writer, acme, bolt }
    }

    fn open(&self) -> Vault {
        Vault::open(&self.path, operator()).unwrap()
    }

    /// Stores a text in a process's lifetime of its own.
    fn ingest(&self, owner: &Owner, content: &str) -> RecordId {
        self.try_ingest(owner, content).unwrap()
    }

    fn try_ingest(&self, owner: &Owner, content: &str) -> Result<RecordId> {
        let ingestor = self.open().ingestor(&owner.pin, Arc::clone(&self.writer))?;
        Ok(ingestor.ingest(text(content))?.record)
    }

    fn read(&self, owner: &Owner, record: RecordId) -> Result<Vec<u8>> {
        self.session(owner)?.read(record)?.read_part(1)
    }

    fn session(&self, owner: &Owner) -> Result<TenantSession> {
        self.open().session(owner.pin.tenant, Arc::clone(&owner.identity), Access::new("tester", "test"))
    }

    /// The database as a backup has it: without the slots and the marks.
    fn database(&self) -> Vec<u8> {
        assert!(!self.path.join("vault.db-wal").exists(), "somebody has the vault open");
        fs::read(self.path.join("vault.db")).unwrap()
    }

    fn put_back(&self, database: &[u8]) {
        put_back(&self.path, database);
    }
}

fn put_back(path: &Path, database: &[u8]) {
    fs::write(path.join("vault.db"), database).unwrap();
}

#[test]
fn what_is_written_beside_an_old_database_takes_no_slot_of_the_newer_one() {
    let vault = Closed::new();
    let old = vault.database();
    let lost = vault.ingest(&vault.acme, "after the copy");
    let (newer, shred) = (vault.database(), fs::read(vault.path.join("shred")).unwrap());
    vault.put_back(&old);
    // The ledger of bolt is as it was, and goes on.
    let other = vault.ingest(&vault.bolt, "beside the old copy");
    let now = fs::read(vault.path.join("shred")).unwrap();
    assert!(now.len() > shred.len() && now[..shred.len()] == shred, "slots were used a second time");
    assert_eq!(vault.read(&vault.bolt, other).unwrap(), b"beside the old copy");

    vault.put_back(&newer);
    assert_eq!(vault.read(&vault.acme, lost).unwrap(), b"after the copy");
}
