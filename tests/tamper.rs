//! Whatever is changed, moved, cut or put back on the disk, nobody reads what was not sealed there.

mod common;

use std::collections::HashMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{Owner, World, files, noise, rows};
use rusqlite::{Connection, params};
use strongroom::*;

#[test]
fn a_bit_flipped_anywhere_in_the_database_gives_the_truth_or_an_error() {
    let kept = Kept::closed();
    let file = kept.path.join("vault.db");
    let whole = fs::read(&file).unwrap();
    let shred_file = kept.path.join("shred");
    let shred = fs::read(&shred_file).unwrap();
    let anchor_file = kept.path.join("anchor");
    let anchor = fs::read(&anchor_file).unwrap();
    let objects: Vec<_> = files(&kept.path.join("objects")).into_iter().map(|f| (fs::read(&f).unwrap(), f)).collect();
    let slot_numbers = kept.slot_numbers(&whole);
    let (mut opened, mut noticed, mut without_key) = (0, 0, 0);
    for position in sample(&whole, 500) {
        let mut bytes = whole.clone();
        bytes[position] ^= 1 << (position % 8);
        fs::write(&file, &bytes).unwrap();
        if let Ok(vault) = Vault::open(&kept.path, common::operator()) {
            opened += 1;
            let sessions = kept.sessions(&vault);
            let honest = kept.read_all_in(&sessions, &format!("byte {position} of the database"), &[]);
            let found = !vault.check().is_ok_and(|report| report.is_clean());
            let by_key =
                sessions.len() < 2 || !sessions.iter().all(|s| s.check().is_ok_and(|report| report.is_clean()));
            without_key += usize::from(found);
            noticed += usize::from(found || by_key);
            assert!(found || by_key || honest, "byte {position}: a record is lost and no check says so");
            // What a sweep of a damaged vault takes, an intact database may still name. Only a slot's number that
            // became another one of the same epoch, used by nobody, cannot be told from the right one.
            let swept = vault.sweep();
            if swept.is_ok() && !slot_numbers.iter().any(|range| range.contains(&position)) {
                // Sessions have slots of their own behind those that were there.
                let now = fs::read(&shred_file).unwrap();
                let kept = shred.chunks(32).zip(now.chunks(32)).all(|(then, now)| then == [0; 32] || then == now);
                assert!(kept && now.len() >= shred.len(), "byte {position}: a sweep destroyed secrets");
                assert!(
                    objects.iter().all(|(_, object)| object.exists()),
                    "byte {position}: a sweep destroyed an object"
                );
            }
        }
        fs::write(&file, &whole).unwrap();
        fs::write(&anchor_file, &anchor).unwrap();
        fs::write(&shred_file, &shred).unwrap();
        for (bytes, object) in &objects {
            if !object.exists() {
                fs::write(object, bytes).unwrap();
            }
        }
    }
    println!("{opened} opened, {noticed} noticed, {without_key} of them without a key");
    assert!(opened > 230 && without_key > 100);
    assert!(kept.read_all(&Vault::open(&kept.path, common::operator()).unwrap(), "put back"));
}

#[test]
fn a_bit_flipped_in_any_byte_of_the_shred_file_is_an_error_for_its_record_only() {
    let kept = Kept::with(&[2], 3000);
    let file = kept.path.join("shred");
    let vault = Vault::open(&kept.path, common::operator()).unwrap();
    let session = kept.bolt.session(&vault);
    let whole = fs::read(&file).unwrap();
    // The block of the records' epoch, which is over. The slot of its entry is like the owner's other secrets.
    let db = rows(&kept.path);
    let block = |column| {
        let sql = format!("SELECT {column} FROM blocks WHERE epoch = (SELECT min(epoch) FROM records)");
        db.query_row(&sql, [], |r| Ok(r.get::<_, i64>(0)? as u64)).unwrap()
    };
    let (start, count) = (block("start"), block("count"));
    let mut slots = db.prepare("SELECT slot FROM entries WHERE epoch = (SELECT min(epoch) FROM records)").unwrap();
    let entries: Vec<u64> =
        slots.query_map([], |r| Ok(r.get::<_, i64>(0)? as u64)).unwrap().map(|slot| slot.unwrap()).collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(count, 64);
    let named: HashMap<u64, RecordId> =
        kept.records.iter().flat_map(|r| r.header.parts.iter().map(|p| (p.slot, r.id))).collect();
    for position in (start * 32) as usize..((start + count) * 32) as usize {
        let mut bytes = whole.clone();
        bytes[position] ^= 1 << (position % 8);
        fs::write(&file, &bytes).unwrap();
        let slot = position as u64 / 32;
        let hit = named.get(&slot);
        for record in &kept.records {
            let read = record.read_in(&session);
            if hit == Some(&record.id) {
                assert_eq!(read.unwrap_err().kind(), ErrorKind::Tampered, "byte {position}");
            } else {
                read.unwrap();
            }
        }
        // Only the owner can tell that a secret is another; anybody that there is one where none should be.
        let report = session.check().unwrap();
        let found: Vec<_> = report.findings.iter().map(|f| (f.kind, f.record)).collect();
        assert_eq!(found, hit.map(|id| (FindingKind::Sealed, Some(*id))).into_iter().collect::<Vec<_>>());
        let kinds: Vec<_> = vault.check().unwrap().findings.iter().map(|f| f.kind).collect();
        let used = hit.is_some() || entries.contains(&slot);
        assert_eq!(kinds, if used { vec![] } else { vec![FindingKind::Leftover] }, "byte {position}");
    }
}

#[test]
fn a_bit_flipped_in_an_object_is_found_without_a_key_and_never_read() {
    let kept = Kept::closed();
    let vault = Vault::open(&kept.path, common::operator()).unwrap();
    let record = &kept.records[0];
    let file = kept.object(record, 2);
    let whole = fs::read(&file).unwrap();
    let opened = record.owner.session(&vault).read(record.id).unwrap();
    let header_and_tail = (0..56 + 16).chain(whole.len() - 32..whole.len());
    for position in header_and_tail.chain((0..whole.len()).step_by(97)) {
        let mut bytes = whole.clone();
        bytes[position] ^= 1 << (position % 8);
        fs::write(&file, &bytes).unwrap();
        assert_eq!(opened.read_part(2).unwrap_err().kind(), ErrorKind::Tampered, "byte {position}");
        if let Ok(part) = opened.part(2) {
            // Chunks that were not touched are served; the one that was is not.
            for start in (0..record.parts[1].len()).step_by(16_384) {
                let mut range = vec![0; (record.parts[1].len() - start).min(16_384)];
                let expected = &record.parts[1][start..][..range.len()];
                match part.read_range(start as u64, &mut range) {
                    Ok(()) => assert_eq!(range, expected),
                    Err(e) => assert!(e.kind() == ErrorKind::Tampered && range.iter().all(|b| *b == 0)),
                }
            }
        }
        let report = vault.check().unwrap();
        let found: Vec<_> = report.findings.iter().map(|f| (f.kind, f.record)).collect();
        assert_eq!(found, [(FindingKind::Digest, Some(record.id))], "byte {position}");
    }
    fs::write(&file, &whole).unwrap();
    record.read(&vault).unwrap();
}

#[test]
fn a_bit_flipped_in_a_sealed_row_is_found_by_the_check_that_can_know() {
    let kept = Kept::closed();
    let vault = Vault::open(&kept.path, common::operator()).unwrap();
    let db = rows(&kept.path);
    let record = &kept.records[0];
    let digests = [FindingKind::Digest];
    flip_every(&db, "parts", "body", "at = (SELECT n << 16 | 1 FROM records WHERE id = ?1)", record, 7, |at| {
        assert_eq!(record.read(&vault).unwrap_err().kind(), ErrorKind::Tampered, "byte {at}");
        assert_eq!(kinds(&vault), digests, "byte {at}");
    });
    flip_every(&db, "records", "head", "id = ?1", record, 7, |at| {
        assert_eq!(record.read(&vault).unwrap_err().kind(), ErrorKind::Tampered, "byte {at}");
        assert_eq!(kinds(&vault), digests, "byte {at}");
    });
    for column in ["header", "digest"] {
        flip_every(&db, "records", column, "id = ?1", record, 1, |at| {
            assert_eq!(record.read(&vault).unwrap_err().kind(), ErrorKind::Tampered, "{column}, byte {at}");
            assert_eq!(kinds(&vault)[0], FindingKind::Header, "{column}, byte {at}");
            assert_eq!(vault.sweep().unwrap_err().kind(), ErrorKind::Tampered, "{column}, byte {at}");
        });
    }
}

#[test]
fn what_is_moved_to_another_place_does_not_open_there() {
    let kept = Kept::closed();
    let all = kept.records.len();
    let pairs: Vec<_> = (0..all).flat_map(|a| (0..a).map(move |b| (a, b))).collect();
    let vault = Vault::open(&kept.path, common::operator()).unwrap();
    let db = rows(&kept.path);
    db.pragma_update(None, "foreign_keys", false).unwrap();
    let n = |record: &Known| -> i64 {
        db.query_row("SELECT n FROM records WHERE id = ?1", [record.id.as_bytes()], |r| r.get(0)).unwrap()
    };
    for (a, b) in pairs {
        let (a, b) = (&kept.records[a], &kept.records[b]);
        let refused = |what: &str, kinds: &[ErrorKind]| {
            for record in [a, b] {
                let error = record.read(&vault).expect_err(what);
                assert!(kinds.contains(&error.kind()), "{what}: {error:?}");
            }
            assert!(kept.read_all_but(&vault, what, &[a.id, b.id]));
            assert!(!vault.check().unwrap().is_sound(), "{what}");
        };
        let both = [ErrorKind::Tampered, ErrorKind::Damaged];
        let all = ["header", "digest", "head", "time", "epoch"];
        for columns in [&all[..1], &all[..2], &["head"], &all[..3], &all] {
            columns.iter().for_each(|c| swap(&db, "records", c, "n", n(a), n(b)));
            refused(&format!("rows' {columns:?}"), &both);
            columns.iter().for_each(|c| swap(&db, "records", c, "n", n(a), n(b)));
        }
        swap(&db, "parts", "body", "at", n(a) << 16 | 1, n(b) << 16 | 1);
        refused("inline parts", &both);
        swap(&db, "parts", "body", "at", n(a) << 16 | 1, n(b) << 16 | 1);
        // The ids of two records: each answers to the other's name.
        exchange_ids(&db, a.id, b.id);
        for record in [a, b] {
            let kind = record.read(&vault).unwrap_err().kind();
            assert!([ErrorKind::Tampered, ErrorKind::NotFound].contains(&kind), "{kind:?}");
        }
        exchange_ids(&db, a.id, b.id);
        let (one, other) = (kept.object(a, 2), kept.object(b, 2));
        exchange_files(&one, &other);
        refused("objects", &both);
        exchange_files(&one, &other);
    }
    assert!(kept.read_all(&vault, "put back") && vault.check().unwrap().is_clean());
}

#[test]
fn parts_of_one_record_that_change_places_do_not_open() {
    let world = World::new();
    let draft = |n: usize| Cursor::new(noise(n));
    let draft = Draft::new(Channel::Voice)
        .part(PartKind::Chat, "text/plain", draft(2000))
        .part(PartKind::Chat, "text/plain", draft(1999))
        .part(PartKind::Audio, "audio/wav", draft(100_000))
        .part(PartKind::Audio, "audio/wav", draft(99_999));
    let id = world.ingestor(&world.acme).ingest(draft).unwrap().record;
    let db = rows(&world.path());
    let n: i64 = db.query_row("SELECT n FROM records", [], |r| r.get(0)).unwrap();
    swap(&db, "parts", "body", "at", n << 16 | 1, n << 16 | 2);
    let objects = files(&world.path().join("objects"));
    exchange_files(&objects[0], &objects[1]);
    let record = world.session(&world.acme).read(id).unwrap();
    for part in 1..=4 {
        assert_eq!(record.read_part(part).unwrap_err().kind(), ErrorKind::Tampered, "part {part}");
    }
    // With the header rewritten to suit, the head still tells.
    let mut header = record.header().clone();
    header.parts.swap(1, 2);
    header.parts.swap(3, 4);
    let row = params![header.to_bytes(), sha256(&header.to_bytes())];
    db.execute("UPDATE records SET header = ?1, digest = ?2", row).unwrap();
    assert_eq!(world.session(&world.acme).read(id).unwrap_err().kind(), ErrorKind::Tampered);
}

#[test]
fn epochs_that_change_places_open_nothing() {
    let kept = Kept::closed();
    let db = rows(&kept.path);
    let epochs: Vec<i64> = db
        .prepare("SELECT DISTINCT epoch FROM records ORDER BY epoch")
        .unwrap()
        .query_map([], |r| r.get(0))
        .unwrap()
        .map(|n| n.unwrap())
        .collect();
    assert!(epochs.len() >= 4);
    for (a, b) in epochs.iter().flat_map(|a| epochs.iter().filter(move |b| a < *b).map(move |b| (*a, *b))) {
        for columns in [&["header"][..], &["header", "tenant"]] {
            columns.iter().for_each(|c| swap(&db, "epochs", c, "n", a, b));
            let vault = Vault::open(&kept.path, common::operator()).unwrap();
            assert!(!kept.read_all(&vault, "epoch headers"));
            assert!(!vault.check().unwrap().is_sound());
            columns.iter().for_each(|c| swap(&db, "epochs", c, "n", a, b));
        }
    }
    db.pragma_update(None, "foreign_keys", false).unwrap();
    db.execute("DELETE FROM epochs WHERE n = ?1", [epochs[0]]).unwrap();
    let vault = Vault::open(&kept.path, common::operator()).unwrap();
    assert_eq!(kept.records[0].read(&vault).unwrap_err().kind(), ErrorKind::Damaged);
    assert!(!vault.check().unwrap().is_sound());
}

#[test]
fn an_epoch_that_somebody_else_signed_opens_nothing() {
    let kept = Kept::closed();
    let vault = Vault::open(&kept.path, common::operator()).unwrap();
    let db = rows(&kept.path);
    db.pragma_update(None, "foreign_keys", false).unwrap();
    db.execute("DELETE FROM writers", []).unwrap();
    for record in &kept.records {
        assert_eq!(record.read(&vault).unwrap_err().kind(), ErrorKind::Tampered);
    }
    assert!(!vault.check().unwrap().is_sound());
}

#[test]
fn an_object_or_shred_file_that_is_cut_extended_or_gone_is_a_typed_error() {
    let kept = Kept::closed();
    let vault = Vault::open(&kept.path, common::operator()).unwrap();
    let record = &kept.records[0];
    let file = kept.object(record, 2);
    let whole = fs::read(&file).unwrap();
    let opened = record.owner.session(&vault).read(record.id).unwrap();
    let chunk = 16 * 1024 + 16;
    let cuts = [0, 1, 55, 56, 71, 72, 56 + chunk, 56 + chunk + 16, whole.len() - 16, whole.len() - 1];
    let mut changed: Vec<Vec<u8>> = cuts.iter().map(|len| whole[..*len].to_vec()).collect();
    changed.push([&whole[..], &[0]].concat());
    changed.push([&whole[..], &whole[..]].concat());
    for bytes in changed {
        fs::write(&file, &bytes).unwrap();
        assert_eq!(opened.part(2).unwrap_err().kind(), ErrorKind::Damaged, "{} bytes", bytes.len());
        assert_eq!(kinds(&vault), [FindingKind::Missing], "{} bytes", bytes.len());
    }
    fs::write(&file, &whole).unwrap();
    // Cut under an open reader.
    let mut reader = opened.part(2).unwrap();
    fs::write(&file, &whole[..whole.len() - 100]).unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    let inner = error.get_ref().unwrap().downcast_ref::<Error>().unwrap();
    assert!([ErrorKind::Damaged, ErrorKind::Tampered].contains(&inner.kind()), "{inner:?}");
    fs::remove_file(&file).unwrap();
    assert_eq!(opened.part(2).unwrap_err().kind(), ErrorKind::Damaged);
    assert_eq!(kinds(&vault), [FindingKind::Missing]);
    fs::write(&file, &whole).unwrap();

    let shred = fs::read(kept.path.join("shred")).unwrap();
    for len in [0, 31, 32 * record.header.parts[0].slot as usize + 31] {
        fs::write(kept.path.join("shred"), &shred[..len]).unwrap();
        assert_eq!(record.read(&vault).unwrap_err().kind(), ErrorKind::Damaged, "{len} bytes");
        assert!(kinds(&vault).contains(&FindingKind::Missing));
        assert!(!record.owner.session(&vault).check().unwrap().is_clean());
    }
    fs::remove_file(kept.path.join("shred")).unwrap();
    drop(vault);
    assert_eq!(Vault::open(&kept.path, common::operator()).unwrap_err().kind(), ErrorKind::Damaged);
}

#[test]
fn rows_of_before_an_erasure_bring_nothing_back() {
    let kept = Kept::closed();
    let vault = Vault::open(&kept.path, common::operator()).unwrap();
    let record = &kept.records[0];
    let old = ["vault.db", "anchor"].map(|name| (name, fs::read(kept.path.join(name)).unwrap()));
    let mut shred = fs::read(kept.path.join("shred")).unwrap();
    for part in &record.header.parts {
        shred[part.slot as usize * 32..][..32].fill(0);
    }
    fs::write(kept.path.join("shred"), &shred).unwrap();
    let db = rows(&kept.path);
    db.pragma_update(None, "foreign_keys", false).unwrap();
    db.execute("DELETE FROM records WHERE id = ?1", [record.id.as_bytes()]).unwrap();
    assert_eq!(record.read(&vault).unwrap_err().kind(), ErrorKind::NotFound);
    drop((vault, db));
    old.iter().for_each(|(name, bytes)| fs::write(kept.path.join(name), bytes).unwrap());
    let vault = Vault::open(&kept.path, common::operator()).unwrap();
    assert_eq!(record.read(&vault).unwrap_err().kind(), ErrorKind::Erased);
    assert!(kept.read_all_but(&vault, "an older database", &[record.id]));
}

#[test]
fn a_record_of_another_vault_or_under_an_older_header_does_not_open() {
    let (kept, other) = (Kept::closed(), Kept::closed());
    let vault = Vault::open(&kept.path, common::operator()).unwrap();
    let (record, foreign) = (&kept.records[0], &other.records[0]);
    let db = rows(&kept.path);
    let put = |header: &RecordHeader| {
        let (sql, bytes) = ("UPDATE records SET header = ?1, digest = ?3 WHERE id = ?2", header.to_bytes());
        assert_eq!(db.execute(sql, params![bytes, record.id.as_bytes(), sha256(&bytes)]).unwrap(), 1);
        record.read(&vault).unwrap_err().kind()
    };
    assert_eq!(put(&foreign.header), ErrorKind::Tampered);
    // A header of the record's own in which one field is another's, as if it had been so before.
    let next = &kept.records[1].header;
    let mut forged: Vec<(&str, RecordHeader)> = Vec::new();
    let mut forge = |what, change: &dyn Fn(&mut RecordHeader)| {
        let mut header = record.header.clone();
        change(&mut header);
        forged.push((what, header));
    };
    forge("vault", &|h| h.vault = foreign.header.vault);
    forge("tenant", &|h| h.tenant = kept.records[3].header.tenant);
    forge("record", &|h| h.record = next.record);
    forge("epoch", &|h| h.epoch = kept.records[2].header.epoch);
    forge("seq", &|h| h.seq = next.seq);
    forge("seq behind the end", &|h| h.seq = u32::MAX);
    forge("time", &|h| h.time = Timestamp::from_unix_ms(h.time.unix_ms() + 1));
    forge("wrap", &|h| h.wrap = next.wrap.clone());
    forge("fewer shares", &|h| drop(h.shares.pop()));
    forge("more shares", &|h| h.shares.push(next.shares[0].clone()));
    forge("the head's slot", &|h| h.parts[0].slot = next.parts[0].slot);
    forge("a slot that cannot be", &|h| h.parts[0].slot = u64::MAX);
    forge("a part less", &|h| h.parts.truncate(2));
    forge("a part more", &|h| h.parts.push(next.parts[1]));
    forge("a part's length", &|h| h.parts[1].len = u64::MAX);
    forge("a part's digest", &|h| h.parts[2].digest = next.parts[2].digest);
    for (what, header) in &forged {
        let kind = put(header);
        assert!([ErrorKind::Tampered, ErrorKind::Damaged].contains(&kind), "{what}: {kind:?}");
        assert!(kept.read_all_but(&vault, what, &[record.id]));
        vault.check().unwrap();
        let report = record.owner.session(&vault).check().unwrap();
        assert!(report.findings.iter().any(|f| f.record == Some(record.id)), "{what}: {report}");
    }
}

/// A closed vault with records of two tenants in several epochs, and what each holds.
struct Kept {
    _dir: tempfile::TempDir,
    path: PathBuf,
    acme: Arc<Owner>,
    bolt: Arc<Owner>,
    /// The first two are of one epoch, the third of another of the same tenant, the others of the other tenant.
    records: Vec<Known>,
}

struct Known {
    owner: Arc<Owner>,
    id: RecordId,
    header: RecordHeader,
    head: Head,
    parts: Vec<Vec<u8>>,
}

impl Kept {
    fn closed() -> Self {
        Self::with(&[2, 1, 1, 1], 70_000)
    }

    /// So many records in each epoch, the first two epochs of one tenant, the others of the other.
    fn with(epochs: &[usize], audio: usize) -> Self {
        let world = World::new();
        let path = world.path();
        let World { dir, vault, writer, acme, bolt } = world;
        let (acme, bolt) = (Arc::new(acme), Arc::new(bolt));
        let mut records = Vec::new();
        for (n, count) in epochs.iter().enumerate() {
            let owner = if n < 2 { &bolt } else { &acme };
            let ingestor = vault.ingestor(&owner.pin, Arc::clone(&writer)).unwrap();
            for m in 0..*count {
                let mut audio = noise(audio);
                audio[0] = (10 * n + m) as u8;
                let parts = vec![format!("record {m} of epoch {n}").into_bytes(), audio];
                let draft = Draft::new(Channel::Voice)
                    .start(Timestamp::from_unix_ms(1000 * n as i64 + m as i64))
                    .idempotency_key(format!("{n} {m}"))
                    .part(PartKind::Transcript, "text/plain", Cursor::new(parts[0].clone()))
                    .part(PartKind::Audio, "audio/wav", Cursor::new(parts[1].clone()));
                let id = ingestor.ingest(draft).unwrap().record;
                let record = owner.session(&vault).read(id).unwrap();
                let (header, head) = (record.header().clone(), record.head().clone());
                records.push(Known { owner: Arc::clone(owner), id, header, head, parts });
            }
        }
        drop(vault);
        let db = rows(&path);
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        drop(db);
        let mut names: Vec<_> = fs::read_dir(&path).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["anchor", "live", "objects", "reserve", "shred", "vault.db"]);
        Self { _dir: dir, path, acme, bolt, records }
    }

    fn object(&self, record: &Known, part: usize) -> PathBuf {
        let hex = |id: String| id.replace('-', "");
        let name = format!("{}.{part}", hex(record.id.to_string()));
        self.path.join("objects").join(hex(record.header.epoch.to_string())).join(name)
    }

    /// A session of each owner who can have one.
    fn sessions(&self, vault: &Vault) -> Vec<TenantSession> {
        let open = |owner: &Arc<Owner>| {
            vault.session(owner.pin.tenant, Arc::clone(&owner.identity), Access::new("tester", "test")).ok()
        };
        [&self.acme, &self.bolt].into_iter().filter_map(open).collect()
    }

    /// Reads every record by id and in both listings. Whether all were there; what is there must be true.
    fn read_all(&self, vault: &Vault, what: &str) -> bool {
        self.read_all_but(vault, what, &[])
    }

    fn read_all_but(&self, vault: &Vault, what: &str, but: &[RecordId]) -> bool {
        self.read_all_in(&self.sessions(vault), what, but)
    }

    fn read_all_in(&self, sessions: &[TenantSession], what: &str, but: &[RecordId]) -> bool {
        let known: HashMap<_, _> = self.records.iter().map(|r| (r.id, r)).collect();
        let expected: Vec<_> = self.records.iter().filter(|r| !but.contains(&r.id)).collect();
        let mut seen = 0;
        for session in sessions {
            let own = |record: &Known| record.owner.pin.tenant == session.tenant();
            seen += expected.iter().filter(|r| own(r) && r.read_in(session).is_ok()).count();
            let always = Timestamp::from_unix_ms(i64::MIN)..Timestamp::from_unix_ms(i64::MAX);
            for listing in [Listing::by_commit(), Listing::by_time(always)] {
                let Ok(page) = session.list(&listing) else { continue };
                for record in page.items.into_iter().filter_map(|i| i.record.ok()) {
                    let known = known[&record.id()];
                    assert!(own(known) && known.head == *record.head(), "{what}: another record");
                }
            }
        }
        seen == expected.len()
    }

    /// Where the database holds the numbers of slots in record headers.
    fn slot_numbers(&self, database: &[u8]) -> Vec<std::ops::Range<usize>> {
        let of = |record: &Known| {
            let header = record.header.to_bytes();
            let start = place_of(database, &header).start;
            let place = |p: &PartHeader| {
                let start = start + place_of(&header, &p.digest).start - 16;
                start..start + 8
            };
            record.header.parts.iter().map(place).collect::<Vec<_>>()
        };
        self.records.iter().flat_map(of).collect()
    }
}

impl Known {
    fn read(&self, vault: &Vault) -> Result<()> {
        self.read_in(&self.owner.session(vault))
    }

    /// Reads everything; what does not fail is compared.
    fn read_in(&self, session: &TenantSession) -> Result<()> {
        let record = session.read(self.id)?;
        assert!(*record.head() == self.head, "another head");
        let mut failed = None;
        for (number, part) in (1..).zip(&self.parts) {
            match record.read_part(number) {
                Ok(bytes) => assert!(bytes == *part, "another part {number}"),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

fn kinds(vault: &Vault) -> Vec<FindingKind> {
    vault.check().unwrap().findings.iter().map(|f| f.kind).collect()
}

fn place_of(bytes: &[u8], part: &[u8]) -> std::ops::Range<usize> {
    let start = bytes.windows(part.len()).position(|w| w == part).unwrap();
    start..start + part.len()
}

/// Positions spread over a file, most of them where something stands.
fn sample(bytes: &[u8], count: usize) -> Vec<usize> {
    let written: Vec<usize> = (0..bytes.len())
        .filter(|at| bytes[at.saturating_sub(8)..(at + 8).min(bytes.len())].iter().any(|b| *b != 0))
        .collect();
    let (most, few) = (count * 9 / 10, count / 10);
    let mut positions: Vec<usize> = (0..most).map(|n| written[n * written.len() / most]).collect();
    positions.extend((0..few).map(|n| n * bytes.len() / few));
    positions
}

fn flip_every(
    db: &Connection,
    table: &str,
    column: &str,
    row: &str,
    record: &Known,
    step: usize,
    look: impl FnMut(usize),
) {
    let mut look = look;
    let id = record.id.as_bytes();
    let whole: Vec<u8> =
        db.query_row(&format!("SELECT {column} FROM {table} WHERE {row}"), [id], |r| r.get(0)).unwrap();
    let update = format!("UPDATE {table} SET {column} = ?2 WHERE {row}");
    for at in (0..whole.len()).step_by(step) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        assert_eq!(db.execute(&update, params![id, bytes]).unwrap(), 1);
        look(at);
    }
    db.execute(&update, params![id, whole]).unwrap();
}

fn swap(db: &Connection, table: &str, column: &str, key: &str, a: i64, b: i64) {
    let get = |n: i64| -> rusqlite::types::Value {
        db.query_row(&format!("SELECT {column} FROM {table} WHERE {key} = ?1"), [n], |r| r.get(0)).unwrap()
    };
    let (of_a, of_b) = (get(a), get(b));
    for (n, value) in [(a, of_b), (b, of_a)] {
        let sql = format!("UPDATE {table} SET {column} = ?1 WHERE {key} = ?2");
        assert_eq!(db.execute(&sql, params![value, n]).unwrap(), 1);
    }
}

fn exchange_ids(db: &Connection, a: RecordId, b: RecordId) {
    let between = RecordId::from_bytes([0; 16]);
    for (from, to) in [(a, between), (b, a), (between, b)] {
        let sql = "UPDATE records SET id = ?1 WHERE id = ?2";
        assert_eq!(db.execute(sql, params![to.as_bytes(), from.as_bytes()]).unwrap(), 1);
    }
}

fn exchange_files(a: &Path, b: &Path) {
    let between = a.with_extension("between");
    for (from, to) in [(a, &*between), (b, a), (&*between, b)] {
        fs::rename(from, to).unwrap();
    }
}

/// Who rewrites a header rewrites its digest too.
fn sha256(bytes: &[u8]) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().to_vec()
}
