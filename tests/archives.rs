//! A bag as an archive is byte for byte what GNU tar would have made, or it is not made.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{self, Read, Write};
use std::process::Command;

use strongroom::bagit::{ArchiveWriter, Bag, Digests, Limits, Plan, Sums, Verify, unpack};
use strongroom::{Error, ErrorKind, Identity, Timestamp, age};

const MADE: Timestamp = Timestamp::from_unix_ms(1_710_605_360_701);

fn bytes(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 7 + i / 251) as u8).collect()
}

/// Payload files that need a prefix, that fill blocks exactly or not at all, and that sort otherwise as folders do.
fn payload() -> Vec<(String, Vec<u8>)> {
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

fn archive(top: &str, plan: &Plan, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = plan.write(top, MADE, Vec::new()).unwrap();
    while let Some(file) = archive.next_file() {
        archive.put(&mut &files[file.added].1[..], Verify::Sha256).unwrap();
    }
    archive.finish().unwrap()
}

fn kind<T>(result: Result<T, Error>) -> ErrorKind {
    result.err().unwrap().kind()
}

#[test]
fn an_archive_unpacks_into_a_valid_bag() {
    let dir = tempfile::tempdir().unwrap();
    let files = payload();
    let plan = plan(&files);
    let bytes = archive("bag-1", &plan, &files);
    assert_eq!(bytes.len() as u64, plan.archive_len("bag-1").unwrap());
    let folder = dir.path().join("bag");
    let unpacked = unpack(&mut &bytes[..], &folder, Limits::default()).unwrap();
    assert_eq!((unpacked.top.as_str(), unpacked.files), ("bag-1", files.len() as u64 + 8));
    let bag = Bag::open(&folder).unwrap();
    let report = bag.verify().unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert_eq!((report.files, report.octets), (plan.files() as u64, plan.octets()));
    let info = bag.info().unwrap();
    let said = |label: &str| info.iter().find(|(l, _)| l == label).map(|(_, value)| value.clone());
    assert_eq!(said("Payload-Oxum"), Some(format!("{}.{}", plan.octets(), files.len())));
    assert_eq!(said("Bagging-Date").as_deref(), Some("2024-03-16"));
    let manifest = fs::read(folder.join("manifest-sha256.txt")).unwrap();
    assert_eq!(Sums::of(&manifest).sha256(), &plan.manifest_sha256());
    for (path, bytes) in &files {
        assert!(plan.has(path) && fs::read(folder.join("data").join(path)).unwrap() == *bytes, "{path}");
    }
}

#[test]
fn the_same_files_make_the_same_archive_in_whatever_order_they_were_planned() {
    let mut files = payload();
    let first = archive("bag-1", &plan(&files), &files);
    files.reverse();
    assert_eq!(archive("bag-1", &plan(&files), &files), first);
    // Written into an age file, in one pass and with one buffer.
    let identity = Identity::generate().unwrap();
    let sealed = age::Writer::new(Vec::new(), &[identity.recipient().clone()]).unwrap();
    let plan = plan(&files);
    let mut archive = plan.write("bag-1", MADE, sealed).unwrap();
    while let Some(file) = archive.next_file() {
        archive.put(&mut &files[file.added].1[..], Verify::Length).unwrap();
    }
    let sealed = archive.finish().unwrap().finish().unwrap();
    let mut opened = Vec::new();
    age::Reader::new(&sealed[..], &identity).unwrap().read_to_end(&mut opened).unwrap();
    assert_eq!(opened, first);
}

/// Runs a program and gives what it wrote.
fn run(program: &mut Command) -> Vec<u8> {
    let output = program.output().unwrap_or_else(|e| panic!("{program:?}: {e}"));
    assert!(output.status.success(), "{program:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn gnu_tar_makes_the_same_bytes_of_the_unpacked_files() {
    let version = Command::new("tar").arg("--version").output().map(|o| o.stdout).unwrap_or_default();
    if !version.starts_with(b"tar (GNU tar)") {
        println!("skipped: this system has no GNU tar");
        return;
    }
    // Names of every length around what the two fields hold, with slashes where they matter, as far as they fit.
    let mut long = Vec::new();
    for folder in [1, 60, 88, 94, 95, 96, 143, 144, 145, 150] {
        for name in [1, 87, 88, 99, 100, 101] {
            long.push((format!("{}/{}", "f".repeat(folder), "n".repeat(name)), Vec::new()));
            long.push((format!("{}/g/{}", "f".repeat(folder), "m".repeat(name)), Vec::new()));
        }
    }
    let fits = |(path, _): &(String, Vec<u8>)| {
        let mut alone = Plan::new();
        alone.add(path, 0, Sums::of(b"")).unwrap();
        alone.archive_len("bag-1").is_ok()
    };
    let (fit, unfit): (Vec<_>, Vec<_>) = long.into_iter().partition(fits);
    assert!(fit.len() > 60 && unfit.len() > 20, "{} {}", fit.len(), unfit.len());

    let dir = tempfile::tempdir().unwrap();
    let tar = |args: &str| {
        let mut tar = Command::new("tar");
        tar.current_dir(dir.path()).env_remove("TAR_OPTIONS").args(args.split(' '));
        tar
    };
    let how = "--create --no-recursion --files-from=names --mtime=@1710605360 --owner=0 --group=0 --numeric-owner \
               --format=ustar --mode=0600";
    for (files, top) in [(payload(), "bag-1"), (fit, "bag-1"), (Vec::new(), "empty")] {
        let bytes = archive(top, &plan(&files), &files);
        fs::write(dir.path().join("ours.tar"), &bytes).unwrap();
        let listed = run(&mut tar("--list --file ours.tar"));
        run(&mut tar("--extract --file ours.tar"));
        let mut names = listed.split_inclusive(|b| *b == b'\n').collect::<Vec<_>>();
        assert_eq!(names.len(), files.len() + 8);
        names.sort_unstable();
        fs::write(dir.path().join("names"), names.concat()).unwrap();
        assert!(run(&mut tar(how)) == bytes, "{top} with {} files differs", files.len());
        for (program, about) in
            [("sha256sum", "payload"), ("sha512sum", "payload"), ("sha256sum", "tag"), ("sha512sum", "tag")]
        {
            let name = program.trim_end_matches("sum");
            let manifest = format!("{}manifest-{name}.txt", if about == "tag" { "tag" } else { "" });
            let folder = dir.path().join(top);
            // An empty manifest is no list of sums to it.
            if fs::metadata(folder.join(&manifest)).unwrap().len() > 0 {
                run(Command::new(program).args(["--check", "--strict", "--quiet", &manifest]).current_dir(&folder));
            }
        }
        fs::remove_dir_all(dir.path().join(top)).unwrap();
    }
    // What we refuse, it refuses.
    for (path, _) in unfit {
        let path = dir.path().join("bag-1/data").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"").unwrap();
        fs::write(dir.path().join("names"), path.strip_prefix(dir.path()).unwrap().to_str().unwrap()).unwrap();
        let output = tar(how).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).contains("too long"), "{}", path.display());
    }
}

/// An archive with its first file next, the second being 3 bytes.
fn started(plan: &Plan) -> ArchiveWriter<'_, Vec<u8>> {
    let mut archive = plan.write("top", MADE, Vec::new()).unwrap();
    archive.put(&mut &b"one"[..], Verify::Sha256).unwrap();
    assert_eq!(archive.next_file().unwrap().path, "data/two");
    archive
}

#[test]
fn a_source_that_is_not_what_was_planned_ends_the_archive() {
    let mut plan = Plan::new();
    plan.add("two", 3, Sums::of(b"two")).unwrap();
    plan.add("one", 3, Sums::of(b"one")).unwrap();
    struct Fails(Option<Error>);
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(self.0.take().map_or_else(|| io::ErrorKind::TimedOut.into(), Into::into))
        }
    }
    let own = || "no address".parse::<Timestamp>().unwrap_err();
    let faults: [(Box<dyn Read>, Verify, ErrorKind); 7] = [
        (Box::new(&b"tw"[..]), Verify::Length, ErrorKind::Source),
        (Box::new(&b""[..]), Verify::Sha256, ErrorKind::Source),
        (Box::new(&b"twoo"[..]), Verify::Length, ErrorKind::Source),
        (Box::new(&b"twoo"[..]), Verify::Sha256, ErrorKind::Source),
        (Box::new(&b"Two"[..]), Verify::Sha256, ErrorKind::DigestMismatch),
        (Box::new(Fails(None)), Verify::Length, ErrorKind::Source),
        (Box::new((&b"tw"[..]).chain(Fails(Some(own())))), Verify::Sha256, own().kind()),
    ];
    for (mut source, verify, expected) in faults {
        let mut archive = started(&plan);
        assert_eq!(kind(archive.put(&mut source, verify)), expected);
        assert_eq!(kind(archive.put(&mut &b"two"[..], verify)), ErrorKind::Io);
        assert_eq!(kind(archive.finish()), ErrorKind::Io);
    }
    let mut archive = started(&plan);
    archive.put(&mut &b"Two"[..], Verify::Length).unwrap();
    assert!(archive.next_file().is_none());
    assert_eq!(kind(archive.put(&mut &b""[..], Verify::Length)), ErrorKind::InvalidInput);
    archive.finish().unwrap();
    assert_eq!(kind(started(&plan).finish()), ErrorKind::InvalidInput);
}

#[test]
fn an_output_that_fails_ends_the_archive() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let large = bytes(600_000);
    let mut plan = Plan::new();
    plan.add("large", 600_000, Sums::of(&large)).unwrap();
    let mut archive = plan.write("top", MADE, Full(300_000)).unwrap();
    assert_eq!(kind(archive.put(&mut &large[..], Verify::Length)), ErrorKind::Full);
    assert_eq!(kind(archive.finish()), ErrorKind::Io);
    let mut archive = plan.write("top", MADE, Full(600_000)).unwrap();
    archive.put(&mut &large[..], Verify::Length).unwrap();
    assert_eq!(kind(archive.finish()), ErrorKind::Full);
}

#[test]
fn what_the_format_cannot_say_is_refused_before_anything_is_written() {
    let sums = Sums::of(b"");
    let mut plan = Plan::new();
    assert_eq!(kind(plan.add("large", Plan::MAX_FILE + 1, sums)), ErrorKind::TooLarge);
    plan.add("large", Plan::MAX_FILE, sums).unwrap();
    plan.add("larger", Plan::MAX_FILE, sums).unwrap();
    // Eight headers, two files of 8 GiB, six of less than one or two blocks, the end.
    let blocks = 8 + 2 * (1 << 24) + 7 + 2;
    assert_eq!(plan.archive_len("top").unwrap(), (blocks * 512_u64).next_multiple_of(10_240));
    for top in ["", "a/b", "..", ".a", "a b", "con", &"a".repeat(256)] {
        assert_eq!(kind(plan.archive_len(top)), ErrorKind::InvalidInput, "{top}");
    }
    for made in [-1, 8_589_934_592_000] {
        let made = Timestamp::from_unix_ms(made);
        assert_eq!(kind(plan.write("top", made, Vec::new())), ErrorKind::InvalidInput);
    }
    plan.write("top", Timestamp::from_unix_ms(8_589_934_591_999), Vec::new()).map(drop).unwrap();
    for name in ["large", "LARGE", "large/x", "../x", "a b", "a//b"] {
        assert_eq!(kind(plan.add(name, 0, sums)), ErrorKind::InvalidInput, "{name}");
    }
    for name in ["data", "Data/x", "bagit.txt", "bagit.txt/x", "BAG-INFO.TXT", "manifest-md5.txt", "fetch.txt/a"] {
        assert_eq!(kind(plan.tag_file(name, "")), ErrorKind::InvalidInput, "{name}");
    }
    assert_eq!(kind(plan.tag_file("a", vec![0; Plan::MAX_TAG_BYTES + 1])), ErrorKind::TooLarge);
    assert_eq!(kind(plan.info("Payload-Oxum", "1.1")), ErrorKind::InvalidInput);
    assert!(plan.has("large") && !plan.has("LARGE") && !plan.has("x") && plan.files() == 2);
}

#[test]
fn a_plan_takes_200_000_files_and_no_more() {
    let (mut plan, sums) = (Plan::new(), Sums::of(b""));
    for i in 0..Plan::MAX_FILES - 1 {
        plan.add(&format!("vcons/{i:08}.json"), 0, sums).unwrap();
    }
    plan.tag_file("note", "").unwrap();
    assert_eq!(kind(plan.add("vcons/x.json", 0, sums)), ErrorKind::TooLarge);
    assert_eq!(kind(plan.tag_file("x", "")), ErrorKind::TooLarge);
    assert!(plan.archive_len("top").unwrap() > 100_000_000);
}

#[test]
fn digests_are_those_that_other_programs_compute() {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let sums = Sums::of(b"abc");
    // FIPS 180-4's examples.
    assert_eq!(hex(sums.sha256()), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert!(hex(sums.sha512()).starts_with("ddaf35a193617abacc417349ae204131"), "{sums:?}");
    let long = bytes(300_000);
    let mut digests = Digests::default();
    assert!(digests.is_empty());
    long.chunks(777).for_each(|piece| digests.write_all(piece).unwrap());
    assert_eq!((digests.len(), digests.finish()), (300_000, Sums::of(&long)));
    assert_eq!(Sums::read(&mut &long[..]).unwrap(), (300_000, Sums::of(&long)));
}
