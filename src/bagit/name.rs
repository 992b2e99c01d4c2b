use std::hash::{BuildHasher, Hasher, RandomState};

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

pub(super) fn portable_segment(segment: &str) -> bool {
    let stem = segment.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = stem.strip_prefix("com").or(stem.strip_prefix("lpt"));
    let device =
        DEVICES.contains(&&*stem) || numbered.is_some_and(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit());
    let letters = segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    let dots = segment.starts_with('.') || segment.ends_with('.');
    !segment.is_empty() && segment.len() <= MAX_SEGMENT && letters && !dots && !device
}

/// The names that a bag has given away, files and folders, told apart by their lower-case forms: some file systems
/// tell no more. The paths lie one after another in one text, and a name costs its file's path and some 20 bytes.
#[derive(Default)]
pub(super) struct Names {
    paths: String,
    names: Vec<Name>,
    /// A hash table with linear probing: numbers of names plus one, at most three quarters of a power of two.
    table: Vec<u32>,
    hasher: RandomState,
}

/// Where in the paths a name is. A folder's is the beginning of a file's.
#[derive(Clone, Copy)]
struct Name {
    start: u32,
    len: u16,
    file: bool,
}

impl Names {
    /// Whether a file can have this path from the bag's folder.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if a system could not store it, or not beside what is there already.
    pub(super) fn check(&self, path: &str) -> Result<()> {
        if !portable(path) {
            return Err(Error::new(ErrorKind::InvalidInput, "checking a name of a bag's file"));
        }
        let clash = |folder: &str| self.find(folder).is_some_and(|name| name.file || self.text(name) != folder);
        if folders(path).any(clash) || self.find(path).is_some() {
            return Err(Error::new(ErrorKind::InvalidInput, "naming a bag's file as another of its files or folders"));
        }
        Ok(())
    }

    /// Takes a path and returns its number.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(super) fn take(&mut self, path: &str) -> Result<u32> {
        self.check(path)?;
        let too_many = || Error::new(ErrorKind::TooLarge, "naming more files than a bag can have here");
        let start = u32::try_from(self.paths.len()).map_err(|_| too_many())?;
        self.paths.push_str(path);
        for folder in folders(path) {
            if self.find(folder).is_none() {
                self.insert(Name { start, len: folder.len() as u16, file: false });
            }
        }
        let number = u32::try_from(self.names.len()).map_err(|_| too_many())?;
        self.insert(Name { start, len: path.len() as u16, file: true });
        Ok(number)
    }

    /// Whether a file has exactly this path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.find(path).is_some_and(|name| name.file && self.text(name) == path)
    }

    /// The path with a number that [`take`](Self::take) returned.
    pub(super) fn path(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", |name| self.text(*name))
    }

    fn text(&self, name: Name) -> &str {
        let start = name.start as usize;
        self.paths.get(start..start + usize::from(name.len)).unwrap_or_default()
    }

    /// The name with the same lower-case form.
    fn find(&self, path: &str) -> Option<Name> {
        let number = *self.table.get(self.slot(path)?)?;
        self.names.get((number as usize).checked_sub(1)?).copied()
    }

    /// Where the table has the name or would have it; there is always an empty slot.
    fn slot(&self, path: &str) -> Option<usize> {
        let mask = self.table.len().checked_sub(1)?;
        let mut hasher = self.hasher.build_hasher();
        for bytes in path.as_bytes().chunks(64) {
            let mut lower = [0; 64];
            let lower = &mut lower[..bytes.len()];
            lower.copy_from_slice(bytes);
            lower.make_ascii_lowercase();
            hasher.write(lower);
        }
        let mut slot = hasher.finish() as usize & mask;
        loop {
            let number = *self.table.get(slot)? as usize;
            let same = |name: &Name| self.text(*name).eq_ignore_ascii_case(path);
            if number.checked_sub(1).and_then(|n| self.names.get(n)).is_none_or(same) {
                return Some(slot);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn insert(&mut self, name: Name) {
        self.names.push(name);
        if self.names.len() * 4 > self.table.len() * 3 {
            self.table = vec![0; (self.table.len() * 2).max(64)];
            (0..self.names.len()).for_each(|number| self.place(number));
        } else {
            self.place(self.names.len() - 1);
        }
    }

    fn place(&mut self, number: usize) {
        let slot = self.names.get(number).and_then(|name| self.slot(self.text(*name)));
        if let Some(slot) = slot.and_then(|slot| self.table.get_mut(slot)) {
            *slot = number as u32 + 1;
        }
    }
}

/// The folders that a path leads through, the outermost first.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
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
        assert!(names.has("data/a") && names.has("data/b/c"));
        assert!(!["data/A", "data/b", "data/e"].into_iter().any(|other| names.has(other)));
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
