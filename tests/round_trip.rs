//! What was ingested comes back bit for bit, to its owner.

mod common;

use std::io::{Read, Seek, SeekFrom};

use common::{World, noise, text};
use strongroom::*;

#[test]
fn parts_of_every_size_come_back_bit_for_bit_whole_and_by_range() {
    let world = World::new();
    for owner in [&world.acme, &world.bolt] {
        let ingestor = world.ingestor(owner);
        let session = world.session(owner);
        for len in
            [0, 1, 1023, 1025, 16_383, 16_384, 60_000, 64_000, 66_000, 100_000, 262_143, 262_144, 262_145, 5_000_001]
        {
            let bytes = noise(len);
            let draft = Draft::new(Channel::Voice).part(PartKind::Audio, "audio/x-anything", &bytes[..]).part(
                PartKind::Transcript,
                "text/plain",
                &b"Hello."[..],
            );
            let ingested = ingestor.ingest(draft).unwrap();
            let record = session.read(ingested.record).unwrap();
            assert_eq!(record.read_part(1).unwrap(), bytes, "{len}");
            assert_eq!(record.read_part(2).unwrap(), b"Hello.");
            assert_eq!(record.head().parts[0].len, len as u64);
            let mut part = record.part(1).unwrap();
            for (from, to) in [(0, len), (len / 3, len / 2), (len.saturating_sub(7), len), (len / 2, len / 2)] {
                let mut range = vec![0; to - from];
                part.read_range(from as u64, &mut range).unwrap();
                assert_eq!(range, bytes[from..to], "{len} {from}..{to}");
            }
            let tail = len.min(10);
            part.seek(SeekFrom::End(-(tail as i64))).unwrap();
            let mut end = Vec::new();
            part.read_to_end(&mut end).unwrap();
            assert_eq!(end, bytes[len - tail..]);
            assert_eq!(part.read_range(len as u64, &mut [0]).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
        assert!(session.check().unwrap().is_clean());
    }
    let report = world.vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.records, 28);
}

#[test]
fn the_head_says_what_the_producer_said() {
    let world = World::new();
    let ingestor = world.ingestor(&world.bolt);
    let digest = ProducerDigest::Sha256(ring::digest::digest(&ring::digest::SHA256, b"x").as_ref().to_vec());
    let first = ingestor.ingest(text("first version")).unwrap();
    let draft = Draft::new(Channel::Other("fax".into()))
        .start(Timestamp::from_unix_ms(1_710_605_360_701))
        .duration_ms(57_168)
        .direction(Direction::Inbound)
        .agent("louis")
        .queue("billing")
        .language("en-GB")
        .tag("complaint")
        .tag("vip")
        .policy_version("2014-06")
        .subject(Subject::new(Role::Customer, Identifier::tel("+15722568385").unwrap()).with_name("Olivia Flores"))
        .amends(first.record)
        .with(
            DraftPart::new(PartKind::Analysis, "application/json", &b"x"[..])
                .name("scores.json")
                .digest(digest.clone()),
        );
    let id = ingestor.ingest(draft).unwrap().record;
    let record = world.session(&world.bolt).read(id).unwrap();
    let head = record.head();
    assert_eq!(head.start.unwrap().to_string(), "2024-03-16T16:09:20.701Z");
    assert_eq!((head.duration_ms, head.direction), (Some(57_168), Some(Direction::Inbound)));
    assert_eq!(
        (head.agent.as_deref(), head.queue.as_deref(), head.language.as_deref()),
        (Some("louis"), Some("billing"), Some("en-GB"))
    );
    assert_eq!(head.tags, ["complaint", "vip"]);
    assert_eq!((head.policy_version.as_deref(), head.amends), (Some("2014-06"), Some(first.record)));
    assert_eq!(head.subjects[0].identifiers[0].to_string(), "tel:+15722568385");
    assert!(head.channel == Channel::Other("fax".into()));
    let part = &head.parts[0];
    assert_eq!(
        (part.kind, part.media_type.as_str(), part.name.as_deref()),
        (PartKind::Analysis, "application/json", Some("scores.json"))
    );
    assert_eq!((part.len, part.digest.as_ref()), (1, Some(&digest)));
}

#[test]
fn records_outlive_the_process_and_the_ingestor() {
    let world = World::new();
    let ingestor = world.ingestor(&world.acme);
    let id = ingestor.ingest(text("kept")).unwrap().record;
    drop(ingestor);
    let path = world.path();
    let common::World { dir: _dir, vault, acme, .. } = world;
    drop(vault);
    let vault = Vault::open(&path, common::operator()).unwrap();
    assert_eq!(acme.session(&vault).read(id).unwrap().read_part(1).unwrap(), b"kept");
    assert!(vault.check().unwrap().is_clean());
}
