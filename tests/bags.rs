//! Bags of others are judged as the conformance suite says, and changed ones found out.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;

use common::files;
use strongroom::ErrorKind;
use strongroom::bagit::{Bag, FindingKind, Writer};

fn judge(folder: &Path) -> strongroom::bagit::Report {
    Bag::open(folder).unwrap().verify().unwrap()
}

#[test]
fn every_bag_of_the_conformance_suite_is_judged_as_it_says() {
    let suite = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/bagit-conformance-suite"));
    let mut judged = 0;
    for version in fs::read_dir(suite).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()) {
        for verdict in fs::read_dir(&version).unwrap().map(|e| e.unwrap().path()) {
            let expected = verdict.file_name().unwrap().to_str().unwrap().to_owned();
            for bag in fs::read_dir(&verdict).unwrap().map(|e| e.unwrap().path()) {
                let report = judge(&bag);
                let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
                let valid = match expected.as_str() {
                    "valid" => report.is_valid(),
                    "warning" => report.is_valid() && !report.findings.is_empty(),
                    "invalid" | "linux-only" => !report.is_valid(),
                    // What only Windows would mind.
                    _ => true,
                };
                assert!(valid, "{} is {expected}: {findings:?}", bag.display());
                judged += 1;
            }
        }
    }
    assert!(judged >= 4, "{judged} bags");
}

fn bag(folder: &Path) {
    let mut bag = Writer::create(folder).unwrap();
    bag.add("a/one.txt", &mut &b"one"[..]).unwrap();
    let mut two = bag.file("two").unwrap();
    two.write_all(b"two").unwrap();
    two.finish().unwrap();
    bag.tag_file("custody/note.txt", b"who had it").unwrap();
    bag.info("External-Description", "two lines:\nthis is the second").unwrap();
    bag.finish().unwrap();
}

#[test]
fn a_bag_that_was_changed_in_any_file_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("bag");
    bag(&folder);
    let report = judge(&folder);
    assert!(report.findings.is_empty() && report.files == 2 && report.octets == 6, "{:?}", report.findings);
    let all = files(&folder);
    assert_eq!(all.len(), 9);
    for file in &all {
        let bytes = fs::read(file).unwrap();
        let mut changed = bytes.clone();
        changed[bytes.len() / 2] ^= 1;
        fs::write(file, &changed).unwrap();
        assert!(!judge(&folder).is_valid(), "{} changed", file.display());
        fs::remove_file(file).unwrap();
        // Without its tag manifests a bag is one of an older kind.
        let optional = file.file_name().unwrap().to_str().unwrap().starts_with("tagmanifest");
        assert_eq!(judge(&folder).is_valid(), optional, "{} removed: {:?}", file.display(), judge(&folder).findings);
        fs::write(file, bytes).unwrap();
    }
    fs::write(folder.join("data/three"), b"").unwrap();
    assert!(judge(&folder).findings.iter().any(|f| f.kind == FindingKind::Unlisted));
    fs::remove_file(folder.join("data/three")).unwrap();
    fs::remove_file(folder.join("data/two")).unwrap();
    std::os::unix::fs::symlink("a/one.txt", folder.join("data/two")).unwrap();
    assert!(!judge(&folder).is_valid());
}

#[test]
fn a_bag_that_is_not_finished_leaves_nothing_and_bad_names_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("bag");
    let mut writer = Writer::create(&folder).unwrap();
    writer.add("a", &mut &b"a"[..]).unwrap();
    for name in ["", "..", "../x", "/x", "a b", "a", "A", ".hidden", "con", "x/../y", "ü"] {
        assert_eq!(writer.add(name, &mut &b""[..]).unwrap_err().kind(), ErrorKind::InvalidInput, "{name}");
    }
    drop(writer);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    bag(&folder);
    assert_eq!(Writer::create(&folder).err().unwrap().kind(), ErrorKind::AlreadyExists);
}
