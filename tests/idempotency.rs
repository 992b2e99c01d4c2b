//! A producer that sends the same interaction again, from anywhere and at any time, makes no second record.

mod common;

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Barrier};
use std::thread;

use common::{World, files, noise, rows, text};
use strongroom::*;

#[test]
fn the_same_draft_under_the_same_key_is_the_same_record() {
    let world = World::new();
    let ingestor = world.ingestor(&world.bolt);
    let first = ingestor.ingest(call("call 1")).unwrap();
    assert!(!first.duplicate);
    let stored = stored(&world);
    for _ in 0..3 {
        let again = ingestor.ingest(call("call 1")).unwrap();
        assert_eq!((again.record, again.duplicate), (first.record, true));
    }
    let batch = ingestor.ingest_batch(vec![call("call 1"), call("call 1")]).unwrap();
    assert!(batch.iter().all(|i| (i.record, i.duplicate) == (first.record, true)));
    drop(ingestor);
    assert_eq!(self::stored(&world), stored);
    assert!(world.vault.check().unwrap().is_clean());
}

#[test]
fn the_same_draft_twice_in_one_batch_is_one_record() {
    let world = World::new();
    let ingestor = world.ingestor(&world.acme);
    let batch = ingestor.ingest_batch(vec![call("a"), text("other"), call("a"), call("b"), call("a")]).unwrap();
    let ids: Vec<_> = batch.iter().map(|i| i.record).collect();
    assert_eq!(batch.iter().map(|i| i.duplicate).collect::<Vec<_>>(), [false, false, true, false, true]);
    assert!(ids[0] == ids[2] && ids[0] == ids[4] && ids[0] != ids[3] && ids[0] != ids[1]);
    drop(ingestor);
    let report = world.vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.records, 3);
}

#[test]
fn a_key_is_recognised_after_a_restart_and_by_a_sibling_and_by_no_stranger() {
    let world = World::new();
    let first = world.ingestor(&world.acme).ingest(call("a")).unwrap();
    let vault = Vault::open(world.path(), common::operator()).unwrap();
    let restarted: WriterKey = world.writer.expose_secret().parse().unwrap();
    let sibling = world.writer.sibling().unwrap();
    let stranger = WriterKey::generate().unwrap();
    for (writer, recognised) in [(restarted, true), (sibling, true), (stranger, false)] {
        vault.enrol_writer(writer.public_key()).unwrap();
        let ingestor = vault.ingestor(&world.acme.pin, writer).unwrap();
        let ingested = ingestor.ingest(call("a")).unwrap();
        assert_eq!((ingested.duplicate, ingested.record == first.record), (recognised, recognised));
    }
    assert_eq!(vault.check().unwrap().records, 2);
}

#[test]
fn eight_threads_with_two_writers_at_the_same_moment_make_one_record() {
    let world = World::new();
    let sibling = Arc::new(world.writer.sibling().unwrap());
    world.vault.enrol_writer(sibling.public_key()).unwrap();
    let other = Vault::open(world.path(), common::operator()).unwrap().ingestor(&world.acme.pin, sibling).unwrap();
    let ingestor = world.ingestor(&world.acme);
    for round in 0..5 {
        let together = Barrier::new(8);
        let ingested: Vec<Ingested> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|n| {
                    let (together, ingestor) = (&together, if n % 2 == 0 { &ingestor } else { &other });
                    scope.spawn(move || {
                        together.wait();
                        ingestor.ingest(call(&format!("round {round}"))).unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(ingested.iter().map(|i| i.record).collect::<HashSet<_>>().len(), 1);
        assert_eq!(ingested.iter().filter(|i| !i.duplicate).count(), 1);
    }
    drop((ingestor, other));
    let report = world.vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.records, report.parts), (5, 15));
}

#[test]
fn another_draft_under_the_same_key_is_refused_whatever_differs() {
    let world = World::new();
    let ingestor = world.ingestor(&world.acme);
    let part = |media: &str, bytes: &[u8]| DraftPart::new(PartKind::Chat, media, io::Cursor::new(bytes.to_vec()));
    let base = || Draft::new(Channel::Chat).idempotency_key("k").tag("t");
    let same = || base().with(part("text/plain", b"Hello."));
    let first = ingestor.ingest(same()).unwrap();
    let others = vec![
        ("content", base().with(part("text/plain", b"Hello!"))),
        ("length", base().with(part("text/plain", b"Hello.\0"))),
        ("media type", base().with(part("text/html", b"Hello."))),
        ("part name", base().with(part("text/plain", b"Hello.").name("x"))),
        ("kind", base().part(PartKind::Email, "text/plain", &b"Hello."[..])),
        ("another part", same().part(PartKind::Chat, "text/plain", &b""[..])),
        ("where a part ends", base().with(part("text/plain", b"Hel")).with(part("text/plain", b"lo."))),
        ("tag", same().tag("u")),
        ("start", same().start(Timestamp::from_unix_ms(1))),
        ("agent", same().agent("louis")),
        ("queue", same().queue("louis")),
        ("channel", Draft::new(Channel::Sms).idempotency_key("k").tag("t").with(part("text/plain", b"Hello."))),
        ("subject", same().subject(Subject::named(Role::Customer, "Olivia"))),
        ("amended record", same().amends(first.record)),
    ];
    for (what, draft) in others {
        assert_eq!(ingestor.ingest(draft).expect_err(what).kind(), ErrorKind::IdempotencyConflict, "{what}");
    }
    assert_eq!(ingestor.ingest(same()).unwrap().record, first.record);
    drop(ingestor);
    assert_eq!(world.vault.check().unwrap().records, 1);
}

#[test]
fn two_tenants_may_use_the_same_key_for_different_things() {
    let world = World::new();
    let acme = world.ingestor(&world.acme).ingest(text("acme's").idempotency_key("k")).unwrap();
    let bolt = world.ingestor(&world.bolt).ingest(text("bolt's").idempotency_key("k")).unwrap();
    assert!(!acme.duplicate && !bolt.duplicate && acme.record != bolt.record);
    let (one, two) = rows(&world.path())
        .query_row("SELECT min(token), max(token) FROM idempotency", [], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .unwrap();
    assert_ne!(one, two, "equal keys of two tenants would show");
}

#[test]
fn the_key_is_nowhere_on_the_disk_and_back_in_the_owners_head() {
    let world = World::new();
    let key = "order-7391-of-olivia";
    let ingestor = world.ingestor(&world.acme);
    let id = ingestor.ingest(call(key)).unwrap().record;
    ingestor.ingest(call(key)).unwrap();
    ingestor.ingest(text("other").idempotency_key(key)).unwrap_err();
    for file in files(&world.path()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(key.len()).any(|w| w == key.as_bytes()), "{}", file.display());
    }
    assert_eq!(world.session(&world.acme).read(id).unwrap().head().idempotency_key.as_deref(), Some(key));
}

fn call(key: &str) -> Draft<'static> {
    text("said").part(PartKind::Audio, "audio/wav", io::Cursor::new(noise(90_000))).idempotency_key(key)
}

/// Files of objects, live slots, rows.
fn stored(world: &World) -> (usize, i64, i64, i64) {
    let db = rows(&world.path());
    let count = |table| db.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0)).unwrap();
    (files(&world.path().join("objects")).len(), count("records"), count("parts"), count("idempotency"))
}
