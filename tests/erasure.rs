//! A record that is erased is gone, and everything else is as it was.

mod common;

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use common::{World, files, noise, rows, text};
use strongroom::*;

#[test]
fn an_erased_record_does_not_open_and_the_others_do_and_ledger_check_and_audit_are_clean() {
    let world = World::new();
    let (draft, who) = (long("erased words"), Identifier::tel("+15722568385").unwrap());
    let ingestor = world.ingestor(&world.bolt);
    let erased = ingestor.ingest(draft.subject(Subject::new(Role::Customer, who.clone()))).unwrap().record;
    let kept = ingestor
        .ingest_batch(vec![long("kept words").subject(Subject::new(Role::Customer, who.clone())), text("short words")])
        .unwrap();
    let session = world.session(&world.bolt);
    let open = session.read(erased).unwrap();
    let before = session.log().unwrap().size();

    let done = session.erase([erased, erased], "asked by letter").unwrap();
    assert_eq!((&done.erased[..], done.already.len(), done.deferred.len()), (&[erased][..], 0, 0));
    let said: Vec<(Kind, u64)> = done.receipts.iter().map(|r| said(&session, r)).collect();
    assert_eq!(said, [(Kind::ErasureAuthorised, before), (Kind::Erased, before + 1)]);
    let message = done.receipts[1].verify(&session.log().unwrap().key()).unwrap();
    assert_eq!((message.refers, message.records), (Some(before), Some(RecordSet::of_ids([erased]))));
    let message = done.receipts[0].verify(&session.log().unwrap().key()).unwrap();
    assert_eq!(message.details["reason"], "asked by letter");

    assert_eq!(session.read(erased).unwrap_err().kind(), ErrorKind::Erased);
    for number in [1, 2] {
        assert_eq!(open.read_part(number).unwrap_err().kind(), ErrorKind::Erased, "one that was open before");
    }
    for ingested in &kept {
        assert!(!session.read(ingested.record).unwrap().read_part(1).unwrap().is_empty());
    }
    assert_eq!(session.read(kept[0].record).unwrap().read_part(2).unwrap(), noise(300_000));
    let listed = session.list(&Listing::by_commit().subject(who)).unwrap().items;
    let states: Vec<bool> = listed.iter().map(|item| item.record.is_ok()).collect();
    assert_eq!(states, [false, true], "a lookup goes past it");
    let found = session
        .search(&Listing::by_commit(), &Pattern::phrase("words").unwrap(), |_| std::ops::ControlFlow::Continue(()));
    assert_eq!(found.unwrap().records.len(), 2);
    let exported = session.export([erased, kept[1].record], world.dir.path().join("bag"), |_| {}).unwrap();
    assert_eq!((exported.records, &exported.erased[..]), (1, &[(erased, None)][..]));

    let again = session.erase([erased], "asked again").unwrap();
    assert_eq!((again.erased.len(), &again.already[..], again.receipts.len()), (0, &[erased][..], 0));
    let report = world.vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.records, report.erased), (3, 1));
    assert!(session.check().unwrap().is_clean());
    drop(ingestor);
    assert_eq!(world.vault.sweep().unwrap(), Swept::default());
    let log = session.log().unwrap();
    let audit = Auditor::new(log.key()).audit(&log).unwrap();
    assert!(audit.is_clean(), "{audit}");
    assert_eq!((audit.records, audit.erased, audit.kinds["erased"]), (Some(3), 1, 1));
    assert!(audit.to_string().contains("1 records were erased."), "{audit}");
}

#[test]
fn what_is_left_of_an_erased_record_on_the_disk_is_its_header() {
    let world = World::new();
    let erased = world.ingestor(&world.acme).ingest(long("words")).unwrap().record;
    let kept = world.ingestor(&world.acme).ingest(long("words")).unwrap().record;
    let session = world.session(&world.acme);
    let header = session.read(erased).unwrap().header().clone();
    let object = |record: RecordId| files(&world.path().join("objects")).iter().any(|path| named(path, record));
    assert!(object(erased) && object(kept));
    session.erase([erased], "x").unwrap();
    assert!(!object(erased) && object(kept));
    let shred = fs::read(world.path().join("shred")).unwrap();
    assert!(header.parts.iter().all(|part| shred[part.slot as usize * 32..][..32] == [0; 32]));
    let db = rows(&world.path());
    let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let own = format!("(SELECT n FROM records WHERE hex(id) = '{}')", hex(erased));
    assert_eq!(count(&format!("SELECT count(*) FROM parts WHERE at >> 16 = {own}")), 0);
    assert_eq!(count(&format!("SELECT length(head) FROM records WHERE n = {own}")), 0);
    assert_eq!(count(&format!("SELECT length(header) FROM records WHERE n = {own}")) as usize, header.to_bytes().len());
}

#[test]
fn nothing_is_erased_if_one_of_the_records_is_not_the_tenants() {
    let world = World::new();
    let own = world.ingestor(&world.acme).ingest(text("own")).unwrap().record;
    let foreign = world.ingestor(&world.bolt).ingest(text("foreign")).unwrap().record;
    let session = world.session(&world.acme);
    for other in [foreign, RecordId::generate().unwrap()] {
        assert_eq!(session.erase([own, other], "x").unwrap_err().kind(), ErrorKind::NotFound);
    }
    for reason in ["", "a\nb"] {
        assert_eq!(session.erase([own], reason).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(session.read(own).unwrap().read_part(1).unwrap(), b"own");
    assert_eq!(world.session(&world.bolt).read(foreign).unwrap().read_part(1).unwrap(), b"foreign");
    assert!(session.erase([], "nothing").unwrap().receipts.is_empty());
}

#[test]
fn an_erased_record_does_not_come_back_under_its_idempotency_key() {
    let world = World::new();
    let draft = |words| text(words).idempotency_key("pbx-7/000123");
    let erased = world.ingestor(&world.acme).ingest(draft("words")).unwrap().record;
    let kept = world.ingestor(&world.acme).ingest(text("words").idempotency_key("pbx-7/000124")).unwrap().record;
    world.session(&world.acme).erase([erased], "x").unwrap();
    let ingestor = world.ingestor(&world.acme);
    for words in ["words", "other words"] {
        let ingested = ingestor.ingest_batch(vec![draft(words), text("new")]).unwrap();
        assert_eq!((ingested[0].record, ingested[0].duplicate), (erased, true));
        assert!(!ingested[1].duplicate);
    }
    let conflict = ingestor.ingest(text("other words").idempotency_key("pbx-7/000124")).unwrap_err();
    assert_eq!(conflict.kind(), ErrorKind::IdempotencyConflict, "of one that is there, as before");
    let session = world.session(&world.acme);
    assert_eq!(session.read(erased).unwrap_err().kind(), ErrorKind::Erased);
    assert_eq!(session.read(kept).unwrap().read_part(1).unwrap(), b"words");
    let left: i64 = rows(&world.path())
        .query_row("SELECT count(*) FROM idempotency WHERE content IS NOT NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 1, "what was in it can be guessed by no one");
}

#[test]
fn many_records_are_erased_by_few_entries() {
    let world = World::new();
    let ingestor = world.ingestor(&world.acme);
    let all: Vec<RecordId> = (0..5)
        .flat_map(|_| ingestor.ingest_batch((0..1000).map(|_| text("x")).collect()).unwrap())
        .map(|ingested| ingested.record)
        .collect();
    let kept = ingestor.ingest(text("kept")).unwrap().record;
    let session = world.session(&world.acme);
    let done = session.erase(all.iter().copied(), "retention").unwrap();
    assert_eq!((done.erased.len(), done.receipts.len()), (5000, 4));
    assert!(all.iter().all(|id| session.read(*id).is_err_and(|e| e.kind() == ErrorKind::Erased)));
    assert_eq!(session.read(kept).unwrap().read_part(1).unwrap(), b"kept");
    let log = session.log().unwrap();
    let audit = Auditor::new(log.key()).audit(&log).unwrap();
    assert!(audit.is_clean() && audit.erased == 5000, "{audit}");
}

#[test]
fn an_old_copy_of_the_shred_file_brings_nothing_back() {
    let world = World::new();
    let (path, shred) = (world.path(), world.path().join("shred"));
    let ingestor = world.ingestor(&world.acme);
    let all: Vec<RecordId> = (0..3).map(|n| ingestor.ingest(long(&n.to_string())).unwrap().record).collect();
    let objects: Vec<_> = files(&path.join("objects")).into_iter().map(|p| (p.clone(), fs::read(p).unwrap())).collect();
    let old = fs::read(&shred).unwrap();
    let session = world.session(&world.acme);
    session.erase([all[0]], "first").unwrap();
    session.erase([all[1]], "second").unwrap();
    drop((session, ingestor));
    let World { dir: _dir, vault, acme, .. } = world;
    drop(vault);

    let put_back = || {
        let mut now = fs::read(&shred).unwrap();
        now[..old.len()].copy_from_slice(&old);
        fs::write(&shred, now).unwrap();
    };
    put_back();
    let report = Vault::open_to_check(&path).unwrap().check().unwrap();
    let found: Vec<_> = report.findings.iter().map(|finding| (finding.kind, finding.record)).collect();
    // The secrets of entries' slots that were not used are there as well.
    assert!(
        report.is_sound() && all[..2].iter().all(|id| found.contains(&(FindingKind::Leftover, Some(*id)))),
        "{report}"
    );
    let gone = |vault: &Vault| {
        let session = acme.session(vault);
        assert!(all[..2].iter().all(|id| session.read(*id).is_err_and(|e| e.kind() == ErrorKind::Erased)));
        assert_eq!(session.read(all[2]).unwrap().read_part(1).unwrap(), b"2");
    };
    // It is enough to open the vault.
    let vault = Vault::open(&path, common::operator()).unwrap();
    gone(&vault);
    drop(vault);
    // Or to sweep it, without a key, and the old objects with it.
    put_back();
    objects.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    let swept = Vault::open_to_check(&path).unwrap().sweep().unwrap();
    assert_eq!((swept.erased, swept.objects), (2, 2));
    let vault = Vault::open(&path, common::operator()).unwrap();
    gone(&vault);
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
    // An old file that ends before what was erased last has what was erased before.
    let late = vault.ingestor(&acme.pin, Arc::clone(&world.writer)).unwrap();
    let late = late.ingest_batch((0..200).map(|_| text("late")).collect()).unwrap().pop().unwrap().record;
    acme.session(&vault).erase([late], "third").unwrap();
    drop(vault);
    fs::write(&shred, &old).unwrap();
    let vault = Vault::open(&path, common::operator()).unwrap();
    gone(&vault);
}

#[test]
fn an_erasure_that_was_changed_on_the_disk_is_found_by_an_audit() {
    let world = World::new();
    let ingestor = world.ingestor(&world.acme);
    let [a, b] = ["a", "b"].map(|words| ingestor.ingest(text(words)).unwrap().record);
    let session = world.session(&world.acme);
    let entry = session.erase([a, b], "x").unwrap().receipts[0].seq();
    let deleted = rows(&world.path()).execute("DELETE FROM erasures WHERE record = 1", []).unwrap();
    assert_eq!(deleted, 1);
    let log = session.log().unwrap();
    let audit = Auditor::new(log.key()).audit(&log).unwrap();
    assert_eq!(audit.findings, [AuditFinding::ErasureAltered(entry)]);
}

#[test]
fn records_are_erased_by_several_threads_at_once_each_once() {
    let world = World::new();
    let ingestor = world.ingestor(&world.acme);
    let all: Vec<RecordId> = (0..40).map(|_| ingestor.ingest(long("x")).unwrap().record).collect();
    let session = world.session(&world.acme);
    let done: Vec<Erased> = std::thread::scope(|scope| {
        let erase = |n: usize| {
            let (session, all) = (&session, &all);
            scope.spawn(move || {
                let mut ids = all.clone();
                ids.rotate_left(n * 10);
                ids.iter().map(|id| session.erase([*id], "x").unwrap()).collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..4).map(erase).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let erased: usize = done.iter().map(|done| done.erased.len()).sum();
    assert_eq!(erased, 40);
    assert_eq!(done.iter().map(|done| done.already.len()).sum::<usize>(), 120);
    assert!(all.iter().all(|id| session.read(*id).is_err_and(|e| e.kind() == ErrorKind::Erased)));
    let log = session.log().unwrap();
    let audit = Auditor::new(log.key()).audit(&log).unwrap();
    assert!(audit.is_clean() && (audit.kinds["erasure.authorised"], audit.kinds["erased"]) == (40, 40), "{audit}");
    let report = world.vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

/// A record with a part in the database and one outside it.
fn long(words: &str) -> Draft<'static> {
    text(words).part(PartKind::Audio, "audio/x-unknown", Cursor::new(noise(300_000)))
}

fn said(session: &TenantSession, receipt: &Receipt) -> (Kind, u64) {
    let message = receipt.verify(&session.log().unwrap().key()).unwrap();
    (message.kind, message.seq)
}

fn hex(record: RecordId) -> String {
    record.to_string().replace('-', "").to_uppercase()
}

fn named(path: &Path, record: RecordId) -> bool {
    path.file_name().unwrap().to_str().unwrap().starts_with(&hex(record).to_lowercase())
}
