use std::io::Cursor;
use std::ops::ControlFlow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

use super::world::*;
use crate::error::ErrorKind;
use crate::id::{RecordId, hex};
use crate::production::*;
use crate::record::{Channel, Draft, PartKind};
use crate::stream::sealed_len;

fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

#[test]
fn everything_is_in_the_bag_under_its_own_name_and_says_what_it_was_made_from() {
    let world = World::new();
    let ids = [world.ingest(call("+15722568385", 20)), world.ingest(letter("My card"))];
    let produced = world.produce(&wanted(&ids), portable());
    let lines = produced.json("data/integrity.json")["documents"].as_array().unwrap().clone();
    assert_eq!(lines.len(), 4);
    let record = world.session.read(ids[0]).unwrap();
    let audio = &lines[0];
    assert_eq!(audio["record"], ids[0].to_string());
    let file = produced.bytes(&format!("data/{}", audio["file"].as_str().unwrap()));
    assert_eq!(file, wav(20));
    for digest in [&audio["sha256"], &audio["original"]["sha256"]] {
        assert_eq!(*digest, sha256(&file));
    }
    assert_eq!(audio["sealed"]["sha256"], hex(&record.header().parts[1].digest));
    assert_eq!(audio["sealed"]["bytes"], record.header().parts[1].len);
    assert_eq!(audio["sealed"]["record_header_sha256"], sha256(&record.header().to_bytes()));
    assert!(audio["stretch"].is_null());

    // What is within a vCon is where its line says.
    let transcript = &lines[1];
    let vcon = produced.json(&format!("data/{}", transcript["file"].as_str().unwrap()));
    let place = vcon.pointer(transcript["place"].as_str().unwrap()).unwrap();
    let body = URL_SAFE_NO_PAD.decode(place["body"].as_str().unwrap()).unwrap();
    assert_eq!((body.as_slice(), &transcript["sha256"]), (TRANSCRIPT.as_bytes(), &sha256(&body).into()));
    assert_eq!(vcon["uuid"], ids[0].to_string());
    assert_eq!(vcon["parties"][0]["tel"], "+15722568385");
    let url = format!("https://bag.invalid/{}", audio["file"].as_str().unwrap());
    assert_eq!(vcon["dialog"][0]["url"], url);
    assert_eq!(lines[2]["place"], "/dialog/0");
    assert_eq!(lines[3]["place"], "/attachments/0");

    let manifest = produced.json("custody/disclosure.json");
    assert_eq!(manifest["manifest_sha256"], sha256(&produced.bytes("manifest-sha256.txt")));
    assert_eq!(
        (&manifest["records"], &manifest["documents"], &manifest["withheld"]),
        (&2.into(), &4.into(), &0.into())
    );
    assert!(manifest["bates"].is_null());
    assert!(produced.sheet("data/withheld.csv").is_empty() && produced.sheet("data/redactions.csv").is_empty());
}

#[test]
fn of_a_stretch_nothing_else_is_given_and_where_it_was_is_said_to_the_chunk() {
    let world = World::new();
    let id = world.ingest(call("+15722568385", 20));
    let wanted = Wanted { records: vec![WantedRecord { record: id, kinds: None, stretch: Some(5_000..7_500) }] };
    let produced = world.produce(&wanted, portable());
    let lines = produced.json("data/integrity.json")["documents"].as_array().unwrap().clone();
    assert_eq!(lines.len(), 1);
    let (line, whole) = (&lines[0], wav(20));
    let stretch = &line["stretch"];
    assert_eq!(
        (&stretch["asked_ms"], &stretch["ms"]),
        (&serde_json::json!([5000, 7500]), &serde_json::json!([5000, 7500]))
    );
    let bytes = |name: &str| [0, 1].map(|at| stretch[name][at].as_u64().unwrap() as usize);
    let [from, to] = bytes("bytes");
    let file = produced.bytes(&format!("data/{}", line["file"].as_str().unwrap()));
    assert_eq!(to - from, 8 * 2_500);
    assert!(file.ends_with(&whole[from..to]) && file.len() < to - from + 100);
    assert_eq!(line["original"]["sha256"], sha256(&whole));
    assert_eq!((&line["original"]["bytes"], &line["sha256"]), (&whole.len().into(), &sha256(&file).into()));

    // The chunks hold these bytes, and no fewer would.
    let [first, last] = bytes("chunks");
    assert!(first * 16_384 <= from && to <= last * 16_384);
    assert!((first + 1) * 16_384 > from && to > (last - 1) * 16_384);
    // And where they are in the sealed original they open.
    let [begin, end] = bytes("sealed_bytes");
    assert_eq!((begin, end - begin), (56 + first * 16_400, (last - first) * 16_400));
    let record = world.session.read(id).unwrap();
    assert!(
        end as u64 <= record.header().parts[1].len && record.header().parts[1].len > sealed_len(whole.len() as u64) - 1
    );

    let withheld = produced.sheet("data/withheld.csv");
    assert_eq!(
        (withheld.len(), withheld[0]["Part"].as_str(), withheld[0]["Document Type"].as_str()),
        (1, "2", "transcript")
    );
    assert!(withheld[0]["Reason"].contains("outside the ordered stretch"));
    let vcon = produced.json(&format!("data/vcons/{id}.json"));
    assert_eq!(vcon["strongroom"]["stretches"][0]["from_ms"], 5000);
    assert!(vcon["dialog"][0].get("duration").is_none());
}

#[test]
fn what_cannot_be_cut_or_is_not_asked_for_is_not_given() {
    let world = World::new();
    let noise = Draft::new(Channel::Voice).part(PartKind::Audio, "audio/x-unknown", Cursor::new(vec![1; 5000])).part(
        PartKind::Attachment,
        "text/plain",
        Cursor::new(b"SECRET-ATTACHMENT".to_vec()),
    );
    let (noise, short) = (world.ingest(noise), world.ingest(call("+15722568385", 2)));
    let audio = Some(vec![PartKind::Audio]);
    let of = |record, stretch| WantedRecord { record, kinds: audio.clone(), stretch };
    let records = vec![of(noise, Some(0..1000)), of(short, Some(60_000..61_000))];
    let prepared = world.prepare(&Wanted { records: records.clone() }, portable(), 1).unwrap();
    assert_eq!((prepared.counts().records, prepared.counts().withheld, prepared.bates_numbers()), (0, 2, 0));
    let produced = world.produce(&Wanted { records }, portable());
    let reasons = produced.sheet("data/withheld.csv");
    assert!(reasons.iter().all(|line| line["Reason"].contains("cannot be cut")) && reasons.len() == 2);
    let archive = world.archive(&Wanted { records: vec![of(noise, None)] }, portable());
    assert!(!archive.windows(17).any(|window| window == b"SECRET-ATTACHMENT"));
}

#[test]
fn what_was_erased_is_listed_and_the_rest_is_produced() {
    let world = World::new();
    let ids = [world.ingest(call("+15722568385", 20)), world.ingest(call("+15722568386", 2))];
    let slot = |record, part: usize| world.session.read(record).unwrap().header().parts[part].slot;
    // The recording of one, and the other as a whole.
    let slots = [slot(ids[0], 1), slot(ids[1], 0), slot(ids[1], 1), slot(ids[1], 2)];
    world.session.room.slots.shred(&slots).unwrap();
    let produced = world.produce(&wanted(&ids), portable());
    let lines = produced.sheet("data/withheld.csv");
    let line = |at: usize| ["Record", "Part", "Document Type", "Reason"].map(|name| lines[at][name].as_str());
    assert_eq!(line(0), [&*ids[0].to_string(), "1", "audio", "it was erased"]);
    assert_eq!(line(1), [&*ids[1].to_string(), "", "record", "it was erased"]);
    let manifest = produced.json("custody/disclosure.json");
    assert_eq!(
        (&manifest["records"], &manifest["documents"], &manifest["withheld"]),
        (&1.into(), &1.into(), &2.into())
    );
}

#[test]
fn what_is_not_what_was_sealed_ends_the_production_before_anything_is_given_out() {
    let world = World::new();
    let id = world.ingest(call("+15722568385", 20));
    let prepared = world.prepare(&wanted(&[id]), portable(), 1).unwrap();
    let objects = world.dir.path().join("v/objects");
    let object = walk(&objects).into_iter().next().unwrap();
    let mut bytes = std::fs::read(&object).unwrap();
    bytes[100_000] ^= 1;
    std::fs::write(&object, bytes).unwrap();
    let refused = world.prepare(&wanted(&[id]), portable(), 1).map(|_| ()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Tampered);
    // Nor is it given out if it became so meanwhile.
    let written = prepared.write_archive(&world.session, custody(), Vec::new(), &mut |_| ControlFlow::Continue(()));
    assert_eq!(written.map(|_| ()).unwrap_err().kind(), ErrorKind::Tampered);
}

#[test]
fn the_same_production_makes_the_same_archive() {
    let world = World::new();
    let ids = [world.ingest(call("+15722568385", 20)), world.ingest(letter("My card"))];
    for options in [portable, super::world::litigation] {
        let wanted = wanted(&ids);
        assert!(world.archive(&wanted, options()) == world.archive(&wanted, options()));
    }
}

#[test]
fn the_package_opens_with_the_recipients_key_alone_and_the_watch_may_end_it() {
    use crate::key::{Identity, Suite};
    let world = World::new();
    let id = world.ingest(call("+15722568385", 20));
    let (authority, other) =
        (Identity::generate_for(Suite::X25519).unwrap(), Identity::generate_for(Suite::X25519).unwrap());
    let (mut out, mut seen) = (Vec::new(), 0);
    let mut last = (0, 0);
    let prepared = prepare(world.cover(), &wanted(&[id]), portable(), 1, &world.session, &mut |progress| {
        assert!(progress.bytes >= last.0);
        last = (progress.bytes, progress.of);
        ControlFlow::Continue(())
    });
    let (prepared, bytes) = (prepared.unwrap(), (wav(20).len() + TRANSCRIPT.len()) as u64);
    assert_eq!(last, (bytes, bytes));
    let len = prepared
        .write(&world.session, custody(), authority.recipient(), &mut out, &mut |progress| {
            assert!(progress.bytes >= seen && progress.of == bytes);
            seen = progress.bytes;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, bytes);
    let mut opened = Vec::new();
    std::io::Read::read_to_end(&mut crate::age::Reader::new(out.as_slice(), &authority).unwrap(), &mut opened).unwrap();
    assert_eq!(opened.len() as u64, len);
    assert!(opened == world.archive(&wanted(&[id]), portable()));
    assert_eq!(crate::age::Reader::new(out.as_slice(), &other).map(|_| ()).unwrap_err().kind(), ErrorKind::WrongKey);

    let stopped =
        prepare(world.cover(), &wanted(&[id]), portable(), 1, &world.session, &mut |_| ControlFlow::Break(()));
    assert_eq!(stopped.map(|_| ()).unwrap_err().kind(), ErrorKind::Cancelled);
    let prepared = world.prepare(&wanted(&[id]), portable(), 1).unwrap();
    let stopped = prepared.write_archive(&world.session, custody(), Vec::new(), &mut |_| ControlFlow::Break(()));
    assert_eq!(stopped.map(|_| ()).unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn a_production_that_cannot_be_is_refused_before_anything_is_read() {
    let world = World::new();
    let id = world.ingest(call("+15722568385", 1));
    let refused =
        |wanted: &Wanted, options, first| world.prepare(wanted, options, first).map(|_| ()).unwrap_err().kind();
    assert_eq!(refused(&wanted(&[id, id]), portable(), 1), ErrorKind::InvalidInput);
    assert_eq!(refused(&wanted(&[id]), litigation_of("abc"), 1), ErrorKind::InvalidInput);
    assert_eq!(refused(&wanted(&[id]), super::world::litigation(), 0), ErrorKind::InvalidInput);
    assert_eq!(refused(&wanted(&[id]), super::world::litigation(), 999_999_999_999), ErrorKind::TooLarge);
    let nobodys = RecordId::from_bytes([9; 16]);
    assert_eq!(refused(&wanted(&[id, nobodys]), portable(), 1), ErrorKind::NotFound);
    let many = Wanted { records: (0..30_001u32).map(of_number).collect() };
    assert_eq!(refused(&many, portable(), 1), ErrorKind::TooLarge);

    // A name below custody/ that is taken, or that no bag can have.
    for name in ["disclosure.json", "a/../b", "ORDER.note"] {
        let mut custody = custody();
        custody.push((name.to_owned(), Vec::new()));
        let prepared = world.prepare(&wanted(&[id]), portable(), 1).unwrap();
        let written = prepared.write_archive(&world.session, custody, Vec::new(), &mut |_| ControlFlow::Continue(()));
        assert_eq!(written.map(|_| ()).unwrap_err().kind(), ErrorKind::InvalidInput, "{name}");
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

fn litigation_of(prefix: &str) -> ProductionOptions {
    ProductionOptions::new(ProductionProfile::Litigation).bates_prefix(prefix)
}

fn of_number(n: u32) -> WantedRecord {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&n.to_be_bytes());
    WantedRecord { record: RecordId::from_bytes(id), kinds: None, stretch: None }
}
