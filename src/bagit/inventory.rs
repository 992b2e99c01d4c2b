use std::collections::BTreeMap;
use std::io::{self, Write};

use super::hash::{Algorithm, Digests, Sums};
use super::name::Names;
use super::tags::{info_text, is_label, is_value};
use crate::error::{Error, ErrorKind, Result};
use crate::time::Timestamp;

/// Labels that are filled in.
const OWN_LABELS: [&str; 2] = ["payload-oxum", "bag-software-agent"];

/// Names in the bag's folder that BagIt uses, but for manifests.
const OWN_NAMES: [&str; 5] = ["data", "bagit.txt", "bag-info.txt", "package-info.txt", "fetch.txt"];

/// What a bag is going to consist of, whether it becomes a folder or an archive.
#[derive(Default)]
pub(super) struct Inventory {
    names: Names,
    payload: Vec<Listed>,
    /// Those about the payload that are not the bag's own.
    tags: BTreeMap<String, Sums>,
    info: Vec<(String, String)>,
    octets: u64,
}

/// A payload file. With its name it takes some 140 bytes and its path.
pub(super) struct Listed {
    name: u32,
    pub(super) len: u64,
    pub(super) sums: Sums,
}

/// What the files are that a bag itself consists of.
pub(super) enum Text {
    Bytes(Vec<u8>),
    Manifest(Algorithm),
}

impl Inventory {
    /// Whether `data/<path>` can be a payload file.
    pub(super) fn check(&self, path: &str) -> Result<()> {
        self.names.check(&format!("data/{path}"))
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.names.has(&format!("data/{path}"))
    }

    /// Lists `data/<path>`.
    pub(super) fn add(&mut self, path: &str, len: u64, sums: Sums) -> Result<()> {
        let name = self.names.take(&format!("data/{path}"))?;
        self.payload.push(Listed { name, len, sums });
        self.octets += len;
        Ok(())
    }

    /// Whether `path` can be a file about the payload.
    pub(super) fn check_tag(&self, path: &str) -> Result<()> {
        let first = path.split('/').next().unwrap_or_default().to_ascii_lowercase();
        let manifest = first.starts_with("manifest-") || first.starts_with("tagmanifest-");
        if manifest || OWN_NAMES.contains(&&*first) {
            return Err(Error::new(ErrorKind::InvalidInput, "naming a tag file as BagIt names its own"));
        }
        self.names.check(path)
    }

    pub(super) fn add_tag(&mut self, path: &str, sums: Sums) -> Result<()> {
        self.check_tag(path)?;
        self.names.take(path)?;
        self.tags.insert(path.to_owned(), sums);
        Ok(())
    }

    pub(super) fn info(&mut self, label: &str, value: &str) -> Result<()> {
        if !is_label(label) || !is_value(value) || OWN_LABELS.contains(&&*label.to_ascii_lowercase()) {
            return Err(Error::new(ErrorKind::InvalidInput, "describing a bag"));
        }
        self.info.push((label.to_owned(), value.to_owned()));
        Ok(())
    }

    pub(super) fn files(&self) -> usize {
        self.payload.len()
    }

    pub(super) fn octets(&self) -> u64 {
        self.octets
    }

    /// The payload's numbers, in the byte order of its paths.
    pub(super) fn order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.payload.len() as u32).collect();
        let path = |number: &u32| self.listed(*number).map(|(path, _)| path);
        order.sort_unstable_by(|a, b| path(a).cmp(&path(b)));
        order
    }

    /// A payload file by its number, with its path from the bag's folder.
    pub(super) fn listed(&self, number: u32) -> Option<(&str, &Listed)> {
        self.payload.get(number as usize).map(|listed| (self.names.path(listed.name), listed))
    }

    /// Writes the payload manifest.
    pub(super) fn manifest(&self, order: &[u32], algorithm: Algorithm, out: &mut dyn Write) -> io::Result<()> {
        let mut listed = order.iter().filter_map(|number| self.listed(*number));
        listed.try_for_each(|(path, listed)| line(path, &listed.sums, algorithm, out))
    }

    /// Bytes of the payload manifest.
    pub(super) fn manifest_len(&self, algorithm: Algorithm) -> u64 {
        let line = |(path, _): (&str, _)| (2 * algorithm.len() + 2 + path.len() + 1) as u64;
        (0..self.payload.len() as u32).filter_map(|number| self.listed(number)).map(line).sum()
    }

    /// The files that a bag itself consists of, for one that was made at that moment.
    pub(super) fn own(&self, order: &[u32], made: Timestamp) -> Vec<(String, Text)> {
        const DECLARATION: &[u8] = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
        let info = info_text(&self.complete_info(made)).into_bytes();
        let mut tags = self.tags.clone();
        tags.insert("bagit.txt".to_owned(), Sums::of(DECLARATION));
        tags.insert("bag-info.txt".to_owned(), Sums::of(&info));
        let mut own = vec![
            ("bagit.txt".to_owned(), Text::Bytes(DECLARATION.to_vec())),
            ("bag-info.txt".to_owned(), Text::Bytes(info)),
        ];
        for algorithm in Algorithm::ALL {
            let (path, mut digests) = (format!("manifest-{algorithm}.txt"), Digests::new());
            // A digest takes everything.
            let _ = self.manifest(order, algorithm, &mut digests);
            tags.insert(path.clone(), digests.finish());
            own.push((path, Text::Manifest(algorithm)));
        }
        for algorithm in Algorithm::ALL {
            let mut text = Vec::new();
            let _ = tags.iter().try_for_each(|(path, sums)| line(path, sums, algorithm, &mut text));
            own.push((format!("tagmanifest-{algorithm}.txt"), Text::Bytes(text)));
        }
        own
    }

    fn complete_info(&self, made: Timestamp) -> Vec<(String, String)> {
        let mut info = self.info.clone();
        let mut add = |label: &str, value| info.push((label.to_owned(), value));
        if !self.info.iter().any(|(label, _)| label.eq_ignore_ascii_case("Bagging-Date")) {
            add("Bagging-Date", made.to_string().chars().take_while(|c| *c != 'T').collect());
        }
        add("Bag-Software-Agent", concat!("strongroom ", env!("CARGO_PKG_VERSION")).to_owned());
        add("Payload-Oxum", format!("{}.{}", self.octets, self.payload.len()));
        info
    }
}

/// A line of a manifest, with two spaces as `sha256sum -c` has it.
fn line(path: &str, sums: &Sums, algorithm: Algorithm, out: &mut dyn Write) -> io::Result<()> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digest = sums.get(algorithm);
    let mut digits = [b' '; 2 * 64 + 2];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(digest) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    out.write_all(&digits[..2 * digest.len() + 2])?;
    out.write_all(path.as_bytes())?;
    out.write_all(b"\n")
}
