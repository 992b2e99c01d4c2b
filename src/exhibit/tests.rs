use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;

use super::*;
use crate::audio::{AudioInfo, Codec, Filler, Peaks};
use crate::html::{Check, checker};
use crate::id::{OrderId, RecordId};
use crate::record::{Channel, Direction, Draft, Head, Identifier, PartKind, Role, Subject};
use crate::text::Text;
use crate::time::Timestamp;

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\u{202e}&\"'";
const SOUND: &str = "../files/call.wav";
const TEXT: &str = "../files/call.txt";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn occasion() -> Occasion<'static> {
    Occasion {
        order: OrderId::from_bytes([0x42; 16]),
        authority: "District Court",
        reference: "4:26-cv-00817",
        basis: "court-order",
        tenant: "Acme",
        created: time("2026-11-25T10:12:13Z"),
    }
}

fn head() -> Head {
    let customer = Subject::new(Role::Customer, Identifier::tel("+15722568385").unwrap()).with_name("Olivia Flores");
    let draft = Draft::new(Channel::Voice)
        .start(time("2024-03-16T16:09:20Z"))
        .duration_ms(57_168)
        .direction(Direction::Inbound)
        .queue("billing")
        .subject(customer)
        .subject(Subject::named(Role::Agent, "Louis Anderson"));
    draft.head
}

fn file(kind: PartKind, part: usize, path: &str) -> File<'_> {
    File {
        kind,
        part,
        path,
        inside: None,
        name: None,
        media_type: "audio/x-wav",
        bates: None,
        made: Made::Copied,
        bytes: 12_345,
        sha256: [0xAB; 32],
        sha512: [0xCD; 64],
        original: Some([0xEE; 32]),
        sealed: [0xEF; 32],
    }
}

/// A page with all that one can have, before anything is changed in it.
fn page(head: &Head) -> RecordPage<'_> {
    RecordPage {
        occasion: occasion(),
        index: "../index.html",
        before: None,
        after: None,
        place: (3, 12),
        record: RecordId::from_bytes([7; 16]),
        header: [0x11; 32],
        head,
        bates: None,
        files: &[],
        sounds: &[],
        writings: &[],
        absences: &[],
    }
}

fn written(page: &RecordPage<'_>) -> String {
    let (mut out, mut again) = (Vec::new(), Vec::new());
    page.write(&mut out).unwrap();
    page.write(&mut again).unwrap();
    assert_eq!(out, again, "the same page is other bytes");
    let text = String::from_utf8(out).unwrap();
    checker::check_beside(
        &text,
        &["../index.html", "./before.html", "./after.html", SOUND, TEXT, "../VCON/x%20%3A.json"],
    );
    text
}

fn has(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

fn sound<'a>(peaks: Option<&'a Peaks>, info: &'a AudioInfo, gaps: &'a [Gap<'a>]) -> Sound<'a> {
    Sound { file: 0, ms: 0..60_000, goes_on: false, info: Some(info), peaks, gaps }
}

fn info(codec: Codec) -> AudioInfo {
    AudioInfo { codec, rate_hz: Some(8000), channels: Some(2), bits: None, duration_ms: None }
}

#[test]
fn a_page_says_who_when_and_what_every_file_hashes_to() {
    let (mut head, ranges) = (head(), 2000..5000);
    head.tags = vec!["escalated".to_owned(), "vip".to_owned()];
    let files = [
        File { bates: Some("PROD0000001"), name: Some("a.wav"), ..file(PartKind::Audio, 1, SOUND) },
        File { inside: Some("/analysis/0"), ..file(PartKind::Transcript, 2, "../VCON/x :.json") },
        File { made: Made::Redacted(3, Some(&ranges)), ..file(PartKind::Email, 3, TEXT) },
        File { made: Made::Cut(&ranges), original: None, ..file(PartKind::Original, 4, TEXT) },
    ];
    let text = written(&RecordPage {
        before: Some("before.html"),
        after: Some("after.html"),
        bates: Some(("PROD0000001", "PROD0000004")),
        files: &files,
        ..page(&head)
    });
    has(
        &text,
        &[
            "<title>Call, 16 March 2024</title>",
            "Record 3 of 12, disclosed under an order: <bdi>4:26-cv-00817</bdi>",
            "16 March 2024 at 16:09:20 UTC",
            "<dt>Customer</dt><dd><b><bdi>Olivia Flores</bdi></b><span class=\"identifier\"><bdi>+15722568385</bdi></span>",
            "<dt>Agent</dt><dd><b><bdi>Louis Anderson</bdi></b></dd>",
            "<dt>Lasted</dt><dd>57 s</dd>",
            "<dt>Direction</dt><dd>The customer turned to the company</dd>",
            "<dt>Queue</dt><dd><bdi>billing</bdi></dd>",
            "<dt>Tags</dt><dd><bdi>escalated, vip</bdi></dd>",
            "<dt>Bates numbers</dt><dd><bdi>PROD0000001</bdi> to <bdi>PROD0000004</bdi></dd>",
            "<a href=\"./before.html\">Previous</a><a href=\"./after.html\">Next</a>",
            "<h3>Recording: <a href=\"../files/call.wav\"><bdi>call.wav</bdi></a></h3>",
            "Copied to the byte, 12,345 bytes, <bdi>audio/x-wav</bdi>",
            "<dt>Part</dt><dd>3 of the record</dd>",
            "<dt>Came as</dt><dd><bdi>a.wav</bdi></dd>",
            "<dt>In the file</dt><dd>at <bdi>/analysis/0</bdi></dd>",
            "Cut: 0:02 to 0:05, redacted in 3 places, 12,345 bytes",
            "Cut: 0:02 to 0:05 of the recording, 12,345 bytes",
            &format!("<dt>SHA-256</dt><dd><bdi>{}</bdi></dd>", "ab".repeat(32)),
            &format!("<dt>SHA-512</dt><dd><bdi>{}</bdi></dd>", "cd".repeat(64)),
            &format!("<dt>Sealed original</dt><dd><bdi>{}</bdi></dd>", "ef".repeat(32)),
            &format!("<dt>Header, SHA-256</dt><dd><bdi>{}</bdi></dd>", "11".repeat(32)),
            "<dt>Record</dt><dd><bdi>07070707-0707-0707-0707-070707070707</bdi></dd>",
        ],
    );
    // Of a copy the original's digest would be the same again.
    assert_eq!(text.matches("<dt>Original</dt>").count(), 1);
}

#[test]
fn channels_are_apart_and_what_is_redacted_is_marked_with_its_reason() {
    let (head, info) = (head(), info(Codec::MuLaw));
    let peaks = Peaks { ms: 0..60_000, channels: vec![vec![10, 200, 0, 0, 7, 9], vec![0, 0, 0, 0, 100, 0]] };
    let gaps = [
        Gap { ms: 20_000..30_000, with: Filler::Tone, reason: "privileged" },
        Gap { ms: 59_900..99_000, with: Filler::Silence, reason: "a <name>" },
    ];
    let files = [file(PartKind::Audio, 1, SOUND)];
    let sounds = [sound(Some(&peaks), &info, &gaps)];
    let text = written(&RecordPage { files: &files, sounds: &sounds, ..page(&head) });
    has(
        &text,
        &[
            "<audio controls=\"\" preload=\"metadata\" src=\"../files/call.wav\"",
            "class=\"sound s0\"",
            "class=\"sound s2\"",
            ">Left channel</text>",
            ">Right channel</text>",
            "viewBox=\"0 0 6 200\"",
            "1 min, <bdi>µ-law</bdi>, 8 kHz, two channels",
            "<title>Redacted, 0:20 to 0:30: privileged</title>",
            "<title>Redacted, 0:59.900 to 1:39: a &lt;name&gt;</title>",
            "x=\"33.333%\" width=\"16.667%\"",
            "x=\"99.833%\" width=\"0.400%\"",
            "<b>Redacted 0:20 to 0:30</b>, a tone: <bdi>privileged</bdi>",
            "<b>Redacted 0:59.900 to 1:39</b>, silence: <bdi>a &lt;name&gt;</bdi>",
            "2 channels, 1 min. The loudest place fills the height. Redacted: 0:20 to 0:30, 0:59.900 to 1:39.",
        ],
    );
    // In both channels, and what is wide enough has a word.
    assert_eq!(text.matches("fill=\"url(#hatch0)\"").count(), 4);
    assert_eq!(text.matches(">Redacted</text>").count(), 2);
    assert!(!text.contains("class=\"edge\"") && !text.contains("stretch of a longer recording"));
}

#[test]
fn a_stretch_is_marked_where_it_was_cut_and_counts_as_the_whole_does() {
    let (head, info) = (head(), info(Codec::Pcm));
    let peaks = Peaks { ms: 20_000..50_000, channels: vec![vec![1; 9]] };
    let files = [file(PartKind::Audio, 1, SOUND), file(PartKind::Transcript, 2, TEXT)];
    let said = "[00:05] Louis: Hello.\n[00:25] Olivia: My bill.\n[00:55] Louis: Bye.";
    let text = Text::of("text/plain", said.as_bytes());
    let writings = [Writing { file: 1, text: &text, blocks: &[] }];
    for (start, goes_on, edges) in [(20_000, true, 2), (20_000, false, 1), (0, true, 1)] {
        let sounds = [Sound { ms: start..50_000, goes_on, ..sound(Some(&peaks), &info, &[]) }];
        let page = written(&RecordPage { files: &files, sounds: &sounds, writings: &writings, ..page(&head) });
        assert_eq!(page.matches("class=\"edge\"").count(), edges);
        has(&page, &["This is a stretch of a longer recording, from 0:", " to 0:50. "]);
        // The whole length of the interaction would say how much is missing.
        assert!(!page.contains("<dt>Lasted</dt>"));
        if start == 20_000 {
            has(&page, &["href=\"../files/call.wav#t=5.000\">0:25</a>", "<div class=\"at\">0:05</div>"]);
            assert!(page.contains("x=\"16.667%\" width=\"83.333%\""), "the turn above the picture");
        }
    }
}

#[test]
fn the_transcript_stands_beside_the_recording_turn_by_turn() {
    let (head, info) = (head(), info(Codec::Pcm));
    let peaks = Peaks { ms: 0..60_000, channels: vec![vec![1; 9]] };
    let files = [
        file(PartKind::Audio, 1, SOUND),
        File { made: Made::Redacted(1, None), ..file(PartKind::Transcript, 2, TEXT) },
        file(PartKind::Chat, 3, TEXT),
    ];
    let said = "[00:00] Louis: Hello.\n[00:30] Olivia: My card is [REDACTED: x].\n[00:59.5] Louis: Bye\nnow.";
    let (text, chat) = (Text::of("text/plain", said.as_bytes()), Text::of("text/plain", b"Louis: Hi there."));
    let at = said.find("[REDACTED").unwrap();
    let blocks = std::slice::from_ref(&(at..at + 13)).to_vec();
    let writings = [Writing { file: 1, text: &text, blocks: &blocks }, Writing { file: 2, text: &chat, blocks: &[] }];
    let sounds = [sound(Some(&peaks), &info, &[])];
    let page = written(&RecordPage { files: &files, sounds: &sounds, writings: &writings, ..page(&head) });
    has(
        &page,
        &[
            "<div class=\"beside\">",
            "<a href=\"#t0-1\"><title>Olivia, 0:30</title>",
            "<li id=\"t0-1\">",
            "href=\"../files/call.wav#t=30.000\">0:30</a>",
            "<bdi>My card is </bdi><mark>[REDACTED: x]</mark><bdi>.</bdi>",
            "<bdi>Bye</bdi><br/><bdi>now.</bdi>",
            "redacted in 1 place; ",
            "<h2 id=\"text1\">Chat</h2>",
            "<li id=\"t1-0\"><div><p class=\"speaker s3\"><bdi>Louis</bdi></p>",
            "<p class=\"words\"><bdi>Hi there.</bdi></p>",
        ],
    );
    // Each speaker has a row and a paint of his own.
    assert_eq!((page.matches("\"turn s3\"").count(), page.matches("\"turn s5\"").count()), (2, 1));
}

#[test]
fn texts_for_people_are_shown_and_what_programs_exchange_is_not() {
    let head = head();
    let text = Text::of("text/plain", b"some words");
    for (kind, media_type, shown) in [
        (PartKind::Chat, "application/json", true),
        (PartKind::Email, "message/rfc822", true),
        (PartKind::Analysis, "application/json", true),
        (PartKind::Attachment, "text/html; charset=utf-8", true),
        (PartKind::Attachment, "application/json", false),
        (PartKind::Original, "text/plain", false),
    ] {
        let files = [File { media_type, ..file(kind, 1, TEXT) }];
        let writings = [Writing { file: 0, text: &text, blocks: &[] }];
        let page = written(&RecordPage { files: &files, writings: &writings, ..page(&head) });
        assert_eq!(page.contains("some words"), shown, "{kind} {media_type}");
        has(&page, &["<bdi>call.txt</bdi>"]);
    }
}

#[test]
fn what_has_no_picture_says_so_and_plays_all_the_same() {
    let head = head();
    let files = [file(PartKind::Audio, 1, SOUND)];
    for (codec, is_rare) in [(Codec::Mp3, false), (Codec::Gsm, true), (Codec::Other(HOSTILE.to_owned()), true)] {
        let info = info(codec);
        let sounds = [sound(None, &info, &[])];
        let page = written(&RecordPage { files: &files, sounds: &sounds, ..page(&head) });
        has(&page, &["There is no picture of it", "<audio "]);
        assert_eq!(page.contains("Few browsers play this codec"), is_rare);
        assert!(!page.contains("<svg"));
    }
}

#[test]
fn so_many_turns_that_none_could_be_seen_are_not_drawn() {
    let (head, info) = (head(), info(Codec::Pcm));
    let peaks = Peaks { ms: 0..60_000, channels: vec![vec![1; 9]] };
    let files = [file(PartKind::Audio, 1, SOUND), file(PartKind::Transcript, 2, TEXT)];
    for turns in [400, 401] {
        let said: String = (0..turns).map(|n| format!("[{:02}:{:02}] Louis: {n}\n", n / 60, n % 60)).collect();
        let text = Text::of("text/plain", said.as_bytes());
        let writings = [Writing { file: 1, text: &text, blocks: &[] }];
        let sounds = [Sound { ms: 0..500_000, ..sound(Some(&peaks), &info, &[]) }];
        let page = written(&RecordPage { files: &files, sounds: &sounds, writings: &writings, ..page(&head) });
        assert_eq!(page.contains("\"turn s3\""), turns == 400);
        assert_eq!(page.matches("<li id=\"t0-").count(), turns);
    }
}

#[test]
fn nothing_that_others_wrote_becomes_markup() {
    let mut head = head();
    head.channel = Channel::Other(HOSTILE.to_owned());
    head.subjects = vec![Subject::named(Role::Other(HOSTILE.to_owned()), HOSTILE)];
    for field in [&mut head.agent, &mut head.queue, &mut head.language, &mut head.policy_version] {
        *field = Some(HOSTILE.to_owned());
    }
    head.tags = vec![HOSTILE.to_owned()];
    let info = info(Codec::Other(HOSTILE.to_owned()));
    let peaks = Peaks { ms: 0..60_000, channels: vec![vec![1; 9]; 8] };
    let gaps = [Gap { ms: 1..2, with: Filler::Tone, reason: HOSTILE }];
    let hostile = |kind, path| File {
        inside: Some(HOSTILE),
        name: Some(HOSTILE),
        media_type: HOSTILE,
        bates: Some(HOSTILE),
        ..file(kind, 1, path)
    };
    let files = [hostile(PartKind::Audio, SOUND), hostile(PartKind::Transcript, TEXT)];
    let json = serde_json::json!([{ "speaker": HOSTILE, "start": 1, "text": HOSTILE }]).to_string();
    let text = Text::of("application/json", json.as_bytes());
    let blocks = std::slice::from_ref(&(0..text.body().len())).to_vec();
    let writings = [Writing { file: 1, text: &text, blocks: &[] }, Writing { file: 1, text: &text, blocks: &blocks }];
    let absences = [Absence { part: 4, kind: PartKind::Analysis, reason: HOSTILE, sealed: [0; 32] }];
    let occasion = Occasion { authority: HOSTILE, reference: HOSTILE, basis: HOSTILE, tenant: HOSTILE, ..occasion() };
    let sounds = [sound(Some(&peaks), &info, &gaps)];
    let page = written(&RecordPage {
        occasion,
        bates: Some((HOSTILE, HOSTILE)),
        files: &files,
        sounds: &sounds,
        writings: &writings,
        absences: &absences,
        ..page(&head)
    });
    assert!(!page.contains("<img") && !page.contains('\u{202e}'));
    assert!(page.matches("&lt;img src=x onerror=alert(1)&gt;").count() > 20);
}

#[test]
fn a_record_of_which_nothing_is_known_has_a_page() {
    let mut head = Draft::new(Channel::Email).head;
    head.ingested = time("2026-01-02T03:04:05Z");
    let absences = [Absence { part: 1, kind: PartKind::Email, reason: "privileged", sealed: [0x33; 32] }];
    let page = written(&RecordPage { absences: &absences, ..page(&head) });
    has(
        &page,
        &[
            "Ingested 2 January 2026 at 03:04:05 UTC; when it began is not known",
            "<dt>Who took part</dt><dd>not known</dd>",
            "<th scope=\"row\">E-mail, part 1</th><td class=\"text\"><bdi>privileged</bdi></td>",
            &"33".repeat(32),
        ],
    );
    assert!(!page.contains("id=\"said\""));
}

fn row(n: u8) -> IndexRow {
    let head = head();
    IndexRow {
        record: RecordId::from_bytes([n; 16]),
        page: format!("records/{n}.html"),
        start: head.start.filter(|_| n > 0),
        duration_ms: head.duration_ms,
        channel: head.channel,
        parties: head.subjects.iter().map(party).collect(),
        parts: vec![
            PartKind::Transcript,
            PartKind::Audio,
            PartKind::Analysis,
            PartKind::Transcript,
            PartKind::Analysis,
        ],
        bates: Some((format!("PROD{n}"), format!("PROD{n}"))),
        redacted: u64::from(n == 1),
        withheld: u64::from(n > 0),
    }
}

fn index() -> IndexPage<'static> {
    IndexPage {
        occasion: occasion(),
        profile: "litigation",
        records: 2,
        documents: 8,
        redacted: 1,
        withheld: 2,
        bates: Some(("PROD0", "PROD1")),
        checks: &[Check { shows: "Nothing is missing.", command: "sha256sum -c --quiet manifest-sha256.txt" }],
        values: &[("Order", "42424242")],
    }
}

fn left(n: u8, page: bool) -> Left {
    Left {
        record: RecordId::from_bytes([n; 16]),
        page: page.then(|| format!("records/{n}.html")),
        part: page.then_some((2, PartKind::Transcript)),
        place: if page { "0:02 to 0:05".to_owned() } else { String::new() },
        reason: format!("reason <{n}>"),
    }
}

fn indexed(page: &IndexPage<'_>, rows: Vec<IndexRow>, redacted: Vec<Left>, withheld: Vec<Left>) -> String {
    let mut out = Vec::new();
    page.write(&mut rows.into_iter(), &mut redacted.into_iter(), &mut withheld.into_iter(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    checker::check_beside(&text, &["./records/0.html", "./records/1.html"]);
    text
}

#[test]
fn the_index_lists_every_record_and_what_is_missing() {
    let text = indexed(&index(), vec![row(0), row(1)], vec![left(1, true)], vec![left(1, true), left(9, false)]);
    has(
        &text,
        &[
            "<title>Disclosure 4:26-cv-00817</title>",
            "<dt>Authority</dt><dd><bdi>District Court</bdi></dd>",
            "<dt>Legal basis</dt><dd><bdi>Court order</bdi></dd>",
            "<dt>Records of</dt><dd><bdi>Acme</bdi></dd>",
            "<dt>Profile</dt><dd>Litigation</dd>",
            "<dt>Bates numbers</dt><dd><bdi>PROD0</bdi> to <bdi>PROD1</bdi></dd>",
            "<a href=\"./records/1.html\">16 Mar 2024, 16:09:20</a>",
            "<a href=\"./records/0.html\">Not known</a>",
            "<bdi>Call</bdi>, 57 s<small class=\"lacks\">redacted, parts withheld</small>",
            "<span class=\"party\"><bdi>Olivia Flores, customer, +15722568385</bdi></span>",
            "recording, 2 transcripts, 2 analyses",
            "Transcript, part 2: 0:02 to 0:05</td><td class=\"text\"><bdi>reason &lt;1&gt;</bdi>",
            "09090909-0909-0909-0909-090909090909</small></th><td class=\"text\">The whole record</td>",
            "sha256sum -c --quiet manifest-sha256.txt",
            "<dt>Order</dt><dd><bdi>42424242</bdi></dd>",
        ],
    );
}

#[test]
fn an_index_says_where_there_is_nothing() {
    let page = IndexPage { redacted: 0, withheld: 0, bates: None, ..index() };
    let text = indexed(&page, vec![], vec![], vec![]);
    has(&text, &["Nothing was redacted.", "Nothing was withheld."]);
    assert!(!text.contains("Bates"));
}

/// Counts what arrives.
struct Counting(Rc<Cell<usize>>);

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_index_is_written_as_its_rows_come() {
    let arrived = Rc::new(Cell::new(0));
    let mut half = 0;
    let seen = Rc::clone(&arrived);
    let mut rows = (0..30_000).map(|n| {
        if n == 15_000 {
            half = seen.get();
        }
        row(1)
    });
    let mut out = Counting(Rc::clone(&arrived));
    index().write(&mut rows, &mut std::iter::empty(), &mut std::iter::empty(), &mut out).unwrap();
    drop(rows);
    assert!(half > arrived.get() * 2 / 5, "{half} of {}", arrived.get());
}

#[test]
fn the_style_of_exhibits_loads_nothing_and_cannot_end_early() {
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains('<'));
}
