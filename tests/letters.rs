//! E-mails, mbox files and chat logs come in whole, and hostile ones do no harm.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::io::BufReader;

use common::World;
use strongroom::*;

const MESSAGE: &[u8] = b"Date: Fri, 23 Sep 2022 21:44:25 +0200 (CEST)\r
From: =?utf-8?Q?J=C3=BCrgen?= <Juergen@example.com>\r
To: \"Help, Desk\" <help@mail.bank.example>, other@example.org\r
Message-ID: <three@example.com>\r
In-Reply-To: <two@bank.example>\r
References: <one@example.com> <two@bank.example>\r
Subject: =?utf-8?B?S3VuZGVuLU5yLiA0Nw==?=\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=\"b\"\r
\r
--b\r
Content-Type: text/html; charset=windows-1252\r
Content-Transfer-Encoding: quoted-printable\r
\r
<p>Gr=FC=DFe aus <b>K=F6ln</b></p>\r
--b\r
Content-Type: application/pdf; name=\"a.pdf\"\r
Content-Disposition: attachment; filename*=utf-8''Rechnung%20%E2%82%AC.pdf\r
Content-Transfer-Encoding: base64\r
\r
JVBERi0xLjQ=\r
--b\r
Content-Type: message/rfc822\r
\r
From: inner@example.com\r
Subject: inner\r
\r
inner text\r
--b--\r
";

#[test]
fn a_message_is_kept_byte_for_byte_with_its_people_thread_and_attachments() {
    let w = World::new();
    let imported = mail::Import::new().own_domain("bank.example").import(MESSAGE).unwrap();
    assert_eq!(imported.coercions, []);
    let id = w.ingestor(&w.acme).ingest(imported.into_draft()).unwrap().record;
    let session = w.session(&w.acme);
    let record = session.read(id).unwrap();
    let head = record.head();
    assert_eq!(head.start.unwrap().to_string(), "2022-09-23T19:44:25.000Z");
    assert!(head.direction == Some(Direction::Inbound) && head.channel == Channel::Email);
    assert_eq!(head.tags, ["thread:one@example.com"]);
    assert!(head.idempotency_key.as_deref().unwrap().starts_with("mail:three@example.com:"));
    assert_eq!(head.subjects[0].name.as_deref(), Some("Jürgen"));
    let roles: Vec<&Role> = head.subjects.iter().map(|s| &s.role).collect();
    assert!(roles == [&Role::Customer, &Role::Agent, &Role::Customer]);
    assert_eq!(record.read_part(1).unwrap(), MESSAGE);
    let parts: Vec<_> =
        record.parts().skip(1).map(|(n, p)| (p.name.clone().unwrap(), record.read_part(n).unwrap())).collect();
    assert_eq!(parts[0], ("Rechnung €.pdf".to_owned(), b"%PDF-1.4".to_vec()));
    assert!(parts[1].1.starts_with(b"From: inner@example.com"));
    assert_eq!(parts.len(), 2);
    let who = Identifier::mailto("juergen@EXAMPLE.com").unwrap();
    assert_eq!(session.list(&Listing::newest().subject(who)).unwrap().items.len(), 1);
    let text = record.text(1).unwrap();
    assert!(
        text.body().contains("Subject: Kunden-Nr. 47") && text.body().contains("Grüße aus Köln"),
        "{}",
        text.body()
    );

    let outbound = b"From: help@bank.example\nTo: a@example.com\nDate: Fri, 23 Sep 2022 21:44:25\nSubject: x\n\nhi\n";
    let imported = mail::Import::new().own_domain("bank.example").import(outbound).unwrap();
    let id = w.ingestor(&w.acme).ingest(imported.draft).unwrap().record;
    let head = session.read(id).unwrap().head().clone();
    assert_eq!(
        (head.direction, head.start, head.agent.as_deref()),
        (Some(Direction::Outbound), None, Some("help@bank.example"))
    );
    assert_eq!(imported.coercions[0].place, "Date");
}

#[test]
fn strange_messages_are_refused_or_read_and_never_panic() {
    let import = |bytes: &[u8]| mail::Import::new().import(bytes);
    for bad in [&b""[..], b"\0\0\0", b"no header at all", b"{\"json\": 1}", &[0xFF; 1000]] {
        assert_eq!(import(bad).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    let mut deep = b"From: a@example.com\r\n".to_vec();
    for n in 0..3000 {
        deep.extend(format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n").bytes());
    }
    let long = [&b"From: a@example.com\r\nSubject: "[..], &vec![b'x'; 1 << 20], b"\r\n\r\n"].concat();
    let many = [b"From: ".to_vec(), b"a@example.com, ".repeat(20_000), b"\r\n\r\n".to_vec()].concat();
    for strange in [deep, long, many] {
        let _ = import(&strange);
    }
    for at in 0..MESSAGE.len() {
        let _ = import(&MESSAGE[..at]);
        let mut changed = MESSAGE.to_vec();
        changed[at] ^= 0x80;
        let _ = import(&changed);
    }
}

#[test]
fn an_mbox_file_gives_every_message_and_says_what_it_changed() {
    let file = b"From a@b Thu Jan  1 00:00:00 1970\nFrom: a@example.com\nSubject: 1\n\n>From here\nFrom there\n\nFrom c@d x\n\
        From: b@example.com\r\nSubject: 2\r\n\r\n>>From\r\n>>From far\r\n\r\nFrom e@f\nFrom: c@example.com\n\nlast, without an end";
    let messages: Vec<_> = mail::Mbox::new(BufReader::with_capacity(7, &file[..])).map(Result::unwrap).collect();
    assert_eq!(messages[0].bytes, b"From: a@example.com\nSubject: 1\n\nFrom here\nFrom there\n");
    assert_eq!(messages[1].bytes, b"From: b@example.com\r\nSubject: 2\r\n\r\n>>From\r\n>From far\r\n");
    assert_eq!(messages[2].bytes, b"From: c@example.com\n\nlast, without an end");
    assert_eq!(messages.iter().map(|m| m.unquoted).collect::<Vec<_>>(), [1, 1, 0]);
    let kinds = |bytes: &[u8]| mail::Mbox::new(bytes).map(|m| m.map(|_| ()).map_err(|e| e.kind())).collect::<Vec<_>>();
    assert_eq!(kinds(b"\n\n"), []);
    assert_eq!(kinds(b"no mbox\nFrom x\n"), [Err(ErrorKind::InvalidInput)]);
    let mut huge = b"From x\nA: b\n".to_vec();
    huge.extend(vec![b'y'; 70 << 20]);
    huge.extend(b"\n\nFrom y\nC: d\n");
    assert_eq!(kinds(&huge), [Err(ErrorKind::TooLarge), Ok(())]);
}

#[test]
fn a_line_of_text_that_nobody_quoted_does_not_end_a_message() {
    let message = |n: u32| format!("From: u{n}@example.com\nSubject: {n}\n\nHello\n\nFrom now on we quote.\nFrom me\n");
    let lines = [
        "From u@x.example Fri Nov 20 15:04:05 2026\n",
        "From - Fri Nov 20 15:04:05 2026\n",
        "From \n",
        "From u@x.example\n",
    ];
    for line in lines {
        let file: String = (0..3).map(|n| format!("{line}{}\n", message(n))).collect();
        for file in [file.clone(), file.replace('\n', "\r\n")] {
            let all: Vec<_> = mail::Mbox::new(file.as_bytes()).map(|m| m.unwrap().bytes).collect();
            let ends = if file.contains('\r') { "\r\n" } else { "\n" };
            let expected: Vec<_> = (0..3).map(|n| message(n).replace('\n', ends).into_bytes()).collect();
            assert_eq!(all, expected, "{line}");
        }
    }
    // Written without empty lines between messages.
    let dense: String = (0..3).map(|n| format!("{}From: u{n}@example.com\n\nHello\n", lines[0])).collect();
    assert_eq!(mail::Mbox::new(dense.as_bytes()).count(), 3);
}

#[test]
fn a_log_of_many_conversations_keeps_what_it_says_of_each() {
    let csv = "conversation_id,text,order\r\n7,\"one\ntwo\",A-1\r\n8,three,B-2\r\n7,four,A-3,more";
    let lines = "{\"conversation_id\":7,\"text\":\"one\",\"order\":\"A-1\"}\n{\"conversation_id\":8,\"text\":\"two\"}\nno json\n";
    let json = r#"[{"id":7,"csat":5,"messages":[{"text":"one","order":"A-1"}]},{"id":8,"csat":1,"messages":[]}]"#;
    let expected = [
        (
            csv,
            chat::Format::Csv,
            [
                "conversation_id,text,order\r\n7,\"one\ntwo\",A-1\r\n7,four,A-3,more",
                "conversation_id,text,order\r\n8,three,B-2\r\n",
            ],
        ),
        (
            lines,
            chat::Format::JsonLines,
            [
                "{\"conversation_id\":7,\"text\":\"one\",\"order\":\"A-1\"}",
                "{\"conversation_id\":8,\"text\":\"two\"}\nno json",
            ],
        ),
        (
            json,
            chat::Format::Json,
            [
                r#"[{"csat":5,"id":7,"messages":[{"order":"A-1","text":"one"}]}]"#,
                r#"[{"csat":1,"id":8,"messages":[]}]"#,
            ],
        ),
    ];
    for (log, format, told) in expected {
        let w = World::new();
        let records = ingest(&w, chat::import(log.as_bytes(), format, &chat::Mapping::default()).unwrap());
        let kept: Vec<String> = records
            .iter()
            .map(|record| {
                let (number, _) = record.parts().find(|(_, p)| p.kind == PartKind::Original).unwrap();
                String::from_utf8(record.read_part(number).unwrap()).unwrap()
            })
            .collect();
        assert_eq!(kept, told, "{format}");
    }
}

fn ingest(w: &World, imported: Vec<Imported>) -> Vec<Record> {
    let session = w.session(&w.acme);
    let drafts = imported.into_iter().map(Imported::into_draft).collect();
    let all = w.ingestor(&w.acme).ingest_batch(drafts).unwrap();
    all.into_iter().map(|i| session.read(i.record).unwrap()).collect()
}

#[test]
fn chat_logs_of_every_format_become_the_same_conversations() {
    let csv = "Conversation_ID,Time,Role,Author,Text,Phone\n\
        7,2026-03-01T10:00:00Z,agent,Louis,\"Hello, there\",\n\
        8,1772359200,customer,Ann,\"two\nlines\",+49 30 1234567\n\
        7,2026-03-01T10:00:05Z,customer,Olivia,My card is lost,+1 572 256 8385\n";
    let lines = r#"{"conversation_id":7,"time":"2026-03-01T10:00:00Z","role":"agent","author":"Louis","text":"Hello, there"}
{"conversation_id":8,"time":1772359200,"role":"customer","author":"Ann","text":"two\nlines","phone":"+49 30 1234567"}
{"conversation_id":7,"time":"2026-03-01T10:00:05Z","role":"customer","author":"Olivia","text":"My card is lost","phone":"+1 572 256 8385"}"#;
    let json = r#"[{"id":7,"phone":"+1 572 256 8385","messages":[
        {"time":"2026-03-01T10:00:00Z","role":"agent","author":"Louis","text":"Hello, there"},
        {"time":"2026-03-01T10:00:05Z","role":"customer","author":"Olivia","text":"My card is lost"}]},
        {"id":8,"phone":"+49 30 1234567","messages":[{"time":1772359200,"role":"customer","author":"Ann","text":"two\nlines"}]}]"#;
    for (log, format) in [(csv, chat::Format::Csv), (lines, chat::Format::JsonLines), (json, chat::Format::Json)] {
        let w = World::new();
        let imported = chat::import(log.as_bytes(), format, &chat::Mapping::default()).unwrap();
        assert!(imported.iter().all(|i| i.coercions.is_empty()), "{format}: {imported:?}");
        let records = ingest(&w, imported);
        assert_eq!(records.len(), 2, "{format}");
        let head = records[0].head();
        assert_eq!(
            (head.start.unwrap().to_string().as_str(), head.duration_ms),
            ("2026-03-01T10:00:00.000Z", Some(5000))
        );
        assert_eq!((head.agent.as_deref(), head.subjects.len()), (Some("Louis"), 2));
        let text = records[0].text(1).unwrap();
        assert_eq!(text.body(), "Hello, there\nMy card is lost");
        let turn = text.turn_at(20).unwrap();
        assert_eq!((turn.speaker.as_deref(), turn.at_ms), (Some("Olivia"), Some(5000)));
        assert_eq!(records[1].text(1).unwrap().body(), "two\nlines");
        for (who, n) in [("+15722568385", 0), ("+49301234567", 1)] {
            let found = w.session(&w.acme).list(&Listing::newest().subject(Identifier::tel(who).unwrap())).unwrap();
            assert_eq!(found.items.iter().map(|i| i.id).collect::<Vec<_>>(), [records[n].id()], "{format} {who}");
        }
    }
}

#[test]
fn what_a_log_says_oddly_is_kept_and_listed() {
    let w = World::new();
    let log =
        "{\"text\":\"one\",\"time\":\"2026-03-01 10:00:00\",\"phone\":\"none\"}\nnot json\n[1]\n{\"colour\":\"red\"}\n";
    let imported = chat::import(log.as_bytes(), chat::Format::JsonLines, &chat::Mapping::default()).unwrap();
    assert_eq!(imported.len(), 1);
    assert_eq!(imported[0].coercions.len(), 5, "{:?}", imported[0].coercions);
    let records = ingest(&w, imported);
    assert_eq!(records[0].text(1).unwrap().body(), "one\nnot json\n[1]\n{\"colour\":\"red\"}");
    assert_eq!(records[0].read_part(2).unwrap(), log.as_bytes());
    assert_eq!(records[0].head().start, None);
    let listed = String::from_utf8(records[0].read_part(3).unwrap()).unwrap();
    assert_eq!(listed.lines().count(), 5);
    assert!(!listed.contains("red") && !listed.contains("2026"), "a coercion tells a value: {listed}");

    let mapping =
        chat::Mapping::from_json(br#"{"text":["Beitrag"],"speaker":["Wer"],"agents":["Berater"],"zone":"+01:00"}"#)
            .unwrap();
    let log = "Wer;Beitrag\n";
    assert_eq!(chat::import(log.as_bytes(), chat::Format::Csv, &mapping).unwrap_err().kind(), ErrorKind::InvalidInput);
    let log = "wer,BEITRAG,time\nBerater,Guten Tag,2026-03-01T10:00:00\n";
    let records = ingest(&w, chat::import(log.as_bytes(), chat::Format::Csv, &mapping).unwrap());
    assert_eq!(records[0].head().start.unwrap().to_string(), "2026-03-01T09:00:00.000Z");
    assert_eq!(records[0].head().agent.as_deref(), Some("Berater"));
    assert!(chat::Mapping::from_json(b"{\"texts\":[]}").is_err());
    for bad in ["", "[]", "7", "{", "\u{feff}"] {
        let refused = chat::import(bad.as_bytes(), chat::Format::Json, &chat::Mapping::default()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{bad}");
    }
}
