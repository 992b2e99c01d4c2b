//! Archives of strangers: whatever is in them, nothing is written elsewhere and nothing is left of a failure.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use strongroom::bagit::{Limits, Plan, Sums, Unpacked, Verify, unpack};
use strongroom::{Error, ErrorKind, Result, Timestamp};

mod common;

/// One entry as the format has it, made without the code that is tested.
struct Entry {
    header: [u8; 512],
    contents: Vec<u8>,
}

impl Entry {
    fn file(name: &str, contents: &[u8]) -> Self {
        let mut header = [0; 512];
        let size = format!("{:011o}\0", contents.len());
        let fields: [(usize, &[u8]); 5] =
            [(0, name.as_bytes()), (100, b"0000755\0"), (124, size.as_bytes()), (156, b"0"), (257, b"ustar\x0000")];
        for (at, bytes) in fields {
            header[at..at + bytes.len()].copy_from_slice(bytes);
        }
        let contents = [contents, &vec![0; contents.len().next_multiple_of(512) - contents.len()]].concat();
        Self { header, contents }
    }

    fn with(mut self, at: usize, bytes: &[u8]) -> Self {
        self.header[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn bytes(mut self) -> Vec<u8> {
        self.header[148..156].fill(b' ');
        let sum: u32 = self.header.iter().map(|b| u32::from(*b)).sum();
        self.header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        [&self.header[..], &self.contents].concat()
    }
}

fn archive(entries: impl IntoIterator<Item = Entry>) -> Vec<u8> {
    [entries.into_iter().flat_map(Entry::bytes).collect(), vec![0; 1024]].concat()
}

fn files(names: &[&str]) -> Vec<u8> {
    archive(names.iter().map(|name| Entry::file(name, b"contents")))
}

/// A folder with nothing in it but what unpacking makes, and a marker beside it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.0.path().join("in")).unwrap();
        fs::write(place.0.path().join("marker"), b"untouched").unwrap();
        place
    }

    fn unpack(&self, bytes: &[u8], limits: Limits) -> Result<Unpacked> {
        unpack(&mut &bytes[..], self.0.path().join("in/bag"), limits)
    }

    /// Unpacks and sees to it that nothing is left and nothing else was touched.
    fn refuse(&self, bytes: &[u8], limits: Limits) -> ErrorKind {
        let kind = self.unpack(bytes, limits).unwrap_err().kind();
        assert_eq!(common::files(self.0.path()), [self.0.path().join("marker")]);
        assert_eq!(fs::read_dir(self.0.path().join("in")).unwrap().count(), 0);
        assert_eq!(fs::read(self.0.path().join("marker")).unwrap(), b"untouched");
        kind
    }
}

#[test]
fn files_are_unpacked_for_their_owner_alone_whatever_the_archive_says() {
    let place = Place::new();
    let many: Vec<u8> = (0..600_000).map(|i| (i % 251) as u8).collect();
    let long = format!("top/{}", "f".repeat(60));
    let entries = [
        Entry::file("top/a", b"one").with(100, b"0006777\0").with(108, b"0001750\0").with(136, b"77777777777\0"),
        Entry::file("top/b/c/d", &many).with(265, b"root").with(297, b"wheel"),
        Entry::file("e", b"").with(345, long.as_bytes()),
    ];
    let unpacked = place.unpack(&archive(entries), Limits::default()).unwrap();
    assert_eq!((&*unpacked.top, unpacked.files, unpacked.bytes), ("top", 3, 600_003));
    let bag = place.0.path().join("in/bag");
    assert_eq!(fs::read(bag.join("a")).unwrap(), b"one");
    assert_eq!(fs::read(bag.join("b/c/d")).unwrap(), many);
    assert_eq!(fs::read(bag.join("f".repeat(60)).join("e")).unwrap(), b"");
    assert_eq!(common::files(&bag).len(), 3);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&bag.join("a")), mode(&bag.join("b/c")), mode(&bag)), (0o600, 0o700, 0o700));
}

#[test]
fn names_that_lead_elsewhere_or_that_some_system_cannot_store_are_refused() {
    let place = Place::new();
    for bad in [
        "/etc/x",
        "/top/x",
        "../x",
        "top/../x",
        "top/../../marker",
        "top/a/../../x",
        "./top/x",
        "top//x",
        "top/./x",
        "top/",
        "top",
        "",
        "/",
        "~/x",
        "top/a\\b",
        "C:/x",
        "top/c:x",
        "top/con",
        "top/.x",
        "top/x.",
        "top/a b",
        "top/\u{fc}",
        "top/a\nb",
        ".top/x",
        "con/x",
    ] {
        assert_eq!(place.refuse(&files(&["top/first", bad]), Limits::default()), ErrorKind::InvalidInput, "{bad}");
        assert_eq!(place.refuse(&files(&[bad]), Limits::default()), ErrorKind::InvalidInput, "{bad}");
    }
    // The same by the field for what stands before the name, and bytes behind a NUL.
    for (at, bytes) in [(345, &b"/top"[..]), (345, b".."), (345, b"top/../.."), (0, b"top/\xFF"), (0, b"top/a\0b")] {
        let bad = archive([Entry::file("top/x", b"").with(at, bytes)]);
        assert_eq!(place.refuse(&bad, Limits::default()), ErrorKind::InvalidInput, "{bytes:?}");
    }
}

#[test]
fn names_that_meet_and_folders_side_by_side_are_refused() {
    let place = Place::new();
    for names in [
        ["top/a", "top/a"],
        ["top/a", "top/A"],
        ["top/a/b", "top/A/c"],
        ["top/a", "top/a/b"],
        ["top/a/b", "top/a"],
        ["top/a", "Top/b"],
        ["top/a", "other/b"],
    ] {
        assert_eq!(place.refuse(&files(&names), Limits::default()), ErrorKind::InvalidInput, "{names:?}");
    }
    place.unpack(&files(&["top/a", "top/b/a", "top/b/b"]), Limits::default()).unwrap();
}

#[test]
fn whatever_is_no_plain_file_is_refused() {
    let place = Place::new();
    for kind in *b"\x0012345678gxLKSDMNVXAs\xFF" {
        for (name, size) in [("top/x", &b""[..]), ("top/x", b"contents"), ("top/x/", b"")] {
            let link = Entry::file(name, size).with(156, &[kind]).with(157, b"/etc/passwd");
            let bad = archive([Entry::file("top/first", b"x"), link]);
            assert_eq!(place.refuse(&bad, Limits::default()), ErrorKind::InvalidInput, "{kind:?}");
        }
    }
    let fields: [(usize, &[u8]); 9] = [
        (257, b"ustar  \0"),
        (257, b"\0\0\0\0\0\0\0\0"),
        (257, b"ustar\x0001"),
        (124, b"\x80\0\0\0\0\0\0\0\0\0\0\x08"),
        (124, b"-0000000010\0"),
        (124, b"+0000000010\0"),
        (124, b"\0\0\0\0\0\0\0\0\0\0\0\0"),
        (124, b"00000000008\0"),
        (124, b"0000\x000000010"),
    ];
    for (at, bytes) in fields {
        let bad = archive([Entry::file("top/x", b"contents").with(at, bytes)]);
        assert_eq!(place.refuse(&bad, Limits::default()), ErrorKind::InvalidInput, "{bytes:?}");
    }
}

#[test]
fn what_gnu_tar_makes_of_anything_but_files_is_refused() {
    let version = Command::new("tar").arg("--version").output().map(|o| o.stdout).unwrap_or_default();
    if !version.starts_with(b"tar (GNU tar)") {
        println!("skipped: this system has no GNU tar");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join("top").join(name);
    fs::create_dir_all(at("folder")).unwrap();
    fs::write(at("file"), b"contents").unwrap();
    fs::hard_link(at("file"), at("hard")).unwrap();
    std::os::unix::fs::symlink("/etc", at("soft")).unwrap();
    fs::write(at(&"n".repeat(120)), b"").unwrap();
    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    fs::File::create(at("sparse")).unwrap().set_len(1 << 20).unwrap();
    let tar = |args: &str| {
        let mut tar = Command::new("tar");
        tar.current_dir(dir.path()).env_remove("TAR_OPTIONS").args(args.split(' '));
        let output = tar.output().unwrap();
        assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let place = Place::new();
    let long = "n".repeat(120);
    for bad in [
        "--format=ustar top/folder",
        "--format=ustar top/file top/hard",
        "--format=ustar top/soft",
        "--format=ustar top/pipe",
        "--format=ustar -P /etc/hostname",
        "--format=ustar top/file --transform=s,top,..,",
        "--format=posix top/file",
        "--format=gnu top/file",
        "--format=oldgnu top/file",
        "--format=v7 top/file",
        "--format=gnu --sparse top/sparse",
        "--format=posix --sparse top/sparse",
        &format!("--format=gnu top/{long}"),
        &format!("--format=posix top/{long}"),
        "--format=gnu --label=top/x top/file",
        "--format=ustar --gzip top/file",
    ] {
        let bytes = tar(&format!("-P --create {bad}"));
        let kind = place.refuse(&bytes, Limits::default());
        // What is compressed has no header that could be right.
        let expected = if bad.contains("gzip") { ErrorKind::Damaged } else { ErrorKind::InvalidInput };
        assert_eq!(kind, expected, "{bad}");
    }
    let good = tar("--create --format=ustar --blocking-factor=1 top/file top/sparse");
    assert_eq!(place.unpack(&good, Limits::default()).unwrap().bytes, (1 << 20) + 8);
}

#[test]
fn an_archive_that_is_cut_anywhere_is_refused() {
    let place = Place::new();
    let whole = archive([Entry::file("top/a", &[7; 700]), Entry::file("top/b", b"")]);
    for len in (0..whole.len()).step_by(64).chain([1, 511, 513, whole.len() - 1]) {
        assert_eq!(place.refuse(&whole[..len], Limits::default()), ErrorKind::Damaged, "{len}");
    }
    place.unpack(&whole, Limits::default()).unwrap();
}

#[test]
fn only_zeros_may_follow_and_not_many() {
    let place = Place::new();
    let whole = files(&["top/a"]);
    for more in [&b"x"[..], &[[0; 700].as_slice(), b"x"].concat(), &whole] {
        let bytes = [&whole, more].concat();
        assert_eq!(place.refuse(&bytes, Limits::default()), ErrorKind::InvalidInput, "{}", more.len());
    }
    // A lone block of zeros ends nothing, and what files are filled up with hides nothing.
    let lone = [&Entry::file("top/a", b"").bytes()[..], &[0; 512], &whole].concat();
    assert_eq!(place.refuse(&lone, Limits::default()), ErrorKind::InvalidInput);
    let mut hidden = Entry::file("top/a", b"contents");
    *hidden.contents.last_mut().unwrap() = 1;
    assert_eq!(place.refuse(&archive([hidden]), Limits::default()), ErrorKind::InvalidInput);
    let endless = unpack(&mut (&whole[..]).chain(io::repeat(0)), place.0.path().join("in/bag"), Limits::default());
    assert_eq!(endless.unwrap_err().kind(), ErrorKind::TooLarge);
    place.unpack(&[&whole[..], &[0; 20 * 512 - 1]].concat(), Limits::default()).unwrap();
}

#[test]
fn a_header_with_any_changed_byte_is_refused() {
    let place = Place::new();
    let whole = files(&["top/a"]);
    for at in 0..512 {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        place.refuse(&bytes, Limits::default());
    }
}

#[test]
fn limits_stop_an_archive_before_what_is_beyond_them_is_written() {
    let place = Place::new();
    let limits = |files, bytes| {
        let mut limits = Limits::default();
        (limits.files, limits.bytes) = (files, bytes);
        limits
    };
    let whole = files(&["top/a", "top/b"]);
    assert_eq!(place.refuse(&whole, limits(1, 100)), ErrorKind::TooLarge);
    assert_eq!(place.refuse(&whole, limits(2, 15)), ErrorKind::TooLarge);
    // A header alone claims 8 GiB.
    let huge = Entry::file("top/b", b"").with(124, b"77777777777\0").bytes();
    assert_eq!(place.refuse(&huge, limits(2, 1 << 30)), ErrorKind::TooLarge);
    assert_eq!(place.refuse(&huge, Limits::default()), ErrorKind::Damaged);
    place.unpack(&whole, limits(2, 16)).unwrap();
}

#[test]
fn a_reader_that_fails_leaves_nothing_and_its_own_error() {
    struct Fails(Option<Error>);
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(self.0.take().map_or_else(|| io::ErrorKind::TimedOut.into(), Into::into))
        }
    }
    let place = Place::new();
    let whole = files(&["top/a", "top/b"]);
    let own = "no time".parse::<Timestamp>().unwrap_err();
    for (error, expected) in [(None, ErrorKind::Source), (Some(own), ErrorKind::InvalidInput)] {
        let mut reader = (&whole[..1030]).chain(Fails(error));
        let failed = unpack(&mut reader, place.0.path().join("in/bag"), Limits::default()).unwrap_err();
        assert_eq!(failed.kind(), expected);
        assert_eq!(fs::read_dir(place.0.path().join("in")).unwrap().count(), 0);
    }
}

#[test]
fn a_folder_with_anything_in_it_is_left_as_it_is() {
    let place = Place::new();
    let whole = files(&["top/a"]);
    place.unpack(&whole, Limits::default()).unwrap();
    assert_eq!(place.unpack(&files(&["top/b"]), Limits::default()).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(common::files(&place.0.path().join("in")), [place.0.path().join("in/bag/a")]);
    // Somebody else's, perhaps still at work.
    fs::create_dir(place.0.path().join("in/other.part")).unwrap();
    let other = unpack(&mut &whole[..], place.0.path().join("in/other"), Limits::default());
    assert_eq!(other.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert!(place.0.path().join("in/other.part").exists());
}

#[test]
fn an_archive_of_ours_unpacks_from_whatever_pieces_it_comes_in() {
    struct Pieces<'a>(&'a [u8], usize);
    impl Read for Pieces<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(3) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let most = room.len().min(self.1 % 700 + 1);
            self.0.read(&mut room[..most])
        }
    }
    let contents = vec![7; 5000];
    let mut plan = Plan::new();
    plan.add("a", 5000, Sums::of(&contents)).unwrap();
    let mut writer = plan.write("top", Timestamp::from_unix_ms(0), Vec::new()).unwrap();
    writer.put(&mut Pieces(&contents, 0), Verify::Sha256).unwrap();
    let bytes = writer.finish().unwrap();
    let place = Place::new();
    let unpacked = unpack(&mut Pieces(&bytes, 0), place.0.path().join("in/bag"), Limits::default()).unwrap();
    assert_eq!(unpacked.files, 7);
    assert_eq!(fs::read(place.0.path().join("in/bag/data/a")).unwrap(), contents);
}
