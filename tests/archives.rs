//! Bags as archives: what GNU tar would have made, taken apart without harm.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use strongroom::Timestamp;
use strongroom::bagit::{Bag, Limits, Plan, Sums, Verify, unpack};

const MADE: Timestamp = Timestamp::from_unix_ms(1_710_605_360_701);

/// Payload files that need a prefix, that fill blocks exactly or not at all, and that sort otherwise as folders do.
fn payload() -> Vec<(String, Vec<u8>)> {
    let bytes = |n: usize| (0..n).map(|i| (i * 7 + i / 251) as u8).collect::<Vec<_>>();
    let media = format!("files/sha512-{}.flac", "x".repeat(86));
    let mut files = vec![(media, bytes(700_001)), ("manifest.json".to_owned(), bytes(44))];
    files.extend([0, 1, 511, 512, 513, 262_144].map(|n| (format!("vcons/{n}.json"), bytes(n))));
    files.extend(["a/b", "a-b", "a.b", "a0"].map(|name| (name.to_owned(), name.into())));
    files
}

fn plan(files: &[(String, Vec<u8>)]) -> Plan {
    let mut plan = Plan::new();
    for (path, bytes) in files {
        plan.add(path, bytes.len() as u64, Sums::of(bytes)).unwrap();
    }
    plan.tag_file("custody/note.txt", "who had it").unwrap();
    plan.tag_file("z.txt", "last").unwrap();
    plan.info("External-Description", "two lines:\nthis is the second").unwrap();
    plan
}

fn archive(plan: &Plan, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = plan.write("bag-1", MADE, Vec::new()).unwrap();
    while let Some(file) = archive.next_file() {
        archive.put(&mut &files[file.added].1[..], Verify::Sha256).unwrap();
    }
    archive.finish().unwrap()
}

#[test]
fn an_archive_unpacks_into_a_valid_bag() {
    let dir = tempfile::tempdir().unwrap();
    let files = payload();
    let plan = plan(&files);
    let bytes = archive(&plan, &files);
    assert_eq!(bytes.len() as u64, plan.archive_len("bag-1").unwrap());
    let folder = dir.path().join("bag");
    let unpacked = unpack(&mut &bytes[..], &folder, Limits::default()).unwrap();
    assert_eq!((unpacked.top.as_str(), unpacked.files), ("bag-1", files.len() as u64 + 8));
    let report = Bag::open(&folder).unwrap().verify().unwrap();
    assert!(report.findings.is_empty() && report.files == files.len() as u64, "{:?}", report.findings);
    let manifest = fs::read(folder.join("manifest-sha256.txt")).unwrap();
    assert_eq!(Sums::of(&manifest).sha256(), &plan.manifest_sha256());
}
