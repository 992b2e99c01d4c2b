//! Every refusal leaves the vault as it was.

mod common;

use std::fs;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use common::{Owner, World, files, myself, noise, rows, text};
use ring::digest::{SHA256, SHA512, digest};
use strongroom::*;

#[test]
fn a_draft_that_is_wrong_in_itself_is_refused_before_anything_is_read() {
    let world = stocked();
    let part = || DraftPart::new(PartKind::Audio, "audio/wav", Never);
    let draft = || Draft::new(Channel::Voice).with(part());
    let nobody = {
        let mut subject = Subject::named(Role::Customer, "x");
        subject.name = None;
        subject
    };
    let cases: Vec<(&str, ErrorKind, Draft<'_>)> = vec![
        ("no part", ErrorKind::InvalidInput, Draft::new(Channel::Chat)),
        ("a subject that is nobody", ErrorKind::InvalidInput, draft().subject(nobody)),
        (
            "no media type",
            ErrorKind::InvalidInput,
            Draft::new(Channel::Voice).with(DraftPart::new(PartKind::Audio, "", Never)),
        ),
        (
            "a media type in two lines",
            ErrorKind::InvalidInput,
            Draft::new(Channel::Voice).with(DraftPart::new(PartKind::Audio, "audio/wav\r\nx", Never)),
        ),
        ("an empty idempotency key", ErrorKind::InvalidInput, draft().idempotency_key("")),
        ("a long idempotency key", ErrorKind::InvalidInput, draft().idempotency_key("k".repeat(1025))),
        ("a head above 256 KiB", ErrorKind::TooLarge, draft().tag("t".repeat(256 * 1024))),
        ("many small tags above 256 KiB", ErrorKind::TooLarge, (0..30_000).fold(draft(), |d, n| d.tag(n.to_string()))),
        ("1,001 parts", ErrorKind::TooLarge, (0..1000).fold(draft(), |d, _| d.with(part()))),
        (
            "a short SHA-256",
            ErrorKind::InvalidInput,
            Draft::new(Channel::Voice).with(part().digest(ProducerDigest::Sha256(vec![0; 31]))),
        ),
        (
            "a SHA-256 for a SHA-512",
            ErrorKind::InvalidInput,
            Draft::new(Channel::Voice).with(part().digest(ProducerDigest::Sha512(vec![0; 32]))),
        ),
    ];
    for (what, kind, draft) in cases {
        refused(&world, &world.acme, what, kind, |ingestor| ingestor.ingest(draft).map(drop));
    }
}

#[test]
fn a_head_that_just_fits_is_not_refused() {
    let world = stocked();
    let ingestor = world.ingestor(&world.acme);
    let fits = |len: usize| ingestor.ingest(text("x").tag("t".repeat(len)));
    let (mut below, mut above) = (200 * 1024, 256 * 1024);
    while above - below > 1 {
        let middle = (below + above) / 2;
        match fits(middle) {
            Ok(_) => below = middle,
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::TooLarge);
                above = middle;
            }
        }
    }
    let longest = fits(below).unwrap().record;
    assert_eq!(world.session(&world.acme).read(longest).unwrap().head().tags[0].len(), below);
    drop(ingestor);
    assert!(world.vault.check().unwrap().is_clean());
}

#[test]
fn an_identifier_that_is_none_never_reaches_a_draft() {
    for refused in [
        Identifier::tel("anonymous"),
        Identifier::tel("+0"),
        Identifier::mailto("nobody"),
        Identifier::customer(" "),
        Identifier::customer("a\u{7}"),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn bytes_that_are_not_what_their_producer_says_are_refused() {
    let world = stocked();
    let long = noise(3_000_000);
    for bytes in [&b"Hello."[..], &noise(100_000), &long] {
        for wrong in [
            ProducerDigest::Sha256(digest(&SHA256, b"something else").as_ref().to_vec()),
            ProducerDigest::Sha512(digest(&SHA512, b"something else").as_ref().to_vec()),
        ] {
            for key in [None, Some("a key")] {
                let part = DraftPart::new(PartKind::Audio, "audio/wav", bytes).digest(wrong.clone());
                let draft = Draft::new(Channel::Voice).part(PartKind::Chat, "text/plain", &b"before"[..]).with(part);
                let draft = key.map_or_else(
                    || draft,
                    |key| {
                        Draft::new(Channel::Voice)
                            .idempotency_key(key)
                            .with(DraftPart::new(PartKind::Audio, "audio/wav", bytes).digest(wrong.clone()))
                    },
                );
                let what = format!("{} bytes, {key:?}", bytes.len());
                refused(&world, &world.bolt, &what, ErrorKind::DigestMismatch, |i| i.ingest(draft).map(drop));
            }
        }
    }
}

#[test]
fn a_source_that_fails_half_way_leaves_nothing() {
    let world = stocked();
    for (good, kind) in [
        (0, io::ErrorKind::ConnectionReset),
        (3_000, io::ErrorKind::UnexpectedEof),
        (2_000_000, io::ErrorKind::TimedOut),
        (262_144, io::ErrorKind::NotFound),
        // A producer's full disk is not ours.
        (10, io::ErrorKind::StorageFull),
    ] {
        let draft = Draft::new(Channel::Voice)
            .part(PartKind::Attachment, "application/zip", io::Cursor::new(noise(300_000)))
            .part(PartKind::Audio, "audio/wav", io::Cursor::new(noise(good)).chain(Fails(kind)));
        refused(&world, &world.acme, &format!("after {good} bytes"), ErrorKind::Source, |i| i.ingest(draft).map(drop));
    }
}

#[test]
fn a_source_that_panics_leaves_nothing_and_the_ingestor_goes_on() {
    let world = stocked();
    let ingestor = world.ingestor(&world.acme);
    let before = Snapshot::of(&world);
    for good in [0, 5_000, 2_000_000] {
        let draft = Draft::new(Channel::Voice).part(PartKind::Attachment, "x/y", io::Cursor::new(noise(100_000))).part(
            PartKind::Audio,
            "audio/wav",
            io::Cursor::new(noise(good)).chain(Panics),
        );
        catch_unwind(AssertUnwindSafe(|| ingestor.ingest(draft))).unwrap_err();
    }
    // Every thread of the batch meets one, and drafts behind them are never begun.
    let panicking = |n: u8| Draft::new(Channel::Voice).part(PartKind::Audio, "x/y", io::Cursor::new([n]).chain(Panics));
    let batch: Vec<_> = (0..64).map(|n| if n % 2 == 0 { panicking(n) } else { text("well") }).collect();
    catch_unwind(AssertUnwindSafe(|| ingestor.ingest_batch(batch))).unwrap_err();
    let id = ingestor.ingest(text("afterwards")).unwrap().record;
    assert_eq!(world.session(&world.acme).read(id).unwrap().read_part(1).unwrap(), b"afterwards");
    drop(ingestor);
    let report = world.vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
    // One record of one part: its head's slot and its own, and that of its entry. The session has its two entries.
    let after = Snapshot::of(&world);
    assert_eq!(
        after,
        Snapshot {
            records: before.records + 1,
            parts: before.parts + 1,
            slots: before.slots + 3,
            entries: before.entries + 3,
            ..before
        }
    );
}

#[test]
fn an_idempotency_conflict_stores_nothing_in_or_before_a_batch() {
    let world = stocked();
    world.ingestor(&world.acme).ingest(text("first").idempotency_key("k")).unwrap();
    let conflict = ErrorKind::IdempotencyConflict;
    refused(&world, &world.acme, "known before", conflict, |i| i.ingest(text("second").idempotency_key("k")).map(drop));
    refused(&world, &world.acme, "in one batch", conflict, |i| {
        let large = |seed: usize| io::Cursor::new(noise(200_000 + seed));
        let draft = |seed| Draft::new(Channel::Voice).part(PartKind::Audio, "audio/wav", large(seed));
        i.ingest_batch(vec![text("other"), draft(1).idempotency_key("new"), draft(2).idempotency_key("new")]).map(drop)
    });
}

#[test]
fn amending_a_record_that_the_tenant_has_not_is_refused() {
    let world = stocked();
    let foreign = world.ingestor(&world.bolt).ingest(text("bolt's own")).unwrap().record;
    let missing = RecordId::generate().unwrap();
    let mut said = Vec::new();
    for record in [foreign, missing] {
        let error = refused(&world, &world.acme, "amends", ErrorKind::NotFound, |ingestor| {
            ingestor.ingest(text("new version").amends(record)).map(drop)
        });
        said.push(error.to_string());
    }
    assert_eq!(said[0], said[1]);
}

#[test]
fn one_bad_draft_in_a_batch_keeps_the_other_four_out() {
    let world = stocked();
    for bad in 0..5usize {
        refused(&world, &world.bolt, &format!("number {bad} of 5"), ErrorKind::Source, |ingestor| {
            let draft = |n| {
                let end: Box<dyn Read + Send> =
                    if n == bad { Box::new(Fails(io::ErrorKind::Other)) } else { Box::new(io::empty()) };
                let audio = io::Cursor::new(noise(100_000 * n)).chain(end);
                text("said").part(PartKind::Audio, "audio/wav", audio)
            };
            ingestor.ingest_batch((0..5).map(draft).collect()).map(drop)
        });
    }
}

#[test]
fn only_the_pinned_card_and_policy_of_an_enrolled_tenant_open_an_ingestor() {
    let world = stocked();
    let before = Snapshot::of(&world);
    let ingestor = |pin: &TenantPin, writer: &Arc<WriterKey>| world.vault.ingestor(pin, Arc::clone(writer));
    let (acme, bolt) = (&world.acme.pin, &world.bolt.pin);
    let strange = Arc::new(WriterKey::generate().unwrap());
    let nobody = TenantPin { tenant: TenantId::generate().unwrap(), ..*acme };
    for (what, kind, opened) in [
        (
            "another tenant's card",
            ErrorKind::CardMismatch,
            ingestor(&TenantPin { card: bolt.card, ..*acme }, &world.writer),
        ),
        (
            "another policy",
            ErrorKind::CardMismatch,
            ingestor(&TenantPin { policy: bolt.policy, ..*acme }, &world.writer),
        ),
        ("an unknown tenant", ErrorKind::NotFound, ingestor(&nobody, &world.writer)),
        ("a writer that is not enrolled", ErrorKind::NotFound, ingestor(acme, &strange)),
    ] {
        assert_eq!(opened.unwrap_err().kind(), kind, "{what}");
    }
    assert_eq!(Snapshot::of(&world), before);
}

#[test]
fn a_card_or_policy_that_an_attacker_put_into_the_database_is_never_sealed_to() {
    let world = stocked();
    let tenant = world.acme.pin.tenant;
    let attacker = Identity::generate().unwrap();
    let card = TenantCard::new(world.vault.id(), tenant, &attacker);
    let policy = DisclosurePolicy::none(&card, &attacker).unwrap();
    let owned = world.vault.tenant(tenant).unwrap();
    let custodians = (0..2).map(|_| (&Identity::generate().unwrap()).into()).collect();
    let looser = DisclosurePolicy::quorum(&owned.card, 2, custodians, &world.acme.identity).unwrap();
    let db = rows(&world.path());
    let put = |table: &str, bytes: &[u8]| {
        let sql = format!("UPDATE {table} SET bytes = ?1 WHERE tenant = (SELECT n FROM tenants WHERE id = ?2)");
        assert_eq!(db.execute(&sql, rusqlite::params![bytes, tenant.as_bytes()]).unwrap(), 1);
    };
    for (what, card, policy) in [
        ("the attacker's card and policy", card.to_bytes(), policy.to_bytes()),
        ("the attacker's card alone", card.to_bytes(), owned.policy.to_bytes()),
        ("another policy that the tenant signed", owned.card.to_bytes(), looser.to_bytes()),
        ("the attacker's policy alone", owned.card.to_bytes(), policy.to_bytes()),
        ("no card at all", b"card".to_vec(), owned.policy.to_bytes()),
    ] {
        put("cards", &card);
        put("policies", &policy);
        let opened = world.vault.ingestor(&world.acme.pin, Arc::clone(&world.writer));
        assert_eq!(opened.unwrap_err().kind(), ErrorKind::CardMismatch, "{what}");
    }
    put("cards", &owned.card.to_bytes());
    put("policies", &owned.policy.to_bytes());
    world.ingestor(&world.acme).ingest(text("again")).unwrap();
    assert!(world.vault.check().unwrap().is_clean());
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room_again() {
    let Some(disk) = small_disk("a_full_disk_refuses_and_goes_on_when_there_is_room_again") else { return };
    vault_on_a_full_disk(&disk);
    process_on_a_full_disk(&disk);
    large_parts_on_a_full_disk(&disk);
    small_parts_on_a_full_disk(&disk);
    slots_on_a_full_disk(&disk);
    (0..8).for_each(|n| erasures_on_a_full_disk(&disk, n * 60_000));
    (2..12).for_each(|n| disclosures_on_a_full_disk(&disk, n * 60_000));
}

#[test]
fn a_read_only_disk_or_folder_refuses_with_its_own_kind() {
    let Some(disk) = small_disk("a_read_only_disk_or_folder_refuses_with_its_own_kind") else { return };
    let (vault, owner, writer) = enrolled(&disk);
    let path = disk.join("my.vault");
    let ingestor = vault.ingestor(&owner.pin, Arc::clone(&writer)).unwrap();
    let id = ingestor.ingest(text("kept")).unwrap().record;

    // Only the objects cannot be written: small records go on.
    read_only(&path.join("objects"));
    let large = Draft::new(Channel::Voice).part(PartKind::Audio, "audio/wav", io::Cursor::new(noise(300_000)));
    assert_eq!(ingestor.ingest(large).unwrap_err().kind(), ErrorKind::ReadOnly);
    ingestor.ingest(text("small")).unwrap();
    drop(ingestor);
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{report}");

    // No epoch can be opened.
    read_only(&path.join("live"));
    let ingestor = vault.ingestor(&owner.pin, Arc::clone(&writer)).unwrap();
    assert_eq!(ingestor.ingest(text("x")).unwrap_err().kind(), ErrorKind::ReadOnly);
    assert_eq!(owner.session(&vault).read(id).unwrap().read_part(1).unwrap(), b"kept");
    drop((ingestor, vault));
    for folder in ["objects", "live"] {
        assert!(Command::new("umount").arg(path.join(folder)).status().unwrap().success());
    }

    // Nothing at all: SQLite needs to write beside a database in WAL mode even to read it, so the vault does not open.
    assert!(Command::new("mount").args(["-o", "remount,ro"]).arg(&disk).status().unwrap().success());
    let error = Vault::open(&path, common::operator()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error:?}");
    assert_eq!(Vault::create(disk.join("new.vault"), common::operator()).unwrap_err().kind(), ErrorKind::ReadOnly);
    assert!(Command::new("mount").args(["-o", "remount,rw"]).arg(&disk).status().unwrap().success());
    let vault = Vault::open(&path, common::operator()).unwrap();
    assert_eq!(owner.session(&vault).read(id).unwrap().read_part(1).unwrap(), b"kept");
    // The marks of epochs could not be removed while their folder was read-only.
    vault.sweep().unwrap();
    assert!(vault.check().unwrap().is_clean());
}

/// A vault that holds something of each kind.
fn stocked() -> World {
    let world = World::new();
    for owner in [&world.acme, &world.bolt] {
        let draft = text("there before").part(PartKind::Audio, "audio/wav", io::Cursor::new(noise(100_000)));
        world.ingestor(owner).ingest(draft).unwrap();
    }
    world
}

fn refused(
    world: &World,
    owner: &Owner,
    what: &str,
    kind: ErrorKind,
    act: impl FnOnce(&Ingestor) -> Result<()>,
) -> Error {
    // The first lets the ledger know the writer, which stays.
    drop(world.ingestor(owner));
    let before = Snapshot::of(world);
    let ingestor = world.ingestor(owner);
    let error = act(&ingestor).expect_err(what);
    assert_eq!(error.kind(), kind, "{what}: {error:?}");
    drop(ingestor);
    assert_eq!(Snapshot::of(world), before, "{what}");
    let report = world.vault.check().unwrap();
    assert!(report.is_clean(), "{what}: {report}");
    error
}

/// What a vault holds, but for epochs and blocks of slots that nothing uses.
#[derive(Debug, PartialEq)]
struct Snapshot {
    /// Epochs that are open: those in which the vault itself writes entries.
    live: Vec<std::path::PathBuf>,
    entries: i64,
    objects: Vec<(String, u64, Vec<u8>)>,
    slots: usize,
    records: i64,
    parts: i64,
    idempotency: i64,
}

impl Snapshot {
    fn of(world: &World) -> Self {
        let path = world.path();
        let object = |file: &Path| {
            let bytes = fs::read(file).unwrap();
            let name = file.strip_prefix(&path).unwrap().to_str().unwrap().to_owned();
            (name, bytes.len() as u64, digest(&SHA256, &bytes).as_ref().to_vec())
        };
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let db = rusqlite::Connection::open_with_flags(path.join("vault.db"), flags).unwrap();
        let count = |table| db.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0)).unwrap();
        Self {
            live: files(&path.join("live")),
            entries: count("entries"),
            objects: files(&path.join("objects")).iter().map(|f| object(f)).collect(),
            slots: fs::read(path.join("shred")).unwrap().chunks(32).filter(|slot| slot.iter().any(|b| *b != 0)).count(),
            records: count("records"),
            parts: count("parts"),
            idempotency: count("idempotency"),
        }
    }
}

/// Fails whoever reads it.
struct Never;

impl Read for Never {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        panic!("a refused draft was read")
    }
}

struct Fails(io::ErrorKind);

impl Read for Fails {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
}

struct Panics;

impl Read for Panics {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        panic!("a source that panics, as this test wants it")
    }
}

const DISK: &str = "STRONGROOM_TEST_DISK";

/// Runs the calling test again in a process that has a file system of 6 MiB for itself, and gives that process the
/// folder. The first process gets nothing, and fails if the second does.
fn small_disk(test: &str) -> Option<std::path::PathBuf> {
    if let Some(disk) = std::env::var_os(DISK) {
        return Some(disk.into());
    }
    let dir = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=6m tmpfs \"$STRONGROOM_TEST_DISK\"";
    let isolated = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", script, "sh"]).env(DISK, dir.path());
        command
    };
    if !isolated(mount).output().is_ok_and(|o| o.status.success()) {
        println!("skipped: {test}: this system lets no test mount a small file system of its own");
        return None;
    }
    let again = myself(test);
    let mut child = isolated(&format!("{mount} && exec \"$@\""));
    let output = child.arg(again.get_program()).args(again.get_args()).output().unwrap();
    let said = [output.stdout, output.stderr].map(|s| String::from_utf8_lossy(&s).into_owned()).concat();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    None
}

fn read_only(folder: &Path) {
    let mount = |args: &[&str]| Command::new("mount").args(args).arg(folder).status().unwrap().success();
    assert!(mount(&["--bind", folder.to_str().unwrap()]) && mount(&["-o", "remount,bind,ro"]));
}

fn enrolled(disk: &Path) -> (Vault, Owner, Arc<WriterKey>) {
    let vault = Vault::create(disk.join("my.vault"), common::operator()).unwrap();
    let writer = Arc::new(WriterKey::generate().unwrap());
    vault.enrol_writer(writer.public_key()).unwrap();
    let owner = Owner::enrol(&vault, "acme", 0);
    (vault, owner, writer)
}

/// Takes what is left of the disk, but for `spare` bytes.
fn fill(disk: &Path, spare: usize) {
    fs::write(disk.join("spare"), vec![1; spare]).unwrap();
    let mut filler = fs::File::create(disk.join("filler")).unwrap();
    while io::Write::write_all(&mut filler, &[1; 4096]).is_ok() {}
    fs::remove_file(disk.join("spare")).unwrap();
}

fn make_room(disk: &Path) {
    fs::remove_file(disk.join("filler")).unwrap();
}

fn vault_on_a_full_disk(disk: &Path) {
    fill(disk, 8192);
    let error = Vault::create(disk.join("my.vault"), common::operator()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full, "{error:?}");
    make_room(disk);
    assert_eq!(files(disk), Vec::<std::path::PathBuf>::new());
    assert_eq!(fs::read_dir(disk).unwrap().count(), 0);
}

/// What a process said that found the disk full and is gone is concluded by the next, as soon as there is room.
fn process_on_a_full_disk(disk: &Path) {
    let (vault, owner, writer) = enrolled(disk);
    let path = disk.join("my.vault");
    fill(disk, 1 << 20);
    let ingestor = vault.ingestor(&owner.pin, writer).unwrap();
    let error = loop {
        if let Err(error) = ingestor.ingest_batch((0..20).map(|_| text("x")).collect()) {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::Full);
    drop((ingestor, vault));
    // Closing gave the room of SQLite's log back.
    fs::rename(disk.join("filler"), disk.join("first filler")).unwrap();
    fill(disk, 400_000);

    let vault = Vault::open(&path, common::operator()).unwrap();
    assert!(!path.join("reserve").exists(), "there is no room");
    // A sweep may be what makes some.
    vault.sweep().unwrap();
    let report = vault.check().unwrap();
    assert!(report.is_sound() && !report.is_clean(), "{report}");
    drop(vault);
    make_room(disk);
    fs::remove_file(disk.join("first filler")).unwrap();
    let vault = Vault::open(&path, common::operator()).unwrap();
    let session = owner.session(&vault);
    assert_eq!(episodes(&session), 1);
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
    let log = session.log().unwrap();
    let audit = Auditor::new(log.key()).audit(&log).unwrap();
    assert!(audit.is_clean() && audit.unconcluded.len() == 1, "{audit}");
    drop((session, vault));
    fs::remove_dir_all(path).unwrap();
}

fn large_parts_on_a_full_disk(disk: &Path) {
    let (vault, owner, writer) = enrolled(disk);
    fill(disk, 3 << 20);
    let draft = |n: usize| Draft::new(Channel::Voice).part(PartKind::Audio, "x/y", io::Cursor::new(noise(n)));
    // A part for which there is no room leaves enough of it for what is small: the ledger need not be degraded.
    until_full_and_on(disk, vault, &owner, writer, false, |ingestor, n| {
        // By turns sealed in one piece and streamed.
        let bytes = if n % 2 == 0 { 300_000 + n } else { 100_000 + n };
        ingestor.ingest(draft(bytes)).map(|i| vec![(i.record, noise(bytes))])
    });
}

fn small_parts_on_a_full_disk(disk: &Path) {
    let (vault, owner, writer) = enrolled(disk);
    fill(disk, 2 << 20);
    until_full_and_on(disk, vault, &owner, writer, true, |ingestor, n| {
        let draft = |n| Draft::new(Channel::Chat).part(PartKind::Chat, "x/y", io::Cursor::new(noise(n)));
        let batch: Vec<usize> = (0..1 + n % 20).map(|m| 4000 + 20 * n + m).collect();
        let ingested = ingestor.ingest_batch(batch.iter().map(|n| draft(*n)).collect())?;
        Ok(ingested.iter().zip(batch).map(|(i, n)| (i.record, noise(n))).collect())
    });
}

fn slots_on_a_full_disk(disk: &Path) {
    let (vault, owner, writer) = enrolled(disk);
    // The log grows, is written back and stays as long as it is: rows find room for a while, new slots do not.
    let other = Owner::enrol(&vault, "bolt", 0);
    let ingestor = vault.ingestor(&other.pin, Arc::clone(&writer)).unwrap();
    ingestor.ingest_batch((0..400).map(|_| text("x")).collect()).unwrap();
    rows(&disk.join("my.vault")).query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
    let ingestor = vault.ingestor(&owner.pin, Arc::clone(&writer)).unwrap();
    let first = ingestor.ingest(text("x")).unwrap().record;
    fill(disk, 0);
    let mut kept = vec![first];
    let error = loop {
        match ingestor.ingest_batch((0..7).map(|_| text("x")).collect()) {
            Ok(ingested) => kept.extend(ingested.iter().map(|i| i.record)),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!(error.to_string(), "reserving keys and slots for what is to be sealed");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "writing the shred file");
    assert!(kept.len() > 7);
    // The space that was set aside is for the ledger alone, which has said so: nobody else gets any of it.
    let path = disk.join("my.vault");
    assert!(!path.join("reserve").exists());
    let sizes = || ["shred", "vault.db", "vault.db-wal"].map(|name| fs::metadata(path.join(name)).unwrap().len());
    let before = sizes();
    for _ in 0..10 {
        let refused = ingestor.ingest(text("x")).unwrap_err();
        assert_eq!(
            (refused.kind(), refused.to_string().as_str()),
            (ErrorKind::Full, "setting space aside for the ledgers")
        );
        let session = vault.session(owner.pin.tenant, Arc::clone(&owner.identity), Access::new("t", "t"));
        assert_eq!(session.unwrap_err().kind(), ErrorKind::Full);
    }
    assert_eq!(sizes(), before);
    drop(ingestor);
    make_room(disk);
    let session = owner.session(&vault);
    assert_eq!(episodes(&session), 1);
    assert!(path.join("reserve").exists());
    vault.sweep().unwrap();
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
    assert!(kept.iter().all(|id| session.read(*id).unwrap().read_part(1).unwrap() == b"x"));
    drop((session, vault));
    fs::remove_dir_all(disk.join("my.vault")).unwrap();
}

/// A record is whole or erased, whatever there is room for; what was authorised is done when there is room again.
fn erasures_on_a_full_disk(disk: &Path, spare: usize) {
    let (vault, owner, writer) = enrolled(disk);
    let ingestor = vault.ingestor(&owner.pin, writer).unwrap();
    let long = || text("words").part(PartKind::Audio, "x/y", io::Cursor::new(noise(70_000)));
    let drafts = (0..80).map(|n| if n > 70 { long() } else { text("words") });
    let all = ingestor.ingest_batch(drafts.collect()).unwrap();
    let all: Vec<RecordId> = all.into_iter().map(|ingested| ingested.record).collect();
    drop(ingestor);
    let session = owner.session(&vault);
    let gone = |id: &RecordId| match session.read(*id) {
        Ok(record) => {
            assert_eq!(record.read_part(1).unwrap(), b"words");
            assert!(record.head().parts.len() == 1 || record.read_part(2).unwrap() == noise(70_000));
            false
        }
        Err(e) => {
            assert_eq!(e.kind(), ErrorKind::Erased);
            true
        }
    };
    fill(disk, spare);
    let (mut done, mut left) = (0, all.iter());
    let error = loop {
        let id = left.next().expect("the disk is full before all is erased");
        match session.erase([*id], "x") {
            Ok(erased) => assert_eq!(erased.erased, [*id]),
            Err(error) => break error,
        }
        done += 1;
    };
    assert_eq!(error.kind(), ErrorKind::Full, "{error:?}");
    assert!(all[..done].iter().all(gone) && !all[done + 1..].iter().any(gone), "after {done}");
    let failed = gone(&all[done]);
    println!("{done} were erased until the disk was full; the next was {}", if failed { "erased" } else { "not" });
    make_room(disk);
    let again = session.erase(all.iter().copied(), "x").unwrap();
    assert_eq!(again.erased.len() + again.already.len(), all.len());
    assert!(all.iter().all(gone));
    vault.sweep().unwrap();
    let report = vault.check().unwrap();
    assert!(report.is_clean() && report.erased == all.len() as u64, "{report}");
    let log = session.log().unwrap();
    let audit = Auditor::new(log.key()).audit(&log).unwrap();
    assert!(audit.is_clean() && audit.erased == all.len() as u64, "{audit}");
    drop((session, vault));
    fs::remove_dir_all(disk.join("my.vault")).unwrap();
}

/// Nothing is given out that the ledger could not say, of nothing that was is it said that it failed, and the same process goes
/// on when there is room again.
fn disclosures_on_a_full_disk(disk: &Path, spare: usize) {
    let (vault, owner, writer) = enrolled(disk);
    let ingestor = vault.ingestor(&owner.pin, writer).unwrap();
    let record = ingestor.ingest(text("words")).unwrap().record;
    drop(ingestor);
    let (tenant, authority) = (owner.pin.tenant, Identity::generate().unwrap());
    let hour = |n: i64| Timestamp::from_unix_ms(Timestamp::now().unix_ms() + n * 3_600_000);
    let terms = OrderTerms::new(
        Authority {
            name: "Court".into(),
            country: Country::new("US").unwrap(),
            contact: "clerk".into(),
            recipient: authority.recipient().clone(),
        },
        LegalBasis::CourtOrder,
        "1",
        [7; 32],
        hour(-1)..hour(1),
        hour(1),
        OrderScope::records([record]),
    );
    let session = owner.session(&vault);
    let accepted = || {
        let (order, _) = vault.receive_order(tenant, terms.clone(), "officer")?;
        vault.review_order(tenant, order.id(), ReviewOutcome::Accepted, "x", None, "counsel")?;
        Ok::<_, Error>(order.id())
    };
    let first = accepted().unwrap();
    fill(disk, spare);
    let give = |order: OrderId, out: &mut Vec<u8>| {
        let consent = session.consent(order)?;
        let options = ProductionOptions::new(ProductionProfile::Litigation);
        vault.disclose(consent, options, "officer", out, |_| std::ops::ControlFlow::Continue(()))
    };
    let mut rounds = 0;
    let mut first = Some(first);
    let error = loop {
        let mut out = Vec::new();
        match first.take().map_or_else(accepted, Ok).and_then(|order| give(order, &mut out)) {
            Ok(_) => rounds += 1,
            Err(error) => break (error, out),
        }
    };
    assert_eq!(error.0.kind(), ErrorKind::Full, "{:?}", error.0);
    make_room(disk);
    let all = vault.orders(tenant).unwrap();
    let last = all.last().unwrap();
    println!("{rounds} were disclosed until the disk was full, then {} bytes; {:?}", error.1.len(), last.state());
    assert!(error.1.is_empty() || last.produced.is_some());
    let mut archive = Vec::new();
    let whole =
        age::Reader::new(&error.1[..], &authority).is_ok_and(|mut reader| reader.read_to_end(&mut archive).is_ok());
    assert!(!whole || last.failures.is_empty(), "{:?}", last.failures);
    for status in all.iter().filter(|status| status.state() != OrderState::Disclosed) {
        if status.review.is_none() {
            vault.review_order(tenant, status.order.id(), ReviewOutcome::Accepted, "x", None, "counsel").unwrap();
        }
        give(status.order.id(), &mut Vec::new()).unwrap();
    }
    give(accepted().unwrap(), &mut Vec::new()).unwrap();
    let states = vault.orders(tenant).unwrap();
    assert!(states.iter().all(|status| status.state() == OrderState::Disclosed));
    vault.sweep().unwrap();
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
    let log = session.log().unwrap();
    let audit = Auditor::new(log.key()).audit(&log).unwrap();
    assert!(audit.is_clean() && audit.unconcluded.len() == 1, "{audit}");
    drop((session, vault));
    fs::remove_dir_all(disk.join("my.vault")).unwrap();
}

/// Messages of a kind in a ledger.
fn entries(log: &TenantLog<'_>, kind: Kind) -> Vec<Message> {
    let messages = log.entries(0, 10_000).unwrap().into_iter().filter_map(|entry| match entry.state {
        State::Open(_, message) => Some(*message),
        _ => None,
    });
    messages.filter(|message| message.kind == kind).collect()
}

/// How often a ledger says that the disk was full. Each time it must say as well that it no longer is.
fn episodes(session: &TenantSession) -> usize {
    let log = session.log().unwrap();
    let (degraded, recovered) = (entries(&log, Kind::Degraded), entries(&log, Kind::Recovered));
    let began: Vec<Option<u64>> = degraded.iter().map(|message| Some(message.seq)).collect();
    assert_eq!(recovered.iter().map(|message| message.refers).collect::<Vec<_>>(), began);
    degraded.len()
}

/// Ingests until the disk is full, a few times more, and again when there is room; then looks at everything.
fn until_full_and_on(
    disk: &Path,
    vault: Vault,
    owner: &Owner,
    writer: Arc<WriterKey>,
    degrades: bool,
    ingest: impl Fn(&Ingestor, usize) -> Result<Vec<(RecordId, Vec<u8>)>>,
) {
    let ingestor = vault.ingestor(&owner.pin, Arc::clone(&writer)).unwrap();
    // None can be opened on a full disk: nothing is read that the ledger cannot tell.
    let session = owner.session(&vault);

    let (mut kept, mut refusals, mut n) = (Vec::new(), 0, 0);
    while refusals < 5 {
        n += 1;
        match ingest(&ingestor, n) {
            Ok(ingested) => kept.extend(ingested),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Full, "{error:?}");
                refusals += 1;
            }
        }
    }
    assert!(kept.len() > 3);
    let log = session.log().unwrap();
    let degraded = entries(&log, Kind::Degraded).len();
    assert!(!degrades || degraded == 1 && entries(&log, Kind::Recovered).is_empty(), "{degraded}");
    let all_there = |kept: &[(RecordId, Vec<u8>)]| {
        kept.iter().for_each(|(id, bytes)| assert_eq!(&session.read(*id).unwrap().read_part(1).unwrap(), bytes));
    };
    all_there(&kept);
    make_room(disk);
    kept.extend(ingest(&ingestor, n + 1).unwrap());
    assert_eq!(episodes(&session), degraded);
    drop(ingestor);
    vault.sweep().unwrap();
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.records, kept.len() as u64);
    all_there(&kept);
    let log = session.log().unwrap();
    let audit = Auditor::new(log.key()).audit(&log).unwrap();
    assert!(audit.is_clean(), "{audit}");
    drop((session, vault));
    fs::remove_dir_all(disk.join("my.vault")).unwrap();
}
