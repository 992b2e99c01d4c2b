//! A ledger's export before somebody who has nothing but its files, the log's key, and what he kept from before.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use common::{World, operator, text};
use strongroom::tlog::{Policy, SignedCheckpoint};
use strongroom::*;

const DAY: Duration = Duration::from_secs(86_400);

/// A ledger of two tiles and a rest, and its export.
struct Exported {
    world: World,
    log: PublicKey,
    pinned: SignedCheckpoint,
    folder: PathBuf,
}

impl Exported {
    fn new(entries: usize) -> Self {
        let world = World::new();
        let ingestor = world.ingestor(&world.acme);
        (0..entries).for_each(|n| drop(ingestor.ingest(text(&n.to_string())).unwrap()));
        drop(ingestor);
        let log = world.vault.log_key(world.acme.pin.tenant).unwrap();
        let pinned = world.vault.checkpoint(world.acme.pin.tenant).unwrap();
        let folder = world.dir.path().join("export");
        let session = world.session(&world.acme);
        let stored = session.log().unwrap();
        let last = stored.size() - 1;
        stored.export(&folder, &[0, last / 2, last]).unwrap();
        drop(session);
        Self { world, log, pinned, folder }
    }

    fn auditor(&self) -> Auditor {
        Auditor::new(self.log).pinned(self.pinned.clone()).unwrap()
    }

    fn audit(&self) -> AuditReport {
        self.auditor().audit_export(&self.folder).unwrap()
    }

    /// What an audit says of a copy in which something was changed.
    fn changed(&self, change: impl FnOnce(&Path)) -> AuditReport {
        let twin = tempfile::tempdir().unwrap();
        copy(&self.folder, twin.path());
        change(twin.path());
        self.auditor().audit_export(twin.path()).unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    for file in common::files(from) {
        let path = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(&file, &path).unwrap();
    }
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// The messages, of which `change` makes others.
fn edit_lines(folder: &Path, change: impl FnOnce(&mut Vec<String>)) {
    edit(&folder.join("messages.jsonl"), |bytes| {
        let mut lines = String::from_utf8(std::mem::take(bytes)).unwrap().lines().map(str::to_owned).collect();
        change(&mut lines);
        *bytes = lines.into_iter().flat_map(|line| (line + "\n").into_bytes()).collect();
    });
}

fn file(name: &str) -> AuditFinding {
    AuditFinding::File(name.to_owned())
}

#[test]
fn an_export_says_without_the_vault_what_the_ledger_says_with_it() {
    let exported = Exported::new(600);
    let report = exported.audit();
    assert!(report.is_clean(), "{report}");
    let session = exported.world.session(&exported.world.acme);
    let log = session.log().unwrap();
    let inside = exported.auditor().audit(&log).unwrap();
    assert!(inside.is_clean(), "{inside}");
    // Two entries came since: the session that exported was closed, and this one was opened.
    assert_eq!(report.opened + 2, inside.opened);
    assert_eq!((report.kinds["ingested"], inside.kinds["ingested"]), (600, 600));
    assert_eq!(report.checkpoint.as_ref().unwrap().size, log.size() - 2);
    assert_eq!((report.pinned, report.records, report.missing), (inside.pinned, None, 0));
    assert_eq!(report.period.unwrap().0, inside.period.unwrap().0);
    assert!(report.cannot_know().iter().any(|limit| limit.contains("the stored records")), "{report}");
    // Another page beside it is none of its business, and an empty folder is no export.
    assert!(exported.changed(|twin| fs::write(twin.join("ledger.html"), "<p>").unwrap()).is_clean());
    let nothing = exported.auditor().audit_export(exported.world.dir.path()).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::NotFound);
}

#[test]
fn every_file_of_an_export_that_is_changed_cut_grown_or_gone_is_found() {
    let exported = Exported::new(258);
    assert!(exported.audit().is_clean());
    let files = common::files(&exported.folder);
    assert!(files.len() > 20, "{files:?}");
    for path in files {
        let name = path.strip_prefix(&exported.folder).unwrap().to_owned();
        let len = fs::metadata(&path).unwrap().len() as usize;
        type Change = Box<dyn Fn(&Path)>;
        let change = |act: fn(&mut Vec<u8>, usize), at| -> Change { Box::new(move |path| edit(path, |b| act(b, at))) };
        let flip = |bytes: &mut Vec<u8>, at: usize| bytes[at] ^= 1;
        let mut changes: Vec<(String, Change)> = vec![
            ("cut".into(), change(|bytes, at| bytes.truncate(at), len - 1)),
            ("emptied".into(), change(|bytes, _| bytes.clear(), 0)),
            ("grown".into(), change(|bytes, _| bytes.push(b'\n'), 0)),
        ];
        for at in [0, len / 2, len - 1] {
            changes.push((format!("changed at {at}"), change(flip, at)));
        }
        // A checkpoint that is gone or no text is no export at all.
        if name != Path::new("checkpoint") {
            changes.push(("gone".into(), Box::new(|path| fs::remove_file(path).unwrap())));
            changes.push((
                "a folder".into(),
                Box::new(|path| fs::remove_file(path).and_then(|()| fs::create_dir(path)).unwrap()),
            ));
        }
        for (what, change) in changes {
            let report = exported.changed(|twin| change(&twin.join(&name)));
            assert!(!report.is_clean(), "{} {what}: {report}", name.display());
        }
    }
}

#[test]
fn whatever_is_done_to_an_export_an_audit_says_what_it_was() {
    let exported = Exported::new(258);
    let size = exported.audit().checkpoint.unwrap().size;
    let findings = |change: &dyn Fn(&Path)| exported.changed(change).findings;
    let lines = |change: fn(&mut Vec<String>)| move |twin: &Path| edit_lines(twin, change);

    // Messages.
    let altered = findings(&lines(|lines| lines[3] = lines[3].replace("ingested", "ingestad")));
    assert_eq!(altered, [AuditFinding::Altered(3)]);
    assert_eq!(findings(&lines(|lines| lines[3] = "x".repeat(300_000))), [AuditFinding::Altered(3)]);
    assert_eq!(findings(&lines(|lines| lines.swap(4, 5))), [AuditFinding::Altered(4), AuditFinding::Altered(5)]);
    assert_eq!(findings(&lines(|lines| drop(lines.pop()))), [file("messages.jsonl")]);
    assert_eq!(findings(&lines(|lines| lines.push("{}".into()))), [file("messages.jsonl")]);
    let shifted = findings(&lines(|lines| drop(lines.remove(255))));
    assert_eq!(shifted[0], AuditFinding::Altered(255));
    assert!(shifted.contains(&file("messages.jsonl")));
    let blank = exported.changed(lines(|lines| lines[3].clear()));
    assert!(blank.is_clean() && blank.missing == 1, "as of one that was shredded: {blank}");
    assert!(blank.cannot_know().iter().any(|limit| limit.contains("1 entries without a message")), "{blank}");

    // Entries.
    let bundle = |twin: &Path| twin.join("tile/entries/000");
    let leaf = findings(&|twin| edit(&bundle(twin), |bytes| bytes[130 * 7 + 60] ^= 1));
    let expected = [
        AuditFinding::BadSignature(7),
        file("tile/0/000"),
        file("tile/1/000.p/1"),
        AuditFinding::Forked(exported.pinned.checkpoint().size),
        AuditFinding::Rewritten,
    ];
    assert!(expected.iter().all(|finding| leaf.contains(finding)), "{leaf:?}");
    let checksum = findings(&|twin| edit(&bundle(twin), |bytes| bytes[130 * 7 + 2] ^= 1));
    assert!(checksum.contains(&AuditFinding::Altered(7)) && checksum.contains(&AuditFinding::BadSignature(7)));
    let swapped = findings(&|twin| {
        edit(&bundle(twin), |bytes| bytes[..].as_chunks_mut::<130>().0.swap(4, 5));
        edit_lines(twin, |lines| lines.swap(4, 5));
    });
    assert_eq!(swapped[..2], [AuditFinding::Reordered(4), AuditFinding::Reordered(5)]);
    assert!(swapped.contains(&AuditFinding::Rewritten));
    let cut = findings(&|twin| fs::remove_dir_all(twin.join("tile/entries/001.p")).unwrap());
    assert!(cut.contains(&AuditFinding::Truncated(256)), "{cut:?}");
    assert!(cut.contains(&AuditFinding::RolledBack(exported.pinned.checkpoint().size)), "{cut:?}");

    // Tiles, keys, what is said of the log.
    assert_eq!(findings(&|twin| fs::remove_file(twin.join("tile/0/000")).unwrap()), [file("tile/0/000")]);
    let named = |twin: &Path| fs::write(twin.join("keys/a.pub"), "no key\n").unwrap();
    assert_eq!(findings(&named), [file("keys/a.pub")]);
    let nobody = findings(&|twin| fs::remove_dir_all(twin.join("keys")).unwrap());
    assert_eq!(nobody.iter().filter(|f| matches!(f, AuditFinding::UnknownActor(_))).count() as u64, size);
    let policy = Policy::new(&operator().public_key(), []).unwrap().to_c2sp();
    assert_eq!(findings(&|twin| fs::write(twin.join("policy.c2sp"), &policy).unwrap()), [file("policy.c2sp")]);

    // Receipts.
    let receipt = |seq: u64, ending: &str| format!("receipts/{seq:08}.{ending}");
    let other = |twin: &Path| {
        fs::copy(twin.join(receipt(0, "json")), twin.join(receipt(size - 1, "json"))).unwrap();
    };
    assert_eq!(findings(&other), [file(&receipt(size - 1, "json"))]);
    let proof = |twin: &Path| {
        fs::copy(twin.join(receipt(0, "tlog-proof")), twin.join(receipt(size - 1, "tlog-proof"))).unwrap();
    };
    assert_eq!(findings(&proof), [file(&receipt(size - 1, "tlog-proof"))]);
    let stray = |twin: &Path| fs::write(twin.join("receipts/7.json"), "").unwrap();
    assert_eq!(findings(&stray), [file("receipts/7.json")]);

    // Another's log altogether.
    let stranger = Auditor::new(exported.world.vault.log_key(exported.world.bolt.pin.tenant).unwrap());
    let report = stranger.audit_export(&exported.folder).unwrap();
    assert!(
        report.findings.contains(&AuditFinding::Resigned) && report.findings.contains(&file("log.pub")),
        "{report}"
    );
}

#[test]
fn a_head_that_was_kept_or_stands_in_a_receipt_shows_an_older_export_and_another_history() {
    let exported = Exported::new(3);
    let (tenant, identity) = (exported.world.acme.pin.tenant, Arc::clone(&exported.world.acme.identity));
    let export = |vault: &Vault, to: &Path| {
        let session = vault.session(tenant, Arc::clone(&identity), Access::new("t", "t")).unwrap();
        let log = session.log().unwrap();
        log.export(to, &[log.size() - 1]).unwrap();
        log.checkpoint().unwrap()
    };
    let World { dir, vault, .. } = exported.world;
    drop(vault);
    let path = dir.path().join("my.vault");
    let old: Vec<_> = common::files(&path).into_iter().map(|f| (fs::read(&f).unwrap(), f)).collect();
    let [here, there] = ["here", "there"].map(|name| dir.path().join(name));
    let newest = export(&Vault::open(&path, operator()).unwrap(), &here);
    // Put back, anchor and all, and gone on otherwise.
    ["vault.db-wal", "vault.db-shm"].into_iter().for_each(|name| drop(fs::remove_file(path.join(name))));
    old.iter().for_each(|(bytes, file)| fs::write(file, bytes).unwrap());
    let other = export(&Vault::open(&path, operator()).unwrap(), &there);
    assert_eq!(newest.checkpoint().size, other.checkpoint().size);

    let audit = |pinned: &SignedCheckpoint, folder: &Path| {
        Auditor::new(exported.log).pinned(pinned.clone()).unwrap().audit_export(folder).unwrap().findings
    };
    let size = newest.checkpoint().size;
    assert_eq!(audit(&newest, &here), []);
    assert_eq!(audit(&newest, &there), [AuditFinding::Forked(size)]);
    assert_eq!(audit(&newest, &exported.folder), [AuditFinding::RolledBack(size)]);
    // A receipt from elsewhere, put beside them.
    let receipt = |from: &Path, to: &Path| {
        for ending in ["json", "tlog-proof", "sigsum-proof"] {
            let name = format!("receipts/{:08}.{ending}", size - 1);
            fs::copy(from.join(&name), to.join(&name)).unwrap();
        }
    };
    receipt(&here, &exported.folder);
    assert_eq!(audit(&exported.pinned, &exported.folder), [AuditFinding::RolledBack(size)]);
    receipt(&here, &there);
    let found = audit(&exported.pinned, &there);
    assert_eq!(found, [file(&format!("receipts/{:08}.json", size - 1))], "the entry is another's");
}

#[test]
fn what_others_signed_is_in_the_export_and_can_be_demanded_of_it() {
    let exported = Exported::new(3);
    let (world, clock) = (&exported.world, ClockKey::generate().unwrap());
    let verifier = clock.verifier().unwrap();
    let policy = Policy::new(&exported.log, [verifier.clone()]).unwrap().quorum(1).unwrap();
    world.vault.cosign(&clock).unwrap();
    let session = world.session(&world.acme);
    let log = session.log().unwrap().witnessed(policy.clone()).unwrap();
    let folder = world.dir.path().join("witnessed");
    log.export(&folder, &[0]).unwrap();
    let auditor = |age| {
        let auditor = exported.auditor().clock(verifier.clone(), age);
        auditor.witnesses(policy.clone(), age).unwrap()
    };
    let report = auditor(DAY).audit_export(&folder).unwrap();
    assert!(report.is_clean() && report.clock.is_some() && report.witnessed == report.clock, "{report}");
    let report = auditor(DAY).audit_export(&exported.folder).unwrap();
    assert_eq!(report.findings, [AuditFinding::Stale, AuditFinding::Unwitnessed]);
    std::thread::sleep(Duration::from_millis(1100));
    let report = auditor(Duration::from_millis(1)).audit_export(&folder).unwrap();
    assert_eq!(report.findings, [AuditFinding::Stale, AuditFinding::Unwitnessed]);
    // A line that somebody changed is as good as none.
    let line = verifier.name().to_owned();
    edit(&folder.join("checkpoint"), |bytes| {
        let text = String::from_utf8(std::mem::take(bytes)).unwrap();
        *bytes = text.replace(&format!("{line} "), &format!("{line}0 ")).into_bytes();
    });
    fs::remove_dir_all(folder.join("receipts")).unwrap();
    let report = auditor(DAY).audit_export(&folder).unwrap();
    assert_eq!(report.findings, [AuditFinding::Stale, AuditFinding::Unwitnessed]);
}
