//! An old copy of a vault is put back, and its operator goes on with it.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Owner, World, operator, rows, text};
use strongroom::tlog::{SignedCheckpoint, origin_of};
use strongroom::*;

const REASON: &str = "the disk failed on 12 March; the copy of 11 March was put back";

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

    fn file(&self, name: &str) -> Vec<u8> {
        assert!(!self.path.join("vault.db-wal").exists(), "somebody has the vault open");
        fs::read(self.path.join(name)).unwrap()
    }

    fn put_back(&self, name: &str, bytes: &[u8]) {
        assert!(!self.path.join("vault.db-wal").exists(), "somebody has the vault open");
        fs::write(self.path.join(name), bytes).unwrap();
    }

    /// The database as a backup has it: without the slots and the marks.
    fn database(&self) -> Vec<u8> {
        self.file("vault.db")
    }

    fn restore(&self) -> Vec<Restored> {
        Vault::open_to_restore(&self.path, operator()).unwrap().restore(REASON).unwrap()
    }

    fn checkpoint(&self, owner: &Owner) -> (PublicKey, SignedCheckpoint) {
        let vault = self.open();
        (vault.log_key(owner.pin.tenant).unwrap(), vault.checkpoint(owner.pin.tenant).unwrap())
    }

    /// What an audit finds in a log of a tenant, by its number among them, for one who knows that key and checkpoint.
    fn findings(&self, owner: &Owner, log: usize, (key, pinned): &(PublicKey, SignedCheckpoint)) -> Vec<AuditFinding> {
        let session = self.session(owner).unwrap();
        let log = session.logs().unwrap().remove(log);
        Auditor::new(*key).pinned(pinned.clone()).unwrap().audit(&log).unwrap().findings
    }

    /// Audits the open log of a tenant by its own key: nothing may be wrong with it.
    fn audit_open(&self, owner: &Owner) -> AuditReport {
        let session = self.session(owner).unwrap();
        let log = session.log().unwrap();
        let report = Auditor::new(log.key()).audit(&log).unwrap();
        assert!(report.is_clean(), "{report}");
        report
    }

    fn generations(&self, owner: &Owner) -> Vec<u32> {
        self.session(owner).unwrap().logs().unwrap().iter().map(TenantLog::generation).collect()
    }

    /// Nothing may be wrong once what the lost time left is swept.
    fn sweep_and_check(&self) -> CheckReport {
        let vault = self.open();
        let report = vault.check().unwrap();
        assert!(report.is_sound(), "{report}");
        vault.sweep().unwrap();
        let report = vault.check().unwrap();
        assert!(report.is_clean(), "{report}");
        report
    }
}

fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn an_old_copy_is_refused_until_it_is_restored_and_then_it_goes_on() {
    let vault = Closed::new();
    let (acme, tenant) = (&vault.acme, vault.acme.pin.tenant);
    let kept = vault.ingest(acme, "before the copy");
    let (early, old) = (vault.checkpoint(acme), vault.database());
    let lost = vault.ingest(acme, "after the copy");
    let (late, shred) = (vault.checkpoint(acme), vault.file("shred"));
    vault.put_back("vault.db", &old);

    let clock = ClockKey::generate().unwrap();
    assert_eq!(kind(vault.session(acme)), ErrorKind::RolledBack);
    assert_eq!(kind(vault.try_ingest(acme, "x")), ErrorKind::RolledBack);
    assert_eq!(kind(vault.open().cosign(&clock)), ErrorKind::RolledBack);
    assert_eq!(kind(vault.open().rotate_log(tenant)), ErrorKind::RolledBack);
    // A newer copy may come, which names what nobody names here.
    assert_eq!(kind(vault.open().sweep()), ErrorKind::RolledBack);
    assert!(!vault.open().check().unwrap().is_sound());
    assert_eq!(vault.checkpoint(acme).1.checkpoint().size, early.1.checkpoint().size);

    let restoration = Vault::open_to_restore(&vault.path, operator()).unwrap();
    let [loss] = restoration.losses() else { panic!("{restoration:?}") };
    assert_eq!((loss.tenant, loss.name.as_deref(), loss.generation), (tenant, Some("acme"), 1));
    let (had, left) = (late.1.checkpoint().size, early.1.checkpoint().size);
    assert_eq!((loss.kept, loss.had), (left, Some(had)));
    assert_eq!(loss.to_string(), format!("ledger 1 of acme: {left} of {had} entries are there"));
    let restored = restoration.restore(REASON).unwrap();
    let [Restored { key, receipt, .. }] = &restored[..] else { panic!("{restored:?}") };
    let message = receipt.verify(key).unwrap();
    assert_eq!((message.kind, message.seq, message.basis.as_deref()), (Kind::Restored, 0, Some(REASON)));
    assert_eq!(message.details["predecessor"], origin_of(&early.0));
    assert_eq!(message.details["predecessor-size"], left.to_string());
    let hex = |hash: [u8; 32]| hash.iter().map(|b| format!("{b:02x}")).collect::<String>();
    assert_eq!(message.details["predecessor-root"], hex(early.1.checkpoint().root));
    let loss = format!("{left} {} {had} {}", hex(early.1.checkpoint().root), hex(late.1.checkpoint().root));
    assert!(message.details["loss-1"].contains(&loss), "{:?}", message.details);

    assert_eq!(vault.read(acme, kept).unwrap(), b"before the copy");
    assert_eq!(kind(vault.read(acme, lost)), ErrorKind::NotFound);
    let new = vault.ingest(acme, "after the restore");
    assert_eq!(vault.read(acme, new).unwrap(), b"after the restore");
    vault.open().cosign(&clock).unwrap();
    // The old log has what it had, and bolt's nothing to do with it.
    assert_eq!(vault.generations(&vault.bolt), [1]);
    let now = vault.file("shred");
    assert!(now.len() > shred.len());
    vault.sweep_and_check();
    assert_eq!(vault.read(acme, kept).unwrap(), b"before the copy");

    // What the tenant pinned before the copy, or after it, says the same of both logs, and nothing is forked.
    let told = |generation| AuditFinding::Restored { successor: generation, kept: left, had: Some(had) };
    let generation = vault.generations(acme)[1];
    for pinned in [&early, &late] {
        assert_eq!(vault.findings(acme, 0, pinned), [told(generation)]);
        assert_eq!(vault.findings(acme, 1, pinned), [told(generation)]);
    }
    assert_eq!(vault.audit_open(acme).kinds["restored"], 1);
    let stranger = (vault.checkpoint(&vault.bolt).0, vault.checkpoint(&vault.bolt).1);
    assert!(vault.findings(acme, 1, &stranger).contains(&AuditFinding::Resigned));

    // And there is nothing more to restore.
    let again = Vault::open_to_restore(&vault.path, operator()).unwrap();
    assert_eq!(again.losses(), []);
    assert_eq!(again.restore(REASON).unwrap(), []);
    assert_eq!(vault.generations(acme).len(), 2);
}

#[test]
fn sinks_are_given_the_heads_of_what_goes_on_and_of_nothing_that_went_back() {
    let vault = Closed::new();
    let old = vault.database();
    vault.ingest(&vault.acme, "lost");
    vault.put_back("vault.db", &old);
    let heads = |patience| {
        let taken = Arc::new(Mutex::new(BTreeSet::new()));
        let into = Arc::clone(&taken);
        let sink = move |head: &LedgerHead| {
            into.lock().unwrap().insert((head.tenant, head.generation));
            Ok(())
        };
        let open = Vault::open(&vault.path, VaultOptions::new(operator()).sink("a test", sink)).unwrap();
        let behind = open.publish(patience).unwrap().remove(0).behind;
        drop(open);
        let behind: Vec<TenantId> = behind.iter().map(|behind| behind.tenant).collect();
        (taken.lock().unwrap().clone(), behind)
    };
    let bolt = (vault.bolt.pin.tenant, 1);
    assert_eq!(heads(Duration::from_secs(1)), (BTreeSet::from([bolt]), vec![vault.acme.pin.tenant]));
    vault.restore();
    let acme = (vault.acme.pin.tenant, vault.generations(&vault.acme)[1]);
    assert_eq!(heads(Duration::from_secs(10)), (BTreeSet::from([acme, bolt]), Vec::new()));
}

#[test]
fn a_rollback_that_nobody_signed_is_no_restore() {
    let vault = Closed::new();
    let acme = &vault.acme;
    vault.ingest(acme, "one");
    let old = ["vault.db", "anchor"].map(|name| (name, vault.file(name)));
    for n in 0..5 {
        vault.ingest(acme, &n.to_string());
    }
    let late = vault.checkpoint(acme);
    // With the anchor in the same folder, only the tenant knows.
    old.iter().for_each(|(name, bytes)| vault.put_back(name, bytes));
    let size = late.1.checkpoint().size;
    assert_eq!(vault.findings(acme, 0, &late), [AuditFinding::RolledBack(size)]);
    // A rotation says nothing of what is missing.
    vault.open().rotate_log(acme.pin.tenant).unwrap();
    assert_eq!(vault.findings(acme, 0, &late), [AuditFinding::RolledBack(size)]);
}

#[test]
fn an_operator_who_admits_less_than_was_pinned_is_found_out() {
    let vault = Closed::new();
    let acme = &vault.acme;
    let old = vault.database();
    vault.ingest(acme, "one");
    let (anchor, middle) = (vault.file("anchor"), vault.checkpoint(acme).1.checkpoint().size);
    vault.ingest(acme, "two");
    let late = vault.checkpoint(acme);
    vault.put_back("vault.db", &old);
    vault.put_back("anchor", &anchor);
    let files = [vault.file("shred"), vault.file("reserve")];
    vault.restore();
    let findings = vault.findings(acme, 0, &late);
    let told = |f: &AuditFinding| matches!(f, AuditFinding::Restored { had, .. } if *had == Some(middle));
    assert!(findings.len() == 2 && findings.iter().any(told), "{findings:?}");
    assert!(findings.contains(&AuditFinding::RolledBack(late.1.checkpoint().size)));

    // One who knows that his anchor is old, too, says so.
    vault.put_back("vault.db", &old);
    vault.put_back("anchor", &anchor);
    ["shred", "reserve"].iter().zip(&files).for_each(|(name, bytes)| vault.put_back(name, bytes));
    let restoration = Vault::open_to_restore(&vault.path, operator()).unwrap().everything().unwrap();
    assert_eq!(restoration.losses().len(), 2);
    assert!(restoration.losses().iter().all(|loss| loss.had.is_none()));
    assert_eq!(restoration.restore(REASON).unwrap().len(), 2);
    for owner in [acme, &vault.bolt] {
        vault.ingest(owner, "on");
        vault.audit_open(owner);
    }
    let findings = vault.findings(acme, 0, &late);
    assert!(matches!(findings[..], [AuditFinding::Restored { had: None, .. }]), "{findings:?}");
    vault.sweep_and_check();
}

#[test]
fn a_copy_can_be_restored_again_and_every_log_that_was_lost_is_named() {
    let vault = Closed::new();
    let acme = &vault.acme;
    let old = vault.database();
    vault.ingest(acme, "lost at first");
    let first = vault.checkpoint(acme);
    vault.put_back("vault.db", &old);
    vault.restore();
    vault.ingest(acme, "in the second log");
    let second = vault.checkpoint(acme);
    let after = vault.database();
    vault.ingest(acme, "in the second log, too");
    let third = vault.checkpoint(acme);

    // The same copy again: it knows nothing of the second log.
    vault.put_back("vault.db", &old);
    assert_eq!(kind(vault.try_ingest(acme, "x")), ErrorKind::RolledBack);
    let restoration = Vault::open_to_restore(&vault.path, operator()).unwrap();
    let sizes: Vec<_> = restoration.losses().iter().map(|loss| (loss.kept, loss.had)).collect();
    let size = |pinned: &(PublicKey, SignedCheckpoint)| pinned.1.checkpoint().size;
    assert_eq!(sizes, [(1, Some(size(&first))), (0, Some(size(&third)))]);
    let restored = restoration.restore(REASON).unwrap();
    assert!(restored.iter().all(|restored| ![first.0, second.0].contains(&restored.key)));
    vault.ingest(acme, "in the third log");
    vault.audit_open(acme);
    let generation = vault.generations(acme)[1];
    let told = |kept, had| [AuditFinding::Restored { successor: generation, kept, had: Some(had) }];
    assert_eq!(vault.findings(acme, 0, &first), told(1, size(&first)));
    assert_eq!(vault.findings(acme, 1, &first), told(1, size(&first)));
    for pinned in [&second, &third] {
        assert_eq!(vault.findings(acme, 1, pinned), told(0, size(&third)));
    }
    vault.sweep_and_check();

    // A copy of between: what it has of the second log stays, and the third is lost.
    vault.put_back("vault.db", &after);
    assert_eq!(kind(vault.try_ingest(acme, "x")), ErrorKind::RolledBack);
    vault.restore();
    vault.ingest(acme, "in the fourth log");
    vault.audit_open(acme);
    let generations = vault.generations(acme);
    assert_eq!(generations.len(), 3);
    let told = |kept, had| [AuditFinding::Restored { successor: generations[2], kept, had: Some(had) }];
    assert_eq!(vault.findings(acme, 1, &third), told(size(&second), size(&third)));
    // The sweep in between took the key of what the second log said of the first. The fourth says it again.
    assert_eq!(vault.findings(acme, 0, &first), told(1, size(&first)));
    vault.sweep_and_check();
}

#[test]
fn a_log_that_was_rotated_since_the_copy_is_named_and_its_key_signs_no_other() {
    let vault = Closed::new();
    let acme = &vault.acme;
    let old = vault.database();
    vault.open().rotate_log(acme.pin.tenant).unwrap();
    vault.ingest(acme, "in the second log");
    let second = vault.checkpoint(acme);
    vault.put_back("vault.db", &old);
    let restored = vault.restore();
    assert!(restored.len() == 1 && restored[0].key != second.0);
    let findings = vault.findings(acme, 1, &second);
    assert!(matches!(findings[..], [AuditFinding::Restored { kept: 0, had: Some(_), .. }]), "{findings:?}");
    vault.open().rotate_log(acme.pin.tenant).unwrap();
    vault.audit_open(acme);
    vault.sweep_and_check();
}

#[test]
fn a_tenant_that_was_enrolled_since_the_copy_is_enrolled_again_under_another_log() {
    let vault = Closed::new();
    let old = vault.database();
    let identity = Arc::new(Identity::generate().unwrap());
    let card = TenantCard::new(vault.open().id(), TenantId::generate().unwrap(), &identity);
    let policy = DisclosurePolicy::none(&card, &identity).unwrap();
    let pin = vault.open().enrol("cask", &card, &policy).unwrap();
    let cask = Owner { identity, pin };
    vault.ingest(&cask, "lost");
    let pinned = vault.checkpoint(&cask);
    vault.put_back("vault.db", &old);

    assert_eq!(kind(vault.open().enrol("cask", &card, &policy)), ErrorKind::RolledBack);
    let restoration = Vault::open_to_restore(&vault.path, operator()).unwrap();
    let [loss] = restoration.losses() else { panic!("{restoration:?}") };
    assert_eq!((loss.tenant, &loss.name, loss.kept), (cask.pin.tenant, &None, 0));
    assert_eq!(restoration.restore(REASON).unwrap(), []);
    vault.sweep_and_check();

    vault.open().enrol("cask", &card, &policy).unwrap();
    vault.ingest(&cask, "again");
    assert_ne!(vault.checkpoint(&cask).0, pinned.0, "the first log's key signs no second log");
    assert_eq!(vault.audit_open(&cask).kinds["restored"], 1);
    let findings = vault.findings(&cask, 0, &pinned);
    assert!(matches!(findings[..], [AuditFinding::Restored { kept: 0, had: Some(_), .. }]), "{findings:?}");
    // Others that come now have a log of their own number and a generation that nobody can have had.
    let other = Owner::enrol(&vault.open(), "dole", 0);
    vault.ingest(&other, "x");
    assert_ne!(vault.generations(&other), [1]);
    assert_eq!(vault.audit_open(&other).kinds["log.opened"], 1);
    vault.sweep_and_check();
    // The same copy again.
    vault.put_back("vault.db", &old);
    assert_eq!(kind(vault.open().enrol("cask", &card, &policy)), ErrorKind::RolledBack);
    vault.restore();
    vault.open().enrol("cask", &card, &policy).unwrap();
    vault.audit_open(&cask);
    vault.sweep_and_check();
}

#[test]
fn a_lost_anchor_refuses_and_a_restore_takes_every_ledger_for_one_that_may_have_grown() {
    for old_database in [false, true] {
        let vault = Closed::new();
        let (acme, bolt) = (&vault.acme, &vault.bolt);
        let kept = vault.ingest(acme, "one");
        vault.open().rotate_log(bolt.pin.tenant).unwrap();
        let old = vault.database();
        vault.ingest(acme, "two");
        let late = vault.checkpoint(acme);
        if old_database {
            vault.put_back("vault.db", &old);
        }
        fs::remove_file(vault.path.join("anchor")).unwrap();
        assert_eq!(kind(Vault::open(&vault.path, operator())), ErrorKind::Damaged);
        assert_eq!(kind(Vault::open_to_check(&vault.path)), ErrorKind::Damaged);
        let restoration = Vault::open_to_restore(&vault.path, operator()).unwrap();
        assert_eq!(restoration.losses().len(), 2);
        assert!(restoration.losses().iter().all(|loss| loss.had.is_none()));
        assert!(!vault.path.join("anchor").exists(), "nothing is changed by looking");
        assert_eq!(restoration.restore(REASON).unwrap().len(), 2);
        for owner in [acme, bolt] {
            vault.ingest(owner, "on");
            vault.audit_open(owner);
        }
        assert_eq!(vault.read(acme, kept).unwrap(), b"one");
        let findings = vault.findings(acme, 0, &late);
        assert!(matches!(findings[..], [AuditFinding::Restored { had: None, .. }]), "{findings:?}");
        let loss = findings[0].to_string();
        assert!(loss.contains("nobody knows how many there had been"), "{loss}");
        vault.sweep_and_check();
        assert_eq!(Vault::open_to_restore(&vault.path, operator()).unwrap().losses(), []);

        // No log that ended is opened again by a copy that knows nothing of the restore.
        vault.put_back("vault.db", &old);
        for owner in [acme, bolt] {
            assert_eq!(kind(vault.try_ingest(owner, "x")), ErrorKind::RolledBack);
        }
        vault.restore();
        for owner in [acme, bolt] {
            vault.ingest(owner, "on");
        }
        vault.sweep_and_check();
    }
}

#[test]
fn a_vault_without_tenants_outlives_its_anchor_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v");
    drop(Vault::create(&path, operator()).unwrap());
    fs::remove_file(path.join("anchor")).unwrap();
    let restored = Vault::open_to_restore(&path, operator()).unwrap().restore(REASON).unwrap();
    assert_eq!(restored, []);
    let vault = Vault::open(&path, operator()).unwrap();
    let owner = Owner::enrol(&vault, "acme", 0);
    // A tenant may have been enrolled that nobody knows of any more.
    assert_ne!(owner.session(&vault).log().unwrap().generation(), 1);
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn an_anchor_without_the_marks_that_it_had_refuses_as_well() {
    let vault = Closed::new();
    let acme = &vault.acme;
    vault.ingest(acme, "one");
    vault.put_back("anchor", b"");
    assert_eq!(kind(vault.try_ingest(acme, "x")), ErrorKind::Damaged);
    assert_eq!(kind(vault.session(acme)), ErrorKind::Damaged);
    assert!(!vault.open().check().unwrap().is_sound());
    // What was enrolled last may have lost its mark in a crash: it has one from now on.
    vault.ingest(&vault.bolt, "goes on");
    let restoration = Vault::open_to_restore(&vault.path, operator()).unwrap();
    assert_eq!(restoration.losses().len(), 2);
    assert_eq!(restoration.restore(REASON).unwrap().len(), 2);
    vault.ingest(acme, "on");
    vault.audit_open(acme);
    vault.sweep_and_check();
}

#[test]
fn what_was_erased_since_the_copy_stays_erased() {
    let vault = Closed::new();
    let acme = &vault.acme;
    let (kept, erased) = (vault.ingest(acme, "kept"), vault.ingest(acme, "erased since"));
    let header = vault.session(acme).unwrap().read(erased).unwrap().header().clone();
    let old = vault.database();
    let mut shred = vault.file("shred");
    header.parts.iter().for_each(|part| shred[part.slot as usize * 32..][..32].fill(0));
    vault.put_back("shred", &shred);
    let lost = vault.ingest(acme, "lost");
    let lost = vault.session(acme).unwrap().read(lost).unwrap().header().clone();
    let before = vault.file("shred");
    vault.put_back("vault.db", &old);
    vault.restore();
    assert_eq!(kind(vault.read(acme, erased)), ErrorKind::Erased);
    for n in 0..40 {
        vault.ingest(acme, &n.to_string());
    }
    let now = vault.file("shred");
    assert!(now[..before.len()] == before, "a slot that the lost time used was used again");
    // Nobody names what was lost any more, and a sweep takes it; what was erased is not among what it finds.
    let report = vault.sweep_and_check();
    assert_eq!(report.erased, 1);
    let now = vault.file("shred");
    assert!(lost.parts.iter().all(|part| now[part.slot as usize * 32..][..32] == [0; 32]));
    assert_eq!(kind(vault.read(acme, erased)), ErrorKind::Erased);
    assert_eq!(vault.read(acme, kept).unwrap(), b"kept");
}

#[test]
fn what_the_copy_knows_was_erased_stays_erased_whatever_copy_of_the_secrets_is_put_back() {
    let vault = Closed::new();
    let acme = &vault.acme;
    let [kept, erased, since] = ["kept", "erased", "erased since"].map(|words| vault.ingest(acme, words));
    let (younger, held) = (vault.file("shred"), vault.ingest(acme, "held"));
    let session = vault.session(acme).unwrap();
    session.place_hold(&Hold::new("m", "suit").records([held])).unwrap();
    session.erase([erased, held], "asked").unwrap();
    session.close().unwrap();
    let old = vault.database();
    let session = vault.session(acme).unwrap();
    session.erase([since], "asked").unwrap();
    session.close().unwrap();
    vault.put_back("vault.db", &old);
    vault.restore();
    // The secrets as they are: what was erased since stays so, although nobody knows of it any more.
    assert!([erased, since].iter().all(|id| kind(vault.read(acme, *id)) == ErrorKind::Erased));
    let mut shred = vault.file("shred");
    shred[..younger.len()].copy_from_slice(&younger);
    vault.put_back("shred", &shred);
    vault.put_back("vault.db", &old);
    vault.restore();
    assert_eq!(kind(vault.read(acme, erased)), ErrorKind::Erased);
    // Of this one only the lost entries told.
    assert_eq!(vault.read(acme, since).unwrap(), b"erased since");
    assert_eq!(vault.read(acme, kept).unwrap(), b"kept");
    // What waited for the end of a matter still does.
    let session = vault.session(acme).unwrap();
    assert_eq!(session.deferred_deletions().unwrap().len(), 1);
    session.propose_release("m", "over").unwrap();
    session.close().unwrap();
    let access = Access::new("another", "test");
    let session = vault.open().session(acme.pin.tenant, Arc::clone(&acme.identity), access).unwrap();
    assert_eq!(session.confirm_release("m", "over").unwrap().erased, [held]);
    session.close().unwrap();
    vault.audit_open(acme);
    assert_eq!(vault.sweep_and_check().erased, 2);
}

#[test]
fn only_the_operator_restores_and_only_alone() {
    let vault = Closed::new();
    let acme = &vault.acme;
    let old = vault.database();
    vault.ingest(acme, "one");
    let anchor = vault.file("anchor");
    vault.put_back("vault.db", &old);
    let foreign = || Arc::new(OperatorKey::generate().unwrap());
    assert_eq!(kind(Vault::open_to_restore(&vault.path, foreign())), ErrorKind::WrongKey);
    // One who writes himself into the database has not the keys of its logs.
    let forged = foreign();
    let db = rows(&vault.path);
    let own: Vec<u8> = db.query_row("SELECT operator FROM vault", [], |row| row.get(0)).unwrap();
    let put = |key: &[u8]| db.execute("UPDATE vault SET operator = ?1", [key]).unwrap();
    put(forged.public_key().as_bytes());
    assert_eq!(kind(Vault::open_to_restore(&vault.path, forged)), ErrorKind::WrongKey);
    put(&own);
    drop(db);
    assert_eq!(vault.file("anchor"), anchor);

    let open = vault.open();
    let writing = open.ingestor(&vault.bolt.pin, Arc::clone(&vault.writer)).unwrap();
    writing.ingest(text("x")).unwrap();
    assert_eq!(kind(Vault::open_to_restore(&vault.path, operator())), ErrorKind::Locked);
    drop((writing, open));
    let restoration = Vault::open_to_restore(&vault.path, operator()).unwrap();
    assert_eq!(kind(Vault::open_to_restore(&vault.path, operator())), ErrorKind::Locked);
    assert_eq!(kind(restoration.restore("two\nlines")), ErrorKind::InvalidInput);
    assert_eq!(vault.restore().len(), 1);
}

#[test]
fn a_copy_that_went_another_way_is_no_older_copy() {
    let vault = Closed::new();
    let acme = &vault.acme;
    let old = ["vault.db", "anchor"].map(|name| (name, vault.file(name)));
    vault.ingest(acme, "one way");
    let anchor = vault.file("anchor");
    old.iter().for_each(|(name, bytes)| vault.put_back(name, bytes));
    vault.ingest(acme, "the other way");
    vault.ingest(acme, "and on");
    vault.put_back("anchor", &anchor);
    assert_eq!(kind(vault.try_ingest(acme, "x")), ErrorKind::RolledBack);
    assert!(!vault.open().check().unwrap().is_sound());
    assert_eq!(kind(Vault::open_to_restore(&vault.path, operator())), ErrorKind::Forked);
}

#[test]
fn a_copy_made_while_others_write_is_restored_and_what_they_had_begun_is_concluded() {
    let vault = Closed::new();
    let acme = &vault.acme;
    let copy = vault.path.with_extension("copy");
    let session = vault.session(acme).unwrap();
    rows(&vault.path).execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    session.close().unwrap();
    drop(vault.session(acme).unwrap());
    let writer = Arc::new(WriterKey::generate().unwrap());
    vault.open().enrol_writer(writer.public_key()).unwrap();
    let late = vault.checkpoint(acme);
    for name in ["vault.db-wal", "vault.db-shm"] {
        let _ = fs::remove_file(vault.path.join(name));
    }
    vault.put_back("vault.db", &fs::read(copy).unwrap());
    vault.restore();
    let session = vault.session(acme).unwrap();
    let log = session.log().unwrap();
    let entries = log.entries(0, 10).unwrap().into_iter();
    let messages: Vec<Message> = entries
        .map(|entry| match entry.state {
            State::Open(_, message) => *message,
            other => panic!("{other:?}"),
        })
        .collect();
    let kinds: Vec<String> = messages.iter().map(|message| message.kind.to_string()).collect();
    assert_eq!(kinds, ["restored", "outcome.unknown", "session.opened"]);
    assert_eq!((messages[1].refers, messages[1].details["began-log"].as_str()), (None, origin_of(&late.0).as_str()));
    drop(session);
    // What came since the copy is not there: this writer must be enrolled again.
    let unknown = vault.open().ingestor(&acme.pin, Arc::clone(&writer));
    assert_eq!(kind(unknown), ErrorKind::NotFound);
    assert!(vault.findings(acme, 0, &late).iter().all(|f| matches!(f, AuditFinding::Restored { .. })));
    vault.sweep_and_check();
}

#[test]
fn what_is_written_beside_an_old_database_takes_no_slot_of_the_newer_one() {
    let vault = Closed::new();
    let old = vault.database();
    let lost = vault.ingest(&vault.acme, "after the copy");
    let (newer, shred) = (vault.database(), vault.file("shred"));
    vault.put_back("vault.db", &old);
    // The ledger of bolt is as it was, and goes on.
    let other = vault.ingest(&vault.bolt, "beside the old copy");
    let now = vault.file("shred");
    assert!(now.len() > shred.len() && now[..shred.len()] == shred, "slots were used a second time");
    assert_eq!(vault.read(&vault.bolt, other).unwrap(), b"beside the old copy");

    vault.put_back("vault.db", &newer);
    assert_eq!(vault.read(&vault.acme, lost).unwrap(), b"after the copy");
}
