//! vCons of every version come in, and everything that they say comes back.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::World;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use strongroom::*;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vcons");

fn samples() -> Vec<(String, Vec<u8>)> {
    let mut samples: Vec<_> = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap()))
        .collect();
    samples.sort();
    samples
}

/// The samples that are refused, and why.
const REFUSED: [(&str, ErrorKind); 1] = [
    // The encrypted form: whoever holds its key decrypts it first.
    ("wg_ab_call_ext_rec_encrypted.vcon.json", ErrorKind::Unsupported),
];

/// Everything that a value says: each leaf with the path of names to it, as strings.
fn leaves(value: &Value, path: &str, said: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(k, v)| leaves(v, &format!("{path}/{k}"), said)),
        Value::Array(all) => all.iter().enumerate().for_each(|(n, v)| leaves(v, &format!("{path}/{n}"), said)),
        leaf => said.push((path.to_owned(), leaf.to_string())),
    }
}

/// What 0.4.0 calls a member of earlier versions.
fn renamed(path: &str) -> String {
    let path = path.replace("/mimetype", "/mediatype").replace("/appended/", "/amended/");
    let attachment = path.starts_with("/attachments/") && path.ends_with("/type");
    let party = path.starts_with("/parties/") && path.ends_with("/email");
    if attachment {
        path.replace("/type", "/purpose")
    } else if party {
        path.replace("/email", "/mailto")
    } else {
        path
    }
}

#[test]
fn everything_that_a_document_says_is_in_its_strict_form() {
    let mut seen = 0;
    for (name, bytes) in samples() {
        let Ok(document) = vcon::parse(&bytes) else { continue };
        let (strict, coercions) = vcon::normalise(&document);
        assert_eq!(strict["vcon"], "0.4.0", "{name}");
        let again = vcon::normalise(&strict);
        assert_eq!(again, (strict.clone(), Vec::new()), "{name} changes when it is normalised again");
        let (mut told, mut kept) = (Vec::new(), Vec::new());
        leaves(&document, "", &mut told);
        leaves(&strict, "", &mut kept);
        let replaced = strict.get("strongroom_replaced");
        for (path, value) in told {
            let in_place = kept.iter().any(|(p, v)| *v == value && (*p == path || *p == renamed(&path)));
            // Or under its place, or that of what it was in, among what was replaced.
            let prefixes = path.match_indices('/').map(|(at, _)| &path[..at]).chain([path.as_str()]);
            let aside = prefixes.filter(|p| !p.is_empty()).any(|prefix| {
                let mut inside = Vec::new();
                let found = replaced.and_then(|r| r.get(prefix).or_else(|| r.get(renamed(prefix))));
                found.is_some_and(|found| {
                    leaves(found, prefix, &mut inside);
                    inside.contains(&(path.clone(), value.clone()))
                })
            });
            // Base64 is written anew; that it is the same bytes is asked below.
            let body = path.ends_with("/body")
                && coercions.iter().any(|c| c.place == path || c.place == path.replace("/body", "/encoding"));
            assert!(in_place || aside || body, "{name} loses {path} {}", &value[..value.len().min(80)]);
        }
        for list in ["parties", "dialog", "analysis", "attachments"] {
            let count = |v: &Value| v.get(list).and_then(Value::as_array).map_or(0, Vec::len);
            // An attachment is somebody's: where nobody is named, one stands in.
            let nobody = list == "parties" && count(&document) == 0;
            assert!(nobody || count(&document) == count(&strict), "{name} {list}");
        }
        // A document without coercions is given back as it is.
        if coercions.is_empty() {
            assert_eq!(strict, document, "{name}");
        }
        seen += 1;
    }
    assert!(seen >= 30, "{seen} samples");
}

#[test]
fn every_sample_goes_into_a_vault_and_comes_back_as_a_bag_of_vcons() {
    let w = World::new();
    let ingestor = w.ingestor(&w.acme);
    let mut stored = Vec::new();
    for (name, bytes) in samples() {
        match vcon::Import::new().folder(FOLDER).import(&bytes) {
            Ok(imported) => {
                let id = ingestor.ingest(imported.into_draft()).unwrap_or_else(|e| panic!("{name}: {e}")).record;
                stored.push((id, bytes));
            }
            Err(e) => assert!(REFUSED.contains(&(name.as_str(), e.kind())), "{name}: {e}"),
        }
    }
    let session = w.session(&w.acme);
    let out = w.dir.path().join("bag");
    let mut ids: Vec<RecordId> = stored.iter().map(|(id, _)| *id).collect();
    ids.sort();
    ids.dedup();
    let exported = session.export(ids.iter().copied(), &out, |_| {}).unwrap();
    assert_eq!(exported.records as usize, ids.len());
    assert!(exported.erased.is_empty());
    for (id, bytes) in &stored {
        let record = session.read(*id).unwrap();
        let original = record.parts().find(|(_, p)| p.kind == PartKind::Original).unwrap().0;
        let kept = record.read_part(original).unwrap();
        let out: Value = serde_json::from_slice(&fs::read(out.join(format!("data/{id}/vcon.json"))).unwrap()).unwrap();
        assert_eq!(out, vcon::normalise(&vcon::parse(&kept).unwrap()).0);
        // The same document twice is one record.
        let uuid = |bytes: &[u8]| vcon::parse(bytes).unwrap()["uuid"].clone();
        assert_eq!(uuid(&kept), uuid(bytes));
    }
    assert_eq!(session.export(ids, &out, |_| {}).unwrap_err().kind(), ErrorKind::AlreadyExists);
}

#[test]
fn a_record_that_was_no_vcon_becomes_one_that_says_everything() {
    let w = World::new();
    let audio = common::noise(300_000);
    let who = Subject::new(Role::Customer, Identifier::tel("+4930123456").unwrap())
        .with_name("Olivia")
        .with_identifier(Identifier::customer("C-17").unwrap());
    let draft = Draft::new(Channel::Voice)
        .start("2026-03-01T10:00:00Z".parse().unwrap())
        .duration_ms(61_500)
        .direction(Direction::Inbound)
        .queue("billing")
        .tag("vip")
        .subject(who)
        .with(DraftPart::new(PartKind::Audio, "audio/wav", &audio[..]).name("../call one.wav"))
        .part(PartKind::Transcript, "text/plain", &b"Olivia: hello"[..])
        .part(PartKind::Attachment, "application/pdf", &b"%PDF-\xff"[..]);
    let id = w.ingestor(&w.acme).ingest(draft).unwrap().record;
    let session = w.session(&w.acme);
    let out = w.dir.path().join("bag");
    let exported = session.export([id], &out, |_| {}).unwrap();
    assert_eq!((exported.records, exported.files), (1, 1));
    let folder = out.join(format!("data/{id}"));
    let bytes = fs::read(folder.join("vcon.json")).unwrap();
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(vcon::normalise(&document), (document.clone(), Vec::new()));
    assert_eq!(document["parties"][0]["tel"], "+4930123456");
    assert_eq!(document["strongroom"]["tags"], json!(["vip"]));
    assert_eq!(fs::read(folder.join("1-_call_one.wav")).unwrap(), audio);

    // Back into another vault, with the file from the bag.
    let back = vcon::Import::new().folder(&folder).import(&bytes).unwrap();
    assert_eq!(back.coercions, []);
    let id = w.ingestor(&w.bolt).ingest(back.into_draft()).unwrap().record;
    let record = w.session(&w.bolt).read(id).unwrap();
    let head = record.head();
    assert_eq!((head.duration_ms, head.queue.as_deref()), (Some(61_500), Some("billing")));
    assert_eq!(head.direction, Some(Direction::Inbound));
    assert_eq!(head.start, Some("2026-03-01T10:00:00Z".parse().unwrap()));
    let kinds: Vec<PartKind> = record.parts().map(|(_, p)| p.kind).collect();
    assert_eq!(kinds, [PartKind::Original, PartKind::Audio, PartKind::Transcript, PartKind::Attachment]);
    assert_eq!(record.read_part(2).unwrap(), audio);
    assert_eq!(record.read_part(3).unwrap(), b"Olivia: hello");
    assert_eq!(record.read_part(4).unwrap(), b"%PDF-\xff");
    // And out again as it came: its document and its file.
    let out = w.dir.path().join("again");
    w.session(&w.bolt).export([id], &out, |_| {}).unwrap();
    let again: Value = serde_json::from_slice(&fs::read(out.join(format!("data/{id}/vcon.json"))).unwrap()).unwrap();
    assert_eq!(again, document);
}

#[test]
fn what_a_parser_would_lose_comes_back() {
    let w = World::new();
    let wild = r#"{"vcon":"0.4.0","uuid":"018f0001-7e8a-8000-8000-000000000000","created_at":"2026-11-20T15:04:05Z",
        "parties":[{"name":"Olivia \ud83d","score":0.12345678901234567890123,"account":123456789012345678901234567890}],
        "dialog":[{"type":"text","start":"2026-11-20T15:04:05Z","parties":0,"mediatype":"text/plain","encoding":"none",
            "body":"hello","duration":1e400,"meta":{"rank":1,"rank":2}}],"strongroom_replaced":5}"#;
    let imported = vcon::Import::new().import(wild.as_bytes()).unwrap();
    for place in
        ["/parties/0/name", "/parties/0/score", "/parties/0/account", "/dialog/0/duration", "/dialog/0/meta/rank"]
    {
        assert!(imported.coercions.iter().any(|c| c.place == place), "{place}: {:?}", imported.coercions);
    }
    let id = w.ingestor(&w.acme).ingest(imported.into_draft()).unwrap().record;
    let out = w.session(&w.acme).read(id).unwrap().to_vcon().unwrap();
    assert_eq!(
        out["strongroom_replaced"],
        json!({ "/parties/0/name": r#""Olivia \ud83d""#, "/parties/0/score": "0.12345678901234567890123",
            "/parties/0/account": "123456789012345678901234567890", "/dialog/0/duration": "1e400",
            "/dialog/0/meta/rank#1": 1, "/strongroom_replaced": 5 })
    );
    assert_eq!(vcon::normalise(&out), (out.clone(), Vec::new()));
}

#[test]
fn a_message_that_does_not_decode_is_listed() {
    let document = json!({ "vcon": "0.4.0", "uuid": "018f0001-7e8a-8000-8000-000000000000",
        "dialog": [{ "type": "text", "mediatype": "text/plain", "encoding": "base64url", "body": "no base64!" }] });
    let coercions = vcon::Import::new().import(document.to_string().as_bytes()).unwrap().coercions;
    assert!(coercions.iter().any(|c| c.place == "/dialog/0/body"), "{coercions:?}");
}

#[test]
fn a_document_of_more_parts_than_a_record_has_is_kept_whole() {
    let w = World::new();
    let analysis: Vec<Value> =
        (0..1200).map(|n| json!({ "type": "report", "vendor": "v", "body": n.to_string() })).collect();
    let document = json!({ "vcon": "0.4.0", "uuid": "018f0001-7e8a-8000-8000-000000000000", "analysis": analysis });
    let imported = vcon::Import::new().import(document.to_string().as_bytes()).unwrap();
    assert_eq!(imported.coercions.iter().filter(|c| c.made.contains("in the document alone")).count(), 300);
    let id = w.ingestor(&w.acme).ingest(imported.into_draft()).unwrap().record;
    let out = w.session(&w.acme).read(id).unwrap().to_vcon().unwrap();
    assert_eq!(out["analysis"].as_array().unwrap().len(), 1200);
    assert_eq!(out["analysis"][1199]["body"], "1199");
}

#[test]
fn what_only_the_schema_refuses_is_rewritten() {
    let document = json!({ "vcon": "0.4.0", "uuid": "018f0001-7e8a-8000-8000-000000000000",
        "created_at": "2026-06-30T23:59:60Z", "redacted": { "uuid": "x", "type": "names" },
        "dialog": [{ "type": "recording-set", "start": "2026-06-30T23:59:60.5+00:00", "recordings": 1 }] });
    let (strict, _) = vcon::normalise(&document);
    assert_eq!(strict["created_at"], "2026-07-01T00:00:00.000Z");
    assert_eq!(strict["dialog"][0]["recordings"], json!([1]));
    assert_eq!(strict["redacted"], json!({ "type": "names" }));
    let replaced = &strict["strongroom_replaced"];
    assert_eq!(replaced["/created_at"], "2026-06-30T23:59:60Z");
    assert_eq!((&replaced["/dialog/0/recordings"], &replaced["/redacted/uuid"]), (&json!(1), &json!("x")));
}

#[test]
fn a_document_is_recognised_wherever_its_names_stand() {
    let long = "A".repeat(1 << 20);
    let sorted =
        json!({ "attachments": [{ "body": long, "ciphertext": 1 }], "uuid": "x", "vcon": "0.4.0" }).to_string();
    let signed = format!("\u{feff}{{\"payload\":\"{long}\",\"signatures\":[]}}");
    let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(sorted.as_bytes()).unwrap();
    for yes in [sorted.as_bytes(), signed.as_bytes(), &packed.finish().unwrap()] {
        assert!(vcon::is_vcon(yes));
    }
    for no in [&br#"{"text":"\"vcon\":","a":{"vcon":1},"b":["ciphertext"]}"#[..], b"[{\"vcon\":1}]", b"", b"{"] {
        assert!(!vcon::is_vcon(no));
    }
}

#[test]
fn an_export_holds_every_file_of_a_document_and_what_its_host_added() {
    let w = World::new();
    let folder = w.dir.path().join("in");
    fs::create_dir(&folder).unwrap();
    let files: [(&str, &[u8]); 6] = [
        ("mail.eml", b"From: a@b.example\r\n\r\nhi"),
        ("words.json", b"{\"text\":\"hi\"}"),
        ("a b.wav", b"sound with a space"),
        ("plain.wav", b"sound over http"),
        ("hash.wav", b"sound over http with a hash"),
        ("end.wav", b"sound by the end of a url"),
    ];
    files.iter().for_each(|(name, bytes)| fs::write(folder.join(name), bytes).unwrap());
    let hash =
        |bytes: &[u8]| format!("sha512-{}", URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA512, bytes)));
    let start = "2026-11-20T15:04:05.000Z";
    let document = json!({ "vcon": "0.4.0", "uuid": "018f0001-7e8a-8000-8000-000000000000", "created_at": start,
        "parties": [{}],
        "dialog": [
            { "type": "text", "start": start, "mediatype": "message/rfc822", "filename": "mail.eml",
              "url": "https://media.example/1", "content_hash": hash(files[0].1) },
            { "type": "recording", "start": start, "mediatype": "audio/wav", "filename": "a b.wav",
              "url": "https://media.example/2", "content_hash": hash(files[2].1) },
            { "type": "recording", "start": start, "mediatype": "audio/wav", "filename": "plain.wav", "url": "http://media.example/3" },
            { "type": "recording", "start": start, "mediatype": "audio/wav", "filename": "hash.wav", "url": "http://media.example/4",
              "content_hash": hash(files[4].1) },
            { "type": "recording", "start": start, "mediatype": "audio/wav", "url": "http://media.example/end.wav" },
            { "type": "recording", "start": start, "mediatype": "audio/wav", "filename": "plain.wav", "url": "http://media.example/5" },
        ],
        "analysis": [{ "type": "transcript", "vendor": "v", "mediatype": "application/json", "filename": "words.json",
            "url": "https://media.example/6", "content_hash": hash(files[1].1) }] });
    let imported = vcon::Import::new().folder(&folder).import(document.to_string().as_bytes()).unwrap();
    // The host knows more of it than the document.
    let added = common::noise(70_000);
    let draft = imported
        .into_draft()
        .tag("vip")
        .agent("louis")
        .part(PartKind::Transcript, "text/plain", &b"Louis: hello"[..])
        .with(DraftPart::new(PartKind::Audio, "audio/wav", &added[..]).name("second.wav"));
    let id = w.ingestor(&w.acme).ingest(draft).unwrap().record;
    let session = w.session(&w.acme);
    let record = session.read(id).unwrap();
    let out = w.dir.path().join("bag");
    let exported = session.export([id], &out, |_| {}).unwrap();
    assert_eq!(exported.files, 8);
    let folder = out.join(format!("data/{id}"));
    let json = fs::read(folder.join("vcon.json")).unwrap();
    let strict: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(vcon::normalise(&strict), (strict.clone(), Vec::new()));
    assert_eq!(strict["strongroom"]["tags"], json!(["vip"]));
    assert_eq!(strict["strongroom_replaced"]["/dialog/2/url"], "http://media.example/3");
    assert_eq!(strict["analysis"][1]["body"], "Louis: hello");
    assert_eq!(record.to_vcon().unwrap()["analysis"][1]["body"], "Louis: hello");

    // Every part is in another vault again.
    let back = vcon::Import::new().folder(&folder).import(&json).unwrap();
    assert_eq!(back.coercions, []);
    let again = w.ingestor(&w.bolt).ingest(back.into_draft()).unwrap().record;
    let again = w.session(&w.bolt).read(again).unwrap();
    let parts = |record: &Record| -> Vec<(PartKind, Vec<u8>)> {
        let all =
            record.parts().filter(|(_, p)| p.kind != PartKind::Original && p.name.as_deref() != Some("coercions.txt"));
        let mut all: Vec<_> = all.map(|(number, info)| (info.kind, record.read_part(number).unwrap())).collect();
        all.sort_by_key(|(kind, bytes)| (format!("{kind:?}"), bytes.clone()));
        all
    };
    assert_eq!(parts(&again), parts(&record));
    assert_eq!(parts(&record).len(), 9);
}

#[test]
fn what_is_called_a_vcon_and_is_none_is_exported_like_other_parts() {
    let w = World::new();
    let encrypted = fs::read(format!("{FOLDER}/wg_ab_call_ext_rec_encrypted.vcon.json")).unwrap();
    let draft = Draft::new(Channel::Voice).part(PartKind::Original, vcon::MEDIA_TYPE, &encrypted[..]);
    let id = w.ingestor(&w.acme).ingest(draft).unwrap().record;
    let out = w.dir.path().join("bag");
    assert_eq!(w.session(&w.acme).export([id], &out, |_| {}).unwrap().records, 1);
    let json: Value = serde_json::from_slice(&fs::read(out.join(format!("data/{id}/vcon.json"))).unwrap()).unwrap();
    let body = json["attachments"][0]["body"].as_str().unwrap();
    assert_eq!(URL_SAFE_NO_PAD.decode(body).unwrap(), encrypted);
}

fn call(hash: &str, name: &str) -> Vec<u8> {
    json!({ "uuid": "018f0001-7e8a-8000-8000-000000000000", "created_at": "2026-11-20T15:04:05Z", "vcon": "0.4.0",
        "parties": [{ "tel": "+15722568385" }],
        "dialog": [{ "type": "recording", "start": "2026-11-20T15:04:05Z", "mediatype": "audio/wav",
            "url": format!("https://media.example/a/{name}?token=1"), "content_hash": hash }] })
    .to_string()
    .into_bytes()
}

#[test]
fn media_come_from_the_folder_alone_and_only_with_their_hash() {
    let w = World::new();
    let folder = w.dir.path().join("in");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.wav"), b"sound").unwrap();
    fs::write(w.dir.path().join("outside"), b"sound").unwrap();
    std::os::unix::fs::symlink("../outside", folder.join("link.wav")).unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA512, b"sound");
    let right = format!("sha512-{}", URL_SAFE_NO_PAD.encode(digest));
    let import = |hash: &str, name: &str| vcon::Import::new().folder(&folder).import(&call(hash, name)).unwrap();
    let ingestor = w.ingestor(&w.acme);
    let id = ingestor.ingest(import(&right, "a.wav").into_draft()).unwrap().record;
    assert_eq!(w.session(&w.acme).read(id).unwrap().read_part(2).unwrap(), b"sound");
    let wrong = format!("sha512-{}", URL_SAFE_NO_PAD.encode([7; 64]));
    assert_eq!(ingestor.ingest(import(&wrong, "a.wav").draft).unwrap_err().kind(), ErrorKind::DigestMismatch);
    // In hexadecimal, as some write it.
    let hexadecimal = |bytes: &[u8]| format!("sha512-{}", bytes.iter().map(|b| format!("{b:02X}")).collect::<String>());
    let imported = import(&hexadecimal(digest.as_ref()), "a.wav");
    assert_eq!(imported.files, [folder.join("a.wav")]);
    assert!(!imported.coercions.iter().any(|c| c.place == "/dialog/0/content_hash" && c.made.contains("as it is")));
    let imported = import(&hexadecimal(&[7; 64]), "a.wav");
    assert_eq!(ingestor.ingest(imported.draft).unwrap_err().kind(), ErrorKind::DigestMismatch);
    let unknown = import("md5-AAAA", "a.wav").coercions;
    assert!(
        unknown.iter().any(|c| c.place == "/dialog/0/content_hash" && c.made.contains("not one that is understood"))
    );
    for name in ["link.wav", "../outside", "..", "", "absent.wav", "a.wav/"] {
        let imported = import(&right, name);
        assert!(imported.coercions.iter().any(|c| c.place == "/dialog/0/url"), "{name}: {:?}", imported.coercions);
    }
}

#[test]
fn signatures_are_verified_where_a_key_or_certificate_is_given() {
    for algorithm in ["ES256", "RS256"] {
        let bytes = fs::read(format!("{FOLDER}/signed_{algorithm}.vcon.json")).unwrap();
        let key = fs::read(format!("{FOLDER}/signed_{algorithm}.pub.pem")).unwrap();
        let other = if algorithm == "ES256" { "RS256" } else { "ES256" };
        let other = fs::read(format!("{FOLDER}/signed_{other}.pub.pem")).unwrap();
        let said = |import: vcon::Import, bytes: &[u8]| {
            let imported = import.import(bytes).map_err(|e| e.kind())?;
            Ok(imported.coercions.iter().find(|c| c.place == "/signatures").map(|c| c.made))
        };
        let verified = Ok(Some("the signature was verified"));
        let trusting = || vcon::Import::new().trust_key(&key).unwrap();
        assert_eq!(said(trusting().require_signature(), &bytes), verified, "{algorithm}");
        assert_eq!(said(vcon::Import::new().trust_key(&other).unwrap(), &bytes), Err(ErrorKind::Tampered));
        assert_eq!(said(vcon::Import::new().require_signature(), &bytes), Err(ErrorKind::Tampered));
        assert!(said(vcon::Import::new(), &bytes).unwrap().unwrap().contains("not verified"));
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        let certificate = &document["signatures"][0]["header"]["x5c"][0];
        let pem =
            format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", certificate.as_str().unwrap());
        let certified = || vcon::Import::new().trust_certificate(pem.as_bytes()).unwrap();
        assert_eq!(said(certified().require_signature(), &bytes), verified, "{algorithm}");

        let mut twin = document.clone();
        let payload = URL_SAFE_NO_PAD.decode(document["payload"].as_str().unwrap()).unwrap();
        let payload = String::from_utf8(payload).unwrap().replacen("\"uuid\":\"0", "\"uuid\":\"1", 1);
        twin["payload"] = URL_SAFE_NO_PAD.encode(payload).into();
        assert_ne!(twin, document);
        assert_eq!(said(trusting(), twin.to_string().as_bytes()), Err(ErrorKind::Tampered));
        assert_eq!(said(certified(), twin.to_string().as_bytes()), Err(ErrorKind::Tampered));

        let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&bytes).unwrap();
        assert_eq!(said(trusting(), &packed.finish().unwrap()), verified);
    }
}

#[test]
fn a_chain_of_certificates_is_followed_to_one_that_is_trusted() {
    let bytes = fs::read(format!("{FOLDER}/signed_chain.vcon.json")).unwrap();
    let root = fs::read(format!("{FOLDER}/signed_chain.root.pem")).unwrap();
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    let at = |time: &str| vcon::Import::new().as_of(time.parse().unwrap()).require_signature();
    let now = || at("2027-01-01T00:00:00Z").trust_certificate(&root).unwrap();
    let kind = |import: vcon::Import, document: &Value| {
        import.import(document.to_string().as_bytes()).map(|_| ()).map_err(|e| e.kind())
    };
    let refused = Err(ErrorKind::Tampered);
    assert_eq!(kind(now(), &document), Ok(()));
    for time in ["2020-01-01T00:00:00Z", "2060-01-01T00:00:00Z"] {
        assert_eq!(kind(at(time).trust_certificate(&root).unwrap(), &document), refused, "{time}");
    }
    let chain = document["signatures"][0]["header"]["x5c"].as_array().unwrap().clone();
    for other in [vec![], vec![0], vec![1, 0], vec![2], vec![2, 1, 0]] {
        let mut twin = document.clone();
        twin["signatures"][0]["header"]["x5c"] = other.iter().map(|at| chain[*at].clone()).collect();
        assert_eq!(kind(now(), &twin), refused, "{other:?}");
    }
    // By the same key, and says that it must be understood otherwise: none that we understand.
    let other: Value = serde_json::from_slice(&fs::read(format!("{FOLDER}/signed_crit.vcon.json")).unwrap()).unwrap();
    assert_eq!(kind(now(), &other), refused);
    assert!(kind(vcon::Import::new(), &other).is_ok());

    // The working group's certificates are of version 1: nobody follows such a chain, but one that is trusted by itself
    // needs none.
    let sample = fs::read(format!("{FOLDER}/wg_ab_call_ext_rec_signed.vcon.json")).unwrap();
    let sample: Value = serde_json::from_slice(&sample).unwrap();
    let protected = URL_SAFE_NO_PAD.decode(sample["signatures"][0]["protected"].as_str().unwrap()).unwrap();
    let protected: Value = serde_json::from_slice(&protected).unwrap();
    let der =
        |at: usize| base64::engine::general_purpose::STANDARD.decode(protected["x5c"][at].as_str().unwrap()).unwrap();
    let trusting = |at: usize| vcon::Import::new().require_signature().trust_certificate(&der(at)).unwrap();
    assert_eq!(kind(trusting(0), &sample), Ok(()));
    assert_eq!(kind(trusting(2), &sample), refused);
}

#[test]
fn what_is_no_vcon_or_too_large_is_refused() {
    let kind = |bytes: &[u8]| vcon::Import::new().max_bytes(100_000).import(bytes).unwrap_err().kind();
    for bad in [&b""[..], b"{", b"[]", b"{}", b"null", b"{\"vcon\":\"0.4.0\"}", b"\x1f\x8b\x08", &[0xff; 40]] {
        assert_eq!(kind(bad), ErrorKind::InvalidInput);
    }
    let deep = format!("{{\"vcon\":\"0.4.0\",\"uuid\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(kind(deep.as_bytes()), ErrorKind::InvalidInput);
    let mut bomb = GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![b' '; 10_000_000]).unwrap();
    assert_eq!(kind(&bomb.finish().unwrap()), ErrorKind::TooLarge);
    assert_eq!(kind(&vec![b' '; 200_000]), ErrorKind::TooLarge);
    let wild = json!({ "vcon": 7, "uuid": [], "created_at": {}, "parties": {}, "dialog": [3, { "type": 1, "start": "x", "parties": "a",
        "duration": "long", "body": {}, "encoding": 5, "url": 9, "content_hash": [1], "disposition": "odd", "party_history": 1,
        "session_id": 4, "originator": "0" }], "analysis": "none", "attachments": [null], "redacted": [], "extensions": "CC" });
    let (strict, _) = vcon::normalise(&wild);
    assert_eq!(vcon::normalise(&strict), (strict.clone(), Vec::new()));
    assert!(Path::new(FOLDER).exists() && vcon::Import::new().import(wild.to_string().as_bytes()).is_ok());
}
