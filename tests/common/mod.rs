//! A vault with two tenants, one of them with custodians, as most tests need it.
#![allow(dead_code)]

pub mod court;
pub mod doomed;
pub mod third_party;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use strongroom::*;

pub struct World {
    pub dir: tempfile::TempDir,
    pub vault: Vault,
    pub writer: Arc<WriterKey>,
    /// Without custodians.
    pub acme: Owner,
    /// With 2 of 3 custodians.
    pub bolt: Owner,
}

pub struct Owner {
    pub identity: Arc<Identity>,
    pub pin: TenantPin,
}

impl World {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(dir.path().join("my.vault"), operator()).unwrap();
        let writer = Arc::new(WriterKey::generate().unwrap());
        vault.enrol_writer(writer.public_key()).unwrap();
        let acme = Owner::enrol(&vault, "acme", 0);
        let bolt = Owner::enrol(&vault, "bolt", 3);
        Self { dir, vault, writer, acme, bolt }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("my.vault")
    }

    pub fn ingestor(&self, owner: &Owner) -> Ingestor {
        self.vault.ingestor(&owner.pin, Arc::clone(&self.writer)).unwrap()
    }

    pub fn session(&self, owner: &Owner) -> TenantSession {
        owner.session(&self.vault)
    }
}

impl Owner {
    pub fn enrol(vault: &Vault, name: &str, custodians: usize) -> Self {
        let identity = Arc::new(Identity::generate().unwrap());
        let card = TenantCard::new(vault.id(), TenantId::generate().unwrap(), &identity);
        let policy = if custodians == 0 {
            DisclosurePolicy::none(&card, &identity).unwrap()
        } else {
            let who = (0..custodians).map(|_| (&Identity::generate().unwrap()).into()).collect();
            DisclosurePolicy::quorum(&card, 2, who, &identity).unwrap()
        };
        let pin = vault.enrol(name, &card, &policy).unwrap();
        Self { identity, pin }
    }

    pub fn session(&self, vault: &Vault) -> TenantSession {
        vault.session(self.pin.tenant, Arc::clone(&self.identity), Access::new("tester", "test")).unwrap()
    }
}

/// The operator of every vault here, also in the processes that a test starts.
pub fn operator() -> Arc<OperatorKey> {
    Arc::new("STRONGROOM-OPERATOR-KEY-129G4Z52329G4Z52329G4Z52329G4Z52329G4Z52329G4Z52329GSFS629Z".parse().unwrap())
}

/// A draft of one transcript.
pub fn text(content: &str) -> Draft<'static> {
    Draft::new(Channel::Voice).part(
        PartKind::Transcript,
        "text/plain",
        std::io::Cursor::new(content.as_bytes().to_vec()),
    )
}

/// Bytes that do not repeat, for parts of any length.
pub fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64 ^ len as u64;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}

/// Every file below a folder.
pub fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The rows of a vault, as whoever holds the disk can read and change them.
pub fn rows(vault: &Path) -> rusqlite::Connection {
    let db = rusqlite::Connection::open(vault.join("vault.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    db
}

/// This test binary again, to run one of its tests in a process of its own.
pub fn myself(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command
}
