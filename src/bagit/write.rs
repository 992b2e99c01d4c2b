use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::hash::{Algorithm, Hasher, Pumped, Sums, pump};
use super::name::Names;
use super::tags::{info_text, is_label, is_value};
use crate::error::{Error, ErrorKind, Result};
use crate::id::hex;
use crate::time::Timestamp;

/// Labels that the writer fills in.
const OWN_LABELS: [&str; 2] = ["payload-oxum", "bag-software-agent"];

/// Makes a bag in `<folder>.part`, which becomes `<folder>` when it is whole and durable. Dropped before it has
/// finished, it leaves nothing; after a crash, `<folder>.part` is left and can be removed.
///
/// Names are segments of `[A-Za-z0-9._-]` between slashes, none with a dot at either end, none that Windows takes for
/// a device, 255 bytes a segment and 1,024 a path, folders of the bag included. Two that differ only in case are one.
pub struct Writer {
    folder: PathBuf,
    part: PathBuf,
    names: Names,
    payload: BTreeMap<String, Sums>,
    tags: BTreeMap<String, Sums>,
    info: Vec<(String, String)>,
    octets: u64,
    finished: bool,
}

impl Writer {
    /// Starts a bag that will be at `folder`, which must be empty or not there.
    ///
    /// # Errors
    /// - [`AlreadyExists`](ErrorKind::AlreadyExists) if `folder` has something in it or `<folder>.part` is there;
    /// - [`InvalidInput`](ErrorKind::InvalidInput) if `folder` has no name;
    /// - those of the file system.
    pub fn create(folder: impl AsRef<Path>) -> Result<Self> {
        let failed = |e| Error::from_io(e, "creating a bag");
        let folder = folder.as_ref();
        let Some(name) = folder.file_name() else {
            return Err(Error::new(ErrorKind::InvalidInput, "creating a bag without a name"));
        };
        match fs::read_dir(folder).map(|mut entries| entries.next()) {
            Ok(None) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Ok(Some(_)) => return Err(Error::new(ErrorKind::AlreadyExists, "creating a bag in a folder with files")),
            Err(e) => return Err(failed(e)),
        }
        // Without a trailing slash, which would have the folder's rename refused.
        let folder = folder.with_file_name(name);
        let part = folder.with_added_extension("part");
        let mode = |path: &Path| fs::DirBuilder::new().mode(0o700).create(path);
        mode(&part).map_err(failed)?;
        let writer = Self {
            folder,
            part,
            names: Names::default(),
            payload: BTreeMap::new(),
            tags: BTreeMap::new(),
            info: Vec::new(),
            octets: 0,
            finished: false,
        };
        mode(&writer.part.join("data")).map_err(failed)?;
        Ok(writer)
    }

    /// Adds what `reader` gives as the payload file `data/<path>` and returns its length.
    ///
    /// # Errors
    /// [`Source`](ErrorKind::Source) if the reader fails, otherwise those of [`file`](Self::file). The bag then goes
    /// on without that file.
    pub fn add(&mut self, path: &str, reader: &mut dyn Read) -> Result<u64> {
        let mut file = self.file(path)?;
        let copied = pump(reader, |bytes| file.write_all(bytes));
        copied.map_err(|e| match e {
            Pumped::Reading(e) => match e.downcast::<Error>() {
                Ok(own) => own,
                Err(e) => Error::new(ErrorKind::Source, "reading what goes into a bag").because(e),
            },
            Pumped::Taking(e) => Error::from_io(e, "writing a bag's file"),
        })?;
        file.finish()
    }

    /// Whether a payload file can have this name: see [`Writer`], and none has it yet.
    pub fn takes(&mut self, path: &str) -> bool {
        let path = format!("data/{path}");
        let takes = self.names.take(&path).is_ok();
        if takes {
            self.names.give_back(&path);
        }
        takes
    }

    /// Starts the payload file `data/<path>`.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the name is not acceptable or taken, and those of the file system.
    pub fn file(&mut self, path: &str) -> Result<PayloadFile<'_>> {
        let path = format!("data/{path}");
        self.names.take(&path)?;
        match self.open(&path) {
            Ok(file) => Ok(PayloadFile { bag: self, path, file, hasher: Some(Hasher::new()), len: 0, failed: false }),
            Err(e) => {
                self.names.give_back(&path);
                Err(e)
            }
        }
    }

    /// Adds a file about the payload, anywhere but under `data/`.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the name is not acceptable, taken, or one that BagIt uses itself,
    /// and those of the file system.
    pub fn tag_file(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let lower = path.to_ascii_lowercase();
        let manifest = lower.starts_with("manifest-") || lower.starts_with("tagmanifest-");
        let own = ["data", "bagit.txt", "bag-info.txt", "package-info.txt", "fetch.txt"].contains(&&*lower);
        if manifest || own || lower.starts_with("data/") {
            return Err(Error::new(ErrorKind::InvalidInput, "naming a tag file as BagIt names its own"));
        }
        self.names.take(path)?;
        let written = self.write_tag(path, bytes);
        if written.is_err() {
            self.names.give_back(path);
        }
        written
    }

    /// Says something about the bag in `bag-info.txt`. A label may be used more than once; lines of a value are
    /// separated by `\n`. `Payload-Oxum` and `Bag-Software-Agent` are added by [`finish`](Self::finish), and so is
    /// `Bagging-Date` if it was not given.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the label is one of the first two, is empty, holds a colon or a
    /// control character, if the value has an empty line or a control character, or if either has whitespace at an end
    /// of a line: a reader would not get it back as it was.
    pub fn info(&mut self, label: &str, value: &str) -> Result<()> {
        if !is_label(label) || !is_value(value) || OWN_LABELS.contains(&&*label.to_ascii_lowercase()) {
            return Err(Error::new(ErrorKind::InvalidInput, "describing a bag"));
        }
        self.info.push((label.to_owned(), value.to_owned()));
        Ok(())
    }

    /// Writes the manifests, makes everything durable and gives the bag its name.
    ///
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if something has come to be in the folder meanwhile,
    /// [`OutcomeUnknown`](ErrorKind::OutcomeUnknown) if the bag has its name but may lose it in a power cut, and those
    /// of the file system.
    pub fn finish(mut self) -> Result<()> {
        self.write_tag("bagit.txt", b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")?;
        let info = self.complete_info();
        self.write_tag("bag-info.txt", info_text(&info).as_bytes())?;
        for algorithm in Algorithm::ALL {
            let text = listing(&self.payload, algorithm);
            self.write_tag(&format!("manifest-{algorithm}.txt"), text.as_bytes())?;
        }
        for algorithm in Algorithm::ALL {
            let text = listing(&self.tags, algorithm);
            self.write(&format!("tagmanifest-{algorithm}.txt"), text.as_bytes())?;
        }
        let syncing = |e| Error::from_io(e, "syncing a bag");
        sync_folders(&self.part).map_err(syncing)?;
        fs::rename(&self.part, &self.folder).map_err(|e| match e.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => {
                Error::new(ErrorKind::AlreadyExists, "naming a bag").because(e)
            }
            _ => Error::from_io(e, "naming a bag"),
        })?;
        self.finished = true;
        let parent = self.folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent)
            .and_then(|f| f.sync_all())
            .map_err(|e| Error::new(ErrorKind::OutcomeUnknown, "syncing the folder that a bag is in").because(e))
    }

    fn complete_info(&self) -> Vec<(String, String)> {
        let mut info = self.info.clone();
        let mut add = |label: &str, value| info.push((label.to_owned(), value));
        if !self.info.iter().any(|(label, _)| label.eq_ignore_ascii_case("Bagging-Date")) {
            add("Bagging-Date", Timestamp::now().to_string().chars().take_while(|c| *c != 'T').collect());
        }
        add("Bag-Software-Agent", concat!("strongroom ", env!("CARGO_PKG_VERSION")).to_owned());
        add("Payload-Oxum", format!("{}.{}", self.octets, self.payload.len()));
        info
    }

    fn write_tag(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.write(path, bytes)?;
        self.tags.insert(path.to_owned(), Sums::of(bytes));
        Ok(())
    }

    /// Writes a file, or leaves none.
    fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let mut file = self.open(path)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| {
            let _ = fs::remove_file(self.part.join(path));
            Error::from_io(e, "writing a bag's file")
        })
    }

    fn open(&self, path: &str) -> Result<File> {
        let path = self.part.join(path);
        let made =
            path.parent().map_or(Ok(()), |folder| fs::DirBuilder::new().recursive(true).mode(0o700).create(folder));
        made.and_then(|()| OpenOptions::new().write(true).create_new(true).open(&path))
            .map_err(|e| Error::from_io(e, "creating a bag's file"))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_dir_all(&self.part);
        }
    }
}

/// A payload file that is being written. Only [`finish`](Self::finish) makes it part of the bag: dropped before, it
/// is removed.
#[must_use = "dropped before it has finished, it is removed from the bag"]
pub struct PayloadFile<'a> {
    bag: &'a mut Writer,
    path: String,
    file: File,
    hasher: Option<Hasher>,
    len: u64,
    failed: bool,
}

impl PayloadFile<'_> {
    /// Makes the bytes durable and lists the file; returns its length.
    ///
    /// # Errors
    /// [`Io`](ErrorKind::Io) if a write had failed, and those of the file system. The bag then goes on without it.
    pub fn finish(mut self) -> Result<u64> {
        if self.failed {
            return Err(Error::new(ErrorKind::Io, "finishing a bag's file after a failed write"));
        }
        self.file.sync_all().map_err(|e| Error::from_io(e, "syncing a bag's file"))?;
        if let Some(hasher) = self.hasher.take() {
            self.bag.payload.insert(self.path.clone(), hasher.finish());
            self.bag.octets += self.len;
        }
        Ok(self.len)
    }
}

impl Write for PayloadFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        match &written {
            Ok(n) => {
                if let (Some(hasher), Some(bytes)) = (&mut self.hasher, bytes.get(..*n)) {
                    hasher.update(bytes);
                }
                self.len += *n as u64;
            }
            Err(e) => self.failed |= e.kind() != io::ErrorKind::Interrupted,
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for PayloadFile<'_> {
    fn drop(&mut self) {
        if self.hasher.is_some() {
            let _ = fs::remove_file(self.bag.part.join(&self.path));
            self.bag.names.give_back(&self.path);
        }
    }
}

fn listing(files: &BTreeMap<String, Sums>, algorithm: Algorithm) -> String {
    files.iter().fold(String::new(), |mut text, (path, sums)| {
        // Two spaces, as `sha256sum -c` has it.
        let _ = writeln!(text, "{}  {path}", hex(sums.get(algorithm)));
        text
    })
}

fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}
