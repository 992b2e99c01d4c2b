use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use super::folder::Folder;
use super::hash::{Digests, Pumped, Sums, pump, source_failed};
use super::inventory::{Inventory, Text};
use crate::error::{Error, ErrorKind, Result};
use crate::time::Timestamp;

/// Makes a bag in `<folder>.part`, which becomes `<folder>` when it is whole and durable. Dropped before it has
/// finished, it leaves nothing; after a crash, `<folder>.part` is left and can be removed.
///
/// Names are segments of `[A-Za-z0-9._-]` between slashes, none with a dot at either end, none that Windows takes for
/// a device, 255 bytes a segment and 1,024 a path, folders of the bag included. Two that differ only in case are one.
pub struct Writer {
    folder: Folder,
    inventory: Inventory,
}

impl Writer {
    /// Starts a bag that will be at `folder`, which must be empty or not there.
    ///
    /// # Errors
    /// - [`AlreadyExists`](ErrorKind::AlreadyExists) if `folder` has something in it or `<folder>.part` is there;
    /// - [`InvalidInput`](ErrorKind::InvalidInput) if `folder` has no name;
    /// - those of the file system.
    pub fn create(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = Folder::create(folder.as_ref())?;
        folder.folder("data").map_err(|e| Error::from_io(e, "creating a bag"))?;
        Ok(Self { folder, inventory: Inventory::default() })
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
            Pumped::Reading(e) => source_failed(e, "reading what goes into a bag"),
            Pumped::Taking(e) => Error::from_io(e, "writing a bag's file"),
        })?;
        file.finish()
    }

    /// Whether a payload file can have this name: see [`Writer`], and none has it yet.
    pub fn takes(&self, path: &str) -> bool {
        self.inventory.check(path).is_ok()
    }

    /// Starts the payload file `data/<path>`.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the name is not acceptable or taken, and those of the file system.
    pub fn file(&mut self, path: &str) -> Result<PayloadFile<'_>> {
        self.inventory.check(path)?;
        let file = self.folder.file(&format!("data/{path}"))?;
        Ok(PayloadFile { bag: self, path: path.to_owned(), file, digests: Some(Digests::new()), failed: false })
    }

    /// Adds a file about the payload, anywhere but under `data/`.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the name is not acceptable, taken, or one that BagIt uses itself,
    /// and those of the file system.
    pub fn tag_file(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.inventory.check_tag(path)?;
        self.write(path, |out| out.write_all(bytes))?;
        self.inventory.add_tag(path, Sums::of(bytes))
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
        self.inventory.info(label, value)
    }

    /// Writes the manifests, makes everything durable and gives the bag its name.
    ///
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if something has come to be in the folder meanwhile,
    /// [`OutcomeUnknown`](ErrorKind::OutcomeUnknown) if the bag has its name but may lose it in a power cut, and those
    /// of the file system.
    pub fn finish(self) -> Result<()> {
        let order = self.inventory.order();
        for (path, text) in self.inventory.own(&order, Timestamp::now()) {
            self.write(&path, |out| match &text {
                Text::Bytes(bytes) => out.write_all(bytes),
                Text::Manifest(algorithm) => self.inventory.manifest(&order, *algorithm, out),
            })?;
        }
        self.folder.finish()
    }

    /// Writes a file, or leaves none.
    fn write(&self, path: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        let mut file = BufWriter::new(self.folder.file(path)?);
        write(&mut file).and_then(|()| file.into_inner()?.sync_all()).map_err(|e| {
            self.folder.remove(path);
            Error::from_io(e, "writing a bag's file")
        })
    }
}

/// A payload file that is being written. Only [`finish`](Self::finish) makes it part of the bag: dropped before, it
/// is removed.
#[must_use = "dropped before it has finished, it is removed from the bag"]
pub struct PayloadFile<'a> {
    bag: &'a mut Writer,
    path: String,
    file: File,
    digests: Option<Digests>,
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
        let Some(digests) = self.digests.take() else { return Ok(0) };
        let len = digests.len();
        self.bag.inventory.add(&self.path, len, digests.finish())?;
        Ok(len)
    }
}

impl Write for PayloadFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        match &written {
            Ok(n) => {
                if let (Some(digests), Some(bytes)) = (&mut self.digests, bytes.get(..*n)) {
                    digests.update(bytes);
                }
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
        if self.digests.is_some() {
            self.bag.folder.remove(&format!("data/{}", self.path));
        }
    }
}
