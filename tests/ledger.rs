//! The ledger as its tenant sees it, and as somebody with the database in his hands can change it.

mod common;

use std::fs;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use common::{Owner, World, operator, rows, text};
use strongroom::tlog::SignedCheckpoint;
use strongroom::*;

fn audit(session: &TenantSession, pinned: Option<&SignedCheckpoint>) -> AuditReport {
    let log = session.log().unwrap();
    let auditor = Auditor::new(log.key());
    let auditor = match pinned {
        Some(pinned) => auditor.pinned(pinned.clone()).unwrap(),
        None => auditor,
    };
    auditor.audit(&log).unwrap()
}

fn kinds(session: &TenantSession) -> Vec<String> {
    let log = session.log().unwrap();
    let entries = log.entries(0, 1000).unwrap();
    entries
        .into_iter()
        .map(|entry| match entry.state {
            State::Open(_, message) => message.kind.to_string(),
            other => format!("{other:?}"),
        })
        .collect()
}

#[test]
fn every_act_has_its_entry_and_every_receipt_verifies_with_the_logs_key_alone() {
    let world = World::new();
    let ingestor = world.ingestor(&world.acme);
    let key = world.vault.log_key(world.acme.pin.tenant).unwrap();
    let first = ingestor.ingest(text("one").idempotency_key("1")).unwrap();
    let again = ingestor.ingest(text("one").idempotency_key("1")).unwrap();
    assert!(again.duplicate && again.receipt.is_none());
    let batch = ingestor.ingest_batch((0..3).map(|n| text(&n.to_string())).collect()).unwrap();
    let receipt = batch[2].receipt.clone().unwrap();
    let message = receipt.verify(&key).unwrap();
    assert_eq!((message.kind, message.records.unwrap().count), (Kind::Ingested, 3));
    assert_eq!(receipt.actor(), world.writer.public_key());
    let other = world.vault.log_key(world.bolt.pin.tenant).unwrap();
    assert_eq!(receipt.verify(&other).unwrap_err().kind(), ErrorKind::Tampered);

    let access = Access::new("louis", "quality review").basis("contract 7");
    let session = world.vault.session(world.acme.pin.tenant, Arc::clone(&world.acme.identity), access).unwrap();
    session.read(first.record).unwrap();
    session.read(first.record).unwrap();
    let closed = session.close().unwrap();
    let message = closed.verify(&key).unwrap();
    assert_eq!(message.records, Some(RecordSet::of_ids([first.record])));
    assert_eq!((message.actor.as_str(), message.basis.as_deref()), ("louis", Some("contract 7")));
    assert_eq!(closed.actor(), world.acme.identity.public_key(), "the tenant signs for itself");

    let session = world.session(&world.acme);
    let expected = ["log.opened", "writer.enrolled", "ingested", "ingested", "session.opened", "session.closed"];
    assert_eq!(kinds(&session)[..6], expected);
    let report = audit(&session, None);
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.records, report.opened, report.unconcluded), (Some(4), 7, vec![6]));
    for seq in 0..7 {
        session.log().unwrap().receipt(seq).unwrap().verify(&key).unwrap();
    }
    assert!(world.vault.check().unwrap().is_clean());
}

#[test]
fn a_receipt_in_a_programs_own_log_is_one_line_that_names_nobody() {
    let world = World::new();
    let access = Access::new("louis@acme.example", "quality review of a complaint");
    let session = world.vault.session(world.acme.pin.tenant, Arc::clone(&world.acme.identity), access).unwrap();
    let receipt = session.close().unwrap();
    let printed = format!("{receipt:?} {:?}", receipt.proof());
    assert!(printed.contains(&format!("entry {}", receipt.seq())) && printed.len() < 600, "{printed}");
    let in_numbers = format!("{:?}", b"louis");
    assert!(!printed.contains("louis") && !printed.contains(in_numbers.trim_matches(['[', ']'])), "{printed}");
}

#[test]
fn with_each_read_the_entry_comes_before_the_record() {
    let world = World::new();
    let id = world.ingestor(&world.acme).ingest(text("one")).unwrap().record;
    let access = Access::new("louis", "quality review").each_read();
    let session = world.vault.session(world.acme.pin.tenant, Arc::clone(&world.acme.identity), access).unwrap();
    session.read(id).unwrap();
    session.list(&Listing::newest()).unwrap();
    assert_eq!(kinds(&session)[3..], ["session.opened", "read", "read"]);
    assert!(audit(&session, None).is_clean());
}

#[test]
fn a_session_whose_process_died_is_concluded_by_the_next() {
    const NAME: &str = "a_session_whose_process_died_is_concluded_by_the_next";
    if let Some(path) = std::env::var_os("STRONGROOM_TEST_VAULT") {
        let vault = Vault::open(path, operator()).unwrap();
        let identity: Identity = std::env::var("STRONGROOM_TEST_IDENTITY").unwrap().parse().unwrap();
        let tenant = vault.tenant_named("acme").unwrap().id;
        std::mem::forget(vault.session(tenant, identity, Access::new("dying", "test")).unwrap());
        std::process::abort();
    }
    let world = World::new();
    let mut child = common::myself(NAME);
    child.env("STRONGROOM_TEST_VAULT", world.path());
    child.env("STRONGROOM_TEST_IDENTITY", world.acme.identity.expose_secret().as_str());
    assert!(!child.output().unwrap().status.success());
    let report = world.vault.check().unwrap();
    assert!(report.is_sound() && !report.is_clean(), "{report}");
    let vault = Vault::open(world.path(), operator()).unwrap();
    let session = world.acme.session(&vault);
    assert_eq!(kinds(&session), ["log.opened", "session.opened", "outcome.unknown", "session.opened"]);
    let report = audit(&session, None);
    assert!(report.is_clean() && report.unconcluded == [3], "{report}");
}

#[test]
fn keys_rotate_while_a_process_ingests_and_everything_still_opens() {
    let world = World::new();
    let (vault, owner) = (&world.vault, &world.acme);
    let tenant = owner.pin.tenant;
    let ingestor = world.ingestor(owner);
    let old = ingestor.ingest(text("under the old card")).unwrap().record;

    let next = Arc::new(Identity::generate().unwrap());
    let (card, policy) = vault.next_card(tenant, &owner.identity, &next).unwrap();
    vault.change_card(&card, &policy).unwrap();
    assert!(vault.change_card(&card, &policy).is_err(), "it is in force already");
    let new = ingestor.ingest(text("under the new card")).unwrap().record;
    world.ingestor(owner).ingest(text("with the old pin")).unwrap();

    let custodians = (0..3).map(|_| (&Identity::generate().unwrap()).into()).collect();
    let quorum = policy.successor(&card, 2, custodians, &next).unwrap();
    vault.change_policy(&quorum).unwrap();
    ingestor.ingest(text("under the new policy")).unwrap();
    vault.rotate_log(tenant).unwrap();
    ingestor.ingest(text("in the new log")).unwrap();

    let stale = vault.session(tenant, Arc::clone(&owner.identity), Access::new("t", "t"));
    assert_eq!(stale.unwrap_err().kind(), ErrorKind::WrongKey);
    let session = vault.session(tenant, Arc::clone(&next), Access::new("t", "t")).unwrap();
    assert_eq!(session.read(old).unwrap_err().kind(), ErrorKind::WrongKey);
    assert_eq!(session.read(new).unwrap().read_part(1).unwrap(), b"under the new card");
    drop(session);
    let session = vault.session(tenant, next, Access::new("t", "t")).unwrap();
    let session = session.with_former(Arc::clone(&owner.identity));
    assert_eq!(session.read(old).unwrap().read_part(1).unwrap(), b"under the old card");
    let logs = session.logs().unwrap();
    assert_eq!(logs.iter().map(|log| log.generation()).collect::<Vec<_>>(), [1, 2]);
    for log in &logs {
        let report = Auditor::new(log.key()).audit(log).unwrap();
        assert!(report.is_clean(), "{log:?}: {report}");
    }
    // Each names the other.
    let message = |log: &TenantLog<'_>, seq| match log.entries(seq, 1).unwrap().remove(0).state {
        State::Open(_, message) => message,
        other => panic!("{other:?}"),
    };
    let (last, first) = (message(&logs[0], logs[0].size() - 1), message(&logs[1], 0));
    assert_eq!((last.kind, first.kind), (Kind::LogClosed, Kind::LogOpened));
    assert_eq!(last.details["successor"], first.log);
    assert_eq!(first.details["predecessor"], last.log);
    assert_eq!(first.details["predecessor-size"], logs[0].size().to_string());
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_session_that_outlives_its_log_concludes_no_entry_of_the_next() {
    let world = World::new();
    let outer = world.session(&world.acme);
    world.vault.rotate_log(world.acme.pin.tenant).unwrap();
    // At the same number in the new log as the outer one in the old.
    let inner = world.session(&world.acme);
    let (began, log) = (outer.receipt().unwrap().seq(), outer.receipt().unwrap().log());
    assert_eq!(inner.receipt().unwrap().seq(), began);
    let closed = outer.close().unwrap();
    let message = closed.verify(&world.vault.log_key(world.acme.pin.tenant).unwrap()).unwrap();
    assert_eq!((message.refers, message.details["began-entry"].clone()), (None, began.to_string()));
    assert_eq!(message.details["began-log"], strongroom::tlog::origin_of(&log));
    let report = audit(&inner, None);
    assert!(report.is_clean() && report.unconcluded == [began], "{report}");
}

#[test]
fn a_retired_writer_can_commit_nothing_more() {
    let world = World::new();
    let ingestor = world.ingestor(&world.acme);
    ingestor.ingest(text("before")).unwrap();
    world.vault.retire_writer(world.writer.public_key()).unwrap();
    assert_eq!(ingestor.ingest(text("after")).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(world.vault.retire_writer(world.writer.public_key()).unwrap_err().kind(), ErrorKind::NotFound);
    drop(ingestor);
    let session = world.session(&world.acme);
    assert!(kinds(&session).contains(&"writer.retired".to_owned()));
    let report = audit(&session, None);
    assert!(report.is_clean(), "{report}");
    assert!(world.vault.check().unwrap().is_clean());
}

/// What somebody who can write the database does, and what an audit with a checkpoint from before finds.
#[test]
fn whatever_is_changed_in_the_database_an_audit_says_what_it_was() {
    type Change = fn(&rusqlite::Connection);
    type Case = (&'static str, Change, fn(&AuditFinding) -> bool);
    let changes: [Case; 9] = [
        (
            "truncated",
            |db| run(db, "DELETE FROM entries WHERE at & 1099511627775 >= 3 AND at >> 40 = 1"),
            |f| matches!(f, AuditFinding::RolledBack(_)),
        ),
        (
            "an entry removed",
            |db| run(db, "DELETE FROM entries WHERE at = (1 << 40) + 3"),
            |f| matches!(f, AuditFinding::Truncated(3)),
        ),
        (
            "a message rewritten",
            |db| run(db, "UPDATE entries SET message = zeroblob(1100) WHERE at = (1 << 40) + 3"),
            |f| matches!(f, AuditFinding::Unreadable(3)),
        ),
        (
            "messages exchanged",
            |db| {
                run(db, "UPDATE entries SET (message, epoch, chain, slot) = (SELECT message, epoch, chain, slot FROM entries
                    WHERE at = (1 << 40) + 2) WHERE at = (1 << 40) + 3");
            },
            |f| matches!(f, AuditFinding::Unreadable(3)),
        ),
        (
            "a leaf changed",
            |db| run(db, "UPDATE entries SET leaf = zeroblob(128) WHERE at = (1 << 40) + 3"),
            |f| matches!(f, AuditFinding::Forked(_)),
        ),
        (
            "the head's signature removed",
            |db| run(db, "UPDATE entries SET note = NULL"),
            |f| matches!(f, AuditFinding::Resigned),
        ),
        (
            "signed by another",
            |db| run(db, "UPDATE entries SET note = zeroblob(64) WHERE note IS NOT NULL"),
            |f| matches!(f, AuditFinding::Rewritten),
        ),
        (
            "a record removed",
            |db| run(db, "DELETE FROM records WHERE n = 2"),
            |f| matches!(f, AuditFinding::RecordsMissing(3)),
        ),
        (
            "a record told elsewhere",
            |db| run(db, "UPDATE records SET entry = (1 << 40) + 1 WHERE n = 2"),
            |f| matches!(f, AuditFinding::RecordUntold(_)),
        ),
    ];
    let world = World::new();
    let ingestor = world.ingestor(&world.acme);
    (0..5).for_each(|n| drop(ingestor.ingest(text(&n.to_string())).unwrap()));
    drop(ingestor);
    let pinned = world.vault.checkpoint(world.acme.pin.tenant).unwrap();
    let session = world.session(&world.acme);
    assert!(audit(&session, Some(&pinned)).is_clean());
    let db = rows(&world.path());
    db.pragma_update(None, "foreign_keys", false).unwrap();
    snapshot(&db);
    for (what, change, expected) in changes {
        change(&db);
        let report = audit(&session, Some(&pinned));
        assert!(report.findings.iter().any(expected), "{what}: {report}");
        // Which entry tells of a record, only the tenant can see.
        let keyless = what != "a record told elsewhere";
        assert_eq!(world.vault.check().unwrap().is_clean(), !keyless, "{what}");
        restore(&db);
        let report = audit(&session, Some(&pinned));
        assert!(report.is_clean(), "{what}, put back: {report}");
    }
}

fn run(db: &rusqlite::Connection, sql: &str) {
    assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
}

fn snapshot(db: &rusqlite::Connection) {
    db.execute_batch(
        "DROP TABLE IF EXISTS temp.e; DROP TABLE IF EXISTS temp.r;
         CREATE TEMP TABLE e AS SELECT * FROM main.entries; CREATE TEMP TABLE r AS SELECT * FROM main.records;",
    )
    .unwrap();
}

fn restore(db: &rusqlite::Connection) {
    db.execute_batch(
        "DELETE FROM main.entries; DELETE FROM main.records;
         INSERT INTO main.entries SELECT * FROM temp.e; INSERT INTO main.records SELECT * FROM temp.r;",
    )
    .unwrap();
}

#[test]
fn an_old_database_signs_and_releases_nothing() {
    let world = World::new();
    let path = world.path();
    let ingest = |vault: &Vault| {
        let ingestor = vault.ingestor(&world.acme.pin, Arc::clone(&world.writer))?;
        ingestor.ingest(text("x")).map(|i| i.record)
    };
    ingest(&world.vault).unwrap();
    rows(&path).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let old = fs::read(path.join("vault.db")).unwrap();
    ingest(&world.vault).unwrap();
    let pinned = world.vault.checkpoint(world.acme.pin.tenant).unwrap();
    let identity = Arc::clone(&world.acme.identity);
    let (tenant, pin, writer) = (world.acme.pin.tenant, world.acme.pin, Arc::clone(&world.writer));
    let World { dir: _kept, vault, .. } = world;
    drop(vault);
    for name in ["vault.db-wal", "vault.db-shm"] {
        let _ = fs::remove_file(path.join(name));
    }
    fs::write(path.join("vault.db"), old).unwrap();

    let vault = Vault::open(&path, operator()).unwrap();
    let session = vault.session(tenant, Arc::clone(&identity), Access::new("t", "t"));
    assert_eq!(session.unwrap_err().kind(), ErrorKind::RolledBack);
    let refused = vault.ingestor(&pin, writer).and_then(|i| i.ingest(text("x")).map(drop));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::RolledBack);
    assert!(!vault.check().unwrap().is_sound());
    assert!(vault.checkpoint(tenant).unwrap().checkpoint().size < pinned.checkpoint().size);
}

#[test]
fn an_old_folder_is_known_by_an_anchor_that_is_kept_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let (path, anchor) = (dir.path().join("v"), dir.path().join("anchor"));
    let open = || Vault::open(&path, VaultOptions::new(operator()).anchor(&anchor)).unwrap();
    let vault = Vault::create(&path, VaultOptions::new(operator()).anchor(&anchor)).unwrap();
    let owner = Owner::enrol(&vault, "acme", 0);
    drop(owner.session(&vault));
    drop(vault);
    let old: Vec<_> = common::files(&path).into_iter().map(|f| (fs::read(&f).unwrap(), f)).collect();
    let vault = open();
    drop(owner.session(&vault));
    drop(vault);
    for name in ["vault.db-wal", "vault.db-shm"] {
        let _ = fs::remove_file(path.join(name));
    }
    old.iter().for_each(|(bytes, file)| fs::write(file, bytes).unwrap());
    let vault = open();
    let refused = vault.session(owner.pin.tenant, Arc::clone(&owner.identity), Access::new("t", "t"));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::RolledBack);
}

#[test]
fn the_clock_shows_how_fresh_a_ledger_is() {
    let world = World::new();
    let session = world.session(&world.acme);
    let clock = ClockKey::generate().unwrap();
    let audit = |clock: &ClockKey, age| {
        let log = session.log().unwrap();
        Auditor::new(log.key()).clock(clock.verifier().unwrap(), age).audit(&log).unwrap()
    };
    let day = Duration::from_secs(86_400);
    assert_eq!(audit(&clock, day).findings, [AuditFinding::Stale]);
    let signed = world.vault.cosign(&clock).unwrap();
    assert!(signed.iter().all(|s| s.cosigned_by(&clock.verifier().unwrap()).unwrap().is_some()));
    let report = audit(&clock, day);
    assert!(report.is_clean() && report.clock.is_some(), "{report}");
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(audit(&clock, Duration::from_millis(1)).findings, [AuditFinding::Stale]);
    assert_eq!(audit(&ClockKey::generate().unwrap(), day).findings, [AuditFinding::Stale]);
}

#[test]
fn many_threads_append_densely_and_every_receipt_verifies() {
    let world = World::new();
    let ingestor = world.ingestor(&world.acme);
    let (key, start) = (world.vault.log_key(world.acme.pin.tenant).unwrap(), Barrier::new(8));
    let mut seqs: Vec<u64> = std::thread::scope(|scope| {
        let run = || {
            start.wait();
            let one = |n: usize| {
                let done = ingestor.ingest(text(&n.to_string())).unwrap();
                let receipt = done.receipt.unwrap();
                receipt.verify(&key).unwrap();
                receipt.seq()
            };
            (0..25).map(one).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    seqs.sort_unstable();
    assert_eq!(seqs, (2..202).collect::<Vec<u64>>());
    let session = world.session(&world.acme);
    let report = audit(&session, None);
    assert!(report.is_clean() && report.records == Some(200), "{report}");
}
