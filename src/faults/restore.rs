use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::stores::{Fault, Fuse, faulty, operator};
use super::{each_call, each_death, job};
use crate::audit::{AuditFinding, Auditor};
use crate::error::{ErrorKind, Result};
use crate::id::TenantId;
use crate::key::{DisclosurePolicy, Identity, PublicKey, Suite, TenantCard, TenantPin, WriterKey};
use crate::record::{Channel, Draft, PartKind};
use crate::restore::{Restoration, Restored};
use crate::retrieve::{Access, TenantSession};
use crate::tlog::SignedCheckpoint;
use crate::vault::Vault;

#[test]
fn whatever_call_of_a_restore_fails_the_next_try_finishes_it_and_nothing_is_released_before() {
    let world = World::new();
    for fault in [Fault::Told, Fault::Untold] {
        let failures = each_call(
            fault,
            || world.copy(),
            |path, fuse, calls| match restore(path, fuse) {
                Ok(restored) => {
                    assert_eq!(restored.len(), 2);
                    true
                }
                Err(error) => {
                    assert!([ErrorKind::Io, ErrorKind::OutcomeUnknown].contains(&error.kind()), "{error:?}");
                    world.recovers(path, &format!("{fault:?} {calls}"));
                    false
                }
            },
        );
        assert!(failures >= 4, "only {failures} calls could fail");
    }
}

#[test]
fn wherever_a_restore_is_killed_the_next_try_finishes_it_and_nothing_is_released_before() {
    const NAME: &str =
        "faults::restore::wherever_a_restore_is_killed_the_next_try_finishes_it_and_nothing_is_released_before";
    const JOB: &str = "STRONGROOM_TEST_RESTORE";
    if let Some((path, fuse, _)) = job(JOB) {
        restore(Path::new(&path), &fuse).unwrap();
        return;
    }
    let world = World::new();
    let left = |path: &Path, done, what: &str| {
        if done {
            return;
        }
        // Between a commit and its mark.
        let torn = tempfile::tempdir().unwrap();
        copy_folder(path, torn.path());
        let mut anchor = fs::read(torn.path().join("anchor")).unwrap();
        anchor.truncate(256 * World::LOGS);
        fs::write(torn.path().join("anchor"), anchor).unwrap();
        world.recovers(torn.path(), &format!("{what}, torn"));
        world.recovers(path, what);
    };
    let kills = each_death((NAME, JOB), || world.copy(), "", left);
    assert!(kills >= 4, "only {kills} kills");
}

#[test]
fn whatever_call_of_an_enrolment_after_a_restore_fails_a_restore_finishes_it() {
    let world = World::new();
    let restored = world.copy();
    assert_eq!(Vault::open_to_restore(restored.path(), operator()).unwrap().restore("x").unwrap().len(), 2);
    for fault in [Fault::Told, Fault::Untold] {
        for calls in 0.. {
            let copy = tempfile::tempdir().unwrap();
            copy_folder(restored.path(), copy.path());
            let enrol = |vault: &Vault| vault.enrol("d", &world.lost.0, &world.lost.1);
            let vault = Vault::of(faulty(copy.path(), &Fuse::new(calls, fault)), operator(), Vec::new()).unwrap();
            let enrolled = enrol(&vault);
            drop(vault);
            if enrolled.is_err() {
                Vault::open_to_restore(copy.path(), operator()).unwrap().restore("y").unwrap();
            }
            let vault = Vault::open(copy.path(), operator()).unwrap();
            if vault.tenant_named("d").is_err() {
                enrol(&vault).unwrap();
            }
            vault.sweep().unwrap();
            let report = vault.check().unwrap();
            assert!(report.is_clean(), "{fault:?} {calls}: {report}");
            if enrolled.is_ok() {
                assert!(calls > 0);
                break;
            }
        }
    }
}

/// An old copy of a vault: of two tenants it lacks entries, of one of them a whole log, a third is as it was, and a fourth
/// is not there.
struct World {
    dir: tempfile::TempDir,
    writer: Arc<WriterKey>,
    behind: [Owner; 2],
    untouched: Owner,
    lost: (TenantCard, DisclosurePolicy),
}

struct Owner {
    identity: Arc<Identity>,
    pin: TenantPin,
    /// What it knows of its first log from after the copy.
    pinned: Option<(PublicKey, SignedCheckpoint)>,
}

impl World {
    /// That had a mark before the restore.
    const LOGS: usize = 5;

    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v");
        let vault = Vault::create(&path, operator()).unwrap();
        let writer = Arc::new(WriterKey::generate().unwrap());
        vault.enrol_writer(writer.public_key()).unwrap();
        let [mut a, mut b, untouched] = ["a", "b", "c"].map(|name| {
            let (identity, card, policy) = keys(&vault);
            Owner { identity, pin: vault.enrol(name, &card, &policy).unwrap(), pinned: None }
        });
        for owner in [&a, &b, &untouched] {
            ingest(&vault, owner, &writer).unwrap();
        }
        drop(vault);
        let old = fs::read(path.join("vault.db")).unwrap();
        let vault = Vault::open(&path, operator()).unwrap();
        let (_, card, policy) = keys(&vault);
        vault.enrol("d", &card, &policy).unwrap();
        for owner in [&mut a, &mut b] {
            ingest(&vault, owner, &writer).unwrap();
            let tenant = owner.pin.tenant;
            owner.pinned = Some((vault.log_key(tenant).unwrap(), vault.checkpoint(tenant).unwrap()));
        }
        vault.rotate_log(b.pin.tenant).unwrap();
        drop(vault);
        assert_eq!(fs::metadata(path.join("anchor")).unwrap().len().div_ceil(256), Self::LOGS as u64);
        fs::write(path.join("vault.db"), old).unwrap();
        Self { dir, writer, behind: [a, b], untouched, lost: (card, policy) }
    }

    fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&self.dir.path().join("v"), copy.path());
        copy
    }

    /// After a restore that ended anywhere: what was not restored is refused, what was is whole, and the next try does
    /// the rest. No log has an entry or a head that the copy had not.
    fn recovers(&self, path: &Path, what: &str) {
        let first_logs = |vault: &Vault| {
            let owners = self.behind.iter().map(|owner| vault.room.store.logs(owner.pin.tenant).unwrap().remove(0));
            owners.map(|row| (row.size, row.note)).collect::<Vec<_>>()
        };
        let vault = Vault::open(self.dir.path().join("v"), operator()).unwrap();
        let expected = first_logs(&vault);
        drop(vault);
        let vault = Vault::open(path, operator()).unwrap();
        for owner in &self.behind {
            match owner.session(&vault) {
                Ok(session) => audit_open(&session, what),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::RolledBack, "{what}: {error:?}");
                    let refused = ingest(&vault, owner, &self.writer).unwrap_err();
                    assert_eq!(refused.kind(), ErrorKind::RolledBack, "{what}");
                    assert_eq!(vault.room.store.logs(owner.pin.tenant).unwrap().len(), 1, "{what}");
                }
            }
        }
        ingest(&vault, &self.untouched, &self.writer).unwrap();
        drop(vault);

        Vault::open_to_restore(path, operator()).unwrap().restore("again").unwrap();
        let vault = Vault::open(path, operator()).unwrap();
        assert_eq!(first_logs(&vault), expected, "{what}");
        for owner in &self.behind {
            ingest(&vault, owner, &self.writer).unwrap();
            let session = owner.session(&vault).unwrap();
            let logs = session.logs().unwrap();
            assert_eq!(logs.len(), 2, "{what}: it was restored twice");
            let (key, pinned) = owner.pinned.clone().unwrap();
            let report = Auditor::new(key).pinned(pinned).unwrap().audit(&logs[0]).unwrap();
            assert!(matches!(report.findings[..], [AuditFinding::Restored { .. }]), "{what}: {report}");
            audit_open(&session, what);
        }
        assert_eq!(vault.room.store.logs(self.untouched.pin.tenant).unwrap().len(), 1);
        vault.enrol("d", &self.lost.0, &self.lost.1).unwrap();
        let report = vault.check().unwrap();
        assert!(report.is_sound(), "{what}: {report}");
        vault.sweep().unwrap();
        let report = vault.check().unwrap();
        assert!(report.is_clean(), "{what}: {report}");
    }
}

impl Owner {
    fn session(&self, vault: &Vault) -> Result<TenantSession> {
        vault.session(self.pin.tenant, Arc::clone(&self.identity), Access::new("t", "t"))
    }
}

fn keys(vault: &Vault) -> (Arc<Identity>, TenantCard, DisclosurePolicy) {
    let identity = Arc::new(Identity::generate_for(Suite::X25519).unwrap());
    let card = TenantCard::new(vault.id(), TenantId::generate().unwrap(), &identity);
    let policy = DisclosurePolicy::none(&card, &identity).unwrap();
    (identity, card, policy)
}

fn ingest(vault: &Vault, owner: &Owner, writer: &Arc<WriterKey>) -> Result<()> {
    let ingestor = vault.ingestor(&owner.pin, Arc::clone(writer))?;
    ingestor.ingest(Draft::new(Channel::Voice).part(PartKind::Audio, "audio/x", &b"x"[..])).map(drop)
}

fn audit_open(session: &TenantSession, what: &str) {
    let log = session.log().unwrap();
    let report = Auditor::new(log.key()).audit(&log).unwrap();
    assert!(report.is_clean() && report.kinds["restored"] == 1, "{what}: {report}");
}

fn restore(path: &Path, fuse: &Arc<Fuse>) -> Result<Vec<Restored>> {
    Restoration::of(faulty(path, fuse), operator(), path)?.restore("a test")
}

pub(super) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry: PathBuf = entry.unwrap().path();
        let copy = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy_folder(&entry, &copy);
        } else {
            fs::copy(&entry, copy).unwrap();
        }
    }
}
