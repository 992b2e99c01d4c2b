use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::hash::{Algorithm, Sums};
use super::tags::{self, Declaration, Line, Version};
use crate::error::{Error, ErrorKind, Result};

/// Bytes of a tag file that is read whole: a manifest of more than a million files.
const MAX_TAG_FILE: u64 = 256 * 1024 * 1024;

/// A folder that is said to be a bag.
pub struct Bag {
    folder: PathBuf,
}

/// What a verification found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// Everything that is not as it should be, in the order in which it was found.
    pub findings: Vec<Finding>,
    /// Payload files that are there.
    pub files: u64,
    /// Their bytes.
    pub octets: u64,
    /// The digests that payload files were compared with.
    pub algorithms: Vec<Algorithm>,
}

impl Report {
    /// Whether nothing was found that makes the bag invalid; there may be warnings.
    pub fn is_valid(&self) -> bool {
        self.findings.iter().all(Finding::is_warning)
    }
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The file that it is about, by its path from the bag's folder as the bag spells it: for people to look at, never
    /// to be opened.
    pub path: String,
    /// The manifest or other tag file that says otherwise.
    pub source: Option<String>,
    warning: bool,
}

impl Finding {
    /// Whether the bag can be valid nevertheless.
    pub fn is_warning(&self) -> bool {
        self.warning
    }
}

impl fmt::Display for Finding {
    /// One line, with control characters escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = if self.warning { "warning" } else { "error" };
        write!(f, "{level}: {}: {}", self.path.escape_debug(), self.kind)?;
        self.source.as_ref().map_or(Ok(()), |source| write!(f, " (see {})", source.escape_debug()))
    }
}

/// What is not as it should be. Which of them are only warnings depends on the bag's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// `bagit.txt` is missing or not as it must be. Nothing else was looked at.
    BadDeclaration,
    /// Listed, and to be fetched from elsewhere first.
    Incomplete,
    /// The number or bytes of payload files are not those of `Payload-Oxum`.
    OxumMismatch,
    /// There is neither a SHA-256 nor a SHA-512 manifest of the payload: nothing of it was verified.
    Unverifiable,
    /// Manifests of the same kind list different files.
    ManifestsDisagree,
    /// This line, counted from 1, is not one of such a file.
    Malformed(usize),
    /// Listed and not there.
    Missing,
    /// There, and neither a file nor a folder: not opened.
    NotAFile,
    /// A manifest lists it more than once with the same digest.
    Repeated,
    /// A manifest lists it more than once with different digests.
    Contradicted,
    /// A manifest spells it as only some tools do, `*name` or `./name`.
    OddSpelling,
    /// A payload manifest lists it outside `data/`, or a tag manifest inside or as a tag manifest.
    OutOfPlace,
    /// It is larger than 256 MiB, too large for a tag file, and was not read.
    TooLarge,
    /// There and not listed.
    Unlisted,
    /// Its path leads out of the bag on some system: absolute, with `..`, `~` or a drive's letter. Not opened.
    UnsafePath,
    /// A manifest of digests that are not computed here.
    UnsupportedAlgorithm,
    /// The bag's tag files are not said to be in UTF-8. Nothing else was looked at.
    UnsupportedEncoding,
    /// The bag's version is none of 0.93 to 1.0. Nothing else was looked at.
    UnsupportedVersion,
    /// Its bytes do not have the digest that is listed.
    WrongDigest,
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadDeclaration => "missing or malformed declaration",
            Self::Incomplete => "not fetched yet",
            Self::OxumMismatch => "number or bytes of payload files differ",
            Self::Unverifiable => "no payload manifest with SHA-256 or SHA-512",
            Self::ManifestsDisagree => "not in every manifest",
            Self::Malformed(line) => return write!(f, "malformed line {line}"),
            Self::Missing => "missing",
            Self::NotAFile => "neither file nor folder",
            Self::Repeated => "listed twice",
            Self::Contradicted => "listed with different digests",
            Self::OddSpelling => "spelt oddly",
            Self::OutOfPlace => "does not belong in this manifest",
            Self::TooLarge => "too large for a tag file",
            Self::Unlisted => "not listed",
            Self::UnsafePath => "unsafe path",
            Self::UnsupportedAlgorithm => "unsupported algorithm",
            Self::UnsupportedEncoding => "unsupported encoding",
            Self::UnsupportedVersion => "unsupported version",
            Self::WrongDigest => "wrong digest",
        })
    }
}

impl Bag {
    /// The bag in `folder`. Nothing is verified yet.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no such folder, and those of the file system.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref().canonicalize().map_err(|e| Error::from_io(e, "opening a bag"))?;
        if folder.is_dir() {
            Ok(Self { folder })
        } else {
            Err(Error::new(ErrorKind::NotFound, "opening a bag that is not a folder"))
        }
    }

    /// What the bag says about itself, label and value in their order; empty if it says nothing.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) if the bag's version or encoding is not read here,
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the declaration or the file is malformed, too large or not a file,
    /// and those of the file system. [`verify`](Self::verify) says which.
    pub fn info(&self) -> Result<Vec<(String, String)>> {
        let mut check = Check::walk(&self.folder)?;
        let Some(version) = check.declaration()? else {
            let unsupported = check.findings.iter().any(|f| f.kind != FindingKind::BadDeclaration);
            let kind = if unsupported { ErrorKind::Unsupported } else { ErrorKind::InvalidInput };
            return Err(Error::new(kind, "reading the declaration of a bag"));
        };
        let info = check.info(version)?;
        if check.findings.iter().any(|f| f.path == version.info_file()) {
            return Err(Error::new(ErrorKind::InvalidInput, "reading what a bag says about itself"));
        }
        Ok(info)
    }

    /// Reads everything once and compares it with what the bag says. Memory grows with the number of files, not with
    /// their size.
    ///
    /// # Errors
    /// Only those of the file system; whatever the bag is found to be is in the report.
    pub fn verify(&self) -> Result<Report> {
        let mut check = Check::walk(&self.folder)?;
        if let Some(version) = check.declaration()? {
            check.oxum(version)?;
            check.manifests(version)?;
        }
        let (files, octets) = check.payload();
        Ok(Report { findings: check.findings, files, octets, algorithms: check.algorithms })
    }
}

/// Which files a manifest is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Payload,
    Tag,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Payload => "manifest-",
            Self::Tag => "tagmanifest-",
        }
    }

    /// Whether a manifest of this kind may list the path.
    fn owns(self, path: &str) -> bool {
        match self {
            Self::Payload => path.starts_with("data/"),
            Self::Tag => !path.starts_with("data/") && algorithm_of(Self::Tag, path).is_none(),
        }
    }
}

/// The part of a manifest's name that says what its digests are.
fn algorithm_of(kind: Kind, path: &str) -> Option<&str> {
    path.strip_prefix(kind.prefix())?.strip_suffix(".txt").filter(|name| !name.contains('/'))
}

/// The files that manifests of one kind list, and with which digests.
type Listed = BTreeMap<String, Vec<(Algorithm, Vec<u8>)>>;

/// A verification on its way.
struct Check<'a> {
    folder: &'a Path,
    /// What is there, by the path from the bag's folder, with its length. No link leads to any of it.
    files: BTreeMap<String, u64>,
    findings: Vec<Finding>,
    algorithms: Vec<Algorithm>,
}

impl<'a> Check<'a> {
    fn walk(folder: &'a Path) -> Result<Self> {
        let mut check = Self { folder, files: BTreeMap::new(), findings: Vec::new(), algorithms: Vec::new() };
        let mut folders = vec![String::new()];
        while let Some(prefix) = folders.pop() {
            let failed = |e| Error::from_io(e, "listing a bag");
            for entry in fs::read_dir(folder.join(&prefix)).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let kind = entry.file_type().map_err(failed)?;
                let path = entry.file_name().into_string().map(|name| format!("{prefix}{name}"));
                match path {
                    // No manifest in UTF-8 can list it.
                    Err(name) => {
                        let path = format!("{prefix}{}", name.to_string_lossy());
                        check.add(FindingKind::Unlisted, path, None, !prefix.starts_with("data/"));
                    }
                    Ok(path) if kind.is_dir() => folders.push(path + "/"),
                    Ok(path) if kind.is_file() => {
                        check.files.insert(path, entry.metadata().map_err(failed)?.len());
                    }
                    Ok(path) => check.add(FindingKind::NotAFile, path, None, false),
                }
            }
        }
        Ok(check)
    }

    fn add(&mut self, kind: FindingKind, path: impl Into<String>, source: Option<&str>, warning: bool) {
        self.findings.push(Finding { kind, path: path.into(), source: source.map(str::to_owned), warning });
    }

    fn payload(&self) -> (u64, u64) {
        let payload = self.files.iter().filter(|(path, _)| Kind::Payload.owns(path));
        payload.fold((0, 0), |(files, octets), (_, len)| (files + 1, octets + len))
    }

    /// The bytes of a tag file, if it is there and can be held.
    fn tag(&mut self, path: &str) -> Result<Option<Vec<u8>>> {
        if !self.files.contains_key(path) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let read = File::open(self.folder.join(path)).and_then(|f| f.take(MAX_TAG_FILE + 1).read_to_end(&mut bytes));
        read.map_err(|e| Error::from_io(e, "reading a bag's tag file"))?;
        if bytes.len() as u64 > MAX_TAG_FILE {
            self.add(FindingKind::TooLarge, path, None, false);
            return Ok(None);
        }
        Ok(Some(bytes))
    }

    fn declaration(&mut self) -> Result<Option<Version>> {
        let bytes = self.tag("bagit.txt")?.unwrap_or_default();
        let kind = match Declaration::parse(&bytes) {
            Declaration::Readable(version) => return Ok(Some(version)),
            Declaration::UnknownVersion => FindingKind::UnsupportedVersion,
            Declaration::UnknownEncoding => FindingKind::UnsupportedEncoding,
            Declaration::Malformed => FindingKind::BadDeclaration,
        };
        self.add(kind, "bagit.txt", None, false);
        Ok(None)
    }

    fn info(&mut self, version: Version) -> Result<Vec<(String, String)>> {
        let file = version.info_file();
        let Some(bytes) = self.tag(file)? else { return Ok(Vec::new()) };
        Ok(tags::info(&bytes).unwrap_or_else(|line| {
            self.add(FindingKind::Malformed(line), file, None, false);
            Vec::new()
        }))
    }

    fn oxum(&mut self, version: Version) -> Result<()> {
        let (files, octets) = self.payload();
        for (label, value) in self.info(version)? {
            if label.eq_ignore_ascii_case("Payload-Oxum") && value != format!("{octets}.{files}") {
                self.add(FindingKind::OxumMismatch, "data", Some(version.info_file()), false);
            }
        }
        Ok(())
    }

    fn manifests(&mut self, version: Version) -> Result<()> {
        let unfetched = self.fetch(version)?;
        let (payload, algorithms) = self.listed(Kind::Payload, version)?;
        if algorithms.is_empty() {
            self.add(FindingKind::Unverifiable, "data", None, false);
        } else {
            for (path, _) in self.files.clone() {
                if Kind::Payload.owns(&path) && !payload.contains_key(&path) {
                    self.add(FindingKind::Unlisted, path, None, false);
                }
            }
            for path in &unfetched {
                if !payload.contains_key(path) {
                    self.add(FindingKind::Unlisted, path, Some("fetch.txt"), false);
                }
            }
        }
        // Before 1.0, each file had to be in one manifest only.
        self.compare(&payload, &algorithms, &unfetched, version < Version::V1_0)?;
        self.algorithms = algorithms;

        let (listed, algorithms) = self.listed(Kind::Tag, version)?;
        if !algorithms.is_empty() {
            for (path, _) in self.files.clone() {
                if Kind::Tag.owns(&path) && !listed.contains_key(&path) {
                    // RFC 8493, section 2.2.1: payload manifests must be listed, other tag files should.
                    let must = version >= Version::V1_0 && algorithm_of(Kind::Payload, &path).is_some();
                    self.add(FindingKind::Unlisted, path, None, !must);
                }
            }
        }
        self.compare(&listed, &algorithms, &BTreeSet::new(), true)
    }

    /// What is to be fetched and not there yet.
    fn fetch(&mut self, version: Version) -> Result<BTreeSet<String>> {
        const FILE: &str = "fetch.txt";
        let mut unfetched = BTreeSet::new();
        for line in tags::fetch(&self.tag(FILE)?.unwrap_or_default(), version) {
            match line {
                Line::Malformed(line) => self.add(FindingKind::Malformed(line), FILE, None, false),
                Line::Unsafe(path) => self.add(FindingKind::UnsafePath, path, Some(FILE), false),
                Line::Entry { path, .. } if !Kind::Payload.owns(&path) => {
                    self.add(FindingKind::OutOfPlace, path, Some(FILE), false);
                }
                Line::Entry { path, .. } => {
                    if !self.files.contains_key(&path) && unfetched.insert(path.clone()) {
                        self.add(FindingKind::Incomplete, path, Some(FILE), false);
                    }
                }
            }
        }
        Ok(unfetched)
    }

    /// What the manifests of a kind list, and the algorithms of those that could be read.
    fn listed(&mut self, kind: Kind, version: Version) -> Result<(Listed, Vec<Algorithm>)> {
        let names = self.files.keys().filter_map(|path| Some((path.clone(), algorithm_of(kind, path)?.to_owned())));
        let (mut listed, mut algorithms) = (Listed::new(), Vec::new());
        for (file, name) in names.collect::<Vec<_>>() {
            let Some(algorithm) = Algorithm::ALL.into_iter().find(|a| a.name() == name.to_ascii_lowercase()) else {
                self.add(FindingKind::UnsupportedAlgorithm, file, None, true);
                continue;
            };
            if algorithms.contains(&algorithm) {
                // Two names that differ in case only.
                self.add(FindingKind::Repeated, file, None, false);
                continue;
            }
            let Some(bytes) = self.tag(&file)? else { continue };
            algorithms.push(algorithm);
            for line in tags::manifest(&bytes, algorithm, version) {
                self.line(kind, &file, algorithm, line, version, &mut listed);
            }
        }
        Ok((listed, algorithms))
    }

    fn line(
        &mut self,
        kind: Kind,
        file: &str,
        algorithm: Algorithm,
        line: Line<Vec<u8>>,
        version: Version,
        listed: &mut Listed,
    ) {
        let (path, digest) = match line {
            Line::Malformed(line) => return self.add(FindingKind::Malformed(line), file, None, false),
            Line::Unsafe(path) => return self.add(FindingKind::UnsafePath, path, Some(file), false),
            Line::Entry { path, .. } if !kind.owns(&path) => {
                return self.add(FindingKind::OutOfPlace, path, Some(file), false);
            }
            Line::Entry { path, about, loose } => {
                if loose {
                    self.add(FindingKind::OddSpelling, &path, Some(file), true);
                }
                (path, about)
            }
        };
        let digests = listed.entry(path.clone()).or_default();
        match digests.iter().find(|(a, _)| *a == algorithm) {
            None => digests.push((algorithm, digest)),
            Some((_, before)) if *before == digest => {
                self.add(FindingKind::Repeated, path, Some(file), version < Version::V1_0);
            }
            Some(_) => self.add(FindingKind::Contradicted, path, Some(file), false),
        }
    }

    /// Reads every listed file and compares its digests.
    fn compare(
        &mut self,
        listed: &Listed,
        algorithms: &[Algorithm],
        unfetched: &BTreeSet<String>,
        may_disagree: bool,
    ) -> Result<()> {
        for (path, digests) in listed {
            if digests.len() < algorithms.len() {
                self.add(FindingKind::ManifestsDisagree, path, None, may_disagree);
            }
            if !self.files.contains_key(path) {
                if !unfetched.contains(path) {
                    self.add(FindingKind::Missing, path, None, false);
                }
                continue;
            }
            let mut file = File::open(self.folder.join(path)).map_err(|e| Error::from_io(e, "opening a bag's file"))?;
            let (_, sums) = Sums::read_all(&mut file).map_err(|e| Error::from_io(e, "reading a bag's file"))?;
            for (algorithm, digest) in digests {
                if sums.get(*algorithm) != digest {
                    self.add(FindingKind::WrongDigest, path, Some(algorithm.name()), false);
                }
            }
        }
        Ok(())
    }
}
