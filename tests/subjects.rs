//! Finding records by who was in them and by what their heads say.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::io::{self, Cursor as Bytes, Read};
use std::sync::Barrier;

use common::{World, rows, text};
use strongroom::*;

fn tel(n: usize) -> Identifier {
    Identifier::tel(&format!("+4930{n:07}")).unwrap()
}

fn call(n: usize, who: usize) -> Draft<'static> {
    let start = Timestamp::from_unix_ms(1_700_000_000_000 + (n as i64 * 7919 % 1000) * 1000);
    text(&format!("call {n}")).start(start).subject(Subject::new(Role::Customer, tel(who)))
}

/// All ids of a listing, page by page.
fn all(session: &TenantSession, listing: &Listing) -> Vec<RecordId> {
    let (mut ids, mut listing) = (Vec::new(), listing.clone());
    loop {
        let page = session.list(&listing).unwrap();
        ids.extend(page.items.iter().map(|i| i.record.as_ref().unwrap().id()));
        match page.next {
            Some(next) => listing = listing.after(next),
            None => return ids,
        }
    }
}

#[test]
fn a_persons_number_finds_exactly_his_records_in_order_over_epochs_writers_and_pages() {
    let w = World::new();
    let mut expected: Vec<Vec<(i64, RecordId)>> = vec![Vec::new(); 40];
    for epoch in 0..3 {
        // A new ingestor is a new epoch.
        let ingestor = w.ingestor(&w.acme);
        let drafts: Vec<_> = (0..100).map(|n| call(epoch * 100 + n, (n * n + epoch) % 40)).collect();
        let times: Vec<_> =
            (0..100).map(|n| 1_700_000_000_000 + ((epoch * 100 + n) as i64 * 7919 % 1000) * 1000).collect();
        let ids = ingestor.ingest_batch(drafts).unwrap();
        for (n, ingested) in ids.iter().enumerate() {
            expected[(n * n + epoch) % 40].push((times[n], ingested.record));
        }
    }
    // Somebody else's tenant has the same people.
    w.ingestor(&w.bolt).ingest(call(0, 0)).unwrap();
    let session = w.session(&w.acme);
    for (who, mut expected) in expected.into_iter().enumerate() {
        expected.sort_by_key(|(time, id)| (*time, *id));
        let expected: Vec<RecordId> = expected.into_iter().rev().map(|(_, id)| id).collect();
        for limit in [1, 3, 100] {
            assert_eq!(all(&session, &Listing::newest().subject(tel(who)).limit(limit)), expected, "{who} by {limit}");
        }
        let mut oldest = all(&session, &Listing::by_commit().subject(tel(who)));
        oldest.sort();
        let mut ids = expected.clone();
        ids.sort();
        assert_eq!(oldest, ids);
    }
    assert!(all(&session, &Listing::newest().subject(tel(40))).is_empty());
    let period = Timestamp::from_unix_ms(1_700_000_100_000)..Timestamp::from_unix_ms(1_700_000_200_000);
    for id in all(&session, &Listing::by_time(period.clone()).subject(tel(1))) {
        assert!(period.contains(&session.read(id).unwrap().head().time()));
    }
}

#[test]
fn an_identifier_of_another_kind_or_spelling_is_somebody_else() {
    let w = World::new();
    let mail = Identifier::mailto("olivia@example.com").unwrap();
    let number = Identifier::customer("C-17").unwrap();
    let olivia = Subject::new(Role::Customer, mail.clone()).with_identifier(number.clone()).with_identifier(tel(1));
    // Named twice in one record, found once.
    let draft = text("hello").subject(olivia).subject(Subject::new(Role::Other("cc".into()), mail.clone()));
    let id = w.ingestor(&w.acme).ingest(draft).unwrap().record;
    let session = w.session(&w.acme);
    for who in [mail, number, tel(1), Identifier::mailto("OLIVIA@EXAMPLE.com").unwrap()] {
        assert_eq!(all(&session, &Listing::newest().subject(who)), [id]);
    }
    for who in [Identifier::customer("olivia@example.com").unwrap(), Identifier::customer("c-17").unwrap()] {
        assert!(all(&session, &Listing::newest().subject(who)).is_empty());
    }
}

/// A source that fails.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("unplugged"))
    }
}

#[test]
fn records_that_fail_beside_others_hide_none_of_them() {
    let w = World::new();
    let ingestor = w.ingestor(&w.acme);
    let together = Barrier::new(8);
    let stored: Vec<RecordId> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let (ingestor, together) = (&ingestor, &together);
                scope.spawn(move || {
                    together.wait();
                    let mut stored = Vec::new();
                    for n in 0..30 {
                        let draft = call(thread * 30 + n, 1).idempotency_key(format!("key {}", (thread * 30 + n) / 2));
                        let draft = if n % 3 == 1 { draft.part(PartKind::Chat, "text/plain", Broken) } else { draft };
                        if let Ok(ingested) = ingestor.ingest(draft) {
                            stored.push(ingested.record);
                        }
                    }
                    stored
                })
            })
            .collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    let mut stored = stored;
    stored.sort();
    stored.dedup();
    let mut found = all(&w.session(&w.acme), &Listing::newest().subject(tel(1)));
    found.sort();
    assert_eq!(found, stored);
    assert!(stored.len() >= 80, "{} stored", stored.len());
}

#[test]
fn a_cursor_stays_true_while_others_write() {
    let w = World::new();
    let ingestor = w.ingestor(&w.acme);
    let first: Vec<RecordId> = (0..50).map(|n| ingestor.ingest(call(n, 1)).unwrap().record).collect();
    let session = w.session(&w.acme);
    let listing = Listing::newest().subject(tel(1)).limit(7);
    let before = all(&session, &listing);
    let mut page = session.list(&listing).unwrap();
    let mut ids = Vec::new();
    let mut n = 50;
    loop {
        ids.extend(page.items.iter().map(|i| i.id));
        let Some(next) = page.next else { break };
        ingestor.ingest(call(n, 1)).unwrap();
        n += 1;
        page = session.list(&listing.clone().after(next.to_string().parse().unwrap())).unwrap();
    }
    let old: Vec<RecordId> = ids.iter().copied().filter(|id| first.contains(id)).collect();
    assert_eq!(old, before);
}

#[test]
fn heads_are_filtered_by_everything_that_they_say() {
    let w = World::new();
    let ingestor = w.ingestor(&w.acme);
    for n in 0..200usize {
        let draft = if n.is_multiple_of(2) { Draft::new(Channel::Voice) } else { Draft::new(Channel::Chat) };
        let direction = if n % 3 == 0 { Direction::Inbound } else { Direction::Outbound };
        let language = ["de", "de-CH", "en"][n % 3];
        let draft = draft.direction(direction).queue(format!("q{}", n % 5)).agent(format!("a{}", n % 7));
        let draft = draft.language(language).tag(format!("t{}", n % 4)).tag("all");
        ingestor.ingest(draft.part(PartKind::Chat, "text/plain", Bytes::new(format!("{n}")))).unwrap();
    }
    let session = w.session(&w.acme);
    let count = |listing: Listing| all(&session, &listing.limit(9)).len();
    let among = |admits: &dyn Fn(usize) -> bool| (0..200).filter(|n| admits(*n)).count();
    assert_eq!(count(Listing::newest().channel(Channel::Voice)), 100);
    assert_eq!(count(Listing::newest().direction(Direction::Inbound)), among(&|n| n % 3 == 0));
    assert_eq!(count(Listing::newest().queue("q3").agent("a2")), among(&|n| n % 5 == 3 && n % 7 == 2));
    assert_eq!(count(Listing::newest().language("DE")), among(&|n| n % 3 != 2));
    assert_eq!(count(Listing::by_commit().tag("all").tag("t1")), 50);
    assert_eq!(count(Listing::newest().queue("q")), 0);
    let page = session.list(&Listing::newest().queue("q3").limit(40)).unwrap();
    assert_eq!((page.items.len(), page.next), (40, None));
}

#[test]
fn a_token_that_leads_to_another_record_is_told_and_tokens_of_one_value_share_nothing() {
    let w = World::new();
    let ingestor = w.ingestor(&w.acme);
    ingestor.ingest_batch((0..6).map(|n| call(n, n / 3)).collect()).unwrap();
    let db = rows(&w.path());
    let mut tokens: Vec<Vec<u8>> = db
        .prepare("SELECT token FROM tokens")
        .unwrap()
        .query_map([], |r| r.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 6);
    db.execute("UPDATE tokens SET record = (SELECT max(n) FROM records) WHERE record = 1", []).unwrap();
    let page = w.session(&w.acme).list(&Listing::newest().subject(tel(0))).unwrap();
    let bad: Vec<_> = page.items.iter().filter_map(|i| i.record.as_ref().err()).map(Error::kind).collect();
    assert_eq!((page.items.len(), &bad[..]), (3, &[ErrorKind::Tampered][..]));
}

#[test]
fn a_check_tells_of_every_record_that_a_missing_token_hides() {
    let w = World::new();
    for batch in 0..2 {
        w.ingestor(&w.acme).ingest_batch((0..9).map(|n| call(batch * 9 + n, n % 2)).collect()).unwrap();
    }
    let session = w.session(&w.acme);
    assert!(session.check().unwrap().is_clean());
    // The third of the first epoch's five records of person 0: it and the two behind it are not found.
    rows(&w.path()).execute("DELETE FROM tokens WHERE record = 5", []).unwrap();
    assert_eq!(all(&session, &Listing::newest().subject(tel(0))).len(), 7);
    let report = session.check().unwrap();
    let found: Vec<_> = report.findings.iter().map(|f| f.kind).collect();
    assert_eq!(found, [FindingKind::Index; 3]);
}
