use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::world::*;
use crate::audio::Filler;
use crate::error::ErrorKind;
use crate::id::RecordId;
use crate::production::*;
use crate::record::{Channel, Draft, DraftPart, PartKind};
use crate::redact::{Redacted, Redaction, Redactions};

const CARD: &str = "4111111111111111";
const WHY: &str = "cardholder data";

fn with(options: ProductionOptions, all: Vec<Redaction>) -> ProductionOptions {
    options.redactions(Redactions::of(all).unwrap())
}

/// The card number in the transcript of [`call`].
fn card(record: RecordId) -> Redaction {
    let body = crate::text::Text::of("application/json", TRANSCRIPT.as_bytes()).body().to_owned();
    let at = body.find(CARD).unwrap();
    Redaction::new(record, 2, Redacted::Text(at..at + CARD.len()), WHY)
}

fn seconds(record: RecordId, part: usize, from: u64, to: u64, with: Filler) -> Redaction {
    Redaction::new(record, part, Redacted::Audio { ms: from * 1000..to * 1000, with }, WHY)
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn of_a_redacted_text_a_copy_is_produced_and_nothing_that_says_the_same() {
    let world = World::new();
    let more = |draft: Draft<'static>| {
        let part =
            |kind, media_type, text: &str| DraftPart::new(kind, media_type, Cursor::new(text.as_bytes().to_vec()));
        draft
            .with(part(PartKind::Analysis, "text/plain", "the card is 4111111111111111"))
            .with(part(PartKind::Original, "application/json", "{\"card\":\"4111111111111111\"}"))
            .with(part(PartKind::Attachment, "text/plain", "a form").name("form.txt"))
    };
    let id = world.ingest(more(call("+15722568385", 2)));
    for options in [portable, litigation] {
        let archive = world.archive(&wanted(&[id]), with(options(), vec![card(id)]));
        assert!(!holds(&archive, CARD), "it is in the archive");
    }
    let vcon = world.produce(&wanted(&[id]), with(portable(), vec![card(id)])).json(&format!("data/vcons/{id}.json"));
    let body = URL_SAFE_NO_PAD.decode(vcon["analysis"][0]["body"].as_str().unwrap_or_default());
    let body = body.ok().and_then(|body| String::from_utf8(body).ok());
    let body = body.unwrap_or_else(|| vcon["analysis"][0]["body"].as_str().unwrap().to_owned());
    assert!(body.contains("[REDACTED: cardholder data]") && !body.contains(CARD), "{body}");
    assert_eq!(vcon["analysis"].as_array().unwrap().len(), 1);
    let produced = world.produce(&wanted(&[id]), with(litigation(), vec![card(id)]));
    let lines = produced.load_file();
    let column = |name: &str| lines.iter().map(|line| line[name].as_str()).collect::<Vec<_>>();
    assert_eq!(column("DOCTYPE"), ["transcript", "attachment"]);
    assert_eq!((column("REDACTED"), column("REDACTIONREASON")), (vec!["Y", "N"], vec![WHY, ""]));
    assert_eq!((column("FILEEXT")[0], column("MEDIATYPE")[0]), ("txt", "text/plain; charset=utf-8"));
    let native = produced.text("data/ABC_VOL001/NATIVES/0001/ABC0000001.txt");
    assert!(native.contains("Olivia: My card is [REDACTED: cardholder data]."), "{native}");
    assert_eq!(produced.text("data/ABC_VOL001/TEXT/0001/ABC0000001.txt"), native);

    let log = produced.sheet("data/ABC_VOL001/DATA/redactions.csv");
    let line = |name: &str| log[0][name].as_str();
    assert_eq!((log.len(), line("Bates"), line("Part"), line("Reason")), (1, "ABC0000001", "2", WHY));
    assert_eq!((line("Place"), line("Number")), ("place 1 of 1 in the text", "1"));
    let withheld = produced.sheet("data/ABC_VOL001/DATA/withheld.csv");
    let parts: Vec<_> = withheld.iter().map(|line| (line["Part"].as_str(), line["Document Type"].as_str())).collect();
    assert_eq!(parts, [("2", "transcript"), ("1", "audio"), ("3", "analysis"), ("4", "original")]);
    assert_eq!(withheld[0]["Bates of the redacted copy"], "ABC0000001");
    assert!(withheld[1..].iter().all(|line| line["Reason"].contains("may say what is redacted")));
    let record = world.session.read(id).unwrap();
    assert_eq!(withheld[0]["SHA-256 of the sealed original"], crate::id::hex(&record.header().parts[2].digest));

    // Whoever knows all but some digits could try them against a digest of the original.
    let integrity = produced.json("data/ABC_VOL001/DATA/integrity.json");
    assert!(integrity["documents"][0]["original"].is_null() && !integrity["documents"][1]["original"].is_null());
    assert_eq!(integrity["documents"][0]["redacted"], true);
    let manifest = produced.json("custody/disclosure.json");
    assert_eq!((&manifest["redacted"], &manifest["withheld"]), (&1.into(), &3.into()));
    assert!(produced.text("data/ABC_VOL001/DATA/certification.txt").contains("1 of them are redacted"));
    let vcon = produced.json(&format!("data/ABC_VOL001/VCON/0001/{id}.json"));
    assert_eq!(vcon["analysis"][0]["mediatype"], "text/plain; charset=utf-8");
    let custody = produced.sheet("data/ABC_VOL001/DATA/custody.csv");
    assert!(custody[1]["What changed"].contains("1 place of the copy redacted"), "{}", custody[1]["What changed"]);
}

#[test]
fn of_a_redacted_recording_nothing_hidden_is_heard_and_its_transcript_is_withheld_unless_reviewed() {
    let world = World::new();
    let id = world.ingest(call("+15722568385", 20));
    let all = || vec![seconds(id, 1, 5, 7, Filler::Silence), seconds(id, 1, 15, 16, Filler::Tone)];
    let produced = world.produce(&wanted(&[id]), with(litigation(), all()));
    let lines = produced.load_file();
    assert_eq!((lines.len(), lines[0]["DOCTYPE"].as_str(), lines[0]["REDACTED"].as_str()), (1, "audio", "Y"));
    let (file, whole) = (produced.bytes("data/ABC_VOL001/NATIVES/0001/ABC0000001.wav"), wav(20));
    let (data, of) = (&file[file.len() - 160_000..], &whole[whole.len() - 160_000..]);
    assert_eq!(
        (&data[..40_000], &data[56_000..120_000], &data[128_000..]),
        (&of[..40_000], &of[56_000..120_000], &of[128_000..])
    );
    assert!(data[40_000..56_000].iter().all(|b| *b == 0xFF), "silence in µ-law");
    assert_ne!(data[120_000..128_000], of[120_000..128_000]);
    let log = produced.sheet("data/ABC_VOL001/DATA/redactions.csv");
    assert_eq!(log[0]["Place"], "5000 to 7000 ms of the recording, silence");
    assert_eq!(log[1]["Place"], "15000 to 16000 ms of the recording, a tone");

    let reviewed = world.produce(&wanted(&[id]), with(litigation(), all()).produce_whole(id, 2));
    assert_eq!(reviewed.load_file().len(), 2);
    assert!(reviewed.text("data/ABC_VOL001/TEXT/0001/ABC0000002.txt").contains(CARD));
}

#[test]
fn a_redacted_stretch_has_both_and_one_with_nothing_hidden_in_it_is_as_it_was() {
    let world = World::new();
    let id = world.ingest(call("+15722568385", 20));
    let of = |stretch| Wanted { records: vec![WantedRecord { record: id, kinds: None, stretch: Some(stretch) }] };
    let all = || vec![seconds(id, 1, 5, 7, Filler::Silence)];
    let produced = world.produce(&of(4_000..6_000), with(portable(), all()));
    let line = produced.json("data/integrity.json")["documents"][0].clone();
    assert_eq!((&line["redacted"], &line["stretch"]["ms"]), (&true.into(), &serde_json::json!([4000, 6000])));
    let file = produced.bytes(&format!("data/{}", line["file"].as_str().unwrap()));
    let (data, whole) = (&file[file.len() - 16_000..], wav(20));
    assert_eq!(data[..8_000], whole[whole.len() - 160_000 + 32_000..][..8_000]);
    assert!(data[8_000..].iter().all(|b| *b == 0xFF));
    assert_eq!(produced.sheet("data/redactions.csv").len(), 1);

    let produced = world.produce(&of(10_000..11_000), with(portable(), all()));
    let line = produced.json("data/integrity.json")["documents"][0].clone();
    assert_eq!((&line["redacted"], line["original"].is_null()), (&false.into(), false));
    assert!(produced.sheet("data/redactions.csv").is_empty());
    assert_eq!(produced.json("custody/disclosure.json")["redacted"], 0);

    let behind = world.produce(&of(60_000..61_000), with(portable(), all()));
    assert!(behind.sheet("data/withheld.csv")[0]["Reason"].contains("cannot be cut"));
}

#[test]
fn what_is_withheld_whole_has_its_reason_in_the_log_and_takes_what_says_the_same_with_it() {
    let world = World::new();
    let id = world.ingest(call("+15722568385", 2));
    let whole = |part| vec![Redaction::new(id, part, Redacted::Whole, "attorney-client privilege")];
    let produced = world.produce(&wanted(&[id]), with(portable(), whole(1)));
    let withheld = produced.sheet("data/withheld.csv");
    assert_eq!((withheld.len(), withheld[0]["Reason"].as_str()), (2, "attorney-client privilege"));
    assert!(withheld[1]["Reason"].contains("may say what is redacted or withheld"));
    assert_eq!(produced.json("custody/disclosure.json")["records"], 0);
    let produced = world.produce(&wanted(&[id]), with(portable(), whole(1)).produce_whole(id, 2));
    assert_eq!(produced.json("custody/disclosure.json")["documents"], 1);

    // A summary that is kept back says nothing of the call.
    let analysed = call("+15722568385", 2).part(PartKind::Analysis, "text/plain", Cursor::new(b"angry".to_vec()));
    let id = world.ingest(analysed);
    let summary = vec![Redaction::new(id, 3, Redacted::Whole, "work product")];
    let produced = world.produce(&wanted(&[id]), with(portable(), summary));
    assert_eq!(produced.json("custody/disclosure.json")["documents"], 2);
}

#[test]
fn what_cannot_be_redacted_is_withheld() {
    let world = World::new();
    let draft = Draft::new(Channel::Voice).part(PartKind::Audio, "audio/x-unknown", Cursor::new(vec![1; 5000])).part(
        PartKind::Attachment,
        "application/pdf",
        Cursor::new(b"%PDF 4111111111111111".to_vec()),
    );
    let id = world.ingest(draft);
    let pdf = Redaction::new(id, 2, Redacted::Text(5..10), WHY);
    let options = || with(portable(), vec![seconds(id, 1, 1, 2, Filler::Tone), pdf.clone()]);
    assert!(!holds(&world.archive(&wanted(&[id]), options()), CARD));
    let withheld = world.produce(&wanted(&[id]), options()).sheet("data/withheld.csv");
    assert!(withheld.len() == 2 && withheld.iter().all(|line| line["Reason"].contains("nothing can be redacted")));
}

#[test]
fn a_redaction_that_fits_nothing_is_refused_and_nothing_is_produced() {
    let world = World::new();
    let (id, other) = (world.ingest(call("+15722568385", 2)), world.ingest(call("+15722568386", 2)));
    let refused = |options| world.prepare(&wanted(&[id]), options, 1).map(|_| ()).unwrap_err().kind();
    let text = |part, range| vec![Redaction::new(id, part, Redacted::Text(range), WHY)];
    for all in [
        vec![card(other)],
        text(3, 0..1),
        text(1, 0..1),
        text(2, 0..100_000),
        vec![seconds(id, 2, 0, 1, Filler::Tone)],
        vec![seconds(id, 1, 100, 101, Filler::Tone)],
    ] {
        let named = format!("{all:?}");
        assert_eq!(refused(with(portable(), all)), ErrorKind::InvalidInput, "{named}");
    }
    assert_eq!(refused(portable().produce_whole(other, 1)), ErrorKind::InvalidInput);
    assert_eq!(refused(portable().produce_whole(id, 3)), ErrorKind::InvalidInput);
}

#[test]
fn a_redacted_message_tells_nothing_of_its_header() {
    let world = World::new();
    let id = world.ingest(letter("SECRET-SUBJECT"));
    let part = world.session.read(id).unwrap().text(1).unwrap();
    let at = part.body().find("SECRET-SUBJECT").unwrap();
    let all = || vec![Redaction::new(id, 1, Redacted::Text(at..at + 14), WHY)];
    for options in [portable, litigation] {
        assert!(!holds(&world.archive(&wanted(&[id]), with(options(), all())), "SECRET-SUBJECT"));
    }
    let line = world.produce(&wanted(&[id]), with(litigation(), all())).load_file()[0].clone();
    assert_eq!((line["SUBJECT"].as_str(), line["FROM"].as_str(), line["REDACTED"].as_str()), ("", "", "Y"));
}
