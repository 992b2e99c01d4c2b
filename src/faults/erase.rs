use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::restore::copy_folder;
use super::stores::{Fault, faulty, operator};
use super::{each_call, each_death, job};
use crate::audit::Auditor;
use crate::error::{ErrorKind, Result};
use crate::hold::Hold;
use crate::id::{RecordId, TenantId};
use crate::key::{DisclosurePolicy, Identity, Suite, TenantCard, WriterKey};
use crate::record::{Channel, Draft, PartKind};
use crate::retrieve::{Access, TenantSession};
use crate::vault::Vault;

#[test]
fn whatever_call_of_an_erasure_fails_a_record_is_whole_or_erased_and_the_next_try_finishes_it() {
    let world = World::new();
    for (fault, again) in [(Fault::Told, true), (Fault::Told, false), (Fault::Untold, true), (Fault::Untold, false)] {
        let failures = each_call(
            fault,
            || world.copy(),
            |path, fuse, calls| {
                let what = format!("{fault:?} {calls}, again {again}");
                let vault = Vault::of(faulty(path, fuse), operator(), Vec::new()).unwrap();
                let done = world.act(&vault);
                if let Err(error) = &done {
                    assert!([ErrorKind::Io, ErrorKind::OutcomeUnknown].contains(&error.kind()), "{what}: {error:?}");
                }
                // In the same process, or in the next one.
                if again && done.is_err() {
                    world.act(&vault).unwrap_or_else(|e| panic!("{what}: {e:?}"));
                    world.is_done(&vault, &what);
                }
                drop(vault);
                world.recovers(path, &what);
                done.is_ok()
            },
        );
        // Two sessions, each with an entry at both ends; of each record two entries, slots, an object and its folder.
        assert!(failures >= 12, "only {failures} calls could fail");
    }
}

#[test]
fn wherever_an_erasure_is_killed_a_record_is_whole_or_erased_and_opening_the_vault_finishes_it() {
    const NAME: &str =
        "faults::erase::wherever_an_erasure_is_killed_a_record_is_whole_or_erased_and_opening_the_vault_finishes_it";
    const JOB: &str = "STRONGROOM_TEST_ERASE";
    if let Some((path, fuse, world)) = job(JOB) {
        let vault = Vault::of(faulty(Path::new(&path), &fuse), operator(), Vec::new()).unwrap();
        World::parse(&world).act(&vault).unwrap();
        return;
    }
    let world = World::new();
    let left = |path: &Path, _, what: &str| world.recovers(path, what);
    let kills = each_death((NAME, JOB), || world.copy(), &world.to_text(), left);
    assert!(kills >= 12, "only {kills} kills");
}

/// A vault with a record that is to be erased, one that was to be and is held, and another; and two of the tenant's people.
struct World {
    dir: Option<tempfile::TempDir>,
    identity: Arc<Identity>,
    tenant: TenantId,
    free: RecordId,
    held: RecordId,
    other: RecordId,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(dir.path().join("v"), operator()).unwrap();
        let identity = Arc::new(Identity::generate_for(Suite::X25519).unwrap());
        let card = TenantCard::new(vault.id(), TenantId::generate().unwrap(), &identity);
        let pin = vault.enrol("t", &card, &DisclosurePolicy::none(&card, &identity).unwrap()).unwrap();
        let writer = Arc::new(WriterKey::generate().unwrap());
        vault.enrol_writer(writer.public_key()).unwrap();
        let ingestor = vault.ingestor(&pin, writer).unwrap();
        let ingest = || {
            let audio = Draft::new(Channel::Voice).part(PartKind::Audio, "audio/x", &[7; 200_000][..]);
            ingestor.ingest(audio.part(PartKind::Transcript, "text/plain", &b"words"[..])).unwrap().record
        };
        let [free, held, other] = [ingest(), ingest(), ingest()];
        let this = Self { dir: Some(dir), identity, tenant: pin.tenant, free, held, other };
        let ann = this.session(&vault, "ann").unwrap();
        ann.place_hold(&Hold::new("m", "suit").records([held])).unwrap();
        assert_eq!(ann.erase([held], "asked").unwrap().deferred.len(), 1);
        ann.propose_release("m", "over").unwrap();
        this
    }

    fn session(&self, vault: &Vault, actor: &str) -> Result<TenantSession> {
        vault.session(self.tenant, Arc::clone(&self.identity), Access::new(actor, "test"))
    }

    /// Erases the free record and ends the matter, as far as either is not done.
    fn act(&self, vault: &Vault) -> Result<()> {
        let bob = self.session(vault, "bob")?;
        bob.erase([self.free], "asked")?;
        if bob.holds()?.is_empty() {
            // What that was to erase is not lost.
            assert_eq!(bob.erase([self.held], "asked")?.already, [self.held]);
        } else {
            assert_eq!(bob.confirm_release("m", "seen")?.erased, [self.held]);
        }
        bob.close().map(drop)
    }

    /// After an end anywhere.
    fn recovers(&self, path: &Path, what: &str) {
        let vault = Vault::open(path, operator()).unwrap();
        let session = self.session(&vault, "carol").unwrap();
        let gone = |id| match session.read(id).map(|record| (record.read_part(1), record.read_part(2))) {
            Ok((audio, words)) => {
                assert_eq!((audio.unwrap(), words.unwrap()), (vec![7; 200_000], b"words".to_vec()), "{what}");
                false
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Erased, "{what}: {error:?}");
                true
            }
        };
        assert!(!gone(self.other), "{what}");
        let (free, held) = (gone(self.free), gone(self.held));
        assert_eq!(session.holds().unwrap().is_empty(), held, "{what}: the matter ends with what it had put off");
        assert_eq!(session.deferred_deletions().unwrap().len(), usize::from(!held), "{what}");
        let said = self.said(&session, what);
        let expected = u64::from(free) + u64::from(held);
        assert_eq!(said, [expected, expected], "{what}: what was authorised is done, and nothing else");
        drop(session);
        self.act(&vault).unwrap_or_else(|e| panic!("{what}: {e:?}"));
        self.is_done(&vault, what);
        vault.sweep().unwrap();
        let report = vault.check().unwrap();
        assert!(report.is_clean(), "{what}: {report}");
        assert_eq!((report.records, report.erased), (3, 2), "{what}");
        let objects = files(&path.join("objects"));
        assert_eq!(objects.len(), 1, "{what}: {objects:?}");
    }

    fn is_done(&self, vault: &Vault, what: &str) {
        let session = self.session(vault, "carol").unwrap();
        for id in [self.free, self.held] {
            assert!(session.read(id).is_err_and(|e| e.kind() == ErrorKind::Erased), "{what}");
        }
        assert_eq!(session.read(self.other).unwrap().read_part(2).unwrap(), b"words", "{what}");
        assert!(session.holds().unwrap().is_empty() && session.deferred_deletions().unwrap().is_empty(), "{what}");
        assert_eq!(self.said(&session, what), [2, 2], "{what}");
    }

    /// How many erasures the ledger authorises, and tells of.
    fn said(&self, session: &TenantSession, what: &str) -> [u64; 2] {
        let log = session.log().unwrap();
        let audit = Auditor::new(log.key()).audit(&log).unwrap();
        assert!(audit.is_clean(), "{what}: {audit}");
        ["erasure.authorised", "erased"].map(|kind| audit.kinds.get(kind).copied().unwrap_or(0))
    }

    fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&self.dir.as_ref().unwrap().path().join("v"), copy.path());
        copy
    }

    fn to_text(&self) -> String {
        let Self { dir: _, identity, tenant, free, held, other } = self;
        format!("{} {tenant} {free} {held} {other}", *identity.expose_secret())
    }

    fn parse(text: &str) -> Self {
        let [identity, tenant, free, held, other] = text.split(' ').collect::<Vec<_>>()[..] else { panic!("a world") };
        let id = |text: &str| text.parse::<RecordId>().unwrap();
        let (identity, tenant) = (Arc::new(identity.parse().unwrap()), tenant.parse().unwrap());
        Self { dir: None, identity, tenant, free: id(free), held: id(held), other: id(other) }
    }
}

fn files(root: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(root).unwrap().map(|folder| folder.unwrap().path());
    folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path())).collect()
}
