use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::stores::{Fault, Fuse, faulty, operator};
use crate::error::ErrorKind;
use crate::id::TenantId;
use crate::key::{DisclosurePolicy, Identity, Suite, TenantCard, TenantPin, WriterKey};
use crate::record::{Channel, Draft, PartKind};
use crate::retrieve::Access;
use crate::vault::Vault;

#[test]
fn whatever_call_fails_the_vault_is_as_it_was_and_a_sweep_leaves_it_clean() {
    for fault in [Fault::Told, Fault::Untold] {
        let World { dir: _dir, path, vault, identity, pin, writer } = World::new();
        let count = || vault.check().unwrap().records;

        let mut failures = 0;
        for calls in 0.. {
            let before = count();
            let fuse = Fuse::new(calls, fault);
            let faulty = Vault::of(faulty(&path, &fuse), operator(), Vec::new()).unwrap();
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
                    assert_eq!(fault, Fault::Untold, "a failure that was told is never an unknown outcome");
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

    let fuse = Fuse::new(i64::MAX, Fault::Untold);
    let faulty = Vault::of(faulty(&path, &fuse), operator(), Vec::new()).unwrap();
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
