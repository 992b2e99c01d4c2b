use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};

/// Bytes of a segment: what common file systems take.
const MAX_SEGMENT: usize = 255;
/// Bytes of a path, well below the 4,096 of Linux, so that the bag may lie anywhere.
const MAX_PATH: usize = 1024;
/// What Windows takes for devices, with any extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Whether every system can store a file under this relative path: segments of `[A-Za-z0-9._-]` between slashes, none
/// with a dot at either end, none that Windows takes for a device (RFC 8493, section 6.2).
fn portable(path: &str) -> bool {
    path.len() <= MAX_PATH && path.split('/').all(portable_segment)
}

fn portable_segment(segment: &str) -> bool {
    let stem = segment.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = stem.strip_prefix("com").or(stem.strip_prefix("lpt"));
    let device =
        DEVICES.contains(&&*stem) || numbered.is_some_and(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit());
    let letters = segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    let dots = segment.starts_with('.') || segment.ends_with('.');
    !segment.is_empty() && segment.len() <= MAX_SEGMENT && letters && !dots && !device
}

/// The names that a bag has given away, files and folders, by their lower-case form: some file systems tell no more.
#[derive(Default)]
pub(super) struct Names(BTreeMap<String, (String, bool)>);

impl Names {
    /// Takes a file's path from the bag's folder.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if a system could not store it, or not beside what is there already.
    pub(super) fn take(&mut self, path: &str) -> Result<()> {
        if !portable(path) {
            return Err(Error::new(ErrorKind::InvalidInput, "checking a name of a bag's file"));
        }
        let folders = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        let clash = folders
            .clone()
            .any(|folder| self.0.get(&folder.to_ascii_lowercase()).is_some_and(|(name, file)| *file || name != folder));
        if clash || self.0.contains_key(&path.to_ascii_lowercase()) {
            return Err(Error::new(ErrorKind::InvalidInput, "naming a bag's file as another of its files or folders"));
        }
        for folder in folders {
            self.0.insert(folder.to_ascii_lowercase(), (folder.to_owned(), false));
        }
        self.0.insert(path.to_ascii_lowercase(), (path.to_owned(), true));
        Ok(())
    }

    /// Gives back a file's path; its folders stay.
    pub(super) fn give_back(&mut self, path: &str) {
        self.0.remove(&path.to_ascii_lowercase());
    }
}

/// Whether some system would take this path out of the bag's folder, or to no file at all: absolute, with a drive's
/// letter, a home folder, or a segment that is empty, `.` or `..`, by either slash.
pub(crate) fn unsafe_path(path: &str) -> bool {
    let drive = path.as_bytes().get(1) == Some(&b':') && path.starts_with(|c: char| c.is_ascii_alphabetic());
    let odd = path.split('/').any(|s| matches!(s, "" | "." | ".."));
    let odd_elsewhere = path.starts_with('\\') || path.split(['/', '\\']).any(|s| s == "..");
    drive || odd || odd_elsewhere || path.starts_with('~') || path.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_some_system_cannot_store_are_refused() {
        for bad in [
            "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", ".a", "a/.b", "a.", "a b", "a\\b", "a:b", "ä",
            "~", "a%0A", "con", "NUL.txt", "a/Com1", "lpt9.wav", "a\n", "a*",
        ] {
            assert_eq!(Names::default().take(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad}");
        }
        assert!(Names::default().take(&"a".repeat(256)).is_err());
        assert!(Names::default().take(&"ab/".repeat(400)).is_err());
        for good in ["a", "A-1_2.tar.gz", "a/b/c", "com10", "console", "a..b", "-", &"a".repeat(255)] {
            Names::default().take(good).unwrap_or_else(|e| panic!("{good}: {e}"));
        }
    }

    #[test]
    fn names_that_only_some_systems_tell_apart_are_refused() {
        let mut names = Names::default();
        for good in ["data/a", "data/b/c", "data/b/d"] {
            names.take(good).unwrap();
        }
        for bad in ["data/a", "data/A", "data/a/b", "data/B", "data/B/e", "DATA/f", "data"] {
            assert_eq!(names.take(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad}");
        }
        names.give_back("data/a");
        names.take("data/A").unwrap();
    }

    #[test]
    fn paths_that_lead_out_of_the_bag_are_unsafe() {
        for bad in [
            "",
            "/etc/passwd",
            "../a",
            "data/../../a",
            "data/..",
            "~/a",
            "~root",
            "C:\\a",
            "c:a",
            "\\\\host\\a",
            "data\\..\\..\\a",
            "data//a",
            "./data/a",
            "data/a\0b",
        ] {
            assert!(unsafe_path(bad), "{bad}");
        }
        for good in ["data/a", "data/...", "data/a~", "data/a:b", "data/a\\b", "ab:c"] {
            assert!(!unsafe_path(good), "{good}");
        }
    }
}
