//! Looking through texts, and what the disk tells of them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor as Bytes;
use std::ops::ControlFlow;

use common::{World, files, rows, text};
use strongroom::*;

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn filler(n: usize) -> String {
    let words = ["invoice", "meter", "contract", "Grüße", "callback", "tariff", "déjà vu", "reading", "order"];
    (0..40).map(|i| words[(n * 31 + i * i * 7) % words.len()]).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_phrase_in_37_of_10_000_transcripts_is_found_37_times() {
    let w = World::new();
    let ingestor = w.ingestor(&w.acme);
    let with: BTreeSet<usize> = (0..37).map(|i| i * 271 + 3).collect();
    let mut planted = BTreeSet::new();
    for batch in 0..10 {
        let drafts = (batch * 1000..(batch + 1) * 1000).map(|n| {
            let phrase =
                if with.contains(&n) { " I want to CANCEL\r\n my Éclair subscription " } else { " cancel my order " };
            text(&format!("{}{phrase}{}", filler(n), filler(n + 1)))
        });
        let ids = ingestor.ingest_batch(drafts.collect()).unwrap();
        planted.extend((0..1000).filter(|i| with.contains(&(batch * 1000 + i))).map(|i| ids[i].record));
    }
    let session = w.session(&w.acme);
    let phrase = Pattern::phrase("cancel my éclair").unwrap();
    let mut last = 0;
    let found = session
        .search(&Listing::newest(), &phrase, |progress| {
            assert!(progress.looked_at >= last && progress.of == 10_000);
            last = progress.looked_at;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(found.records.iter().map(|m| m.record.id()).collect::<BTreeSet<_>>(), planted);
    assert_eq!((found.records.len(), found.unsearched.len(), found.next, last), (37, 0, None, 10_000));

    // In pages, and again after somebody lost patience.
    let (mut ids, mut listing) = (Vec::new(), Listing::newest().limit(5));
    loop {
        let mut calls = 0;
        let page = session.search(&listing, &phrase, |_| {
            calls += 1;
            if calls == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let page = page.unwrap();
        assert!(page.records.len() <= 5);
        ids.extend(page.records.iter().map(|m| m.record.id()));
        match page.next {
            Some(next) => listing = listing.after(next),
            None => break,
        }
    }
    assert_eq!(ids, found.records.iter().map(|m| m.record.id()).collect::<Vec<_>>());
}

#[test]
fn a_match_tells_where_who_and_when_in_every_format() {
    let w = World::new();
    let ingestor = w.ingestor(&w.acme);
    let cases: [(&str, &str, Option<&str>, Option<u64>); 6] = [
        ("text/plain", "[00:01] Agent: hello\n[00:03] Olivia: the needle\tis here", Some("Olivia"), Some(3000)),
        ("text/vtt", "WEBVTT\n\n00:03.000 --> 00:04.000\n<v Olivia>the needle is here\n", Some("Olivia"), Some(3000)),
        (
            "application/json",
            r#"[{"speaker":"Olivia","start":3,"text":"the n\u0065edle is here"}]"#,
            Some("Olivia"),
            Some(3000),
        ),
        ("application/jsonl", "{\"from\":\"Olivia\",\"text\":\"the needle is here\"}\n", Some("Olivia"), None),
        ("text/html; charset=utf-8", "<p>the <b>needle</b> is here</p>", None, None),
        (
            "message/rfc822",
            "From: Olivia <o@example.com>\r\nTo: help@bank.example\r\nSubject: =?utf-8?q?hay?=\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nthe nee=\r\ndle is here\r\n",
            Some("Olivia"),
            None,
        ),
    ];
    for (media_type, content, ..) in &cases {
        let kind = if *media_type == "message/rfc822" { PartKind::Email } else { PartKind::Transcript };
        ingestor.ingest(Draft::new(Channel::Voice).part(kind, *media_type, content.as_bytes())).unwrap();
    }
    let session = w.session(&w.acme);
    let pattern = Pattern::regex(r"(?i)the needle\b").unwrap();
    let found = session.search(&Listing::by_commit(), &pattern, go_on).unwrap();
    assert_eq!(found.records.len(), cases.len());
    for (hit, (media_type, _, speaker, at_ms)) in found.records.iter().zip(&cases) {
        let place = &hit.places[0];
        assert_eq!((hit.count, place.part), (1, 1), "{media_type}");
        assert_eq!((place.speaker.as_deref(), place.at_ms), (*speaker, *at_ms), "{media_type}");
        let text = hit.record.text(1).unwrap();
        assert_eq!(&text.body()[place.range.clone()], "the needle", "{media_type}");
        assert_eq!(&place.snippet[place.highlight.clone()], "the needle", "{media_type}");
        assert!(!place.snippet.contains(char::is_control));
    }
}

#[test]
fn only_texts_of_the_listing_are_looked_through_and_what_does_not_open_is_named() {
    let w = World::new();
    let ingestor = w.ingestor(&w.acme);
    let mut ids = Vec::new();
    for n in 0..20 {
        let draft = text("the needle").queue(if n % 2 == 0 { "a" } else { "b" });
        ids.push(ingestor.ingest(draft).unwrap().record);
    }
    let note = Draft::new(Channel::Voice).part(PartKind::Attachment, "text/plain", &b"the needle"[..]);
    ingestor.ingest(note).unwrap();
    let session = w.session(&w.acme);
    let pattern = Pattern::exact("needle").unwrap();
    assert_eq!(session.search(&Listing::newest().queue("a"), &pattern, go_on).unwrap().records.len(), 10);
    assert_eq!(session.search(&Listing::newest(), &pattern, go_on).unwrap().records.len(), 20);
    assert_eq!(session.search(&Listing::newest(), &Pattern::exact("Needle").unwrap(), go_on).unwrap().records.len(), 0);

    rows(&w.path()).execute("UPDATE parts SET body = zeroblob(length(body)) WHERE at >> 16 = 3", []).unwrap();
    let found = session.search(&Listing::newest(), &pattern, go_on).unwrap();
    assert_eq!((found.records.len(), found.unsearched.len()), (19, 1));
    assert_eq!((found.unsearched[0].0, found.unsearched[0].1.kind()), (ids[2], ErrorKind::Tampered));
    // Another tenant's session finds nothing of it.
    assert!(w.session(&w.bolt).search(&Listing::newest(), &pattern, go_on).unwrap().records.is_empty());
}

#[test]
fn long_and_strange_texts_are_looked_through_whole() {
    let w = World::new();
    let ingestor = w.ingestor(&w.acme);
    let mut long = "ж".repeat(400_000);
    long.push_str(" needle ");
    long.push_str(&"日".repeat(100));
    let latin = b"caf\xe9 needle".to_vec();
    let utf16: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain("größe needle".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for bytes in [long.into_bytes(), latin, utf16] {
        ingestor.ingest(Draft::new(Channel::Chat).part(PartKind::Chat, "text/plain", Bytes::new(bytes))).unwrap();
    }
    let session = w.session(&w.acme);
    let found = session.search(&Listing::by_commit(), &Pattern::phrase("NEEDLE").unwrap(), go_on).unwrap();
    assert_eq!(found.records.len(), 3);
    assert_eq!(found.records[0].places[0].snippet.chars().count(), 60 + 6 + 60);
    assert_eq!(found.records[1].places[0].snippet, "café needle");
    assert_eq!(found.records[2].places[0].snippet, "größe needle");
    let every = session.search(&Listing::by_commit().limit(1), &Pattern::regex("ж").unwrap(), go_on).unwrap();
    assert_eq!((every.records[0].count, every.records[0].places.len()), (400_000, 100));
}

/// What somebody who holds the disk can put side by side: every number, and the length of everything else.
fn observed(w: &World) -> BTreeMap<String, Vec<String>> {
    let db = rows(&w.path());
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let names: Vec<String> =
        db.prepare(tables).unwrap().query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
    let mut seen = BTreeMap::new();
    for table in names {
        let mut statement = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for (at, column) in columns.iter().enumerate() {
                let value = match row.get_ref(at).unwrap() {
                    rusqlite::types::ValueRef::Blob(blob) => format!("{} bytes", blob.len()),
                    // Clocks differ between any two vaults.
                    _ if ["time", "enrolled"].contains(&column.as_str()) => "a time".to_owned(),
                    other => format!("{other:?}"),
                };
                seen.entry(format!("{table}.{column}")).or_insert_with(Vec::new).push(value);
            }
        }
    }
    let files =
        files(&w.path()).into_iter().filter(|f| !f.file_name().unwrap().to_string_lossy().starts_with("vault.db"));
    seen.insert("files".into(), files.map(|f| format!("{} bytes", f.metadata().unwrap().len())).collect());
    // The order of rows with random keys is random, too.
    seen.values_mut().for_each(|values| values.sort());
    seen
}

#[test]
fn who_holds_two_vaults_that_differ_in_one_text_learns_its_padded_length_and_how_many_people_it_names() {
    let fill = |secret: &str, people: &[&str]| {
        let w = World::new();
        let ingestor = w.ingestor(&w.acme);
        for n in 0..5 {
            let mut draft = text(if n == 3 { secret } else { "the same in both" });
            for who in if n == 3 { people } else { &["+49301"][..] } {
                let who = Identifier::tel(&format!("{who}23456")).unwrap();
                draft = draft.subject(Subject::new(Role::Customer, who));
            }
            ingestor.ingest(draft).unwrap();
        }
        drop(ingestor);
        w
    };
    let differences = |a: &World, b: &World| {
        let (a, b) = (observed(a), observed(b));
        assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
        a.into_iter().filter(|(name, values)| &b[name] != values).map(|(name, _)| name).collect::<Vec<_>>()
    };
    let first = fill("a short secret", &["+49302"]);
    // Another text of the same padded length, of another person, even of the one who is in the others: nothing.
    assert!(differences(&first, &fill("quite another secret, of other words", &["+49303"])).is_empty());
    assert!(differences(&first, &fill("a short secret", &["+49301"])).is_empty());
    // A longer one: the length of its part, in steps.
    assert_eq!(differences(&first, &fill(&"long ".repeat(1000), &["+49302"])), ["parts.body"]);
    // More people: their number.
    let more = differences(&first, &fill("a short secret", &["+49302", "+49304"]));
    assert_eq!(more, ["tokens.epoch", "tokens.record", "tokens.token"]);
}
